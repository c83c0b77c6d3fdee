"""All diagnostics at once, what matters most first."""

from dataclasses import dataclass
from textwrap import fill

import numpy as np

from sklimb._rows import as_rows, num_rows, take_rows
from sklimb._validation import check_labels, check_pos_label
from sklimb.diagnostics._diagnosis_steps import (
    curve_step,
    few_test_rows,
    history_step,
    noise_step,
    prevalence_at_target,
    shift_step,
)
from sklimb.diagnostics._findings import Result, ranked
from sklimb.diagnostics._fold_fits import fit_folds, some_rows
from sklimb.diagnostics._leakage import find_leakage
from sklimb.diagnostics._leakage_words import number, quoted
from sklimb.diagnostics._shift_checks import metric_named

__all__ = ["Diagnosis", "diagnose"]

MOST_ROWS = 20_000
WIDTH = 79


@dataclass(frozen=True)
class Diagnosis(Result):
    """What :func:`diagnose` found.

    Attributes
    ----------
    findings : list of Finding
        The greatest effect first.
    results : dict of str to result
        ``"leakage"``, and where they apply ``"label_noise"``, ``"learning_curve"``,
        ``"overfitting"`` and ``"shift"``.
    auc : float
        Area under the ROC curve out of fold, the mean over classes.
    n_rows, n_fitted : int
        All rows, and those that models were fitted to.
    notes : list of str
        What was left out, and why.
    sentence : str
        The greatest finding's.
    """

    findings: list
    results: dict
    auc: float
    n_rows: int
    n_fitted: int
    notes: list
    sentence: str

    def __str__(self):
        lines = [self.heading]
        for place, finding in enumerate(self.findings, start=1):
            head = f"{place:2d}. {finding.kind.replace('-', ' ')}, effect "
            lines.append(f"{head}{finding.effect:.2f}")
            lines.append(_indented(str(finding)))
        if not self.findings:
            lines.append("Nothing was found.")
        return "\n".join([*lines, *self.notes])

    @property
    def heading(self):
        """What was looked at, and how the model does."""
        return (
            f"{number(self.n_rows)} rows, AUC {self.auc:.3f} out of fold; effects from "
            "0, nothing, to 1, all of the way from chance to a perfect score"
        )

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_findings

        draw_findings(ax, self.findings)


