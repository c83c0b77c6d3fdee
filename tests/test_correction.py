"""Probabilities at the deployment prior, and the ledger they start from."""

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import (
    ClassWeightedClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.exceptions import TrainingPriorError
from sklimb.priors import correct_proba
from tests.data import imbalanced

X, y = imbalanced()
WEIGHTED = ClassWeightedClassifier(LogisticRegression())


def test_default_undoes_class_weights():
    big_X, big_y = imbalanced(20_000)
    plain = LogisticRegression(C=np.inf).fit(big_X, big_y).predict_proba(big_X)
    weighted = ClassWeightedClassifier(LogisticRegression(C=np.inf))
    corrected = PriorCorrectedClassifier(weighted).fit(big_X, big_y)
    np.testing.assert_allclose(corrected.predict_proba(big_X), plain, atol=0.03)
    uncorrected = corrected.estimator_.predict_proba(big_X)
    assert abs(uncorrected - plain).max() > 0.3


def test_default_around_a_plain_classifier_changes_nothing():
    plain = LogisticRegression().fit(X, y)
    corrected = PriorCorrectedClassifier(LogisticRegression()).fit(X, y)
    np.testing.assert_allclose(
        corrected.predict_proba(X), plain.predict_proba(X), atol=1e-14
    )
    np.testing.assert_array_equal(corrected.predict(X), plain.predict(X))
    np.testing.assert_allclose(
        corrected.decision_function(X), plain.decision_function(X), atol=1e-9
    )


@pytest.mark.parametrize(
    "container",
    [
        WEIGHTED,
        make_pipeline(StandardScaler(), WEIGHTED),
        GridSearchCV(WEIGHTED, {"strength": [1.0]}),
        make_pipeline(StandardScaler(), GridSearchCV(WEIGHTED, {"strength": [1.0]})),
        FrozenEstimator(WEIGHTED.fit(X, y)),
        FixedThresholdClassifier(WEIGHTED, threshold=0.3),
        OptimalThresholdClassifierCV(WEIGHTED),
    ],
    ids=lambda container: type(container).__name__,
)
def test_the_ledger_is_read_through_containers(container):
    model = PriorCorrectedClassifier(container).fit(X, y)
    np.testing.assert_allclose(model.source_prior_, [0.5, 0.5])
    np.testing.assert_allclose(model.target_prior_, np.bincount(y) / len(y))


@pytest.mark.parametrize(
    "silent",
    [
        LogisticRegression(class_weight="balanced"),
        make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")),
        make_imblearn_pipeline(
            RandomUnderSampler(random_state=0), LogisticRegression()
        ),
        GridSearchCV(LogisticRegression(class_weight="balanced"), {"C": [1.0]}),
        FrozenEstimator(LogisticRegression(class_weight="balanced").fit(X, y)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_balancing_without_a_ledger_asks_for_the_training_prior(silent):
    with pytest.raises(TrainingPriorError, match="`training_prior`"):
        PriorCorrectedClassifier(silent).fit(X, y)
    told = PriorCorrectedClassifier(silent, training_prior="uniform").fit(X, y)
    assert told.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.02)


class Boosted(LogisticRegression):
    """Has the parameter by which gradient boosting libraries balance."""

    def __init__(self, scale_pos_weight=1):
        super().__init__()
        self.scale_pos_weight = scale_pos_weight


def test_balancing_parameters_of_other_libraries_are_known():
    PriorCorrectedClassifier(Boosted()).fit(X, y)
    with pytest.raises(TrainingPriorError, match="`scale_pos_weight`=9"):
        PriorCorrectedClassifier(Boosted(scale_pos_weight=9)).fit(X, y)


def test_a_search_that_chose_a_class_weight_is_caught_after_fitting():
    search = GridSearchCV(LogisticRegression(), {"class_weight": ["balanced"]})
    with pytest.raises(TrainingPriorError, match="class_weight"):
        PriorCorrectedClassifier(search).fit(X, y)


def test_a_sampler_before_a_ledger_is_accounted_for():
    # The last step sees the resampled labels, so its ledger is right.
    pipeline = make_imblearn_pipeline(
        RandomUnderSampler(sampling_strategy=0.5, random_state=0),
        ClassWeightedClassifier(LogisticRegression(), class_weight=None),
    )
    model = PriorCorrectedClassifier(pipeline).fit(X, y)
    np.testing.assert_allclose(model.source_prior_, [2 / 3, 1 / 3], atol=0.01)


def test_correcting_twice_is_impossible():
    once = PriorCorrectedClassifier(WEIGHTED, target_prior=0.01)
    twice = PriorCorrectedClassifier(once, target_prior=0.01).fit(X, y)
    np.testing.assert_allclose(
        twice.predict_proba(X), once.fit(X, y).predict_proba(X), rtol=1e-9
    )


def test_setting_the_target_prior_equals_fitting_with_it():
    fitted = PriorCorrectedClassifier(WEIGHTED, target_prior=0.01).fit(X, y)
    moved = PriorCorrectedClassifier(WEIGHTED).fit(X, y).set_target_prior({1: 0.01})
    np.testing.assert_array_equal(moved.predict_proba(X), fitted.predict_proba(X))
    moved.set_target_prior("empirical")
    np.testing.assert_array_equal(moved.target_prior_, moved.empirical_prior_)


def test_a_bad_target_prior_leaves_the_old_one():
    model = PriorCorrectedClassifier(WEIGHTED, target_prior=0.01).fit(X, y)
    with pytest.raises(ValueError, match="sum to 1"):
        model.set_target_prior([0.5, 0.6])
    np.testing.assert_allclose(model.target_prior_, [0.99, 0.01])


def test_three_classes_are_corrected_too():
    labels = np.digitize(X[:, 0], [-0.5, 1.2])
    model = PriorCorrectedClassifier(WEIGHTED, target_prior=[0.1, 0.1, 0.8])
    proba = model.fit(X, labels).predict_proba(X)
    expected = correct_proba(
        model.estimator_.predict_proba(X), "uniform", [0.1, 0.1, 0.8]
    )
    np.testing.assert_allclose(proba, expected, atol=1e-12)
    assert model.decision_function(X).shape == (len(X), 3)


def test_a_class_of_target_prior_0_is_never_predicted():
    labels = np.digitize(X[:, 0], [-0.5, 1.2])
    model = PriorCorrectedClassifier(WEIGHTED, target_prior={1: 0.0, 0: 0.5})
    assert set(model.fit(X, labels).predict(X)) == {0, 2}


def test_pos_label_says_whose_prevalence_a_float_is():
    named = np.array(["ill", "well"])[1 - y]
    model = PriorCorrectedClassifier(WEIGHTED, target_prior=0.01, pos_label="ill")
    np.testing.assert_allclose(model.fit(X, named).target_prior_, [0.01, 0.99])


def test_decision_function_agrees_with_predict_and_with_log_odds():
    model = PriorCorrectedClassifier(WEIGHTED, target_prior=0.02).fit(X, y)
    decision = model.decision_function(X)
    np.testing.assert_array_equal(decision > 0, model.predict(X) == 1)
    log_proba = model.predict_log_proba(X)
    np.testing.assert_allclose(decision, log_proba[:, 1] - log_proba[:, 0])
    np.testing.assert_allclose(np.exp(log_proba), model.predict_proba(X))
