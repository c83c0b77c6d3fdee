"""Rows of several classes: counted, grouped, and given to a class."""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Groups", "LabelledRows", "choose_classes", "labelled_rows"]


def choose_classes(proba, thresholds):
    """Return the class number with the greatest ``proba / threshold`` in each row.

    The lowest of tied classes; a class with an infinite threshold never.
    """
    return np.argmax(_ratios(proba.T, thresholds), axis=0)


def _ratios(proba, thresholds):
    # Below 0, so that a row without any probability left takes no such class.
    barred = np.isinf(thresholds)[:, None]
    return np.where(barred, -1.0, proba / thresholds[:, None])


@dataclass(frozen=True)
class LabelledRows:
    """Rows with a class, a weight and a fold.

    Parameters
    ----------
    class_numbers, weight, fold : ndarray of shape (n_rows,)
        Folds are numbered from 0.
    places : ndarray of shape (n_rows,)
        Where each row stands in the arrays that the caller gave.
    counts : ndarray of shape (n_folds, n_classes)
        Total weight of each class in each fold.
    """

    class_numbers: np.ndarray
    weight: np.ndarray
    fold: np.ndarray
    places: np.ndarray
    counts: np.ndarray

    @property
    def n_classes(self):
        """Number of classes, those without rows included."""
        return self.counts.shape[1]

    def reordered(self, order):
        """Return the same rows in another order."""
        return replace(
            self,
            class_numbers=self.class_numbers[order],
            weight=self.weight[order],
            fold=self.fold if len(self.counts) == 1 else self.fold[order],
            places=self.places[order],
        )

    def pooled(self):
        """Return the rows as if of one fold."""
        if len(self.counts) == 1:
            return self
        counts = self.counts.sum(axis=0, keepdims=True)
        return replace(self, fold=np.zeros_like(self.fold), counts=counts)

    def confusion(self, predicted):
        """Return each fold's confusion matrix, (n_folds, n_classes, n_classes)."""
        n_folds, n_classes = self.counts.shape
        cell = (self.fold * n_classes + self.class_numbers) * n_classes + predicted
        sums = np.bincount(cell, self.weight, n_folds * n_classes**2)
        return sums.reshape(n_folds, n_classes, n_classes)


def labelled_rows(class_numbers, n_classes, weight=None, fold=None, places=None):
    """Return rows of positive weight, with their totals."""
    n_rows = len(class_numbers)
    weight = np.ones(n_rows) if weight is None else weight
    fold = np.zeros(n_rows, int) if fold is None else np.asarray(fold)
    kept = np.flatnonzero(weight > 0)
    if places is None:
        places = np.arange(n_rows)
    numbers, weight = np.asarray(class_numbers)[kept], weight[kept]
    names, fold = np.unique(fold[kept], return_inverse=True)
    counts = np.bincount(fold * n_classes + numbers, weight, len(names) * n_classes)
    return LabelledRows(
        numbers, weight, fold, places[kept], counts.reshape(len(names), n_classes)
    )


class Groups:
    """Rows sorted by a small whole number, their order kept within each group."""

    def __init__(self, key, n_groups):
        if n_groups == 1:
            self.order, self.key, sizes = slice(None), 0, np.array([len(key)])
        else:
            # NumPy sorts 16 bits by radix, which is linear.
            small = key.astype(np.uint16) if n_groups <= 2**16 else key
            self.order = np.argsort(small, kind="stable")
            self.key = key[self.order]
            sizes = np.bincount(key, minlength=n_groups)
        self.stops = np.cumsum(sizes)
        self.starts = self.stops - sizes

    def _sums(self, values):
        return np.concatenate([[0.0], np.cumsum(values[self.order])])

    def running(self, values):
        """Return each group's sum up to and with each row, in grouped order."""
        sums = self._sums(values)
        return sums[1:] - sums[self.starts][self.key]

    def remaining(self, values):
        """Return each group's sum over the rows after each one, and its total.

        The last row of a group leaves exactly 0.
        """
        sums = self._sums(values)
        stops = sums[self.stops]
        return stops[self.key] - sums[1:], stops - sums[self.starts]

    def lowest(self, values):
        """Return each group's running minimum of values in [0, 1], grouped."""
        apart = 2.0 * self.key
        return np.minimum.accumulate(values[self.order] - apart) + apart

    def steps(self, values, before):
        """Return the change from row to row within a group, in the first order.

        ``before`` holds each group's value ahead of its first row.
        """
        change = np.diff(values, prepend=0.0)
        filled = self.stops > self.starts
        first = self.starts[filled]
        change[first] = values[first] - before[filled]
        return self.back(change)

    def back(self, values):
        """Return values of grouped order in the first order."""
        restored = np.empty_like(values)
        restored[self.order] = values
        return restored
