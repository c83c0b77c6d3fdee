"""Ensembles: what members have of their own, what they have in common, the average."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    NetworkEnsembleClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from sklimb.exceptions import DoubleBalancingWarning, TrainingPriorError
from tests.data import imbalanced
from tests.resampling_fakes import FakeNetwork

X, y = imbalanced()
THREE = np.digitize(X[:, 0], [-0.5, 1.2])
NEGATIVES, POSITIVES = np.bincount(y)
LOGISTIC = LogisticRegression()
TREE = DecisionTreeClassifier(max_features=1, max_depth=4)
WEIGHT = np.random.default_rng(1).random(len(y)) + 0.5


def ensemble(estimator=TREE, **parameters):
    parameters = {"n_estimators": 3, "random_state": 0, **parameters}
    return NetworkEnsembleClassifier(estimator, **parameters)


def probas(model, rows=X):
    return np.array([member.predict_proba(rows) for member in model.estimators_])


def seen(**parameters):
    """Fit networks that remember their rows, and return these."""
    model = ensemble(FakeNetwork(), **parameters).fit(X, y, sample_weight=WEIGHT)
    return [member.data_ for member in model.estimators_]


# The average


@pytest.mark.parametrize("labels", [y, THREE], ids=["two", "three"])
def test_probabilities_are_the_mean_of_the_members(labels):
    model = ensemble().fit(X, labels)
    expected = probas(model).mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))


@pytest.mark.parametrize("labels", [y, THREE], ids=["two", "three"])
def test_log_probabilities_are_averaged_and_scaled_to_sum_to_one(labels):
    model = ensemble(LOGISTIC, resample="bootstrap", average="log_proba")
    logs = np.log(probas(model.fit(X, labels))).mean(axis=0)
    expected = log_softmax(logs, axis=1)
    np.testing.assert_allclose(model.predict_log_proba(X), expected, atol=1e-9)


def test_members_that_exclude_each_other_leave_a_finite_average():
    deep = DecisionTreeClassifier()  # probabilities of 0 and 1 alone
    model = ensemble(deep, resample="bootstrap", average="log_proba").fit(X, y)
    assert np.isfinite(model.predict_log_proba(X)).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_the_decision_function_is_the_log_odds_of_the_average():
    model = ensemble(LOGISTIC, resample="under").fit(X, y)
    proba = model.predict_proba(X)
    expected = np.log(proba[:, 1]) - np.log(proba[:, 0])
    np.testing.assert_allclose(model.decision_function(X), expected, atol=1e-9)
    assert not hasattr(ensemble(TREE).fit(X, y), "decision_function")


def test_the_log_loss_of_the_average_is_below_the_mean_of_the_members():
    rows, labels = imbalanced(seed=1)
    model = ensemble(n_estimators=8).fit(X, y)
    losses = [log_loss(labels, proba) for proba in probas(model, rows)]
    assert log_loss(labels, model.predict_proba(rows)) < np.mean(losses)


def test_disagreement_is_the_standard_deviation_of_the_members():
    model = ensemble().fit(X, y)
    expected = probas(model).std(axis=0)
    np.testing.assert_allclose(model.predict_proba_std(X), expected, atol=1e-12)
    assert model.predict_proba_std(X[:5]).shape == (5, 2)
    assert ensemble(LOGISTIC).fit(X, y).predict_proba_std(X).max() < 1e-12


# Seeds


def test_an_ensemble_of_one_is_the_estimator():
    alone = clone(TREE).set_params(random_state=7)
    model = ensemble(alone, n_estimators=1).fit(X, y)
    np.testing.assert_allclose(
        model.predict_proba(X), alone.fit(X, y).predict_proba(X), atol=1e-12
    )


def test_a_member_is_what_its_clone_gives_alone():
    member = ensemble().fit(X, y).estimators_[2]
    again = clone(member).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), member.predict_proba(X))


@pytest.mark.parametrize("resample", [None, "under", "bootstrap"])
def test_more_members_leave_the_first_ones_as_they_are(resample):
    few = ensemble(resample=resample, n_estimators=2).fit(X, y)
    many = ensemble(resample=resample, n_estimators=4).fit(X, y)
    np.testing.assert_array_equal(probas(few), probas(many)[:2])


@pytest.mark.parametrize("seed", [None, 7, np.random.RandomState(7)])
def test_members_differ_in_every_seed_inside(seed):
    tree = clone(TREE).set_params(random_state=seed)
    nest = make_pipeline(StandardScaler(), ResampledClassifier(tree))
    members = ensemble(nest, random_state=3).fit(X, y).estimators_
    names = ("random_state", "estimator__random_state")
    for name in names:
        seeds = [member[-1].get_params()[name] for member in members]
        assert len(set(seeds)) == 3
    assert len({proba.tobytes() for proba in probas(ensemble(nest).fit(X, y))}) == 3


def test_seeds_that_are_set_stay_whatever_the_ensembles_own_is():
    tree = clone(TREE).set_params(random_state=7)
    models = [ensemble(tree, random_state=seed).fit(X, y) for seed in (0, 1)]
    np.testing.assert_array_equal(*map(probas, models))
    assert models[0].estimators_[0].random_state == 7


@pytest.mark.parametrize("resample", [None, "under", "bootstrap"])
def test_the_same_seed_gives_the_same_with_any_number_of_jobs(resample):
    def proba(n_jobs, seed=0):
        model = ensemble(resample=resample, n_jobs=n_jobs, random_state=seed)
        return model.fit(X, y).predict_proba(X)

    np.testing.assert_array_equal(proba(1), proba(2))
    assert (proba(1) != proba(1, seed=1)).any()


def test_without_a_seed_members_differ_all_the_same():
    model = ensemble(random_state=None).fit(X, y)
    assert len({member.random_state for member in model.estimators_}) == 3
    assert (model.predict_proba_std(X) > 0).any()


# Rows


def test_under_gives_each_member_a_balanced_subset_of_its_own():
    parts = seen(resample="under")
    for data in parts:
        np.testing.assert_array_equal(np.bincount(data.y), POSITIVES)
        assert len(np.unique(data.row_numbers)) == len(data.y)
        np.testing.assert_array_equal(data.sample_weight, WEIGHT[data.row_numbers])
    used = np.unique(np.concatenate([data.row_numbers for data in parts]))
    assert len(used) > 2.5 * POSITIVES


def test_under_is_undersampling_inside():
    model = ensemble(LOGISTIC, resample="under").fit(X, y)
    inside = ensemble(ResampledClassifier(LOGISTIC, sampler="under")).fit(X, y)
    np.testing.assert_array_equal(model.training_prior_, inside.training_prior_)
    np.testing.assert_allclose(
        model.predict_proba(X), inside.predict_proba(X), atol=0.1
    )


def test_bootstrap_draws_each_class_with_replacement():
    parts = seen(resample="bootstrap")
    for data in parts:
        np.testing.assert_array_equal(np.bincount(data.y), [NEGATIVES, POSITIVES])
        share = len(np.unique(data.row_numbers)) / len(y)
        assert 0.6 < share < 0.67  # 1 - 1/e
        np.testing.assert_array_equal(data.y, y[data.row_numbers])
    assert (parts[0].row_numbers != parts[1].row_numbers).any()


def test_all_rows_are_not_copied():
    assert all(data.source is X and data.rows is None for data in seen())


@pytest.mark.parametrize("resample", ["under", "bootstrap"])
def test_validation_rows_are_held_out_before_any_are_drawn(resample):
    for outer in (lambda e: e, ClassWeightedClassifier):
        network = outer(FakeNetwork(validation_fraction=0.2))
        model = ensemble(network, resample=resample)
        for member in model.fit(X, y, groups=np.arange(len(y)) // 3).estimators_:
            data = getattr(member, "estimator_", member).data_
            groups, held_out = data.row_numbers // 3, data.validation.row_numbers // 3
            assert (groups % 5 != 0).all()
            np.testing.assert_array_equal(np.unique(held_out), np.arange(0, 500, 5))


def test_a_row_of_weight_zero_is_a_row_removed():
    weight = np.arange(len(y)) % 3 > 0
    model = ensemble(resample="under").fit(X, y, sample_weight=weight)
    without = ensemble(resample="under").fit(X[weight], y[weight])
    np.testing.assert_allclose(probas(model), probas(without), atol=1e-12)


# Ledger


@pytest.mark.parametrize("resample", [None, "bootstrap"])
def test_members_of_natural_rows_are_at_their_prior(resample):
    model = ensemble(resample=resample).fit(X, y)
    np.testing.assert_array_equal(model.training_prior_, model.empirical_prior_)


@pytest.mark.parametrize(
    "balanced",
    [
        ensemble(LOGISTIC, resample="under", n_estimators=8),
        ensemble(ClassWeightedClassifier(LOGISTIC), resample="bootstrap"),
        ensemble(ResampledClassifier(LOGISTIC, sampler="under"), n_estimators=8),
        ClassWeightedClassifier(ensemble(LOGISTIC, resample="bootstrap")),
        ResampledClassifier(ensemble(LOGISTIC, resample="bootstrap")),
        ensemble(make_pipeline(StandardScaler(), LOGISTIC), resample="under"),
    ],
    ids=lambda model: f"{type(model).__name__}",
)
def test_balanced_inside_or_outside_correction_makes_probabilities_honest(balanced):
    np.testing.assert_allclose(clone(balanced).fit(X, y).training_prior_, [0.5, 0.5])
    honest = PriorCorrectedClassifier(balanced).fit(X, y)
    assert abs(honest.predict_proba(X)[:, 1].mean() - y.mean()) < 0.02


def test_members_that_correct_are_not_corrected_twice():
    inside = ensemble(
        PriorCorrectedClassifier(LOGISTIC, target_prior=0.01), resample="bootstrap"
    ).fit(X, y)
    np.testing.assert_allclose(inside.training_prior_, [0.99, 0.01])
    np.testing.assert_array_equal(inside.target_prior_, inside.training_prior_)
    again = PriorCorrectedClassifier(inside, target_prior=0.01).fit(X, y)
    np.testing.assert_allclose(again.predict_proba(X), inside.predict_proba(X))
    assert not hasattr(ensemble(LOGISTIC).fit(X, y), "target_prior_")


def test_members_at_different_priors_are_taken_to_their_mean_first():
    heavy = np.where(np.arange(len(y)) % 10, 1.0, 50.0)  # where these rows fall counts
    model = ensemble(LOGISTIC, resample="under", random_state=1)
    model.fit(X, y, sample_weight=heavy)
    corrected = [
        PriorCorrectedClassifier(
            FrozenEstimator(member),
            training_prior=prior,
            target_prior=model.training_prior_,
        ).fit(X, y)
        for member, prior in zip(model.estimators_, model._priors(), strict=True)
    ]
    assert np.ptp(model._priors(), axis=0).min() > 0.01
    expected = np.mean([member.predict_proba(X) for member in corrected], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_allclose(model.training_prior_, np.mean(model._priors(), axis=0))


def test_what_balances_silently_inside_is_not_guessed():
    silent = ensemble(LogisticRegression(class_weight="balanced"), resample="bootstrap")
    expected = probas(silent.fit(X, y, sample_weight=WEIGHT)).mean(axis=0)
    np.testing.assert_allclose(silent.predict_proba(X), expected, atol=1e-12)
    with pytest.raises(AttributeError, match="Give `training_prior`"):
        _ = silent.training_prior_
    with pytest.raises(TrainingPriorError):
        PriorCorrectedClassifier(silent).fit(X, y)


@pytest.mark.parametrize(
    "model",
    [
        ensemble(ClassWeightedClassifier(LOGISTIC, class_weight=0.9), resample="under"),
        ClassWeightedClassifier(ensemble(LOGISTIC, resample="under"), class_weight=0.9),
    ],
    ids=["weights inside", "weights outside"],
)
def test_balancing_twice_is_told(model):
    with pytest.warns(DoubleBalancingWarning, match="`resample`='under'"):
        model.fit(X, y)


# In nests


@pytest.mark.parametrize(
    "outer", [CalibratedLogitsClassifierCV, OptimalThresholdClassifierCV]
)
def test_layers_around_an_ensemble_fit_it_out_of_fold(outer):
    model = outer(ensemble(resample="bootstrap")).fit(X, y)
    assert len(model.estimator_.estimators_) == 3
    inside = cross_val_predict(model.estimator_, X, y, cv=5, method="predict_proba")
    assert np.corrcoef(model.out_of_fold_.scores[:, 1], inside[:, 1])[0, 1] > 0.8


def test_layers_inside_of_an_ensemble_are_fitted_for_each_member():
    model = ensemble(CalibratedLogitsClassifierCV(TREE), n_estimators=2).fit(X, y)
    first, second = model.estimators_
    assert first.calibration_.scale != second.calibration_.scale
    tuned = ensemble(OptimalThresholdClassifierCV(TREE), n_estimators=2).fit(X, y)
    expected = probas(tuned).mean(axis=0)
    np.testing.assert_allclose(tuned.predict_proba(X), expected, atol=1e-12)


def test_every_parameter_can_be_searched():
    grid = {
        "n_estimators": [1, 2],
        "resample": [None, "under", "bootstrap"],
        "average": ["proba", "log_proba"],
        "estimator__max_depth": [2, 4],
    }
    search = GridSearchCV(ensemble(), grid, scoring="neg_log_loss", cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_metadata_reaches_the_members():
    class Noting(LogisticRegression):
        def fit(self, X, y, sample_weight=None, note=None):
            self.note_ = note
            return super().fit(X, y, sample_weight)

    note = np.arange(len(y))
    with config_context(enable_metadata_routing=True):
        inner = Noting().set_fit_request(note=True)
        model = ensemble(inner, resample="under").fit(X, y, note=note)
    for member in model.estimators_:
        assert len(member.note_) == 2 * POSITIVES


def test_names_of_features_and_labels_of_any_type_stay():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = ensemble().fit(frame, np.array(["no", "yes"])[y])
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert set(model.predict(frame)) <= {"no", "yes"}


def test_it_survives_pickling_and_cloning():
    model = ensemble(resample="under").fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    refitted = clone(model).fit(X, y)
    np.testing.assert_array_equal(refitted.predict_proba(X), model.predict_proba(X))


# Errors


@pytest.mark.parametrize(
    ("estimator", "parameters", "exception", "message"),
    [
        (TREE, {"n_estimators": 0}, ValueError, "'n_estimators' parameter"),
        (TREE, {"resample": "over"}, ValueError, "'resample' parameter"),
        (TREE, {"average": "vote"}, ValueError, "'average' parameter"),
        (FrozenEstimator(LOGISTIC.fit(X, y)), {}, ValueError, "`estimator` is frozen"),
        (LinearSVC(), {}, TypeError, "`estimator`=LinearSVC has no predict_proba"),
        (SGDClassifier(), {}, TypeError, "`estimator`=SGDClassifier has no predict"),
    ],
)
def test_bad_input_is_a_clear_error_and_leaves_nothing(
    estimator, parameters, exception, message
):
    model = ensemble(estimator, **parameters)
    with pytest.raises(exception, match=message):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_a_class_without_weight_is_told():
    weight = np.ones(len(y))
    with pytest.raises(ValueError, match="`sample_weight` is zero for every row"):
        ensemble(resample="under").fit(X, y, sample_weight=weight * (y == 0))
