"""Scorers that measure where the classes have other shares."""

import numpy as np

from sklimb._compat import BaseScorer
from sklimb.metrics._at_prior import score_at_prior
from sklimb.metrics._measures import measure_named

__all__ = ["make_prior_scorer"]

RESPONSES = {
    "labels": "predict",
    "anything": "predict",
    "proba": "predict_proba",
    "scores": ("decision_function", "predict_proba"),
}


def make_prior_scorer(metric, target_prior, *, pos_label=None, cost_matrix=None):
    """Return a scikit-learn scorer of a metric at a prior.

    Test rows of each class weigh as much as the class's share. In a fold without
    rows of a class that has a share the scorer raises; so cross-validation gives nan
    and a warning there, as ``error_score`` says. Use stratified folds.

    Parameters
    ----------
    metric : str or callable
        As for :func:`score_at_prior`. Losses count negatively, so that greater is
        better: ``"log_loss"`` is ``"neg_log_loss"`` here. A function gets predicted
        labels.
    target_prior : array-like, mapping, float, "uniform" or None
        The shares of the estimator's classes; a float is the positive class's
        prevalence. None for the test rows' own.
    pos_label : label, default=None
        The positive class; None for the greater label.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"cost"``: rows true, columns predicted.

    Returns
    -------
    scorer
        A function ``scorer(estimator, X, y, sample_weight=None)`` for ``scoring=``,
        which takes part in metadata routing (``set_score_request``).

    Raises
    ------
    ValueError
        If the metric is not known, or needs or can't have costs. What depends on the
        rows is checked when it is called.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklimb.metrics import make_prior_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> print(cross_val_score(GaussianNB(), X, y, scoring="precision").mean().round(3))
    0.936
    >>> rare = make_prior_scorer("precision", 0.01)
    >>> rare
    make_prior_scorer('precision', 0.01)
    >>> print(cross_val_score(GaussianNB(), X, y, scoring=rare).mean().round(3))
    0.087
    """
    measure = _checked_measure(metric, cost_matrix)
    return PriorScorer(measure, metric, target_prior, pos_label, cost_matrix)


def _checked_measure(metric, cost_matrix):
    """Return the measure, by whatever number of classes knows it."""
    n_classes = 2 if cost_matrix is None else len(cost_matrix)
    return measure_named(metric, n_classes, cost_matrix=cost_matrix)


class PriorScorer(BaseScorer):
    """What :func:`make_prior_scorer` returns."""

    def __init__(self, measure, metric, target_prior, pos_label, cost_matrix):
        kwargs = {
            "metric": metric,
            "target_prior": target_prior,
            "pos_label": pos_label,
            "cost_matrix": cost_matrix,
        }
        sign = -1 if measure.is_loss else 1
        super().__init__(_signature, sign, kwargs, RESPONSES[measure.reads])

    def __repr__(self):
        metric, target_prior = self._kwargs["metric"], self._kwargs["target_prior"]
        rest = [
            f", {name}={self._kwargs[name]!r}"
            for name in ("pos_label", "cost_matrix")
            if self._kwargs[name] is not None
        ]
        shown = getattr(metric, "__name__", repr(metric))
        return f"make_prior_scorer({shown}, {target_prior!r}{''.join(rest)})"

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        self._warn_overlap("The scorer's own settings win.", kwargs)
        pos_label = self._kwargs["pos_label"]
        response = method_caller(
            estimator, self._response_method, X, pos_label=pos_label
        )
        classes = np.asarray(estimator.classes_)
        return self._sign * score_at_prior(
            self._kwargs["metric"],
            y_true,
            response,
            self._kwargs["target_prior"],
            sample_weight=kwargs.get("sample_weight"),
            pos_label=pos_label,
            labels=classes,
            cost_matrix=self._kwargs["cost_matrix"],
        )


def _signature(y_true, y_pred, sample_weight=None):
    """Have the signature that metadata routing reads the scorer's requests from."""
