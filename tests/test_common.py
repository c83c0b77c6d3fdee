"""scikit-learn's common checks on every public meta-estimator."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    ImbalanceSearchCV,
    NetworkEnsembleClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)

# Some checks have three rows of a class.
CV = 3

# Some checks spoil the first row; one that is left out is not looked at. With this
# seed it stays.
KEEPS_FIRST_ROW = 0

UNDONE = "correction takes the class weights' effect out of the probabilities"
BY_ROWS = "shares are aimed at by number of rows, and weights multiply afterwards"
DRAWN = 'resamples draw rows, each as often whatever it weighs; "exact" passes'
TUNED = "predict uses the threshold chosen, not the greatest probability"


def expected_failed_checks(estimator):
    failed = {}
    drawn = getattr(estimator, "resample", None) is not None
    if drawn or isinstance(estimator, ResampledClassifier):
        for kind in ("dense", "sparse"):
            failed[f"check_sample_weight_equivalence_on_{kind}_data"] = BY_ROWS
    tunes = getattr(estimator, "threshold", None) == "tune"
    if isinstance(estimator, ImbalanceAwareClassifier):
        failed["check_class_weight_classifiers"] = UNDONE
    if tunes and estimator.selection == "auto":
        for kind in ("dense", "sparse"):
            failed[f"check_sample_weight_equivalence_on_{kind}_data"] = DRAWN
    if tunes or isinstance(estimator, OptimalThresholdClassifierCV):
        failed["check_classifiers_train"] = TUNED
    return failed


@pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")
@pytest.mark.filterwarnings("ignore:The scale of the calibration")  # random labels
@parametrize_with_checks(
    [
        ClassWeightedClassifier(LogisticRegression()),
        ResampledClassifier(LogisticRegression()),
        ResampledClassifier(
            LogisticRegression(), sampler="under", random_state=KEEPS_FIRST_ROW
        ),
        NetworkEnsembleClassifier(LogisticRegression(), n_estimators=2),
        NetworkEnsembleClassifier(
            LogisticRegression(), resample="under", random_state=KEEPS_FIRST_ROW
        ),
        NetworkEnsembleClassifier(
            LogisticRegression(), resample="bootstrap", average="log_proba"
        ),
        PriorCorrectedClassifier(LogisticRegression()),
        CalibratedLogitsClassifierCV(LogisticRegression(), cv=CV),
        OptimalThresholdClassifierCV(LogisticRegression(), cv=CV),
        ImbalanceAwareClassifier(LogisticRegression(), cv=CV),
        ImbalanceAwareClassifier(LogisticRegression(), selection="exact", cv=CV),
        ImbalanceAwareClassifier(LogisticRegression(), threshold=0.5),
        ImbalanceAwareClassifier(LogisticRegression(), threshold=None),
        ImbalanceAwareClassifier(LogisticRegression(), n_estimators=2, threshold=0.5),
        ImbalanceAwareClassifier(
            LogisticRegression(), calibration="bias_corrected_temperature", cv=CV
        ),
        ImbalanceAwareClassifier(
            LogisticRegression(), calibration="temperature", threshold=None, cv=CV
        ),
        ImbalanceSearchCV(
            LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, error_score="raise"
        ),
        ImbalanceSearchCV(
            ImbalanceAwareClassifier(LogisticRegression(), threshold=0.5),
            {"estimator__C": [0.1, 1.0]},
            cv=2,
            error_score="raise",
        ),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_keeps_scikit_learns_contract(estimator, check):
    check(estimator)
