"""Which jobs train together, and whether that pays.

All of it depends on the jobs alone, never on cores, free memory or ``n_jobs``: the
last digits of a replica's numbers depend on how many train beside it.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from sklimb.keras.prediction import activations

__all__ = ["Work", "cut", "most_replicas", "pays", "seconds"]

# Measured with networks of 16 to 256-256 units: tracing a program takes as long as
# 1500 steps of `fit`, and each `fit` as long as 150 steps besides its own.
STEPS_OF_TRACING = 1500
STEPS_OF_A_FIT = 150

# Time for each replica falls up to the one, and by a quarter from the other on; two
# programs keep two cores at work.
MOST_REPLICAS = 25
ENOUGH_REPLICAS = 8
MEMORY_BUDGET = 2**30

# Starting a process that imports TensorFlow takes 3 to 8 seconds.
SECONDS_OF_WORKERS = 5.0
SECONDS_OF_A_STEP = 3e-5
SECONDS_OF_A_PRODUCT = 1e-10  # of a row with a weight, backwards too


class Work(NamedTuple):
    """How much one job has to do.

    Attributes
    ----------
    epochs : int
    rows : int
        Of an epoch.
    batch_size : int
    """

    epochs: int
    rows: int
    batch_size: int

    @property
    def steps(self):
        """Steps of training."""
        return self.epochs * math.ceil(self.rows / self.batch_size)


def pays(works):
    """Tell whether training jobs as replicas is worth tracing a program.

    Parameters
    ----------
    works : list of Work

    Returns
    -------
    bool

    Examples
    --------
    >>> from sklimb.keras.replica_plan import Work, pays
    >>> pays([Work(epochs=1, rows=320, batch_size=32)] * 3)
    False
    >>> pays([Work(epochs=10, rows=3_200, batch_size=32)] * 3)
    True
    """
    steps = sum(work.steps + STEPS_OF_A_FIT for work in works)
    return steps >= STEPS_OF_TRACING


def seconds(model, works):
    """Estimate how long one core needs to train replicas.

    Parameters
    ----------
    model : keras.Model
        Built.
    works : list of Work

    Returns
    -------
    float
    """
    n_weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    return sum(
        work.steps * SECONDS_OF_A_STEP
        + work.epochs * work.rows * n_weights * SECONDS_OF_A_PRODUCT
        for work in works
    )


def most_replicas(model, works):
    """Return how many replicas may train at once.

    The variables of each are there twice in a step, with their gradients and what
    the optimizer keeps of them, and so are the activations of a batch; its rows'
    numbers, weights and outputs in an epoch. All together take at most
    ``MEMORY_BUDGET`` bytes.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.
    works : list of Work

    Returns
    -------
    int
        From 1 to ``MOST_REPLICAS``.
    """
    variables = 3 * _bytes(model.variables) + 2 * _bytes(model.optimizer.variables)
    inputs, outputs = map(_numbers_of_a_row, (model.inputs, model.outputs))
    batch = works[0].batch_size * 2 * activations(model, inputs)
    epoch = max(work.rows for work in works) * 2 * (2 + outputs)
    of_a_replica = variables + 4 * (batch + epoch)
    return int(np.clip(MEMORY_BUDGET // of_a_replica, 1, MOST_REPLICAS))


def _numbers_of_a_row(tensors):
    return sum(math.prod(n or 1 for n in t.shape[1:]) for t in tf.nest.flatten(tensors))


def _bytes(variables):
    return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables)


def cut(places, most, spread=True):
    """Cut jobs into programs of about the same number of replicas.

    Parameters
    ----------
    places : list
    most : int
        Jobs of a program.
    spread : bool, default=True
        Whether there should be two where there are enough jobs, for two processes.

    Returns
    -------
    list of list

    Examples
    --------
    >>> from sklimb.keras.replica_plan import cut
    >>> [len(part) for part in cut(range(25), 25)]
    [13, 12]
    """
    wanted = min(2, len(places) // ENOUGH_REPLICAS) if spread else 1
    n_parts = max(math.ceil(len(places) / most), wanted)
    return [list(part) for part in np.array_split(places, n_parts)]
