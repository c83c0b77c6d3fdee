"""Train many copies of one Keras network together, each as if it were alone.

Keras spends more time on Python than on the arithmetic of a small network. Here
all copies take their steps in one program, each on rows, weights, learning rate
and callbacks of its own.
"""

from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from sklimb.keras._internals import all_layers, is_of_keras, seed_states
from sklimb.keras.batches import BalancedPlan
from sklimb.keras.feed import PlainPlan
from sklimb.keras.pool import is_plain_config
from sklimb.keras.prediction import as_batch
from sklimb.keras.replica_cache import default_programs
from sklimb.keras.replica_epochs import CALLBACKS, CALLBACKS_THAT_SET_RATES, Replica
from sklimb.keras.replica_optimizer import why_not_stateless
from sklimb.keras.replica_program import NotMappedError
from sklimb.keras.replica_steps import Epoch, steps_of_epochs

__all__ = [
    "NotMappedError",
    "ReplicaJob",
    "TrainedReplica",
    "train_replicas",
    "why_not",
]


@dataclass(frozen=True)
class ReplicaJob:
    """One network to train.

    Attributes
    ----------
    weights : list of ndarray
        To start with, as ``keras.Model.get_weights`` gives them.
    plan : PlainPlan or BalancedPlan
        Which places each epoch takes.
    rows : ndarray of shape (n_places,), int, or None
        The row of ``X`` at each place; None for the same number.
    weight : ndarray of shape (n_places,) or None
        What each place counts in the loss, class weights included.
    epochs : int
    seed : int
        For random layers.
    learning_rate : float or None
        None for the compiled optimizer's.
    validation : Epoch or None
        Rows held out.
    callbacks : sequence of keras.callbacks.Callback
    """

    weights: list
    plan: PlainPlan | BalancedPlan
    rows: np.ndarray | None = None
    weight: np.ndarray | None = None
    epochs: int = 1
    seed: int = 0
    learning_rate: float | None = None
    validation: Epoch | None = None
    callbacks: tuple = ()

    def next_epoch(self):
        """Draw the rows of the next epoch."""
        places, _ = self.plan.epoch()
        return Epoch(
            places if self.rows is None else self.rows[places],
            None if self.weight is None else self.weight[places],
            self.plan.batch_size,
        )

    def resting(self):
        """Return a job like this without anything to do, to fill a program."""
        return replace(self, epochs=0, validation=None, callbacks=())


@dataclass(frozen=True)
class TrainedReplica:
    """What a :class:`ReplicaJob` gave.

    Attributes
    ----------
    weights : list of ndarray
        For ``keras.Model.set_weights``.
    history : dict of str to list
        As ``keras.Model.fit`` gives it.
    error : Exception or None
        What ended the training, such as a loss that isn't finite.
    """

    weights: list
    history: dict
    error: Exception | None = None


def why_not(model, callbacks=()):
    """Tell why replicas of a model have to be trained by ``keras.Model.fit``.

    Whether its layers can be mapped over replicas shows only when they are
    traced: :func:`train_replicas` raises then.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.
    callbacks : sequence of keras.callbacks.Callback

    Returns
    -------
    str or None
        None where :func:`train_replicas` takes them.

    Examples
    --------
    >>> import keras
    >>> from sklimb.keras.replicas import why_not
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse", run_eagerly=True)
    >>> why_not(model)
    'the model runs eagerly'
    """
    for method in ("train_step", "test_step", "compute_metrics"):
        if not is_of_keras(getattr(type(model), method)):
            return f"the model has a `{method}` of its own"
    if model.run_eagerly:
        return "the model runs eagerly"
    reasons = [why_not_stateless(model.optimizer), _why_not_metrics(model)]
    reasons += [_why_not_callback(callback, model.optimizer) for callback in callbacks]
    return next(filter(None, reasons), None)


def _why_not_metrics(model):
    compiled = model.get_compile_config() or {}
    own = [compiled.get("metrics"), compiled.get("weighted_metrics")]
    if not is_plain_config(own):  # it may not add up over batches
        return "the model is compiled with a metric that is not Keras's own"
    layers = [layer for layer in all_layers(model) if layer is not model]
    if any(layer.metrics for layer in layers):
        return "a layer has metrics of its own"
    return None


def _why_not_callback(callback, optimizer):
    name = type(callback).__name__
    if type(callback) not in CALLBACKS:
        return f"the callback {name} may look at more than an epoch's losses"
    by_schedule = not isinstance(optimizer.learning_rate, keras.Variable)
    if by_schedule and type(callback) in CALLBACKS_THAT_SET_RATES:
        return f"the callback {name} sets a learning rate that follows a schedule"
    return None


