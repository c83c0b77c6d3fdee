"""Classes that costs keep from ever being chosen."""

import warnings

import numpy as np
from scipy.optimize import linprog

from sklimb._validation import as_labels
from sklimb.exceptions import UnreachableClassWarning
from sklimb.thresholds._checks import check_cost_matrix

__all__ = ["unreachable_classes", "warn_of_unreachable_classes"]

# Of the largest regret in a row of costs; below it a linear programme says nothing.
_TIE = 1e-7


def unreachable_classes(cost_matrix):
    """Return the classes that no probabilities make the one cheapest choice.

    Where a class is not already the one cheapest choice for rows that are
    surely of some class, a linear programme looks for probabilities that make
    it so.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes)

    Returns
    -------
    ndarray of shape (n_unreachable,), int
        Their columns.

    Raises
    ------
    ValueError
        If the costs are not valid.

    Examples
    --------
    The class in the middle costs more than a coin thrown for one of the others.

    >>> from sklimb.thresholds._unreachable import unreachable_classes
    >>> unreachable_classes([[0, 3, 4], [1, 1, 1], [4, 3, 0]])
    array([1])
    """
    costs = check_cost_matrix(cost_matrix, range(len(cost_matrix)))
    regret = costs - costs.min(axis=1, keepdims=True)
    # Probabilities take up any scale of a true class's costs.
    regret /= np.where(regret.any(axis=1), regret.max(axis=1), 1)[:, None]
    return np.flatnonzero([_is_unreachable(regret, k) for k in range(len(regret))])


def _is_unreachable(regret, k):
    advantage = np.delete(regret, k, axis=1) - regret[:, [k]]
    if advantage.min(axis=1).max() > _TIE:
        return False
    return _best_guaranteed(advantage) <= _TIE


def _best_guaranteed(advantage):
    """Return the greatest ``min_j sum_c p_c advantage[c, j]`` over probabilities."""
    n_classes, n_others = advantage.shape
    found = linprog(
        np.append(np.zeros(n_classes), -1),
        A_ub=np.column_stack([-advantage.T, np.ones(n_others)]),
        b_ub=np.zeros(n_others),
        A_eq=np.append(np.ones(n_classes), 0)[None],
        b_eq=[1],
        bounds=[(0, None)] * n_classes + [(None, None)],
    )
    return -found.fun


def warn_of_unreachable_classes(cost_matrix, classes):
    """Warn where costs keep a class from ever being the one cheapest choice.

    Warns
    -----
    UnreachableClassWarning
        Naming the classes.
    """
    numbers = unreachable_classes(cost_matrix)
    if len(numbers):
        labels = as_labels(classes)
        warnings.warn(
            f"`cost_matrix` never makes {[labels[k] for k in numbers]} the one "
            "cheapest choice, whatever the probabilities. Rows are true classes, "
            "columns predicted ones: compare these classes' columns with the others.",
            UnreachableClassWarning,
            stacklevel=4,
        )
