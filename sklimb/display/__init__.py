"""Pictures, in scikit-learn's form.

``from_estimator``, ``from_predictions`` and ``from_cv_results`` compute and draw,
``plot`` draws again, elsewhere, and ``to_frame`` gives the numbers as a pandas frame.
matplotlib is loaded when something is drawn.
"""

from sklimb.display._confusion_at_prior import ConfusionMatrixAtPriorDisplay
from sklimb.display._decision_curve import DecisionCurveDisplay
from sklimb.display._history import HistoryDisplay
from sklimb.display._prior_sensitivity import PriorSensitivityDisplay
from sklimb.display._reliability import ReliabilityDisplay
from sklimb.display._search_heatmap import SearchHeatmapDisplay
from sklimb.display._style import svg_of
from sklimb.display._threshold_curve import ThresholdCurveDisplay

__all__ = [
    "ConfusionMatrixAtPriorDisplay",
    "DecisionCurveDisplay",
    "HistoryDisplay",
    "PriorSensitivityDisplay",
    "ReliabilityDisplay",
    "SearchHeatmapDisplay",
    "ThresholdCurveDisplay",
    "svg_of",
]
