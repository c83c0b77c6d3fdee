"""Metrics of several classes at every cut of one class's threshold.

A row that goes from class d to class c changes the counts of these two only,
so each metric at all cuts costs a few cumulative sums over the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

__all__ = ["multiclass_metric", "multiclass_metric_names"]

# Cuts at which a function of confusion matrices is evaluated.
GRID = 200
# Numbers in the confusion matrices of such a grid: 32 MB.
GRID_CELLS = 4 * 10**6


def _ratio(numerator, denominator):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, np.divide(numerator, denominator), 0.0)


def _hits(confusion):
    return np.diagonal(confusion, axis1=-2, axis2=-1)


class _Metric:
    """A metric of the predictions of labelled rows, averaged over folds."""

    n_classes = None  # any number, unless a metric says so

    def cuts_of(self, sweep):
        """Return the sweep with the cuts that the metric is evaluated at."""
        return sweep

    def at_cuts(self, sweep):
        """Return the metric at every cut of a sweep."""
        raise NotImplementedError

    def of_predictions(self, rows, predicted):
        """Return the metric of these rows' predicted class numbers."""
        return float(np.mean(self.of_confusion(rows.confusion(predicted))))


class _RowGains(_Metric):
    """A metric that is the sum over rows of what each prediction gains."""

    def at_cuts(self, sweep):
        before = self.gains(sweep.rows, sweep.left)
        after = self.gains(sweep.rows, np.full_like(sweep.left, sweep.class_number))
        return np.cumsum(np.append(before.sum(), after - before))[sweep.ends]


def _row_share(rows):
    """Return each row's share in the mean over its fold and over the folds."""
    share = 1 / (rows.counts.sum(axis=1) * len(rows.counts))
    return share[rows.fold] * rows.weight


class Accuracy(_RowGains):
    """Share of the weight that is predicted right."""

    def of_confusion(self, confusion):
        return _hits(confusion).sum(axis=-1) / confusion.sum(axis=(-2, -1))

    def gains(self, rows, predicted):
        return _row_share(rows) * (rows.class_numbers == predicted)


class BalancedAccuracy(_RowGains):
    """Mean recall of the classes that have rows."""

    def of_confusion(self, confusion):
        true = confusion.sum(axis=-1)
        return _ratio(_hits(confusion), true).sum(axis=-1) / (true > 0).sum(axis=-1)

    def gains(self, rows, predicted):
        n_present = (rows.counts > 0).sum(axis=1, keepdims=True)
        share = _ratio(1 / (n_present * len(rows.counts)), rows.counts)
        cell = rows.fold * rows.n_classes + rows.class_numbers
        return share.ravel()[cell] * rows.weight * (rows.class_numbers == predicted)


@dataclass(frozen=True)
class Saving(_RowGains):
    """Minus the mean cost of the predictions."""

    cost_matrix: np.ndarray | None = None
    sample_cost: np.ndarray | None = None

    def gains(self, rows, predicted):
        if self.sample_cost is None:
            cost = self.cost_matrix[rows.class_numbers, predicted]
        else:
            cost = self.sample_cost[rows.places, predicted]
        return -_row_share(rows) * cost

    def of_predictions(self, rows, predicted):
        return float(self.gains(rows, predicted).sum())


class _ClassSums(_Metric):
    """A metric of sums over the classes.

    ``parts(hits, predicted, true)`` gives one class's summands from its
    weights, a tuple of arrays; ``value(*sums, total, squares)`` the metric,
    from their sums and those of ``true`` and ``true ** 2``.
    """

    def of_confusion(self, confusion):
        true = confusion.sum(axis=-1)
        parts = self.parts(_hits(confusion), confusion.sum(axis=-2), true)
        return self._value([part.sum(axis=-1) for part in parts], true)

    def _value(self, sums, true, fold=...):
        total, squares = true.sum(axis=-1), (true**2).sum(axis=-1)
        return self.value(*sums, total[fold], squares[fold])

    def at_cuts(self, sweep):
        true, fold = sweep.rows.counts, sweep.by_fold.key
        own = self.parts(*sweep.arrived(), true[:, sweep.class_number][fold])
        rest, rest_before = sweep.remaining()
        changed = self.parts(*rest, true.ravel()[sweep.by_left.key])
        before = self.parts(*rest_before, true.ravel())
        sums = [
            sweep.sum_over_classes(*part)
            for part in zip(own, changed, before, strict=True)
        ]
        before = [part.reshape(true.shape).sum(axis=1) for part in before]
        values = self._value(sums, true, fold)
        return sweep.mean_over_folds(values, self._value(before, true))


