"""Many KerasClassifiers fitted at once, as if each were fitted alone."""

import logging

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler

from sklimb._fitting import fit_estimator
from sklimb._training_data import TrainingData
from sklimb.exceptions import NonFiniteModelError
from sklimb.keras import BalancedBatches, KerasClassifier
from sklimb.keras.replica_fit import fit_replicas
from tests.keras.networks import imbalanced, mlp, softmax_network

X, y = imbalanced()


@pytest.fixture(autouse=True)
def always_worth_a_program(monkeypatch):
    monkeypatch.setattr("sklimb.keras.replica_plan.STEPS_OF_TRACING", 0)


LABELS = np.array(["no", "yes"])[y]
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(y))
FOLDS = [np.flatnonzero(np.arange(len(y)) % 3 != k) for k in range(3)]


def build(meta, learning_rate=0.01):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(4, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
    return model


def data(weight=None, params=None):
    return TrainingData.check(X, LABELS, weight, params)


def parts(data, rows):
    return [data if index is None else data.take(index) for index in rows]


def network(**parameters):
    return KerasClassifier(build, **{"epochs": 2, "random_state": 0} | parameters)


def stops_early():
    return keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)


# The estimators of a call, and its data.
CALLS = {
    "folds": ([network()] * 3, data()),
    "class_weight": (
        [network(class_weight=w) for w in (None, "balanced", {"no": 1, "yes": 7})],
        data(WEIGHT),
    ),
    "settings": (
        [
            network(model__learning_rate=0.1, epochs=1),
            network(random_state=1, validation_split=0.2),
            network(shuffle=False, epochs=3),
        ],
        data(),
    ),
    "batches": (
        [network(batches=BalancedBatches(p), batch_size=20) for p in (0.5, 0.3, 0.2)],
        data(),
    ),
    "validation": (
        [
            network(
                validation_fraction=0.3,
                validation_weight=w,
                epochs=6,
                model__learning_rate=0.1,
                callbacks=[stops_early()],
            )
            for w in (None, "uniform", {"no": 0.3, "yes": 0.7})
        ],
        data(),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_fit_equals_the_estimators_own(name):
    estimators, rows = CALLS[name]
    fits = fit_replicas(list(map(clone, estimators)), parts(rows, FOLDS))
    for estimator, fit, fold in zip(estimators, fits, FOLDS, strict=True):
        alone = fit_estimator(clone(estimator), rows.take(fold))
        assert fit.reason is None
        together = fit.estimator
        assert (together.classes_ == alone.classes_).all()
        np.testing.assert_allclose(together.training_prior_, alone.training_prior_)
        np.testing.assert_allclose(
            together.predict_proba(X), alone.predict_proba(X), atol=1e-5
        )
        assert together.history_.keys() == alone.history_.keys()
        for metric, values in alone.history_.items():
            np.testing.assert_allclose(together.history_[metric], values, atol=1e-5)


def test_rows_held_out_before_resampling_are_validated_on():
    held_out = np.arange(60)
    rows = np.arange(60, len(y))
    whole = data()
    split = TrainingData.check(X[60:], LABELS[60:])
    split = split.__class__(
        X, rows, LABELS[rows], whole.classes, validation=whole.take(held_out)
    )
    fits = fit_replicas([network(), network()], [split, split.take(np.arange(200))])
    alone = fit_estimator(network(), split)
    np.testing.assert_allclose(
        fits[0].estimator.history_["val_loss"], alone.history_["val_loss"], rtol=1e-5
    )


def test_the_same_jobs_give_the_same_bits_with_random_layers():
    estimators = [KerasClassifier(mlp, random_state=0, epochs=2)] * 3
    first, second = (
        fit_replicas(list(map(clone, estimators)), parts(data(), FOLDS))
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        probabilities = one.estimator.predict_proba(X)
        assert (probabilities == other.estimator.predict_proba(X)).all()


def test_fitted_estimators_are_whole():
    fits = fit_replicas([network(), network()], parts(data(), FOLDS[:2]))
    one, other = (fit.estimator for fit in fits)
    before = other.predict_proba(X)
    one.partial_fit(X, LABELS)
    assert (other.predict_proba(X) == before).all()
    assert one.model_ is not other.model_


class OwnFit(KerasClassifier):
    def fit(self, X, y, **kwargs):
        return super().fit(X, y, **kwargs)


def convolutional(meta):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Reshape((-1, 1, 1)),
            keras.layers.Conv2D(2, (2, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def with_own_loss(meta):
    model = build(meta)
    model.compile("adam", lambda true, predicted: keras.ops.abs(true - predicted))
    return model


class Scaled(KerasClassifier):
    @property
    def feature_encoder(self):
        return MinMaxScaler()


REASONS = [
    (LogisticRegression(), "LogisticRegression is no KerasClassifier"),
    (OwnFit(build), "a `fit` of its own"),
    (Scaled(build), "feature encoder"),
    (network(warm_start=True), "goes on from an earlier fit"),
    (network(batches=BalancedBatches(augment=lambda X: X)), "`augment`"),
    (network(verbose=1), "arguments of its own"),
    (network(fit__initial_epoch=1), "arguments of its own"),
    (network(callbacks=[keras.callbacks.TerminateOnNaN()]), "TerminateOnNaN"),
    (KerasClassifier(convolutional), "loop invariant"),
    (KerasClassifier(with_own_loss), "not Keras's own"),
]


@pytest.mark.parametrize(("estimator", "reason"), REASONS)
def test_what_fit_has_to_do_is_told_once(estimator, reason, caplog, capfd):
    estimators = [clone(estimator), clone(estimator)]
    with caplog.at_level(logging.INFO, "sklimb"):
        fits = fit_replicas(estimators, parts(data(), FOLDS[:2]))
    for fit in fits:
        assert fit.estimator is None
        assert reason in fit.reason
    (record,) = caplog.records
    assert record.getMessage() == f"2 by keras.Model.fit: {fits[0].reason}."


def test_jobs_that_share_nothing_are_left_to_fit():
    estimators = [KerasClassifier(mlp, random_state=seed) for seed in (0, 1)]
    for fit in fit_replicas(estimators, parts(data(), FOLDS[:2])):
        assert fit.reason == "no other job can share a program with it"


def test_jobs_whose_rows_lack_a_class_are_apart():
    three = TrainingData.check(X, np.arange(len(y)) % 3)
    without = np.flatnonzero(three.y > 0)
    rows = [without, None, without[:100], None]
    network = KerasClassifier(softmax_network, random_state=0)
    datas = parts(three, rows)
    fits = fit_replicas([clone(network) for _ in rows], datas)
    for part, fit in zip(datas, fits, strict=True):
        alone = fit_estimator(clone(network), part)
        np.testing.assert_array_equal(fit.estimator.classes_, alone.classes_)
        np.testing.assert_allclose(
            fit.estimator.predict_proba(X), alone.predict_proba(X), atol=1e-5
        )


@pytest.mark.filterwarnings("ignore:.*encountered")
def test_errors_are_each_fits_own():
    estimators = [
        network(),
        network(class_weight={"maybe": 2}),
        network(model__learning_rate=1e30, epochs=4),
        network(),
    ]
    good, wrong, diverged, _ = fit_replicas(estimators, [data()] * 4)
    assert good.estimator is not None
    assert isinstance(wrong.error, ValueError)
    assert isinstance(diverged.error, NonFiniteModelError)
    for estimator in estimators[1:3]:
        assert not estimator.initialized_


def assert_as_alone(estimators, datas):
    fits = fit_replicas(list(map(clone, estimators)), datas)
    for estimator, rows, fit in zip(estimators, datas, fits, strict=True):
        alone = fit_estimator(clone(estimator), rows)
        np.testing.assert_allclose(
            fit.estimator.predict_proba(X), alone.predict_proba(X), atol=1e-5
        )


def test_jobs_of_several_sources_have_programs_of_their_own():
    scaled = [TrainingData.check(X * scale, LABELS) for scale in (1, 2)]
    programs = []
    datas = [scaled[0], scaled[1], scaled[0], scaled[1].take(FOLDS[0])]
    fits = fit_replicas(
        [network() for _ in datas],
        datas,
        on_program=lambda places, fits: programs.append((places, fits)),
    )
    assert [places for places, _ in programs] == [[0, 2], [1, 3]]
    for places, its_fits in programs:
        assert its_fits == [fits[place] for place in places]
    assert_as_alone([network() for _ in datas], datas)


def test_each_job_has_labels_of_its_own():
    others = np.array(["no", "yes"])[1 - y]
    datas = [TrainingData.check(X, labels) for labels in (LABELS, others) * 2]
    assert_as_alone([network() for _ in datas], datas)
