"""Compiled models, used again."""

import copy
import gc
import pickle
import random
import threading

import keras
import numpy as np
import pytest
from sklearn.base import clone

from sklimb import OptimalThresholdClassifierCV
from sklimb.keras import KerasClassifier
from sklimb.keras.pool import CompiledNetwork, ModelPool, default_pool, pool_key
from tests.keras.networks import imbalanced, mlp

X, y = imbalanced()


@pytest.fixture(autouse=True)
def empty_pool():
    gc.collect()  # estimators of earlier tests, in cycles, would come in between
    default_pool.clear()
    yield
    default_pool.clear()


@pytest.fixture
def no_pool(monkeypatch):
    def switch_off():
        monkeypatch.setattr(default_pool, "most_models", 0)

    return switch_off


def networks_trained(monkeypatch):
    """Return a list that the models of all fits are put into."""
    seen = []
    fit = keras.Model.fit

    def spy(self, *args, **kwargs):
        seen.append(id(self))
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(keras.Sequential, "fit", spy)
    return seen


def weights_of(classifier):
    return [w.tobytes() for w in classifier._lease.network.model.get_weights()]


def test_a_dead_estimators_model_trains_the_next(monkeypatch):
    seen = networks_trained(monkeypatch)
    KerasClassifier(mlp).fit(X, y)
    KerasClassifier(mlp, model__dropout=0.2).fit(X, y)
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_two_living_estimators_never_share_a_model():
    first = KerasClassifier(mlp, random_state=0).fit(X, y)
    proba = first.predict_proba(X)
    second = KerasClassifier(mlp, random_state=1).fit(X, y)
    assert first._lease.network is not second._lease.network
    np.testing.assert_array_equal(first.predict_proba(X), proba)


def test_refitting_gives_the_model_back_first(monkeypatch):
    seen = networks_trained(monkeypatch)
    classifier = KerasClassifier(mlp)
    classifier.fit(X, y).fit(X, y)
    assert seen[0] == seen[1]


OPTIMIZERS = [
    "adagrad",  # slots start from 0.1
    "nadam",  # a running product starts from 1
    "adam",
    "sgd",
    "rmsprop",
    keras.optimizers.SGD(0.05, momentum=0.9, use_ema=True),
    keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    keras.optimizers.AdamW(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)),
]


def changing_the_rate(optimizer):
    if isinstance(optimizer, keras.optimizers.AdamW):  # has a schedule
        return keras.callbacks.EarlyStopping(monitor="loss", patience=5)
    return keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: getattr(o, "name", o))
def test_a_pooled_fit_equals_a_fresh_one_bit_for_bit(optimizer, no_pool):
    classifier = KerasClassifier(
        mlp,
        model__optimizer=optimizer,
        model__metrics=[keras.metrics.AUC(name="auc")],
        epochs=3,
        validation_fraction=0.2,
        random_state=7,
        callbacks=[changing_the_rate(optimizer)],
    )
    other = clone(classifier).set_params(random_state=1, epochs=2).fit(X[::2], y[::2])
    del other
    assert len(default_pool) == 1
    pooled = clone(classifier).fit(X, y)
    assert len(default_pool) == 0
    no_pool()
    fresh = clone(classifier).fit(X, y)
    assert pooled.history_ == fresh.history_
    assert weights_of(pooled) == weights_of(fresh)
    np.testing.assert_array_equal(pooled.predict_proba(X), fresh.predict_proba(X))


def test_an_optimizer_that_the_model_function_shares_is_never_tied_to_a_model():
    optimizer = keras.optimizers.Adam(0.1)

    def build(meta, hidden=3):
        return mlp(meta, hidden=hidden, optimizer=optimizer)

    for hidden in (3, 5):
        KerasClassifier(build, model__hidden=hidden).fit(X, y)
    assert not optimizer.built


def test_a_pooled_fit_without_a_seed_starts_from_new_weights():
    def first_loss():
        return KerasClassifier(mlp).fit(X, y).history_["loss"]

    assert first_loss() != first_loss()


def test_learning_rates_share_a_model_and_keep_their_own(monkeypatch):
    seen = networks_trained(monkeypatch)
    rates = [0.5, 0.001]
    losses = []
    for rate in rates:
        optimizer = keras.optimizers.SGD(rate)
        classifier = KerasClassifier(mlp, model__optimizer=optimizer, random_state=0)
        classifier.fit(X, y)
        set_rate = classifier._lease.network.model.optimizer.learning_rate
        assert float(set_rate) == pytest.approx(rate)
        losses.append(classifier.history_["loss"])
        del classifier
    assert seen[0] == seen[1]
    assert losses[0] != losses[1]


