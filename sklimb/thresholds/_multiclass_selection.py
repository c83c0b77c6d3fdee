"""Which thresholds of several classes to take, where the sample's best are noisy.

With a threshold for each class the best ones of a sample fit its rare classes too
closely. Means of logarithms of several searches' thresholds move less.
"""

from itertools import islice

import numpy as np

from sklimb.thresholds._multiclass_search import search_class_thresholds

__all__ = ["MULTICLASS_SELECTIONS", "select_class_thresholds"]

MULTICLASS_SELECTIONS = ("exact", "expected", "bagged", "combined")

# More resamples than this moved no decision benchmark.
N_RESAMPLES = 16
# Rows of a resample, and of those whose labels are replaced by probabilities.
MOST_ROWS = 20_000
MOST_SOFT_ROWS = 3_000
ROWS_OF_A_CLASS = 500
# "Never this class" is a threshold so many times the greatest other one.
NEVER = 20.0
ROUNDS_OF_FITTING = 20


def select_class_thresholds(
    class_numbers,
    proba,
    metric,
    selection,
    *,
    sample_weight=None,
    group=None,
    random_state=0,
):
    """Choose thresholds of several classes by other ways than their greatest score.

    Parameters
    ----------
    class_numbers : ndarray of shape (n_rows,)
        Each row's place in the columns of ``proba``.
    proba : ndarray of shape (n_rows, n_classes)
    metric : object
        As :func:`multiclass_metric` returns it, of no row's own costs.
    selection : {"expected", "bagged", "combined"}
        Thresholds of the greatest score with probabilities in place of labels, the
        geometric mean of those of bootstrap resamples, or the mean of both.
    sample_weight, group : ndarray of shape (n_rows,), default=None
        Rows of a group are drawn together.
    random_state : int, default=0

    Returns
    -------
    ndarray of shape (n_classes,)
        With a geometric mean of 1.
    """
    weight = np.ones(len(proba)) if sample_weight is None else sample_weight
    random = np.random.default_rng(random_state)
    ways = {"expected": [_expected], "bagged": [_bagged]}
    ways["combined"] = [_bagged, _expected]
    rows = class_numbers, proba, weight, group
    return np.exp(np.mean([way(*rows, metric, random) for way in ways[selection]], 0))


def _bagged(class_numbers, proba, weight, group, metric, random):
    """Return the mean of centred log thresholds of resamples."""
    draws = _draws_of_rows if group is None else _draws_of_groups
    units = class_numbers if group is None else group
    found = [
        _log_thresholds(
            class_numbers[rows], proba[rows], metric, weight[rows] * stands_for
        )
        for rows, stands_for in islice(draws(units, random), N_RESAMPLES)
    ]
    return np.mean(found, axis=0)


def _draws_of_rows(class_numbers, random):
    """Yield rows drawn class by class, and how many rows each one stands for."""
    parts = [np.flatnonzero(class_numbers == k) for k in np.unique(class_numbers)]
    n_rows = len(class_numbers)
    sizes = [_size(len(part), n_rows, MOST_ROWS) for part in parts]
    pairs = list(zip(parts, sizes, strict=True))
    stands_for = np.repeat([len(part) / size for part, size in pairs], sizes)
    while True:
        rows = [random.choice(part, size) for part, size in pairs]
        yield np.concatenate(rows), stands_for


def _size(n_rows, n_all, most):
    """Return how many rows of a class a sample of about ``most`` has."""
    return min(n_rows, max(int(most * n_rows / n_all), ROWS_OF_A_CLASS))


def _draws_of_groups(group, random):
    """Yield the rows of groups that were drawn."""
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.unique(group[order], return_index=True)[1][1:])
    while True:
        drawn = random.choice(len(members), len(members))
        yield np.concatenate([members[number] for number in drawn]), 1.0


def _expected(class_numbers, proba, weight, group, metric, random):
    """Return the centred log thresholds of the greatest expected score."""
    soft = weight[:, None] * _fitted_to_labels(class_numbers, proba, weight)
    n_rows, n_classes = proba.shape
    rows = np.arange(n_rows)
    if n_rows > MOST_SOFT_ROWS:
        rows = random.permutation(n_rows)[:MOST_SOFT_ROWS]
    return _log_thresholds(
        np.tile(np.arange(n_classes), len(rows)),
        np.repeat(proba[rows], n_classes, axis=0),
        metric,
        # A class without any weight could not be looked at.
        np.maximum(soft[rows].ravel(), np.finfo(np.float64).tiny),
    )


def _fitted_to_labels(class_numbers, proba, weight):
    """Return probabilities whose sums are the classes' weights, by iterative fitting.

    So a classifier trained at another prior counts as many rows of each class as
    there are.
    """
    wanted = np.bincount(class_numbers, weight, minlength=proba.shape[1])
    soft = np.maximum(proba, np.finfo(np.float64).tiny)
    for _ in range(ROUNDS_OF_FITTING):
        soft = soft * (wanted / (weight @ soft))
        soft = soft / soft.sum(axis=1, keepdims=True)
    return soft


def _log_thresholds(class_numbers, proba, metric, weight):
    found = search_class_thresholds(
        class_numbers, proba, metric, sample_weight=weight, n_restarts=0
    )
    thresholds = found.thresholds
    finite = thresholds[np.isfinite(thresholds)]
    logs = np.log(np.where(np.isinf(thresholds), NEVER * finite.max(), thresholds))
    return logs - logs.mean()
