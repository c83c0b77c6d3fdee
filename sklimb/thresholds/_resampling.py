"""How far the best cut moves when rows are drawn again.

The error of a sample's best cut shrinks with the cube root of the number of rows
only, and its law is not normal: the middle 95 % of the bootstrap's cuts say where
it may lie, reflecting them around the estimate does not.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from sklimb.thresholds._cuts import counts_of_positives, metric_curve
from sklimb.thresholds._scale import log_odds_of

__all__ = ["Resamples", "bootstrap_cuts", "threshold_interval"]

MOST_CELLS = 2_000_000  # of an array at once
MOST_CUTS = 4_000  # looked at in each resample
MOST_ROWS = 20_000  # drawn one by one where neither weights nor groups tie them
MOST_DRAWS = 200_000_000  # of rows, over all resamples
MOST_SMOOTHED = 2_000  # rows of the rarer class; more lie close enough together
BANDWIDTH = 0.25  # of the rarer class's spread, times its size to the power -1/5
SHIFTS = ndtri([0.5, 0.1, 0.3, 0.7, 0.9])  # a normal law's fifths


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


class _Sample(NamedTuple):
    """Rows that resamples are drawn of."""

    positive: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    unit: np.ndarray  # number of the row or group that is drawn
    strata: list  # of units that are drawn among themselves, and how often


class _Rows(NamedTuple):
    """Rows of one class by falling score, and where the cuts lie between them."""

    unit: np.ndarray
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
    same source and the same model. The percentile interval of resamples whose rarer
    class is smoothed, as in :func:`bootstrap_cuts`. In theory the plain bootstrap of
    such an optimum fails and a smoothed one holds (Patra, Seijo & Sen, "A consistent
    bootstrap procedure for the maximum score estimator", Journal of Econometrics 205,
    2018); what this one covers is measured by ``benchmarks/threshold_interval.py``.

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
        smooth=True,
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
    smooth=False,
    n_resamples=1000,
    random_state=0,
):
    """Return the best cut of each of many bootstrap resamples.

    Rows are drawn with replacement within each class. Groups are drawn whole, those
    with rows of the rarer class apart from those without. As in
    :meth:`StepCurve.best`, of equal optima the middle of the widest plateau is taken.

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
    smooth : bool, default=False
        Shift drawn rows of the rarer class, up to 2,000, by small steps on the
        log-odds scale: a few rows leave gaps where no resample would ever cut.
    n_resamples : int, default=1000
    random_state : int, Generator or None, default=0

    Returns
    -------
    Resamples
    """
    sample = _sample_of(positive, score, weight, group)
    sizes = [sample.positive.sum(), (~sample.positive).sum()]
    if threshold is None:
        curve = metric_curve(counts_of_positives(*sample[:3]), metric)
        threshold = curve.best().threshold
    if smooth:
        sample = _smoothed(sample)
    counts = counts_of_positives(*sample[:3])
    fixed = np.count_nonzero(counts.scores >= threshold)
    cuts = np.union1d(_cuts_looked_at(counts), fixed)
    classes = _rows_of_classes(sample, counts.scores, cuts)
    if group is None and len(sample.score) > MOST_ROWS:
        draw, width = _cell_drawer(classes, sizes, weight is not None), len(cuts)
    else:
        draw, width = _unit_drawer(classes, sample.strata), len(sample.score)
        least = min(n_resamples, 200)
        n_resamples = max(least, min(n_resamples, MOST_DRAWS // width))
    random, curve = np.random.default_rng(random_state), metric_curve(counts, metric)
    found = [
        _best_cuts(metric(*draw(random, size)), curve, cuts, fixed)
        for size in _chunks(n_resamples, MOST_CELLS // width)
    ]
    return Resamples(*map(np.concatenate, zip(*found, strict=True)))


def _sample_of(positive, score, weight, group):
    """Return rows with a weight, their units, and the strata of these."""
    weight = np.ones(len(score)) if weight is None else weight
    unit = np.arange(len(score)) if group is None else group
    kept = weight > 0
    positive, score, weight = positive[kept], score[kept], weight[kept]
    unit = np.unique(unit[kept], return_inverse=True)[1].ravel()
    is_rare = np.bincount(unit, _rarer(positive)) > 0
    strata = [(units, len(units)) for units in map(np.flatnonzero, (is_rare, ~is_rare))]
    return _Sample(positive, score, weight, unit, strata)


def _rarer(positive):
    return positive if 2 * positive.sum() <= len(positive) else ~positive


def _smoothed(sample):
    """Return a sample with shifted copies of its rarer rows, to be drawn as often."""
    positive, score, _, unit, ((units, n_drawn), others) = sample
    rare = _rarer(positive)
    if rare.sum() > MOST_SMOOTHED:
        return sample
    forth, back = log_odds_of(score)
    log_odds = forth(score[rare])
    step = BANDWIDTH * _spread(log_odds) * len(log_odds) ** -0.2
    copied = np.isin(unit, units)
    n_units, copies = unit.max() + 1, [sample[:4]]
    for k, shift in enumerate(SHIFTS[1:], start=1):
        moved = score.copy()
        moved[rare] = back(log_odds + step * shift)
        rows = (positive, moved, sample.weight, unit + k * n_units)
        copies.append([array[copied] for array in rows])
    units = np.concatenate([units + k * n_units for k in range(len(SHIFTS))])
    columns = map(np.concatenate, zip(*copies, strict=True))
    return _Sample(*columns, [(units, n_drawn), others])


def _spread(values):
    """Return the standard deviation, or that of a normal law by the quartiles."""
    return min(values.std(), np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.349)


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


def _rows_of_classes(sample, scores, cuts):
    positive, score, weight, unit, _ = sample
    order = np.argsort(-score, kind="stable")
    classes = []
    for own in (order[positive[order]], order[~positive[order]]):
        above = np.searchsorted(-score[own], -scores, side="right")
        classes.append(_Rows(unit[own], weight[own], np.append(0, above)[cuts]))
    return classes


def _unit_drawer(classes, strata):
    """Return a function that draws rows or groups, to confusion counts at the cuts."""
    n_units = 1 + max(units.max(initial=-1) for units, _ in strata)

    def draw(random, size):
        times = np.zeros((size, n_units), dtype=np.int32)
        for units, n_drawn in strata:
            times[:, units] = _times_drawn(random, size, n_drawn, len(units))
        return _confusion(
            *(_sums_above(times[:, r.unit] * r.weight, r.ends) for r in classes)
        )

    return draw


def _times_drawn(random, size, n_drawn, n):
    """Return how often each of n is drawn, shape (size, n)."""
    if n == 0:
        return 0
    drawn = random.integers(n, size=(size, n_drawn), dtype=np.int32)
    drawn = drawn + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)


def _cell_drawer(classes, sizes, weighted):
    """Return a function that draws how many rows lie between two cuts."""
    n_cells = len(classes[0].ends) - 1
    cuts = np.arange(n_cells + 1)
    cells = [_cells_of(rows) for rows in classes]

    def draw(random, size):
        sums = [
            _cell_sums(random, (size, n_cells), n_drawn, *of_class, weighted)
            for n_drawn, of_class in zip(sizes, cells, strict=True)
        ]
        return _confusion(*(_sums_above(values, cuts) for values in sums))

    return draw


def _cells_of(rows):
    """Return each cell's share of the rows, and the mean and variance of weights."""
    n_rows = np.diff(rows.ends)
    cell, filled = np.repeat(np.arange(len(n_rows)), n_rows), n_rows.clip(min=1)
    mean = np.bincount(cell, rows.weight, minlength=len(n_rows)) / filled
    deviation = (rows.weight - mean[cell]) ** 2
    variance = np.bincount(cell, deviation, minlength=len(n_rows)) / filled
    return n_rows / len(cell), mean, variance


def _cell_sums(random, shape, n_drawn, share, mean, variance, weighted):
    times = random.multinomial(n_drawn, share, size=shape[0])
    if not weighted:
        return times
    noise = np.sqrt(times * variance) * random.standard_normal(shape)
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
