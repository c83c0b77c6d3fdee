"""Which rows each replica takes in each step of an epoch.

The batches of several plans, which may differ in number and in size, become a
few regular arrays: one for each size of batch.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Epoch", "Steps", "steps_of_epochs"]


@dataclass(frozen=True)
class Epoch:
    """The rows of one replica's epoch, in the order of its batches.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,), int
    weight : ndarray of shape (n_rows,) or None
        What each counts in the loss; None for 1.
    batch_size : int
    """

    rows: np.ndarray
    weight: np.ndarray | None
    batch_size: int

    def parts(self):
        """Yield the first step, rows and weights of the batches of each size.

        Rows and weights have the shape (n_steps, batch size).
        """
        n_whole, n_left = divmod(len(self.rows), self.batch_size)
        cut = n_whole * self.batch_size
        if n_whole:
            yield 0, *self._batches(slice(cut), self.batch_size)
        if n_left:
            yield n_whole, *self._batches(slice(cut, None), n_left)

    def _batches(self, where, size):
        rows = self.rows[where].reshape(-1, size)
        if self.weight is None:
            return rows, 1.0
        return rows, self.weight[where].reshape(-1, size)


@dataclass(frozen=True)
class Steps:
    """Steps of one batch size, for all replicas.

    Attributes
    ----------
    numbers : ndarray of shape (n_steps,), int64
        Each step's number in its epoch.
    rows : ndarray of shape (n_steps, n_replicas, batch_size), int32
    weight : ndarray of the same shape, float32
    active : ndarray of shape (n_steps, n_replicas), bool
        Which replicas have such a step; the others have the row 0 there.
    """

    numbers: np.ndarray
    rows: np.ndarray
    weight: np.ndarray
    active: np.ndarray


def steps_of_epochs(epochs):
    """Put the epochs of several replicas beside each other.

    Parameters
    ----------
    epochs : list of Epoch or None
        One for each replica; None for one that rests.

    Returns
    -------
    list of Steps
        The largest batches first, so that each replica's steps keep their order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.replica_steps import Epoch, steps_of_epochs
    >>> epochs = [Epoch(np.arange(5), None, 2), Epoch(np.arange(4), None, 2)]
    >>> whole, tail = steps_of_epochs(epochs)
    >>> whole.rows[:, 0]
    array([[0, 1],
           [2, 3]], dtype=int32)
    >>> tail.active
    array([[ True, False]])
    """
    by_size = {}
    for place, epoch in enumerate(epochs):
        for first, rows, weight in epoch.parts() if epoch is not None else ():
            part = place, first, rows, weight
            by_size.setdefault(rows.shape[1], []).append(part)
    return [
        _beside_each_other(by_size[size], size, len(epochs))
        for size in sorted(by_size, reverse=True)
    ]


def _beside_each_other(parts, size, n_replicas):
    spans = [np.arange(first, first + len(rows)) for _, first, rows, _ in parts]
    numbers = np.unique(np.concatenate(spans))
    shape = len(numbers), n_replicas
    steps = Steps(
        numbers.astype(np.int64),
        np.zeros((*shape, size), dtype=np.int32),
        np.zeros((*shape, size), dtype=np.float32),
        np.zeros(shape, dtype=bool),
    )
    for (place, _, rows, weight), span in zip(parts, spans, strict=True):
        at = np.searchsorted(numbers, span)
        steps.rows[at, place] = rows
        steps.weight[at, place] = weight
        steps.active[at, place] = True
    return steps
