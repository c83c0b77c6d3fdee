"""Rows to ``keras.Model.fit``, batch by batch, without a copy of the data.

TensorFlow asks for blocks of batches by number; NumPy gathers a block's rows
from wherever they lie (an array, a memory-mapped file, a sparse matrix), in the
background of the training. A block holds so many batches that Python's part of
the work is small, and so few bytes that memory doesn't notice.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from sklimb._rows import take_rows
from sklimb.keras.augment import NOT_FINITE, Augmentation
from sklimb.keras.rows import Rows

__all__ = ["Feed", "FitTask", "PlainPlan", "gathered"]

MOST_BATCHES = 50
BLOCK_BYTES = 2 * 2**20


class PlainPlan:
    """All rows once an epoch, shuffled or not.

    Parameters
    ----------
    n_rows : int
    batch_size : int
    shuffle : bool or "batch"
        ``"batch"`` keeps neighbours together and shuffles the batches.
    random : numpy.random.Generator, default=None
    """

    def __init__(self, n_rows, batch_size, shuffle=False, random=None):
        self.n_rows = n_rows
        self.batch_size = batch_size
        self._shuffle = shuffle
        self._random = random

    def epoch(self):
        """Return the row numbers of an epoch; none is to be augmented."""
        rows = np.arange(self.n_rows)
        if self._shuffle == "batch":
            n_whole = self.n_rows // self.batch_size * self.batch_size
            whole = rows[:n_whole].reshape(-1, self.batch_size)
            rows[:n_whole] = self._random.permutation(whole).ravel()
        elif self._shuffle:
            self._random.shuffle(rows)
        return rows, None


@dataclass(frozen=True)
class FitTask:
    """What a network is to be trained with.

    Attributes
    ----------
    rows : Rows
    class_weights : ndarray of shape (n_classes,)
    plan : PlainPlan or BalancedPlan
    validation : Feed, tuple of arrays, or None
    callbacks : list of keras.callbacks.Callback
    args : dict
        What else ``keras.Model.fit`` is to be given.
    """

    rows: Rows
    class_weights: np.ndarray
    plan: object
    validation: object
    callbacks: list
    args: dict

    @property
    def weight(self):
        """What each row counts in the loss, or None where all count 1."""
        return self.rows.loss_weight(self.class_weights)


class Feed:
    """A dataset that gives the batches of a plan, another epoch each time.

    Parameters
    ----------
    rows : Rows
    targets : ndarray of shape (n_rows, ...)
        As the loss takes them.
    weight : ndarray of shape (n_rows,) or None
    plan : PlainPlan or BalancedPlan
    augment : keras.Layer or callable, default=None

    Attributes
    ----------
    rows, weight, plan
        As given.
    """

    def __init__(self, rows, targets, weight, plan, augment=None):
        self.rows = rows
        self.weight = weight
        self.plan = plan
        self._labels = [targets] if weight is None else [targets, weight]
        self._augment = augment
        self._augmentation = None
        self._error = None

    def dataset(self, seed=None):
        """Return the batches as a ``tf.data.Dataset``.

        Parameters
        ----------
        seed : int, default=None
            For the augmentation.
        """
        sample = gathered(self.rows, np.arange(min(8, len(self.rows.numbers))))
        if self._augment is not None:
            self._augmentation = Augmentation(self._augment, sample, seed)
            sample = self._augmentation.sample
        self._blocks = _blocks(self.plan.n_rows, self.plan.batch_size, sample)
        dataset = (
            tf.data.Dataset.range(len(self._blocks))
            .map(self._block_as_tensors(sample))
            .prefetch(1)
            .unbatch()
        )
        if self._augmentation is not None:
            dataset = dataset.map(self._augmented)
        n_batches = -(-self.plan.n_rows // self.plan.batch_size)
        known = tf.data.experimental.assert_cardinality(n_batches)
        return dataset.apply(known).prefetch(self._blocks[0][2][0])

    def close(self):
        """Leave a layer that augments as it was found."""
        if self._augmentation is not None:
            self._augmentation.put_back()

    def error_behind(self, error):
        """Return the error that TensorFlow tells of in a page of text."""
        if self._error is not None:
            return self._error
        return ValueError(NOT_FINITE) if NOT_FINITE in str(error) else error

    def _block_as_tensors(self, sample):
        marks = () if self._augmentation is None else (np.zeros(1, bool),)
        outputs = (sample, *(values[:1] for values in self._labels), *marks)
        flat = tf.nest.flatten(outputs)
        dtypes = [tf.as_dtype(_tensor_dtype(values)) for values in flat]

        def block(number):
            tensors = tf.numpy_function(self._block, [number], dtypes)
            for tensor, values in zip(tensors, flat, strict=True):
                tensor.set_shape([None, None, *values.shape[1:]])
            return tf.nest.pack_sequence_as(outputs, tensors)

        return block

    def _block(self, number):
        try:
            return self._gathered_block(number)
        except Exception as error:
            self._error = error
            raise

    def _gathered_block(self, number):
        if number == 0:
            self._epoch, self._marked = self.plan.epoch()
        start, end, shape = self._blocks[number]
        rows = self._epoch[start:end]
        X = gathered(self.rows, rows)
        blocks = [*tf.nest.flatten(X), *(values[rows] for values in self._labels)]
        if self._augmentation is not None:
            marked = self._marked[start:end]
            n_inputs = len(blocks) - len(self._labels)
            blocks[:n_inputs] = self._augmentation.of_arrays(X, marked, shape[1])
            blocks.append(marked)
        return [block.reshape(*shape, *block.shape[1:]) for block in blocks]

    def _augmented(self, X, *labels_and_marks):
        *labels, marked = labels_and_marks
        return self._augmentation.of_tensors(X, marked), *labels


def _blocks(n_rows, batch_size, sample):
    """Cut an epoch into blocks: first row, last row + 1, (batches, rows of each)."""
    row_bytes = sum(
        math.prod(part.shape[1:]) * _tensor_dtype(part).itemsize
        for part in tf.nest.flatten(sample)
    )
    most = int(np.clip(BLOCK_BYTES // (row_bytes * batch_size), 1, MOST_BATCHES))
    n_whole = n_rows // batch_size
    blocks = [
        (first * batch_size, last * batch_size, (last - first, batch_size))
        for first in range(0, n_whole, most)
        for last in [min(first + most, n_whole)]
    ]
    if rest := n_rows % batch_size:
        blocks.append((n_rows - rest, n_rows, (1, rest)))
    return blocks


def _tensor_dtype(values):
    # Strings of any length are objects.
    return np.dtype(object) if values.dtype.kind in "UST" else values.dtype


def gathered(rows, places):
    """Return some rows as dense arrays: floats in Keras's float type, text as objects.

    Parameters
    ----------
    rows : Rows
    places : ndarray of int
        Places in ``rows``.
    """
    if rows.index is not None:
        places = rows.index[places]
    return tf.nest.map_structure(_dense, take_rows(rows.X, places))


def _dense(values):
    if scipy.sparse.issparse(values):
        values = values.toarray()
    if values.dtype.kind == "f":
        return np.asarray(values, dtype=keras.config.floatx())
    return np.asarray(values, dtype=_tensor_dtype(values))
