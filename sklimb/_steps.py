"""Fits written as steps, so that many of them are taken together.

A meta-estimator's ``_fit`` is a generator: it yields what it needs fitted, is sent
it, and returns what it makes of that. A single ``fit`` runs it to its end. A
cross-validation takes the steps of several side by side, so that whatever stands
around the networks of its folds, these are needed at once and trained together.
"""

import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from sklimb._fitting import Transformers, fit_estimator
from sklimb._ledger import target_prior_of
from sklimb._outputs import class_scores, rest
from sklimb._training_data import TrainingData, takes_training_data

__all__ = [
    "FitJob",
    "FitResult",
    "Need",
    "Needs",
    "caught",
    "fit_all",
    "fit_jobs",
    "fitted",
    "run",
    "side_by_side",
]


class Need(NamedTuple):
    """An estimator to fit, in place, and on what."""

    estimator: Any
    data: TrainingData


class Needs(NamedTuple):
    """What a fit needs at once, and how many of them joblib may fit at a time."""

    each: list
    n_jobs: int | None = None


def fitted(estimator, data):
    """Take the steps of one fit, in place.

    Yields
    ------
    Needs
        To be sent what :func:`fit_all` returns for them.

    Returns
    -------
    estimator
        Fitted.
    """
    if isinstance(estimator, Pipeline) and takes_training_data(estimator.steps[-1][1]):
        return (yield from _fitted_pipeline(estimator, data))
    if takes_training_data(estimator) and hasattr(estimator, "_steps"):
        return (yield from estimator._steps(data))
    return (yield from _asked_for(estimator, data))


