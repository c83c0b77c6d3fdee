"""How the cost of replicas grows with their number, beside as many fits.

Run ``python -m benchmarks.replicas``; numbers of replicas may follow.
"""

import os
import subprocess
import sys
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from sklearn.base import clone

from benchmarks._timing import best_of, print_table
from benchmarks.fit import build, data, resident_megabytes
from sklimb._fitting import fit_estimator
from sklimb._outputs import rest
from sklimb._training_data import TrainingData
from sklimb.keras import KerasClassifier
from sklimb.keras.feed import PlainPlan
from sklimb.keras.replica_fit import fit_replicas
from sklimb.keras.replica_layers import copy_for_replicas
from sklimb.keras.replica_program import ReplicaProgram
from sklimb.keras.replica_steps import Epoch, steps_of_epochs

ROWS, BATCH, EPOCHS = 20_000, 64, 5
COPIES = 1, 5, 25, 100, 400
FITS = 25
REPEATS = 50
HEAD = "replicas", "trace s", "ms a step", "GFLOP/s", "of matmul", "MB"
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

NETWORK = KerasClassifier(build, batch_size=BATCH, epochs=EPOCHS, random_state=0)


def network(n_features):
    model = build({"n_features_in_": n_features})
    model.optimizer.build(model.trainable_variables)
    return copy_for_replicas(model)


def kernels(model):
    return [w.shape for w in model.trainable_variables if len(w.shape) == 2]


def flops_of_a_step(model):
    """Return the operations of a step's products: one forward, two backward."""
    return 6 * BATCH * sum(map(np.prod, kernels(model)))


def seconds_of_products(model, copies):
    """Return the time of a step's products alone."""

    def random(*shape):
        return tf.random.normal((copies, *shape))

    layers = [
        (random(BATCH, n_in), random(n_in, n_out), random(BATCH, n_out))
        for n_in, n_out in kernels(model)
    ]

    @tf.function
    def products():
        total = tf.constant(0.0)
        for _ in tf.range(REPEATS):  # so that the call itself doesn't count
            for X, kernel, gradient in layers:
                for product in (
                    tf.matmul(X, kernel),
                    tf.matmul(X, gradient, transpose_a=True),
                    tf.matmul(gradient, kernel, transpose_b=True),
                ):
                    total += product[0, 0, 0]
        return total

    products()
    return best_of(products, 3) / REPEATS


def an_epoch(copies):
    plan = PlainPlan(ROWS, BATCH, True, np.random.default_rng(0))
    return steps_of_epochs([Epoch(plan.epoch()[0], None, BATCH) for _ in range(copies)])


def row(X, y, copies):
    """Return the table's row for a number of replicas."""
    model, before = network(X.shape[1]), resident_megabytes()
    tensors = tf.constant(X), tf.constant(y.reshape(-1, 1).astype("float32"))
    program = ReplicaProgram(model, copies, tensors)
    start = perf_counter()
    program.trace()
    tracing = perf_counter() - start
    state = program.start([model.get_weights()] * copies)
    epoch = an_epoch(copies)

    def train():
        for steps in epoch:
            program.train(state, tensors, steps)

    train()
    step = best_of(train, 2) / -(-ROWS // BATCH)
    flops = copies * flops_of_a_step(model)
    alone = seconds_of_products(model, copies)
    grown = resident_megabytes() - before
    cells = tracing, 1000 * step, flops / step / 1e9, alone / step, grown
    return copies, *map(_shown, cells, (2, 2, 1, 2, 0))


def _shown(value, digits):
    return f"{value:.{digits}f}"


def growth(copies):
    X, y = data(ROWS)
    print_table(HEAD, [row(X, y, n) for n in copies])


def together():
    """Print the time of many fits, one after the other and as replicas."""
    rows = TrainingData.check(*data(ROWS))

    def fits():
        for _ in range(FITS):
            rest(fit_estimator(clone(NETWORK), rows))

    def replicas(n_jobs):
        estimators = [clone(NETWORK) for _ in range(FITS)]
        results = fit_replicas(estimators, [rows] * FITS, n_jobs=n_jobs)
        assert all(fit.estimator is not None for fit in results)

    ways = {
        "fits": fits,
        "replicas": lambda: replicas(None),
        "replicas, n_jobs=2": lambda: replicas(2),
    }
    times = {name: (best_of(f, 1), best_of(f, 1)) for name, f in ways.items()}
    head = f"{FITS} trained by", "s, first", "s, again"
    print_table(head, [(n, *(f"{t:.1f}" for t in ts)) for n, ts in times.items()])


def main(copies):
    print(f"{ROWS:,} rows, batches of {BATCH}; Keras {keras.__version__}")
    for words, threads in (("one thread", ONE_THREAD), ("its own threads", {})):
        print(f"\nTensorFlow with {words}:", flush=True)
        command = [sys.executable, "-m", "benchmarks.replicas", "growth", *copies]
        subprocess.run(command, check=True, env=os.environ | threads)
    print(f"\n{EPOCHS} epochs:", flush=True)
    together()


if __name__ == "__main__":
    if sys.argv[1:2] == ["growth"]:
        growth(list(map(int, sys.argv[2:])))
    else:
        main(sys.argv[1:] or list(map(str, COPIES)))
