"""``--require``: limits that decisions must keep, as text and as constraints."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklimb.report.errors import InputError, did_you_mean
from sklimb.report.labels import find_label, listed_labels
from sklimb.thresholds import metric_function, metric_names
from sklimb.thresholds._constraints import (
    ONE_CLASS,
    SEVERAL_CLASSES,
    metric_range,
)

__all__ = [
    "Requirement",
    "as_constraints",
    "check_requirements",
    "listed",
    "requirement_of",
]

_FORM = re.compile(
    r"\s*(?P<name>[^][<>=\s]+)\s*(?:\[(?P<label>.*)\]\s*)?(?P<sense>>=|<=)(?P<limit>.*)"
)
_SAME = {"sensitivity": "recall"}
# A rate is a quotient of sums, equal to a limit up to its last digits.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Requirement:
    """A limit that decisions must keep.

    Attributes
    ----------
    name : str
        Of a metric, or "alert_rate".
    label : label or None
        The class that the metric is of; None for the positive class, or for a
        metric of all.
    sense : {">=", "<="}
    limit : float
    """

    name: str
    label: Any
    sense: str
    limit: float

    @property
    def key(self):
        """The measure's key, as "recall" or "recall[cat]"."""
        return self.name if self.label is None else f"{self.name}[{self.label}]"

    @property
    def subject(self):
        """What is limited, as "recall" or "recall of 'cat'"."""
        return self.name if self.label is None else f"{self.name} of {self.label!r}"

    def __str__(self):
        return f"{self.subject} {self.sense} {self.limit:g}"

    def distance(self, values):
        """Return how far values lie outside of the limit, 0 within.

        Parameters
        ----------
        values : float or ndarray

        Returns
        -------
        float or ndarray
        """
        outside = self.limit - values if self.sense == ">=" else values - self.limit
        return np.where(outside > _ROUNDING, outside, 0.0)


def check_requirements(texts, labels, positive=None):
    """Return what is required, from texts such as "recall>=0.9".

    Parameters
    ----------
    texts : list of str
    labels : list
        The target's.
    positive : label, default=None
        Of two classes the positive one.

    Returns
    -------
    tuple of Requirement

    Raises
    ------
    InputError
        If a text has another form, the metric or label is unknown, the limit is
        out of range, or two limits contradict or repeat each other.
    """
    requirements = tuple(_requirement(text, labels, positive) for text in texts)
    for number, requirement in enumerate(requirements):
        for other in requirements[:number]:
            _check_both(other, requirement)
    return requirements


def _check_both(one, other):
    if one.key != other.key:
        return
    if one.sense == other.sense:
        raise InputError(
            f"--require: '{one}' and '{other}' limit the same. Give the stricter one."
        )
    low, high = (one, other) if one.sense == ">=" else (other, one)
    if low.limit > high.limit:
        raise InputError(f"--require: '{low}' and '{high}' can't both hold.")


def _requirement(text, labels, positive):
    parts = _FORM.fullmatch(text)
    if parts is None:
        raise InputError(
            f"--require: {text!r} has no limit that can be read. Write a metric, >= or "
            "<=, and a number, in quotes (a shell takes > and < for redirections): "
            "--require 'recall>=0.9'."
        )
    name = _check_name(parts["name"], len(labels))
    label = parts["label"]
    if label is not None:
        label = find_label(label, labels, "--require")
    _check_label(text, name, label, labels)
    if len(labels) == 2 and label == positive:
        label = None
    return Requirement(name, label, parts["sense"], _limit(parts["limit"], name))


def _check_name(name, n_classes):
    name = _SAME.get(name, name)
    known = sorted(
        {"alert_rate", *metric_names()}
        if n_classes == 2
        else {*ONE_CLASS, *SEVERAL_CLASSES}
    )
    if name in known or (n_classes == 2 and _is_metric(name)):
        return name
    averaged = f" Did you mean '{name}_macro'?" if f"{name}_macro" in known else ""
    raise InputError(
        f"--require: {name!r} is no metric of {n_classes} classes."
        f"{averaged or did_you_mean(name, known)} Use one of {', '.join(known)}."
    )


def _is_metric(name):
    try:
        metric_function(name)
    except ValueError:
        return False
    return True


def _check_label(text, name, label, labels):
    if label is not None and name not in ONE_CLASS:
        raise InputError(
            f"--require: {text!r} limits one class's {name}, and only "
            f"{', '.join(ONE_CLASS)} are of one class. Leave the brackets out."
        )
    if label is None and name in ONE_CLASS and len(labels) > 2:
        raise InputError(
            f"--require: {text!r} says not of which class. Name one of "
            f"{listed_labels(labels)} in brackets, as in '{name}[{labels[0]}]>=0.8'."
        )


def _limit(text, name):
    try:
        limit = float(text)
    except ValueError:
        raise InputError(
            f"--require: {text.strip()!r} is not a number. Write a share of 1, such as "
            f"'{name}>=0.9'."
        ) from None
    least, greatest = metric_range(name)
    if not least <= limit <= greatest:
        raise InputError(
            f"--require: {limit:g} is out of range: {name} lies in {least:g} to "
            f"{greatest:g}, shares of 1 and not percent."
        )
    return limit


def as_constraints(requirements, positive=None):
    """Return requirements as ``constraints`` of the flat classifier.

    Parameters
    ----------
    requirements : sequence of Requirement
    positive : label, default=None
        Of two classes the positive one.

    Returns
    -------
    dict or None
        None where nothing is required.

    Examples
    --------
    >>> from sklimb.report.requirements import as_constraints, check_requirements
    >>> as_constraints(check_requirements(["recall>=0.9", "recall<=0.95"], [0, 1]))
    {'recall': (0.9, 0.95)}
    """
    by_class = {r.name for r in requirements if r.label is not None}
    constraints = {}
    for requirement in requirements:
        place, key = constraints, requirement.name
        if key in by_class:
            label = positive if requirement.label is None else requirement.label
            place, key = constraints.setdefault(key, {}), label
        low, high = place.get(key, (None, None))
        at_least = requirement.sense == ">="
        place[key] = (requirement.limit, high) if at_least else (low, requirement.limit)
    return constraints or None


def requirement_of(subject, requirements, positive=None):
    """Return what is required of a subject, as "recall >= 0.9".

    Parameters
    ----------
    subject : str
        As the library names it in errors: "recall", or "recall of 'cat'".
    requirements : iterable of Requirement
    positive : label, default=None
        Of two classes the positive one.

    Returns
    -------
    str
    """
    found = [
        str(requirement)
        for requirement in requirements
        if subject in _subjects(requirement, positive)
    ]
    return " and ".join(found) or subject


def _subjects(requirement, positive):
    if requirement.label is not None:
        return [requirement.subject]
    return [requirement.name, f"{requirement.name} of {positive!r}"]


def listed(requirements):
    """Return requirements as one line, as "recall >= 0.9 and alert_rate <= 0.1".

    Parameters
    ----------
    requirements : iterable of Requirement

    Returns
    -------
    str
    """
    return " and ".join(map(str, requirements))
