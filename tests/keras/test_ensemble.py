"""Ensembles of networks: one program to train, one compiled model to predict."""

import copy
import logging
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    NetworkEnsembleClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from sklimb.keras import KerasClassifier, export, load
from sklimb.keras.pool import default_pool
from tests.keras.networks import logistic, mlp

RANDOM = np.random.default_rng(0)
y = (np.arange(4000) % 10 == 0).astype(int)
X = (RANDOM.normal(size=(4000, 4)) + y[:, None]).astype(np.float32)
NETWORK = KerasClassifier(mlp, epochs=2, batch_size=16, random_state=0)


def ensemble(estimator=NETWORK, n_estimators=3, **parameters):
    return NetworkEnsembleClassifier(
        estimator, n_estimators=n_estimators, random_state=0, **parameters
    )


@pytest.fixture(scope="module")
def fitted():
    return ensemble().fit(X, y)


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "sklimb.keras.replica_fit")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("resample", [None, "under", "bootstrap"])
def test_members_with_random_layers_are_one_program(resample, told):
    n = {"under": 12}.get(resample, 3)  # a tenth of the steps
    model = ensemble(resample=resample, n_estimators=n).fit(X, y)
    assert told() == [f"{n} as replicas."]
    assert len({m.predict_proba(X[:1]).tobytes() for m in model.estimators_}) == n


def test_members_are_one_program_inside_of_weights_and_samplers(told):
    nest = PriorCorrectedClassifier(
        ClassWeightedClassifier(
            ResampledClassifier(NETWORK, sampling_prior=0.3), class_weight={0: 1, 1: 2}
        )
    )
    ensemble(nest, n_estimators=2).fit(X, y)
    assert told() == ["2 as replicas."]


def test_members_of_all_folds_are_trained_together(told):
    tuned = OptimalThresholdClassifierCV(ensemble(n_estimators=2), cv=3).fit(X, y)
    assert told() == ["8 as replicas."]
    assert len(tuned.estimator_.estimators_) == 2


def test_a_member_is_what_its_clone_gives_alone():
    network = KerasClassifier(logistic, epochs=5, batch_size=16, random_state=0)
    member = ensemble(network).fit(X, y).estimators_[2]
    again = clone(member).fit(X, y)
    np.testing.assert_allclose(
        again.predict_proba(X), member.predict_proba(X), atol=1e-5
    )


def test_the_average_is_that_of_the_members(fitted):
    expected = np.mean([m.predict_proba(X) for m in fitted.estimators_], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(X), expected, atol=1e-6)


def test_one_compiled_model_serves_all_members(fitted):
    default_pool.clear()
    for _ in range(2):
        fitted.predict_proba(X)
        assert len(default_pool) == 1
        assert all(member._rests for member in fitted.estimators_)


def test_an_exported_ensemble_is_one_model_and_its_members_rest(fitted, tmp_path):
    folder = export(fitted, tmp_path / "exported")
    assert all(member._rests for member in fitted.estimators_)
    exported = load(folder)
    np.testing.assert_allclose(
        exported.predict_log_proba(X), fitted.predict_log_proba(X), atol=1e-5
    )


def test_predicting_leaves_members_as_they_are(fitted):
    first = fitted.predict_proba(X)
    alone = [member.predict_proba(X) for member in fitted.estimators_]
    np.testing.assert_array_equal(fitted.predict_proba(X), first)
    for member, proba in zip(fitted.estimators_, alone, strict=True):
        np.testing.assert_array_equal(member.predict_proba(X), proba)


def test_threads_predict_side_by_side(fitted):
    expected = fitted.predict_proba(X)
    found = []

    def predict():
        found.extend(fitted.predict_proba(X) for _ in range(5))

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 15
    for proba in found:
        np.testing.assert_array_equal(proba, expected)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_and_pickles_predict_the_same(fitted, duplicate):
    expected = fitted.predict_proba(X)
    again = duplicate(fitted)
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    again.estimators_[1].model_.set_weights(
        [np.zeros_like(w) for w in again.estimators_[1].model_.get_weights()]
    )
    np.testing.assert_array_equal(fitted.predict_proba(X), expected)


def test_a_member_that_was_shown_keeps_its_model():
    model = ensemble(n_estimators=2).fit(X, y)
    expected = model.predict_proba(X)
    shown = model.estimators_[0].model_
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.estimators_[0].model_ is shown


def test_a_member_that_goes_on_training_starts_a_new_optimizer():
    model = ensemble(n_estimators=2).fit(X, y)
    model.predict_proba(X)
    first, second = model.estimators_
    before = second.predict_proba(X)
    first.predict_proba(X)  # awake
    first.partial_fit(X, y)
    assert first.model_.optimizer.iterations.numpy() == len(y) / 16
    np.testing.assert_array_equal(second.predict_proba(X), before)


def test_in_a_pipeline_inside_and_outside():
    inside = ensemble(make_pipeline(StandardScaler(), NETWORK), 2).fit(X, y)
    outside = make_pipeline(StandardScaler(), ensemble(n_estimators=2)).fit(X, y)
    np.testing.assert_allclose(
        inside.predict_proba(X), outside.predict_proba(X), atol=0.1
    )


def test_the_flat_class_is_the_nest_written_by_hand():
    flat = ImbalanceAwareClassifier(
        NETWORK,
        class_weight={0: 1, 1: 2},
        sampler="under",
        sampling_prior=0.2,
        calibration="temperature",
        n_estimators=2,
        target_prior=0.05,
        threshold=0.3,
        cv=2,
        random_state=0,
    ).fit(X, y)
    sampled = ResampledClassifier(
        NETWORK, sampler="under", sampling_prior=0.2, random_state=0
    )
    weighted = ClassWeightedClassifier(sampled, class_weight={0: 1, 1: 2})
    calibrated = CalibratedLogitsClassifierCV(
        ensemble(weighted, n_estimators=2), method="temperature", cv=2, random_state=0
    )
    by_hand = PriorCorrectedClassifier(calibrated, target_prior=0.05).fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X), by_hand.predict_proba(X))