def _indented(text):
    return fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def diagnose(
    estimator,
    X,
    y,
    *,
    groups=None,
    X_production=None,
    y_production=None,
    groups_production=None,
    X_raw=None,
    target_prior=None,
    scoring=None,
    pos_label=None,
    cv=5,
    random_state=0,
):
    """Say why production is, or will be, worse than validation.

    Looks for leaks (:func:`find_leakage`), wrong labels (:func:`label_noise`), too few
    positives (:func:`learning_curve_by_positives`), too few to test on, over-fitting
    (:func:`overfitting`, of networks), and at a target prior for what the ranking is
    worth there. With rows of production it explains the fall of a metric
    (:func:`explain_shift`).

    Parameters
    ----------
    estimator : classifier
        Clones are fitted to folds; it stays as it is.
    X : array-like, frame or sparse matrix of n_rows rows
    y : array-like of shape (n_rows,)
        Labels.
    groups : array-like of shape (n_rows,), default=None
        Rows of one value belong together; folds keep them so.
    X_production, y_production : rows and labels of production, default=None
        Both, or none.
    groups_production : array-like, default=None
    X_raw : frame or array of n_rows rows, default=None
        The same rows as they were gathered, for leaks: columns that ``X`` lacks are
        looked at too. None for ``X``.
    target_prior : float, mapping or array-like, default=None
        The classes' shares where the model is used.
    scoring : str, default=None
        The metric whose fall to production is explained. None for ``"f1"``, for
        several classes ``"f1_macro"``, which depend on the prevalence.
    pos_label : label, default=None
        The positive class; None for the greater of two labels, or the rarest of
        several.
    cv : int, default=5
    random_state : int, default=0

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If a parameter is not valid, or a class has one row only.

    Notes
    -----
    Models are fitted to at most 20,000 rows, a stratified part of them: ``cv`` times,
    and 12 times for the learning curve, whose largest training part is two thirds.
    All rows are looked at for repeats.

    The fall to production is that from rows out of fold, both scored by the models of
    folds. To explain the fall of one model that is already fitted, call
    :func:`explain_shift` with rows it was not trained on.

    The scale of effects: 0 is nothing, 1 is all of the way from chance to a perfect
    score. A column has what 2 AUC - 1 of all columns loses without it; repeated rows
    and groups, the 2 AUC - 1 of remembering labels; wrong labels, the balanced
    accuracy that they may cost; too few positives, the gain expected from twice as
    many; too few to test on, half of the recall's interval; over-fitting, the rise
    of the validation loss over that of the first epoch, which stands for chance; parts
    of a fall, what they explain.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb.diagnostics import diagnose
    >>> random = np.random.default_rng(0)
    >>> y = (random.random(2000) < 0.2).astype(int)
    >>> X = random.standard_normal((2000, 3)) + y[:, None]
    >>> X[:, 2] = 4 * y + random.standard_normal(2000)
    >>> diagnosis = diagnose(LogisticRegression(), X, y)
    >>> diagnosis.findings[0].subject
    'x2'
    """
    X, y = as_rows(X, y)
    y, classes = check_labels(y)
    numbers = np.searchsorted(classes, y)
    positive = _positive(pos_label, numbers, classes)
    _check_two_rows(numbers, classes)
    if scoring is None:
        scoring = "f1" if len(classes) == 2 else "f1_macro"
    metric_named(scoring, len(classes))
    production = _checked_production(
        X_production, y_production, groups_production, classes
    )
    leakage = find_leakage(
        X if X_raw is None else X_raw, y, groups, cv=cv, random_state=random_state
    )
    notes = _notes_of_folds(numbers, classes, cv)
    rows = some_rows(numbers, MOST_ROWS, random_state)
    if len(rows) < len(y):
        notes.append(f"Models saw {number(len(rows))} rows, drawn at random.")
    groups = None if groups is None else np.asarray(groups)[rows]
    fits = fit_folds(
        estimator, take_rows(X, rows), numbers[rows], classes, groups, cv, random_state
    )
    results = {
        "leakage": leakage,
        "label_noise": noise_step(fits, rows, notes),
        "learning_curve": curve_step(estimator, fits, positive, random_state, notes),
        "overfitting": history_step(fits),
        "shift": shift_step(fits, production, positive, scoring, random_state),
    }
    results = {name: found for name, found in results.items() if found is not None}
    more = [*few_test_rows(fits, positive)]
    if target_prior is not None:
        more += prevalence_at_target(fits, target_prior, positive)
    return _diagnosis(results, more, fits, len(y), notes)


def _diagnosis(results, more, fits, n_rows, notes):
    findings = [each for found in results.values() for each in found.findings]
    findings = ranked([*findings, *more])
    return Diagnosis(
        findings=findings,
        results=results,
        auc=fits.auc,
        n_rows=n_rows,
        n_fitted=len(fits.y),
        notes=notes,
        sentence=findings[0].sentence if findings else "Nothing was found.",
    )


def _positive(pos_label, numbers, classes):
    if pos_label is None and len(classes) > 2:
        return int(np.argmin(np.bincount(numbers)))
    return check_pos_label(pos_label, classes)


def _notes_of_folds(numbers, classes, cv):
    counts = np.bincount(numbers)
    fewest = int(counts.min())
    if fewest >= cv:
        return []
    label = quoted(classes[counts.argmin()])
    return [f"{fewest} folds instead of {cv}: {label} has {fewest} rows."]


def _check_two_rows(numbers, classes):
    counts = np.bincount(numbers)
    if counts.min() < 2:
        raise ValueError(
            f"`y` has one row of the class {quoted(classes[counts.argmin()])}, which "
            "can't be in training and in a test. Gather more, or leave it out."
        )


def _checked_production(X, y, groups, classes):
    if X is None and y is None:
        return None
    if X is None or y is None:
        missing = "X_production" if X is None else "y_production"
        raise ValueError(
            f"`{missing}` is None; give rows of production and their labels, or none."
        )
    y = np.asarray(y)
    if num_rows(X) != len(y):
        raise ValueError(
            f"`X_production` has {num_rows(X)} rows and `y_production` {len(y)}."
        )
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"`y_production` has the labels {unknown.tolist()}, which `y` lacks; "
            f"it has {classes.tolist()}."
        )
    return X, np.searchsorted(classes, y), groups
