"""Rates with exact intervals, and how many rows it takes to know one."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import beta, binom

from sklimb.metrics._rows import check_between, labelled_rows

__all__ = [
    "ClassAccuracy",
    "Interval",
    "RowsNeeded",
    "per_class_accuracy",
    "rate_interval",
    "rows_needed",
]

# Beyond, nobody counts, and the beta distribution is no longer exact.
MOST_POSITIVES, MOST_ROWS = 10**8, 10**12


class Interval(NamedTuple):
    """A value with an interval; numbers, or arrays of one shape.

    Attributes
    ----------
    estimate : float
    low, high : float
        Its ends.
    """

    estimate: float
    low: float
    high: float


class RowsNeeded(NamedTuple):
    """How large a test set must be.

    Attributes
    ----------
    positives : int
        Positives that it must hold.
    rows : int
        Rows to draw, so that it very probably does.
    """

    positives: int
    rows: int


class ClassAccuracy(NamedTuple):
    """How much of each class is predicted right.

    Attributes
    ----------
    labels : ndarray of shape (n_classes,)
    accuracy : ndarray of shape (n_classes,)
        The class's recall; nan for a class without rows.
    low, high : ndarray of shape (n_classes,)
        Its Clopper-Pearson interval.
    n_rows : ndarray of shape (n_classes,), int
    """

    labels: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_rows: np.ndarray


def rate_interval(n_hits, n_rows, level=0.95, method="clopper_pearson"):
    """Return a rate with its interval.

    Parameters
    ----------
    n_hits, n_rows : array-like of numbers
        Arrays broadcast. Counts may be fractions, as effective ones are. Without
        rows the rate is nan and its interval all of [0, 1].
    level : float, default=0.95
        How often the interval shall cover.
    method : {"clopper_pearson", "wilson", "jeffreys"}, default="clopper_pearson"
        - ``"clopper_pearson"``: exact; covers at least as often as ``level``,
          whatever the rate, and often more.
        - ``"wilson"``, ``"jeffreys"``: shorter; cover as often as ``level`` on
          average over rates, and less for some.

    Returns
    -------
    Interval
        Of floats, or of arrays.

    Raises
    ------
    ValueError
        If there are more hits than rows, a count is negative or no finite number,
        or ``level`` or ``method`` is not valid.

    References
    ----------
    Clopper and Pearson (1934), "The use of confidence or fiducial limits
    illustrated in the case of the binomial"; Brown, Cai and DasGupta (2001),
    "Interval estimation for a binomial proportion".

    Examples
    --------
    Nine of ten positives found: the recall may be as low as a half.

    >>> from sklimb.metrics import rate_interval
    >>> found = rate_interval(9, 10)
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.9, 0.555, 0.997)
    >>> rate_interval([9, 90, 900], [10, 100, 1000]).low.round(3)
    array([0.555, 0.824, 0.88 ])
    """
    hits, rows = _check_counts(n_hits, n_rows)
    tail = (1 - check_between(level, "level")) / 2
    if method not in _METHODS:
        raise ValueError(f"`method`={method!r} must be one of {', '.join(_METHODS)}.")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = hits / rows
        low, high = _METHODS[method](hits, rows, tail)
    low = np.where(hits > 0, low, 0.0)
    high = np.where(hits < rows, high, 1.0)
    return Interval(*(x if rows.ndim else float(x) for x in (rate, low, high)))


def _check_counts(n_hits, n_rows):
    hits, rows = np.broadcast_arrays(
        np.asarray(n_hits, dtype=np.float64), np.asarray(n_rows, dtype=np.float64)
    )
    bad = ~((hits >= 0) & (hits <= rows) & np.isfinite(rows))
    if bad.any():
        raise ValueError(
            f"`n_hits`={hits[bad].flat[0]:g} of `n_rows`={rows[bad].flat[0]:g}: hits "
            "must lie between 0 and the number of rows. Count both on the same rows."
        )
    return hits, rows


def _clopper_pearson(hits, rows, tail):
    return beta.ppf(tail, hits, rows - hits + 1), beta.isf(tail, hits + 1, rows - hits)


def _jeffreys(hits, rows, tail):
    parameters = hits + 0.5, rows - hits + 0.5
    return beta.ppf(tail, *parameters), beta.isf(tail, *parameters)


def _wilson(hits, rows, tail):
    z = -ndtri(tail)
    middle = hits + z**2 / 2
    half = z * np.sqrt(hits * (rows - hits) / rows + z**2 / 4)
    return (middle - half) / (rows + z**2), (middle + half) / (rows + z**2)


_METHODS = {
    "clopper_pearson": _clopper_pearson,
    "wilson": _wilson,
    "jeffreys": _jeffreys,
}


def rows_needed(recall, half_width, prior, *, level=0.95, assurance=0.95):
    """Return how large a test set must be for a recall to be known so well.

    The positives are the fewest whose Clopper-Pearson interval is at most
    ``2 * half_width`` wide where as many of them are found as ``recall`` promises.
    Rows drawn at random hold that many only by luck: ``rows`` is the fewest that
    hold them with probability ``assurance``, so a little more than
    ``positives / prior``. For the rate of any other class, give its own numbers.

    Parameters
    ----------
    recall : float
        What is expected, in [0, 1].
    half_width : float
        Half of the interval's width, in (0, 0.5).
    prior : float
        The prevalence of positives where rows are drawn, in (0, 1].
    level : float, default=0.95
        The interval's.
    assurance : float, default=0.95
        The probability that the rows hold enough positives.

    Returns
    -------
    RowsNeeded

    Raises
    ------
    ValueError
        If a number lies outside its range, or no such number of rows exists.

    Examples
    --------
    A recall of about 90 %, to 5 points, where 1 row in 100 is positive:

    >>> from sklimb.metrics import rows_needed
    >>> rows_needed(0.9, 0.05, 0.01)
    RowsNeeded(positives=158, rows=17912)
    """
    check_between(half_width, "half_width", 0, 0.5)
    check_between(assurance, "assurance")
    if not 0 <= recall <= 1:
        raise ValueError(f"`recall`={recall!r} must be a number in [0, 1].")
    if not 0 < prior <= 1:
        raise ValueError(
            f"`prior`={prior!r} must be a number above 0 and at most 1: the prevalence "
            "of positives in the rows to draw."
        )

    def narrow(n):
        _, low, high = rate_interval(recall * n, n, level)
        return high - low <= 2 * half_width

    name = f"`half_width`={half_width!r}"
    positives = _fewest(narrow, 1, MOST_POSITIVES, name)
    rows = _fewest(
        lambda n: binom.sf(positives - 1, n, prior) >= assurance,
        positives,
        MOST_ROWS,
        f"`prior`={prior!r}",
    )
    return RowsNeeded(positives, rows)


def _fewest(enough, least, limit, name):
    """Return the least number from ``least`` on for which it is enough, by halving."""
    most = least
    while not enough(most):
        most *= 2
        if most > limit:
            raise ValueError(
                f"{name} would take more than {limit:,} rows. Ask for less."
            )
    low = max(least - 1, most // 2)
    while most - low > 1:
        middle = (low + most) // 2
        low, most = (low, middle) if enough(middle) else (middle, most)
    return most


def per_class_accuracy(y_true, y_pred, *, level=0.95, labels=None):
    """Return how much of each class is predicted right, with exact intervals.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted labels.
    level : float, default=0.95
        Of the Clopper-Pearson intervals, each by itself.
    labels : array-like of shape (n_classes,), default=None
        The classes to tell of; None for all in ``y_true`` and ``y_pred``, sorted.

    Returns
    -------
    ClassAccuracy

    Raises
    ------
    ValueError
        If shapes differ or labels are not valid.

    Examples
    --------
    >>> from sklimb.metrics import per_class_accuracy
    >>> found = per_class_accuracy(["a"] * 8 + ["b"] * 4, ["a"] * 9 + ["b"] * 3)
    >>> found.accuracy
    array([1.  , 0.75])
    >>> found.low.round(2), found.n_rows
    (array([0.63, 0.19]), array([8, 4]))
    """
    rows = labelled_rows(y_true, labels=labels, y_pred=y_pred)
    right = rows.predicted(y_pred) == rows.numbers
    n_rows = np.bincount(rows.numbers, minlength=rows.n_classes)
    hits = np.bincount(rows.numbers, right, minlength=rows.n_classes)
    return ClassAccuracy(rows.classes, *rate_interval(hits, n_rows, level), n_rows)
