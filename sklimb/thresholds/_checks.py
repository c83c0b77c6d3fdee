"""Thresholds, costs and what else decides: user input made clean, or a clear error."""

from collections.abc import Mapping

import numpy as np

from sklimb._validation import as_labels, is_number

__all__ = [
    "check_classes",
    "check_cost_matrix",
    "check_label",
    "check_rejection",
    "check_rule_threshold",
    "check_sample_cost",
    "check_thresholds",
]


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


def check_label(label, name):
    """Return a label as a plain value.

    Raises
    ------
    ValueError
        If it is nan or more than one value.
    """
    if isinstance(label, np.generic):
        label = label.item()
    if np.ndim(label) > 0 or isinstance(label, Mapping) or label != label:
        raise ValueError(
            f"`{name}`={label!r} is no label: it must be one value, equal to itself. "
            "Give a text or a number."
        )
    return label


def check_classes(classes):
    """Return labels as a tuple of plain values.

    Raises
    ------
    ValueError
        If there are fewer than two, or one of them twice.
    """
    if isinstance(classes, str) or np.ndim(classes) != 1:
        raise ValueError(f"`classes`={classes!r} must be a sequence of labels.")
    labels = tuple(check_label(label, "classes") for label in classes)
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(
            f"`classes`={list(labels)} must be two or more different labels, in the "
            "order of the probabilities' columns."
        )
    return labels


def check_rule_threshold(threshold, classes):
    """Return a rule's threshold as None, a float or a tuple of floats.

    Raises
    ------
    ValueError
        If it is nan or -inf, one number for more than two classes, or its
        numbers are not valid.
    """
    if threshold is None:
        return None
    if not is_number(threshold):
        return tuple(check_thresholds(threshold, classes).tolist())
    if len(classes) > 2:
        raise ValueError(
            f"`threshold`={threshold!r} is one number, which decides between two "
            f"classes; there are {len(classes)}: {list(classes)}. Give one for each."
        )
    if not threshold > -np.inf:  # written so that nan fails
        raise ValueError(
            f"`threshold`={threshold!r} must be a number, or inf for never positive."
        )
    return float(threshold)


def check_rejection(reject_cost, reject_label, classes, has_costs):
    """Return what a rejection costs as a float, or None where there is none.

    Raises
    ------
    ValueError
        If it is no finite number, or makes no sense beside the costs of
        errors; if the label is a class's, or stands alone.
    """
    if reject_cost is None:
        if reject_label is not None:
            raise ValueError(
                f"`reject_label`={reject_label!r} has no effect without `reject_cost`, "
                "above which a row is rejected. Give both, or none."
            )
        return None
    if not is_number(reject_cost) or not np.isfinite(reject_cost):
        raise ValueError(f"`reject_cost`={reject_cost!r} must be a finite number.")
    if not has_costs and not 0 <= reject_cost <= 1:
        raise ValueError(
            f"`reject_cost`={reject_cost!r} must lie in [0, 1], as without "
            "`cost_matrix` an error costs 1. Give a share of that, or all costs."
        )
    if reject_label is not None and reject_label in classes:
        raise ValueError(
            f"`reject_label`={reject_label!r} is one of the classes {list(classes)}. "
            "Give a label that no class has."
        )
    return float(reject_cost)
