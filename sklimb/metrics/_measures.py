"""What is measured, by name: of labels, of probabilities, or of a ranking.

A measure is prepared once for rows and what was predicted of them, and then
costs little for each of many weightings of these rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from sklimb.metrics._resampling import Ranking, class_sums
from sklimb.thresholds import (
    cost_metric,
    metric_function,
    metric_names,
    multiclass_metric,
    multiclass_metric_names,
)
from sklimb.thresholds._checks import check_cost_matrix

__all__ = ["log_losses", "measure_named", "of_counts", "reads_labels", "squared_errors"]

# A probability of 0 that comes true would cost infinitely much.
SMALLEST_LOG_PROBA = np.log(np.finfo(np.float64).eps)


def log_losses(log_proba):
    """Return the log-losses of rows whose true class has these log-probabilities.

    Parameters
    ----------
    log_proba : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,)
        At most 36, the loss of a probability of 2e-16.
    """
    return -np.maximum(log_proba, SMALLEST_LOG_PROBA)


def squared_errors(proba, numbers):
    """Return the Brier scores of rows: scikit-learn's, so of one class's column of two.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
    numbers : ndarray of shape (n_rows,), int
        Their classes.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    n_classes = proba.shape[1]
    squares = ((proba - np.eye(n_classes)[numbers]) ** 2).sum(axis=1)
    return squares / 2 if n_classes == 2 else squares


def of_counts(function, positive):
    """Return a function of (tp, fp, fn, tn) as one of confusion matrices.

    Parameters
    ----------
    function : callable
    positive : {0, 1}
        The row and column of the positive class.

    Returns
    -------
    callable
    """

    def of_confusions(confusion):
        order = [positive, 1 - positive]
        (tp, fn), (fp, tn) = (
            (confusion[..., true, order[0]], confusion[..., true, order[1]])
            for true in order
        )
        return function(tp, fp, fn, tn)

    return of_confusions


@dataclass(frozen=True)
class OfLabels:
    """A metric of confusion matrices."""

    of_confusions: Callable

    reads = "labels"
    is_loss = False

    def on(self, rows, predicted):
        """Return a function of weights of the rows of each class."""
        one_hot = np.eye(rows.n_classes)
        cells = [one_hot[predicted[own]] for own in rows.of_class]
        return lambda weights: self.of_confusions(
            class_sums(weights, cells, rows.prior)
        )


@dataclass(frozen=True)
class OfProba:
    """A mean over the rows of what their probabilities lose, or minus that."""

    name: str
    is_loss: bool

    reads = "proba"

    def on(self, rows, proba):
        """Return a function of weights of the rows of each class."""
        if self.name == "log_loss":
            true = proba[np.arange(len(proba)), rows.numbers] / proba.sum(axis=1)
            with np.errstate(divide="ignore"):
                losses = log_losses(np.log(true))
        else:
            losses = squared_errors(proba, rows.numbers)
        if not self.is_loss:
            losses = -losses
        by_class = [losses[own][:, None] for own in rows.of_class]
        return lambda weights: class_sums(weights, by_class, rows.prior).sum(
            axis=(1, 2)
        )


@dataclass(frozen=True)
class OfScores:
    """How well scores rank; of several classes the mean of each against the rest."""

    name: str

    reads = "scores"
    is_loss = False

    def on(self, rows, scores):
        """Return a function of weights of the rows of each class."""
        if rows.n_classes == 2:
            parts = [(rows.positive, scores)]
        else:
            parts = [(k, scores[:, k]) for k in np.flatnonzero(rows.prior > 0)]
        prepared = [self._of_class(rows, k, column) for k, column in parts]
        return lambda weights: np.mean([part(weights) for part in prepared], axis=0)

    def _of_class(self, rows, k, scores):
        rest = [j for j in range(rows.n_classes) if j != k]
        others = np.concatenate([rows.of_class[j] for j in rest])
        ranking = Ranking.of(scores[rows.of_class[k]], scores[others])
        function = getattr(ranking, self.name)
        if len(rest) == 1 and self.name == "roc_auc":  # whatever the prior
            return lambda weights: function(weights[k], weights[rest[0]])
        if len(rest) == 1:
            return lambda weights: function(weights[k], weights[rest[0]], rows.prior[k])

        def at_prior(weights):
            shares = [
                weights[j] * _share(rows.prior[j], weights[j]) for j in [k, *rest]
            ]
            return function(shares[0], np.concatenate(shares[1:], axis=1))

        return at_prior


