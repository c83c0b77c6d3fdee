"""Why production is worse than validation.

Each function returns a result with numbers, a sentence, findings and a picture. The
effects of all findings are on one scale: 0 is nothing, 1 is all of the way from chance
to a perfect score. :func:`ranked` puts the greatest first.
"""

from sklimb.diagnostics._diagnosis import Diagnosis, diagnose
from sklimb.diagnostics._findings import Finding, ranked
from sklimb.diagnostics._label_noise import LabelNoise, label_noise
from sklimb.diagnostics._leakage import Leakage, find_leakage
from sklimb.diagnostics._learning_curve import (
    LearningCurve,
    learning_curve_by_positives,
)
from sklimb.diagnostics._overfitting import Overfitting, overfitting
from sklimb.diagnostics._shift import (
    ShiftExplanation,
    explain_shift,
    explain_shift_from_predictions,
)

__all__ = [
    "Diagnosis",
    "Finding",
    "LabelNoise",
    "Leakage",
    "LearningCurve",
    "Overfitting",
    "ShiftExplanation",
    "diagnose",
    "explain_shift",
    "explain_shift_from_predictions",
    "find_leakage",
    "label_noise",
    "learning_curve_by_positives",
    "overfitting",
    "ranked",
]
