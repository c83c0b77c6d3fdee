"""Many copies of a network as one program, beside as many fits.

Run ``python -m benchmarks.replicas``; numbers of copies may follow.
"""

import os
import sys
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from sklearn.base import clone
from sklearn.datasets import make_classification

from benchmarks._timing import print_table
from benchmarks.fit import build
from sklimb._fitting import fit_estimator
from sklimb._training_data import TrainingData
from sklimb.keras import KerasClassifier
from sklimb.keras.feed import PlainPlan
from sklimb.keras.replica_fit import fit_replicas
from sklimb.keras.replica_program import ReplicaProgram
from sklimb.keras.replica_steps import Epoch, steps_of_epochs

ROWS, BATCH, EPOCHS = 20_000, 64, 5
COPIES = 1, 5, 25, 100
PLAIN_FITS = 3

NETWORK = KerasClassifier(build, batch_size=BATCH, epochs=EPOCHS, random_state=0)


def data():
    X, y = make_classification(ROWS, weights=[0.95], random_state=0)
    return TrainingData.check(X.astype("float32"), y)


def timed(function, *args):
    start = perf_counter()
    result = function(*args)
    return result, perf_counter() - start


def seconds_of_a_fit(rows):
    """Return the mean time of fits after the first, which alone traces."""
    fit_estimator(clone(NETWORK), rows)
    times = [timed(fit_estimator, clone(NETWORK), rows)[1] for _ in range(PLAIN_FITS)]
    return np.mean(times)


def program_times(model, rows, copies):
    """Return the seconds of tracing, of the first epoch, and of a later step."""
    targets = rows.y.reshape(-1, 1).astype("float32")
    tensors = tf.constant(rows.X), tf.constant(targets)
    program = ReplicaProgram(model, copies, tensors)
    _, tracing = timed(program.trace)
    state = program.start([model.get_weights()] * copies)
    plan = PlainPlan(ROWS, BATCH, True, np.random.default_rng(0))
    n_steps = -(-ROWS // BATCH)

    def epoch(state):
        epochs = [Epoch(plan.epoch()[0], None, BATCH) for _ in range(copies)]
        for steps in steps_of_epochs(epochs):
            state, *_ = program.train(state, tensors, steps)
        return state

    state, first = timed(epoch, state)
    _, later = timed(epoch, state)
    return tracing, first, later / n_steps


def row(model, rows, copies, of_a_fit):
    tracing, first, step = program_times(model, rows, copies)
    estimators = [clone(NETWORK) for _ in range(copies)]
    fits, together = timed(fit_replicas, estimators, [rows] * copies)
    fitted = all(fit.estimator is not None for fit in fits)
    times = tracing, first, of_a_fit * copies, together
    gain = f"{times[2] / together:.1f}" if fitted else fits[0].reason
    return copies, *(f"{s:.2f}" for s in times), f"{1000 * step:.2f}", gain


def main(copies):
    rows = data()
    of_a_fit = seconds_of_a_fit(rows)
    model = fit_estimator(clone(NETWORK), rows).model_
    print(f"{ROWS} rows, batches of {BATCH}, {EPOCHS} epochs; seconds")
    head = "copies", "trace", "first epoch", "fits", "together", "ms/step", "gain"
    print_table(head, [row(model, rows, n, of_a_fit) for n in copies])


if __name__ == "__main__":
    main(list(map(int, sys.argv[1:])) or COPIES)
