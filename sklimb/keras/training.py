"""Train a compiled model on batches, and stop when it isn't finite."""

import keras
import numpy as np
import tensorflow as tf

from sklimb.exceptions import NonFiniteModelError
from sklimb.keras._internals import is_of_keras, isolated
from sklimb.keras.feed import Feed
from sklimb.keras.steps import set_steps_per_execution, steps_per_execution

__all__ = ["fit_quietly", "leaves_model_alone"]

# They change nothing of a model but what a next fit sets anew.
_HARMLESS_CALLBACKS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,
    keras.callbacks.History,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.ProgbarLogger,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
)


def fit_quietly(
    network, training, validation, callbacks, seed, description, **fit_args
):
    """Train a network by ``keras.Model.fit``, leaving nothing behind in the process.

    Parameters
    ----------
    network : CompiledNetwork
    training : Feed
    validation : Feed, tuple of arrays, or None
    callbacks : list of keras.callbacks.Callback
    seed : int or None
    description : str
        What an error tells of the training beside epoch and learning rate.
    **fit_args
        For ``keras.Model.fit``.

    Returns
    -------
    dict of str to list
        The history.

    Raises
    ------
    NonFiniteModelError
        If the loss is nan or infinite after an epoch.
    """
    model = network.model
    network.may_have_changed = True
    callbacks = tf.nest.flatten(callbacks)
    guard = FiniteLossGuard(description)
    try:
        with isolated(seed):
            set_steps_per_execution(
                model,
                steps_per_execution(
                    network.compiled_steps, model.run_eagerly, callbacks
                ),
            )
            if isinstance(validation, Feed):
                validation = validation.dataset()
            return model.fit(
                x=training.dataset(seed),
                validation_data=validation,
                shuffle=False,  # the feed does that
                callbacks=[*callbacks, guard],
                **fit_args,
            ).history
    except tf.errors.OpError as error:
        raise training.error_behind(error) from None
    finally:
        training.close()
        for callback in filter(is_of_keras, callbacks):
            callback.set_model(None)  # a clone of it would copy the model


def leaves_model_alone(callbacks):
    """Tell whether all callbacks neither keep a model nor change it for good."""
    return all(type(c) in _HARMLESS_CALLBACKS for c in tf.nest.flatten(callbacks))


class FiniteLossGuard(keras.callbacks.Callback):
    """Stop the training by an error when an epoch's loss isn't finite."""

    def __init__(self, description):
        super().__init__()
        self._description = description

    def on_epoch_end(self, epoch, logs=None):
        """Look at the losses of the epoch."""
        for name in ("loss", "val_loss"):
            value = (logs or {}).get(name, 0.0)
            if not np.isfinite(value):
                raise NonFiniteModelError(
                    f"`model`: {name} is {value} in epoch {epoch + 1}{self._rate()}, "
                    f"{self._description}. {REMEDY}"
                )

    def _rate(self):
        rate = self.model.optimizer.learning_rate
        return f", learning rate {float(rate):.3g}" if hasattr(rate, "numpy") else ""


REMEDY = (
    "Likely the steps are too large: scale the inputs (StandardScaler), lower the "
    "learning rate or the class weights, or clip gradients (the optimizer's "
    "`clipnorm`)."
)
