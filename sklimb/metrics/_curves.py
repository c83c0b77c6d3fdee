"""What every threshold gives at a prior: ROC, precision and recall, net benefit."""

from typing import NamedTuple

import numpy as np

from sklimb._validation import as_labels
from sklimb.metrics._rows import labelled_rows
from sklimb.thresholds import counts_of_positives

__all__ = [
    "PrecisionRecallCurve",
    "RocCurve",
    "net_benefit",
    "precision_recall_curve_at_prior",
    "roc_curve_at_prior",
]


class RocCurve(NamedTuple):
    """Rates at every threshold, strictest first.

    Attributes
    ----------
    false_positive_rate, recall : ndarray of shape (n_thresholds,)
        The same at every prior.
    alert_rate : ndarray of shape (n_thresholds,)
        The share of all rows that are called positive.
    thresholds : ndarray of shape (n_thresholds,)
        Positive where the score is at least that; inf for never.
    """

    false_positive_rate: np.ndarray
    recall: np.ndarray
    alert_rate: np.ndarray
    thresholds: np.ndarray


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall at every threshold, strictest first.

    Attributes
    ----------
    precision : ndarray of shape (n_thresholds,)
        1 where nothing is called positive.
    recall : ndarray of shape (n_thresholds,)
    thresholds : ndarray of shape (n_thresholds,)
        Positive where the score is at least that; inf for never.
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


def roc_curve_at_prior(
    y_true, y_score, target_prior=None, *, sample_weight=None, pos_label=None
):
    """Return recall, false positive rate and alert rate at every threshold.

    The rates of classes are the same at every prior; how many alerts they amount to
    is not.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of two classes.
    y_score : array-like of shape (n_rows,) or (n_rows, 2)
        Scores of the positive class, or a column for each.
    target_prior : array-like, mapping, float, "uniform" or None, default=None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts within its class.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    RocCurve
        At every distinct score, and at inf.

    Raises
    ------
    ValueError
        If something is not valid.

    Examples
    --------
    >>> from sklimb.metrics import roc_curve_at_prior
    >>> curve = roc_curve_at_prior([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.01)
    >>> curve.recall
    array([0. , 0.5, 0.5, 1. , 1. ])
    >>> curve.alert_rate
    array([0.   , 0.005, 0.5  , 0.505, 1.   ])
    """
    prior, rates, thresholds = _rates(
        y_true, y_score, target_prior, sample_weight, pos_label
    )
    false, true = rates
    alerts = prior[0] * false + prior[1] * true
    return RocCurve(false, true, alerts, thresholds)


def precision_recall_curve_at_prior(
    y_true, y_score, target_prior=None, *, sample_weight=None, pos_label=None
):
    """Return precision and recall at every threshold, at a prior.

    Parameters
    ----------
    y_true, y_score, target_prior, sample_weight, pos_label
        As for :func:`roc_curve_at_prior`.

    Returns
    -------
    PrecisionRecallCurve
        At every distinct score, and at inf.

    Raises
    ------
    ValueError
        If something is not valid.

    Examples
    --------
    >>> from sklimb.metrics import precision_recall_curve_at_prior
    >>> y_true, y_score = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    >>> precision_recall_curve_at_prior(y_true, y_score, 0.01).precision.round(3)
    array([1.  , 1.  , 0.01, 0.02, 0.01])
    """
    prior, rates, thresholds = _rates(
        y_true, y_score, target_prior, sample_weight, pos_label
    )
    false, true = rates[0] * prior[0], rates[1] * prior[1]
    called = false + true
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
    precision[0] = 1.0
    return PrecisionRecallCurve(precision, rates[1], thresholds)


def _rates(y_true, y_score, target_prior, sample_weight, pos_label):
    """Return shares, false positive rates and recalls, and the thresholds."""
    rows = _of_two(y_true, target_prior, sample_weight, pos_label)
    counts = counts_of_positives(rows.is_positive, rows.scores(y_score), rows.weight)
    rates = [_rate(counts.fp), _rate(counts.tp)]
    prior = rows.prior[[1 - rows.positive, rows.positive]]
    return prior, rates, np.append(np.inf, counts.scores)


def _rate(counts):
    return counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan)


def _of_two(y_true, target_prior, sample_weight, pos_label):
    rows = labelled_rows(
        y_true, target_prior, sample_weight=sample_weight, pos_label=pos_label
    )
    if rows.n_classes > 2:
        raise ValueError(
            f"`y_true` has {rows.n_classes} classes, {as_labels(rows.classes)}; a "
            "threshold decides between two. Take one class against the rest: "
            "`y_true == label`."
        )
    return rows


def net_benefit(
    y_true, proba, threshold, target_prior=None, *, sample_weight=None, pos_label=None
):
    """Return what acting on probabilities is worth, in true positives per row.

    ``TP/n - FP/n * threshold / (1 - threshold)``: whoever acts from a probability
    ``threshold`` on takes ``(1 - threshold) / threshold`` false alarms for one true
    positive. To act on nobody is worth 0; to act on everybody
    ``prior - (1 - prior) * threshold / (1 - threshold)``.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of two classes.
    proba : array-like of shape (n_rows,) or (n_rows, 2)
        Probabilities of the positive class, or a column for each; taken as given,
        so corrected to ``target_prior``.
    threshold : float or array-like
        In [0, 1).
    target_prior : array-like, mapping, float, "uniform" or None, default=None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts within its class.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    float or ndarray of the shape of ``threshold``

    Raises
    ------
    ValueError
        If something is not valid.

    References
    ----------
    Vickers and Elkin (2006), "Decision curve analysis: a novel method for
    evaluating prediction models", Medical Decision Making 26(6).

    Examples
    --------
    >>> from sklimb.metrics import net_benefit
    >>> y_true, proba = [0, 0, 0, 1], [0.1, 0.2, 0.6, 0.7]
    >>> net_benefit(y_true, proba, [0.05, 0.5]).round(3)
    array([0.211, 0.   ])
    """
    threshold = np.asarray(threshold, dtype=np.float64)
    if not ((threshold >= 0) & (threshold < 1)).all():
        raise ValueError(
            f"`threshold` must lie in [0, 1), 1 excluded, where a false alarm would "
            f"outweigh everything; got {threshold.tolist()}."
        )
    rows = _of_two(y_true, target_prior, sample_weight, pos_label)
    proba, weight = rows.positive_proba(proba), rows.importance
    true = _at_least(proba, weight * rows.is_positive, threshold)
    false = _at_least(proba, weight * ~rows.is_positive, threshold)
    benefit = true - false * threshold / (1 - threshold)
    return benefit if benefit.ndim else float(benefit)


def _at_least(scores, weight, threshold):
    """Return the weight of the rows whose scores are at least each threshold."""
    order = np.argsort(scores)
    below = np.append(0, np.cumsum(weight[order]))
    return below[-1] - below[np.searchsorted(scores[order], threshold, side="left")]
