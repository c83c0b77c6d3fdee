"""Where to cut: metrics of the confusion counts, and the exact best decision.

Everything here is a function of arrays.
"""

from sklimb.thresholds._checks import check_sample_cost as check_sample_cost
from sklimb.thresholds._confidence import certified as certified
from sklimb.thresholds._confidence import check_confidence as check_confidence
from sklimb.thresholds._confidence import check_equal_weights as check_equal_weights
from sklimb.thresholds._constraints import check_constraints as check_constraints
from sklimb.thresholds._constraints import check_feasible as check_feasible
from sklimb.thresholds._constraints import constraint_curves as constraint_curves
from sklimb.thresholds._costs import (
    bayes_decision,
    bayes_threshold,
    cost_metric,
    expected_costs,
    mean_cost,
)
from sklimb.thresholds._costs import cost_rows as cost_rows
from sklimb.thresholds._cuts import (
    ConfusionCounts,
    OptimalCut,
    StepCurve,
    confusion_counts,
    optimal_threshold,
)
from sklimb.thresholds._cuts import counts_of_positives as counts_of_positives
from sklimb.thresholds._metrics import metric_function, metric_names
from sklimb.thresholds._multiclass import optimal_class_thresholds
from sklimb.thresholds._multiclass_constraints import (
    InfeasibleThresholds as InfeasibleThresholds,
)
from sklimb.thresholds._multiclass_metrics import (
    multiclass_metric as multiclass_metric,
)
from sklimb.thresholds._multiclass_metrics import (
    multiclass_metric_names as multiclass_metric_names,
)
from sklimb.thresholds._multiclass_rows import choose_classes as choose_classes
from sklimb.thresholds._multiclass_search import score_of as score_of
from sklimb.thresholds._multiclass_search import (
    search_class_thresholds as search_class_thresholds,
)
from sklimb.thresholds._multiclass_selection import (
    MULTICLASS_SELECTIONS as MULTICLASS_SELECTIONS,
)
from sklimb.thresholds._multiclass_selection import (
    select_class_thresholds as select_class_thresholds,
)
from sklimb.thresholds._resampling import threshold_interval
from sklimb.thresholds._rule import ThresholdRule
from sklimb.thresholds._rule import column_of_positives as column_of_positives
from sklimb.thresholds._selection import SELECTIONS as SELECTIONS
from sklimb.thresholds._selection import choose_cut as choose_cut
from sklimb.thresholds._selection import pooled_rows as pooled_rows
from sklimb.thresholds._words import rule_in_words as rule_in_words

__all__ = [
    "ConfusionCounts",
    "OptimalCut",
    "StepCurve",
    "ThresholdRule",
    "bayes_decision",
    "bayes_threshold",
    "confusion_counts",
    "cost_metric",
    "expected_costs",
    "mean_cost",
    "metric_function",
    "metric_names",
    "optimal_class_thresholds",
    "optimal_threshold",
    "threshold_interval",
]