def train_replicas(model, X, targets, jobs):
    """Train copies of a network side by side.

    Parameters
    ----------
    model : keras.Model
        Built and compiled, with layers that :func:`why_not` has nothing against.
        Only its metrics are used; its weights stay.
    X : array, sparse matrix, or a dict, list or tuple of them
        All rows.
    targets : ndarray of shape (n_rows, ...)
        As the loss takes them.
    jobs : list of ReplicaJob
        Random layers draw alike for all: their jobs need one ``seed``.

    Returns
    -------
    list of TrainedReplica
        One for each job. It does not depend on the others but for the last
        digits of its numbers.

    Raises
    ------
    ValueError
        If the model has random layers, and the jobs several seeds.
    NotMappedError
        Where a layer can't be mapped over replicas.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from sklimb.keras.feed import PlainPlan
    >>> from sklimb.keras.replicas import ReplicaJob, train_replicas
    >>> X = np.arange(8.0).reshape(8, 1)
    >>> targets = (X > 3).astype("float32")
    >>> layers = [keras.layers.Input((1,)), keras.layers.Dense(1, "sigmoid")]
    >>> model = keras.Sequential(layers)
    >>> model.compile("sgd", "binary_crossentropy")
    >>> start = [np.zeros((1, 1)), np.zeros(1)]
    >>> jobs = [
    ...     ReplicaJob(start, PlainPlan(8, 4), epochs=3, learning_rate=rate)
    ...     for rate in (0.01, 0.1)
    ... ]
    >>> slow, fast = train_replicas(model, X, targets, jobs)
    >>> fast.history["loss"][-1] < slow.history["loss"][-1]
    True
    """
    if seed_states(model) and len({job.seed for job in jobs}) > 1:
        raise ValueError(
            "`jobs` have several seeds, but random layers draw alike for all of "
            "them. Train the jobs of each seed on their own."
        )
    data = as_batch(X), tf.constant(targets)
    with default_programs.lent(model, len(jobs), data) as network:
        return _Training(network, model.optimizer, data, jobs).run()


class _Training:
    """The state of a training, epoch after epoch."""

    def __init__(self, network, optimizer, data, jobs):
        self._jobs = jobs
        self._data = data
        self._targets = data[1].numpy()
        self._metrics = network.metrics
        self._program = network.program
        rates = _rates(optimizer, jobs)
        # A model may come with an optimizer that has trained before.
        slots = optimizer.variables if optimizer.built else None
        self._state = self._program.start([job.weights for job in jobs], slots, rates)
        self._stacks = None
        self._held_out = steps_of_epochs([job.validation for job in jobs])
        self._replicas = [
            Replica(
                job.callbacks,
                network.model.metrics,
                None if rates is None else rates[place],
                partial(self._weights, place),
            )
            for place, job in enumerate(jobs)
        ]

    def _weights(self, place):
        if self._stacks is None:
            self._stacks = self._program.weights_of(self._state)
        return [stack[place] for stack in self._stacks]

    def run(self):
        """Train all replicas to their ends."""
        for replica in self._replicas:
            replica.call("on_train_begin")
        for epoch in range(max(job.epochs for job in self._jobs)):
            running = self._running(epoch)
            if not running:
                break
            self._run_epoch(epoch, running)
        return self._finish()

    def _running(self, epoch):
        return [
            place
            for place, (job, replica) in enumerate(
                zip(self._jobs, self._replicas, strict=True)
            )
            if epoch < job.epochs and not replica.stop_training
        ]

    def _run_epoch(self, epoch, running):
        for place in running:
            self._replicas[place].call("on_epoch_begin", epoch)
        self._set_rates()
        logs = self._train(epoch, running)
        held_out = self._validate(running)
        for place in running:
            values = logs[place] | {f"val_{k}": v for k, v in held_out[place].items()}
            self._replicas[place].end_epoch(epoch, values)

    def _set_rates(self):
        if self._program.rates_of(self._state) is not None:
            rates = [float(r.optimizer.learning_rate) for r in self._replicas]
            self._state = self._program.at_rates(self._state, rates)

    def _train(self, epoch, running):
        drawn = [
            job.next_epoch() if place in running else None
            for place, job in enumerate(self._jobs)
        ]
        seed, parts = [self._jobs[0].seed, epoch], []
        for steps in steps_of_epochs(drawn):
            self._state, *results = self._program.train(
                self._state, self._data, steps, seed
            )
            parts.append((steps, *results))
        self._stacks = None
        return self._logs(parts, running)

    def _validate(self, running):
        parts = [
            (steps, *self._program.evaluate(self._state, self._data, steps))
            for steps in self._held_out
        ]
        return self._logs(parts, running)

    def _logs(self, parts, running):
        """Return the loss and metrics of each running replica that had steps."""
        totals = sum(loss for _, loss, _ in parts)
        n_rows = sum(s.active.sum(axis=0) * s.rows.shape[2] for s, *_ in parts)
        return {
            place: {"loss": float(totals[place] / n_rows[place])}
            | self._measured(parts, place)
            if parts and n_rows[place]
            else {}
            for place in running
        }

    def _measured(self, parts, place):
        if self._metrics is None:
            return {}
        rows, weight, outputs = (
            np.concatenate(values)
            for values in zip(
                *(_of_replica(part, place) for part in parts), strict=True
            )
        )
        return self._metrics(self._targets[rows], outputs, weight)

    def _finish(self):
        self._state, self._stacks = self._program.finished(self._state), None
        for replica in self._replicas:
            replica.end()
        return [
            TrainedReplica(
                self._weights(place) if r.restored is None else r.restored,
                r.history,
                r.error,
            )
            for place, r in enumerate(self._replicas)
        ]


def _rates(optimizer, jobs):
    """Return each job's learning rate, or None where a schedule sets them."""
    own = optimizer.learning_rate
    if not isinstance(own, keras.Variable):
        return None
    rates = [job.learning_rate for job in jobs]
    return [float(own) if rate is None else rate for rate in rates]


def _of_replica(part, place):
    """Return the rows, weights and outputs of one replica's steps."""
    steps, _, outputs = part
    active = steps.active[:, place]
    of_steps = (a[active, place] for a in (steps.rows, steps.weight, outputs))
    return [values.reshape(-1, *values.shape[2:]) for values in of_steps]
