"""Labels, predictions, weights and a prior: clean arrays, or a clear error."""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral

import numpy as np
from sklearn.utils import column_or_1d

from sklimb._validation import (
    as_labels,
    check_pos_label,
    check_prior,
    check_sample_weight,
    has_missing,
)
from sklimb.priors import class_numbers, weights_to_prior
from sklimb.priors._proba_rows import check_proba_rows

__all__ = ["LabelledRows", "check_between", "check_n_bins", "labelled_rows"]


@dataclass(frozen=True)
class LabelledRows:
    """Rows with a class each, as they count at a prior.

    Attributes
    ----------
    numbers : ndarray of shape (n_rows,), int
        Places of the labels in ``classes``.
    classes : ndarray of shape (n_classes,)
    prior : ndarray of shape (n_classes,)
        What the classes' shares shall be.
    weight : ndarray of shape (n_rows,) or None
        All above 0.
    positive : int
        The place of the positive class.
    kept : ndarray of bool or None
        Which of the rows given these are: those of weight 0 are left out.
    """

    numbers: np.ndarray
    classes: np.ndarray
    prior: np.ndarray
    weight: np.ndarray | None
    positive: int
    kept: np.ndarray | None

    @property
    def n_classes(self):
        """Classes."""
        return len(self.classes)

    @cached_property
    def of_class(self):
        """Row numbers of each class."""
        return [np.flatnonzero(self.numbers == k) for k in range(self.n_classes)]

    @cached_property
    def importance(self):
        """Row weights under which the classes have the prior; they sum to 1."""
        weight = weights_to_prior(self.numbers, self.weight, self.prior)
        return weight / weight.sum()

    @property
    def is_positive(self):
        """Which rows are of the positive class."""
        return self.numbers == self.positive

    def of(self, values, name):
        """Return an array's entries of these rows.

        Raises
        ------
        ValueError
            If the array has another number of rows.
        """
        values = np.asarray(values)
        n_rows = len(self.numbers) if self.kept is None else len(self.kept)
        if values.ndim == 0 or len(values) != n_rows:
            raise ValueError(
                f"`{name}` has shape {values.shape}, and `y_true` has {n_rows} rows. "
                "Give an entry for each row."
            )
        return values if self.kept is None else values[self.kept]

    def predicted(self, y_pred, name="y_pred"):
        """Return class numbers of predicted labels."""
        return _numbers_of(self.of(y_pred, name), self.classes, name)

    def scores(self, scores, name="y_score"):
        """Return scores, of the positive class or (n_rows, n_classes) of several."""
        scores = self.of(scores, name).astype(np.float64)
        if self.n_classes == 2 and scores.ndim == 2 and scores.shape[1] == 2:
            scores = scores[:, self.positive]
        wanted = () if self.n_classes == 2 else (self.n_classes,)
        if scores.shape[1:] != wanted:
            raise ValueError(
                f"`{name}` has shape {scores.shape}; expected "
                f"{(len(scores), *wanted)} for the classes {as_labels(self.classes)}"
                f"{'' if self.n_classes == 2 else ', a column for each'}."
            )
        if not np.isfinite(scores).all():
            raise ValueError(
                f"`{name}` has nan or infinite values. Remove these rows or mend them."
            )
        return scores

    def proba(self, proba, name="proba"):
        """Return probabilities of all classes, shape (n_rows, n_classes)."""
        values = self.of(proba, name)
        if self.n_classes == 2 and values.ndim == 1:
            values = values.astype(np.float64)
            _check_unit_interval(values, name)
            values = np.column_stack([1 - values, values])
            return values if self.positive == 1 else values[:, ::-1]
        rows = check_proba_rows(values, self.n_classes, name=name)
        return rows.proba.astype(np.float64, copy=False)

    def positive_proba(self, proba, name="proba"):
        """Return probabilities of the positive class of two.

        Raises
        ------
        ValueError
            If there are more classes, or these are no probabilities.
        """
        if self.n_classes > 2:
            raise ValueError(
                f"`y_true` has {self.n_classes} classes, {as_labels(self.classes)}; "
                "this is for two. Take one class against the rest: give "
                "`y_true == label` and that class's column."
            )
        return self.proba(proba, name)[:, self.positive]


