"""Fit many KerasClassifiers at once: those alike as replicas of one program."""

import itertools
import json
import logging
import random
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
from sklimb.keras.replica_steps import Epoch
from sklimb.keras.replicas import NotMappedError, ReplicaJob, train_replicas, why_not
from sklimb.keras.training import FiniteLossGuard

__all__ = ["ReplicaFit", "fit_replicas"]

MOST_REPLICAS = 64
_logger = logging.getLogger(__name__)


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
    """

    estimator: Any = None
    reason: str | None = None
    error: Exception | None = None


def fit_replicas(estimators, datas, *, n_jobs=None, on_program=None):
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
    >>> estimators = [KerasClassifier(network, epochs=n) for n in (1, 2)]
    >>> fits = fit_replicas(estimators, [data, data])
    >>> [len(fit.estimator.history_["loss"]) for fit in fits]
    [1, 2]
    """
    templates = _Templates()
    members = [
        _prepared(estimator, data, templates)
        for estimator, data in zip(estimators, datas, strict=True)
    ]
    results = dict(enumerate(members))
    for places in _groups(members, MOST_REPLICAS):
        fits = _fit_group([members[place] for place in places])
        results |= zip(places, fits, strict=True)
        if on_program is not None:
            on_program(places, fits)
    _tell(results.values())
    return [results[place] for place in range(len(members))]


def _tell(fits):
    reasons = [fit.reason for fit in fits if fit.reason is not None]
    for reason in dict.fromkeys(reasons):
        _logger.info("%d by keras.Model.fit: %s.", reasons.count(reason), reason)


@dataclass(frozen=True)
class _Member:
    """An estimator whose network waits for its training."""

    estimator: NetworkEstimator
    task: FitTask
    data: Any
    start: "_Start"

    @property
    def key(self):
        """What jobs of one program have in common."""
        estimator, model = self.estimator, self.estimator._lease.network.model
        seed = estimator._seed() if seed_states(model) else None
        labels = as_labels(estimator.classes_)
        parts = pool_key(model), labels, self.task.plan.batch_size, seed
        return json.dumps([id(self.data.source), *parts], default=str)

    def job(self, seed):
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
                estimator._lease.network.model.set_weights(trained.weights)
                estimator._finish(self.task, trained.history)
        except Exception as error:
            return ReplicaFit(error=error)
        estimator._rest()
        return ReplicaFit(estimator)


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

    @classmethod
    def of(cls, model):
        rate, steps = model.optimizer.learning_rate, model.optimizer.iterations
        rate = float(rate) if isinstance(rate, keras.Variable) else None
        return cls(model.get_weights(), rate, int(steps))


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
        if key := pool_key(model):
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


def _prepared(estimator, data, templates):
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
    return _Member(estimator, task, data, start)


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
    if pool_key(model) is None:
        return "the model has parts that are not Keras's own and may differ"
    if start.n_steps:
        return "the optimizer has trained before"
    return why_not(model, task.callbacks)


def _is_no_array_of_numbers(values):
    return scipy.sparse.issparse(values) or values.dtype.kind not in "biuf"


def _groups(members, max_replicas):
    """Yield the places of the members of each program."""
    groups = {}
    for place, member in enumerate(members):
        if isinstance(member, _Member):
            _join(groups.setdefault(member.key, []), place, member)
    for group in itertools.chain(*groups.values()):
        for first in range(0, len(group.places), max_replicas):
            yield group.places[first : first + max_replicas]


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


def _fit_group(members):
    if len(members) == 1:
        return _left_to_fit(members, "no other job can share a program with it")
    first = members[0].estimator
    seed = first._seed()
    seed = random.randrange(2**31) if seed is None else seed
    try:
        trained = train_replicas(
            first._lease.network.model,
            members[0].task.rows.X,
            _targets(first, members),
            [member.job(seed) for member in members],
        )
    except NotMappedError as error:
        return _left_to_fit(members, str(error))
    return [
        member.finished(result) for member, result in zip(members, trained, strict=True)
    ]


def _left_to_fit(members, reason):
    for member in members:
        member.estimator._forget()
    return [ReplicaFit(reason=reason)] * len(members)


def _targets(estimator, members):
    """Return the targets of all rows of the source, as the loss takes them."""
    numbers = np.zeros(num_rows(members[0].data.source), dtype=np.int64)
    for member in members:
        for rows in _parts(member.task):
            numbers[_places(rows)] = rows.numbers
    return estimator._encode_labels(numbers)


def _parts(task):
    """Return the rows to train on, and those held out."""
    return [task.rows] if task.validation is None else [task.rows, task.validation.rows]


def _places(rows):
    """Return the rows' numbers in ``X``."""
    return np.arange(len(rows.numbers)) if rows.index is None else rows.index
