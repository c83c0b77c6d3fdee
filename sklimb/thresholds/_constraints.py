"""Limits that a threshold must keep, and the cuts that keep them.

A constraint is a metric with a low and a high limit, as ``{"recall": (0.9, None),
"alert_rate": (None, 0.02)}``. Every cut of the score is looked at.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from sklimb._validation import as_labels, check_pos_label, is_number
from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds._cuts import StepCurve, counts_of_positives, metric_curve
from sklimb.thresholds._metrics import (
    _FBETA_NAME,
    _SHORT_FORMS,
    metric_function,
    metric_names,
)

__all__ = [
    "Constraint",
    "check_constraints",
    "check_feasible",
    "constraint_curves",
    "feasible",
]

ONE_CLASS = ("alert_rate", "precision", "recall")
SEVERAL_CLASSES = (
    "accuracy",
    "balanced_accuracy",
    "cohen_kappa",
    "f1_macro",
    "f1_weighted",
    "geometric_mean",
    "jaccard_macro",
    "jaccard_weighted",
    "matthews_corrcoef",
    "minimum_recall",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "recall_weighted",
)
SIGNED = ("cohen_kappa", "matthews_corrcoef", "youden")

# A running sum of a million weights is off by about this much, far less than a row.
ROUNDING = 4096 * np.finfo(np.float64).eps


class Constraint(NamedTuple):
    """A metric and the limits it must keep.

    Attributes
    ----------
    name : str
        The metric's full name.
    class_number : int or None
        The place in ``classes`` of the class that the metric is of; None for the
        positive class, or for a metric of all classes.
    low, high : float
        The limits, both allowed; infinite where open.
    """

    name: str
    class_number: int | None
    low: float
    high: float

    def said(self, classes=None):
        """Return what is limited, as "recall of 'cat'"."""
        if self.class_number is None:
            return self.name
        label = self.class_number
        if classes is not None:
            label = as_labels(classes)[label]
        return f"{self.name} of {label!r}"

    def limits(self):
        """Return the limits, as ">= 0.9 and <= 0.95"."""
        low = f">= {self.low:g}" if np.isfinite(self.low) else ""
        high = f"<= {self.high:g}" if np.isfinite(self.high) else ""
        return " and ".join(filter(None, [low, high]))


def check_constraints(constraints, classes):
    """Return constraints as a list of :class:`Constraint`.

    Parameters
    ----------
    constraints : mapping
        ``{name: (low, high)}``, None for an open end. Names are those of
        :func:`metric_names`, ``"f2"``, ``"f0.5"``, ... for F-beta, and
        ``"alert_rate"``, the share of rows predicted positive. ``"recall"``,
        ``"precision"`` and ``"alert_rate"`` (the share of rows predicted as the
        class) may be given by class, ``{name: {label: (low, high)}}``, and must be
        where there are more than two.
    classes : array-like of shape (n_classes,)
        The labels.

    Returns
    -------
    list of Constraint

    Raises
    ------
    ValueError
        If it is no mapping or an empty one, a metric or label is not known, or the
        limits are no pair of numbers within the metric's range with low <= high.

    Examples
    --------
    >>> from sklimb.thresholds._constraints import check_constraints
    >>> check_constraints({"recall": (0.9, None)}, [0, 1])
    [Constraint(name='recall', class_number=None, low=0.9, high=inf)]
    """
    if not isinstance(constraints, Mapping) or not constraints:
        raise ValueError(
            f"`constraints`={constraints!r} must be a mapping of metrics to limits "
            "(low, high), such as {'recall': (0.9, None)}."
        )
    checked = []
    for name, limits in constraints.items():
        full_name = _check_name(name, classes)
        if isinstance(limits, Mapping):
            checked += _check_by_class(full_name, name, limits, classes)
        else:
            _check_needs_no_label(full_name, name, limits, classes)
            low, high = _check_limits(full_name, repr(name), limits)
            checked.append(Constraint(full_name, None, low, high))
    return checked


def _known_names(n_classes):
    if n_classes == 2:
        return sorted(["alert_rate", *metric_names()])
    short = [short for short, name in _SHORT_FORMS.items() if name in SEVERAL_CLASSES]
    return sorted([*ONE_CLASS, *SEVERAL_CLASSES, *short, "sensitivity"])


def _check_name(name, classes):
    known = _known_names(len(classes))
    fbeta = isinstance(name, str) and len(classes) == 2 and _FBETA_NAME.fullmatch(name)
    if name in known or fbeta:
        return _SHORT_FORMS.get(name, name)
    averaged = [each for each in known if each.startswith(f"{name}_")]
    nearest = averaged or get_close_matches(str(name), known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"`constraints` has the metric {name!r}, which is not known for "
        f"{len(classes)} classes.{hint} Known: {', '.join(known)}"
        f"{', and f2, f0.5, ... for F-beta' if len(classes) == 2 else ''}."
    )


def _check_needs_no_label(full_name, name, limits, classes):
    if len(classes) > 2 and full_name in ONE_CLASS:
        label = as_labels(classes)[-1]
        raise ValueError(
            f"`constraints[{name!r}]`={limits!r} says not of which of the classes "
            f"{as_labels(classes)}. Give limits by class, such as "
            f"{{{name!r}: {{{label!r}: (0.9, None)}}}}."
        )


def _check_by_class(full_name, name, by_label, classes):
    labels = as_labels(classes)
    if full_name not in ONE_CLASS:
        raise ValueError(
            f"`constraints[{name!r}]`={by_label!r} has limits by class; only "
            f"{', '.join(ONE_CLASS)} do. Give one pair (low, high)."
        )
    unknown = [label for label in by_label if label not in labels]
    if unknown or not by_label:
        raise ValueError(
            f"`constraints[{name!r}]` has the labels {list(by_label)}; "
            f"{unknown or 'none'} is not among the classes {labels}. Give "
            "{label: (low, high)} with these, of their type."
        )
    return [
        Constraint(
            full_name,
            check_pos_label(label, classes),
            *_check_limits(full_name, f"{name!r}][{label!r}", limits),
        )
        for label, limits in by_label.items()
    ]


def metric_range(name):
    """Return the least and the greatest value that a metric can have."""
    return (-1.0 if name in SIGNED else 0.0), 1.0


def _check_limits(full_name, where, limits):
    shown = f"`constraints[{where}]`={limits!r}"
    is_pair = isinstance(limits, tuple | list | np.ndarray) and len(limits) == 2
    if not is_pair or not all(end is None or is_number(end) for end in limits):
        raise ValueError(
            f"{shown} is not a pair of limits: give (low, high), two numbers, or None "
            "for an open end."
        )
    if all(end is None for end in limits):
        raise ValueError(f"{shown} says nothing: give a low or a high limit.")
    least, greatest = metric_range(full_name)
    if not all(end is None or least <= end <= greatest for end in limits):
        raise ValueError(
            f"{shown} is out of range: {full_name} lies in "
            f"[{least:g}, {greatest:g}], shares of 1 and not percent."
        )
    low = -np.inf if limits[0] is None else float(limits[0])
    high = np.inf if limits[1] is None else float(limits[1])
    if low > high:
        raise ValueError(
            f"{shown} has its low limit above the high one. Exchange them."
        )
    return low, high


def _alert_rate(tp, fp, fn, tn):
    return (tp + fp) / (tp + fp + fn + tn)


def constraint_function(constraint, positive_class=1):
    """Return the function of (tp, fp, fn, tn) that a constraint limits."""
    is_alerts = constraint.name == "alert_rate"
    metric = _alert_rate if is_alerts else metric_function(constraint.name)
    if constraint.class_number in (None, positive_class):
        return metric
    return lambda tp, fp, fn, tn: metric(tn, fn, fp, tp)


def constraint_curves(positive, score, weight, constraints, positive_class=1):
    """Return the constrained metrics at every cut of the score.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
    weight : ndarray of shape (n_rows,), float64, or None
        How much each row counts; weights to a target prior, for instance.
    constraints : list of Constraint
    positive_class : int, default=1
        The place of the positive class in ``classes``.

    Returns
    -------
    list of StepCurve
        One for each constraint, all with the same cuts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.thresholds._constraints import check_constraints, constraint_curves
    >>> constraints = check_constraints({"recall": (0.9, None)}, [0, 1])
    >>> positive, score = np.array([False, True, True]), np.array([0.1, 0.4, 0.8])
    >>> constraint_curves(positive, score, None, constraints)[0].values
    array([0. , 0.5, 1. , 1. ])
    """
    counts = counts_of_positives(positive, score, weight)
    functions = [constraint_function(each, positive_class) for each in constraints]
    return [metric_curve(counts, function) for function in functions]


def _distances(curve, constraint):
    """Return how far the values lie outside the limits."""
    below, above = constraint.low - curve.values, curve.values - constraint.high
    return np.maximum(np.maximum(below, above), 0)


def feasible(curves, constraints):
    """Tell which cuts keep all limits, up to the rounding of sums of weights.

    Parameters
    ----------
    curves : list of StepCurve
        As of :func:`constraint_curves`.
    constraints : list of Constraint

    Returns
    -------
    ndarray of shape (n_scores + 1,), bool
        Strictest cut first, as ``StepCurve.values``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.thresholds import StepCurve
    >>> from sklimb.thresholds._constraints import Constraint, feasible
    >>> recall = StepCurve(np.array([0.8, 0.4]), np.array([0.0, 0.5, 1.0]))
    >>> feasible([recall], [Constraint("recall", None, 0.5, np.inf)])
    array([False,  True,  True])
    """
    return np.all(_each_feasible(curves, constraints), axis=0)


def _each_feasible(curves, constraints):
    pairs = zip(curves, constraints, strict=True)
    return [_distances(*pair) <= ROUNDING for pair in pairs]


def check_feasible(curves, constraints, classes=None):
    """Return :func:`feasible`, or say which constraint fails and how nearly.

    Parameters
    ----------
    curves : list of StepCurve
    constraints : list of Constraint
    classes : array-like of shape (n_classes,), default=None
        The labels, for the message.

    Returns
    -------
    ndarray of shape (n_scores + 1,), bool

    Raises
    ------
    InfeasibleConstraintError
        If no cut keeps all limits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.thresholds import StepCurve
    >>> from sklimb.thresholds._constraints import Constraint, check_feasible
    >>> precision = StepCurve(np.array([0.8, 0.4]), np.array([0.0, 0.6, 0.5]))
    >>> try:
    ...     check_feasible([precision], [Constraint("precision", None, 0.9, np.inf)])
    ... except ValueError as error:
    ...     error.best_value
    0.6
    """
    kept = _each_feasible(curves, constraints)
    if np.all(kept, axis=0).any():
        return np.all(kept, axis=0)
    failing, others = first_failing(kept)
    curve, constraint = curves[failing], constraints[failing]
    nearness = np.where(others, -_distances(curve, constraint), np.nan)
    threshold = StepCurve(curve.scores, nearness).best().threshold
    best_value, name = curve.at(threshold), constraint.said(classes)
    raise InfeasibleConstraintError(
        f"No threshold satisfies `constraints`: {all_said(constraints, classes)}. "
        f"{name} comes no nearer than {best_value:.4g}, at the threshold "
        f"{threshold:.6g}{where_others_hold(constraints, others)}. "
        "Loosen a limit, or fit a classifier that separates the classes better.",
        *(name, best_value, threshold),
    )


def first_failing(kept):
    """Return the number of the constraint to blame, and where the others hold.

    One that no cut keeps is blamed first; else the first without which the others
    can be kept. Where the others hold nowhere, all cuts are looked at.
    """
    everywhere = np.ones_like(kept[0])
    others = [
        np.all([everywhere, *kept[:i], *kept[i + 1 :]], axis=0)
        for i in range(len(kept))
    ]
    blame = [
        (each.any(), not rest.any()) for each, rest in zip(kept, others, strict=True)
    ]
    failing = blame.index(min(blame))
    return failing, others[failing] if others[failing].any() else everywhere


def all_said(constraints, classes):
    """Return all constraints as one line."""
    return ", ".join(f"{each.said(classes)} {each.limits()}" for each in constraints)


def where_others_hold(constraints, others):
    """Return the end of a sentence on the value that comes nearest."""
    if len(constraints) == 1:
        return ""
    return " on its own" if others.all() else " where the others hold"
