"""A search on a cluster gives what it gives here, also when a machine is lost."""

import os
import signal

import keras
import numpy as np
from joblib import parallel_config

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import KerasClassifier
from tests.keras.clusters import client
from tests.keras.networks import mlp
from tests.keras.test_workers import (
    X,
    every_job_is_worth_two_programs,
    in_other_processes,
    rate_of_epoch,
    y,
)

__all__ = ["client", "every_job_is_worth_two_programs"]

GRID = {"class_weight": [None, 0.3, "balanced"], "threshold": [0.3, 0.5]}


def results(rate=rate_of_epoch):
    network = KerasClassifier(
        mlp,
        epochs=3,
        random_state=0,
        callbacks=[keras.callbacks.LearningRateScheduler(rate)],
    )
    aware = ImbalanceAwareClassifier(network, threshold=0.5)
    search = ImbalanceSearchCV(aware, GRID, cv=3, refit=False, error_score="raise")
    return search.fit(X.astype("float32"), y).cv_results_


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        if not name.endswith("_time"):
            assert np.array_equal(found[name], expected[name]), name


def test_a_cluster_gives_the_same_results(client, monkeypatch):
    here = results()
    in_other_processes(monkeypatch)
    with parallel_config("dask"):
        assert_same(results(), here)


def test_a_worker_that_is_killed_half_way_changes_nothing(
    client, monkeypatch, tmp_path
):
    here, lost = results(), tmp_path / "lost"

    def first_worker_dies(epoch, rate):
        if epoch == 1 and not lost.exists():
            lost.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return rate_of_epoch(epoch, rate)

    in_other_processes(monkeypatch)
    with parallel_config("dask"):
        assert_same(results(first_worker_dies), here)
    assert lost.exists()
