"""Fit many KerasClassifiers at once: those alike as replicas of one program."""

import logging
import random
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sklimb.keras.checkpoints import key_of_program, resumed
from sklimb.keras.replica_members import ReplicaFit, groups, members, targets
from sklimb.keras.replica_plan import (
    SECONDS_OF_WORKERS,
    cut,
    most_replicas,
    pays,
    seconds,
)
from sklimb.keras.workers import Program, run_programs

__all__ = ["ReplicaFit", "fit_replicas"]

_logger = logging.getLogger(__name__)


def fit_replicas(
    estimators, datas, *, n_jobs=None, on_program=None, checkpoints=None, always=False
):
    """Fit estimators as replicas where they can be, as if each were fitted alone.

    Jobs share a program whose networks differ in nothing but values, on rows of
    the same ``source``, with the same classes and batch size, and with random
    layers the same seed. How they are cut into programs depends on the jobs
    alone, so that results are the same to the last bit wherever they run.

    Parameters
    ----------
    estimators : list of estimator
        Clones, one for each fit; those fitted are returned.
    datas : list of TrainingData
        One for each.
    n_jobs : int, default=None
        As in joblib.
    on_program : callable, default=None
        Called as each program ends, with the places of its estimators in the list
        and their fits.
    checkpoints : Checkpoints, default=None
        Where programs that have run are kept, and found again.
    always : bool, default=False
        Whether also where it takes longer, as for one that is to be like others.

    Returns
    -------
    list of ReplicaFit

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from sklimb._training_data import TrainingData
    >>> from sklimb.keras import KerasClassifier
    >>> from sklimb.keras.replica_fit import fit_replicas
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> data = TrainingData.check(X, (X[:, 0] > 0).astype(int))
    >>> network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> network.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    >>> estimators = [KerasClassifier(network, epochs=n) for n in (500, 600)]
    >>> fits = fit_replicas(estimators, [data, data])
    >>> [len(fit.estimator.history_["loss"]) for fit in fits]
    [500, 600]
    >>> estimators = [KerasClassifier(network, epochs=n) for n in (1, 2)]
    >>> fit_replicas(estimators, [data, data])[0].reason
    '6 steps in all are trained faster than a program is traced'
    """
    waiting = members(estimators, datas)
    results = {p: fit for p, fit in enumerate(waiting) if isinstance(fit, ReplicaFit)}
    together = []
    for places in groups(waiting):
        group = [waiting[place] for place in places]
        reason = None if always else _why_not_group(group)
        if reason is None:
            together.append((places, group))
        else:
            left = [_left_to_fit(waiting[p], reason, checkpoints) for p in places]
            results |= zip(places, left, strict=True)
    spread = sum(map(_seconds, together)) > SECONDS_OF_WORKERS
    plans = [plan for pair in together for plan in _planned(*pair, spread)]
    run = partial(run_programs, n_jobs=n_jobs, worth_workers=spread)
    for plan, outcome in _outcomes(plans, waiting, run, checkpoints):
        fits = _finished([waiting[place] for place in plan.places], outcome)
        results |= zip(plan.places, fits, strict=True)
        if on_program is not None:
            on_program(plan.places, fits)
    _tell(results.values())
    return [results[place] for place in range(len(waiting))]


def _why_not_group(group):
    """Tell why jobs that may share a program should not, or return None."""
    if len(group) == 1:
        return "no other job can share a program with it"
    works = [member.work for member in group]
    if not pays(works):
        n_steps = sum(work.steps for work in works)
        return f"{n_steps} steps in all are trained faster than a program is traced"
    if most_replicas(group[0].model, works) == 1:
        return "there is no memory for several networks of this size"
    return None


@dataclass(frozen=True)
class _Plan:
    """A program that is to run, with what others of its group share."""

    places: list
    n_replicas: int
    targets: np.ndarray
    seed: int


def _seconds(together):
    _, group = together
    return seconds(group[0].model, [member.work for member in group])


def _planned(places, group, spread):
    works = [member.work for member in group]
    parts = cut(places, most_replicas(group[0].model, works), spread)
    seed = group[0].estimator._layer_seed()
    seed = random.randrange(2**31) if seed is None else seed
    of_all = targets(group)
    return [_Plan(part, len(parts[0]), of_all, seed) for part in parts]


def _outcomes(plans, waiting, run, checkpoints):
    """Yield each plan with what its program gave, in any order."""
    groups = [[waiting[place] for place in plan.places] for plan in plans]
    programs = [_program(*pair) for pair in zip(plans, groups, strict=True)]
    for place, outcome in resumed(programs, run, checkpoints):
        yield plans[place], outcome


def _left_to_fit(member, reason, checkpoints):
    """Return a fit that has yet to be made alone, or was once."""
    if checkpoints is None:
        return member.left_to_fit(reason)
    jobs = [member.job(member.estimator._seed())]
    program = Program(member.model, member.task.rows.X, targets([member]), jobs)
    key = key_of_program(program, by="fit")
    replicas = checkpoints.load(key)
    if replicas is None:
        return replace(member.left_to_fit(reason), key=key)
    return member.finished(*replicas)


def _program(plan, group):
    jobs = [member.job(plan.seed) for member in group]
    # All programs of a group have one size, and so one trace.
    jobs += [jobs[-1].resting()] * (plan.n_replicas - len(jobs))
    return Program(group[0].model, group[0].task.rows.X, plan.targets, jobs)


def _finished(group, outcome):
    if isinstance(outcome, Exception):
        return [member.left_to_fit(str(outcome)) for member in group]
    fits = [member.finished(r) for member, r in zip(group, outcome, strict=False)]
    for member in group:
        member.estimator._is_replica = True
    return fits


def _tell(fits):
    together = sum(fit.reason is None for fit in fits)
    if together:
        _logger.info("%d as replicas.", together)
    reasons = [fit.reason for fit in fits if fit.reason is not None]
    for reason in dict.fromkeys(reasons):
        _logger.info("%d by keras.Model.fit: %s.", reasons.count(reason), reason)
