"""Copies of networks whose layers can be mapped over replicas."""

import keras
from keras import ops

__all__ = ["copy_for_replicas"]


def copy_for_replicas(model):
    """Return a compiled copy of a network, whose weights have any values.

    Parameters
    ----------
    model : keras.Model
        Built and compiled, of Keras's own parts alone.

    Returns
    -------
    keras.Model
        With the same variables in the same order.

    Examples
    --------
    >>> import keras
    >>> from sklimb.keras.replica_layers import copy_for_replicas
    >>> model = keras.Sequential([keras.layers.Input((5, 2))])
    >>> model.add(keras.layers.Conv1D(3, 2))
    >>> model.compile("adam", "mse")
    >>> copy = copy_for_replicas(model)
    >>> [tuple(weight.shape) for weight in copy.weights]
    [(2, 2, 3), (3,)]
    """
    copy = keras.models.clone_model(model, clone_function=_copied, recursive=True)
    copy.compile_from_config(model.get_compile_config())
    return copy


def _copied(layer):
    kind = _MappedConv1D if type(layer) is keras.layers.Conv1D else type(layer)
    return kind.from_config(layer.get_config())


class _MappedConv1D(keras.layers.Conv1D):
    """A convolution as a product of matrices.

    TensorFlow has no convolution with a kernel for each replica, but products.
    """

    def call(self, inputs):
        if self.groups != 1 or self.data_format != "channels_last":
            return super().call(inputs)
        outputs = ops.matmul(
            self._windows(ops.pad(inputs, self._padding(inputs.shape[1]))),
            ops.reshape(self.kernel, (-1, self.filters)),
        )
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def _padding(self, length):
        left = right = 0
        if self.padding == "causal":
            left = self._reach
        elif self.padding == "same":
            stride = self.strides[0]
            total = (-(-length // stride) - 1) * stride + self._reach + 1 - length
            left, right = max(total, 0) // 2, -(-max(total, 0) // 2)
        return [[0, 0], [left, right], [0, 0]]

    @property
    def _reach(self):
        """How many steps the last weight of a kernel lies behind the first."""
        return (self.kernel_size[0] - 1) * self.dilation_rate[0]

    def _windows(self, inputs):
        """Return what each output sees, shape (n_rows, n_outputs, kernel's inputs)."""
        step, last = self.dilation_rate[0], inputs.shape[1] - self._reach
        starts = range(0, self._reach + 1, step)
        stride = self.strides[0]
        return ops.concatenate([inputs[:, i : i + last : stride] for i in starts], -1)
