"""Metrics where the model is used: at a prior, with intervals.

A test set's class shares are seldom those of deployment. How each class is
predicted stays, how many there are changes; everything here follows from that.
All are functions of arrays.
"""

from sklimb.metrics._at_prior import score_at_prior
from sklimb.metrics._curves import (
    PrecisionRecallCurve,
    RocCurve,
    net_benefit,
    precision_recall_curve_at_prior,
    roc_curve_at_prior,
)
from sklimb.metrics._intervals import bootstrap_interval
from sklimb.metrics._intervals import drawn_confusions as drawn_confusions
from sklimb.metrics._intervals import drawn_rates as drawn_rates
from sklimb.metrics._measures import log_losses as log_losses
from sklimb.metrics._measures import measure_named as measure_named
from sklimb.metrics._projection import project_confusion_matrix
from sklimb.metrics._rates import (
    ClassAccuracy,
    Interval,
    RowsNeeded,
    per_class_accuracy,
    rate_interval,
    rows_needed,
)
from sklimb.metrics._reliability import (
    ReliabilityCurve,
    expected_calibration_error,
    reliability_curve,
)
from sklimb.metrics._resampling import Ranking as Ranking
from sklimb.metrics._resampling import class_sums as class_sums
from sklimb.metrics._resampling import draw_counts as draw_counts
from sklimb.metrics._resampling import resamples as resamples
from sklimb.metrics._resampling import stratified_drawer as stratified_drawer
from sklimb.metrics._scorer import make_prior_scorer

__all__ = [
    "ClassAccuracy",
    "Interval",
    "PrecisionRecallCurve",
    "ReliabilityCurve",
    "RocCurve",
    "RowsNeeded",
    "bootstrap_interval",
    "expected_calibration_error",
    "make_prior_scorer",
    "net_benefit",
    "per_class_accuracy",
    "precision_recall_curve_at_prior",
    "project_confusion_matrix",
    "rate_interval",
    "reliability_curve",
    "roc_curve_at_prior",
    "rows_needed",
    "score_at_prior",
]
