"""Metrics of one decision at many prevalences, with bands."""

from typing import NamedTuple

import numpy as np

from sklimb._validation import as_labels
from sklimb.display._sources import one_against_rest
from sklimb.metrics import drawn_rates, measure_named
from sklimb.thresholds import counts_of_positives, metric_names, multiclass_metric_names

__all__ = [
    "Decisions",
    "check_metrics",
    "check_prevalences",
    "counted",
    "default_prevalences",
    "retuned_scores",
    "scored_rows",
]

N_PREVALENCES = 121
N_DRAWS = 1000
SEED = 0


class Decisions(NamedTuple):
    """How each class is predicted, and which class's prevalence moves.

    Attributes
    ----------
    confusion : ndarray of shape (n_classes, n_classes)
        Weights, rows true and columns predicted.
    n_effective : ndarray of shape (n_classes,)
        How many rows of equal weight tell as much of each class.
    classes : ndarray of shape (n_classes,)
    number : int
    base_prior : ndarray of shape (n_classes,)
        In what proportion the other classes stay.
    """

    confusion: np.ndarray
    n_effective: np.ndarray
    classes: np.ndarray
    number: int
    base_prior: np.ndarray

    @property
    def rates(self):
        """Return the shares of each class that are predicted as each class."""
        return self.confusion / self.confusion.sum(axis=1, keepdims=True)

    def priors(self, prevalences):
        """Return the class shares at each prevalence, (n_prevalences, n_classes)."""
        others = self.base_prior.copy()
        others[self.number] = 0
        shares = np.outer(1 - prevalences, others / others.sum())
        shares[:, self.number] = prevalences
        return shares

    def tables(self, metrics, prevalences, cost_matrix=None, level=None):
        """Return :meth:`scores` of several metrics: three dicts by name."""
        tables = {}, {}, {}
        for metric in metrics:
            costs = cost_matrix if metric == "cost" else None
            found = self.scores(metric, prevalences, costs, level)
            for table, values in zip(tables, found, strict=True):
                table[metric] = values
        return tables

    def scores(self, metric, prevalences, cost_matrix=None, level=None):
        """Return a metric at each prevalence, with a level also its band's ends."""
        measure = self._measure(metric, cost_matrix)
        at = self.priors(prevalences)[:, :, None]
        rates = self.rates
        estimate = measure(rates * at)
        if level is None:
            return estimate, None, None
        counts = rates * self.n_effective[:, None]
        drawn = drawn_rates(counts, N_DRAWS, np.random.default_rng(SEED))
        ends = [
            np.quantile(measure(drawn * each), [(1 - level) / 2, (1 + level) / 2])
            for each in at
        ]
        low, high = np.transpose(ends)
        return estimate, np.minimum(low, estimate), np.maximum(high, estimate)

    def _measure(self, metric, cost_matrix):
        """Return the metric as a function of confusion matrices."""
        n_classes = len(self.classes)
        of_two = n_classes > 2 and metric not in [*multiclass_metric_names(), "cost"]
        if of_two and (metric in metric_names() or metric[:1] == "f"):
            function = measure_named(metric, 2).of_confusions
            return lambda confusion: function(_against_rest(confusion, self.number))
        measure = measure_named(
            metric, n_classes, self.number, cost_matrix, self.classes
        )
        if not hasattr(measure, "of_confusions"):
            raise ValueError(
                f"`metrics` has {metric!r}, which is not a metric of decisions: it "
                "needs probabilities. Use names such as 'precision', 'f1' or 'cost'."
            )
        return measure.of_confusions


def _against_rest(confusion, number):
    """Return confusion matrices of one class, the second, against all others."""
    hits = confusion[..., number, number]
    true, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    missed, alarms = true[..., number] - hits, predicted[..., number] - hits
    rest = true.sum(axis=-1) - hits - missed - alarms
    first, second = np.stack([rest, alarms], -1), np.stack([missed, hits], -1)
    return np.stack([first, second], axis=-2)


