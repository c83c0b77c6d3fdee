"""Metrics, classes and priors as people read them."""

import numpy as np

from sklimb._validation import as_labels
from sklimb.display._scales import share
from sklimb.display._style import shortened

__all__ = ["at_prior", "class_name", "metric_label", "name_of_scoring"]

_LABELS = {
    "average_precision": "average precision",
    "cohen_kappa": "Cohen's kappa",
    "cost": "minus the mean cost of a row",
    "f1": "F1",
    "kappa": "Cohen's kappa",
    "matthews_corrcoef": "Matthews correlation",
    "mcc": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "youden": "Youden's J",
}


def metric_label(name):
    """Return a metric's name as an axis shows it.

    Examples
    --------
    >>> from sklimb.display._names import metric_label
    >>> metric_label("f1_macro"), metric_label("balanced_accuracy")
    ('F1, macro', 'balanced accuracy')
    """
    if name in _LABELS:
        return _LABELS[name]
    base, _, average = name.rpartition("_")
    if average in ("macro", "weighted"):
        return f"{metric_label(base)}, {average}"
    if name[:1] == "f" and name[1:].replace(".", "").isdigit():
        return name.upper()
    return shortened(name.replace("_", " "))


def name_of_scoring(scoring):
    """Return the name of what a decision is chosen by."""
    name = getattr(scoring, "name", None)
    if isinstance(name, str):
        return name
    scorer = name if name is not None else getattr(scoring, "scorer", None)
    scorer = getattr(scorer, "scorer", scorer)
    function = getattr(scorer, "_score_func", scorer)
    return "cost" if scorer is None else getattr(function, "__name__", "score")


def class_name(label, longest=20):
    """Return a class's label as text, such as 'yes' with its quotes, or 1."""
    label = as_labels(label)
    text = shortened(label, longest)
    return f"'{text}'" if isinstance(label, str) else text


def at_prior(prior, positive=None):
    """Return "at prevalence 1 in 100", or "" for None.

    Parameters
    ----------
    prior : ndarray of shape (n_classes,) or None
    positive : int, default=None
        Of two classes the positive one.
    """
    if prior is None:
        return ""
    if len(prior) == 2 and positive is not None:
        return f"at prevalence {share(prior[positive])}"
    if np.allclose(prior, 1 / len(prior)):
        return "at equal classes"
    return "at the target prior"
