"""The parts of a fall from one set of rows to another, and their intervals."""

import numpy as np

from sklimb.diagnostics._shift_rates import (
    best_across_folds,
    counted,
    drawn,
    side_of,
    value_of_rates,
)

__all__ = ["PARTS", "parts_of_cut", "parts_of_labels"]

MOST_FOLDS = 5
# Assignments to folds that the estimate is the mean of, and that resamples share.
ASSIGNMENTS = 40
SHARED = 20
# Smaller differences are of rounding.
ROUNDING = 1e-12

PARTS = ("score_a", "score_a_at_b", "score_b", "best_a_at_b", "best_b")


def parts_of_cut(positives, scores, threshold, metric, groups, n_resamples, seed):
    """Return scores and best scores of two classes, and those of resamples.

    Parameters
    ----------
    positives, scores : pair of ndarray
        Of A and B.
    threshold : float
    metric : callable
    groups : pair of ndarray or None
    n_resamples, seed : int

    Returns
    -------
    estimates : ndarray of shape (5,)
        As in ``PARTS``, the mean over random assignments to folds.
    resamples : ndarray of shape (n_resamples, 5)
    noise : ndarray of shape (5, 5)
        Covariance over assignments, which the estimate is nearly free of and a
        resample is not.
    """
    random = np.random.default_rng(seed)
    fewest = map(_fewest_units, positives, groups)
    n_folds = int(min(MOST_FOLDS, *fewest))
    # Both sides choose by as many rows of each class.
    fewer = np.min([(np.sum(own), np.sum(~own)) for own in positives], axis=0)
    n_kept = np.floor(fewer * (n_folds - 1) / n_folds)
    sides = [
        side_of(positive, score, threshold, n_kept, group)
        for positive, score, group in zip(positives, scores, groups, strict=True)
    ]
    found, resamples = [], []
    for number in range(ASSIGNMENTS):
        tables = [counted(side, n_folds, random) for side in sides]
        once = [counts[None] for counts, _ in tables]
        found.append(_values(once, sides, n_kept, metric, random)[0])
        if number < SHARED:
            size = len(range(number, n_resamples, SHARED))
            again = [drawn(*table, size, random) for table in tables]
            resamples.append(_values(again, sides, n_kept, metric, random))
    noise = np.cov(np.transpose(found))
    return np.mean(found, axis=0), np.concatenate(resamples), noise


def _fewest_units(positive, group):
    """Return the number of rows, or groups, of the rarer class."""
    unit = np.arange(len(positive)) if group is None else group
    return min(len(np.unique(unit[own])) for own in (positive, ~positive))


def _values(counts, sides, n_kept, metric, random):
    """Return the values of ``PARTS`` for each resample."""
    sizes = [c.sum(axis=(2, 3)) for c in counts]
    prior_a, prior_b = (n[:, 0] / np.maximum(n.sum(axis=1), 1) for n in sizes)
    above = [
        c.sum(axis=2)[..., : side.cut].sum(axis=-1).T
        for c, side in zip(counts, sides, strict=True)
    ]
    values = [
        value_of_rates(metric, above[0], sizes[0].T, prior_a),
        value_of_rates(metric, above[0], sizes[0].T, prior_b),
        value_of_rates(metric, above[1], sizes[1].T, prior_b),
    ]
    values += [
        best_across_folds(c, side, n_kept, metric, prior_b, random)
        for c, side in zip(counts, sides, strict=True)
    ]
    values = np.column_stack(values)
    has_both = (sizes[0] > 0).all(axis=1) & (sizes[1] > 0).all(axis=1)
    return values[has_both]


def parts_of_labels(labels, predicted, metric, groups, n_resamples, seed):
    """Return scores of any number of classes, and those of resamples.

    Parameters
    ----------
    labels, predicted : pair of ndarray of shape (n_rows,), int
        Class numbers, of A and B.
    metric : callable
        Function of confusion matrices of shape (..., n_classes, n_classes).
    groups : pair of ndarray or None
    n_resamples, seed : int

    Returns
    -------
    estimates : ndarray of shape (3,)
        The first of ``PARTS``.
    resamples : ndarray of shape (n_resamples, 3)
    """
    random = np.random.default_rng(seed)
    n_classes = 1 + max(y.max() for y in (*labels, *predicted))
    matrices, again = [], []
    for y, said, group in zip(labels, predicted, groups, strict=True):
        cell = y * n_classes + said
        own = np.bincount(cell, minlength=n_classes**2)
        matrices.append(own)
        again.append(_drawn_matrices(cell, own, group, n_resamples, random))
    shape = (-1, n_classes, n_classes)
    estimates = _values_of_labels(*(m.reshape(shape) for m in matrices), metric)
    resamples = _values_of_labels(*(m.reshape(shape) for m in again), metric)
    return estimates[0], resamples


def _drawn_matrices(cell, counts, group, n_resamples, random):
    if group is None:
        return random.poisson(counts, (n_resamples, len(counts)))
    unit = np.unique(group, return_inverse=True)[1].ravel()
    table = np.zeros((unit.max() + 1, len(counts)))
    np.add.at(table, (unit, cell), 1)
    return random.poisson(1, (n_resamples, len(table))) @ table


def _values_of_labels(a, b, metric):
    rows_a, rows_b = (m.sum(axis=2, keepdims=True) for m in (a, b))
    a_at_b = a * rows_b / np.maximum(rows_a, 1)
    return np.column_stack([metric(m * 1.0) for m in (a, a_at_b, b)])
