"""What follows an epoch of each replica: validation, metrics, callbacks."""

import keras
import numpy as np
import pytest
from keras import callbacks

from sklimb.exceptions import NonFiniteModelError
from sklimb.keras.feed import Feed, PlainPlan
from sklimb.keras.metrics import BalancedAccuracy
from sklimb.keras.replica_steps import Epoch
from sklimb.keras.replicas import ReplicaJob, train_replicas
from sklimb.keras.rows import Rows
from sklimb.keras.training import FiniteLossGuard
from tests.keras.test_replicas import (
    BATCH,
    N_ROWS,
    RNG,
    TARGETS,
    WEIGHT,
    X,
    assert_same,
    network,
    plan,
)

SPLITS = [np.split(RNG.permutation(N_ROWS), [cut]) for cut in (70, 80)]


def jobs_with_validation(model, make_callbacks=lambda: (), epochs=3, rate=None):
    return [
        ReplicaJob(
            model.get_weights(),
            plan(len(rows), seed),
            rows,
            epochs=epochs,
            learning_rate=rate,
            validation=Epoch(held_out, WEIGHT[held_out], BATCH),
            callbacks=make_callbacks(),
        )
        for seed, (rows, held_out) in enumerate(SPLITS)
    ]


def fitted(model, job, seed, make_callbacks):
    if job.learning_rate is not None:
        model.optimizer.learning_rate = job.learning_rate
    held_out = job.validation.rows
    rows, none = job.rows, np.zeros(N_ROWS)
    order = plan(len(rows), seed)
    training = Feed(Rows(X, none, index=rows), TARGETS[rows], None, order)
    validation = Feed(
        Rows(X, none, index=held_out),
        TARGETS[held_out],
        WEIGHT[held_out],
        PlainPlan(len(held_out), BATCH),
    )
    history = model.fit(
        training.dataset(),
        validation_data=validation.dataset(),
        epochs=job.epochs,
        callbacks=list(make_callbacks()),
        shuffle=False,
        verbose=0,
    ).history
    return model.get_weights(), history


def results_equal_to_fit(build, make_callbacks=lambda: (), **settings):
    model = build()
    jobs = jobs_with_validation(model, make_callbacks, **settings)
    results = train_replicas(model, X, TARGETS, jobs)
    for seed, (job, result) in enumerate(zip(jobs, results, strict=True)):
        weights, history = fitted(build(), job, seed, make_callbacks)
        assert result.error is None
        assert result.history.keys() == history.keys()
        for name, values in history.items():
            np.testing.assert_allclose(result.history[name], values, rtol=3e-6)
        assert_same(result.weights, weights, 5e-6)
    return results


def measured(name="dense"):
    metrics = [BalancedAccuracy(), keras.metrics.AUC(curve="PR", name="auc")]
    return network(name, metrics=["accuracy", *metrics])


def test_validation_and_metrics_equal_keras_fit():
    results_equal_to_fit(lambda: measured("regularised"))


def test_early_stopping_restores_the_best_weights_of_each():
    results = results_equal_to_fit(
        network,
        lambda: (callbacks.EarlyStopping(patience=1, restore_best_weights=True),),
        epochs=12,
        rate=0.3,
    )
    lengths = [len(result.history["loss"]) for result in results]
    assert max(lengths) < 12
    assert len(set(lengths)) == 2  # each at an epoch of its own


def test_rates_fall_on_each_replicas_own_plateau():
    results = results_equal_to_fit(
        network,
        lambda: (callbacks.ReduceLROnPlateau(patience=0, factor=0.3),),
        epochs=6,
        rate=0.3,
    )
    rates = [result.history["learning_rate"] for result in results]
    assert rates[0] != rates[1]


def test_a_scheduler_sets_rates():
    results_equal_to_fit(
        network,
        lambda: (callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),),
    )


def test_callbacks_watch_metrics_in_their_direction():
    results_equal_to_fit(
        measured,
        lambda: (callbacks.EarlyStopping("val_auc", patience=0),),
        epochs=5,
        rate=0.1,
    )


@pytest.mark.filterwarnings("ignore:.*encountered")
def test_a_loss_that_is_not_finite_ends_one_replica_alone():
    model = network()
    jobs = [
        ReplicaJob(
            model.get_weights(),
            plan(N_ROWS, 0),
            weight=WEIGHT * factor,
            epochs=3,
            callbacks=(FiniteLossGuard("class weights {0: 1}"),),
        )
        for factor in (1, np.float32(np.inf))
    ]
    good, bad = train_replicas(model, X, TARGETS, jobs)
    assert isinstance(bad.error, NonFiniteModelError)
    assert "epoch 1, learning rate 0.001, class weights" in str(bad.error)
    assert good.error is None
    job = ReplicaJob(model.get_weights(), plan(N_ROWS, 0), weight=WEIGHT, epochs=3)
    (alone,) = train_replicas(model, X, TARGETS, [job])
    assert_same(good.weights, alone.weights)
