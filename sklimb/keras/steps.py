"""How many training steps run in one call of the compiled program.

Keras spends about 1.5 ms of Python on each call. 50 steps a call save 98 % of
that, with the same weights and the same history to the last bit.
"""

import keras
import tensorflow as tf

from sklimb.keras._internals import is_of_keras

__all__ = ["acts_on_batches", "set_steps_per_execution", "steps_per_execution"]

# An epoch with fewer steps ends its call early, so that one traced program
# serves any number of rows.
MOST_STEPS = 50

_BATCH_HOOKS = [
    f"on_{phase}batch_{moment}"
    for phase in ("", "train_", "test_")
    for moment in ("begin", "end")
]


def steps_per_execution(compiled_steps, run_eagerly, callbacks):
    """Decide how many steps a call runs.

    Parameters
    ----------
    compiled_steps : int
        What the user compiled with; other than 1, it stays.
    run_eagerly : bool
        Eager models take one step at a time.
    callbacks : list of keras.callbacks.Callback
        One that acts on batches has to see each of them.

    Returns
    -------
    int

    Examples
    --------
    >>> from sklimb.keras.steps import steps_per_execution
    >>> steps_per_execution(1, False, [])
    50
    """
    eager = run_eagerly or tf.config.functions_run_eagerly()
    if compiled_steps != 1 or eager or any(map(acts_on_batches, callbacks)):
        return compiled_steps
    return MOST_STEPS


def acts_on_batches(callback):
    """Tell whether a callback does anything at the begin or end of a batch.

    Keras's own count only where they are set to something finer than epochs.

    Parameters
    ----------
    callback : keras.callbacks.Callback

    Returns
    -------
    bool
    """
    if is_of_keras(callback) and _works_by_epoch(callback):
        return False
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in _BATCH_HOOKS
    )


def _works_by_epoch(callback):
    if isinstance(callback, keras.callbacks.ProgbarLogger):
        return True
    finer = ("profile_batch", "write_steps_per_second")  # TensorBoard
    frequency = getattr(callback, "save_freq", getattr(callback, "update_freq", None))
    return frequency == "epoch" and not any(getattr(callback, f, 0) for f in finer)


def set_steps_per_execution(model, steps):
    """Change the number of steps of a compiled model, and drop what is stale.

    Keras reads the number while it traces, but counts batches by its current
    value: with the old program it would run one step and skip the others.

    Parameters
    ----------
    model : keras.Model
    steps : int
    """
    if model.steps_per_execution != steps:
        model.steps_per_execution = steps
        model.train_function = None
        model.test_function = None
        model.predict_function = None