def labelled_rows(
    y_true,
    target_prior=None,
    *,
    sample_weight=None,
    pos_label=None,
    labels=None,
    y_pred=None,
    name="y_pred",
):
    """Return rows at a prior, those of weight 0 left out.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
    target_prior : prior, default=None
        None for the rows' own shares.
    sample_weight : array-like of shape (n_rows,), default=None
    pos_label : label, default=None
    labels : array-like of shape (n_classes,), default=None
        All classes; None for those of ``y_true`` and ``y_pred``.
    y_pred : array-like of shape (n_rows,), default=None
        Predicted labels, which may be of further classes.
    name : str, default="y_pred"
        Its name in errors.

    Returns
    -------
    LabelledRows

    Raises
    ------
    ValueError
        If something is not valid, there is one class only, or a class with a
        share has no rows.
    """
    y_true = _check_labels(y_true, "y_true")
    weight = check_sample_weight(sample_weight, len(y_true))
    kept = None
    if weight is not None and not weight.all():
        kept = weight > 0
        y_true, weight = y_true[kept], weight[kept]
    if len(y_true) == 0:
        raise ValueError("`y_true` has no rows of a weight above 0. Give at least one.")
    classes = _classes_of(y_true, y_pred, kept, labels, name)
    rows = LabelledRows(
        _numbers_of(y_true, classes, "y_true"),
        classes,
        None,
        weight,
        check_pos_label(pos_label, classes),
        kept,
    )
    return replace(rows, prior=_prior_of(rows, target_prior))


def _check_labels(y, name):
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError(
            f"`{name}` has shape {y.shape}; expected one label a row. Predict labels "
            "first: a threshold or the most probable class."
        )
    y = column_or_1d(y)
    if has_missing(y):
        raise ValueError(
            f"`{name}` has missing values. Remove the rows without a label, or give "
            "them a label of their own."
        )
    if y.dtype.kind == "f" and (y != np.rint(y)).any():
        raise ValueError(
            f"`{name}` has {y[y != np.rint(y)][0]}, which is no label. Give labels; "
            "probabilities become labels by a threshold."
        )
    return y


def _classes_of(y_true, y_pred, kept, labels, name):
    if labels is not None:
        classes = _check_labels(labels, "labels")
        if len(np.unique(classes)) < len(classes):
            raise ValueError(f"`labels` has a label twice: {as_labels(classes)}.")
    else:
        classes = np.unique(y_true)
        if y_pred is not None:
            y_pred = _check_labels(y_pred, name)
            y_pred = y_pred if kept is None else y_pred[kept]
            classes = np.union1d(classes, y_pred)
    if len(classes) < 2:
        raise ValueError(
            f"`y_true` has one class only, {as_labels(classes)}, and a metric needs "
            "rows of at least two. Give rows of the others too."
        )
    return classes


def _numbers_of(y, classes, name):
    y = _check_labels(y, name)
    order = np.argsort(classes)
    try:
        return order[class_numbers(y, classes[order])]
    except (ValueError, TypeError):
        unknown = [label for label in as_labels(np.unique(y)) if label not in classes]
        raise ValueError(
            f"`{name}` has the labels {unknown[:5]}, which are not among the classes "
            f"{as_labels(classes)}. Give labels of these, or name all in `labels`."
        ) from None


def _prior_of(rows, target_prior):
    mass = np.bincount(rows.numbers, rows.weight, rows.n_classes)
    if target_prior is None:
        return mass / mass.sum()
    prior = check_prior(
        target_prior,
        rows.classes,
        pos_label=rows.classes[rows.positive],
        name="target_prior",
    )
    missing = (mass == 0) & (prior > 0)
    if missing.any():
        shares = dict(
            zip(as_labels(rows.classes[missing]), prior[missing].tolist(), strict=True)
        )
        raise ValueError(
            f"`y_true` has no rows of the classes {list(shares)}, which have shares of "
            f"{shares} in `target_prior`: how they are predicted can't be measured. "
            "Give rows of them; in a cross-validation use stratified folds."
        )
    return prior


def _check_unit_interval(values, name):
    if not ((values >= 0) & (values <= 1)).all():  # written so that nan fails
        raise ValueError(
            f"`{name}` must lie in [0, 1]; got values from {np.min(values):.6g} to "
            f"{np.max(values):.6g}. Give probabilities, not logits."
        )


def check_between(value, name, low=0, high=1):
    """Return a number strictly between two others as a float.

    Raises
    ------
    ValueError
        If it lies elsewhere.
    """
    if not isinstance(value, int | float | np.number) or not low < value < high:
        raise ValueError(
            f"`{name}`={value!r} must be a number between {low} and {high}, both "
            "excluded."
        )
    return float(value)


def check_n_bins(n_bins):
    """Return a number of bins.

    Raises
    ------
    ValueError
        If it is no whole number from 1 on.
    """
    if not isinstance(n_bins, Integral) or isinstance(n_bins, bool) or n_bins < 1:
        raise ValueError(f"`n_bins`={n_bins!r} must be a whole number from 1 on.")
    return int(n_bins)
