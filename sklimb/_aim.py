"""What a decision is chosen for, checked before anything is fitted."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklimb.thresholds import (
    MULTICLASS_SELECTIONS,
    ThresholdRule,
    check_confidence,
    check_constraints,
)

__all__ = ["Aim", "check_selection", "checked_confidence", "checked_limits"]

# Selections that look at every cut hundreds of times.
RESAMPLING = ("bagged", "combined")


@dataclass(frozen=True)
class Aim:
    """Objective, limits and rejection.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    positive_class : int
    scoring : objective
        As :func:`sklimb._scoring.resolve_scoring` gives it.
    aggregation : "mean" or "pooled"
        Maximise the mean of the folds' scores, or the score of all rows.
    selection : str
        A name of :func:`sklimb.thresholds.choose_cut`, or of several classes of
        :func:`sklimb.thresholds.select_class_thresholds`.
    constraints : list of Constraint
    confidence : float or None
        With which the constraints hold; None for on these rows.
    rejection : ThresholdRule or None
        Which rows are left undecided.
    seed : int
    """

    classes: np.ndarray
    positive_class: int
    scoring: Any
    aggregation: str = "mean"
    selection: str = "exact"
    constraints: tuple = ()
    confidence: float | None = None
    rejection: ThresholdRule | None = None
    seed: int = 0


def checked_limits(constraints, classes):
    """Return ``constraints`` as a tuple of Constraint."""
    return () if constraints is None else tuple(check_constraints(constraints, classes))


def checked_confidence(confidence, constraints, classes):
    """Return ``constraint_confidence``, where it can be promised.

    Raises
    ------
    ValueError
        If it isn't between 0 and 1, there is nothing to be sure of, or there are
        more than two classes.
    """
    confidence = check_confidence(confidence)
    if confidence is None:
        return None
    if constraints is None:
        raise ValueError(
            f"`constraint_confidence`={confidence:g} has nothing to be sure of: "
            "`constraints` is None. Give constraints, or leave it out."
        )
    if len(classes) > 2:
        raise ValueError(
            f"`constraint_confidence`={confidence:g} is for two classes, and `y` has "
            f"{len(classes)}. Leave it out: constraints then hold out of fold."
        )
    return confidence


def check_selection(selection, scoring):
    """Return the selection, where the scoring is fast enough for it.

    "auto" is the best on average that is.

    Raises
    ------
    ValueError
        If a scorer would be called hundreds of times at every cut, or the
        selection is one of two classes, and there are more.
    """
    resamples = getattr(scoring, "resamples", True)
    if selection == "auto":
        return "combined" if resamples else "exact"
    if hasattr(scoring, "n_classes") and selection not in MULTICLASS_SELECTIONS:
        raise ValueError(
            f"`selection`={selection!r} is for two classes, and `y` has "
            f"{scoring.n_classes}. Use one of {list(MULTICLASS_SELECTIONS)}."
        )
    if selection in RESAMPLING and not resamples:
        raise ValueError(
            f"`selection`={selection!r} measures every cut on hundreds of resamples, "
            "and `scoring` is a function that takes a millisecond for each. Use a "
            "metric's name, or selection='one_standard_error'."
        )
    return selection
