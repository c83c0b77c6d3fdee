"""Predict in few, large batches, and read the logits on the way."""

import math

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from sklimb.keras._internals import all_layers, logits_behind

__all__ = ["ForwardPass", "as_batch", "number_of_rows", "rows_that_fit"]

MOST_ROWS = 65_536
FEWEST_ROWS = 32
MEMORY_BUDGET = 256 * 2**20  # bytes, for the inputs and activations of a batch


class ForwardPass:
    """A model's predictions, traced once for any number of rows.

    ``keras.Model.predict`` traces again for every batch size, and once it has
    run, it doesn't see a changed activation.

    Parameters
    ----------
    model : keras.Model
        Built.
    """

    def __init__(self, model):
        self._model = model
        self._function = tf.function(self._step, autograph=False)

    def __call__(self, X, batch_size=None):
        """Predict.

        Parameters
        ----------
        X : array, sparse matrix, or a dict, list or tuple of them
        batch_size : int, default=None
            Rows at a time; None for as many as fit the memory budget.

        Returns
        -------
        outputs : ndarray of shape (n_rows, ...), float32 or wider
        logits : ndarray of the same shape, or None
            None where the model doesn't end with Keras's sigmoid or softmax.
        """
        n_rows = number_of_rows(X)
        size = batch_size or rows_that_fit(self._model, X)
        batches = [
            self._predict(as_batch(X, slice(start, start + size)))
            for start in range(0, n_rows, size)
        ]
        outputs, logits = zip(*batches, strict=True)
        return _joined(outputs), None if logits[0] is None else _joined(logits)

    def _predict(self, batch):
        if self._model.run_eagerly:
            return self._step(batch)
        specs = tf.nest.map_structure(
            lambda a: tf.TensorSpec([None, *a.shape[1:]], a.dtype), batch
        )
        return self._function.get_concrete_function(specs)(batch)

    def _step(self, batch):
        outputs = self._model.predict_step((batch,))
        return outputs, logits_behind(outputs)


def _joined(tensors):
    values = np.concatenate([tensor.numpy() for tensor in tensors])
    return values.astype(np.promote_types(values.dtype, np.float32), copy=False)


def number_of_rows(X):
    """Return the number of rows of an array, or of a structure of arrays."""
    return tf.nest.flatten(X)[0].shape[0]


def as_batch(X, rows=slice(None)):
    """Return some rows as tensors: dense, floats in Keras's float type.

    Parameters
    ----------
    X : array, sparse matrix, or a dict, list or tuple of them
    rows : slice, default=slice(None)

    Returns
    -------
    tf.Tensor, or the same structure of them
    """

    def convert(array):
        array = array[rows]
        if scipy.sparse.issparse(array):
            array = array.toarray()
        dtype = keras.config.floatx() if array.dtype.kind == "f" else None
        return tf.convert_to_tensor(np.asarray(array, dtype=dtype))

    return tf.nest.map_structure(convert, X)


def rows_that_fit(model, X):
    """Return how many rows to predict at once.

    Parameters
    ----------
    model : keras.Model
        Built.
    X : array, sparse matrix, or a dict, list or tuple of them

    Returns
    -------
    int
        65,536, or fewer where their inputs and activations would take more
        memory than the budget.
    """
    inputs = sum(math.prod(array.shape[1:]) for array in tf.nest.flatten(X))
    row_bytes = 4 * (inputs + activations(model, inputs))
    return int(np.clip(MEMORY_BUDGET // row_bytes, FEWEST_ROWS, MOST_ROWS))


def activations(model, inputs):
    """Return about how many numbers a row becomes on its way through the model."""
    sizes = [size for size in map(_output_size, all_layers(model)) if size]
    if sizes:
        return sum(sizes)
    # A subclassed model doesn't know its shapes: each weight's outputs, as if it
    # were applied at every place of the input, is a bound from above.
    return inputs * sum(weight.shape[-1] for weight in model.weights if weight.shape)


def _output_size(layer):
    try:
        shapes = [tensor.shape for tensor in tf.nest.flatten(layer.output)]
    except (AttributeError, ValueError):  # never called on its own, as an RNN's cell
        return 0
    return sum(math.prod(n or 1 for n in shape[1:]) for shape in shapes)
