"""How well one column alone tells the classes apart."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = [
    "Separation",
    "auc",
    "auc_error",
    "fold_numbers",
    "out_of_fold_rates",
    "separation",
]

BINS = 32
# Rows that the overall rate counts as, beside those of a value.
PRIOR_ROWS = 1.0
# Being missing says it all where values add no more than this.
MISSING_SLACK = 0.005


class Separation(NamedTuple):
    """How well a column alone tells one class from the others.

    Attributes
    ----------
    auc : float
        The greatest over classes of several.
    low : float
        What it exceeds with some confidence.
    mean : float
        The mean over classes.
    how : {"values", "missing"}
        By what the column separates.
    rates : ndarray of shape (n_rows, n_classes or 1)
        Out of fold, each class's share among rows of such a value; of two classes
        the second one's.
    class_number : int
        The class that it tells.
    """

    auc: float
    low: float
    mean: float
    how: str
    rates: np.ndarray
    class_number: int


def fold_numbers(y, cv, random_state):
    """Return the number of each row's test fold, of a random stratified split.

    Parameters
    ----------
    y : ndarray of shape (n_rows,), int
        Class numbers.
    cv : int
    random_state : int
    """
    order = np.lexsort((np.random.default_rng(random_state).random(len(y)), y))
    folds = np.empty(len(y), dtype=np.intp)
    folds[order] = np.arange(len(y)) % cv
    return folds


def auc(score, positive):
    """Return the area under the ROC curve; ties count half."""
    n_positive = np.count_nonzero(positive)
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return 0.5
    ranks = rankdata(score)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(ranks / (n_positive * n_negative))


def auc_error(area, n_positive, n_negative):
    """Return an area's standard error (Hanley & McNeil 1982)."""
    both_above, both_below = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (n_positive - 1) * (both_above - area**2)
        + (n_negative - 1) * (both_below - area**2)
    )
    return float(np.sqrt(max(variance, 0) / (n_positive * n_negative)))


def out_of_fold_rates(codes, positive, folds):
    """Return the share of positives among other folds' rows of the same code.

    Parameters
    ----------
    codes, folds : ndarray of shape (n_rows,), int
    positive : ndarray of shape (n_rows,), bool

    Returns
    -------
    ndarray of shape (n_rows,)
        A code that other folds lack has their overall share.
    """
    n_folds, n_codes = folds.max() + 1, codes.max() + 1
    cells = folds * n_codes + codes
    rows = np.bincount(cells, minlength=n_folds * n_codes).reshape(n_folds, n_codes)
    hits = np.bincount(cells, positive, n_folds * n_codes).reshape(rows.shape)
    hits, rows = hits.sum(axis=0) - hits, rows.sum(axis=0) - rows
    prior = hits.sum(axis=1, keepdims=True) / rows.sum(axis=1, keepdims=True)
    return ((hits + PRIOR_ROWS * prior) / (rows + PRIOR_ROWS))[folds, codes]


def binned(column):
    """Return codes of a column's values: categories, or bins of as many rows."""
    codes = column.codes
    if column.kind != "numeric" or codes.max() < BINS:
        return codes
    present = column.values[~column.is_missing]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
    inside = np.searchsorted(edges, column.values, side="right")
    return np.where(column.is_missing, len(edges) + 1, inside)


def separation(column, y, folds, n_looks=1):
    """Return how well a column tells a class apart, the best over classes.

    Parameters
    ----------
    column : Column
    y : ndarray of shape (n_rows,), int
        Class numbers.
    folds : ndarray of shape (n_rows,), int
    n_looks : int, default=1
        How many such columns are looked at: one of many is high by chance.

    Returns
    -------
    Separation
    """
    codes, missing = binned(column), column.is_missing
    numbers = range(y.max() + 1) if y.max() > 1 else [1]
    n_looks = n_looks * len(numbers)
    of_classes = [_area(column, codes, missing, y == k, folds) for k in numbers]
    areas = [area for area, _, _ in of_classes]
    best = int(np.argmax(areas))
    return Separation(
        auc=areas[best],
        low=_low(areas[best], np.count_nonzero(y == numbers[best]), len(y), n_looks),
        mean=float(np.mean(areas)),
        how=of_classes[best][1],
        rates=np.column_stack([rates for _, _, rates in of_classes]),
        class_number=numbers[best],
    )


def _low(area, n_positive, n_rows, n_looks):
    # An area of 1 has no error of its own, however few the rows.
    fewer = min(n_positive, n_rows - n_positive)
    error = auc_error(min(area, 1 - 0.5 / fewer), n_positive, n_rows - n_positive)
    return area + float(ndtri(0.025 / n_looks)) * error


def _area(column, codes, missing, positive, folds):
    """Return the area, by what the column separates, and the rates out of fold."""
    rates = out_of_fold_rates(codes, positive, folds)
    area = auc(rates, positive)
    if column.kind == "numeric":
        area = max(area, _area_of_ranks(column.values, missing, positive))
    if missing.any():
        by_missing = auc(missing, positive)
        by_missing = max(by_missing, 1 - by_missing)
        if by_missing > area - MISSING_SLACK:
            return max(area, by_missing), "missing", rates
    return area, "values", rates


def _area_of_ranks(values, missing, positive):
    """Return the area by the values' order; rows without one stand in the middle."""
    if missing.all():
        return 0.5
    if missing.any():
        values = np.where(missing, np.median(values[~missing]), values)
    area = auc(values, positive)
    return max(area, 1 - area)
