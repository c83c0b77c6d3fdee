"""Tests at cuts that are preset, so that no label decides what is tested.

A metric that wanders over the cuts can't be bounded at every one of them: the best
of many flatters itself. Here cuts are tested in an order fixed beforehand.
"""

from functools import lru_cache
from math import log
from typing import NamedTuple

import numpy as np
from scipy.special import bdtrc, betaincinv, ndtri

from sklimb.thresholds._constraints import Constraint, constraint_function

__all__ = [
    "both_ends",
    "fallback",
    "lower_bound",
    "metric_of_rates",
    "p_values",
    "preset_ranks",
    "preset_rate_tests",
    "upper_bound",
]

# Two chains of ranks, the second for classifiers that only do well further down.
# Chosen for power, by simulation.
CHAIN_LEVELS = np.array([0.8, 0.2])
CHAIN_STARTS = np.array([2.5, 10.0])
RANK_RATIO = 1.25
FALSE_POSITIVE_RATIO = 1.3
N_DRAWS = 2_000


def lower_bound(hits, n, alpha):
    """Return the Clopper-Pearson bound below a share of ``n``."""
    hits = np.asarray(hits, dtype=np.float64)
    some = np.maximum(hits, 1)
    return np.where(hits > 0, betaincinv(some, n - some + 1, alpha), 0.0)


def upper_bound(hits, n, alpha):
    """Return the Clopper-Pearson bound above a share of ``n``."""
    return 1 - lower_bound(n - hits, n, alpha)


def geometric(first, last, ratio):
    """Return whole numbers from ``first`` on, no further than ``last``."""
    if last < first:
        return np.array([], dtype=int)
    n_steps = int(log(last / first) / log(ratio)) + 1
    return np.unique(np.round(first * ratio ** np.arange(n_steps)).astype(int))


def preset_ranks(n_rows, low, alpha):
    """Return ranks at which to test precision, and the level each brings along.

    The unit is the rank at which all rows must be positive to pass; at the first
    start a few errors are affordable.
    """
    if low == 1:
        return np.array([], dtype=int), np.array([])
    starts = np.ceil(CHAIN_STARTS * log(alpha) / log(low)).astype(int)
    ranks = geometric(starts[0], n_rows, RANK_RATIO)
    levels = np.zeros(len(ranks))
    if len(ranks):
        at = np.minimum(np.searchsorted(ranks, starts), len(ranks) - 1)
        np.add.at(levels, at, alpha * CHAIN_LEVELS)
    return ranks, levels


def both_ends(tp, rows, cuts):
    """Return hits and rows at the lower and the upper end of a cut's gap, (2, n_cuts).

    Given the score just below the gap, all rows called positive are independent and
    positive with the precision at the lower end; given the lowest score called
    positive, all rows above it, with the precision at the upper end. Of tied rows
    that are lowest, a positive one is left out.
    """
    hits, above = tp[cuts], rows[cuts]
    has_positive = hits > tp[np.maximum(cuts - 1, 0)]
    fewer = np.maximum(above - 1, 0)
    return np.stack([hits, hits - has_positive]), np.stack([above, fewer])


def p_values(hits, n, low):
    """Return the probability of so many hits or more at a share of ``low``."""
    return bdtrc(hits - 1, n, low)


def fallback(p_values, levels):
    """Return which tests pass, and the level at which each was tested.

    A test that passes hands its level on to the next one, which adds its own. Where
    precision crosses the limit between two cuts, the rows between two crossings are
    positive with the limit's probability; how many they are tells which hypotheses
    are false, and the positives among them are binomial all the same.
    """
    passed, tested_at, level = [], [], 0.0
    for p_value, own in zip(p_values, levels, strict=True):
        level += own
        tested_at.append(level)
        passed.append(p_value <= level)
        level *= passed[-1]
    return np.array(passed, dtype=bool), np.array(tested_at)


def metric_of_rates(name, share, recall, fpr):
    """Return a metric at a share of positives, recall and false positive rate."""
    metric = constraint_function(Constraint(name, None, -np.inf, np.inf))
    rest = 1 - share
    return metric(share * recall, rest * fpr, share * (1 - recall), rest * (1 - fpr))


class RateTests(NamedTuple):
    """Tests in order: false positives, true positives needed there, their level."""

    false_positives: np.ndarray
    hits: np.ndarray
    level: float


@lru_cache(maxsize=128)
def preset_rate_tests(name, low, share, n_positive, n_negative, alpha):
    """Return :class:`RateTests` for a metric's low limit.

    For a metric that rises with recall and falls with the false positive rate. The
    order of testing goes by the distance between two normal distributions of scores
    that would just pass, easiest first.

    Given the negatives' scores, the true positives above one of them are binomial,
    and the first hypothesis in order that is false is known; it passes with at most
    the largest risk over the tests. The false positive rates at the negatives' ranks
    are uniform order statistics, over which that risk is averaged. So is the share
    of positives where it is None, over its posterior from rows drawn at random.
    """
    false_positives = geometric(1, n_negative - 1, FALSE_POSITIVE_RATIO)
    if len(false_positives) == 0:
        return RateTests(false_positives, false_positives, alpha)
    random = np.random.default_rng(0)
    fpr = _draw_fpr(random, false_positives, n_negative)
    if share is None:  # Jeffreys' prior
        share = random.beta(n_positive + 0.5, n_negative + 0.5, size=(N_DRAWS, 1))
    recall = _needed_recall(name, low, share, fpr)
    hits, level = _calibrated(recall, n_positive, alpha)
    attainable = hits <= n_positive
    false_positives, hits = false_positives[attainable], hits[attainable]
    distance = ndtri(hits / (n_positive + 1)) - ndtri(false_positives / n_negative)
    easiest = np.argsort(distance, kind="stable")
    return RateTests(false_positives[easiest], hits[easiest], level)


def _draw_fpr(random, false_positives, n_negative):
    """Draw false positive rates at the negative just below so many others."""
    steps = np.diff([0, *(false_positives + 1), n_negative + 1])
    sums = np.cumsum(random.gamma(steps, size=(N_DRAWS, len(steps))), axis=1)
    return sums[:, :-1] / sums[:, -1:]


def _needed_recall(name, low, share, fpr):
    """Return the recall at which the metric reaches ``low``; 1 where none does."""
    none, enough = np.zeros_like(fpr), np.ones_like(fpr)
    for _ in range(30):
        middle = (none + enough) / 2
        reaches = metric_of_rates(name, share, middle, fpr) >= low
        none, enough = (
            np.where(reaches, none, middle),
            np.where(reaches, middle, enough),
        )
    return enough


def _calibrated(recall, n_positive, alpha):
    """Return the hits that each test needs, and the level they share.

    Two standard errors of the drawn mean are kept clear of ``alpha``.
    """
    level = alpha
    while True:
        hits = _needed_hits(recall, n_positive, level)
        largest = bdtrc(hits - 1, n_positive, recall).max(axis=1)
        risk = largest.mean() + 2 * largest.std() / np.sqrt(N_DRAWS)
        if risk <= alpha:
            return hits, level
        level *= min(0.9, alpha / risk)


def _needed_hits(recall, n_positive, level):
    """Return the least hits whose mean probability under ``recall`` is the level."""
    low = np.zeros(recall.shape[1], dtype=int)
    high = np.full(recall.shape[1], n_positive + 1)
    while (low < high).any():
        middle = (low + high) // 2
        fits = bdtrc(middle - 1, n_positive, recall).mean(axis=0) <= level
        low, high = np.where(fits, low, middle + 1), np.where(fits, middle, high)
    return high