def _f1(hits, predicted, true):
    return _ratio(2 * hits, predicted + true)


def _jaccard(hits, predicted, true):
    return _ratio(hits, predicted + true - hits)


def _precision(hits, predicted, true):
    return _ratio(hits, predicted)


@dataclass(frozen=True)
class MacroMean(_ClassSums):
    """Mean of a rate over the classes that have rows or are predicted."""

    rate: Callable

    def parts(self, hits, predicted, true):
        return self.rate(hits, predicted, true), (predicted + true > 0) * 1.0

    def value(self, rates, n_present, total, squares):
        return _ratio(rates, np.rint(n_present))


@dataclass(frozen=True)
class WeightedMean(_ClassSums):
    """Mean of a rate over the classes, weighted by their rows."""

    rate: Callable

    def parts(self, hits, predicted, true):
        return (true * self.rate(hits, predicted, true),)

    def value(self, rates, total, squares):
        return _ratio(rates, total)


class GeometricMean(_ClassSums):
    """Geometric mean of the recalls of the classes that have rows."""

    def parts(self, hits, predicted, true):
        missed = (true > 0) & (hits <= 0)
        recall = np.where(hits > 0, _ratio(hits, true), 1.0)
        return np.log(recall), missed * 1.0, (true > 0) * 1.0

    def value(self, logs, n_missed, n_present, total, squares):
        return np.where(n_missed > 0.5, 0.0, np.exp(logs / np.rint(n_present)))


# Of unequal weights the variance of a constant prediction is rounding noise.
CONSTANT = 1e-12


class MatthewsCorrcoef(_ClassSums):
    """Correlation of the one-hot classes, predicted and true; 0 if undefined."""

    def parts(self, hits, predicted, true):
        return hits, predicted * true, predicted**2

    def value(self, hits, products, predicted_squares, total, squares):
        of_true = 1 - squares / total**2
        of_predicted = 1 - predicted_squares / total**2
        covariance = hits / total - products / total**2
        variances = np.maximum(of_true, 0) * np.maximum(of_predicted, 0)
        defined = (of_true > CONSTANT) & (of_predicted > CONSTANT)
        return np.where(defined, _ratio(covariance, np.sqrt(variances)), 0.0)


class CohenKappa(_ClassSums):
    """Agreement beyond chance over the greatest possible; 0 if undefined."""

    def parts(self, hits, predicted, true):
        return hits, predicted * true

    def value(self, hits, products, total, squares):
        by_chance = products / total**2
        defined = 1 - by_chance > CONSTANT
        kappa = _ratio(hits / total - by_chance, 1 - by_chance)
        return np.where(defined, kappa, 0.0)


class MinimumRecall(_Metric):
    """Lowest recall of the classes that have rows."""

    def of_confusion(self, confusion):
        return _recall(_hits(confusion), confusion.sum(axis=-1)).min(axis=-1)

    def at_cuts(self, sweep):
        true, fold = sweep.rows.counts, sweep.by_fold.key
        rest, rest_before = sweep.remaining()
        recall = _recall(rest[0], true.ravel()[sweep.by_left.key])
        before = _recall(rest_before[0].reshape(true.shape), true)
        others = before.copy()
        others[:, sweep.class_number] = 1.0
        lowest = sweep.by_fold.lowest(sweep.by_left.back(recall))
        own = _recall(sweep.arrived()[0], true[:, sweep.class_number][fold])
        values = np.minimum(np.minimum(lowest, others.min(axis=1)[fold]), own)
        return sweep.mean_over_folds(values, before.min(axis=1))


def _recall(hits, true):
    """Return the recall, 1 for a class without rows: it is never the lowest."""
    return np.where(true > 0, _ratio(hits, true), 1.0)


