"""Correction and calibration as the last layers of a network.

Both are ``log p' = log_softmax(scale * log p + bias)``. With one scale for all
classes that is affine in the logits, so it goes into the kernel and bias of the
last Dense layer; scales of each class need the log-probabilities, and one more
layer.
"""

import keras
import numpy as np

from sklimb.keras._internals import producer

__all__ = ["folded", "last_layers", "merged"]

# A class of prior 0 has the bias -inf; so much is as good, and can be calculated with.
IMPOSSIBLE = 1e30

# What gives logits where an activation gives probabilities.
_OF_LOGITS = {"sigmoid": "linear", "softmax": "log_softmax"}

_LINKS = {keras.activations.sigmoid: "sigmoid", keras.activations.softmax: "softmax"}


def merged(steps):
    """Return as few steps as do the same; only the first has one scale for all.

    Parameters
    ----------
    steps : list of (scale, bias)
        Each an array of shape (n_classes,), applied in this order.

    Returns
    -------
    list of (scale, bias)
        What a step with one scale adds to all log-probabilities of a row has no
        effect, so that it goes into the step before.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.folding import merged
    >>> halved = np.array([0.5, 0.5]), np.zeros(2)
    >>> shifted = np.ones(2), np.array([0.0, 3.0])
    >>> merged([shifted, halved])
    [(array([0.5, 0.5]), array([0. , 1.5]))]
    """
    n_classes = len(steps[0][1])
    kept = [(np.ones(n_classes), np.zeros(n_classes))]
    for scale, bias in steps:
        if np.ptp(scale) == 0:
            before, shift = kept.pop()
            scale, bias = before * scale, shift * scale + bias
        kept.append((scale, np.clip(bias, -IMPOSSIBLE, IMPOSSIBLE)))
    return kept


def last_layers(steps, link, n_units):
    """Return the kernels, biases and activations that steps are.

    Parameters
    ----------
    steps : list of (scale, bias)
        As :func:`merged` gives them.
    link : {"sigmoid", "softmax"}
        What the network's own logits are for.
    n_units : int
        1 for the second class's log-odds, or a unit for each class.

    Returns
    -------
    list of (kernel, bias, activation)
        The first is applied to the logits. The last gives probabilities.
    """
    if n_units == 1:
        return _layers_of_log_odds(steps)
    layers = [(np.diag(scale), bias, "log_softmax") for scale, bias in steps]
    layers[-1] = (*layers[-1][:2], "softmax")
    if link == "sigmoid":  # independent ones, which are scaled to sum to 1
        layers.insert(0, (np.eye(n_units), np.zeros(n_units), "log_sigmoid"))
    return layers


def _layers_of_log_odds(steps):
    (scale, bias), *others = steps
    layers = [(np.array([scale[1:]]), np.array([bias[1] - bias[0]]), "sigmoid")]
    both = np.array([[-1.0, 1.0]])  # log p of the two classes is log_sigmoid(+-z)
    for scale, bias in others:
        kernel, shift, _ = layers[-1]
        layers[-1] = (kernel @ both, shift @ both, "log_sigmoid")
        kernel = np.array([[-scale[0]], [scale[1]]])
        layers.append((kernel, np.array([bias[1] - bias[0]]), "sigmoid"))
    return layers


def folded(model, steps, link_of_outputs=None, *, as_logits=False):
    """Return a network whose probabilities went through some steps.

    Parameters
    ----------
    model : keras.Sequential or functional keras.Model
        With one output. Its layers, but for the last, become part of the result.
    steps : list of (scale, bias)
        Each an array of shape (n_classes,), applied in this order.
    link_of_outputs : {"sigmoid", "softmax"}, default=None
        What makes probabilities of the outputs; None where they are some.
    as_logits : bool, default=False
        Whether to return log-odds of the second class for one unit, and
        log-probabilities for more, in place of probabilities.

    Returns
    -------
    keras.Model
        Not compiled.

    Raises
    ------
    ValueError
        If the model's outputs are probabilities whose logits can't be found.
    """
    steps = merged(steps)
    return _with_new_end(
        model, lambda end: _folded_end(end, steps, link_of_outputs, as_logits)
    )


