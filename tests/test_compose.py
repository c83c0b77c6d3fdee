"""The flat class is the nest written by hand, with names that can be searched."""

import json
import os
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn import model_selection as sk
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    NetworkEnsembleClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from sklimb.exceptions import DoubleBalancingWarning
from tests.data import imbalanced

X, y = imbalanced()
LOGISTIC = LogisticRegression()


def aware(**parameters):
    return ImbalanceAwareClassifier(LOGISTIC, **parameters)


def nest(class_weight="balanced", target_prior="empirical", **parameters):
    weighted = ClassWeightedClassifier(LOGISTIC, class_weight=class_weight)
    corrected = PriorCorrectedClassifier(weighted, target_prior=target_prior)
    selection = aware().selection  # its default is another
    return OptimalThresholdClassifierCV(corrected, selection=selection, **parameters)


@pytest.mark.parametrize("target_prior", ["empirical", 0.01])
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, len(y))])
def test_it_equals_the_nest_written_by_hand(target_prior, weight):
    flat = aware(class_weight="balanced", target_prior=target_prior, scoring="f1")
    by_hand = nest(target_prior=target_prior, scoring="f1")
    flat.fit(X, y, sample_weight=weight)
    by_hand.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(flat.predict(X), by_hand.predict(X))
    np.testing.assert_array_equal(flat.predict_proba(X), by_hand.predict_proba(X))
    assert flat.decision_rule_["threshold"] == by_hand.best_threshold_


@pytest.mark.parametrize("calibration", [None, "temperature"])
def test_an_ensemble_stands_between_sampler_and_calibration(calibration):
    tree = DecisionTreeClassifier(max_depth=3, max_features=1, random_state=0)
    flat = ImbalanceAwareClassifier(
        tree,
        class_weight={0: 1, 1: 2},
        sampler="under",
        sampling_prior=0.2,
        calibration=calibration,
        n_estimators=3,
        target_prior=0.05,
        random_state=0,
    ).fit(X, y)
    sampled = ResampledClassifier(
        tree, sampler="under", sampling_prior=0.2, random_state=0
    )
    weighted = ClassWeightedClassifier(sampled, class_weight={0: 1, 1: 2})
    inner = NetworkEnsembleClassifier(weighted, n_estimators=3, random_state=0)
    if calibration is not None:
        inner = CalibratedLogitsClassifierCV(inner, method=calibration, random_state=0)
    by_hand = OptimalThresholdClassifierCV(
        PriorCorrectedClassifier(inner, target_prior=0.05),
        selection=flat.selection,
        random_state=0,
    ).fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X), by_hand.predict_proba(X))
    np.testing.assert_array_equal(flat.predict(X), by_hand.predict(X))


def test_an_ensemble_of_one_is_none():
    flat = aware(n_estimators=1, threshold=None).fit(X, y)
    assert isinstance(flat.estimator_.estimator_, LogisticRegression)


def test_a_number_equals_sklearns_fixed_threshold_around_the_correction():
    corrected = PriorCorrectedClassifier(
        ClassWeightedClassifier(LOGISTIC), target_prior=0.05
    )
    by_hand = sk.FixedThresholdClassifier(corrected, threshold=0.2).fit(X, y)
    flat = aware(class_weight="balanced", target_prior=0.05, threshold=0.2).fit(X, y)
    np.testing.assert_array_equal(flat.predict(X), by_hand.predict(X))
    np.testing.assert_array_equal(flat.predict_proba(X), by_hand.predict_proba(X))


def test_threshold_of_half_reproduces_the_estimators_predict():
    flat = aware(threshold=0.5).fit(X, y)
    np.testing.assert_array_equal(flat.predict(X), clone(LOGISTIC).fit(X, y).predict(X))


def test_no_threshold_is_the_class_of_the_greatest_corrected_probability():
    labels = np.digitize(X[:, 0], [-0.5, 1.2])
    flat = aware(class_weight="balanced", threshold=None).fit(X, labels)
    expected = PriorCorrectedClassifier(ClassWeightedClassifier(LOGISTIC))
    np.testing.assert_array_equal(flat.predict(X), expected.fit(X, labels).predict(X))


