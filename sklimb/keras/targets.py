"""Labels as the network's loss and output units want them, and their weights."""

from contextlib import suppress

import keras
import numpy as np

from sklimb._validation import as_labels, check_class_weight_mapping
from sklimb.keras._internals import is_of_keras

__all__ = [
    "check_units",
    "encode_targets",
    "loss_name",
    "single_loss",
    "weights_of_classes",
]


def encode_targets(numbers, n_classes, n_units, loss):
    """Return class numbers as the loss takes them.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        Each row's place in the sorted classes.
    n_classes, n_units : int
    loss : str, keras.Loss, callable, or a list or dict with one of them
        What the model is compiled with.

    Returns
    -------
    ndarray of shape (n_rows, 1) or (n_rows, n_classes), float
        One-hot where there is a unit for each class, but for losses on class
        numbers: Keras's sparse ones, and functions that are not Keras's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.targets import encode_targets
    >>> encode_targets(np.array([0, 2]), 3, 3, "categorical_crossentropy")
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    dtype = keras.config.floatx()
    if n_units == 1 or _takes_class_numbers(loss):
        return numbers.reshape(-1, 1).astype(dtype)
    return np.eye(n_classes, dtype=dtype)[numbers]


def _takes_class_numbers(loss):
    loss = single_loss(loss)
    is_own = not isinstance(loss, str) and not is_of_keras(loss)
    return is_own or "sparse" in loss_name(loss)


def loss_name(loss):
    """Return a loss's name in one spelling: ``"binarycrossentropy"``."""
    loss = single_loss(loss)
    if isinstance(loss, str):
        with suppress(ValueError):  # short forms such as "bce"
            loss = keras.losses.get(loss)
    if not isinstance(loss, str):
        loss = getattr(loss, "__name__", type(loss).__name__)
    return loss.replace("_", "").lower()


def single_loss(loss):
    """Return the loss of a model with one output, however it was compiled."""
    if isinstance(loss, dict):
        loss = list(loss.values())
    return loss[0] if isinstance(loss, list | tuple) and len(loss) == 1 else loss


def check_units(shapes, classes):
    """Return the number of output units that a model has for these classes.

    Parameters
    ----------
    shapes : list of tuple
        Of each of the model's outputs.
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If it isn't one output with one unit (two classes) or as many units as
        classes.
    """
    n_classes = len(classes)
    fitting = {n_classes} | ({1} if n_classes == 2 else set())
    if len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] in fitting:
        return int(shapes[0][1])
    raise ValueError(
        f"`model` has outputs of shape {[tuple(shape) for shape in shapes]}, which "
        f"don't fit the {n_classes} classes {as_labels(classes)}. End it with "
        f"{' or '.join(map(str, sorted(fitting)))} units (`meta['n_classes_']` in the "
        "model function)."
    )


def weights_of_classes(class_weight, numbers, sample_weight, classes):
    """Return each class's own weight.

    Parameters
    ----------
    class_weight : None, "balanced" or mapping ``{label: weight}``
        "balanced" gives every class the same total weight.
    numbers : ndarray of shape (n_rows,), int
        Each row's place in ``classes``.
    sample_weight : ndarray of shape (n_rows,) or None
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    ValueError
        If ``class_weight`` is anything else, has labels that are not among the
        classes, or weights that are not positive and finite.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                f"`class_weight`={class_weight!r} is not known. Give 'balanced', a "
                "mapping {label: weight} or None."
            )
        return _balanced(numbers, sample_weight, len(classes))
    if np.shape(class_weight) == numbers.shape:
        raise ValueError(
            f"`class_weight` has {len(numbers)} entries, one for each row of `X`. Did "
            "you mean `sample_weight`?"
        )
    return check_class_weight_mapping(class_weight, classes)


def _balanced(numbers, sample_weight, n_classes):
    mass = np.bincount(numbers, weights=sample_weight, minlength=n_classes)
    weights = np.ones(n_classes)
    present = mass > 0
    weights[present] = mass.sum() / (present.sum() * mass[present])
    return weights
