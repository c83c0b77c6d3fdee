"""User input to clean arrays, or an error that says what to do."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

__all__ = [
    "check_class_weight_mapping",
    "check_labels",
    "check_pos_label",
    "check_prior",
    "check_sample_weight",
    "check_threshold",
    "classes_of",
    "has_missing",
    "is_number",
]

# A prior given by hand is rounded: 1/3 written as 0.3333333.
SUM_TOLERANCE = 1e-6


def is_number(value):
    """Tell a number from a bool, a string and everything else."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def as_labels(labels):
    """Return labels as plain Python values, as an error message shows them."""
    return np.asarray(labels).tolist()


def check_labels(y):
    """Return ``y`` as a 1-D array, and its sorted classes.

    Raises
    ------
    ValueError
        If ``y`` is missing, has missing values, is no classification target,
        has more than one label a row, or has one class only.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[1] > 1:
        raise ValueError(
            f"`y` of shape {y.shape} has several labels a row; sklimb takes one label "
            "a row. Fit one classifier for each column."
        )
    y = column_or_1d(y, warn=True)
    if has_missing(y):
        raise ValueError(
            "Input y contains NaN, None or infinity. Remove the rows without a label, "
            "or give them a label of their own."
        )
    check_classification_targets(y)
    return y, classes_of(y)


def classes_of(y):
    """Return the sorted classes of checked labels.

    Raises
    ------
    ValueError
        If there is one only.
    """
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"`y` has one class only, {as_labels(classes)}; a classifier needs rows "
            "of at least two classes."
        )
    return classes


def has_missing(y):
    if y.dtype.kind == "f":
        return not np.isfinite(y).all()
    # Only missing values (nan, NaT, pandas.NA) don't equal themselves.
    return y.dtype == object and any(
        label is None or (label == label) is not True for label in set(y.tolist())
    )


def check_sample_weight(sample_weight, n_rows):
    """Return row weights as float64, or None.

    Raises
    ------
    ValueError
        If the shape is not ``(n_rows,)``, or a weight is negative, nan or
        infinite.
    """
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim == 0:
        weight = np.full(n_rows, weight)
    if weight.shape != (n_rows,):
        raise ValueError(
            f"`sample_weight` has shape {weight.shape}; expected ({n_rows},), one "
            "weight a row of `X` (sample_weight.shape == (n_samples,))."
        )
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"`sample_weight` must be finite and not negative; got {weight[row]} in "
            f"row {row} ({int(bad.sum())} such rows). Remove these rows or mend their "
            "weights."
        )
    return weight


def check_pos_label(pos_label, classes):
    """Return the number of the positive class in ``classes`` (default: the last).

    Raises
    ------
    ValueError
        If ``pos_label`` is not among ``classes``.
    """
    if pos_label is None:
        return len(classes) - 1
    found = np.flatnonzero(np.asarray(classes) == pos_label)
    if len(found) == 0:
        raise ValueError(
            f"`pos_label`={pos_label!r} is not among the classes {as_labels(classes)}. "
            "Give one of them."
        )
    return int(found[0])


def check_prior(prior, classes, *, pos_label=None, name="prior", allow_zero=True):
    """Return a prior in any of its forms as an array aligned with ``classes``.

    Parameters
    ----------
    prior : array-like, mapping, float or "uniform"
        An array of shape (n_classes,); a mapping ``{label: p}``, where one
        missing label takes the rest; for two classes a float, the prevalence
        of the positive class.
    classes : array-like of shape (n_classes,)
        The labels, in the order of the result.
    pos_label : label, default=None
        The positive class that a float is the prevalence of; None for the last.
    name : str, default="prior"
        The parameter's name in errors.
    allow_zero : bool, default=True
        Whether a class may have no mass.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        Sums to 1.

    Raises
    ------
    ValueError
        If the prior has the wrong length, unknown labels, negative or
        non-finite entries, or does not sum to 1.
    """
    classes = np.asarray(classes)
    if isinstance(prior, str):
        values = _prior_from_name(prior, classes, name)
    elif isinstance(prior, Mapping):
        values = _prior_from_mapping(prior, classes, name)
    elif is_number(prior):
        values = _prior_from_prevalence(prior, classes, pos_label, name)
    else:
        values = _prior_from_array(prior, classes, name)
    return _normalised_prior(values, classes, name, allow_zero)


def _prior_from_name(prior, classes, name):
    if prior != "uniform":
        raise ValueError(
            f"`{name}`={prior!r} is not a prior. Give an array, a mapping "
            "{label: p}, a float (two classes: the positive class's prevalence) or "
            "'uniform'."
        )
    return np.full(len(classes), 1 / len(classes))


def _prior_from_mapping(prior, classes, name):
    labels = as_labels(classes)
    unknown = [label for label in prior if label not in labels]
    missing = [label for label in labels if label not in prior]
    if unknown:
        raise ValueError(
            f"`{name}` has labels {unknown} that are not among the classes {labels}."
        )
    if len(missing) > 1:
        raise ValueError(
            f"`{name}` lacks the classes {missing}; one missing class takes the rest, "
            "but not several. Name them."
        )
    rest = 1 - sum(prior.values())
    return np.array([prior.get(label, rest) for label in labels], dtype=np.float64)


def _prior_from_prevalence(prior, classes, pos_label, name):
    if len(classes) != 2:
        raise ValueError(
            f"`{name}`={prior} is one number, which is a prior of two classes; there "
            f"are {len(classes)}: {as_labels(classes)}. Give an array or a mapping."
        )
    positive = check_pos_label(pos_label, classes)
    values = np.full(2, 1 - prior, dtype=np.float64)
    values[positive] = prior
    return values


def _prior_from_array(prior, classes, name):
    try:
        values = np.asarray(prior, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}`={prior!r} is not a prior.") from None
    if values.shape != (len(classes),):
        raise ValueError(
            f"`{name}` has shape {values.shape}; expected ({len(classes)},), one "
            f"probability for each class of {as_labels(classes)}."
        )
    return values


def _normalised_prior(values, classes, name, allow_zero):
    shown = dict(zip(as_labels(classes), values.tolist(), strict=True))
    if not np.isfinite(values).all() or (values < 0).any() or (values > 1).any():
        raise ValueError(f"`{name}` must lie in [0, 1]; got {shown}.")
    if abs(values.sum() - 1) > SUM_TOLERANCE:
        raise ValueError(
            f"`{name}` must sum to 1; got {shown}, which sums to {values.sum():.6g}. "
            "Divide it by its sum."
        )
    if not allow_zero and (values == 0).any():
        empty = [label for label, p in shown.items() if p == 0]
        raise ValueError(
            f"`{name}` is 0 for the classes {empty}: a class without any share can be "
            "neither corrected from nor measured. Give it a share above 0, or leave "
            "it out."
        )
    return values / values.sum()


def check_class_weight_mapping(class_weight, classes):
    """Return a mapping's weights as an array aligned with ``classes``.

    A class that the mapping leaves out has weight 1, as in scikit-learn.

    Raises
    ------
    ValueError
        If it is no mapping, has labels that are not in ``classes``, or weights
        that are not positive finite numbers.
    """
    labels = as_labels(classes)
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"`class_weight` must be a mapping {{label: weight}}; got {class_weight!r}."
        )
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise ValueError(
            f"`class_weight` has the labels {unknown}, which are not in `y`; its "
            f"classes are {labels}. Use these, with their type."
        )
    weights = [class_weight.get(label, 1.0) for label in labels]
    bad = {
        label: weight
        for label, weight in zip(labels, weights, strict=True)
        if not is_number(weight) or not np.isfinite(weight) or weight <= 0
    }
    if bad:
        raise ValueError(
            f"`class_weight` must be positive and finite; got {bad}. A class of weight "
            "0 would not be trained on: remove its rows instead."
        )
    return np.array(weights, dtype=np.float64)


def check_threshold(threshold, name="threshold"):
    """Return a threshold on probabilities as a float.

    Raises
    ------
    ValueError
        If it is no number in [0, 1].
    """
    if not is_number(threshold) or not 0 <= threshold <= 1:
        raise ValueError(
            f"`{name}`={threshold!r} must be a number in [0, 1]: a row is positive "
            "where its probability is at least the threshold."
        )
    return float(threshold)
