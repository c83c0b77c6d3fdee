"""Counts of two classes between cuts, drawn again, and the best cut across folds.

Rows lie in cells between neighbouring cuts, the highest scores first. A resample
draws each row, or group, a Poisson(1) number of times, so n rows of one class and fold
in one cell are drawn Poisson(n) times: a row drawn twice is in one fold both times.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr

from sklimb.thresholds._scale import log_odds_of

__all__ = ["Side", "best_across_folds", "counted", "drawn", "side_of", "value_of_rates"]

MOST_CUTS = 400
# Of a class's spread, times its size to the power -1/5.
BANDWIDTH = 0.5
# Of more rows, folds drawn at random have nearly as many of each class.
MOST_DEALT = 20_000


@dataclass(frozen=True)
class Side:
    """Rows of one side, in cells.

    Attributes
    ----------
    positive : ndarray of shape (n_rows,), bool
    cell : ndarray of shape (n_rows,), int
    n_cells : int
    cut : int
        How many cells lie above the threshold in use.
    unit : ndarray of shape (n_rows,), int, or None
        The group that is drawn and held out together; None for each row by itself.
    shares : list of ndarray of shape (n_cells, n_cells + 1)
        For positives and negatives, the share of each cell's rows that lies above each
        cut, once they are shifted a little: a smooth curve, of less variance.
    """

    positive: np.ndarray
    cell: np.ndarray
    n_cells: int
    cut: int
    unit: np.ndarray | None
    shares: list

    @property
    def sizes(self):
        """Numbers of positives and negatives."""
        n_positive = np.count_nonzero(self.positive)
        return np.array([n_positive, len(self.positive) - n_positive])


def side_of(positive, score, threshold, n_kept, group=None):
    """Return one side's rows in cells.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
    threshold : float
    n_kept : ndarray of shape (2,)
        Rows of each class that cuts are chosen by: the more, the less they are shifted.
    group : ndarray of shape (n_rows,), default=None
    """
    cuts = _cuts(positive, score, threshold)
    # Cell i has the scores below cut i - 1 and from cut i on.
    cell = np.searchsorted(-cuts, -score, side="left")
    unit = None
    if group is not None:
        unit = np.unique(group, return_inverse=True)[1].ravel()
    return Side(
        positive=positive,
        cell=cell,
        n_cells=len(cuts) + 1,
        cut=1 + int(np.flatnonzero(cuts == threshold)[0]),
        unit=unit,
        shares=_smoothed_shares(positive, score, cell, cuts, n_kept),
    )


def _cuts(positive, score, threshold):
    """Return falling cuts: all between distinct scores, or those that tell most."""
    distinct = np.unique(score)
    cuts = distinct[:-1] / 2 + distinct[1:] / 2
    if len(cuts) > MOST_CUTS:
        even = np.linspace(0, 1, MOST_CUTS // 4)
        # Where negatives are many, their first few decide on precision.
        few = 1 - np.geomspace(1 / np.count_nonzero(~positive), 1, MOST_CUTS // 2)
        among_negatives = np.quantile(score[~positive], np.append(even, few))
        cuts = np.append(np.quantile(score[positive], even), among_negatives)
    return np.unique(np.append(cuts, threshold))[::-1]


def _smoothed_shares(positive, score, cell, cuts, n_kept):
    forth, _ = log_odds_of(np.append(score, cuts))
    scale, edges = forth(score), forth(cuts)
    n_rows = np.bincount(cell, minlength=len(cuts) + 1).clip(min=1)
    centre = np.bincount(cell, scale, len(cuts) + 1) / n_rows
    none, every = np.zeros((len(centre), 1)), np.ones((len(centre), 1))
    shares = []
    for own, n in zip((positive, ~positive), n_kept, strict=True):
        step = BANDWIDTH * (scale[own].std() or 1.0) * n**-0.2
        inner = ndtr((centre[:, None] - edges) / step)
        shares.append(np.hstack([none, inner, every]).astype(np.float32))
    return shares


def counted(side, n_folds, random):
    """Return counts by class, fold and cell, of a random assignment to folds.

    Returns
    -------
    counts : ndarray of shape (2, n_folds, n_cells), int
    by_unit : sparse array of shape (n_units, 2 * n_folds * n_cells), or None
        The same for each group.
    """
    place = np.where(side.positive, 0, 1) * n_folds + _folds(side, n_folds, random)
    place = place * side.n_cells + side.cell
    width = 2 * n_folds * side.n_cells
    shape = (2, n_folds, side.n_cells)
    if side.unit is None:
        return np.bincount(place, minlength=width).reshape(shape), None
    ones = np.ones(len(place))
    by_unit = csr_array((ones, (side.unit, place)), (side.unit.max() + 1, width))
    return by_unit.sum(axis=0).reshape(shape).astype(np.int64), by_unit


def _folds(side, n_folds, random):
    """Return each row's fold: of each class, or kind of group, as many in each."""
    if side.unit is None:
        return _dealt(side.positive, n_folds, random)
    has_positive = np.bincount(side.unit, side.positive) > 0
    return _dealt(has_positive, n_folds, random)[side.unit]


