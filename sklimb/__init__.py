"""Keras classifiers on imbalanced data, the scikit-learn way.

Every step that changes the class distribution says so (``training_prior_``),
probabilities are corrected exactly once, to the prior where the model is used,
and the decision is tuned there. ``sklimb.keras`` is loaded on first use.
"""

import importlib

from sklimb import (
    calibration,
    diagnostics,
    display,
    exceptions,
    metrics,
    priors,
    splits,
    thresholds,
)
from sklimb.calibrating import CalibratedLogitsClassifierCV
from sklimb.compose import ImbalanceAwareClassifier
from sklimb.correction import PriorCorrectedClassifier
from sklimb.decision import OptimalThresholdClassifierCV
from sklimb.ensemble import NetworkEnsembleClassifier
from sklimb.resampling import ResampledClassifier
from sklimb.search import ImbalanceSearchCV
from sklimb.weighting import ClassWeightedClassifier

__version__ = "0.1.0"

__all__ = [
    "CalibratedLogitsClassifierCV",
    "ClassWeightedClassifier",
    "ImbalanceAwareClassifier",
    "ImbalanceSearchCV",
    "NetworkEnsembleClassifier",
    "OptimalThresholdClassifierCV",
    "PriorCorrectedClassifier",
    "ResampledClassifier",
    "calibration",
    "diagnostics",
    "display",
    "exceptions",
    "metrics",
    "priors",
    "splits",
    "thresholds",
]


def __getattr__(name):
    if name == "keras":  # not in __all__: a star import would load TensorFlow
        return importlib.import_module("sklimb.keras")
    raise AttributeError(f"module 'sklimb' has no attribute {name!r}")
