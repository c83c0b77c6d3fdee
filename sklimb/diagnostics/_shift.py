"""Why a metric falls from one set of rows to another."""

from dataclasses import dataclass

import numpy as np

from sklimb._outputs import class_scores
from sklimb._validation import check_labels, check_pos_label
from sklimb.diagnostics._findings import Result
from sklimb.diagnostics._scale import chance_of
from sklimb.diagnostics._shift_checks import (
    check_enough,
    check_numbers,
    checked_groups,
    checked_score,
    cut_between,
    metric_named,
)
from sklimb.diagnostics._shift_parts import ROUNDING, parts_of_cut, parts_of_labels
from sklimb.diagnostics._shift_words import About, findings_of_shift, sentence_of_shift
from sklimb.metrics import Interval
from sklimb.thresholds import metric_function, multiclass_metric
from sklimb.thresholds._rule import column_of_positives

__all__ = [
    "ShiftExplanation",
    "explain_several",
    "explain_shift",
    "explain_shift_from_predictions",
    "explain_two",
]

DEFAULT = "balanced_accuracy"
SIDES = ("A", "B")


@dataclass(frozen=True)
class ShiftExplanation(Result):
    """The fall of a metric from A to B, in parts that add up to it.

    Attributes
    ----------
    scoring : str
    score_a, score_b : float
        The metric at the cut in use.
    score_a_at_b : float
        A's, reweighted to B's prior.
    best_a_at_b, best_b : float or None
        What the best cut attains, chosen on other rows than it is scored on: of A at
        B's prior, and of B. None for several classes.
    prior_a, prior_b : ndarray of shape (n_classes,)
    classes : ndarray of shape (n_classes,)
    threshold_in_use : float or None
    fall : Interval
        ``score_a - score_b``.
    prevalence : Interval
        ``score_a - score_a_at_b``: the classes' shares differ.
    threshold : Interval or None
        ``(best_b - score_b) - (best_a_at_b - score_a_at_b)``: the cut suits B less than
        it suits A.
    rest : Interval
        ``best_a_at_b - best_b``: the classes are harder to tell apart. For several
        classes ``score_a_at_b - score_b``, the thresholds' part included.
    sides : tuple of str
        What A and B are called.
    findings : list of Finding
        Of the parts whose interval is above 0.
    sentence : str
    """

    scoring: str
    score_a: float
    score_b: float
    score_a_at_b: float
    best_a_at_b: float | None
    best_b: float | None
    prior_a: np.ndarray
    prior_b: np.ndarray
    classes: np.ndarray
    threshold_in_use: float | None
    fall: Interval
    prevalence: Interval
    threshold: Interval | None
    rest: Interval
    sides: tuple
    findings: list
    sentence: str

    @property
    def parts(self):
        """The parts by name, in their order."""
        names = ("prevalence", "threshold", "rest")
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}

    def _rows(self):
        parts = self.parts | {"fall": self.fall}
        return [{"part": name, **part._asdict()} for name, part in parts.items()]

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_shift

        draw_shift(ax, self)


