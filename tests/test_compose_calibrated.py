"""Calibration and threshold: one set of out-of-fold predictions serves both."""

import json
from itertools import pairwise

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb._threshold_layer import FixedThresholdClassifier
from sklimb.calibration import Calibration, calibration_methods
from sklimb.priors import correct_log_proba, correct_proba
from sklimb.thresholds import metric_function
from tests.data import imbalanced

X, y = imbalanced()
LOGISTIC = LogisticRegression()
TREE = DecisionTreeClassifier(max_depth=5, max_features=2)  # needs a seed
METHOD = "bias_corrected_temperature"
EVERY_METHOD = pytest.mark.parametrize("method", calibration_methods())


def aware(estimator=LOGISTIC, **parameters):
    parameters = {"calibration": METHOD, "class_weight": "balanced", **parameters}
    return ImbalanceAwareClassifier(estimator, **parameters)


def corrected(
    estimator=LOGISTIC, method=METHOD, target_prior="empirical", **parameters
):
    calibrated = CalibratedLogitsClassifierCV(
        ClassWeightedClassifier(estimator), method=method, **parameters
    )
    return PriorCorrectedClassifier(calibrated, target_prior=target_prior)


def assert_same(one, other):
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@EVERY_METHOD
@pytest.mark.parametrize("target_prior", ["empirical", 0.01])
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, len(y))])
def test_it_equals_the_nest_written_by_hand(method, target_prior, weight):
    flat = aware(calibration=method, target_prior=target_prior, scoring="f1")
    by_hand = OptimalThresholdClassifierCV(
        corrected(method=method, target_prior=target_prior),
        scoring="f1",
        selection=flat.selection,
    )
    flat.fit(X, y, sample_weight=weight)
    by_hand.fit(X, y, sample_weight=weight)
    assert_same(flat, by_hand)
    assert flat.decision_rule_["threshold"] == by_hand.best_threshold_


@pytest.mark.parametrize("cv", [3, 0.4])
def test_it_equals_the_nest_with_seeds_and_folds(cv):
    flat = aware(TREE, cv=cv, random_state=3).fit(X, y)
    by_hand = OptimalThresholdClassifierCV(
        corrected(TREE, cv=cv, random_state=3),
        selection=flat.selection,
        random_state=3,
    )
    assert_same(flat, by_hand.fit(X, y))


def test_a_number_and_no_threshold_equal_their_nests():
    fixed = FixedThresholdClassifier(corrected(target_prior=0.05), threshold=0.2)
    assert_same(aware(target_prior=0.05, threshold=0.2).fit(X, y), fixed.fit(X, y))
    greatest = corrected(target_prior=0.05).fit(X, y)
    assert_same(aware(target_prior=0.05, threshold=None).fit(X, y), greatest)


class Counted(LogisticRegression):
    """Remembers how many fits there were."""

    fits = []

    def fit(self, X, y, sample_weight=None):
        self.fits.append(len(y))
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("threshold", ["tune", 0.3, None])
def test_each_fold_is_trained_once(threshold):
    Counted.fits.clear()
    aware(Counted(), cv=4, threshold=threshold).fit(X, y)
    assert sorted(Counted.fits) == [1125] * 4 + [1500]


def test_a_cv_of_the_thresholds_own_nests():
    Counted.fits.clear()
    nested = OptimalThresholdClassifierCV(corrected(Counted(), cv=2), cv=3)
    nested.fit(X, y)
    assert len(Counted.fits) == (2 + 1) * (3 + 1)


def test_the_threshold_is_chosen_on_cross_fitted_probabilities():
    model = OptimalThresholdClassifierCV(
        corrected(target_prior=0.05), store_cv_results=True
    ).fit(X, y)
    kept = model.estimator_.estimator_.out_of_fold_
    prior = model.estimator_.source_prior_
    moved = correct_proba(kept.scores, prior, 0.05)
    np.testing.assert_allclose(model.out_of_fold_.scores, moved, rtol=1e-12)
    folds = [kept.fold == fold for fold in range(5)]
    scores = [
        metric_function("balanced_accuracy")(
            *_counts(kept.class_numbers[fold], moved[fold, 1] >= model.best_threshold_)
        )
        for fold in folds
    ]
    assert model.apparent_score_ == pytest.approx(np.mean(scores))


def _counts(labels, predicted):
    return (
        (labels & predicted).sum(),
        ((1 - labels) & predicted).sum(),
        (labels & ~predicted).sum(),
        ((1 - labels) & ~predicted).sum(),
    )


def test_a_training_prior_given_to_the_correction_counts_out_of_fold_too():
    calibrated = CalibratedLogitsClassifierCV(LOGISTIC)
    told = PriorCorrectedClassifier(calibrated, training_prior=0.3, target_prior=0.05)
    model = OptimalThresholdClassifierCV(told).fit(X, y)
    kept = model.estimator_.estimator_.out_of_fold_
    np.testing.assert_allclose(
        model.out_of_fold_.scores, correct_proba(kept.scores, 0.3, 0.05), rtol=1e-12
    )