@dataclass(frozen=True)
class OfConfusions(_Metric):
    """A user's function of confusion matrices, on a grid of the cuts."""

    function: Callable
    n_classes: int

    def of_confusion(self, confusion):
        values = np.asarray(self.function(confusion), dtype=np.float64)
        if values.shape != confusion.shape[:-2]:
            raise ValueError(
                f"`metric` gave an array of shape {values.shape} for confusion "
                f"matrices of shape {confusion.shape}; expected "
                f"{confusion.shape[:-2]}, one number for each matrix."
            )
        return values

    def cuts_of(self, sweep):
        n_folds, n_classes = sweep.rows.counts.shape
        affordable = GRID_CELLS // (n_folds * n_classes**2)
        return sweep.thinned(int(np.clip(affordable, 10, GRID)))

    def at_cuts(self, sweep):
        return self.of_confusion(sweep.confusions()).mean(axis=1)


_METRICS = {
    "accuracy": Accuracy(),
    "balanced_accuracy": BalancedAccuracy(),
    "cohen_kappa": CohenKappa(),
    "f1_macro": MacroMean(_f1),
    "f1_weighted": WeightedMean(_f1),
    "geometric_mean": GeometricMean(),
    "jaccard_macro": MacroMean(_jaccard),
    "jaccard_weighted": WeightedMean(_jaccard),
    "matthews_corrcoef": MatthewsCorrcoef(),
    "minimum_recall": MinimumRecall(),
    "precision_macro": MacroMean(_precision),
    "precision_weighted": WeightedMean(_precision),
    "recall_macro": BalancedAccuracy(),
    "recall_weighted": Accuracy(),
}

_SHORT_FORMS = {
    "g_mean": "geometric_mean",
    "kappa": "cohen_kappa",
    "macro_f1": "f1_macro",
    "mcc": "matthews_corrcoef",
}


def multiclass_metric_names():
    """Return the names that :func:`multiclass_metric` knows."""
    return sorted([*_METRICS, *_SHORT_FORMS, "cost"])


def multiclass_metric(name, n_classes, *, cost_matrix=None, sample_cost=None):
    """Return the metric that a name or a function stands for.

    Parameters
    ----------
    name : str or callable
        A name of :func:`multiclass_metric_names`, or a function of confusion
        matrices of shape (..., n_classes, n_classes), rows true, that gives
        an array of shape (...).
    n_classes : int
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"cost"``: what predicting the column costs where the row is true.
    sample_cost : array-like of shape (n_rows, n_classes), default=None
        For ``"cost"``: what predicting each class costs in each row.

    Returns
    -------
    object
        Its ``at_cuts`` and ``of_predictions`` are greater where better.

    Raises
    ------
    ValueError
        If no metric has that name, or costs are missing, superfluous or of
        the wrong shape.
    """
    costs = {"cost_matrix": cost_matrix, "sample_cost": sample_cost}
    given = [cost for cost, values in costs.items() if values is not None]
    if callable(name) or name != "cost":
        if given:
            raise ValueError(
                f"`{given[0]}` is given, but `metric`={name!r} knows no costs. Pass "
                "`metric`='cost', or leave it out."
            )
        return OfConfusions(name, n_classes) if callable(name) else _metric_named(name)
    if len(given) != 1:
        raise ValueError(
            f"`metric`='cost' takes one of `cost_matrix` and `sample_cost`; got "
            f"{' and '.join(given) or 'neither'}."
        )
    return Saving(**{given[0]: _check_costs(given[0], costs[given[0]], n_classes)})


def _metric_named(name):
    full_name = _SHORT_FORMS.get(name, name)
    if full_name in _METRICS:
        return _METRICS[full_name]
    nearest = get_close_matches(str(name), multiclass_metric_names(), n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"`metric`={name!r} is not known for several classes.{hint} Known: "
        f"{', '.join(multiclass_metric_names())}, and any function of confusion "
        "matrices."
    )


def _check_costs(name, costs, n_classes):
    costs = np.asarray(costs, dtype=np.float64)
    if name == "cost_matrix":
        n_rows, meaning = n_classes, "true class"
    else:
        n_rows, meaning = "n_rows", "row"
    rows_fit = name == "sample_cost" or costs.shape[:1] == (n_classes,)
    if costs.ndim != 2 or costs.shape[1] != n_classes or not rows_fit:
        raise ValueError(
            f"`{name}` has shape {costs.shape}; expected ({n_rows}, {n_classes}), one "
            f"row for each {meaning} and one column for each predicted class."
        )
    if not np.isfinite(costs).all():
        raise ValueError(f"`{name}` has nan or infinite costs; give finite numbers.")
    return costs
