"""Many copies of one network as one traced program.

The variables of all replicas are stacked along a first axis. Forward pass, loss
and optimizer are those of the model itself, written for one replica:
``tf.vectorized_map`` makes them work on the stacks. All steps of one batch size
in an epoch are one call, so that Python is not entered in between.
"""

import logging
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from sklimb.keras._internals import seed_states
from sklimb.keras.replica_optimizer import averages, stateless_optimizer, updated

__all__ = ["NotMappedError", "ReplicaProgram", "State"]

# A random layer that draws more often in a step would repeat the next step's.
DRAWS_OF_A_STEP = 1024


class NotMappedError(RuntimeError):
    """A model's step can't be written for many replicas at once."""


class State(NamedTuple):
    """The values of all replicas' variables, each of shape (n_replicas, ...).

    Attributes
    ----------
    trainable, fixed, optimizer : list of tf.Tensor
        Of the trainable variables, of the others but for the states of random
        generators, and of the optimizer's.
    """

    trainable: list
    fixed: list
    optimizer: list


class ReplicaProgram:
    """Train and evaluate copies of one network side by side.

    Parameters
    ----------
    model : keras.Model
        Built and compiled; not changed.
    n_replicas : int
    data : tuple of (X, targets)
        Tensors, or structures of them, like those that it will run on.
    keep_outputs : bool, default=False
        Whether a run returns the network's outputs as well.

    Attributes
    ----------
    has_random_layers : bool
        Whether training depends on the epoch's seed.
    """

    def __init__(self, model, n_replicas, data, keep_outputs=False):
        self._model = model
        self._n_replicas = n_replicas
        self._keep_outputs = keep_outputs
        self._seeds = seed_states(model)
        random = set(map(id, self._seeds))
        self._fixed = [v for v in model.non_trainable_variables if id(v) not in random]
        self.has_random_layers = bool(random)
        self._optimizer = stateless_optimizer(
            model.optimizer, model.trainable_variables
        )
        self._runs = {
            training: tf.function(
                partial(self._run, training),
                input_signature=self._signature(data),
                autograph=False,
            )
            for training in (True, False)
        }

    # Values of variables

    def start(self, weights, slots=None, learning_rates=None):
        """Return the state before the first step.

        Parameters
        ----------
        weights : list of list of ndarray
            Of each replica, as ``keras.Model.get_weights`` gives them.
        slots : list of array, default=None
            Of the optimizer's variables, for all replicas; None for new ones.
        learning_rates : sequence of float, default=None
            One for each replica; None for the optimizer's own.

        Returns
        -------
        State
        """
        values = dict(
            zip(map(id, self._model.weights), zip(*weights, strict=True), strict=True)
        )
        groups = self._model.trainable_variables, self._fixed
        stacks = [[_stacked(values[id(v)], v) for v in group] for group in groups]
        slots = map(self._repeated, slots or self._optimizer.variables)
        state = State(*stacks, list(slots))
        return state if learning_rates is None else self.at_rates(state, learning_rates)

    def _repeated(self, variable):
        value = tf.convert_to_tensor(variable)
        return tf.repeat(value[None], self._n_replicas, axis=0)

    def weights_of(self, state):
        """Return the stacked values in the order of ``keras.Model.get_weights``.

        Parameters
        ----------
        state : State

        Returns
        -------
        list of ndarray of shape (n_replicas, ...)
        """
        variables = [*self._model.trainable_variables, *self._fixed]
        values = zip(map(id, variables), [*state.trainable, *state.fixed], strict=True)
        values = dict(values)
        return [values[id(weight)].numpy() for weight in self._model.weights]

    def rates_of(self, state):
        """Return the learning rates, shape (n_replicas,), or None for a schedule."""
        place = self._place_of_rate()
        return None if place is None else state.optimizer[place].numpy()

    def at_rates(self, state, learning_rates):
        """Return the state with other learning rates, one for each replica."""
        place = self._place_of_rate()
        optimizer = list(state.optimizer)
        optimizer[place] = tf.constant(learning_rates, optimizer[place].dtype)
        return state._replace(optimizer=optimizer)

    def _place_of_rate(self):
        rate = id(self._optimizer.learning_rate)
        places = [i for i, v in enumerate(self._optimizer.variables) if id(v) == rate]
        return places[0] if places else None

    def finished(self, state):
        """Return the state after the last step: with moving averages as weights."""
        if not self._optimizer.use_ema:
            return state
        return state._replace(trainable=averages(self._optimizer, state.optimizer))

    # Steps

    def trace(self):
        """Trace the steps of training without running them.

        Raises
        ------
        NotMappedError
            Where a layer or the optimizer can't be mapped over replicas.
        """
        try:
            with _errors_unlogged():
                self._runs[True].get_concrete_function()
        except Exception as error:  # of any kind
            cause = str(error).strip().split("\n")[0]
            raise NotMappedError(
                f"TensorFlow can't map the model over replicas: {cause}"
            ) from error

    def train(self, state, data, steps, seed=0):
        """Run steps of training.

        Parameters
        ----------
        state : State
        data : tuple of (X, targets)
            All rows.
        steps : Steps
        seed : int or sequence of int, default=0
            Of the epoch, for random layers.

        Returns
        -------
        state : State
        loss : ndarray of shape (n_replicas,)
            Sum over the steps of the batch's loss times its rows.
        outputs : ndarray of shape (n_steps, n_replicas, batch_size, ...), or None
        """
        return self._called(True, state, data, steps, seed)

    def evaluate(self, state, data, steps):
        """Run steps of evaluation: as :meth:`train`, with the state as it is."""
        return self._called(False, state, data, steps, 0)[1:]

    def _called(self, training, state, data, steps, seed):
        seeds = _seeds_of_steps(seed, steps.numbers, len(self._seeds))
        arrays = map(tf.constant, (steps.rows, steps.weight, steps.active, seeds))
        state, loss, outputs = self._runs[training](state, *data, *arrays)
        return state, loss.numpy(), outputs.numpy() if self._keep_outputs else None

    def _signature(self, data):
        def stacked(variable):
            return tf.TensorSpec([self._n_replicas, *variable.shape], variable.dtype)

        def any_rows(values):
            return tf.TensorSpec([None, *values.shape[1:]], values.dtype)

        groups = self._model.trainable_variables, self._fixed, self._optimizer.variables
        steps = [None, self._n_replicas]
        return (
            State(*([stacked(v) for v in group] for group in groups)),
            *tf.nest.map_structure(any_rows, data),
            tf.TensorSpec([*steps, None], tf.int32),
            tf.TensorSpec([*steps, None], tf.float32),
            tf.TensorSpec(steps, tf.bool),
            tf.TensorSpec([None, len(self._seeds), 2], tf.int64),
        )

    def _run(self, training, state, X, targets, rows, weight, active, seeds):
        """Loop over the steps; the arrays' first axis is the step."""
        n_steps = tf.shape(rows)[0]

        def step(i, state, total, kept):
            taken = tf.nest.map_structure(lambda a: tf.gather(a, rows[i]), (X, targets))
            batch = (*taken, weight[i])
            seed = tf.unstack(seeds[i], num=len(self._seeds))
            act = self._trained if training else self._evaluated
            new, loss, outputs = act(state, batch, seed)
            if training:
                state = _only_active(active[i], new, state)
            share = tf.where(active[i], loss, 0) * _n_rows(rows[i])
            return i + 1, state, total + share, self._keep(kept, i, outputs)

        _, state, total, kept = tf.while_loop(
            lambda i, *_: i < n_steps,
            step,
            (0, state, tf.zeros(self._n_replicas), self._room(n_steps)),
            parallel_iterations=1,
        )
        return state, total, kept.stack() if self._keep_outputs else kept

    def _room(self, n_steps):
        """Return a TensorArray for the outputs, or a constant in place of one."""
        if not self._keep_outputs:
            return tf.constant(0)
        return tf.TensorArray(tf.float32, n_steps, infer_shape=False)

    def _keep(self, kept, step, outputs):
        if not self._keep_outputs:
            return kept
        return kept.write(step, tf.cast(outputs, tf.float32))

    def _trained(self, state, batch, seeds):
        with tf.GradientTape() as tape:  # inside of the map, LSTM fails
            tape.watch(state.trainable)
            loss, outputs, fixed = self._outcome(True, state, batch, seeds)
        gradients = [
            tf.convert_to_tensor(g) for g in tape.gradient(loss, state.trainable)
        ]
        optimizer, variables = self._optimizer, self._model.trainable_variables
        trainable, slots = _for_each_replica(
            lambda values: updated(optimizer, variables, *values),
            (gradients, state.trainable, state.optimizer),
        )
        return State(trainable, fixed, slots), loss, outputs

    def _evaluated(self, state, batch, seeds):
        loss, outputs, _ = self._outcome(False, state, batch, seeds)
        return state, loss, outputs

    def _outcome(self, training, state, batch, seeds):
        """Return each replica's loss, outputs and new fixed variables."""
        model = self._model

        def forward(values):
            trainable, fixed, X, targets, weight = values
            mapping = [
                *zip(model.trainable_variables, trainable, strict=True),
                *zip(self._fixed, fixed, strict=True),
                *zip(self._seeds, seeds, strict=True),
            ]
            with keras.StatelessScope(mapping, collect_losses=True) as scope:
                outputs = model(X, training=training)
                loss = model.compute_loss(X, targets, outputs, weight)
            fixed = [scope.get_current_value(v) for v in self._fixed]
            return tf.cast(loss, tf.float32), outputs, fixed

        return _for_each_replica(forward, (state.trainable, state.fixed, *batch))


