"""Programs of replicas, here or in other processes, through joblib.

TensorFlow's threads cost a small network more than they give: a process of its
own with a single thread trains twice as much on one core. Which process runs a
program makes no difference to its results.
"""

import logging
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from sklimb.keras._internals import isolated
from sklimb.keras.replicas import NotMappedError, train_replicas

__all__ = ["Program", "run_programs"]

# A worker may be lost by chance once; after that, this process is left.
ATTEMPTS = 2

_logger = logging.getLogger(__name__)


class Program(NamedTuple):
    """Replicas to train together.

    Attributes
    ----------
    model : keras.Model
        Built and compiled.
    X : array, or a dict or tuple of them
        All rows.
    targets : ndarray of shape (n_rows, ...)
    jobs : list of ReplicaJob
    """

    model: keras.Model
    X: Any
    targets: np.ndarray
    jobs: list


class _Network(NamedTuple):
    """A model without its values, for another process."""

    kind: type
    config: dict
    compiled: dict
    floatx: str

    @classmethod
    def of(cls, model):
        configs = model.get_config(), model.get_compile_config()
        return cls(type(model), *configs, keras.config.floatx())

    def built(self):
        keras.config.set_floatx(self.floatx)
        with isolated():
            model = self.kind.from_config(self.config)
            model.compile_from_config(self.compiled)
        return model


def run_programs(programs, n_jobs=None, worth_workers=True):
    """Run programs, in other processes where joblib has some and they pay.

    Parameters
    ----------
    programs : list of Program
    n_jobs : int, default=None
        As in joblib.
    worth_workers : bool, default=True
        Whether they take longer than the start of a process.

    Yields
    ------
    place : int
        Of a program in the list, in any order.
    outcome : list of TrainedReplica, or NotMappedError
        The same wherever it ran.
    """
    left = dict(enumerate(programs))
    if worth_workers and len(programs) > 1 and effective_n_jobs(n_jobs) > 1:
        for _ in range(ATTEMPTS):
            yield from _elsewhere(left, n_jobs)
    for place, program in left.items():
        yield place, _outcome(program)


def _elsewhere(left, n_jobs):
    """Yield what workers give, and take it off the programs that are left."""
    try:
        for place, outcome in _from_workers(dict(left), n_jobs) if left else ():
            del left[place]
            yield place, outcome
    except Exception as error:  # a worker was killed, or something has no pickle
        _logger.warning("%d programs are run again: %r", len(left), error)


def _from_workers(programs, n_jobs):
    lazily = get_active_backend()[0].supports_return_generator
    parallel = Parallel(
        n_jobs, return_as="generator_unordered" if lazily else "list", batch_size=1
    )
    networks = {id(p.model): _Network.of(p.model) for p in programs.values()}
    # joblib maps an array into all workers, but a cast in each would be a copy.
    data = {id(p.X): tf.nest.map_structure(_as_floatx, p.X) for p in programs.values()}
    # As one argument: arrays would be lost with the one worker whom Dask gives them.
    return parallel(
        delayed(_in_worker)((place, networks[id(model)], data[id(X)], targets, jobs))
        for place, (model, X, targets, jobs) in programs.items()
    )


def _as_floatx(array):
    return (
        np.asarray(array, keras.config.floatx()) if array.dtype.kind == "f" else array
    )


def _in_worker(task):
    place, network, X, targets, jobs = task
    _use_one_thread()
    return place, _outcome(Program(network.built(), X, targets, jobs))


def _use_one_thread():
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # this process has run TensorFlow before
        return


def _outcome(program):
    try:
        return train_replicas(*program)
    except NotMappedError as error:
        return error
