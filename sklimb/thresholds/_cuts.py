"""Where to cut a score: confusion counts at every cut, and the exact optimum.

A row is positive where ``score >= threshold``. A score with m distinct values
has m + 1 cuts, from "none positive" to "all positive", and every metric of
the confusion counts is a step function over them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklimb._validation import check_labels, check_pos_label, check_sample_weight
from sklimb.thresholds._metrics import metric_function

__all__ = [
    "ConfusionCounts",
    "OptimalCut",
    "StepCurve",
    "confusion_counts",
    "optimal_threshold",
]


class ConfusionCounts(NamedTuple):
    """Weighted confusion counts at every cut, strictest first.

    Attributes
    ----------
    tp, fp, fn, tn : ndarray of shape (n_scores + 1,)
        Counts when the ``j`` highest distinct scores are called positive.
    scores : ndarray of shape (n_scores,)
        The distinct scores, falling: cut ``j`` has its threshold in the gap
        below ``scores[j - 1]`` and above ``scores[j]``.
    """

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray
    scores: np.ndarray


class OptimalCut(NamedTuple):
    """A threshold and the metric's value there."""

    threshold: float
    score: float


def confusion_counts(y_true, y_score, sample_weight=None, *, pos_label=None):
    """Count true and false positives and negatives at every distinct cut.

    One sort and cumulative sums: O(n log n) for all cuts together.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores of the positive class: probabilities, or any finite numbers.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts; rows of weight 0 are left out.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    ConfusionCounts

    Raises
    ------
    ValueError
        If there are not two classes, shapes differ, a score is not finite or
        a weight is not valid.

    Examples
    --------
    >>> from sklimb.thresholds import confusion_counts
    >>> counts = confusion_counts([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    >>> counts.scores
    array([0.8, 0.4, 0.1])
    >>> counts.tp, counts.fp
    (array([0, 1, 2, 2]), array([0, 0, 1, 2]))
    """
    y_true, classes = check_labels(y_true)
    if len(classes) > 2:
        raise ValueError(
            f"`y_true` has {len(classes)} classes, {classes.tolist()}; a cut of one "
            "score decides between two."
        )
    positive = y_true == classes[check_pos_label(pos_label, classes)]
    weight = check_sample_weight(sample_weight, len(positive))
    return counts_of_positives(positive, _check_scores(y_score, len(positive)), weight)


def _check_scores(y_score, n_rows):
    score = np.asarray(y_score, dtype=np.float64)
    if score.shape != (n_rows,):
        raise ValueError(
            f"`y_score` has shape {score.shape}; expected ({n_rows},), one score a row."
        )
    if not np.isfinite(score).all():
        raise ValueError("`y_score` has nan or infinite values.")
    return score


def counts_of_positives(positive, score, weight=None):
    """Count as :func:`confusion_counts`, from clean arrays.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
    weight : ndarray of shape (n_rows,), float64, default=None
    """
    if weight is not None and not weight.all():
        kept = weight > 0
        positive, score, weight = positive[kept], score[kept], weight[kept]
    order = np.argsort(-score)
    falling = score[order]
    last = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)
    if weight is None:
        tp = np.cumsum(positive[order])[last]
        fp = last + 1 - tp
    else:
        weight = weight[order]
        tp = np.cumsum(weight * positive[order])[last]
        fp = np.cumsum(weight * ~positive[order])[last]
    tp, fp = np.append(0, tp), np.append(0, fp)
    return ConfusionCounts(tp, fp, tp[-1] - tp, fp[-1] - fp, falling[last])