def _with_new_end(model, new_end):
    """Return a model with another output, made from the one that it had."""
    if isinstance(model, keras.Sequential):
        model = _for_any_number_of_rows(model)
    layer, arguments = producer(model.outputs[0])
    if isinstance(layer, keras.Model):
        output = _with_new_end(layer, new_end)(*arguments)
    else:
        output = new_end(model.outputs[0])
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return keras.Model(inputs, output, name=model.name)


def _for_any_number_of_rows(model):
    """Return a Sequential that didn't take its input shape from the first batch."""
    inputs = model.inputs[0]
    if inputs.shape[0] is None:
        return model
    any_rows = keras.layers.Input(inputs.shape[1:], dtype=inputs.dtype)
    return keras.Sequential([any_rows, *model.layers], name=model.name)


def _folded_end(output, steps, link_of_outputs, as_logits):
    tensor, dense, link = _before_activation(output, link_of_outputs)
    layers = last_layers(steps, link, output.shape[-1])
    if as_logits:
        *affine, activation = layers[-1]
        layers[-1] = (*affine, _OF_LOGITS[activation])
    if dense is not None:
        layers[0] = _after(dense, *layers[0])
    for number, layer in enumerate(layers):
        tensor = _appended(tensor, *layer, name=f"at_target_prior_{number}")
    return tensor


def _before_activation(output, link_of_outputs):
    """Return a tensor, the Dense that makes logits of it (or None), and the link."""
    layer, arguments = producer(output)
    link = _link_of(layer, output.shape[-1])
    if link is not None and isinstance(layer, keras.layers.Dense):
        return arguments[0], layer, link
    if link is None and link_of_outputs is None:
        raise ValueError(
            f"`fitted` has a network that ends with {type(layer).__name__} "
            f"{layer.name!r}, so that there are no logits to correct. Let it end with "
            "a Dense, an Activation or a Softmax layer: a sigmoid for one unit, a "
            "softmax for more; or with logits, compiled with a loss made with "
            "from_logits=True."
        )
    logits = output if link is None else arguments[0]
    return *_before_dense(logits), link or link_of_outputs


def _before_dense(logits):
    layer, arguments = producer(logits)
    is_linear = getattr(layer, "activation", None) is keras.activations.linear
    if isinstance(layer, keras.layers.Dense) and is_linear:
        return arguments[0], layer
    return logits, None


def _link_of(layer, n_units):
    if isinstance(layer, keras.layers.Softmax):
        link = "softmax" if layer.axis in (-1, 1) else None
    elif isinstance(layer, keras.layers.Dense | keras.layers.Activation):
        link = _LINKS.get(layer.activation)
    else:
        link = None
    return None if link == "softmax" and n_units == 1 else link


def _after(dense, kernel, bias, activation):
    """Return what applies a Dense layer first, as a single one."""
    own_kernel, *own_bias = (
        np.asarray(weight, np.float64) for weight in dense.get_weights()
    )
    shift = own_bias[0] @ kernel if own_bias else 0.0
    return own_kernel @ kernel, shift + bias, activation


def _appended(tensor, kernel, bias, activation, name):
    # Half precision would round the logits that are corrected.
    dtype = "float64" if tensor.dtype == "float64" else "float32"
    if np.array_equal(kernel, np.eye(*kernel.shape)) and not bias.any():
        return keras.layers.Activation(activation, dtype=dtype, name=name)(tensor)
    layer = keras.layers.Dense(len(bias), activation, dtype=dtype, name=name)
    output = layer(tensor)
    layer.set_weights([kernel, bias])
    return output
