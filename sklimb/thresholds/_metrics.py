"""Metrics of the confusion counts, by name.

Functions of (tp, fp, fn, tn), numbers or arrays; 0 where undefined, as
scikit-learn's scorers are.
"""

import re
from difflib import get_close_matches

import numpy as np

__all__ = ["metric_function", "metric_names"]


def _ratio(numerator, denominator):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, np.divide(numerator, denominator), 0.0)


def _accuracy(tp, fp, fn, tn):
    return _ratio(tp + tn, tp + fp + fn + tn)


def _precision(tp, fp, fn, tn):
    return _ratio(tp, tp + fp)


def _recall(tp, fp, fn, tn):
    return _ratio(tp, tp + fn)


def _specificity(tp, fp, fn, tn):
    return _ratio(tn, tn + fp)


def _balanced_accuracy(tp, fp, fn, tn):
    return (_recall(tp, fp, fn, tn) + _specificity(tp, fp, fn, tn)) / 2


def _youden(tp, fp, fn, tn):
    return _recall(tp, fp, fn, tn) + _specificity(tp, fp, fn, tn) - 1


def _geometric_mean(tp, fp, fn, tn):
    return np.sqrt(_recall(tp, fp, fn, tn) * _specificity(tp, fp, fn, tn))


def _jaccard(tp, fp, fn, tn):
    return _ratio(tp, tp + fp + fn)


def _matthews_corrcoef(tp, fp, fn, tn):
    # Products of roots: the product of four counts overflows integers.
    rows = np.sqrt(tp + fn) * np.sqrt(fp + tn)
    columns = np.sqrt(tp + fp) * np.sqrt(fn + tn)
    return _ratio(tp * 1.0 * tn - fp * 1.0 * fn, rows * columns)


def _cohen_kappa(tp, fp, fn, tn):
    agreement = 2.0 * (tp * 1.0 * tn - fn * 1.0 * fp)
    by_chance = (tp + fp) * 1.0 * (fp + tn) + (tp + fn) * 1.0 * (fn + tn)
    return _ratio(agreement, by_chance)


def _fbeta(beta):
    def fbeta(tp, fp, fn, tn):
        hits = (1 + beta**2) * tp
        return _ratio(hits, hits + beta**2 * fn + fp)

    return fbeta


def _macro(metric):
    """Average the metric over both classes taken as the positive one."""

    def macro(tp, fp, fn, tn):
        return (metric(tp, fp, fn, tn) + metric(tn, fn, fp, tp)) / 2

    return macro


def _weighted(metric):
    """Average the metric over both classes by their share of the rows."""

    def weighted(tp, fp, fn, tn):
        share = _ratio(tp + fn, tp + fp + fn + tn)
        of_positives, of_negatives = metric(tp, fp, fn, tn), metric(tn, fn, fp, tp)
        return share * of_positives + (1 - share) * of_negatives

    return weighted


_METRICS = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "cohen_kappa": _cohen_kappa,
    "f1": _fbeta(1),
    "f1_macro": _macro(_fbeta(1)),
    "f1_weighted": _weighted(_fbeta(1)),
    "geometric_mean": _geometric_mean,
    "jaccard": _jaccard,
    "jaccard_macro": _macro(_jaccard),
    "jaccard_weighted": _weighted(_jaccard),
    "matthews_corrcoef": _matthews_corrcoef,
    "precision": _precision,
    "precision_macro": _macro(_precision),
    "precision_weighted": _weighted(_precision),
    "recall": _recall,
    "recall_macro": _balanced_accuracy,
    "recall_weighted": _accuracy,
    "specificity": _specificity,
    "youden": _youden,
}

_SHORT_FORMS = {
    "g_mean": "geometric_mean",
    "kappa": "cohen_kappa",
    "macro_f1": "f1_macro",
    "mcc": "matthews_corrcoef",
    "sensitivity": "recall",
}

_FBETA_NAME = re.compile(r"f(\d+(?:\.\d+)?)")


def metric_names():
    """Return the names that :func:`metric_function` knows, but for ``"f{beta}"``."""
    return sorted([*_METRICS, *_SHORT_FORMS])


def metric_function(name):
    """Return the function of (tp, fp, fn, tn) that a metric's name stands for.

    Parameters
    ----------
    name : str
        A name of :func:`metric_names`, most of them scikit-learn's scorer
        names, or ``"f2"``, ``"f0.5"``: F-beta for any number beta.

    Returns
    -------
    callable
        Takes four numbers or arrays of one shape; gives 0 where the metric is
        undefined, as scikit-learn's scorers do.

    Raises
    ------
    ValueError
        If no metric has that name; the nearest one is named.

    Examples
    --------
    >>> from sklimb.thresholds import metric_function
    >>> float(metric_function("precision")(97, 3, 3, 197))
    0.97
    >>> round(float(metric_function("f2")(97, 10, 3, 190)), 3)
    0.957
    """
    full_name = _SHORT_FORMS.get(name, name)
    if full_name in _METRICS:
        return _METRICS[full_name]
    if fbeta := _FBETA_NAME.fullmatch(name):
        return _fbeta(float(fbeta.group(1)))
    nearest = get_close_matches(name, metric_names(), n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"`metric`={name!r} is not known.{hint} Known: {', '.join(metric_names())}, "
        "and 'f2', 'f0.5', ... for F-beta."
    )