def test_a_threshold_directly_around_a_calibration_shares_its_folds():
    Counted.fits.clear()
    calibrated = CalibratedLogitsClassifierCV(Counted(), cv=3)
    model = OptimalThresholdClassifierCV(calibrated).fit(X, y)
    assert len(Counted.fits) == 4
    np.testing.assert_array_equal(
        model.out_of_fold_.scores, model.estimator_.out_of_fold_.scores
    )


def test_a_fitted_or_frozen_calibration_is_tuned_on_the_rows_given():
    fitted = corrected().fit(X[:700], y[:700])
    prefit = OptimalThresholdClassifierCV(fitted, cv="prefit").fit(X[700:], y[700:])
    assert len(prefit.out_of_fold_.rows) == 800
    frozen = OptimalThresholdClassifierCV(FrozenEstimator(fitted))
    frozen.fit(X[700:], y[700:])
    np.testing.assert_allclose(
        frozen.predict_proba(X), prefit.predict_proba(X), rtol=1e-12
    )


@EVERY_METHOD
def test_setting_the_target_prior_equals_fitting_with_it(method):
    moved = aware(calibration=method, scoring="f1").fit(X, y).set_target_prior(0.01)
    fitted = aware(calibration=method, scoring="f1", target_prior=0.01).fit(X, y)
    assert_same(moved, fitted)
    moved.set_target_prior("empirical")
    assert_same(moved, aware(calibration=method, scoring="f1").fit(X, y))


@pytest.mark.parametrize("threshold", [0.3, None])
def test_setting_the_target_prior_leaves_calibration_and_given_threshold(threshold):
    moved = aware(threshold=threshold).fit(X, y).set_target_prior(0.01)
    assert_same(moved, aware(threshold=threshold, target_prior=0.01).fit(X, y))


@EVERY_METHOD
@pytest.mark.parametrize("threshold", ["tune", 0.3, None])
def test_the_decision_rule_is_plain_and_says_all_that_is_done(method, threshold):
    flat = aware(calibration=method, target_prior=0.01, threshold=threshold)
    rule = json.loads(json.dumps(flat.fit(X, y).decision_rule_))
    assert rule == flat.decision_rule_
    inner = ClassWeightedClassifier(LOGISTIC).fit(X, y)
    calibration, log_proba = rule["calibration"], inner.predict_log_proba(X)
    steps = [rule["training_prior"], calibration["prior"], rule["target_prior"]]
    np.testing.assert_allclose(steps[0], [0.5, 0.5])
    for place, (source, target) in enumerate(pairwise(steps)):
        log_proba = correct_log_proba(log_proba, source, target)
        if place == 0:
            log_proba = Calibration.from_dict(calibration).apply(log_proba)
    np.testing.assert_allclose(log_proba, flat.predict_log_proba(X), atol=1e-9)


def test_without_calibration_the_rule_says_none():
    assert aware(calibration=None).fit(X, y).decision_rule_["calibration"] is None


def test_three_classes_are_calibrated_and_decided():
    labels = (X[:, 2] > 0) + y
    flat = aware(TREE, threshold=None, random_state=0).fit(X, labels)
    plain = aware(TREE, calibration=None, threshold=None, random_state=0)
    plain.fit(X, labels)
    new_X, new_y = imbalanced(5000, seed=1)
    new = (new_X[:, 2] > 0) + new_y
    assert log_loss(new, flat.predict_proba(new_X)) < log_loss(
        new, plain.predict_proba(new_X)
    )


def test_results_do_not_depend_on_n_jobs_and_repeat_with_a_seed():
    one = aware(TREE, random_state=3).fit(X, y)
    with joblib.parallel_config(backend="threading"):
        two = aware(TREE, random_state=3, n_jobs=2).fit(X, y)
    assert_same(one, two)
    assert one.decision_rule_ == two.decision_rule_


@pytest.mark.parametrize("threshold", ["tune", 0.3, None])
def test_groups_reach_the_splitter_with_and_without_routing(threshold):
    groups = np.arange(len(y)) % 10
    flat = aware(cv=GroupKFold(5), threshold=threshold)
    without = clone(flat).fit(X, y, groups=groups)
    with config_context(enable_metadata_routing=True):
        routed = clone(flat).fit(X, y, groups=groups)
    assert routed.decision_rule_ == without.decision_rule_
    stratified = aware(cv=StratifiedKFold(5), threshold=threshold).fit(X, y)
    assert stratified.decision_rule_ != without.decision_rule_


def test_a_frozen_estimator_is_calibrated_and_not_trained_again():
    fitted = clone(LOGISTIC).fit(X[:500], y[:500])
    flat = aware(FrozenEstimator(fitted), class_weight=None).fit(X[500:], y[500:])
    order = np.argsort(fitted.predict_proba(X)[:, 1])
    assert (np.diff(flat.predict_proba(X)[order, 1]) >= 0).all()


def test_calibration_can_be_searched():
    grid = {
        "calibration": [None, *calibration_methods()],
        "threshold": ["tune", None],
    }
    search = GridSearchCV(
        aware(TREE, random_state=0), grid, scoring="neg_log_loss", cv=3
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["calibration"] is not None
