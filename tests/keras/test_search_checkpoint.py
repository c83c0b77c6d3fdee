"""A search that was ended goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import KerasClassifier
from sklimb.keras.checkpoints import WEIGHTS
from tests.keras.networks import imbalanced

X, y = imbalanced(240)
X = X.astype("float32")
# Two batch sizes are two programs, each worth its tracing.
GRID = {
    "estimator__batch_size": [8, 10],
    "class_weight": [None, "balanced"],
    "threshold": [0.3, 0.5],
}


def network(meta, units=4):
    layers = [keras.Input((4,)), keras.layers.Dense(units, "relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


def edited(meta):
    return network(meta, units=5)


def search(folder, model=network, seed=0, grid=GRID, **params):
    classifier = KerasClassifier(model, epochs=30, random_state=seed)
    aware = ImbalanceAwareClassifier(classifier, threshold=0.5)
    return ImbalanceSearchCV(
        aware, grid, cv=2, refit=False, checkpoint=folder, **params
    ).fit(X, y)


def scores(fitted):
    return np.array([fitted.cv_results_[f"split{k}_test_score"] for k in range(2)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return folder, scores(search(folder))


@pytest.fixture
def trained(monkeypatch):
    """Return a list to which every program adds how many networks it trains."""
    from sklimb.keras import workers

    counts, train = [], workers.train_replicas

    def counting(*program):
        counts.append(len(program[-1]))
        return train(*program)

    monkeypatch.setattr(workers, "train_replicas", counting)
    return counts


def test_without_a_folder_the_results_are_the_same(finished, trained):
    assert np.array_equal(scores(search(None)), finished[1])
    assert trained == [4, 4]


def test_what_was_trained_is_not_trained_again(finished, trained):
    assert np.array_equal(scores(search(finished[0])), finished[1])
    assert not trained


def test_a_search_that_was_killed_goes_on(finished, trained, tmp_path):
    script = (
        "from tests.keras import test_search_checkpoint as t;"
        f"t.search({str(tmp_path)!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ)
    wait_for_a_program(tmp_path, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = programs(tmp_path)
    assert np.array_equal(scores(search(tmp_path)), finished[1])
    assert trained == [4] * (2 - len(kept))


def wait_for_a_program(folder, process):
    for _ in range(6000):
        if programs(folder) or process.poll() is not None:
            return
        time.sleep(0.01)


def programs(folder):
    return [path for path in Path(folder).iterdir() if not path.name.startswith(".")]


def test_a_damaged_file_is_told_and_trained_again(finished, trained, tmp_path):
    search(tmp_path)
    del trained[:]
    damaged = programs(tmp_path)[0] / WEIGHTS
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="damaged"):
        again = search(tmp_path)
    assert np.array_equal(scores(again), finished[1])
    assert trained == [4]


@pytest.mark.parametrize("change", [{"model": edited}, {"seed": 1}])
def test_another_network_is_trained(finished, trained, change):
    search(finished[0], **change)
    assert trained == [4, 4]


def test_networks_that_are_fitted_alone_are_kept_too(tmp_path, monkeypatch):
    grid = {"class_weight": [None, "balanced"], "estimator__epochs": [1]}
    first = scores(search(tmp_path, grid=grid))
    assert len(programs(tmp_path)) == 4

    def train(self, task):
        raise AssertionError("trained again")

    monkeypatch.setattr(KerasClassifier, "_train", train)
    assert np.array_equal(scores(search(tmp_path, grid=grid)), first)


def test_the_best_can_be_fitted_after_that(finished):
    classifier = KerasClassifier(network, epochs=30, random_state=0)
    aware = ImbalanceAwareClassifier(classifier, threshold=0.5)
    again = ImbalanceSearchCV(aware, GRID, cv=2, checkpoint=finished[0]).fit(X, y)
    assert again.predict(X).shape == y.shape


def test_a_network_without_a_seed_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="integer `random_state`"):
        search(tmp_path, seed=None)


def test_a_search_without_a_network_is_an_error(tmp_path):
    aware = ImbalanceAwareClassifier(LogisticRegression(), threshold=0.5)
    grid = {"class_weight": [None, "balanced"]}
    with pytest.raises(ValueError, match="LogisticRegression is none"):
        ImbalanceSearchCV(aware, grid, checkpoint=tmp_path).fit(X, y)
