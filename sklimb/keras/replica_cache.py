"""Traced programs, used again.

Tracing takes most of a second and leaves memory behind that nothing gives back.
Programs differ in the structure of their network, the number of replicas and the
kind of data; all else are values, so that the next search of the same kind runs
the programs of the one before.
"""

import threading
from contextlib import contextmanager

import tensorflow as tf

from sklimb.keras._internals import isolated
from sklimb.keras.pool import pool_key
from sklimb.keras.replica_epochs import EpochMetrics
from sklimb.keras.replica_layers import copy_for_replicas
from sklimb.keras.replica_program import ReplicaProgram

__all__ = ["ProgramCache", "TracedNetwork", "default_programs"]

MOST_PROGRAMS = 8


class TracedNetwork:
    """A network with its program for some number of replicas.

    Parameters
    ----------
    model : keras.Model
        Built and compiled; nobody else's.
    n_replicas : int
    data : tuple of (X, targets)
        Tensors, or structures of them, like those that it will run on.

    Attributes
    ----------
    program : ReplicaProgram
        Traced.
    metrics : EpochMetrics or None
        None where the loss is all that is measured.

    Raises
    ------
    NotMappedError
        Where a layer can't be mapped over replicas.
    """

    def __init__(self, model, n_replicas, data):
        measures = len(model.metrics) > 1  # more than the loss
        self.model = model
        self.metrics = EpochMetrics(model) if measures else None
        self.program = ReplicaProgram(model, n_replicas, data, keep_outputs=measures)
        self.program.trace()


class ProgramCache:
    """Traced networks that nobody runs, the latest few of them.

    Safe to use from several threads.

    Parameters
    ----------
    most_programs : int, default=8
        How many are kept; 0 switches the cache off.

    Examples
    --------
    >>> from sklimb.keras.replica_cache import default_programs
    >>> default_programs.clear()
    >>> len(default_programs)
    0
    """

    def __init__(self, most_programs=MOST_PROGRAMS):
        self.most_programs = most_programs
        self._idle = []  # (key, network), the latest last
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._idle)

    def clear(self):
        """Forget all idle programs."""
        with self._lock:
            self._idle.clear()

    @contextmanager
    def lent(self, model, n_replicas, data):
        """Lend a network like ``model``, for as long as the context lasts.

        Parameters
        ----------
        model : keras.Model
            Built and compiled.
        n_replicas : int
        data : tuple of (X, targets)

        Yields
        ------
        TracedNetwork
        """
        structure = pool_key(model)
        if structure is None:
            yield TracedNetwork(model, n_replicas, data)
            return
        key = structure, n_replicas, _signature(data)
        network = self._take(key) or _traced_copy(model, n_replicas, data)
        yield network
        self._give_back(key, network)  # not after an error

    def _take(self, key):
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == key:
                    return self._idle.pop(place)[1]
        return None

    def _give_back(self, key, network):
        with self._lock:
            self._idle.append((key, network))
            del self._idle[: -self.most_programs or None]


def _traced_copy(model, n_replicas, data):
    with isolated():  # its metrics have the names that they would have alone
        copy = copy_for_replicas(model)
    return TracedNetwork(copy, n_replicas, data)


def _signature(data):
    """Return all that a program knows of its data."""

    def described(tensor):
        return f"{tensor.dtype.name}{tensor.shape[1:]}"

    return str(tf.nest.map_structure(described, data))


default_programs = ProgramCache()