@dataclass(frozen=True)
class StepCurve:
    """A metric as a step function of the threshold.

    Parameters
    ----------
    scores : ndarray of shape (n_scores,)
        Distinct scores, falling.
    values : ndarray of shape (n_scores + 1,)
        ``values[j]`` holds where the ``j`` highest scores are positive.
    """

    scores: np.ndarray
    values: np.ndarray

    def at_cuts_of(self, scores):
        """Return the value at each cut of another falling array of scores."""
        rising = self.scores[::-1]
        positives = len(rising) - np.searchsorted(rising, scores, side="left")
        return self.values[np.append(0, positives)]

    def at(self, threshold):
        """Return the value where ``score >= threshold`` is positive."""
        return float(self.values[np.count_nonzero(self.scores >= threshold)])

    def best(self):
        """Return the :class:`OptimalCut` of the greatest value.

        Of equal optima the widest plateau wins, and the threshold is its
        middle. Beyond the extreme scores the plateau reaches to 0 and 1, for
        scores that are no probabilities just past the score itself.
        """
        top = np.nanmax(self.values)
        # Sums of weights in another order differ in their last digits.
        slack = 8 * np.finfo(np.float64).eps * max(1.0, abs(top))
        is_best = np.concatenate([[False], self.values >= top - slack, [False]])
        steps = np.diff(is_best.astype(np.int8))
        first, last = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
        upper, lower = self._gap_ends()
        widest = np.argmax(upper[first] - lower[last])
        threshold = self._middles(first[[widest]], last[[widest]])[0]
        return OptimalCut(float(threshold), float(top))

    def thresholds(self):
        """Return the middle of each cut's gap, falling, shape (n_scores + 1,)."""
        cuts = np.arange(len(self.values))
        return self._middles(cuts, cuts)

    def _gap_ends(self):
        # Cut j is any threshold in (lower[j], upper[j]].
        ceiling = max(1.0, self.scores[0])
        floor = min(0.0, self.scores[-1])
        return np.append(ceiling, self.scores), np.append(self.scores, floor)

    def _middles(self, first, last):
        """Return the middles of the plateaus from cut ``first`` to cut ``last``."""
        upper, lower = self._gap_ends()
        high, low = upper[first], lower[last]
        middle = low + (high - low) / 2
        middle = np.where(middle > low, middle, high)  # neighbouring floats
        no_room_for_none = (last == 0) & (high == low)
        return np.where(no_room_for_none, np.nextafter(low, np.inf), middle)


def mean_curve(curves):
    """Return the mean of step curves, exact at every cut of any of them."""
    if len(curves) == 1:
        return curves[0]
    scores = np.unique(np.concatenate([curve.scores for curve in curves]))[::-1]
    values = [curve.at_cuts_of(scores) for curve in curves]
    return StepCurve(scores, np.mean(values, axis=0))


def metric_curve(counts, metric):
    """Return a metric of the confusion counts as a :class:`StepCurve`."""
    return StepCurve(counts.scores, metric(*counts[:4]))


def optimal_threshold(
    y_true, y_score, metric="balanced_accuracy", sample_weight=None, *, pos_label=None
):
    """Find the threshold with the greatest metric, exactly.

    Every distinct cut is looked at, "none positive" and "all positive"
    included. The threshold lies in the middle of the gap between two
    neighbouring scores; of equal optima, in the middle of the widest plateau.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores of the positive class.
    metric : str or callable, default="balanced_accuracy"
        A name as for :func:`metric_function`, or a function of arrays
        (tp, fp, fn, tn).
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    OptimalCut
        ``threshold``, in the scores' unit, and ``score``, the metric there.

    Raises
    ------
    ValueError
        As :func:`confusion_counts` and :func:`metric_function`.

    Examples
    --------
    >>> from sklimb.thresholds import optimal_threshold
    >>> y_true = [0, 0, 0, 0, 1, 1]
    >>> y_score = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3]
    >>> optimal_threshold(y_true, y_score, "f1").threshold  # 0.5 finds nothing
    0.15000000000000002
    """
    function = metric if callable(metric) else metric_function(metric)
    counts = confusion_counts(y_true, y_score, sample_weight, pos_label=pos_label)
    return metric_curve(counts, function).best()
