"""Programs in other processes give what they give here."""

import logging
import os
import signal

import keras
import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone

from sklimb._training_data import TrainingData
from sklimb.keras import KerasClassifier, workers
from sklimb.keras.replica_fit import fit_replicas
from sklimb.keras.replica_plan import Work, cut, most_replicas, seconds
from tests.keras.networks import imbalanced, mlp

X, y = imbalanced()
DATA = TrainingData.check(X.astype("float32"), y)
N_JOBS = 5  # an odd number, so that one program has a replica without work


@pytest.fixture(autouse=True)
def every_job_is_worth_two_programs(monkeypatch):
    monkeypatch.setattr("sklimb.keras.replica_plan.STEPS_OF_TRACING", 0)
    monkeypatch.setattr("sklimb.keras.replica_plan.ENOUGH_REPLICAS", 2)
    monkeypatch.setattr("sklimb.keras.replica_fit.SECONDS_OF_WORKERS", 0)


def rate_of_epoch(epoch, rate):
    return rate / (1 + epoch)


def fitted(callback=rate_of_epoch, **settings):
    """Fit networks that use random layers, metrics, validation and callbacks."""
    network = KerasClassifier(
        mlp,
        random_state=0,
        epochs=3,
        model__metrics=("auc", "accuracy"),
        validation_fraction=0.2,
        callbacks=[
            keras.callbacks.EarlyStopping("val_auc", patience=0),
            keras.callbacks.LearningRateScheduler(callback),
        ],
    )
    estimators = [
        clone(network).set_params(class_weight={0: 1, 1: 1 + place})
        for place in range(N_JOBS)
    ]
    fits = fit_replicas(estimators, [DATA] * N_JOBS, **settings)
    assert [fit.reason or fit.error for fit in fits] == [None] * N_JOBS
    return [fit.estimator for fit in fits]


def assert_same_bits(classifiers, others):
    for one, other in zip(classifiers, others, strict=True):
        assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
        assert one.history_ == other.history_


def in_other_processes(monkeypatch):
    """Let a program in this process fail."""
    monkeypatch.setattr(workers, "_outcome", None)


def test_any_number_of_workers_gives_the_same_bits(monkeypatch):
    here = fitted()
    assert_same_bits(here, fitted(n_jobs=1))
    in_other_processes(monkeypatch)
    assert_same_bits(here, fitted(n_jobs=2))


def test_the_active_backend_of_joblib_runs_programs(monkeypatch):
    here = fitted()
    with parallel_config("threading", n_jobs=2):
        assert_same_bits(here, fitted())
    in_other_processes(monkeypatch)
    with parallel_config("loky", n_jobs=2):
        assert_same_bits(here, fitted())


def test_what_ends_is_told_at_once():
    programs = []
    estimators = fitted(n_jobs=2, on_program=lambda *args: programs.append(args))
    assert sorted(place for places, _ in programs for place in places) == [*range(5)]
    for places, fits in programs:
        assert [fit.estimator for fit in fits] == [estimators[p] for p in places]


MAIN = os.getpid()


def dies_elsewhere(epoch, rate):
    if os.getpid() != MAIN:
        os.kill(os.getpid(), signal.SIGKILL)
    return rate_of_epoch(epoch, rate)


def test_programs_whose_workers_die_run_here_in_the_end(caplog, monkeypatch):
    # Sent by its value, for a worker's own import would take itself for the main one.
    monkeypatch.setattr(dies_elsewhere, "__module__", "__main__")
    monkeypatch.setattr(workers, "ATTEMPTS", 1)
    with caplog.at_level(logging.WARNING, "sklimb"):
        survivors = fitted(dies_elsewhere, n_jobs=2)
    assert "TerminatedWorkerError" in caplog.text
    assert_same_bits(fitted(), survivors)


def test_a_network_that_cannot_be_mapped_is_told_by_workers_too():
    def convolutional(meta):
        model = keras.Sequential(
            [
                keras.layers.Input((meta["n_features_in_"],)),
                keras.layers.Reshape((-1, 1, 1)),
                keras.layers.Conv2D(2, (2, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(1, "sigmoid"),
            ]
        )
        model.compile("adam", "binary_crossentropy")
        return model

    estimators = [KerasClassifier(convolutional, random_state=0) for _ in range(4)]
    with parallel_config("threading", n_jobs=2):
        fits = fit_replicas(estimators, [DATA] * 4)
    for fit in fits:
        assert "loop invariant" in fit.reason


def test_small_work_stays_in_this_process(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr("sklimb.keras.replica_plan.STEPS_OF_TRACING", 0)
    monkeypatch.setattr(workers, "_elsewhere", None)
    fitted(n_jobs=2)


@pytest.mark.parametrize(
    ("n_jobs", "most", "sizes"),
    [
        (6, 25, [6]),
        (15, 25, [15]),
        (16, 25, [8, 8]),
        (25, 25, [13, 12]),
        (51, 25, [17, 17, 17]),
        (7, 3, [3, 2, 2]),
    ],
)
def test_programs_are_even_and_two_where_there_is_enough_for_two(
    n_jobs, most, sizes, monkeypatch
):
    monkeypatch.undo()
    parts = cut(range(n_jobs), most)
    assert [len(part) for part in parts] == sizes
    assert [place for part in parts for place in part] == list(range(n_jobs))


def test_large_networks_are_fewer_and_take_longer():
    meta = {"n_features_in_": 4}
    small, large = (mlp(meta, hidden) for hidden in (8, 100_000))
    works = [Work(epochs=2, rows=1000, batch_size=32)] * 3
    assert most_replicas(small, works) == 25
    assert 1 <= most_replicas(large, works) < 25
    assert seconds(small, works) < seconds(large, works)
