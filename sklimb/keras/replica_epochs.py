"""What follows an epoch of each replica: its metrics, and Keras's own callbacks."""

import keras
import numpy as np
import tensorflow as tf

from sklimb.keras._internals import isolated
from sklimb.keras.training import FiniteLossGuard

__all__ = ["CALLBACKS", "CALLBACKS_THAT_SET_RATES", "EpochMetrics", "Replica"]

# They see a model's losses, weights and learning rate, once an epoch.
CALLBACKS_THAT_SET_RATES = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)
CALLBACKS = (
    FiniteLossGuard,
    keras.callbacks.EarlyStopping,
    *CALLBACKS_THAT_SET_RATES,
)


class EpochMetrics:
    """A model's metrics of all rows of an epoch.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    """

    def __init__(self, model):
        self._model = model
        self._compute = None

    def __call__(self, targets, outputs, weight):
        """Return the metrics by name, without the loss.

        Parameters
        ----------
        targets, outputs : ndarray of shape (n_rows, ...)
        weight : ndarray of shape (n_rows,)
        """
        rows = targets, outputs, weight
        if self._compute is None:
            with isolated():  # they get the names that they would have alone
                self._of_rows(*(tf.constant(part[:1]) for part in rows))
            self._compute = self._traced(rows)
        self._model.reset_metrics()
        values = self._compute(*map(tf.constant, rows))
        return {name: float(v) for name, v in values.items() if name != "loss"}

    def _traced(self, rows):
        specs = [tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in rows]
        return tf.function(self._of_rows, input_signature=specs, autograph=False)

    def _of_rows(self, targets, outputs, weight):
        return self._model.compute_metrics(None, targets, outputs, weight)


class Replica:
    """One of many networks, as Keras's callbacks see a model.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
        Of the kinds in ``CALLBACKS``.
    metrics : list of keras.Metric
        The model's.
    learning_rate : float
    get_weights : callable
        Returns the present weights.

    Attributes
    ----------
    stop_training : bool
    history : dict of str to list
    error : Exception or None
        What a callback raised; it ends the training of this replica alone.
    restored : list of ndarray or None
        The weights that a callback wants in the end.
    """

    def __init__(self, callbacks, metrics, learning_rate, get_weights):
        self.metrics = metrics
        self.optimizer = _Rate(learning_rate)
        self.get_weights = get_weights
        self.stop_training = False
        self.history = {}
        self.error = None
        self.restored = None
        self._callbacks = callbacks
        for callback in callbacks:
            callback.set_model(self)

    def set_weights(self, weights):
        """Take the weights of an earlier epoch."""
        self.restored = weights

    def call(self, moment, *args):
        """Call all callbacks at one moment, such as ``"on_epoch_begin"``."""
        try:
            for callback in self._callbacks:
                getattr(callback, moment)(*args)
        except Exception as error:
            self.error = error
            self.stop_training = True

    def end_epoch(self, epoch, logs):
        """Call the callbacks, and add to the history."""
        self.call("on_epoch_end", epoch, logs)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def end(self):
        """Call the callbacks for the last time, and let them go."""
        self.call("on_train_end")
        for callback in self._callbacks:
            callback.set_model(None)


class _Rate:
    """The part of an optimizer that callbacks read and set."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    @property
    def learning_rate(self):
        return self._value

    @learning_rate.setter
    def learning_rate(self, value):
        self._value = tf.constant(np.nan if value is None else value, tf.float32)