def explain_shift(
    estimator,
    X_a,
    y_a,
    X_b,
    y_b,
    *,
    scoring=None,
    pos_label=None,
    groups_a=None,
    groups_b=None,
    level=0.95,
    n_resamples=1000,
    random_state=0,
):
    """Split the fall of a metric from A to B into prevalence, threshold and the rest.

    Parameters
    ----------
    estimator : fitted classifier
        Its decisions have to be a cut of its scores, as those of a threshold, a plain
        classifier or a search are.
    X_a, y_a : array-like of n_rows_a rows, and their labels
        Where it did well: rows of the test set, which it was not trained on.
    X_b, y_b : array-like of n_rows_b rows, and their labels
        Where it did worse, such as labelled rows of production.
    scoring : str or callable, default=None
        A metric of the confusion counts, as for
        :func:`sklimb.thresholds.metric_function`, for several classes as for
        :func:`sklimb.thresholds.multiclass_metric`. None for the estimator's own, or
        else ``"balanced_accuracy"``.
    pos_label : label, default=None
        The positive class; None for the second of two. With several classes, it against
        the rest: predicted where the estimator predicts it, scored by its probability.
    groups_a, groups_b : array-like of shape (n_rows,), default=None
        Rows of one value are drawn and held out together.
    level : float, default=0.95
        How often an interval shall cover.
    n_resamples : int, default=1000
    random_state : int, default=0

    Returns
    -------
    ShiftExplanation

    Raises
    ------
    ValueError
        If labels, scores or a parameter are not valid, or decisions are no cut of the
        scores.

    Notes
    -----
    For several classes without ``pos_label`` there are two parts, prevalence and the
    rest: how several thresholds would best be set on so few rows is too uncertain.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb.diagnostics import explain_shift
    >>> random = np.random.default_rng(0)
    >>> def rows(n, prevalence):
    ...     y = (random.random(n) < prevalence).astype(int)
    ...     return random.standard_normal((n, 1)) + 2 * y[:, None], y
    >>> model = LogisticRegression().fit(*rows(1000, 0.5))
    >>> found = explain_shift(
    ...     model, *rows(1000, 0.5), *rows(4000, 0.05), scoring="precision"
    ... )
    >>> [finding.kind for finding in found.findings]
    ['prevalence']
    """
    classes = np.asarray(estimator.classes_)
    scoring = _own_scoring(estimator, len(classes)) if scoring is None else scoring
    options = {
        "scoring": scoring,
        "groups_a": groups_a,
        "groups_b": groups_b,
        "level": level,
        "n_resamples": n_resamples,
        "random_state": random_state,
    }
    labels = [check_labels(y)[0] for y in (y_a, y_b)]
    predicted = [np.asarray(estimator.predict(X)) for X in (X_a, X_b)]
    if len(classes) > 2 and pos_label is None:
        return explain_several(labels, predicted, classes, **options)
    number = check_pos_label(pos_label, classes)
    scores = [
        column_of_positives(class_scores(estimator, X), number) for X in (X_a, X_b)
    ]
    called = [said == classes[number] for said in predicted]
    if len(classes) > 2:  # the greatest probability is no cut of one
        scores = [_as_cut(s, c) for s, c in zip(scores, called, strict=True)]
    cut = cut_between(np.concatenate(scores), np.concatenate(called), estimator)
    return explain_two(labels, scores, cut, classes, number, **options)


def explain_shift_from_predictions(
    y_a,
    score_a,
    y_b,
    score_b,
    threshold=0.5,
    *,
    scoring=DEFAULT,
    pos_label=None,
    groups_a=None,
    groups_b=None,
    level=0.95,
    n_resamples=1000,
    random_state=0,
):
    """Split the fall of a metric, as :func:`explain_shift`, from scores of two classes.

    Parameters
    ----------
    y_a, y_b : array-like of shape (n_rows_a,) and (n_rows_b,)
        Labels of two classes.
    score_a, score_b : array-like of shape (n_rows_a,) and (n_rows_b,)
        Scores of the positive class.
    threshold : float, default=0.5
        Positive where the score is at least that.
    scoring : str or callable, default="balanced_accuracy"
        A metric of the confusion counts, as for
        :func:`sklimb.thresholds.metric_function`.
    pos_label : label, default=None
        The positive class; None for the greater label.
    groups_a, groups_b, level, n_resamples, random_state
        As for :func:`explain_shift`.

    Returns
    -------
    ShiftExplanation

    Raises
    ------
    ValueError
        If labels, scores or a parameter are not valid, or a side has fewer than four
        rows of a class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.diagnostics import explain_shift_from_predictions
    >>> y = np.arange(400) % 4 == 0
    >>> score = np.where(y, 0.6, 0.4) + 0.15 * np.sin(np.arange(400))
    >>> found = explain_shift_from_predictions(y, score, y, score - 0.2)
    >>> [finding.kind for finding in found.findings]  # the scores' offset moved
    ['threshold']
    """
    check_numbers(threshold, level, n_resamples)
    labels = [check_labels(y)[0] for y in (y_a, y_b)]
    classes = np.unique(np.concatenate(labels))
    if len(classes) > 2:
        raise ValueError(
            f"`y_a` and `y_b` have the classes {classes.tolist()}; one score decides "
            "between two. Use explain_shift for several."
        )
    number = check_pos_label(pos_label, classes)
    scores = [
        checked_score(*each)
        for each in (("score_a", score_a, labels[0]), ("score_b", score_b, labels[1]))
    ]
    options = {
        "scoring": scoring,
        "groups_a": groups_a,
        "groups_b": groups_b,
        "level": level,
        "n_resamples": n_resamples,
        "random_state": random_state,
    }
    return explain_two(labels, scores, float(threshold), classes, number, **options)