def test_every_flat_parameter_can_be_searched_in_a_pipeline():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", aware())])
    search = GridSearchCV(
        pipeline,
        {
            "clf__class_weight": [None, "balanced", {0: 1, 1: 20}],
            "clf__threshold": [0.1, 0.3, "tune", None],
            "clf__target_prior": ["empirical", 0.01],
            "clf__estimator__C": [1.0],
        },
        scoring=["average_precision", "f1", "neg_log_loss"],
        refit="f1",
        cv=3,
    ).fit(X, y)
    for name in ("average_precision", "f1", "neg_log_loss"):
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()


def test_cross_validation_with_scorers_of_ones_own():
    scorer = make_scorer(fbeta_score, beta=2)
    assert np.isfinite(cross_val_score(aware(), X, y, scoring=scorer)).all()
    scores = cross_validate(aware(), X, y, scoring=["roc_auc", "balanced_accuracy"])
    assert np.isfinite(scores["test_roc_auc"]).all()


def test_setting_the_target_prior_moves_probabilities_and_threshold():
    moved = aware(class_weight="balanced", scoring="f1").fit(X, y)
    moved.set_target_prior(0.01)
    fitted = aware(class_weight="balanced", scoring="f1", target_prior=0.01).fit(X, y)
    np.testing.assert_allclose(moved.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(moved.predict(X), fitted.predict(X))
    np.testing.assert_allclose(moved.target_prior_, [0.99, 0.01])


@pytest.mark.parametrize("threshold", [0.3, None])
def test_setting_the_target_prior_leaves_a_given_threshold(threshold):
    moved = aware(threshold=threshold).fit(X, y).set_target_prior(0.01)
    fitted = aware(threshold=threshold, target_prior=0.01).fit(X, y)
    np.testing.assert_array_equal(moved.predict(X), fitted.predict(X))


def test_probabilities_belong_to_the_target_prior():
    flat = aware(class_weight="balanced", target_prior=0.01).fit(X, y)
    np.testing.assert_allclose(flat.training_prior_, [0.99, 0.01])
    again = PriorCorrectedClassifier(FrozenEstimator(flat), target_prior=0.01)
    np.testing.assert_allclose(
        again.fit(X, y).predict_proba(X), flat.predict_proba(X), rtol=1e-9
    )


@pytest.mark.parametrize("threshold", ["tune", 0.3, None])
def test_the_decision_rule_is_plain_values(threshold):
    flat = aware(class_weight="balanced", target_prior=0.01, threshold=threshold)
    rule = flat.fit(X, y).decision_rule_
    assert json.loads(json.dumps(rule)) == rule
    assert rule["classes"] == [0, 1]
    assert rule["training_prior"] == pytest.approx([0.5, 0.5])
    assert rule["target_prior"] == pytest.approx([0.99, 0.01])


def test_a_frozen_estimator_is_not_trained_again():
    fitted = clone(LOGISTIC).fit(X[:500], y[:500])
    flat = ImbalanceAwareClassifier(FrozenEstimator(fitted)).fit(X[500:], y[500:])
    plain = fitted.decision_function(X)
    ours = flat.estimator_.estimator_.decision_function(X)
    np.testing.assert_allclose(ours, plain, atol=1e-9)


def test_groups_reach_the_splitter_with_and_without_routing():
    groups = np.arange(len(y)) % 10
    without = aware(cv=GroupKFold(5)).fit(X, y, groups=groups)
    with config_context(enable_metadata_routing=True):
        routed = aware(cv=GroupKFold(5)).fit(X, y, groups=groups)
    assert routed.decision_rule_ == without.decision_rule_


@pytest.mark.parametrize("threshold", ["tune", 0.3, None])
def test_weights_pass_a_routed_search_down_to_a_pipelines_last_step(threshold):
    inner = make_pipeline(StandardScaler(), LOGISTIC)
    weight = np.random.default_rng(0).random(len(y))
    flat = ImbalanceAwareClassifier(inner, threshold=threshold)
    expected = clone(flat).fit(X, y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        flat.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(flat, {"class_weight": [None]})
        search.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(search.predict_proba(X), expected.predict_proba(X))


def test_frames_keep_their_column_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    flat = aware().fit(frame, y)
    assert flat.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(flat.predict(frame), aware().fit(X, y).predict(X))


def test_polars_frames_and_categories_work():
    pl, pd = pytest.importorskip("polars"), pytest.importorskip("pandas")
    labels = pd.Series(np.array(["no", "yes"])[y], dtype="category")
    frame = pl.DataFrame(X, schema=["a", "b", "c"])
    flat = aware(pos_label="yes").fit(frame, labels)
    np.testing.assert_array_equal(
        flat.predict(frame) == "yes", aware().fit(X, y).predict(X) == 1
    )


class Flattening(LogisticRegression):
    """A classifier of images."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X.reshape(len(X), -1), y, sample_weight)

    def predict_proba(self, X):
        return super().predict_proba(X.reshape(len(X), -1))


def test_rows_may_have_any_number_of_axes():
    images = np.repeat(X, 4, axis=1).reshape(len(X), 3, 2, 2)
    flat = ImbalanceAwareClassifier(Flattening(), class_weight="balanced")
    assert flat.fit(images, y).predict(images).shape == y.shape


@pytest.mark.parametrize("sampler", ["over", "under"])
def test_the_flat_class_equals_the_nest_by_hand(sampler):
    shares = {"sampler": sampler, "sampling_prior": 0.2, "random_state": 3}
    flat = ImbalanceAwareClassifier(
        LOGISTIC, class_weight={1: 2}, **shares, target_prior=0.05, scoring="f1"
    )
    nest = ClassWeightedClassifier(
        ResampledClassifier(LOGISTIC, **shares), class_weight={1: 2}
    )
    nest = OptimalThresholdClassifierCV(
        PriorCorrectedClassifier(nest, target_prior=0.05),
        scoring="f1",
        selection=flat.selection,
        random_state=3,
    )
    weight = np.random.default_rng(1).random(len(y)) + 0.5
    flat.fit(X, y, sample_weight=weight)
    nest.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(flat.predict_proba(X), nest.predict_proba(X))
    assert flat.decision_rule_["threshold"] == nest.best_threshold_
    assert flat.decision_rule_["target_prior"] == pytest.approx([0.95, 0.05])


def test_without_a_sampler_shares_to_sample_change_nothing():
    plain = ImbalanceAwareClassifier(LOGISTIC).fit(X, y)
    ignored = ImbalanceAwareClassifier(LOGISTIC, sampling_prior=0.3).fit(X, y)
    np.testing.assert_array_equal(plain.predict_proba(X), ignored.predict_proba(X))


@pytest.mark.skipif("SKLIMB_DATA" not in os.environ, reason="SKLIMB_DATA is not set")
def test_samplers_shares_and_weights_are_searched_together_on_real_rows():
    pd = pytest.importorskip("pandas")
    from imblearn.over_sampling import SMOTE

    table = pd.read_csv(f"{os.environ['SKLIMB_DATA']}/mammography.csv.gz")
    labels = table.pop("target")
    aware = ImbalanceAwareClassifier(
        LOGISTIC, sampler="over", threshold=0.5, random_state=0
    )
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", aware)])
    grid = {
        "clf__sampler": [None, "over", "under", SMOTE()],
        "clf__sampling_prior": ["uniform", 0.2],
        "clf__class_weight": [None, {1: 2}],
    }
    search = GridSearchCV(pipeline, grid, scoring="neg_log_loss", cv=3)
    with pytest.warns(DoubleBalancingWarning):  # halves and weights of 2
        search.fit(table, labels)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores.min() > -0.1  # all are at the rows' own prior
    assert search.predict(table).any()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_every_fold_warns_of_is_told_once(n_jobs):
    both = aware(class_weight="balanced", sampler="over", n_jobs=n_jobs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        both.fit(X, y)
    assert [w.category for w in caught] == [DoubleBalancingWarning]