def counted(rows, predicted, number, prior=None):
    """Return the :class:`Decisions` that rows tell.

    Parameters
    ----------
    rows : Labelled
    predicted : ndarray of shape (n_rows,)
        Class numbers.
    number : int
        The class whose prevalence moves.
    prior : ndarray of shape (n_classes,), default=None
        In what proportion the others stay; None for the rows'.

    Raises
    ------
    ValueError
        If a class has no rows.
    """
    n_classes = len(rows.classes)
    weight = rows.sample_weight
    weight = np.ones(len(predicted)) if weight is None else weight
    cells = rows.class_numbers * n_classes + predicted
    confusion = np.bincount(cells, weight, n_classes**2).reshape(n_classes, n_classes)
    own = confusion.sum(axis=1)
    if not own.all():
        missing = as_labels(rows.classes[own == 0])
        raise ValueError(
            f"`y_true` has no rows of {missing}, which are predicted: how often is not "
            "known at another prevalence. Add rows of them, or leave out the rows "
            "with these predictions."
        )
    squares = np.bincount(rows.class_numbers, weight**2, n_classes)
    base = own / own.sum() if prior is None else prior
    return Decisions(confusion, own**2 / squares, rows.classes, number, base)


def retuned_scores(metrics, aim, prevalences, positive, score, weight, cost_matrix):
    """Return metrics of two classes with the threshold chosen anew at each prevalence.

    Parameters
    ----------
    metrics : sequence of str
    aim : str
        The metric whose best cut is taken.
    prevalences : ndarray of shape (n_prevalences,)
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,)
    weight : ndarray of shape (n_rows,) or None
    cost_matrix : array-like or None

    Returns
    -------
    dict
        For each metric an array of shape (n_prevalences,).
    """
    tp, fp, *_ = counts_of_positives(positive, score, weight)
    kept = _corners(tp, fp)
    hits, alarms = tp[kept] / tp[-1], fp[kept] / fp[-1]
    functions = {
        name: measure_named(
            name, 2, 1, cost_matrix if name == "cost" else None
        ).of_confusions
        for name in {*metrics, aim}
    }
    found = {name: [] for name in metrics}
    for share in prevalences:
        confusions = _confusions(share * hits, (1 - share) * alarms, share)
        best = np.argmax(functions[aim](confusions))
        for name in metrics:
            found[name].append(float(functions[name](confusions[best])))
    return {name: np.array(values) for name, values in found.items()}


def _corners(tp, fp):
    """Return the cuts that no neighbour is better than, by more hits or fewer alarms.

    Any metric that rises with hits and falls with alarms is greatest at one of them.
    """
    gains, costs = np.diff(tp) > 0, np.diff(fp) > 0
    return np.append(True, gains) & np.append(costs, True)


def _confusions(tp, fp, share):
    negatives = np.stack([1 - share - fp, fp], axis=-1)
    return np.stack([negatives, np.stack([share - tp, tp], axis=-1)], axis=-2)


def default_prevalences(marks):
    """Return prevalences on a logarithmic grid that shows the marked ones."""
    low, high = min(marks), max(marks)
    low = max(min(low / 10, 1e-3), 1e-6)
    high = min(max(0.5, high + (1 - high) / 2), 0.99)
    return np.unique(np.concatenate([np.geomspace(low, high, N_PREVALENCES), marks]))


def check_prevalences(prevalences):
    """Return prevalences as a rising array.

    Raises
    ------
    ValueError
        If they are fewer than two, or not within (0, 1).
    """
    prevalences = np.unique(np.asarray(prevalences, dtype=np.float64))
    if len(prevalences) < 2 or prevalences[0] <= 0 or prevalences[-1] >= 1:
        raise ValueError(
            f"`prevalences`={as_labels(prevalences)} must be two or more numbers "
            "above 0 and below 1, such as numpy.geomspace(0.001, 0.5, 100)."
        )
    return prevalences


def check_metrics(metrics):
    """Return names of metrics as a list.

    Raises
    ------
    ValueError
        If there are none.
    """
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    if not metrics:
        raise ValueError("`metrics` is empty. Name at least one, such as 'precision'.")
    return metrics


def scored_rows(rows, y_proba, pos_label):
    """Return which rows are positive, their scores and weights, to tune on.

    Raises
    ------
    ValueError
        If there are no scores, or more than two classes.
    """
    if y_proba is None or len(rows.classes) > 2:
        raise ValueError(
            f"`retune` needs `y_proba`, for two classes; got y_proba={y_proba!r:.40} "
            f"and {len(rows.classes)} classes. Give scores, or leave `retune` out."
        )
    y_true = rows.classes[rows.class_numbers]
    two = one_against_rest(y_true, y_proba, labels=rows.classes, pos_label=pos_label)
    return two.is_positive, two.proba, rows.sample_weight