def test_a_model_that_was_shown_never_goes_back():
    classifier = KerasClassifier(mlp, random_state=0).fit(X, y)
    model = classifier.model_
    weights = model.get_weights()
    del classifier
    gc.collect()
    assert len(default_pool) == 0
    KerasClassifier(mlp, random_state=1).fit(X, y)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_resting_network_lends_its_model_and_predicts_as_before(monkeypatch):
    seen = networks_trained(monkeypatch)
    resting = KerasClassifier(mlp, random_state=0).fit(X, y)
    before, model = resting.predict_proba(X), id(resting._lease.network.model)
    resting._rest()
    assert resting._rests
    other = KerasClassifier(mlp, random_state=1).fit(X, y)
    assert seen[-1] == model
    copies = copy.deepcopy(resting), pickle.loads(pickle.dumps(resting))
    for classifier in (*copies, resting):
        np.testing.assert_array_equal(classifier.predict_proba(X), before)
        assert not classifier._rests
    del other


def test_a_network_that_rested_goes_on_as_with_a_new_optimizer():
    rested = KerasClassifier(mlp, random_state=0).fit(X, y)
    rested._rest()
    rested.partial_fit(X, y)
    assert np.isfinite(rested.predict_proba(X)).all()
    steps_an_epoch = -(-len(X) // 32)
    assert rested.model_.optimizer.iterations.numpy() == steps_an_epoch


def test_a_model_that_was_shown_never_rests():
    classifier = KerasClassifier(mlp, random_state=0).fit(X, y)
    model = classifier.model_
    classifier._rest()
    assert not classifier._rests
    assert classifier.model_ is model


def test_the_models_of_folds_rest_and_share_one_compiled_model(monkeypatch):
    seen = networks_trained(monkeypatch)
    tuned = OptimalThresholdClassifierCV(KerasClassifier(mlp, random_state=0), cv=3)
    tuned.fit(X, y)
    assert len(seen) == 4
    assert len(set(seen)) == 1
    models = tuned.out_of_fold_.models
    assert all(estimator._rests for estimator in models.estimators)
    for k, proba in enumerate(models.proba_of(X)):
        own = tuned.out_of_fold_.fold == k
        rows = tuned.out_of_fold_.rows[own]
        np.testing.assert_allclose(proba[rows], models.proba[own], atol=1e-6)
    assert all(estimator._rests for estimator in models.estimators)


def test_a_model_that_the_model_function_kept_is_never_trained():
    built = []

    def build(meta):
        built.append(mlp(meta))
        return built[-1]

    KerasClassifier(build, random_state=0).fit(X, y)
    before = [w.copy() for w in built[0].get_weights()]
    KerasClassifier(build, random_state=1, epochs=2).fit(X, y)
    for a, b in zip(before, built[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_a_users_callback_saw_never_goes_back():
    class Keeps(keras.callbacks.Callback):
        pass

    callback = Keeps()
    KerasClassifier(mlp, callbacks=[callback]).fit(X, y)
    assert callback.model is not None
    assert len(default_pool) == 0


def test_a_keras_callback_does_not_hold_the_model():
    callback = keras.callbacks.EarlyStopping(monitor="loss")
    KerasClassifier(mlp, callbacks=[callback]).fit(X, y)
    assert callback.model is None
    assert len(default_pool) == 1


def test_a_copy_has_a_model_of_its_own():
    classifier = KerasClassifier(mlp, random_state=0).fit(X, y)
    duplicate = copy.deepcopy(classifier)
    proba = classifier.predict_proba(X)
    del classifier
    KerasClassifier(mlp, random_state=1).fit(X, y)
    np.testing.assert_array_equal(duplicate.predict_proba(X), proba)


def test_a_failed_fit_leaves_a_usable_pool():
    bad = KerasClassifier(mlp, model__optimizer=keras.optimizers.SGD(1e30), epochs=3)
    with pytest.raises(FloatingPointError):
        bad.fit(X * 1e30, y)
    assert not bad.initialized_
    good = KerasClassifier(mlp, model__optimizer=keras.optimizers.SGD(0.1))
    assert np.isfinite(good.fit(X, y).predict_proba(X)).all()


# Keys


def model_with(*layers, loss="binary_crossentropy", **compiled):
    model = keras.Sequential([keras.layers.Input((4,)), *layers])
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", loss, **compiled)
    return model


def test_automatic_names_are_no_part_of_the_key():
    build = lambda: model_with(keras.layers.Dense(3), keras.layers.Dropout(0.1))  # noqa: E731
    assert pool_key(build()) == pool_key(build())


def functional():
    inputs = keras.layers.Input((4,))
    left, right = keras.layers.Dense(3)(inputs), keras.layers.Dense(3)(inputs)
    outputs = keras.layers.Dense(1, "sigmoid")(
        keras.layers.Concatenate()([left, right])
    )
    model = keras.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy")
    return model


def test_functional_models_with_branches_share_a_key():
    assert pool_key(functional()) == pool_key(functional())


KEYS = {
    "units": lambda: model_with(keras.layers.Dense(4)),
    "activation": lambda: model_with(keras.layers.Dense(3, "relu")),
    "order": lambda: model_with(keras.layers.Dropout(0.1), keras.layers.Dense(3)),
    "rate": lambda: model_with(keras.layers.Dense(3), keras.layers.Dropout(0.2)),
    "loss": lambda: model_with(keras.layers.Dense(3), loss="mse"),
    "metrics": lambda: model_with(keras.layers.Dense(3), metrics=["accuracy"]),
    "regularizer": lambda: model_with(keras.layers.Dense(3, kernel_regularizer="l2")),
    "label_smoothing": lambda: model_with(
        keras.layers.Dense(3), loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    ),
    "plain": lambda: model_with(keras.layers.Dense(3)),
    "functional": functional,
}


def test_everything_that_changes_the_program_changes_the_key():
    keys = {name: pool_key(build()) for name, build in KEYS.items()}
    assert None not in keys.values()
    assert len(set(keys.values())) == len(keys)


def test_a_frozen_layer_changes_the_key():
    model, frozen = KEYS["plain"](), KEYS["plain"]()
    frozen.layers[0].trainable = False
    assert pool_key(model) != pool_key(frozen)


def relu(x):
    return x * 2


def binary_crossentropy(y_true, y_pred):
    return keras.losses.mse(y_true, y_pred)


class Sub(keras.Sequential):
    pass


@pytest.mark.parametrize(
    "build",
    [
        lambda: model_with(keras.layers.Lambda(lambda x: x)),
        lambda: model_with(keras.layers.Dense(3, relu)),
        lambda: model_with(keras.layers.Dense(3), loss=binary_crossentropy),
        lambda: model_with(keras.layers.Dense(3), metrics=[binary_crossentropy]),
        lambda: model_with(keras.layers.Normalization()),
    ],
    ids=["lambda", "activation_named_like_keras", "loss", "metric", "normalization"],
)
def test_what_is_not_kerass_own_is_not_pooled(build):
    assert pool_key(build()) is None


def test_a_models_own_train_step_is_not_pooled():
    model = KEYS["plain"]()
    model.train_step = lambda data: {"loss": 0.0}
    assert pool_key(model) is None


def test_a_subclassed_model_is_not_pooled():
    model = Sub([keras.layers.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    assert pool_key(model) is None


def test_a_model_changed_in_the_pool_is_not_used(monkeypatch):
    seen = networks_trained(monkeypatch)
    classifier = KerasClassifier(mlp).fit(X, y)
    classifier._lease.network.model.layers[0].trainable = False
    del classifier
    KerasClassifier(mlp).fit(X, y)
    assert len(set(seen)) == 2


def test_determinism_is_part_of_the_key():
    KerasClassifier(mlp, random_state=0).fit(X, y)
    KerasClassifier(mlp).fit(X, y)
    assert len(default_pool) == 2


# Bounds


def networks(n):
    return [CompiledNetwork(KEYS["plain"]()) for _ in range(n)]


def test_the_oldest_models_go_first():
    pool = ModelPool(most_models=2)
    all_three = networks(3)
    key = pool_key(all_three[0].model)
    for network in all_three:
        pool.give_back(key, network)
    assert len(pool) == 2
    assert pool.take(key) is all_three[2]
    assert pool.take(key) is all_three[1]
    assert pool.take(key) is None


def test_models_are_bounded_by_their_bytes():
    pool = ModelPool(most_bytes=100)
    for network in networks(3):
        pool.give_back("key", network)
    assert len(pool) == 1


def test_estimators_may_die_in_other_threads():
    def work(seed):
        rng = random.Random(seed)
        for _ in range(3):
            KerasClassifier(mlp, random_state=rng.randint(0, 9)).fit(X, y)

    errors = []

    def guarded(seed):
        try:
            work(seed)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert 1 <= len(default_pool) <= 3


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "binary_crossentropy", "metrics": ["accuracy", "AUC"]},
        {"loss": keras.losses.binary_crossentropy, "optimizer": "adam"},
        {"loss": keras.losses.BinaryCrossentropy, "metrics": [keras.metrics.AUC()]},
    ],
    ids=["names", "functions", "classes"],
)
def test_models_that_the_classifier_compiles_are_pooled(parameters):
    def build():
        return keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])

    KerasClassifier(build, **parameters).fit(X, y)
    gc.collect()
    assert len(default_pool) == 1


def test_a_loss_of_ones_own_with_a_name_of_kerass_is_not_pooled():
    def binary_crossentropy(y_true, y_pred):
        return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    def build():
        return keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])

    KerasClassifier(build, loss=binary_crossentropy).fit(X, y)
    gc.collect()
    assert len(default_pool) == 0
