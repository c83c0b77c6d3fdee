"""Where to cut: metrics of the confusion counts, and the exact best decision.

Everything here is a function of arrays.
"""

from sklimb.thresholds._cuts import (
    ConfusionCounts,
    OptimalCut,
    StepCurve,
    confusion_counts,
    optimal_threshold,
)
from sklimb.thresholds._cuts import counts_of_positives as counts_of_positives
from sklimb.thresholds._cuts import mean_curve as mean_curve
from sklimb.thresholds._cuts import metric_curve as metric_curve
from sklimb.thresholds._metrics import metric_function, metric_names

__all__ = [
    "ConfusionCounts",
    "OptimalCut",
    "StepCurve",
    "confusion_counts",
    "metric_function",
    "metric_names",
    "optimal_threshold",
]
