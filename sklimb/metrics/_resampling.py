"""Rows drawn again: within each class, or whole groups.

All metrics at a prior follow from what is measured within each class, so a
resample is a list of how often each row of each class counts. Those of the rows
themselves are a resample too: each once.
"""

from dataclasses import dataclass

import numpy as np

from sklimb._sampling import codes_of

__all__ = [
    "Ranking",
    "class_sums",
    "draw_counts",
    "grouped_drawer",
    "resamples",
    "stratified_drawer",
]

# Rows x resamples of the arrays that are held at once.
CHUNK_CELLS = 2_000_000


def resamples(draw, sizes, n_resamples, rng, chunk_cells=CHUNK_CELLS):
    """Yield how often each row of each class is drawn; first of all, once.

    Parameters
    ----------
    draw : callable
        Of a number of resamples and a generator, as :func:`stratified_drawer`
        gives it.
    sizes : list of int
        Rows of each class.
    n_resamples : int
    rng : numpy.random.Generator
    chunk_cells : int, default=2_000_000
        Rows x resamples to hold at once.

    Yields
    ------
    list of ndarray of shape (n, size)
    """
    yield [np.ones((1, size)) for size in sizes]
    step = max(1, chunk_cells // sum(sizes))
    for start in range(0, n_resamples, step):
        yield draw(min(step, n_resamples - start), rng)


def stratified_drawer(sizes):
    """Return a function that draws as many rows of each class as there are."""

    def draw(n_resamples, rng):
        return [draw_counts(size, n_resamples, rng) for size in sizes]

    return draw


def grouped_drawer(of_class, groups):
    """Return a function that draws groups whole.

    Groups are drawn among those whose rarest class is the same: of two classes,
    those with rows of the rarer one apart from those without.

    Parameters
    ----------
    of_class : list of ndarray of int
        Row numbers of each class.
    groups : ndarray of shape (n_rows,)
    """
    unit = np.unique(codes_of(groups), return_inverse=True)[1]
    rarest = np.full(unit.max() + 1, -1)
    for k in sorted(range(len(of_class)), key=lambda k: -len(of_class[k])):
        rarest[unit[of_class[k]]] = k
    strata = [np.flatnonzero(rarest == k) for k in range(len(of_class))]

    def draw(n_resamples, rng):
        times = np.empty((n_resamples, len(rarest)))
        for units in strata:
            times[:, units] = draw_counts(len(units), n_resamples, rng)
        return [times[:, unit[rows]] for rows in of_class]

    return draw


def draw_counts(size, n_resamples, rng):
    """Return how often each of ``size`` is drawn in ``size`` draws.

    Parameters
    ----------
    size : int
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_resamples, size), float64
    """
    if size == 0:
        return np.zeros((n_resamples, 0))
    cells = rng.integers(size, size=(n_resamples, size))
    cells += np.arange(n_resamples)[:, None] * size
    counts = np.bincount(cells.ravel(), minlength=n_resamples * size)
    return counts.reshape(n_resamples, size).astype(np.float64)


def class_sums(weights, values, prior):
    """Return each class's share in the means of values at a prior.

    Parameters
    ----------
    weights : list of ndarray of shape (n_resamples, size)
        How much each row of each class counts.
    values : list of ndarray of shape (size, n_values)
    prior : array-like of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_resamples, n_classes, n_values)
        Sums over the classes are means at the prior. nan where no row of a
        class with a share is drawn.
    """
    sums = [
        share * _ratio(w @ v, w.sum(axis=1)[:, None], share)
        for share, w, v in zip(prior, weights, values, strict=True)
    ]
    return np.stack(sums, axis=1)


def _ratio(sums, mass, share):
    without = np.full(sums.shape, np.nan if share > 0 else 0.0)
    return np.divide(sums, mass, out=without, where=mass > 0)


@dataclass(frozen=True)
class Ranking:
    """Scores of two classes, prepared so that resamples cost little.

    What ranks depends on changes only where a positive's score is passed, so
    negatives are counted between neighbouring scores of positives.
    """

    orders: tuple  # each class's rows, highest score first, as far as they matter
    cuts: tuple  # how many of them have at least the score of each level
    above: np.ndarray  # how many negatives have more than the score of each level

    @classmethod
    def of(cls, positives, negatives):
        """Prepare the scores of the rows of both classes."""
        levels = -np.unique(positives)[::-1]
        orders, cuts = [], []
        for falling in (-positives, -negatives):
            rows = np.argsort(falling, kind="stable")
            cuts.append(np.searchsorted(falling[rows], levels, side="right"))
            orders.append(rows[: cuts[-1][-1]])
        above = np.searchsorted(-negatives[orders[1]], levels, side="left")
        return cls(tuple(orders), tuple(cuts), above)

    def average_precision(self, positives, negatives, prevalence=None):
        """Return it for weights of the rows, each of shape (n_resamples, size).

        Parameters
        ----------
        positives, negatives : ndarray of shape (n_resamples, size)
        prevalence : float, default=None
            The share of positives; None for that of the weights.
        """
        true = _sums_above(positives[:, self.orders[0]], self.cuts[0])
        false = _sums_above(negatives[:, self.orders[1]], self.cuts[1])
        total = true[:, -1:].copy()
        if prevalence is not None:
            true = prevalence * _ratio(true, total, prevalence)
            others = negatives.sum(axis=1, keepdims=True)
            false = (1 - prevalence) * _ratio(false, others, 1 - prevalence)
            total = prevalence
        called = true + false
        precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
        precision[np.isnan(called)] = np.nan
        return _ratio(np.diff(true, axis=1, prepend=0) * precision, total, 0).sum(
            axis=1
        )

    def roc_auc(self, positives, negatives):
        """Return it for weights of the rows; ties count half."""
        negatives_above = negatives[:, self.orders[1]]
        true = _sums_above(positives[:, self.orders[0]], self.cuts[0])
        false = _sums_above(negatives_above, self.cuts[1])
        false += _sums_above(negatives_above, self.above)
        below = 1 - false / 2 / _mass(negatives)
        steps = np.diff(true, axis=1, prepend=0) / _nan_if_none(true[:, -1:])
        return (steps * below).sum(axis=1)


def _mass(weights):
    return _nan_if_none(weights.sum(axis=1, keepdims=True))


def _nan_if_none(mass):
    return np.where(mass > 0, mass, np.nan)


def _sums_above(weights, cuts):
    """Return the sums of the first ``cuts[j]`` columns, shape (n, n_cuts)."""
    if weights.shape[1] == 0:
        return np.zeros((len(weights), len(cuts)))
    return np.where(cuts > 0, np.cumsum(weights, axis=1)[:, cuts - 1], 0.0)
