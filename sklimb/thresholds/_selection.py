"""Which cut to take, where the sample's best is a noisy estimate of the best one.

Rows come in parts, the folds that they were left out of: tuples of which rows are
positive, of their scores, and of their weights or None.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklimb.thresholds._cuts import (
    OptimalCut,
    StepCurve,
    counts_of_positives,
    mean_curve,
    metric_curve,
)
from sklimb.thresholds._expected import soft_parts
from sklimb.thresholds._resampling import bootstrap_cuts
from sklimb.thresholds._scale import log_odds_of

__all__ = ["SELECTIONS", "Choice", "choose_cut", "standard_error"]

N_RESAMPLES = 200
STEP = 1e-4  # of a class's rows, to differentiate a metric
SHARES = [2 / 3, 1 / 3]  # of the bagged cut, of the expected one


@dataclass(frozen=True)
class Choice:
    """A chosen cut, and what it was chosen by.

    Parameters
    ----------
    threshold : float
        Where to cut: rows of at least this score are positive.
    score : float
        The curve's value there. As the same rows chose, it flatters.
    best : OptimalCut
        The greatest value among the allowed cuts.
    curve : StepCurve
        The metric at every distinct score of all parts.
    """

    threshold: float
    score: float
    best: OptimalCut
    curve: StepCurve


class _Task(NamedTuple):
    """What a selection chooses by."""

    parts: list
    metric: object
    aggregation: str
    curve: StepCurve
    allowed: np.ndarray
    group: list | None
    random_state: object

    def best(self, values):
        """Return the OptimalCut of the greatest of other values at allowed cuts."""
        allowed_values = np.where(self.allowed, values, np.nan)
        return StepCurve(self.curve.scores, allowed_values).best()


def choose_cut(
    parts,
    metric,
    selection="exact",
    *,
    aggregation="mean",
    allowed=None,
    group=None,
    random_state=0,
):
    """Choose a threshold by rows out of fold.

    - ``"exact"``: the greatest metric of these rows.
    - ``"expected"``: the greatest metric of the expected counts, by calibrated
      probabilities in place of labels: a smooth curve, of less variance. Probabilities
      are calibrated (Platt's scaling of log-odds).
    - ``"bagged"``: the mean of the best cuts of 200 smoothed bootstrap resamples of
      the pooled rows, on the log-odds scale.
    - ``"combined"``: from the bagged cut a third of the way to the expected one, on
      the log-odds scale. In ``benchmarks/selection.py`` the best on average, by little.
    - ``"one_standard_error"``: of the cuts that are at most one standard error below
      the greatest metric, the one nearest to the expected cut.

    Scores below 0 or above 1 are no probabilities: their own scale is that of log-odds.

    Parameters
    ----------
    parts : list of (positive, score, weight)
        Arrays of shape (n_rows,) for each part; ``weight`` may be None.
    metric : callable
        Function of arrays (tp, fp, fn, tn) of any one shape.
    selection : str, default="exact"
    aggregation : {"mean", "pooled"}, default="mean"
        The metric's mean over parts, those of one class left out, or the metric of
        all rows.
    allowed : ndarray of shape (n_scores + 1,), bool, default=None
        Which cuts between the distinct scores of all parts may be taken, strictest
        first; None for all.
    group : list of ndarray, default=None
        For each part, the groups that its rows are drawn with.
    random_state : int, Generator or None, default=0
        Draws resamples.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If a name is not known, ``allowed`` has the wrong shape, or it allows nothing.
    """
    _check_name("selection", selection, SELECTIONS)
    _check_name("aggregation", aggregation, ("mean", "pooled"))
    curve = curve_of_parts(parts, metric, aggregation)
    allowed = _check_allowed(allowed, len(curve.values))
    task = _Task(parts, metric, aggregation, curve, allowed, group, random_state)
    threshold = float(SELECTIONS[selection](task))
    return Choice(threshold, curve.at(threshold), task.best(curve.values), curve)


def _check_name(parameter, name, known):
    if name not in known:
        raise ValueError(
            f"`{parameter}`={name!r} is not known; give one of {[*known]}."
        )


def _check_allowed(allowed, n_cuts):
    if allowed is None:
        return np.ones(n_cuts, dtype=bool)
    allowed = np.asarray(allowed, dtype=bool)
    if allowed.shape != (n_cuts,):
        raise ValueError(
            f"`allowed` has shape {allowed.shape}; expected ({n_cuts},), one for each "
            "cut between the distinct scores of all parts."
        )
    if not allowed.any():
        raise ValueError("`allowed` leaves no cut. Loosen the constraints.")
    return allowed


def curve_of_parts(parts, metric, aggregation):
    """Return the metric's mean over parts, or that of all rows, as a StepCurve."""
    if len(parts) == 1:
        return _curve(parts[0], metric)
    if aggregation == "pooled":
        return _curve(pooled_rows(parts), metric)
    curves = [_curve(part, metric) for part in parts if _has_both(part)]
    mean = mean_curve(curves)
    if len(curves) == len(parts):
        return mean
    pooled = counts_of_positives(*pooled_rows(parts))
    return StepCurve(pooled.scores, mean.at_cuts_of(pooled.scores))


def _curve(rows, metric):
    # A metric of more than the counts knows how to look at rows.
    if hasattr(metric, "curve"):
        return metric.curve(*rows)
    return metric_curve(counts_of_positives(*rows), metric)


def pooled_rows(parts):
    """Return which rows of all parts are positive, their scores and weights."""
    positives, scores, weights = zip(*parts, strict=True)
    if all(weight is None for weight in weights):
        return np.concatenate(positives), np.concatenate(scores), None
    weights = [
        np.ones(len(score)) if weight is None else weight
        for score, weight in zip(scores, weights, strict=True)
    ]
    return tuple(map(np.concatenate, (positives, scores, weights)))


def _has_both(part):
    positive, _, weight = part
    kept = positive if weight is None else positive[weight > 0]
    return kept.any() and not kept.all()


def _exact(task):
    return task.best(task.curve.values).threshold


def _expected(task):
    soft = curve_of_parts(soft_parts(task.parts), task.metric, task.aggregation)
    return task.best(soft.at_cuts_of(task.curve.scores)).threshold


def _bagged(task):
    return _nearest_allowed(task, _mean_of_resamples(task))


def _mean_of_resamples(task):
    positive, score, weight = pooled_rows(task.parts)
    drawn = bootstrap_cuts(
        positive,
        score,
        task.metric,
        weight,
        group=_pooled_group(task.group),
        smooth=True,
        n_resamples=N_RESAMPLES,
        random_state=task.random_state,
    )
    forth, back = log_odds_of(task.curve.scores)
    return back(forth(drawn.cuts).mean())


def _combined(task):
    forth, back = log_odds_of(task.curve.scores)
    ends = forth(np.array([_mean_of_resamples(task), _expected(task)]))
    return _nearest_allowed(task, back(SHARES @ ends))


def _one_standard_error(task):
    expected, best = _expected(task), task.best(task.curve.values)
    error = standard_error(
        task.parts, task.metric, best.threshold, task.aggregation, task.group
    )
    if error == 0:
        return best.threshold
    near_best = task.curve.values >= best.score - error
    return _nearest_allowed(task._replace(allowed=task.allowed & near_best), expected)


SELECTIONS = {
    "exact": _exact,
    "expected": _expected,
    "bagged": _bagged,
    "combined": _combined,
    "one_standard_error": _one_standard_error,
}


def _pooled_group(group):
    return None if group is None else np.concatenate(group)


def _nearest_allowed(task, threshold):
    """Return a threshold, or the nearest that is allowed on the log-odds scale."""
    if task.allowed[np.count_nonzero(task.curve.scores >= threshold)]:
        return threshold
    thresholds = task.curve.thresholds()[task.allowed]
    forth, _ = log_odds_of(task.curve.scores)
    return thresholds[np.argmin(np.abs(forth(thresholds) - forth(threshold)))]


def _counts_at(part, threshold):
    """Return the weights of true and false positives, all positives and negatives."""
    positive, score, weight = part
    weight = np.ones(len(score)) if weight is None else weight
    above = score >= threshold
    rows = (positive & above, ~positive & above, positive, ~positive)
    return [weight[own].sum() for own in rows]


def _values(metric, counts):
    """Return the metric of each row of such counts, nan without any rows."""
    tp, fp, positives, negatives = np.transpose(counts)
    values = metric(tp, fp, positives - tp, negatives - fp)
    return np.where(positives + negatives > 0, values, np.nan)


def standard_error(parts, metric, threshold, aggregation="mean", group=None):
    """Return the standard error of a metric at one threshold, by the delta method.

    Each row adds its deviation from its class's share above the cut, times the
    metric's slope in that class's count; rows of a group are added up first. Class
    sizes are taken as given.
    """
    if aggregation == "pooled":
        parts, group = [pooled_rows(parts)], group and [_pooled_group(group)]
    terms = [
        _influence(part, metric, threshold, group and group[k])
        for k, part in enumerate(parts)
        if _has_both(part)
    ]
    return float(np.sqrt(sum(np.sum(term**2) for term in terms)) / len(terms))


def _influence(part, metric, threshold, group):
    """Return what each row, or group of rows, adds to the metric's deviation."""
    positive, score, weight = part
    weight = np.ones(len(score)) if weight is None else weight
    counts = np.array(_counts_at(part, threshold))
    own = np.where(positive, 0, 1)
    share = (counts[:2] / counts[2:])[own]
    terms = weight * ((score >= threshold) - share) * _slopes(metric, counts)[own]
    if group is None:
        return terms
    return np.bincount(np.unique(group, return_inverse=True)[1].ravel(), terms)


def _slopes(metric, counts):
    """Return the metric's derivatives by tp and by fp, class sizes fixed."""
    at, sizes = counts[:2], counts[2:]
    # Inwards: beyond the ends there are no counts.
    steps = STEP * sizes * np.where(2 * at < sizes, 1, -1)
    moved = np.tile(counts, (3, 1))
    moved[[1, 2], [0, 1]] += steps
    values = _values(metric, moved)
    return (values[1:] - values[0]) / steps
