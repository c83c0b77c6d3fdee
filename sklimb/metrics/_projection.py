"""A confusion matrix, moved to other class shares."""

import numpy as np

from sklimb._validation import as_labels, check_prior

__all__ = ["project_confusion_matrix"]


def project_confusion_matrix(
    confusion_matrix, target_prior, *, labels=None, pos_label=None
):
    """Return the confusion matrix that is expected at other class shares.

    Each row is scaled to its class's share: recalls stay, precisions move.

    Parameters
    ----------
    confusion_matrix : array-like of shape (..., n_classes, n_classes)
        Counts or weights, rows true and columns predicted, as scikit-learn's; any
        number of them.
    target_prior : array-like, mapping, float or "uniform"
        The classes' shares, in the order of the rows; a float is the positive
        class's prevalence.
    labels : array-like of shape (n_classes,), default=None
        The rows' labels, for ``target_prior`` as a mapping and ``pos_label``; None
        for 0, 1, ...
    pos_label : label, default=None
        The class that a float is the prevalence of; None for the last row.

    Returns
    -------
    ndarray of shape (..., n_classes, n_classes), float64
        Of the same total.

    Raises
    ------
    ValueError
        If it is no confusion matrix, or a class has a share but no rows.

    References
    ----------
    The same for two classes and precision: Siblini et al. (2020), "Master your
    metrics with calibration".

    Examples
    --------
    The positives stand first here. Of 100 of them 97 are found, of 200 others 3 are
    alarms. Where there are 100 others to each positive, 60 % of alarms are false:

    >>> import numpy as np
    >>> from sklimb.metrics import project_confusion_matrix
    >>> found = project_confusion_matrix([[97, 3], [3, 197]], [1 / 101, 100 / 101])
    >>> (found * 10_100 / 300).round().astype(int)
    array([[  97,    3],
           [ 150, 9850]])
    >>> precision = found[0, 0] / found[:, 0].sum()
    >>> print(round(precision, 3))
    0.393
    """
    matrix = _check_matrix(confusion_matrix)
    n_classes = matrix.shape[-1]
    classes = np.arange(n_classes) if labels is None else np.asarray(labels)
    if classes.shape != (n_classes,):
        raise ValueError(
            f"`labels` has shape {classes.shape}; expected ({n_classes},), one for "
            "each row of `confusion_matrix`."
        )
    prior = check_prior(target_prior, classes, pos_label=pos_label, name="target_prior")
    of_class = matrix.sum(axis=-1, keepdims=True)
    empty = (of_class == 0).reshape(-1, n_classes).any(axis=0) & (prior > 0)
    if empty.any():
        raise ValueError(
            f"`confusion_matrix` has no rows of the classes {as_labels(classes[empty])}"
            f", which have shares of {prior[empty].tolist()} in `target_prior`: their "
            "recalls are not known. Count rows of them, or give them a share of 0."
        )
    rates = np.divide(matrix, of_class, out=np.zeros_like(matrix), where=of_class > 0)
    return rates * prior[:, None] * matrix.sum(axis=(-2, -1), keepdims=True)


def _check_matrix(confusion_matrix):
    matrix = np.asarray(confusion_matrix, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or matrix.shape[-1] < 2:
        raise ValueError(
            f"`confusion_matrix` has shape {matrix.shape}; expected (..., n_classes, "
            "n_classes), rows true and columns predicted."
        )
    if not (np.isfinite(matrix) & (matrix >= 0)).all():
        raise ValueError(
            "`confusion_matrix` must be finite and not negative; got values from "
            f"{matrix.min():g} to {matrix.max():g}. Give counts."
        )
    return matrix
