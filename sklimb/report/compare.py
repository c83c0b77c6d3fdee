"""Fit the strategies on one part of the rows and measure them on the other."""

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from sklimb.exceptions import InfeasibleConstraintError
from sklimb.report.aims import aim_of, measures_of
from sklimb.report.data import split
from sklimb.report.errors import InputError, sentences_of
from sklimb.report.measures import Predictions, measure
from sklimb.report.models import described, find_model
from sklimb.report.numbers import short
from sklimb.report.outcomes import Comparison, Infeasible, Outcome
from sklimb.report.requirements import listed, requirement_of
from sklimb.report.several import ClassPredictions, measure_several
from sklimb.report.strategies import (
    STRATEGIES,
    STRATEGIES_FOR_SEVERAL,
    Conditions,
    Strategy,
    applicable,
)

__all__ = ["compare"]


class _Announcing(TransformerMixin, BaseEstimator):
    """Say that a fit begins; rows pass as they are.

    Parameters
    ----------
    announce : function
        Called without arguments.
    """

    def __init__(self, announce):
        self.announce = announce

    def fit(self, X, y=None):
        """Announce."""
        self.announce()
        return self

    def transform(self, X):
        """Return ``X``."""
        return X

    def __sklearn_is_fitted__(self):
        return True


def compare(dataset, model, options, progress):
    """Compare strategies on a stratified hold-out.

    Parameters
    ----------
    dataset : Dataset
    model : str
        As for :func:`find_model`.
    options : Options
    progress : Progress
        Told of each fit: ``start(n_fits)``, ``strategy(name)`` and ``fit()``.

    Returns
    -------
    Comparison
        Without the strategies that can't be used, of which a note tells.

    Raises
    ------
    InputError
        If the data are too few, the model fails on them, or nothing that is
        tuned keeps what is required.
    """
    build, flat = find_model(model)
    dataset = dataset.flat() if flat else dataset
    parts = split(dataset, options.cv, options.seed)
    steps = [("announce", _Announcing(progress.fit))]
    if dataset.columns is not None:
        steps.append(("columns", dataset.columns.transformer()))
    steps.append(("model", build(parts.y_train)))
    has_columns = dataset.columns is not None
    conditions = Conditions(steps[-1][1], parts.y_train, has_columns, options.cv)
    several = options.positive is None
    strategies, notes = applicable(
        STRATEGIES_FOR_SEVERAL if several else STRATEGIES, conditions
    )
    # What our own models can't take is a ValueError; the rest would be a bug.
    bad_model = ValueError if flat else Exception
    progress.start(sum(strategy.n_fits(options) for strategy in strategies))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = [
            _fit(strategy, Pipeline(steps), parts, options, progress, bad_model)
            for strategy in strategies
        ]
        _check_any_feasible(fitted, options)
        progress.strategy("bootstrap of the test rows")
        found = _measured(dataset, options, parts, fitted)
        found.notes.extend([*parts.notes, *notes, *sentences_of(caught)])
        return found


@dataclass(frozen=True)
class _Fitted:
    """A strategy with its predictions of the test part."""

    strategy: Strategy
    estimator: Any
    predictions: Any
    seconds: float


def _fit(strategy, estimator, parts, options, progress, bad_model):
    progress.strategy(strategy.name)
    start = time.perf_counter()
    try:
        fitted = strategy.build(estimator, options).fit(parts.X_train, parts.y_train)
        predictions = _predictions(fitted, parts.X_test, options)
    except InfeasibleConstraintError as error:
        why = _why_infeasible(error, options)
        return Infeasible(strategy, why, time.perf_counter() - start)
    except bad_model as error:
        raise InputError(
            f"--model: it failed in {strategy.name!r}: {described(error)}"
        ) from error
    return _Fitted(strategy, fitted, predictions, time.perf_counter() - start)


def _why_infeasible(error, options):
    said = requirement_of(error.constraint, options.requirements, options.positive)
    # The nearest value may be that of thresholds which break other limits too.
    where = " where the others hold"
    where = where if where in str(error) else ""
    return f"{said} comes no nearer than {short(error.best_value)}{where}"


def _check_any_feasible(fitted, options):
    """Raise where all that has a threshold to tune fails to keep what is required."""
    failed = [f for f in fitted if isinstance(f, Infeasible)]
    if not failed or len(failed) < sum(f.strategy.is_tuned(options) for f in fitted):
        return
    found = "; ".join(f"{each.name!r}: {each.why}" for each in failed)
    raise InputError(
        f"--require: no tuned threshold keeps {listed(options.requirements)} out of "
        "fold. Loosen a limit, or give a model that separates the classes better. "
        f"{found}."
    )


def _predictions(fitted, X, options):
    log_proba, predicted = fitted.predict_log_proba(X), fitted.predict(X)
    if options.positive is None:
        return ClassPredictions(np.searchsorted(fitted.classes_, predicted), log_proba)
    column = int(np.flatnonzero(fitted.classes_ == options.positive)[0])
    return Predictions(
        called_positive=predicted == options.positive,
        log_odds=log_proba[:, column] - log_proba[:, 1 - column],
    )


def _measured(dataset, options, parts, fitted):
    """Return the comparison, with the notes of the dataset alone."""
    prior, measures = _prior(dataset, options), measures_of(options)
    usable = [f for f in fitted if isinstance(f, _Fitted)]
    predictions = [each.predictions for each in usable]
    estimates = _estimates(predictions, dataset, parts.y_test, prior, measures, options)
    is_positive = parts.y_test == options.positive
    return Comparison(
        dataset=dataset,
        options=options,
        prior=prior,
        n_train=len(parts.y_train),
        y_test=parts.y_test,
        test_positives=None if options.positive is None else int(is_positive.sum()),
        aim=aim_of(options),
        measures=measures,
        outcomes=[
            Outcome(
                each.strategy, each.estimator, each.predictions, found, each.seconds
            )
            for each, found in zip(usable, estimates, strict=True)
        ],
        infeasible=[f for f in fitted if isinstance(f, Infeasible)],
        notes=list(dataset.notes),
    )


def _prior(dataset, options):
    if options.target_prior is not None:
        return np.array(list(options.target_prior.values()))
    return np.array(list(dataset.counts.values())) / len(dataset.y)


def _estimates(predictions, dataset, y_test, prior, measures, options):
    if options.positive is None:
        numbers = np.searchsorted(np.unique(dataset.y), y_test)
        return measure_several(predictions, numbers, prior, measures, options.seed)
    positive, prevalence = y_test == options.positive, prior[options.positive_class]
    return measure(predictions, positive, prevalence, measures, options.seed)