def _asked_for(estimator, data):
    [outcome] = yield Needs([Need(estimator, data)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _fitted_pipeline(pipeline, data):
    transformers = Transformers(pipeline)
    transformers = yield from _asked_for(transformers, transformers.seen(data))
    name, last = pipeline.steps[-1]
    last = yield from fitted(last, transformers.handed_on(data))
    pipeline.steps = [*transformers.steps, (name, last)]
    return pipeline


def side_by_side(fits, n_jobs=None):
    """Take the steps of several fits together; what one raises ends all.

    Parameters
    ----------
    fits : list of generator
    n_jobs : int, default=None
        None for what the fits themselves say.

    Yields
    ------
    Needs
        Of all fits that still go on.

    Returns
    -------
    list
        What each fit returned.
    """
    results = [None] * len(fits)
    going = dict.fromkeys(range(len(fits)))  # what each is sent next
    warned = []
    try:
        while going:
            needs = {}
            for place, outcomes in going.items():
                with _recorded_warnings() as some:
                    warned.append(some)
                    try:
                        needs[place] = fits[place].send(outcomes)
                    except StopIteration as end:
                        results[place] = end.value
            going = yield from _shared_out(needs, n_jobs)
    finally:
        _tell(warned)
    return results


def _shared_out(needs, n_jobs):
    """Ask for what several fits need, and return each one's part."""
    if not needs:
        return {}
    each = [need for some in needs.values() for need in some.each]
    counts = [n_jobs, *(some.n_jobs for some in needs.values())]
    n_jobs = next((count for count in counts if count is not None), None)
    outcomes = iter((yield Needs(each, n_jobs)))
    return {
        place: list(islice(outcomes, len(some.each))) for place, some in needs.items()
    }


def caught(fit):
    """Take the steps of a fit; return what it raised, where it did.

    Returns
    -------
    object or Exception
    """
    try:
        return (yield from fit)
    except Exception as error:
        return error


def run(fit, fit_needs=None):
    """Take all steps of a fit, and return what it returns.

    Parameters
    ----------
    fit : generator
    fit_needs : callable, default=None
        From :class:`Needs` to what each gave; None for :func:`fit_all`.
    """
    fit_needs = fit_all if fit_needs is None else fit_needs
    outcomes = None
    while True:
        try:
            needs = fit.send(outcomes)
        except StopIteration as end:
            return end.value
        outcomes = fit_needs(needs)


def fit_all(needs, on_fits=None, checkpoint=None, always_together=False):
    """Fit what is needed: networks together, all else through joblib.

    What several of them warn of is told once, also from other processes.

    Parameters
    ----------
    needs : Needs
    on_fits : callable, default=None
        Called as fits end, with how many.
    checkpoint : str or path, default=None
        A folder that keeps networks, and where those of an earlier call are found.
    always_together : bool, default=False
        Whether also what is faster alone is trained as if there were others.

    Returns
    -------
    list of fitted estimator or Exception
        In the order of ``needs``, the same for any ``n_jobs``. Of several, networks
        rest until they are used.
    """
    if len(needs.each) == 1 and checkpoint is None and not always_together:
        return [_outcome(*needs.each[0])]
    how = {"checkpoint": checkpoint, "always": always_together}
    outcomes = _together(needs, on_fits, how)
    alone = [place for place in range(len(needs.each)) if outcomes[place] is None]
    results = _in_parallel([needs.each[place] for place in alone], needs.n_jobs)
    warned = []
    for place, (outcome, some) in zip(alone, results, strict=True):
        outcomes[place] = outcome
        warned.append(some)
        if on_fits is not None:
            on_fits(1)
    _tell(warned)
    return outcomes


def _in_parallel(needs, n_jobs):
    """Return the outcome of each need, and what it warned of, as they end."""
    lazily = get_active_backend()[0].supports_return_generator
    parallel = Parallel(n_jobs, return_as="generator" if lazily else "list")
    return parallel(delayed(_alone)(*need) for need in needs)


def _together(needs, on_fits, how):
    """Return what could be fitted as one, by estimators that know how; else None."""

    def on_program(_, fits):
        on_fits(sum(fit.reason is None for fit in fits))

    how = how | {"n_jobs": needs.n_jobs, "on_program": on_fits and on_program}
    outcomes = [None] * len(needs.each)
    by_kind = {}
    for place, need in enumerate(needs.each):
        kind = getattr(need.estimator, "_fit_together", None)
        if kind is not None and takes_training_data(need.estimator):
            by_kind.setdefault(kind, []).append(place)
    for fit_together, places in by_kind.items():
        some = [needs.each[place] for place in places]
        with _recorded_warnings() as warned:
            found = fit_together(*zip(*some, strict=True), **how)
        _tell([warned])
        for place, outcome in zip(places, found, strict=True):
            outcomes[place] = outcome
    return outcomes


def _outcome(estimator, data):
    try:
        return fit_estimator(estimator, data)
    except Exception as error:
        return error


def _alone(estimator, data):
    """Return one of several, and what it warned of."""
    with _recorded_warnings() as warned:
        outcome = _outcome(estimator, data)
    if not isinstance(outcome, Exception):
        rest(outcome)  # the next one trains its compiled model
    return outcome, warned


def _recorded_warnings():
    """Record warnings, so that what every fold says is told once.

    Filters of warnings belong to the process, so not in a thread beside others.
    """
    if threading.current_thread() is not threading.main_thread():
        return nullcontext([])
    return warnings.catch_warnings(record=True)


def _tell(recorded):
    told = {(w.category, str(w.message)): w for some in recorded for w in some}
    for w in told.values():
        warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)


@dataclass(frozen=True)
class FitJob:
    """One fit of several: on which rows, and which rows to score afterwards.

    Attributes
    ----------
    rows : ndarray or None
        Row numbers to fit on; None for all.
    score_rows : ndarray or None
        Row numbers to score with the fitted estimator.
    rest : bool
        Whether it may rest until it is used again, as :func:`rest` says.
    """

    rows: np.ndarray | None
    score_rows: np.ndarray | None = None
    rest: bool = False


@dataclass(frozen=True)
class FitResult:
    """What a :class:`FitJob` gave.

    Attributes
    ----------
    estimator : fitted estimator
    scores : ndarray or None
        Of the job's ``score_rows``.
    target_prior : ndarray or None
        The prior that the scores were corrected to, where they were.
    """

    estimator: Any
    scores: np.ndarray | None
    target_prior: np.ndarray | None


def fit_jobs(estimator, data, jobs, *, n_jobs=None, score=class_scores):
    """Take the steps of several fits of one estimator's clones.

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

    Yields
    ------
    Needs

    Returns
    -------
    list of FitResult
        In the order of ``jobs``.
    """
    fits = [_job(clone(estimator), data, job, score) for job in jobs]
    return (yield from side_by_side(fits, n_jobs))


def _job(estimator, data, job, score):
    rows = data if job.rows is None else data.take(job.rows)
    estimator = yield from fitted(estimator, rows)
    scores = None
    if job.score_rows is not None:
        scores = score(estimator, data.take(job.score_rows).X)
    if job.rest:
        rest(estimator)
    return FitResult(estimator, scores, target_prior_of(estimator))
