"""KerasClassifiers that wait to be trained, and which of them may train together."""

import itertools
import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from sklimb._rows import num_rows
from sklimb._training_data import takes_training_data
from sklimb._validation import as_labels
from sklimb.keras._internals import seed_states
from sklimb.keras.feed import Feed, FitTask
from sklimb.keras.network import NetworkEstimator
from sklimb.keras.pool import pool_key
from sklimb.keras.replica_plan import Work
from sklimb.keras.replica_steps import Epoch
from sklimb.keras.replicas import ReplicaJob, why_not
from sklimb.keras.training import FiniteLossGuard

__all__ = ["Member", "ReplicaFit", "groups", "members", "targets"]


@dataclass(frozen=True)
class ReplicaFit:
    """What :func:`fit_replicas` made of one estimator.

    Attributes
    ----------
    estimator : KerasClassifier or None
        Fitted; None where ``fit`` has to do it, or where it failed.
    reason : str or None
        Why ``fit`` has to.
    error : Exception or None
        What ``fit`` would have raised.
    key : str or None
        Under which a fit that has yet to be made is to be kept.
    """

    estimator: Any = None
    reason: str | None = None
    error: Exception | None = None
    key: str | None = None


@dataclass(frozen=True)
class Member:
    """An estimator whose network waits for its training.

    Attributes
    ----------
    estimator : NetworkEstimator
    task : FitTask
    data : TrainingData
    start : _Start
        Its network's first values.
    """

    estimator: NetworkEstimator
    task: FitTask
    data: Any
    start: "_Start"

    @property
    def model(self):
        """A model like its own, without its values."""
        return self.estimator._lease.network.model

    @property
    def key(self):
        """What jobs of one program have in common."""
        estimator = self.estimator
        seed = estimator._layer_seed() if seed_states(self.model) else None
        labels = as_labels(estimator.classes_)
        parts = self.start.structure, labels, self.task.plan.batch_size, seed
        return json.dumps([id(self.data.source), *parts], default=str)

    @property
    def work(self):
        """How much there is to do."""
        plan = self.task.plan
        return Work(self.task.args.get("epochs", 1), plan.n_rows, plan.batch_size)

    def job(self, seed):
        """Return its training, with a seed for random layers."""
        rows, validation = self.task.rows, self.task.validation
        return ReplicaJob(
            self.start.weights,
            self.task.plan,
            rows.index,
            self.task.weight,
            epochs=self.task.args.get("epochs", 1),
            seed=seed,
            learning_rate=self.start.learning_rate,
            validation=None if validation is None else _epoch(validation),
            callbacks=(*self.task.callbacks, self._guard()),
        )

    def _guard(self):
        return FiniteLossGuard(self.estimator._described(self.task.class_weights))

    def finished(self, trained):
        """Return the fit after its training."""
        estimator = self.estimator
        try:
            with estimator._all_or_nothing():
                if trained.error is not None:
                    raise trained.error
                self.model.set_weights(trained.weights)
                estimator._finish(self.task, trained.history)
        except Exception as error:
            return ReplicaFit(error=error)
        estimator._rest()
        return ReplicaFit(estimator)

    def left_to_fit(self, reason):
        """Return a fit that has yet to be made, with the estimator as it was."""
        self.estimator._forget()
        return ReplicaFit(reason=reason)


def _epoch(feed):
    return Epoch(_places(feed.rows), feed.weight, feed.plan.batch_size)


# Parameters that building and compiling a model doesn't depend on.
_OF_TRAINING = (
    "batch_size",
    "batches",
    "callbacks",
    "class_weight",
    "epochs",
    "fit__",
    "predict__",
    "shuffle",
    "validation_batch_size",
    "validation_fraction",
    "validation_split",
)


class _Start(NamedTuple):
    """A new network's values."""

    weights: list
    learning_rate: float | None
    n_steps: int  # that its optimizer has already made
    structure: str | None  # what it shares with others; None for nothing

    @classmethod
    def of(cls, model):
        rate, steps = model.optimizer.learning_rate, model.optimizer.iterations
        rate = float(rate) if isinstance(rate, keras.Variable) else None
        return cls(model.get_weights(), rate, int(steps), pool_key(model))


class _Templates:
    """Networks that were built for one estimator, and serve others as well."""

    def __init__(self):
        self._leases = {}  # by structure
        self._built = {}  # by what they were built from
        self._checked = {}  # rows, by the source that they were checked from

    def task(self, estimator, data):
        """Return an estimator's task, and its network's values."""
        rows, *others = estimator._taken(data)
        # Many copies of the same rows would be alive at once.
        X = self._checked.setdefault(id(data.source), rows.X)
        rows = replace(rows, X=X)
        source = _source(estimator)
        if source in self._built:
            estimator._lease, estimator._n_units, start = self._built[source]
            estimator._fit_feature_encoder(rows)
            return estimator._task(rows, *others), start
        task = estimator._task(rows, *others)
        model = estimator._lease.network.model
        start = _Start.of(model)
        if key := start.structure:
            estimator._lease = self._leases.setdefault(key, estimator._lease)
            if estimator._seed() is not None:
                built = estimator._lease, estimator._n_units, start
                self._built[source] = built
        return task, start


