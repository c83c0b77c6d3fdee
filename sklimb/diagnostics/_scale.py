"""The scale of effects: from chance, 0, to a perfect score, 1."""

import numpy as np

__all__ = ["chance_of"]


def chance_of(scoring, y):
    """Return what guessing gives, for the metrics where that is known; else 0.

    Parameters
    ----------
    scoring : str
    y : ndarray of shape (n_rows,)
    """
    shares = np.unique(y, return_counts=True)[1] / len(y)
    if scoring.startswith("roc_auc"):
        return 0.5
    if scoring in ("balanced_accuracy", "recall_macro"):
        return 1 / len(shares)
    if scoring == "accuracy":
        return float(shares.max())
    if scoring == "average_precision":
        return float(shares[-1])
    return 0.0
