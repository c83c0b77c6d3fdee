"""What a decision is chosen by: metrics, costs of rows, and scorers of labels."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning

from sklimb.thresholds import (
    StepCurve,
    cost_metric,
    cost_rows,
    counts_of_positives,
    metric_function,
    multiclass_metric,
)

__all__ = [
    "CountMetric",
    "LabelScorer",
    "MulticlassMetric",
    "RowCosts",
    "ScorerOfConfusions",
]


@dataclass(frozen=True)
class CountMetric:
    """A function of the confusion counts, by its name: all cuts at once."""

    name: str
    cost_matrix: Any = None
    positive_class: int = 1

    resamples = True  # fast enough for a bootstrap
    sums_rows = False

    def __call__(self, tp, fp, fn, tn):
        return self._metric(tp, fp, fn, tn)

    @property
    def _metric(self):
        # Made anew at each call, as a function made by another can't be pickled.
        if self.name == "cost":
            return cost_metric(self.cost_matrix, self.positive_class)
        return metric_function(self.name)

    def rows(self, positive, weight, costs, total):
        """Return which rows count as positive, and how much each counts."""
        return positive, weight

    def of_decisions(self, positive, chosen, weight, costs):
        """Return the metric of decisions."""
        return float(self(*counts_of_decisions(positive, chosen, weight)))


@dataclass(frozen=True)
class RowCosts:
    """Minus the mean of costs that each row has of its own.

    A row counts as positive where that is the cheaper decision, and as much as it
    is cheaper, so that ``tp - fp`` is what a cut saves.
    """

    positive_class: int

    resamples = True
    sums_rows = True  # so that the mean over folds is that of all rows, weighted

    def __call__(self, tp, fp, fn, tn):
        return tp - fp

    def rows(self, positive, weight, costs, total):
        """Return where the positive class is cheaper, and by how much of the mean."""
        cheaper, saved = cost_rows(costs, self.positive_class)
        saved = saved / total if weight is None else saved * weight / total
        # A row of weight 0 would be left out, and its cut with it.
        return cheaper, np.maximum(saved, np.finfo(np.float64).tiny)

    def of_decisions(self, positive, chosen, weight, costs):
        """Return minus the mean cost of decisions."""
        column = np.where(chosen, self.positive_class, 1 - self.positive_class)
        return -float(np.average(costs[np.arange(len(costs)), column], weights=weight))


def counts_of_decisions(positive, chosen, weight):
    """Return the weights of (tp, fp, fn, tn)."""
    number = 2 * (~positive) + ~chosen
    tp, fn, fp, tn = np.bincount(number, weight, minlength=4)
    return tp, fp, fn, tn


@dataclass(frozen=True)
class MulticlassMetric:
    """A metric of several classes."""

    name: Any
    n_classes: int
    cost_matrix: Any = None

    @property
    def resamples(self):
        """Whether a cut takes less than a millisecond."""
        return not callable(self.name)

    @property
    def n_restarts(self):
        """How often to search; once where every cut takes long."""
        return None if self.resamples else 0

    def metric(self, costs):
        """Return it for rows of such costs, as the search takes it."""
        by_row = self.name == "cost" and self.cost_matrix is None
        return multiclass_metric(
            self.name,
            self.n_classes,
            cost_matrix=self.cost_matrix,
            sample_cost=costs if by_row else None,
        )


class _KnownPredictions(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its prediction, to call scorers on labels."""

    def __init__(self, classes=None):
        self.classes = classes

    @property
    def classes_(self):
        return self.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return X


@dataclass(frozen=True)
class LabelScorer:
    """A scorer of labels, called at every cut.

    A metric that takes ``sample_weight`` and depends on nothing but labels is
    called on four rows that weigh as much as the confusion counts, which gives
    the same; whether it does is checked on three cuts first.
    """

    scorer: Any
    negative_label: Any
    positive_label: Any

    resamples = False
    sums_rows = False

    def __call__(self, tp, fp, fn, tn):
        counts = np.broadcast_arrays(*np.atleast_1d(tp, fp, fn, tn))
        table = np.stack([part.ravel() for part in counts], axis=1)
        values = [self._of_counts(row) for row in table]
        return np.array(values).reshape(counts[0].shape)

    def rows(self, positive, weight, costs, total):
        """Return which rows are positive, and how much each counts."""
        return positive, weight

    def of_decisions(self, positive, chosen, weight, costs):
        """Return the score of decisions."""
        return float(self._score(self._labels(positive), self._labels(chosen), weight))

    def curve(self, positive, score, weight):
        """Return the score at every cut as a :class:`StepCurve`."""
        counts = counts_of_positives(positive, score, weight)
        n_cuts = len(counts.scores) + 1
        probes = np.unique([n_cuts // 4, n_cuts // 2, 3 * n_cuts // 4])
        by_rows = self._by_rows(positive, score, weight, counts.scores, probes)
        by_counts = self._by_counts(counts, probes)
        cuts = np.arange(n_cuts)
        if by_counts is not None and np.allclose(by_rows, by_counts, 1e-9, 1e-12):
            return StepCurve(counts.scores, self._by_counts(counts, cuts))
        values = self._by_rows(positive, score, weight, counts.scores, cuts)
        return StepCurve(counts.scores, values)

    def _labels(self, positive):
        return np.where(positive, self.positive_label, self.negative_label)

    def _by_counts(self, counts, cuts):
        table = np.column_stack(counts[:4])
        try:
            return np.array([self._of_counts(table[cut]) for cut in cuts])
        except ValueError:
            return None  # takes no weights

    def _of_counts(self, counts):
        y_true = self._labels(np.array([True, False, True, False]))
        y_pred = self._labels(np.array([True, True, False, False]))
        return self._score(y_true, y_pred, np.asarray(counts, dtype=np.float64))

    def _by_rows(self, positive, score, weight, scores, cuts):
        y_true = self._labels(positive)
        values = np.empty(len(cuts))
        for i, cut in enumerate(cuts):
            above = score >= scores[cut - 1] if cut else np.zeros(len(score), bool)
            values[i] = self._score(y_true, self._labels(above), weight)
        return values

    def _score(self, y_true, y_pred, weight):
        classes = np.array([self.negative_label, self.positive_label])
        return scored(self.scorer, classes, y_true, y_pred, weight)


@dataclass(frozen=True)
class ScorerOfConfusions:
    """A scorer of labels, called on rows that weigh as much as a confusion matrix."""

    scorer: Any
    classes: np.ndarray

    def __call__(self, confusion):
        n_classes = len(self.classes)
        y_true, y_pred = (
            np.repeat(self.classes, n_classes),
            np.tile(self.classes, n_classes),
        )
        table = confusion.reshape(-1, n_classes**2)
        values = [
            scored(self.scorer, self.classes, y_true, y_pred, row) for row in table
        ]
        return np.array(values).reshape(confusion.shape[:-2])


def scored(scorer, classes, y_true, y_pred, weight):
    """Call a scorer on known predictions."""
    params = {} if weight is None else {"sample_weight": weight}
    with warnings.catch_warnings():
        # "None positive" is a cut like any other.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        try:
            return scorer(_KnownPredictions(classes), y_pred, y_true, **params)
        except TypeError as error:
            if weight is None:
                raise
            raise ValueError(
                f"`scoring`={scorer!r} can't score rows of unequal weight ({error}). "
                "Let it take `sample_weight`. Without, it can choose for two classes "
                "with selection='exact', no row weights and no `target_prior`."
            ) from error
