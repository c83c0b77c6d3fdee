"""Bounds that thresholds of several classes must keep, at every cut.

A constraint is any object with a ``name`` ("recall", "precision", "alert_rate",
or a metric of several classes), a ``class_number`` (None for a metric), a ``low``
and a ``high``. It holds for all rows pooled.
"""

import numpy as np

from sklimb.thresholds._multiclass_metrics import multiclass_metric

__all__ = ["InfeasibleThresholds", "attained_by", "violation_at_cuts", "violation_of"]

# Rates are quotients of sums, equal to a bound up to their last digits.
SLACK = 1e-12


class InfeasibleThresholds(Exception):
    """No thresholds that were tried keep all constraints.

    Attributes
    ----------
    thresholds : ndarray of shape (n_classes,)
        Those of the least total violation.
    attained : list of float
        What each constraint's rate is there.
    """

    def __init__(self, thresholds, attained):
        super().__init__(f"no thresholds keep all constraints; best: {attained}")
        self.thresholds = thresholds
        self.attained = attained


def violation_of(constraint, values):
    """Return how far values lie outside of a constraint's bounds."""
    outside = np.maximum(constraint.low - values, values - constraint.high)
    return np.where(outside > SLACK, outside, 0.0)


def violation_at_cuts(constraints, sweep):
    """Return the total violation at every cut of a sweep."""
    sweep = sweep.pooled()
    return sum(violation_of(each, _at_cuts(each, sweep)) for each in constraints)


def attained_by(constraints, rows, predicted):
    """Return the rate of each constraint that predictions attain."""
    rows = rows.pooled()
    return [_of_predictions(each, rows, predicted) for each in constraints]


def _at_cuts(constraint, sweep):
    if constraint.class_number is None:
        return multiclass_metric(constraint.name, sweep.rows.n_classes).at_cuts(sweep)
    counts = sweep.counts_of_class(constraint.class_number)
    return _rate(constraint, sweep.rows, *counts)


def _of_predictions(constraint, rows, predicted):
    if constraint.class_number is None:
        metric = multiclass_metric(constraint.name, rows.n_classes)
        return metric.of_predictions(rows, predicted)
    chosen = rows.weight * (predicted == constraint.class_number)
    hits = chosen * (rows.class_numbers == constraint.class_number)
    return float(_rate(constraint, rows, hits.sum(), chosen.sum()))


def _rate(constraint, rows, hits, chosen):
    whole = {
        "recall": rows.counts[0, constraint.class_number],
        "precision": chosen,
        "alert_rate": rows.counts.sum(),
    }[constraint.name]
    part = chosen if constraint.name == "alert_rate" else hits
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, np.divide(part, whole), 0.0)