def _dealt(kind, n_folds, random):
    if len(kind) > MOST_DEALT:
        return random.integers(n_folds, size=len(kind))
    order = np.lexsort((random.random(len(kind)), kind))
    folds = np.empty(len(kind), dtype=np.intp)
    folds[order] = (np.arange(len(kind)) + random.integers(n_folds)) % n_folds
    return folds


def drawn(counts, by_unit, n_resamples, random):
    """Return resampled counts, shape (n_resamples, 2, n_folds, n_cells)."""
    if by_unit is None:
        return random.poisson(counts, (n_resamples, *counts.shape))
    times = random.poisson(1, (n_resamples, by_unit.shape[0]))
    return (times @ by_unit).reshape(n_resamples, *counts.shape).astype(np.int64)


def value_of_rates(metric, above, sizes, prior):
    """Return a metric of the shares above a cut of each class, at a prevalence.

    Parameters
    ----------
    metric : callable
        Function of arrays (tp, fp, fn, tn).
    above, sizes : tuple of ndarray
        Of positives and negatives: rows above the cut, and all.
    prior : ndarray
    """
    hit, false = (own / np.maximum(n, 1) for own, n in zip(above, sizes, strict=True))
    rates = prior * hit, (1 - prior) * false
    return metric(*rates, prior - rates[0], 1 - prior - rates[1])


def best_across_folds(counts, side, n_kept, metric, prior, random):
    """Return the metric where each fold is cut as suits the others best.

    Parameters
    ----------
    counts : ndarray of shape (n_resamples, 2, n_folds, n_cells), int
    side : Side
    n_kept : ndarray of shape (2,)
        Rows of each class that cuts are chosen by, at most: two sides that choose by
        as many rows lose as much by choosing.
    metric : callable
    prior : ndarray of shape (n_resamples,)
        At which prevalence.
    random : Generator

    Returns
    -------
    ndarray of shape (n_resamples,)
    """
    others = _thinned(counts.sum(axis=2, keepdims=True) - counts, n_kept, random)
    # Single precision is enough to choose by.
    above = [others[:, k].astype(np.float32) @ side.shares[k] for k in (0, 1)]
    sizes = [others[:, k].sum(axis=-1)[..., None] for k in (0, 1)]
    best = value_of_rates(metric, above, sizes, prior[:, None, None]).argmax(axis=-1)
    first = np.zeros((*counts.shape[:-1], 1), dtype=counts.dtype)
    up_to = np.concatenate([first, counts.cumsum(axis=-1)], axis=-1)
    chosen = np.take_along_axis(up_to, best[:, None, :, None], axis=-1)
    hits = chosen[..., 0].sum(axis=-1).T
    return value_of_rates(metric, hits, counts.sum(axis=(2, 3)).T, prior)


def _thinned(counts, n_kept, random):
    """Return counts of about ``n_kept`` rows of each class, drawn from these."""
    sizes = counts.sum(axis=-1)
    share = np.minimum(1, n_kept[None, :, None] / np.maximum(sizes, 1))
    if (share == 1).all():
        return counts
    return random.binomial(counts, share[..., None])
