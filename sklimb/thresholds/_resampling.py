"""How far the best cut moves when rows are drawn again.

The error of a sample's best cut shrinks with the cube root of the number of rows
only, and its law is not normal: the middle 95 % of the bootstrap's cuts say where
it may lie, reflecting them around the estimate does not.
"""

from typing import NamedTuple

import numpy as np

from sklimb.thresholds._cuts import counts_of_positives, metric_curve

__all__ = ["Resamples", "bootstrap_cuts", "threshold_interval"]

MOST_CELLS = 2_000_000  # of an array at once
MOST_CUTS = 4_000  # looked at in each resample
MOST_ROWS = 20_000  # drawn one by one where neither weights nor groups tie them
MOST_DRAWS = 200_000_000  # of rows, over all resamples


class Resamples(NamedTuple):
    """What each resample says.

    Attributes
    ----------
    cuts : ndarray of shape (n_resamples,)
        Its best threshold.
    best_scores : ndarray of shape (n_resamples,)
        Its metric there.
    scores : ndarray of shape (n_resamples,)
        Its metric at one threshold, the same for all.
    """

    cuts: np.ndarray
    best_scores: np.ndarray
    scores: np.ndarray


class _Rows(NamedTuple):
    """Rows of one class by falling score, and where the cuts lie between them."""

    unit: np.ndarray  # the row or group that is drawn
    weight: np.ndarray
    ends: np.ndarray  # how many of these rows lie above each cut


