"""What ``fit`` was given, as all estimators here hand it on: rows by their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from sklimb._compat import names_of_row_params, take_rows_of_params
from sklimb._rows import as_rows, num_rows, take_rows
from sklimb._validation import (
    as_labels,
    check_labels,
    check_sample_weight,
    classes_of,
)
from sklimb.priors import class_numbers, class_shares

__all__ = ["TrainingData", "by_training_data", "takes_training_data"]


@dataclass(frozen=True)
class TrainingData:
    """What ``fit`` was given, checked: rows, labels, weights, other parameters.

    Rows are taken by their numbers; ``X`` is copied only where it is read.

    Attributes
    ----------
    source : anything that :func:`sklimb._rows.take_rows` can take rows of
        All rows that the user gave.
    rows : ndarray of shape (n_rows,) or None
        Which of them, and how often; None for each once, in their order.
    y : ndarray of shape (n_rows,)
    classes : ndarray of shape (n_classes,)
        The sorted labels of the whole data, also where ``y`` lacks some.
    sample_weight : ndarray of shape (n_rows,) or None
    params : mapping
        Other parameters of the inner ``fit``, as the user gave them.
    split_source : mapping
        Parameters of the splitter's ``split``, such as ``groups``, likewise.
    own : mapping
        Parameters of ``fit`` that the meta-estimator itself uses, such as
        ``sample_cost``, with a value for each row of ``source``.
    validation : TrainingData or None
        Rows that were held out before anything was done to the others.
    """

    source: Any
    rows: np.ndarray | None
    y: np.ndarray
    classes: np.ndarray
    sample_weight: np.ndarray | None = None
    params: Mapping = field(default_factory=dict)
    split_source: Mapping = field(default_factory=dict)
    own: Mapping = field(default_factory=dict)
    validation: "TrainingData | None" = None

    @classmethod
    def check(cls, X, y, sample_weight=None, params=None, split_params=None, own=None):
        """Check what a user gave.

        Raises
        ------
        TypeError
            If the rows of ``X`` come only in order.
        ValueError
            If labels or weights are not valid, lengths differ, or all rows of
            a class have the weight 0.
        """
        X, y = as_rows(X, y)
        y, classes = check_labels(y)
        weight = check_sample_weight(sample_weight, len(y))
        data = cls(
            X, None, y, classes, weight, params or {}, split_params or {}, own or {}
        )
        data._check_weight_of_classes()
        return data

    def handed_on(self, params, split_params, own):
        """Return the data as an inner meta-estimator's ``fit`` would check them.

        Raises
        ------
        ValueError
            If the rows are of one class, or all rows of a class have weight 0.
        """
        classes, _ = self._labels
        data = self._changed(
            classes=classes, params=params, split_source=split_params, own=own
        )
        data._check_weight_of_classes()
        return data

    @cached_property
    def _known(self):
        """What was found out about these rows, whoever of them asked first."""
        return {}

    def _find(self, name, function, *args):
        if name not in self._known:
            self._known[name] = function(*args)
        return self._known[name]

    @property
    def _labels(self):
        """The classes of ``y``, and each row's place in them."""
        return self._find("labels", _numbered, self.y)

    def _changed(self, **changes):
        """Return the same rows with changes; what is known of them stays."""
        data = replace(self, **changes)
        vars(data)["_known"] = self._known
        return data

    def _check_weight_of_classes(self):
        if self.sample_weight is None:
            return
        gone = np.setdiff1d(self.classes, self.y[self.sample_weight > 0])
        if len(gone):
            raise ValueError(
                f"`sample_weight` is zero for every row of the classes "
                f"{as_labels(gone)}. A row of weight zero is a row removed: leave "
                "these classes out of `y`, or give their rows weight."
            )

    @property
    def X(self):
        """The rows themselves."""
        if self.rows is None:
            return self.source
        return self._find("X", take_rows, self.source, self.rows)

    @property
    def row_numbers(self):
        """Each row's number in what the user gave, shape (n_rows,)."""
        return np.arange(len(self.y)) if self.rows is None else self.rows

    @property
    def fit_params(self):
        """The inner ``fit``'s parameters, those aligned with rows cut with them."""
        return self._cut(self.params)

    @property
    def split_params(self):
        """The splitter's parameters, cut likewise."""
        return self._cut(self.split_source)

    def _cut(self, params):
        if self.rows is None or not params:
            return params
        return take_rows_of_params(num_rows(self.source), params, self.rows)

    @property
    def names_of_row_params(self):
        """Those of the inner ``fit``'s parameters that have a value for each row."""
        return names_of_row_params(num_rows(self.source), self.params)

    def without_params(self, *names):
        """Return the data without these parameters of the inner ``fit``."""
        kept = {k: value for k, value in self.params.items() if k not in names}
        return self._changed(params=kept)

    def without_zero_weights(self):
        """Return the rows that count: a row of weight 0 is a row removed."""
        if self.sample_weight is None or self.sample_weight.all():
            return self
        return self.take(np.flatnonzero(self.sample_weight))

    def take(self, rows):
        """Return the data of these row numbers (repeats allowed)."""
        weight = self.sample_weight
        return replace(
            self,
            y=self.y[rows],
            sample_weight=None if weight is None else weight[rows],
            rows=self.row_numbers[rows],
        )

    @cached_property
    def class_numbers(self):
        """Each row's place in ``classes``."""
        classes, numbers = self._known.get("labels", (None, None))
        if classes is self.classes:
            return numbers
        return class_numbers(self.y, self.classes)

    @property
    def empirical_prior(self):
        """The weighted class shares, shape (n_classes,)."""
        return class_shares(self.class_numbers, self.sample_weight, len(self.classes))

    def weighted(self, factor):
        """Return the data with row weights multiplied by ``factor``."""
        weight = factor if self.sample_weight is None else self.sample_weight * factor
        return self._changed(sample_weight=weight)


def _numbered(y):
    classes = classes_of(y)
    return classes, class_numbers(y, classes)


def by_training_data(fit):
    """Mark a public ``fit`` for which ``_fit_data(data)`` may be called instead.

    A subclass with a ``fit`` of its own loses the mark, and its own is called.
    """
    fit.by_training_data = True
    return fit


def takes_training_data(estimator):
    """Tell whether an estimator can be fitted on row numbers."""
    return getattr(type(estimator).fit, "by_training_data", False)
