"""Fit jobs: one estimator on many sets of rows, and out-of-fold predictions."""

import threading
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter

from sklimb._compat import (
    is_keras_sklearn_classifier,
    names_of_row_params,
    routing_enabled,
    take_rows_of_params,
)
from sklimb._ledger import final_estimator, target_prior_of
from sklimb._outputs import class_scores, rest
from sklimb._rows import as_rows, num_rows, take_rows
from sklimb._validation import as_labels, check_labels, check_sample_weight
from sklimb.priors import class_numbers, class_shares

__all__ = [
    "FitJob",
    "FitResult",
    "TrainingData",
    "by_training_data",
    "fit_estimator",
    "fit_many",
    "takes_training_data",
]


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
        data = replace(
            self,
            classes=check_labels(self.y)[1],
            params=params,
            split_source=split_params,
            own=own,
        )
        data._check_weight_of_classes()
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

    @cached_property
    def X(self):
        """The rows themselves."""
        return self.source if self.rows is None else take_rows(self.source, self.rows)

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
        return replace(self, params=kept)

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
        return class_numbers(self.y, self.classes)

    @property
    def empirical_prior(self):
        """The weighted class shares, shape (n_classes,)."""
        return class_shares(self.class_numbers, self.sample_weight, len(self.classes))

    def weighted(self, factor):
        """Return the data with row weights multiplied by ``factor``."""
        weight = factor if self.sample_weight is None else self.sample_weight * factor
        return replace(self, sample_weight=weight)


class _WeightedStep:
    """Stands in for a Pipeline's last step, and hands row weights to it alone.

    The Pipeline does the rest of its work itself, with or without metadata
    routing, and its other steps are fitted without the weights.
    """

    def __init__(self, step, sample_weight):
        self.step = step
        self.sample_weight = sample_weight

    def fit(self, X, y, **fit_params):
        if num_rows(X) != len(self.sample_weight):
            raise ValueError(
                f"A step of the Pipeline turned {len(self.sample_weight)} rows into "
                f"{num_rows(X)}, so that row weights no longer fit. Put the sampler "
                "outside the weights, or the weights in the Pipeline's last step."
            )
        _fit_weighted(self.step, X, y, self.sample_weight, fit_params)
        return self

    def get_metadata_routing(self):
        return self.step.get_metadata_routing()


def fit_estimator(estimator, data):
    """Fit an estimator on :class:`TrainingData`, in place, and return it.

    One that knows :class:`TrainingData` gets row numbers, and no rows are
    copied for it. In a Pipeline the weights go to the last step.

    Raises
    ------
    ValueError
        If there are weights, or rows held out, that the estimator can't take.
    """
    if takes_training_data(estimator):
        if data.sample_weight is not None:
            check_takes_weights(estimator)
        return estimator._fit_data(data)
    if data.validation is not None:
        raise ValueError(
            f"`validation_fraction` was held out before resampling, but a "
            f"{type(estimator).__name__} can't hand these rows on to the network "
            "inside. Put the sampler inside of it, next to the network."
        )
    params = _addressed(estimator, data.fit_params)
    if data.sample_weight is None:
        return estimator.fit(data.X, data.y, **params)
    return _fit_weighted(estimator, data.X, data.y, data.sample_weight, params)


def _addressed(estimator, params):
    """Return fit parameters as a Pipeline takes them: ``groups`` is its last step's.

    With metadata routing, a Pipeline addresses them itself.
    """
    if "groups" not in params or not isinstance(estimator, Pipeline):
        return params
    if routing_enabled():
        return params
    name = f"{estimator.steps[-1][0]}__groups"
    return {name if key == "groups" else key: value for key, value in params.items()}


def by_training_data(fit):
    """Mark a public ``fit`` for which ``_fit_data(data)`` may be called instead.

    A subclass with a ``fit`` of its own loses the mark, and its own is called.
    """
    fit.by_training_data = True
    return fit


def takes_training_data(estimator):
    """Tell whether an estimator can be fitted on row numbers."""
    return getattr(type(estimator).fit, "by_training_data", False)


def _fit_weighted(estimator, X, y, sample_weight, fit_params):
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        estimator.steps[-1] = (name, _WeightedStep(last, sample_weight))
        try:
            estimator.fit(X, y, **fit_params)
        finally:
            estimator.steps[-1] = (name, last)
        return estimator
    check_takes_weights(estimator)
    return estimator.fit(X, y, sample_weight=sample_weight, **fit_params)


def check_takes_weights(estimator):
    """Raise where ``fit`` has no ``sample_weight``.

    Raises
    ------
    ValueError
        Naming the estimator that would ignore the weights.
    """
    final = final_estimator(estimator)
    # Keras's own wrapper and searches take it by keyword, among others.
    takes_any = is_keras_sklearn_classifier(final) or final is not estimator
    if not takes_any and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(
            f"`sample_weight` can't reach {type(estimator).__name__}: its fit takes no "
            "row weights. Use a classifier that does, or resample the rows instead."
        )


@dataclass(frozen=True)
class FitJob:
    """One fit: on which rows, and which rows to score afterwards.

    Attributes
    ----------
    rows : ndarray or None
        Row numbers to fit on; None for all.
    score_rows : ndarray or None
        Row numbers to score with the fitted estimator.
    keep : bool
        Whether the fitted estimator is wanted back.
    rest : bool
        Whether it may rest until it is used again, as :func:`rest` says.
    """

    rows: np.ndarray | None
    score_rows: np.ndarray | None = None
    keep: bool = False
    rest: bool = False


@dataclass(frozen=True)
class FitResult:
    """What a :class:`FitJob` gave.

    Attributes
    ----------
    estimator : fitted estimator, or None where it was not to be kept
    scores : ndarray or None
        Of the job's ``score_rows``.
    target_prior : ndarray or None
        The prior that the scores were corrected to, where they were.
    warned : list of warnings.WarningMessage
    """

    estimator: Any
    scores: np.ndarray | None
    target_prior: np.ndarray | None
    warned: list = field(default_factory=list)


def fit_many(estimator, data, jobs, *, n_jobs=None, score=class_scores):
    """Fit clones of an estimator, one a job, in parallel through joblib.

    What several of them warn of is told once, also from other processes.

    Parameters
    ----------
    estimator : classifier
        Not changed.
    data : TrainingData
    jobs : list of FitJob
    n_jobs : int, default=None
        As in joblib, whose active backend runs them.
    score : callable, default=class_scores
        From a fitted estimator and rows to their scores.

    Returns
    -------
    list of FitResult
        In the order of ``jobs``, the same for any ``n_jobs``.
    """
    results = Parallel(n_jobs=n_jobs)(
        delayed(_run)(clone(estimator), data, job, score) for job in jobs
    )
    told = {(w.category, str(w.message)): w for r in results for w in r.warned}
    for w in told.values():
        warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return results


def _run(estimator, data, job, score):
    with _recorded_warnings() as caught:
        fit_estimator(estimator, data if job.rows is None else data.take(job.rows))
        scores = None
        if job.score_rows is not None:
            scores = score(estimator, data.take(job.score_rows).X)
        if job.rest:
            rest(estimator)
    return FitResult(
        estimator if job.keep else None, scores, target_prior_of(estimator), caught
    )


def _recorded_warnings():
    """Record warnings, so that what every fold says is told once.

    Filters of warnings belong to the process, so not in a thread beside others.
    """
    if threading.current_thread() is not threading.main_thread():
        return nullcontext([])
    return warnings.catch_warnings(record=True)
