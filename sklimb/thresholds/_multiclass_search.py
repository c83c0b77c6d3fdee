"""A search for the best thresholds of several classes, one at a time.

Each is moved to the best of all its cuts until none gains any more; from
several starts, since that may end in a local optimum.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sklimb.thresholds._multiclass_constraints import (
    InfeasibleThresholds,
    attained_by,
    violation_at_cuts,
    violation_of,
)
from sklimb.thresholds._multiclass_rows import (
    LabelledRows,
    choose_classes,
    labelled_rows,
)
from sklimb.thresholds._multiclass_sweep import sweep_of_class

__all__ = ["OptimalThresholds", "score_of", "search_class_thresholds"]

# Sums of weights in another order differ in their last digits.
SLACK = 1e-12
# Above so many rows the starts are compared on a sample of them.
SAMPLE_ROWS = 20_000
# Rows of each class that a sample keeps where there are.
SAMPLE_OF_CLASS = 500
# Starts that are polished on all rows after that.
FINALISTS = 2
# Standard deviations of a random start's log thresholds: around argmax or the
# prior, and around a row, whose probabilities count as at least the floor.
SPREAD = 1.0
NEAR = 0.3
FLOOR = 1e-3
# Random starts by default, where rows are few.
RESTARTS = 24
# No search on real rows came near; a bound on searches that gain crumbs.
MAX_ROUNDS = 50


class OptimalThresholds(NamedTuple):
    """Thresholds of all classes, and the metric's value there."""

    thresholds: np.ndarray
    score: float


class Standing(NamedTuple):
    """How good thresholds are: first by violation, then by score."""

    violation: float
    score: float

    def beats(self, other):
        """Whether it is better by more than rounding noise."""
        if abs(self.violation - other.violation) > SLACK:
            return self.violation < other.violation
        return self.score > other.score + SLACK * max(1.0, abs(other.score))

    @property
    def rank(self):
        """A key to sort by, the best last."""
        return -self.violation, self.score


@dataclass(frozen=True)
class _Problem:
    """What is searched for: rows, their probabilities and what counts.

    ``proba`` has shape (n_classes, n_rows).
    """

    rows: LabelledRows
    proba: np.ndarray
    metric: object
    constraints: tuple

    def standing(self, thresholds):
        predicted = choose_classes(self.proba.T, thresholds)
        attained = attained_by(self.constraints, self.rows, predicted)
        pairs = zip(self.constraints, attained, strict=True)
        violation = sum(float(violation_of(*pair)) for pair in pairs)
        return Standing(violation, self.metric.of_predictions(self.rows, predicted))

    def best_cut(self, sweep):
        """Return the standing and the threshold of a sweep's best cut.

        Of equal optima the widest plateau wins, in its geometric middle.
        """
        values = np.nan_to_num(self.metric.at_cuts(sweep), nan=-np.inf)
        violation = 0.0
        if self.constraints:
            violations = violation_at_cuts(self.constraints, sweep)
            violation = float(violations.min())
            values = np.where(violations <= violation + SLACK, values, -np.inf)
        top = float(values.max())
        is_best = values >= top - SLACK * max(1.0, abs(top))
        return Standing(violation, top), sweep.middle_of_widest(is_best)

    def polished(self, thresholds, visits):
        """Return thresholds that no single one of them can be moved to better."""
        thresholds, idle = thresholds.copy(), 0
        standing = self.standing(thresholds)
        for number in np.tile(visits, MAX_ROUNDS):
            idle += 1
            sweep = sweep_of_class(number, self.proba, thresholds, self.rows)
            if sweep is not None:
                found, threshold = self.best_cut(self.metric.cuts_of(sweep))
                if found.beats(standing):
                    idle = 1
                if not standing.beats(found):
                    thresholds[number], standing = threshold, found
            if idle == len(visits):
                break
        return thresholds, standing

    def sampled(self, random):
        """Return the problem on a sample, its classes weighing what they did."""
        rows = self.rows
        sizes = np.bincount(rows.class_numbers, minlength=rows.n_classes)
        wanted = np.maximum(SAMPLE_ROWS * sizes / sizes.sum(), SAMPLE_OF_CLASS)
        parts = [
            random.permutation(np.flatnonzero(rows.class_numbers == number))[:size]
            for number, size in enumerate(wanted.astype(int))
        ]
        kept = np.concatenate(parts)
        numbers, weight = rows.class_numbers[kept], rows.weight[kept]
        whole = rows.counts.sum(axis=0)[numbers]
        weight = weight * whole / np.bincount(numbers, weight)[numbers]
        fold, places = rows.fold[kept], rows.places[kept]
        sample = labelled_rows(numbers, rows.n_classes, weight, fold, places)
        return replace(self, rows=sample, proba=self.proba[:, kept])


