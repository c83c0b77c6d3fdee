"""Thresholds and costs from user input to clean arrays, or a clear error."""

from collections.abc import Mapping

import numpy as np

from sklimb._validation import as_labels

__all__ = ["check_cost_matrix", "check_sample_cost", "check_thresholds"]


def check_thresholds(thresholds, classes, name="threshold"):
    """Return a threshold for each class as an array aligned with ``classes``.

    Parameters
    ----------
    thresholds : array-like of shape (n_classes,) or mapping
        What each class's probability is divided by; inf for a class that is
        never predicted. A mapping ``{label: threshold}`` names every class.
    classes : array-like of shape (n_classes,)
    name : str, default="threshold"
        The parameter's name in errors.

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    ValueError
        If labels or lengths don't fit, or a threshold is not above 0, or all
        are infinite.
    """
    labels = as_labels(classes)
    if isinstance(thresholds, Mapping):
        thresholds = _values_by_label(thresholds, labels, name)
    values = _as_numbers(thresholds, name)
    if values.shape != (len(labels),):
        raise ValueError(
            f"`{name}` has shape {values.shape}; expected ({len(labels)},), one "
            f"threshold for each class of {labels}."
        )
    shown = dict(zip(labels, values.tolist(), strict=True))
    if not (values > 0).all():  # written so that nan fails
        raise ValueError(
            f"`{name}` must be above 0; got {shown}. The probability of each class is "
            "divided by its threshold; inf is for a class that is never predicted."
        )
    if np.isinf(values).all():
        raise ValueError(
            f"`{name}` is infinite for every class, {shown}: none could be predicted. "
            "Give a finite one to at least one class."
        )
    return values


def _values_by_label(mapping, labels, name):
    missing = [label for label in labels if label not in mapping]
    unknown = [label for label in mapping if label not in labels]
    if missing or unknown:
        raise ValueError(
            f"`{name}` has the labels {list(mapping)}; expected one for each class of "
            f"{labels}."
        )
    return [mapping[label] for label in labels]


def _as_numbers(values, name):
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal length
        array = np.array(None)
    if array.dtype.kind not in "iuf":
        raise ValueError(
            f"`{name}`={values!r} must be numbers: an array, or lists of equal length."
        )
    return array.astype(np.float64)


def check_cost_matrix(cost_matrix, classes):
    """Return costs of decisions as float64, shape (n_classes, n_classes).

    Rows are true classes, columns predicted ones; a gain is a negative cost.

    Raises
    ------
    ValueError
        If the shape is wrong or a cost is no finite number.
    """
    costs = _as_numbers(cost_matrix, "cost_matrix")
    labels = as_labels(classes)
    n_classes = len(labels)
    if costs.shape != (n_classes, n_classes):
        raise ValueError(
            f"`cost_matrix` has shape {costs.shape}; expected ({n_classes}, "
            f"{n_classes}), one row for each true class and one column for each "
            f"predicted class of {labels}."
        )
    if not np.isfinite(costs).all():
        true, predicted = np.argwhere(~np.isfinite(costs))[0]
        raise ValueError(
            f"`cost_matrix` must be finite; got {costs[true, predicted]} for the true "
            f"class {labels[true]!r} predicted as {labels[predicted]!r}. Give a large "
            "number for what must not happen."
        )
    return costs


def check_sample_cost(sample_cost, n_rows, n_classes=None):
    """Return each row's costs as float64, shape (n_rows, n_classes).

    Column k is what it costs to predict class k for the row. ``n_classes`` of
    None is any number of columns.

    Raises
    ------
    ValueError
        If the shape is wrong or a cost is no finite number.
    """
    costs = _as_numbers(sample_cost, "sample_cost")
    wanted = n_classes or (costs.shape[1] if costs.ndim == 2 else "n_classes")
    if costs.shape != (n_rows, wanted):
        raise ValueError(
            f"`sample_cost` has shape {costs.shape}; expected ({n_rows}, {wanted}), "
            "for each row the cost of predicting each class."
        )
    bad = ~np.isfinite(costs).all(axis=1)
    if bad.any():
        raise ValueError(
            f"`sample_cost` must be finite; row {int(np.argmax(bad))} is not "
            f"({int(bad.sum())} such rows). Remove these rows or mend their costs."
        )
    return costs
