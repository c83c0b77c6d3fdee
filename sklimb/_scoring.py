"""A ``scoring`` parameter as a step function over all cuts."""

import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names

from sklimb._compat import scorer_needs_scores
from sklimb.thresholds import (
    StepCurve,
    counts_of_positives,
    metric_curve,
    metric_function,
    metric_names,
)

__all__ = ["resolve_scoring"]


def resolve_scoring(scoring, classes, positive_class):
    """Return what computes a score at every cut.

    Parameters
    ----------
    scoring : str or callable
        A name of :func:`sklimb.thresholds.metric_names`, a scikit-learn scorer
        name, or a scorer ``(estimator, X, y) -> float`` that uses labels.
    classes : ndarray of shape (2,)
    positive_class : int
        The positive class's place in ``classes``.

    Returns
    -------
    CountMetric or LabelScorer

    Raises
    ------
    ValueError
        If the name is unknown, or the metric needs no threshold.
    """
    if isinstance(scoring, str):
        metric = _metric_or_none(scoring)
        if metric is not None:
            return CountMetric(metric)
        scorer = _named_scorer(scoring)
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
    return LabelScorer(scorer, classes[1 - positive_class], classes[positive_class])


def _metric_or_none(name):
    try:
        return metric_function(name)
    except ValueError:
        return None


def _named_scorer(name):
    known = sorted({*metric_names(), *get_scorer_names()})
    if name in known:
        return get_scorer(name)
    nearest = get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"`scoring`={name!r} is not known.{hint} Use one of "
        f"{', '.join(metric_names())}, 'f2', 'f0.5', ..., or a scikit-learn scorer."
    )


@dataclass(frozen=True)
class CountMetric:
    """A function of the confusion counts: all cuts at once."""

    metric: Any

    def curve(self, positive, score, weight):
        """Return the metric at every cut as a :class:`StepCurve`."""
        return metric_curve(counts_of_positives(positive, score, weight), self.metric)


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
        y_true = self._labels(np.array([True, False, True, False]))
        y_pred = self._labels(np.array([True, True, False, False]))
        table = np.column_stack(counts[:4]).astype(np.float64)
        try:
            return np.array([self._score(y_true, y_pred, table[cut]) for cut in cuts])
        except (TypeError, ValueError):
            return None  # takes no weights

    def _by_rows(self, positive, score, weight, scores, cuts):
        y_true = self._labels(positive)
        values = np.empty(len(cuts))
        for i, cut in enumerate(cuts):
            above = score >= scores[cut - 1] if cut else np.zeros(len(score), bool)
            values[i] = self._score(y_true, self._labels(above), weight)
        return values

    def _score(self, y_true, y_pred, weight):
        estimator = _KnownPredictions(
            np.array([self.negative_label, self.positive_label])
        )
        params = {} if weight is None else {"sample_weight": weight}
        with warnings.catch_warnings():
            # "None positive" is a cut like any other.
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return self.scorer(estimator, y_pred, y_true, **params)