def _starts(problem, prior, visits, n_restarts, random):
    """Return thresholds to start from: argmax, the prior's, then random ones.

    A random one lies near a row's probabilities, where decisions change, or
    around one of the first two. Neither the order of the rows nor the
    numbering of the classes changes which, nor whether a row counts twice or is
    there twice.
    """
    starts = [np.ones(len(prior)), prior]
    in_order = np.lexsort(problem.proba[visits])
    reached = np.cumsum(problem.rows.weight[in_order])
    for restart in range(n_restarts):
        noise = np.empty(len(prior))
        noise[visits] = random.normal(size=len(prior))
        row = in_order[np.searchsorted(reached, random.random() * reached[-1])]
        if restart % 2:
            near = np.maximum(problem.proba[:, row], FLOOR)
            starts.append(near * np.exp(NEAR * noise))
        else:
            starts.append(starts[restart // 2 % 2] * np.exp(SPREAD * noise))
    return starts


def _best(found):
    """Return the first of (thresholds, standing) that no other beats."""
    best = found[0]
    for other in found[1:]:
        if other[1].beats(best[1]):
            best = other
    return best


def _scaled(thresholds):
    """Return thresholds with a geometric mean of 1 over the finite ones."""
    logs = np.log(thresholds)
    return np.exp(logs - logs[np.isfinite(logs)].mean())


def _starts_of(problem, prior, visits, n_restarts, random_state):
    """Return all starts, for many rows only the best ones of a sample."""
    random = np.random.default_rng(random_state)
    if problem.rows.n_classes == 2 or len(problem.rows.places) <= SAMPLE_ROWS:
        return _starts(problem, prior, visits, n_restarts, random)
    sample = problem.sampled(random)
    starts = _starts(sample, prior, visits, n_restarts, random)
    found = [sample.polished(start, visits) for start in starts]
    found.sort(key=lambda each: each[1].rank, reverse=True)
    return [thresholds for thresholds, _ in found[:FINALISTS]]


def _result(problem, thresholds):
    """Return the thresholds, or argmax where that is better in the last digit."""
    argmax = np.ones(len(thresholds))
    pairs = [(each, problem.standing(each)) for each in (thresholds, argmax)]
    thresholds, standing = max(pairs, key=lambda pair: pair[1].rank)
    if standing.violation > 0:
        predicted = choose_classes(problem.proba.T, thresholds)
        attained = attained_by(problem.constraints, problem.rows, predicted)
        raise InfeasibleThresholds(thresholds, attained)
    return OptimalThresholds(thresholds, standing.score)


def search_class_thresholds(
    class_numbers,
    proba,
    metric,
    *,
    sample_weight=None,
    fold=None,
    start_prior=None,
    constraints=(),
    n_restarts=None,
    random_state=0,
):
    """Search as :func:`optimal_class_thresholds`, on clean arrays.

    Parameters
    ----------
    class_numbers : ndarray of shape (n_rows,)
        Each row's place in the columns of ``proba``.
    proba : ndarray of shape (n_rows, n_classes)
    metric : object
        As :func:`multiclass_metric` returns it.
    sample_weight : ndarray of shape (n_rows,), default=None
    fold : ndarray of shape (n_rows,), default=None
        Whole numbers; the mean of the folds' metrics is maximised. None to
        pool the rows.
    start_prior : ndarray of shape (n_classes,), default=None
        The class shares that a search starts from; None for those of the rows.
    constraints : sequence, default=()
        Bounds on all rows pooled: objects with a ``name`` ("recall",
        "precision", "alert_rate", or a metric's), a ``class_number`` (None for
        a metric), a ``low`` and a ``high``.
    n_restarts : int, default=None
        Random starts beside argmax and the prior; None for enough.
    random_state : int, default=0

    Returns
    -------
    OptimalThresholds

    Raises
    ------
    InfeasibleThresholds
        If no start comes to thresholds that keep all constraints.
    """
    n_classes = proba.shape[1]
    rows = labelled_rows(class_numbers, n_classes, sample_weight, fold)
    columns = np.ascontiguousarray(proba.T[:, rows.places], dtype=np.float64)
    problem = _Problem(rows, columns, metric, tuple(constraints))
    shares = rows.counts.sum(axis=0) if start_prior is None else np.asarray(start_prior)
    shares = np.maximum(shares, shares[shares > 0].min())
    mean = np.average(columns, axis=1, weights=rows.weight)
    visits = np.lexsort((mean, shares))
    if n_restarts is None:
        n_restarts = _default_restarts(n_classes, len(rows.places))
    starts = _starts_of(problem, _scaled(shares), visits, n_restarts, random_state)
    found = [problem.polished(start, visits) for start in starts]
    return _result(problem, _scaled(_best(found)[0]))


def _default_restarts(n_classes, n_rows):
    if n_classes == 2:
        return 0  # one threshold is all there is, and its sweep is exact
    if n_rows * n_classes <= SAMPLE_ROWS:
        return RESTARTS
    return int(np.clip(3 * RESTARTS // n_classes, 8, RESTARTS))


def score_of(class_numbers, predicted, metric, sample_weight=None, fold=None):
    """Return the metric of given predictions, the mean over the folds.

    Parameters
    ----------
    class_numbers, predicted : ndarray of shape (n_rows,)
        Class numbers, true and predicted.
    metric : object
        As :func:`multiclass_metric` returns it.
    sample_weight, fold : ndarray of shape (n_rows,), default=None
        As for :func:`search_class_thresholds`.

    Returns
    -------
    float
    """
    n_classes = metric.n_classes or 1 + max(class_numbers.max(), predicted.max())
    rows = labelled_rows(class_numbers, n_classes, sample_weight, fold)
    return metric.of_predictions(rows, predicted[rows.places])
