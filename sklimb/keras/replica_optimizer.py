"""Optimizers as functions: new values of variables from gradients and old ones.

Keras offers that as ``stateless_apply``, but not on TensorFlow, where an
optimizer's updates are made for variables that ``tf.distribute`` spreads over
devices. Keras's general updates, which those replace, work on any tensors: so
inside ``tf.vectorized_map`` every replica has its own norms, number of steps and
learning rate.
"""

import keras
from keras.src.backend.tensorflow.optimizer import TFOptimizer
from keras.src.optimizers.base_optimizer import BaseOptimizer

from sklimb.keras._internals import is_of_keras

__all__ = ["averages", "stateless_optimizer", "updated", "why_not_stateless"]


# What Keras's optimizers have anew for TensorFlow, as it is for any tensors.
_General = type(
    "_General",
    (keras.Optimizer,),
    {
        name: method
        for name, method in vars(BaseOptimizer).items()
        if name in vars(TFOptimizer) and not name.startswith("__")
    },
)


def why_not_stateless(optimizer):
    """Tell why an optimizer can't be a function, or return None.

    Parameters
    ----------
    optimizer : keras.Optimizer

    Returns
    -------
    str or None
    """
    name = type(optimizer).__name__
    if not is_of_keras(optimizer):
        return f"the optimizer {name} is not Keras's own"
    if "apply" in vars(type(optimizer)):
        return f"the optimizer {name} calls others, or scales losses"
    settings = ("loss_scale_factor", "gradient_accumulation_steps")
    if optimizer.use_ema:  # else it has a value without a meaning
        settings += ("ema_overwrite_frequency",)
    for setting in settings:
        if getattr(optimizer, setting) is not None:
            return f"the optimizer {name} has a `{setting}`"
    return None


def stateless_optimizer(optimizer, variables):
    """Return a copy of an optimizer that :func:`updated` takes.

    Parameters
    ----------
    optimizer : keras.Optimizer
    variables : list of keras.Variable
        Those that it will change.

    Returns
    -------
    keras.Optimizer
        Built; its variables have their first values.
    """
    kind = type(optimizer)
    # In between its own methods and those for TensorFlow, which these may call.
    copy = type(kind.__name__, (kind, _General), {}).from_config(optimizer.get_config())
    copy.build(variables)
    return copy


def updated(optimizer, variables, gradients, values, state):
    """Return the values after a step of training.

    Parameters
    ----------
    optimizer : keras.Optimizer
        From :func:`stateless_optimizer`.
    variables : list of keras.Variable
        Those that it was made for.
    gradients, values : list of tf.Tensor
        One for each of ``variables``.
    state : list of tf.Tensor
        One for each of the optimizer's variables.

    Returns
    -------
    values, state : list of tf.Tensor
    """
    variables_of_all = [*variables, *optimizer.variables]
    mapping = zip(variables_of_all, [*values, *state], strict=True)
    with keras.StatelessScope(state_mapping=mapping) as scope:
        optimizer.apply(list(gradients))
    return [
        [scope.get_current_value(v) for v in part]
        for part in (variables, optimizer.variables)
    ]


def averages(optimizer, state):
    """Return the moving averages that become the weights after the training.

    Parameters
    ----------
    optimizer : keras.Optimizer
        From :func:`stateless_optimizer`, with ``use_ema=True``.
    state : list of tf.Tensor

    Returns
    -------
    list of tf.Tensor
        One for each variable.
    """
    values = dict(zip(map(id, optimizer.variables), state, strict=True))
    return [values[id(v)] for v in optimizer._model_variables_moving_average]