def _source(estimator):
    """Return what a model is built from; only plain values are ever the same."""
    params = estimator.get_params(deep=False)
    params = {k: v for k, v in params.items() if not k.startswith(_OF_TRAINING)}
    parts = params, estimator.X_shape_, estimator.n_classes_, estimator.target_type_
    return json.dumps(parts, default=id, sort_keys=True)


def members(estimators, datas):
    """Build the networks of estimators.

    Parameters
    ----------
    estimators : list of estimator
    datas : list of TrainingData

    Returns
    -------
    list of Member or ReplicaFit
        The latter where there is nothing to train, or ``fit`` has to.
    """
    templates = _Templates()
    pairs = zip(estimators, datas, strict=True)
    return [_member(estimator, data, templates) for estimator, data in pairs]


def _member(estimator, data, templates):
    """Return a member, or a fit without one."""
    reason = _why_not_estimator(estimator, data)
    if reason is not None:
        return ReplicaFit(reason=reason)
    try:
        with estimator._all_or_nothing():
            task, start = templates.task(estimator, data)
    except Exception as error:
        return ReplicaFit(error=error)
    reason = _why_not_task(estimator, task, start)
    if reason is not None:
        estimator._forget()
        return ReplicaFit(reason=reason)
    return Member(estimator, task, data, start)


def _why_not_estimator(estimator, data):
    if not isinstance(estimator, NetworkEstimator):
        return f"{type(estimator).__name__} is no KerasClassifier"
    if not takes_training_data(estimator):
        return f"{type(estimator).__name__} has a `fit` of its own"
    if estimator.warm_start or estimator.initialized_:
        return "training goes on from an earlier fit"
    if getattr(estimator.batches, "augment", None) is not None:
        return "`augment` changes rows"
    if data.validation is not None and data.validation.source is not data.source:
        return "the rows held out are not of the same data"
    return None


def _why_not_task(estimator, task, start):
    if not estimator._features_stay():
        return "the feature encoder may depend on the rows"
    if not (task.validation is None or isinstance(task.validation, Feed)):
        return "`validation_data` is not of the same data"
    if any(map(_is_no_array_of_numbers, tf.nest.flatten(task.rows.X))):
        return "`X` is sparse, or no numbers"
    others = task.args.keys() - {"epochs", "initial_epoch", "verbose"}
    if others or task.args["initial_epoch"] or task.args.get("verbose"):
        return f"`fit` has arguments of its own: {sorted(task.args)}"
    model = estimator._lease.network.model
    if start.structure is None:
        return "the model has parts that are not Keras's own and may differ"
    if start.n_steps:
        return "the optimizer has trained before"
    return why_not(model, task.callbacks)


def _is_no_array_of_numbers(values):
    return scipy.sparse.issparse(values) or values.dtype.kind not in "biuf"


def groups(members):
    """Return the places of those that may share a program, for each such group.

    Parameters
    ----------
    members : list of Member or ReplicaFit

    Returns
    -------
    list of list of int
    """
    by_key = {}
    for place, member in enumerate(members):
        if isinstance(member, Member):
            _join(by_key.setdefault(member.key, []), place, member)
    return [group.places for group in itertools.chain(*by_key.values())]


def _join(groups, place, member):
    """Add a member to the first group that its labels agree with, or to a new one."""
    for group in groups:
        if group.agrees(member):
            break
    else:
        group = _Group.of(member)
        groups.append(group)
    group.add(place, member)


@dataclass
class _Group:
    """Members that may share a program: one row has one label in all of them."""

    places: list
    numbers: np.ndarray  # each row's class; -1 where none is known

    @classmethod
    def of(cls, member):
        return cls([], np.full(num_rows(member.data.source), -1))

    def agrees(self, member):
        known = [(self.numbers[_places(r)], r.numbers) for r in _parts(member.task)]
        return all(((old < 0) | (old == new)).all() for old, new in known)

    def add(self, place, member):
        self.places.append(place)
        for rows in _parts(member.task):
            self.numbers[_places(rows)] = rows.numbers


def targets(members):
    """Return the targets of all rows of a group's source, as the loss takes them.

    Parameters
    ----------
    members : list of Member

    Returns
    -------
    ndarray of shape (n_rows, ...)
    """
    numbers = np.zeros(num_rows(members[0].data.source), dtype=np.int64)
    for member in members:
        for rows in _parts(member.task):
            numbers[_places(rows)] = rows.numbers
    return members[0].estimator._encode_labels(numbers)


def _parts(task):
    """Return the rows to train on, and those held out."""
    return [task.rows] if task.validation is None else [task.rows, task.validation.rows]


def _places(rows):
    """Return the rows' numbers in ``X``."""
    return np.arange(len(rows.numbers)) if rows.index is None else rows.index