def _share(prior, weights):
    mass = weights.sum(axis=1, keepdims=True)
    without = np.full(mass.shape, np.nan if prior > 0 else 0.0)
    return np.divide(prior, mass, out=without, where=mass > 0)


@dataclass(frozen=True)
class OfFunction:
    """A function as those of ``sklearn.metrics``, called once for each weighting."""

    function: Callable

    reads = "anything"
    is_loss = False

    def on(self, rows, predicted):
        """Return a function of weights of the rows of each class."""
        y_true = rows.classes[rows.numbers]

        def of_weights(weights):
            table = np.empty((len(weights[0]), len(y_true)))
            for own, prior, weight in zip(
                rows.of_class, rows.prior, weights, strict=True
            ):
                table[:, own] = weight * _share(prior, weight)
            return np.array([self._value(y_true, predicted, row) for row in table])

        return of_weights

    def _value(self, y_true, predicted, weight):
        if np.isnan(weight).any():
            return np.nan
        try:
            return float(self.function(y_true, predicted, sample_weight=weight))
        except TypeError as error:
            raise ValueError(
                f"`metric`={self.function!r} can't be called as metric(y_true, "
                f"y_pred, sample_weight=...): {error}. Give a name, or a function as "
                "those of sklearn.metrics."
            ) from error


_OF_PROBA = {
    "brier": ("brier", True),
    "log_loss": ("log_loss", True),
    "neg_brier_score": ("brier", False),
    "neg_log_loss": ("log_loss", False),
}
_OF_SCORES = ("average_precision", "roc_auc")


def reads_labels(metric):
    """Tell whether a metric's name is one of predicted labels."""
    names = (*_OF_PROBA, *_OF_SCORES)
    return not callable(metric) and metric not in names


def measure_named(metric, n_classes, positive=1, cost_matrix=None, classes=None):
    """Return the measure that a name or a function stands for.

    Parameters
    ----------
    metric : str or callable
    n_classes : int
    positive : int, default=1
        Of two classes the positive one's place.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"cost"``.
    classes : array-like of shape (n_classes,), default=None
        The labels, for errors about costs.

    Returns
    -------
    OfLabels, OfProba, OfScores or OfFunction

    Raises
    ------
    ValueError
        If no measure has that name, or costs are missing or superfluous.
    """
    if not isinstance(metric, str) and not callable(metric):
        raise ValueError(
            f"`metric`={metric!r} must be one metric's name, or one function. Score "
            "several one by one."
        )
    if (cost_matrix is not None) != (metric == "cost"):
        raise ValueError(
            "`metric`='cost' needs `cost_matrix`, and nothing else takes it; got "
            f"`metric`={metric!r} and `cost_matrix`={cost_matrix!r}."
        )
    if callable(metric):
        return OfFunction(metric)
    if metric in _OF_PROBA:
        return OfProba(*_OF_PROBA[metric])
    if metric in _OF_SCORES:
        return OfScores(metric)
    if metric == "cost":
        labels = range(n_classes) if classes is None else classes
        cost_matrix = check_cost_matrix(cost_matrix, labels)
    return OfLabels(_of_confusions(metric, n_classes, positive, cost_matrix))


def _of_confusions(name, n_classes, positive, cost_matrix):
    if cost_matrix is not None and n_classes == 2:
        return of_counts(cost_metric(cost_matrix, positive), positive)
    if cost_matrix is not None:
        return lambda confusion: -(confusion * cost_matrix).sum(axis=(-2, -1))
    if n_classes == 2 and isinstance(name, str):
        try:
            return of_counts(metric_function(name), positive)
        except ValueError:
            pass  # a metric of any number of classes, or of none
    if name in multiclass_metric_names():
        return multiclass_metric(name, n_classes).of_confusion
    raise ValueError(_unknown(name, n_classes))


def _unknown(name, n_classes):
    names = {*multiclass_metric_names(), *_OF_PROBA, *_OF_SCORES}
    if n_classes == 2:
        names |= {*metric_names()}
    nearest = get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    of_two = ""
    if n_classes > 2 and name in metric_names():
        of_two = f" It is a metric of two classes, and there are {n_classes}."
    return (
        f"`metric`={name!r} is not known.{of_two}{hint} Known: "
        f"{', '.join(sorted(names))}, 'f2', 'f0.5', ... for two classes, and any "
        "function of (y_true, y_pred, sample_weight)."
    )
