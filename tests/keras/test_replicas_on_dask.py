"""Programs on a cluster give what they give here, also when a machine is lost."""

import os
import signal

import pytest
from joblib import parallel_config

from tests.keras.clusters import client
from tests.keras.test_workers import (
    assert_same_bits,
    every_job_is_worth_two_programs,
    fitted,
    in_other_processes,
    rate_of_epoch,
)

__all__ = ["client", "every_job_is_worth_two_programs"]


@pytest.fixture(scope="module")
def here():
    with pytest.MonkeyPatch.context() as monkeypatch:
        every_job_is_worth_two_programs.__wrapped__(monkeypatch)
        return fitted()


def test_a_cluster_gives_the_same_bits(client, here, monkeypatch):
    in_other_processes(monkeypatch)
    with parallel_config("dask"):
        assert_same_bits(here, fitted())


def test_a_lost_worker_changes_nothing(client, here, monkeypatch, tmp_path):
    lost = tmp_path / "lost"

    def first_worker_dies(epoch, rate):
        if epoch == 1 and not lost.exists():
            lost.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return rate_of_epoch(epoch, rate)

    in_other_processes(monkeypatch)
    with parallel_config("dask"):
        assert_same_bits(here, fitted(first_worker_dies))
    assert lost.exists()
