"""How the score grows with the number of positives."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from sklimb._rows import as_rows, take_rows
from sklimb._validation import check_labels, check_pos_label
from sklimb.diagnostics._findings import Finding, Result
from sklimb.diagnostics._leakage_words import number, quoted
from sklimb.diagnostics._scale import chance_of

__all__ = ["LearningCurve", "learning_curve_by_positives"]

FEWEST_POSITIVES = 5
# Exponents of the power law that are tried.
EXPONENTS = np.linspace(0.1, 2.0, 39)
N_DRAWS = 500
LEVEL = 0.95
# A smaller gain from twice as many is not worth a finding.
NOTICEABLE = 0.005
REST = ("all", "in proportion")


@dataclass(frozen=True)
class LearningCurve(Result):
    """What :func:`learning_curve_by_positives` found.

    Attributes
    ----------
    pos_label : label
    scoring : str
    n_positives : ndarray of shape (n_points,), int
        Positives trained on, on average over folds.
    n_rows : ndarray of shape (n_points,), int
        Rows trained on, on average over folds.
    scores : ndarray of shape (n_points, n_folds)
    gain : float
        Of the score, expected from twice as many positives.
    gain_low, gain_high : float
        Its 95 % interval: how far the folds agree.
    exponent : float
        Of the power law ``best - scale * n_positives ** -exponent``.
    best : float
        What the power law comes to with any number of positives: a wild guess.
    findings : list of Finding
    sentence : str
    """

    pos_label: object
    scoring: str
    n_positives: np.ndarray
    n_rows: np.ndarray
    scores: np.ndarray
    gain: float
    gain_low: float
    gain_high: float
    exponent: float
    best: float
    findings: list
    sentence: str

    def _rows(self):
        means, errors = self.scores.mean(axis=1), _errors(self.scores)
        columns = zip(self.n_positives, self.n_rows, means, errors, strict=True)
        return [
            {"n_positives": int(n), "n_rows": int(rows), "score": m, "error": e}
            for n, rows, m, e in columns
        ]

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_learning_curve

        draw_learning_curve(ax, self)


def learning_curve_by_positives(
    estimator,
    X,
    y,
    *,
    groups=None,
    scoring=None,
    cv=5,
    n_points=5,
    rest="all",
    target_prior=None,
    pos_label=None,
    random_state=0,
):
    """Score against the number of positives that were trained on.

    Each fold is trained on a growing part of its positives, the smaller parts inside
    the greater ones, and scored on the same test rows. A power law through the means
    tells what twice as many positives would give.

    Parameters
    ----------
    estimator : classifier
    X : array-like, frame or sparse matrix of n_rows rows
    y : array-like of shape (n_rows,)
    groups : array-like of shape (n_rows,), default=None
        Rows of one value are on one side of a split.
    scoring : str or callable, default=None
        A scikit-learn scorer; None for ``"roc_auc"``, for several classes
        ``"roc_auc_ovr"``, without probabilities ``"balanced_accuracy"``.
    cv : int, default=5
        Stratified folds.
    n_points : int, default=5
        Numbers of positives, from an eighth to all, in equal ratios.
    rest : {"all", "in proportion"}, default="all"
        The other rows: all of them at each point, as where only positives are hard to
        come by; or as large a part of them as of the positives.
    target_prior : float, mapping or array-like, default=None
        Where to score, by :func:`sklimb.metrics.make_prior_scorer`; ``scoring`` is
        then a name of its metrics. None for the rows' own shares.
    pos_label : label, default=None
        The class to have fewer of; None for the greater of two labels, or the rarest
        of several.
    random_state : int, default=0
        Draws folds and parts.

    Returns
    -------
    LearningCurve

    Raises
    ------
    ValueError
        If a parameter is not valid, or there are too few positives.

    Notes
    -----
    The interval draws folds again. Folds share training rows, so it is too narrow
    where scores of folds agree by that alone; and an extrapolation is only as good as
    its law.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb.diagnostics import learning_curve_by_positives
    >>> X, y = make_classification(2000, weights=[0.95], random_state=0)
    >>> curve = learning_curve_by_positives(LogisticRegression(), X, y)
    >>> curve.n_positives.tolist()
    [11, 18, 31, 52, 88]
    """
    y, classes = check_labels(y)
    X, y = as_rows(X, y)
    positive = y == classes[_positive_class(pos_label, y, classes)]
    _check_choice(rest, n_points)
    scoring, scorer = _scorer(estimator, scoring, target_prior, pos_label, classes)
    folds = list(_folds(X, y, groups, cv, positive, random_state))
    random = np.random.default_rng(random_state)
    trained = [_parts(train, positive, n_points, rest, random) for train, _ in folds]
    scores = [
        [_score(clone(estimator), X, y, rows, test, scorer) for rows in parts]
        for parts, (_, test) in zip(trained, folds, strict=True)
    ]
    counts = [[positive[rows].sum() for rows in parts] for parts in trained]
    sizes = [[len(rows) for rows in parts] for parts in trained]
    return _curve(
        np.transpose(scores),
        np.mean(counts, axis=0).round().astype(int),
        np.mean(sizes, axis=0).round().astype(int),
        (scoring, chance_of(scoring, y), y[positive][0], random),
    )


def _positive_class(pos_label, y, classes):
    if pos_label is None and len(classes) > 2:
        return int(np.argmin([np.count_nonzero(y == label) for label in classes]))
    return check_pos_label(pos_label, classes)


def _check_choice(rest, n_points):
    if rest not in REST:
        raise ValueError(f"`rest`={rest!r} is not known; give one of {[*REST]}.")
    if not isinstance(n_points, int | np.integer) or n_points < 3:
        raise ValueError(
            f"`n_points`={n_points!r} must be a whole number from 3 on: fewer tell no "
            "law."
        )


def _scorer(estimator, scoring, target_prior, pos_label, classes):
    """Return what is scored, by name, and its scorer."""
    if scoring is None:
        scoring = "roc_auc" if len(classes) == 2 else "roc_auc_ovr"
        if not any(
            hasattr(estimator, method)
            for method in ("predict_proba", "decision_function")
        ):
            scoring = "balanced_accuracy"
    if target_prior is None:
        name = scoring if isinstance(scoring, str) else "score"
        return name, check_scoring(estimator, scoring)
    from sklimb.metrics import make_prior_scorer

    return scoring, make_prior_scorer(scoring, target_prior, pos_label=pos_label)


def _folds(X, y, groups, cv, positive, random_state):
    if not isinstance(cv, int | np.integer) or cv < 2:
        raise ValueError(f"`cv`={cv!r} must be a whole number of folds, from 2 on.")
    n_positive = np.count_nonzero(positive)
    if n_positive < cv * 3:
        raise ValueError(
            f"`y` has {n_positive} positives: too few for a curve over {cv} folds. "
            f"Give at least {3 * cv}, or fewer folds."
        )
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    split = splitter(cv, shuffle=True, random_state=random_state)
    return split.split(np.zeros(len(y)), y, groups)


def _parts(train, positive, n_points, rest, random):
    """Return growing parts of the training rows, as row numbers."""
    own = random.permutation(train[positive[train]])
    others = random.permutation(train[~positive[train]])
    fewest = min(max(len(own) / 8, FEWEST_POSITIVES), len(own) / 2)
    parts = []
    for n_own in np.geomspace(max(fewest, 2), len(own), n_points).round().astype(int):
        n_others = len(others)
        if rest == "in proportion":
            n_others = max(2, round(len(others) * n_own / len(own)))
        parts.append(np.sort(np.append(own[:n_own], others[:n_others])))
    return parts


def _score(estimator, X, y, rows, test, scorer):
    estimator.fit(take_rows(X, rows), y[rows])
    return float(scorer(estimator, take_rows(X, test), y[test]))


def _errors(scores):
    return scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])


def _curve(scores, n_positives, n_rows, about):
    scoring, chance, label, random = about
    best, exponent, gain = _power_law(n_positives, scores.mean(axis=1))
    drawn = random.integers(scores.shape[1], size=(N_DRAWS, scores.shape[1]))
    gains = [_power_law(n_positives, scores[:, d].mean(axis=1))[2] for d in drawn]
    low, high = np.quantile(gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    sentence = (
        f"With {number(int(n_positives[-1]))} rows of {quoted(label)} in training, "
        f"{scoring} is {scores[-1].mean():.3f}; twice as many may give "
        f"{gain:.3f} more ({low:.3f} to {high:.3f}, by extrapolation)."
    )
    findings = []
    if gain > NOTICEABLE:
        remedy = "Gather more rows of that class before anything else is tuned."
        effect = float(np.clip(gain / (1 - chance), 0, 1))
        name = str(label)
        findings = [Finding("few-positives", name, sentence, remedy, effect)]
    return LearningCurve(
        pos_label=label,
        scoring=scoring,
        n_positives=n_positives,
        n_rows=n_rows,
        scores=scores,
        gain=gain,
        gain_low=float(low),
        gain_high=float(high),
        exponent=exponent,
        best=best,
        findings=findings,
        sentence=sentence,
    )


def _power_law(n_positives, scores):
    """Return limit, exponent and the gain from twice as many, by least squares."""
    found = []
    for exponent in EXPONENTS:
        features = np.column_stack([np.ones(len(scores)), -(n_positives**-exponent)])
        (best, scale), *_ = np.linalg.lstsq(features, scores, rcond=None)
        if scale < 0:  # falling scores: no gain, and the mean is the best fit
            best, scale = scores.mean(), 0.0
        error = np.sum((features @ [best, scale] - scores) ** 2)
        last = float(n_positives[-1])
        gain = scale * (last**-exponent - (2 * last) ** -exponent)
        found.append((error, best, exponent, gain))
    _, best, exponent, gain = min(found)
    return float(best), float(exponent), float(gain)
