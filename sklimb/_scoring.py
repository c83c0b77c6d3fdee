"""A ``scoring`` parameter as what a decision is chosen by."""

import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names

from sklimb._compat import parts_of_scorer, scorer_needs_scores
from sklimb.thresholds import (
    StepCurve,
    cost_metric,
    cost_rows,
    counts_of_positives,
    metric_function,
    metric_names,
    multiclass_metric,
    multiclass_metric_names,
)
from sklimb.thresholds._checks import check_cost_matrix

__all__ = ["resolve_scoring"]

# Functions of sklearn.metrics, and the names of what they compute.
SCORED_BY = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "cohen_kappa_score": "cohen_kappa",
    "f1_score": "f1",
    "jaccard_score": "jaccard",
    "matthews_corrcoef": "matthews_corrcoef",
    "precision_score": "precision",
    "recall_score": "recall",
}
AVERAGED = ("f1", "jaccard", "precision", "recall")

# What ``scoring`` may be where costs are given: the default says nothing else.
COST_AIMS = ("cost", "balanced_accuracy")


def resolve_scoring(scoring, classes, positive_class, cost_matrix=None, by_row=False):
    """Return what a decision is chosen by.

    Parameters
    ----------
    scoring : str or callable
        A name of :func:`sklimb.thresholds.metric_names`, a scikit-learn scorer
        name, or a scorer ``(estimator, X, y) -> float`` that uses labels. With
        costs, ``"cost"`` or the default.
    classes : ndarray of shape (n_classes,)
    positive_class : int
        Of two classes the positive one's place in ``classes``.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
    by_row : bool, default=False
        Whether every row has costs of its own.

    Returns
    -------
    CountMetric, LabelScorer, RowCosts or MulticlassMetric

    Raises
    ------
    ValueError
        If the name is unknown, the metric needs no threshold or is for two
        classes, there are two aims, or none, or the costs are not valid.
    """
    if cost_matrix is not None or by_row:
        return _of_costs(scoring, classes, positive_class, cost_matrix, by_row)
    if isinstance(scoring, str) and scoring == "cost":
        raise ValueError(
            "`scoring`='cost' needs `cost_matrix`, or `sample_cost` in `fit`; both are "
            "None. Give one of them."
        )
    if isinstance(scoring, str):
        metric = _metric_or_none(scoring, len(classes))
        if metric is not None:
            return metric
        scorer = _named_scorer(scoring, len(classes))
    elif callable(scoring):
        scorer = scoring
    else:
        raise ValueError(
            f"`scoring`={scoring!r} must be one metric's name or one scorer: a "
            "threshold is chosen for one aim."
        )
    if scorer_needs_scores(scorer):
        raise ValueError(
            f"`scoring`={scoring!r} ranks or weighs probabilities and needs no "
            "threshold. Choose the threshold by a metric of labels, such as 'f1' or "
            "'balanced_accuracy'."
        )
    known = _metric_of_scorer(scorer, classes, positive_class)
    if known is not None:
        return known
    if len(classes) > 2:
        _check_for_several(scoring, scorer, len(classes))
        return MulticlassMetric(ScorerOfConfusions(scorer, classes), len(classes))
    return LabelScorer(scorer, classes[1 - positive_class], classes[positive_class])


def _of_costs(scoring, classes, positive_class, cost_matrix, by_row):
    if scoring not in COST_AIMS:
        raise ValueError(
            f"`scoring`={scoring!r} and costs are two aims, and a decision has one. "
            "Leave `scoring` out to have the least cost, or leave out `cost_matrix` "
            "and `sample_cost`."
        )
    if cost_matrix is not None and by_row:
        raise ValueError(
            "`cost_matrix` and `sample_cost` both say what decisions cost. Give one."
        )
    if cost_matrix is not None:
        cost_matrix = check_cost_matrix(cost_matrix, classes)
    if len(classes) > 2:
        return MulticlassMetric("cost", len(classes), cost_matrix)
    if by_row:
        return RowCosts(positive_class)
    return CountMetric("cost", cost_matrix, positive_class)


def _metric_or_none(name, n_classes):
    try:
        if n_classes > 2:
            multiclass_metric(name, n_classes)
            return MulticlassMetric(name, n_classes)
        metric_function(name)
        return CountMetric(name)
    except ValueError:
        return None


def _metric_of_scorer(scorer, classes, positive_class):
    """Return the metric of the table that a scikit-learn scorer computes, or None."""
    function, settings = parts_of_scorer(scorer)
    name = SCORED_BY.get(function)
    settings = {k: v for k, v in settings.items() if (k, v) != ("zero_division", 0)}
    if name in AVERAGED:
        average = settings.pop("average", "binary")
        if average == "binary":
            if classes[positive_class] != settings.pop("pos_label", 1):
                return None
        elif average in ("macro", "weighted"):
            name = f"{name}_{average}"
        else:
            return None
    if name is None or settings:
        return None
    return _metric_or_none(name, len(classes))


def _check_for_several(scoring, scorer, n_classes):
    function, settings = parts_of_scorer(scorer)
    name = SCORED_BY.get(function)
    if name in AVERAGED and settings.get("average", "binary") == "binary":
        _refuse_for_several(scoring, name, n_classes)


def _refuse_for_several(scoring, name, n_classes):
    own = multiclass_metric_names()
    hint = f" Did you mean '{name}_macro'?" if f"{name}_macro" in own else ""
    raise ValueError(
        f"`scoring`={scoring!r} is a metric of two classes, and `y` has {n_classes}."
        f"{hint} Use one of {', '.join(own)}, or a scikit-learn scorer of labels."
    )


def _named_scorer(name, n_classes):
    own = metric_names() if n_classes == 2 else multiclass_metric_names()
    known = sorted({*own, *get_scorer_names()})
    if name in known:
        return get_scorer(name)
    if n_classes > 2 and _metric_or_none(name, 2) is not None:
        _refuse_for_several(name, name, n_classes)
    nearest = get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    fbeta = " 'f2', 'f0.5', ...," if n_classes == 2 else ""
    raise ValueError(
        f"`scoring`={name!r} is not known.{hint} Use one of "
        f"{', '.join(own)},{fbeta} or a scikit-learn scorer."
    )


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
    def n_restarts(self):
        """How often to search: once where every cut takes a millisecond."""
        return 0 if callable(self.name) else None

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
