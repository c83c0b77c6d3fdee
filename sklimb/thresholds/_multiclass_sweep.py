"""The order in which rows go to one class as its threshold falls.

A row goes to the class with the greatest ``proba / threshold``. With the other
thresholds held, row ``i`` goes to class ``c`` where ``threshold_c`` is below
``proba_ic / max_d(proba_id / threshold_d)``, its switching point. Sorted, they
give every decision that this threshold can make.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sklimb.thresholds._multiclass_rows import Groups, LabelledRows

__all__ = ["Sweep", "sweep_of_class"]

# Switching points this close are one in exact arithmetic.
TIED = 1e-12


@dataclass(frozen=True)
class Sweep:
    """Every decision that one class's threshold can make, strictest first.

    Parameters
    ----------
    class_number : int
        The class that rows go to.
    rows : LabelledRows
        In the order in which they go.
    left : ndarray of shape (n_rows,)
        The class that each one leaves.
    ends : ndarray of shape (n_cuts,)
        How many rows have gone at each cut; the first is 0, "never".
    upper, lower : ndarray of shape (n_cuts,)
        The switching points on both sides of each cut.
    """

    class_number: int
    rows: LabelledRows
    left: np.ndarray
    ends: np.ndarray
    upper: np.ndarray
    lower: np.ndarray

    @cached_property
    def by_fold(self):
        """The rows grouped by fold."""
        return Groups(self.rows.fold, len(self.rows.counts))

    @cached_property
    def by_left(self):
        """The rows grouped by fold and the class that they leave."""
        n_folds, n_classes = self.rows.counts.shape
        return Groups(self.rows.fold * n_classes + self.left, n_folds * n_classes)

    def pooled(self):
        """Return the sweep of the rows as if of one fold."""
        return replace(self, rows=self.rows.pooled())

    def thinned(self, n_cuts):
        """Return a sweep of about so many cuts, evenly spaced, the ends kept."""
        if len(self.ends) <= n_cuts:
            return self
        kept = np.unique(np.linspace(0, len(self.ends) - 1, n_cuts).astype(int))
        cuts = (self.ends[kept], self.upper[kept], self.lower[kept])
        return replace(self, ends=cuts[0], upper=cuts[1], lower=cuts[2])

    def counts_of_class(self, number):
        """Return hits and weight of one class at every cut, folds pooled."""
        rows = self.rows
        hits = rows.weight * (rows.class_numbers == number)
        if number == self.class_number:
            sums = [np.cumsum(np.append(0.0, each)) for each in (hits, rows.weight)]
        else:
            stay = self.left == number
            both = (stay * hits, stay * rows.weight)
            # From the last one back, so that none left is exactly 0.
            sums = [np.cumsum(np.append(each, 0.0)[::-1])[::-1] for each in both]
        return sums[0][self.ends], sums[1][self.ends]

    def arrived(self):
        """Return hits and weight at this class once each row has gone, by fold."""
        hits = self.rows.weight * (self.rows.class_numbers == self.class_number)
        return self.by_fold.running(hits), self.by_fold.running(self.rows.weight)

    def remaining(self):
        """Return hits and weight of the class that a row leaves, by that class.

        The first pair once each row has gone, the second ahead of all.
        """
        hits = self.rows.weight * (self.rows.class_numbers == self.left)
        hits, hits_before = self.by_left.remaining(hits)
        weight, weight_before = self.by_left.remaining(self.rows.weight)
        return (hits, weight), (hits_before, weight_before)

    def sum_over_classes(self, own, changed, before):
        """Return a sum over classes once each row has gone, by fold.

        Parameters
        ----------
        own : ndarray of shape (n_rows,)
            This class's summand, grouped by fold.
        changed : ndarray of shape (n_rows,)
            The summand of the class that a row leaves, grouped by that class.
        before : ndarray of shape (n_folds * n_classes,)
            Each class's summand ahead of all rows.
        """
        others = before.reshape(self.rows.counts.shape).copy()
        others[:, self.class_number] = 0
        steps = self.by_left.steps(changed, before)
        return others.sum(axis=1)[self.by_fold.key] + self.by_fold.running(steps) + own

    def confusions(self):
        """Return the confusion matrix of each fold at every cut.

        The shape is (n_cuts, n_folds, n_classes, n_classes).
        """
        rows, n_cuts = self.rows, len(self.ends)
        n_folds, n_classes = rows.counts.shape
        position = np.arange(len(self.left))
        cut = np.searchsorted(self.ends, position, side="right")
        cell = (cut * n_folds + rows.fold) * n_classes + rows.class_numbers
        size = (n_cuts + 1) * n_folds * n_classes**2
        cells = cell * n_classes
        change = np.bincount(cells + self.class_number, rows.weight, size)
        change -= np.bincount(cells + self.left, rows.weight, size)
        change = change.reshape(n_cuts + 1, n_folds, n_classes, n_classes)[:-1]
        change[0] += rows.confusion(self.left)
        return np.cumsum(change, axis=0).clip(min=0)

    def mean_over_folds(self, values, before):
        """Return the mean over folds at every cut.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            The row's fold's value once the row has gone, grouped by fold.
        before : ndarray of shape (n_folds,)
            Each fold's value ahead of its first row.
        """
        if len(before) == 1:
            return np.append(before, values)[self.ends]
        steps = self.by_fold.steps(values, before) / len(before)
        return np.cumsum(np.append(before.mean(), steps))[self.ends]

    def middle_of_widest(self, is_best):
        """Return the geometric middle of the widest run of the cuts that are best.

        "Never" and "always" reach no further than their one switching point, so
        that they are chosen only where no other cut is as good.
        """
        steps = np.diff(np.concatenate([[False], is_best, [False]]).astype(np.int8))
        first, last = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
        widest = np.argmax(self._widths(first, last))
        return self._middle(first[widest], last[widest])

    def _widths(self, first, last):
        upper = np.where(first == 0, self.lower[0], self.upper[first])
        lower = self.lower[last]
        lower = np.where(lower == 0, self.upper[last], lower)
        bounds = np.finfo(np.float64).tiny, np.finfo(np.float64).max
        return np.log(upper.clip(*bounds)) - np.log(lower.clip(*bounds))

    def _middle(self, first, last):
        upper, lower = self.upper[max(first, 1)] if last else np.inf, self.lower[last]
        if last == 0:
            return np.inf
        if np.isinf(upper):
            return 2 * lower if lower > 0 else 1.0
        return float(np.sqrt(upper) * np.sqrt(lower)) if lower > 0 else upper / 2


def sweep_of_class(class_number, proba, thresholds, rows):
    """Return the :class:`Sweep` of one class, the other thresholds held.

    Parameters
    ----------
    class_number : int
    proba : ndarray of shape (n_classes, n_rows)
    thresholds : ndarray of shape (n_classes,)
    rows : LabelledRows

    Returns
    -------
    Sweep or None
        None where no other class can be chosen, so that every row goes here.
    """
    others = [
        number
        for number in np.flatnonzero(np.isfinite(thresholds))
        if number != class_number
    ]
    if not others:
        return None
    left, best = _best_of(others, proba, thresholds)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        points = proba[class_number] / best
    nowhere = best == 0  # 0 / 0: the lowest class number
    sure = (proba[class_number] > 0) | (class_number < left)
    points[nowhere] = np.where(sure[nowhere], np.inf, 0.0)
    order = np.argsort(points)[::-1]
    ends, upper, lower = _cuts(points[order])
    return Sweep(class_number, rows.reordered(order), left[order], ends, upper, lower)


def _best_of(numbers, proba, thresholds):
    """Return the class with the greatest ratio, the lowest of tied, and the ratio."""
    left = np.full(proba.shape[1], numbers[0])
    best = proba[numbers[0]] / thresholds[numbers[0]]
    for number in numbers[1:]:
        ratio = proba[number] / thresholds[number]
        np.copyto(left, number, where=ratio > best)
        np.maximum(best, ratio, out=best)
    return left, best


def _cuts(falling):
    """Return rows gone, and the points above and below, at each cut."""
    movable = np.count_nonzero(falling > 0)
    falling = falling[:movable]
    with np.errstate(invalid="ignore"):
        apart = falling[1:] < falling[:-1] * (1 - TIED)
    ends = np.concatenate([[0], np.flatnonzero(apart) + 1, [movable]])
    if movable == 0:
        return ends[:1], np.array([np.inf]), np.array([0.0])
    upper = np.append(np.inf, falling[ends[1:] - 1])
    lower = np.append(falling[ends[:-1]], 0.0)
    return ends, upper, lower