def threshold_interval(
    positive,
    score,
    metric,
    weight=None,
    *,
    group=None,
    level=0.95,
    n_resamples=1000,
    random_state=0,
):
    """Return where the best cut lies in the middle share of bootstrap resamples.

    A range of stability: how far the threshold would move with other rows of the
    same source and the same model. It is the percentile interval. The bootstrap of
    such an optimum is not consistent in theory (Abrevaya & Huang, "On the bootstrap
    of the maximum score estimator", Econometrica 73, 2005), so that what it covers
    is measured, by ``benchmarks/threshold_interval.py``.

    Parameters
    ----------
    positive, score, metric, weight, group, n_resamples, random_state
        As for :func:`bootstrap_cuts`.
    level : float, default=0.95
        The share of resamples whose cuts lie inside.

    Returns
    -------
    low, high : float
        In the scores' unit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.thresholds import metric_function, threshold_interval
    >>> positive = np.repeat([False, True], [80, 20])
    >>> score = np.concatenate([np.linspace(0, 0.4, 80), np.linspace(0.6, 1, 20)])
    >>> low, high = threshold_interval(positive, score, metric_function("f1"))
    >>> bool(0.38 < low < 0.5 < high < 0.62)
    True
    """
    if not 0 < level < 1:
        raise ValueError(f"`level`={level!r} must lie between 0 and 1, as 0.95 does.")
    drawn = bootstrap_cuts(
        positive,
        score,
        metric,
        weight,
        group=group,
        n_resamples=n_resamples,
        random_state=random_state,
    )
    low, high = np.quantile(drawn.cuts, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_cuts(
    positive,
    score,
    metric,
    weight=None,
    *,
    group=None,
    threshold=None,
    n_resamples=1000,
    random_state=0,
):
    """Return the best cut of each of many bootstrap resamples.

    Rows are drawn with replacement within each class. Groups are drawn whole, those
    with positives apart from those without. As in :meth:`StepCurve.best`, of equal
    optima the middle of the widest plateau is taken.

    A few seconds at most: above 4,000 cuts, those below a positive and above a
    negative are looked at, thinned to 4,000 which part the rows of both classes
    evenly. Above 20,000 rows, rows between two such cuts are drawn by their number
    (their weights by the normal approximation of the sum). Groups are drawn 2e8 rows
    in all at most, so that 1,000,000 rows have 200 resamples.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
    metric : callable
        Function of arrays (tp, fp, fn, tn) of any one shape.
    weight : ndarray of shape (n_rows,), float64, default=None
    group : ndarray of shape (n_rows,), default=None
    threshold : float, default=None
        Where to score every resample; None for the rows' own best.
    n_resamples : int, default=1000
    random_state : int, Generator or None, default=0

    Returns
    -------
    Resamples
    """
    positive, score, weight, group = _without_empty(positive, score, weight, group)
    counts = counts_of_positives(positive, score, weight)
    curve = metric_curve(counts, metric)
    threshold = curve.best().threshold if threshold is None else threshold
    fixed = np.count_nonzero(counts.scores >= threshold)
    cuts = np.union1d(_cuts_looked_at(counts), fixed)
    classes = _rows_of_classes(positive, score, weight, group, counts.scores, cuts)
    many = group is None and len(score) > MOST_ROWS
    draw = _cell_drawer(classes, weight is not None) if many else _unit_drawer(classes)
    n_drawn = len(cuts) if many else len(score)
    if not many:
        least = min(n_resamples, 200)
        n_resamples = max(least, min(n_resamples, MOST_DRAWS // n_drawn))
    random = np.random.default_rng(random_state)
    found = [
        _best_cuts(metric(*draw(random, size)), curve, cuts, fixed)
        for size in _chunks(n_resamples, MOST_CELLS // n_drawn)
    ]
    return Resamples(*map(np.concatenate, zip(*found, strict=True)))


def _without_empty(*arrays):
    weight = arrays[2]
    if weight is None or weight.all():
        return arrays
    return [None if array is None else array[weight > 0] for array in arrays]


def _chunks(total, size):
    """Return sizes of at most ``size``, at least 1, that sum to ``total``."""
    size = max(size, 1)
    return [min(size, total - start) for start in range(0, total, size)]


def _cuts_looked_at(counts):
    """Return numbers of cuts: all, or enough of those that can be optimal."""
    n_cuts = len(counts.tp)
    if n_cuts <= MOST_CUTS:
        return np.arange(n_cuts)
    positives, negatives = np.diff(counts.tp) > 0, np.diff(counts.fp) > 0
    # A metric that rises with tp and falls with fp is greatest nowhere else.
    turns = np.flatnonzero(positives[:-1] & negatives[1:]) + 1
    turns = np.concatenate([[0], turns, [n_cuts - 1]])
    if len(turns) <= MOST_CUTS:
        return turns
    above = (counts.tp / counts.tp[-1] + counts.fp / counts.fp[-1])[turns]
    even = np.searchsorted(above, np.linspace(0, 2, MOST_CUTS - 1))
    return turns[np.unique(np.append(even.clip(max=len(turns) - 1), len(turns) - 1))]


def _rows_of_classes(positive, score, weight, group, scores, cuts):
    weight = np.ones(len(score)) if weight is None else weight
    unit = np.arange(len(score)) if group is None else _numbers(group)
    order = np.argsort(-score, kind="stable")
    classes = []
    for own in (order[positive[order]], order[~positive[order]]):
        above = np.searchsorted(-score[own], -scores, side="right")
        classes.append(_Rows(unit[own], weight[own], np.append(0, above)[cuts]))
    return classes


def _numbers(group):
    return np.unique(group, return_inverse=True)[1].ravel()


def _unit_drawer(classes):
    """Return a function that draws rows or groups, to confusion counts at the cuts."""
    positives = classes[0]
    n_units = max(rows.unit.max(initial=-1) for rows in classes) + 1
    has_positive = np.bincount(positives.unit, minlength=n_units) > 0
    strata = [np.flatnonzero(has_positive), np.flatnonzero(~has_positive)]

    def draw(random, size):
        times = np.empty((size, n_units), dtype=np.int32)
        for units in strata:
            times[:, units] = _times_drawn(random, size, len(units))
        return _confusion(
            *(_sums_above(times[:, r.unit] * r.weight, r.ends) for r in classes)
        )

    return draw


def _times_drawn(random, size, n):
    """Return how often each of n is drawn in n draws, shape (size, n)."""
    if n == 0:
        return 0
    drawn = random.integers(n, size=(size, n), dtype=np.int32)
    drawn = drawn + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)


def _cell_drawer(classes, weighted):
    """Return a function that draws how many rows lie between two cuts."""
    n_cells = len(classes[0].ends) - 1
    ends = np.arange(n_cells + 1)
    cells = [np.repeat(ends[:-1], np.diff(rows.ends)) for rows in classes]

    def draw(random, size):
        return _confusion(
            *(
                _sums_above(
                    _cell_sums(random, size, cell, rows.weight, n_cells, weighted), ends
                )
                for cell, rows in zip(cells, classes, strict=True)
            )
        )

    return draw


def _cell_sums(random, size, cell, weight, n_cells, weighted):
    n_rows = np.bincount(cell, minlength=n_cells)
    times = random.multinomial(len(cell), n_rows / len(cell), size=size)
    if not weighted:
        return times
    n_rows = n_rows.clip(min=1)
    mean = np.bincount(cell, weight, minlength=n_cells) / n_rows
    square = np.bincount(cell, (weight - mean[cell]) ** 2, minlength=n_cells) / n_rows
    noise = np.sqrt(times * square) * random.standard_normal((size, n_cells))
    return (times * mean + noise).clip(min=0)


def _sums_above(values, ends):
    """Return the sums of the first ``ends`` columns."""
    sums = np.cumsum(values, axis=1, dtype=np.float64)
    return np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)[:, ends]


def _confusion(tp, fp):
    return tp, fp, tp[:, -1:] - tp, fp[:, -1:] - fp


def _best_cuts(values, curve, cuts, fixed):
    """Return the best threshold of each row of values, its value, and another's."""
    top = np.nanmax(values, axis=1)
    first, last, resample = _plateaus(values, top)
    upper, lower = curve._gap_ends()
    width = upper[cuts[first]] - lower[cuts[last]]
    order = np.lexsort((first, -width, resample))
    widest = order[np.unique(resample[order], return_index=True)[1]]
    middles = curve._middles(cuts[first[widest]], cuts[last[widest]])
    return middles, top, values[:, np.searchsorted(cuts, fixed)]


def _plateaus(values, top):
    """Return the first and last cuts of each run of optima, and its resample."""
    slack = 8 * np.finfo(np.float64).eps * np.maximum(1, np.abs(top))
    resample, cut = np.nonzero(values >= (top - slack)[:, None])
    breaks = (np.diff(resample) > 0) | (np.diff(cut) > 1)
    first = np.append(True, breaks)
    return cut[first], cut[np.append(breaks, True)], resample[first]