def explain_two(
    labels, scores, cut, classes, number, *, scoring, level, sides=SIDES, **options
):
    """Explain a fall of two classes, from checked labels and scores."""
    check_numbers(cut, level, options["n_resamples"])
    groups = checked_groups((options["groups_a"], options["groups_b"]), labels)
    positives = [y == classes[number] for y in labels]
    check_enough(positives)
    estimates, resamples, noise = parts_of_cut(
        *(positives, scores, cut, metric_named(scoring, 2), groups),
        *(options["n_resamples"], options["random_state"]),
    )
    parts = _intervals(_parts_of_two, estimates, resamples, noise, level)
    priors = [np.array([np.mean(y == label) for label in classes]) for y in labels]
    return _explanation(scoring, estimates, parts, priors, classes, cut, number, sides)


def explain_several(
    labels, predicted, classes, *, scoring, level, sides=SIDES, **options
):
    """Explain a fall of several classes, from checked labels and predictions."""
    check_numbers(0.5, level, options["n_resamples"])
    groups = checked_groups((options["groups_a"], options["groups_b"]), labels)
    numbers = [np.searchsorted(classes, y) for y in labels]
    said = [np.searchsorted(classes, y) for y in predicted]
    metric = metric_named(scoring, len(classes))
    estimates, resamples = parts_of_labels(
        *(numbers, said, metric, groups),
        *(options["n_resamples"], options["random_state"]),
    )
    noise = np.zeros((len(estimates), len(estimates)))
    parts = _intervals(_parts_of_several, estimates, resamples, noise, level)
    priors = [np.bincount(y, minlength=len(classes)) / len(y) for y in numbers]
    return _explanation(scoring, estimates, parts, priors, classes, None, None, sides)


def _own_scoring(estimator, n_classes):
    """Return what an estimator's threshold was chosen by, if that is a metric."""
    own = getattr(estimator, "scoring", None)
    try:
        metric_function(own) if n_classes == 2 else multiclass_metric(own, n_classes)
    except (ValueError, TypeError):
        return DEFAULT
    return own


def _as_cut(score, called):
    """Return scores of one of several classes, those predicted above all others."""
    return (score + called) / 2


def _parts_of_two(values):
    """Return fall, prevalence, threshold and rest; the latter three add up to it."""
    score_a, a_at_b, score_b, best_a, best_b = np.transpose(values)
    prevalence = score_a - a_at_b
    prevalence = np.where(np.abs(prevalence) < ROUNDING, 0, prevalence)
    threshold = (best_b - score_b) - (best_a - a_at_b)
    return np.array([score_a - score_b, prevalence, threshold, best_a - best_b]).T


def _parts_of_several(values):
    score_a, a_at_b, score_b = np.transpose(values)
    prevalence = score_a - a_at_b
    prevalence = np.where(np.abs(prevalence) < ROUNDING, 0, prevalence)
    return np.array([score_a - score_b, prevalence, a_at_b - score_b]).T


def _intervals(parts_of, estimates, resamples, noise, level):
    """Return intervals by resamples, free of what the choice of folds adds to them."""
    found, again = parts_of(estimates), parts_of(resamples)
    of_folds = np.diag(_spread_by(parts_of, noise))
    total = again.var(axis=0)
    kept = np.sqrt(np.clip(1 - of_folds / np.maximum(total, 1e-300), 0.1, 1))
    middle = again.mean(axis=0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(middle + (again - middle) * kept, ends, axis=0)
    low, high = np.minimum(low, found), np.maximum(high, found)
    return [Interval(*map(float, each)) for each in zip(found, low, high, strict=True)]


def _spread_by(parts_of, noise):
    """Return the covariance of parts, which are sums and differences of values."""
    slopes = parts_of(np.eye(len(noise)))
    return slopes.T @ noise @ slopes


def _explanation(scoring, estimates, parts, priors, classes, cut, number, sides):
    fall, prevalence, *more = parts
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "?")
    threshold = more[0] if len(more) > 1 else None
    best = estimates[3:].tolist() if len(estimates) > 3 else [None, None]
    labels = np.repeat(np.arange(len(classes)), 2)  # shares of no class's chance
    chance = 0.0 if name == "accuracy" else chance_of(name, labels)
    shares = None if number is None else [float(prior[number]) for prior in priors]
    about = About(name, estimates[:3], shares, chance, sides)
    return ShiftExplanation(
        scoring=name,
        score_a=float(estimates[0]),
        score_b=float(estimates[2]),
        score_a_at_b=float(estimates[1]),
        best_a_at_b=best[0],
        best_b=best[1],
        prior_a=priors[0],
        prior_b=priors[1],
        classes=classes,
        threshold_in_use=cut,
        fall=fall,
        prevalence=prevalence,
        threshold=threshold,
        rest=more[-1],
        sides=sides,
        findings=findings_of_shift(prevalence, threshold, more[-1], about),
        sentence=sentence_of_shift(fall, prevalence, threshold, more[-1], about),
    )