def _stacked(values, variable):
    return tf.constant(np.stack(values), variable.dtype)


@contextmanager
def _errors_unlogged():
    # What can't be mapped is logged, over pages, before it is raised.
    logger = tf.get_logger()
    logger.addFilter(_is_no_error)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_error)


def _is_no_error(record):
    return record.levelno < logging.ERROR


def _for_each_replica(function, values):
    return tf.vectorized_map(function, values, fallback_to_while_loop=False)


def _n_rows(rows):
    return tf.cast(tf.shape(rows)[-1], tf.float32)


def _only_active(active, new, old):
    """Return the new values of the replicas that have this step."""

    def chosen(new, old):
        mask = tf.reshape(active, [-1] + [1] * (old.shape.rank - 1))
        return tf.where(mask, new, old)

    def masked():
        return tf.nest.map_structure(chosen, new, old)

    new = tf.nest.map_structure(lambda n, o: tf.ensure_shape(n, o.shape), new, old)
    return tf.cond(tf.reduce_all(active), lambda: new, masked)


def _seeds_of_steps(seed, numbers, n_generators):
    """Return the states of the random generators, shape (n_steps, n_generators, 2).

    A replica's depend on the epoch's seed and on the number of its step alone.
    """
    random = np.random.default_rng(seed)
    seeds = np.empty((len(numbers), n_generators, 2), dtype=np.int64)
    seeds[..., 0] = random.integers(2**31 - 1, size=n_generators)
    seeds[..., 1] = numbers[:, None] * DRAWS_OF_A_STEP
    return seeds
