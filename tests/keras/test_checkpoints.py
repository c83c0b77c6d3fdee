"""Trained networks in a folder."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from sklimb.keras.checkpoints import NOTE, WEIGHTS, Checkpoints, key_of_program
from sklimb.keras.feed import PlainPlan
from sklimb.keras.replicas import ReplicaJob, TrainedReplica
from sklimb.keras.workers import Program

X = np.arange(24, dtype="float32").reshape(8, 3)
REPLICAS = [
    TrainedReplica([np.ones((3, 2), "float32"), np.zeros(2)], {"loss": [0.5, 0.25]}),
    TrainedReplica([np.full((3, 2), 2.0), np.arange(2)], {"loss": [0.1]}),
]


def network(units=1, rate=0.1):
    layers = [keras.Input((3,)), keras.layers.Dense(units, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return model


def schedule_of(factor):
    def schedule(epoch, rate):
        return rate * factor

    return keras.callbacks.LearningRateScheduler(schedule)


def job(**changes):
    start = [np.ones((3, 1), "float32"), np.zeros(1, "float32")]
    plan = PlainPlan(8, 4, True, np.random.default_rng(changes.pop("draw", 0)))
    return ReplicaJob(**{"weights": start, "plan": plan, "epochs": 2} | changes)


def key(model=None, rows=X, targets=None, jobs=None, **by):
    model = network() if model is None else model
    targets = np.zeros((8, 1), "float32") if targets is None else targets
    return key_of_program(Program(model, rows, targets, jobs or [job()]), **by)


def same(one, other):
    return one.history == other.history and all(
        np.array_equal(*pair) and pair[0].dtype == pair[1].dtype
        for pair in zip(one.weights, other.weights, strict=True)
    )


def test_what_was_kept_comes_back(tmp_path):
    Checkpoints(tmp_path / "new").keep("a", REPLICAS)
    found = Checkpoints(tmp_path / "new").load("a")
    assert all(map(same, REPLICAS, found))
    assert Checkpoints(tmp_path / "new").load("b") is None


def test_nothing_kept_is_a_pickle(tmp_path):
    Checkpoints(tmp_path).keep("a", REPLICAS)
    assert json.loads((tmp_path / "a" / NOTE).read_text())["histories"]
    with np.load(tmp_path / "a" / WEIGHTS, allow_pickle=False) as stored:
        assert len([stored[name] for name in stored.files]) == 4


@pytest.mark.parametrize("name", [WEIGHTS, NOTE])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damage_is_told_and_nothing_comes_back(tmp_path, name, damage):
    Checkpoints(tmp_path).keep("a", REPLICAS)
    path = tmp_path / "a" / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        half = len(content) // 2
        path.write_bytes(content[:half] + b"!" * (half if damage == "changed" else 0))
    with pytest.warns(UserWarning, match="damaged"):
        assert Checkpoints(tmp_path).load("a") is None


def test_a_failed_replica_is_not_kept(tmp_path):
    failed = TrainedReplica([], {}, ValueError("nan"))
    Checkpoints(tmp_path).keep("a", [REPLICAS[0], failed])
    assert Checkpoints(tmp_path).load("a") is None


@pytest.mark.parametrize(
    "other",
    [
        {"model": network(units=2)},
        {"rows": X + 1},
        {"rows": X.astype("float64")},
        {"targets": np.ones((8, 1), "float32")},
        {"jobs": [job(epochs=3)]},
        {"jobs": [job(seed=1)]},
        {"jobs": [job(draw=1)]},
        {"jobs": [job(rows=np.arange(8))]},
        {"jobs": [job(weight=np.ones(8))]},
        {"jobs": [job(learning_rate=0.2)]},
        {"jobs": [job(weights=[np.zeros((3, 1), "float32"), np.zeros(1)])]},
        {"jobs": [job(callbacks=(keras.callbacks.EarlyStopping(patience=2),))]},
        {"jobs": [job(), job()]},
        {"by": "fit"},
    ],
    ids=lambda other: "-".join(other),
)
def test_another_training_has_another_key(other):
    assert key(**other) != key()


def test_an_edited_function_of_the_same_name_has_another_key():
    first, second, again = (
        key(jobs=[job(callbacks=(schedule_of(factor),))]) for factor in (0.5, 0.6, 0.5)
    )
    assert first == again != second


def test_the_key_is_the_same_in_another_process():
    script = "from tests.keras.test_checkpoints import key; print('key', key())"
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split()[-1] == key()
