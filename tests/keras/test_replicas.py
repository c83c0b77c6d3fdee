"""Many copies of a network as one program."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from sklimb.keras.batches import BalancedPlan
from sklimb.keras.feed import Feed, PlainPlan
from sklimb.keras.replicas import NotMappedError, ReplicaJob, train_replicas, why_not
from sklimb.keras.rows import Rows

N_ROWS, BATCH, EPOCHS = 105, 16, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 8)).astype("float32")
TARGETS = (X[:, :1] + RNG.normal(size=(N_ROWS, 1)) > 1).astype("float32")
WEIGHT = RNG.uniform(0.2, 3, N_ROWS).astype("float32")
L2 = keras.regularizers.L2(0.01)

# Networks, each as a function of the layers before the last.
NETWORKS = {
    "dense": lambda: [layers.Dense(8, "relu")],
    "regularised": lambda: [
        layers.Dense(4, "relu", kernel_regularizer=L2, activity_regularizer=L2),
        layers.BatchNormalization(),
        layers.LayerNormalization(),
    ],
    "constrained": lambda: [
        layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.5))
    ],
    "conv1d": lambda: [
        layers.Reshape((8, 1)),
        layers.Conv1D(3, 3, padding="causal", activation="relu"),
        layers.Conv1D(2, 2, padding="same", strides=2, use_bias=False),
        layers.Conv1D(2, 2, dilation_rate=2),
        layers.Flatten(),
    ],
    "lstm": lambda: [layers.Reshape((8, 1)), layers.LSTM(3)],
    "gru": lambda: [layers.Reshape((8, 1)), layers.GRU(3)],
}


def network(name="dense", optimizer="adam", seed=0, metrics=None):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([layers.Input((8,)), *NETWORKS[name]()])
    model.add(layers.Dense(1, "sigmoid"))
    model.compile(optimizer, "binary_crossentropy", weighted_metrics=metrics)
    return model


def plan(n_rows, seed):
    return PlainPlan(n_rows, BATCH, True, np.random.default_rng(seed))


def uneven_jobs(model, **settings):
    """Jobs that differ in rows, weights, batches and the rest."""
    rows = np.random.default_rng(1).permutation(N_ROWS)
    start = model.get_weights()
    other = [w + 0.1 for w in start]
    parts = (
        (start, None, WEIGHT),
        (other, rows[:70], WEIGHT[:70]),
        (start, rows[:41], None),
    )
    return [
        ReplicaJob(
            weights,
            plan(N_ROWS if places is None else len(places), seed),
            places,
            weight,
            epochs=EPOCHS,
            **settings,
        )
        for seed, (weights, places, weight) in enumerate(parts)
    ]


def fitted(model, job, seed, **fit_args):
    """Train by Keras itself: weights and history; any number of times."""
    model.set_weights(job.weights)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
        model.first_slots = [v.numpy() for v in model.optimizer.variables]
    for variable, value in zip(
        model.optimizer.variables, model.first_slots, strict=True
    ):
        variable.assign(value)
    if job.learning_rate is not None:
        model.optimizer.learning_rate = job.learning_rate
    rows = Rows(X, np.zeros(job.plan.n_rows), index=job.rows)
    targets = TARGETS if job.rows is None else TARGETS[job.rows]
    feed = Feed(rows, targets, job.weight, plan(job.plan.n_rows, seed))
    args = {"epochs": job.epochs, "shuffle": False, "verbose": 0} | fit_args
    history = model.fit(feed.dataset(), **args).history
    return model.get_weights(), history


def assert_same(weights, others, tolerance=2e-6):
    for values, expected in zip(weights, others, strict=True):
        np.testing.assert_allclose(values, expected, atol=tolerance)


def assert_equal_to_fit(build, **settings):
    """Each replica equals Keras's own training, and one of them itself alone."""
    model = build()
    jobs = uneven_jobs(model, **settings)
    results = train_replicas(model, X, TARGETS, jobs)
    [alone] = train_replicas(model, X, TARGETS, uneven_jobs(model, **settings)[1:2])
    assert_same(alone.weights, results[1].weights)
    for seed, (job, result) in enumerate(zip(jobs, results, strict=True)):
        weights, history = fitted(model, job, seed)
        assert_same(result.weights, weights)
        assert result.history.keys() == history.keys()
        for name, values in history.items():
            np.testing.assert_allclose(result.history[name], values, rtol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_replica_equals_keras_fit(name):
    metrics = ["accuracy", "auc"] if name == "dense" else None
    assert_equal_to_fit(lambda: network(name, metrics=metrics))


def test_an_embedding_equals_keras_fit_without_adaptive_steps(monkeypatch):
    monkeypatch.setitem(
        NETWORKS,
        "embedding",
        lambda: [layers.Embedding(20, 2), layers.GlobalAveragePooling1D()],
    )
    monkeypatch.setattr(f"{__name__}.X", RNG.integers(0, 20, (N_ROWS, 8)))
    assert_equal_to_fit(lambda: network("embedding", optimizers.SGD(0.1)))


def test_an_embedding_with_adaptive_steps_equals_a_product_with_indicators(
    monkeypatch,
):
    # Keras on TensorFlow squares the gradients of a row's uses one by one.
    ids = RNG.integers(0, 20, (N_ROWS, 8))

    def build(layer, shape):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([layers.Input(shape), layer])
        model.add(layers.GlobalAveragePooling1D())
        model.add(layers.Dense(1, "sigmoid"))
        model.compile("adam", "binary_crossentropy")
        return model

    model = build(layers.Embedding(20, 2), (8,))
    results = train_replicas(model, ids, TARGETS, uneven_jobs(model))
    product = build(layers.Dense(2, use_bias=False), (8, 20))
    monkeypatch.setattr(f"{__name__}.X", np.eye(20, dtype="float32")[ids])
    for seed, job in enumerate(uneven_jobs(model)):
        assert_same(results[seed].weights, fitted(product, job, seed)[0])


def test_random_layers_draw_by_seed_epoch_and_step_alone(monkeypatch):
    monkeypatch.setitem(
        NETWORKS, "dropout", lambda: [layers.Dropout(0.3), layers.GaussianNoise(0.2)]
    )
    model = network("dropout")
    together = train_replicas(model, X, TARGETS, uneven_jobs(model))
    for place, result in enumerate(together):
        alone = uneven_jobs(model)[place]
        alone = train_replicas(model, X, TARGETS, [alone])[0]
        assert_same(alone.weights, result.weights)


def test_masks_differ_between_steps_epochs_and_seeds():
    # A network that only sums what its inputs keep, and learns nothing.
    model = keras.Sequential([layers.Input((8,)), layers.Dropout(0.5)])
    model.add(layers.Dense(1, kernel_initializer="ones"))
    model.compile(optimizers.SGD(0.0), "mean_absolute_error")
    rows = np.arange(32)
    losses = [
        train_replicas(
            model,
            np.abs(X),
            np.zeros_like(TARGETS),
            [
                ReplicaJob(
                    model.get_weights(),
                    PlainPlan(32 * n_steps, 32),
                    np.tile(rows, n_steps),  # each step has the same rows
                    epochs=3,
                    seed=seed,
                )
            ],
        )[0].history["loss"]
        for seed in (0, 1)
        for n_steps in (1, 2)
    ]
    assert len(np.unique(np.round(losses, 6))) == 12


def test_several_seeds_need_networks_without_random_layers(monkeypatch):
    monkeypatch.setitem(NETWORKS, "dropout", lambda: [layers.Dropout(0.3)])
    model = network("dropout")
    jobs = [
        ReplicaJob(model.get_weights(), plan(N_ROWS, 0), seed=seed) for seed in (0, 1)
    ]
    with pytest.raises(ValueError, match="several seeds"):
        train_replicas(model, X, TARGETS, jobs)


def test_learning_rates_and_epochs_are_each_replicas_own():
    model = network()
    start = model.get_weights()
    jobs = [
        ReplicaJob(start, plan(N_ROWS, 0), epochs=n, learning_rate=rate)
        for n, rate in ((1, 0.001), (3, 0.01), (2, 0.1))
    ]
    for job, result in zip(jobs, train_replicas(model, X, TARGETS, jobs), strict=True):
        weights, history = fitted(network(), job, 0)
        assert_same(result.weights, weights)
        np.testing.assert_allclose(result.history["loss"], history["loss"], rtol=2e-6)


def test_balanced_batches_equal_keras_fit():
    model = network()

    def balanced():
        numbers = TARGETS[:, 0].astype(int)
        random = np.random.default_rng(3)
        return BalancedPlan(numbers, np.array([0.5, 0.5]), BATCH, None, random)

    job = ReplicaJob(model.get_weights(), balanced(), epochs=2)
    (result,) = train_replicas(model, X, TARGETS, [job])
    feed = Feed(Rows(X, np.zeros(N_ROWS)), TARGETS, None, balanced())
    model = network()
    model.fit(feed.dataset(), epochs=2, shuffle=False, verbose=0)
    assert_same(result.weights, model.get_weights())


def test_two_inputs_equal_keras_fit():
    def build():
        keras.utils.set_random_seed(0)
        inputs = {name: layers.Input((8,), name=name) for name in "ab"}
        hidden = layers.Concatenate()(list(inputs.values()))
        model = keras.Model(inputs, layers.Dense(1, "sigmoid")(hidden))
        model.compile("adam", "binary_crossentropy")
        return model

    model, data = build(), {"a": X, "b": X**2}
    job = ReplicaJob(model.get_weights(), PlainPlan(N_ROWS, BATCH))
    (result,) = train_replicas(model, data, TARGETS, [job])
    model.fit(data, TARGETS, batch_size=BATCH, shuffle=False, verbose=0)
    assert_same(result.weights, model.get_weights())


def test_what_cannot_be_mapped_over_replicas_is_raised(caplog):
    model = keras.Sequential([layers.Input((4, 2, 1)), layers.Conv2D(2, 2)])
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    jobs = [ReplicaJob(model.get_weights(), plan(N_ROWS, 0)) for _ in range(2)]
    with pytest.raises(NotMappedError, match="loop invariant"):
        train_replicas(model, X.reshape(-1, 4, 2, 1), TARGETS, jobs)
    assert not caplog.records


class StepOfItsOwn(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)


def compiled(optimizer="adam", kind=keras.Sequential, **compile_args):
    model = kind([layers.Input((8,)), layers.Dense(1, "sigmoid")])
    model.compile(optimizer, "binary_crossentropy", **compile_args)
    return model


class OwnOptimizer(optimizers.SGD):
    pass


def distance(y_true, y_pred):
    return keras.ops.max(keras.ops.abs(y_true - y_pred))


SCHEDULE = optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
REASONS = [
    (compiled(), (), None),
    (compiled(metrics=["auc"]), (keras.callbacks.EarlyStopping(),), None),
    (compiled(kind=StepOfItsOwn), (), "`train_step` of its own"),
    (compiled(run_eagerly=True), (), "runs eagerly"),
    (compiled(metrics=[distance]), (), "metric that is not Keras's"),
    (compiled("nadam"), (), None),
    (compiled(OwnOptimizer()), (), "OwnOptimizer is not Keras's"),
    (compiled(optimizers.LossScaleOptimizer(optimizers.Adam())), (), "scales losses"),
    (compiled(optimizers.SGD(loss_scale_factor=2.0)), (), "`loss_scale_factor`"),
    (
        compiled(optimizers.SGD(gradient_accumulation_steps=2)),
        (),
        "`gradient_accumulation_steps`",
    ),
    (
        compiled(optimizers.SGD(use_ema=True, ema_overwrite_frequency=2)),
        (),
        "`ema_overwrite_frequency`",
    ),
    (compiled(), (keras.callbacks.TerminateOnNaN(),), "TerminateOnNaN may look"),
    (
        compiled(optimizers.Adam(SCHEDULE)),
        (keras.callbacks.ReduceLROnPlateau(),),
        "follows a schedule",
    ),
]


@pytest.mark.parametrize(("model", "callbacks", "reason"), REASONS)
def test_what_only_keras_fit_can_do_has_a_reason(model, callbacks, reason):
    found = why_not(model, callbacks)
    assert found is None if reason is None else reason in found
