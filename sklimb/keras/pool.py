"""Compiled models, used again.

Every model that Keras trains is traced first, which takes most of a second and
leaves memory behind that nothing gives back. Two models of one architecture,
compiled alike, differ only in the values of their variables: so a model whose
estimator is gone takes the values of the next one, and trains without tracing.

A model goes back only while nobody else can hold it: as soon as an estimator
shows it (``model_``), it is the user's for good.
"""

import json
import re
import threading
import weakref
from collections import deque

import keras
import tensorflow as tf

from sklimb.keras._internals import (
    all_layers,
    automatic_prefix,
    is_of_keras,
    ops_are_deterministic,
    seed_states,
)
from sklimb.keras.metrics import PACKAGE
from sklimb.keras.prediction import ForwardPass

__all__ = [
    "CompiledNetwork",
    "Lease",
    "ModelPool",
    "RestingNetwork",
    "default_pool",
    "lease",
    "pool_key",
]

MOST_MODELS = 16
MOST_BYTES = 512 * 2**20  # of variables, in all models together


class CompiledNetwork:
    """A compiled model with what was traced of it.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Attributes
    ----------
    forward : ForwardPass
        Predicts.
    compiled_steps : int
        The ``steps_per_execution`` that it was compiled with.
    may_have_changed : bool
        Whether it was trained since it was last compared with its key.
    """

    def __init__(self, model):
        self.model = model
        self.forward = ForwardPass(model)
        self.compiled_steps = model.steps_per_execution
        self.may_have_changed = False

    @property
    def size(self):
        """Bytes that the variables take."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        return sum(
            tf.as_dtype(v.dtype).size * v.value.shape.num_elements() for v in variables
        )


class ModelPool:
    """Compiled models that no estimator holds, the latest few of them.

    Safe to use from several threads.

    Parameters
    ----------
    most_models : int, default=16
        How many are kept; 0 switches the pool off.
    most_bytes : int, default=512 MiB
        How much their variables may take.

    Examples
    --------
    >>> from sklimb.keras.pool import default_pool
    >>> default_pool.clear()
    >>> len(default_pool)
    0
    """

    def __init__(self, most_models=MOST_MODELS, most_bytes=MOST_BYTES):
        self.most_models = most_models
        self.most_bytes = most_bytes
        self._idle = []  # (key, network), the latest last
        self._lock = threading.Lock()
        # Estimators die at any moment, also while this thread holds the lock; a
        # deque takes what they leave without one.
        self._given_back = deque(maxlen=max(most_models, 1))

    def __len__(self):
        with self._lock:
            self._tidy()
            return len(self._idle)

    def give_back(self, key, network):
        """Take a network that nobody uses any more."""
        self._given_back.append((key, network))

    def take(self, key):
        """Return an idle network with this key, which is then the caller's, or None."""
        with self._lock:
            self._tidy()
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == key:
                    network = self._idle.pop(place)[1]
                    return network if _is_as_before(network, key) else None
        return None

    def clear(self):
        """Forget all idle networks."""
        with self._lock:
            self._given_back.clear()
            self._idle.clear()

    def _tidy(self):
        while self._given_back:
            self._idle.append(self._given_back.popleft())
        while len(self._idle) > self.most_models or self._size() > self.most_bytes:
            del self._idle[0]

    def _size(self):
        return sum(network.size for _, network in self._idle)


def _is_as_before(network, key):
    # A callback may have changed more than variables.
    if network.may_have_changed and pool_key(network.model) != key:
        return False
    network.may_have_changed = False
    return True


default_pool = ModelPool()


class Lease:
    """One estimator's hold on a network, which ends with the estimator.

    Parameters
    ----------
    network : CompiledNetwork
    pool : ModelPool, default=None
        Where it goes then; None for nowhere.
    key : str, default=None
        Its key there.
    woken : RestingNetwork, default=None
        What has the same values, while the network only predicts.
    """

    def __init__(self, network, pool=None, key=None, woken=None):
        self.network = network
        self._key = key
        self._woken = woken
        self._finalizer = None
        if pool is not None:
            self._finalizer = weakref.finalize(self, pool.give_back, key, network)
            self._finalizer.atexit = False

    def to_change(self):
        """Return the network to be trained; after a rest with a new optimizer."""
        if self._woken is not None:
            _start_optimizer_anew(self.network.model)
            self._woken = None
        return self.network

    def shown(self):
        """Return the model for someone else's eyes; it never goes back then."""
        self.to_change()
        if self._finalizer is not None:
            self._finalizer.detach()
        return self.network.model

    def awake(self):
        """Return the lease itself; a :class:`RestingNetwork` returns a new one."""
        return self

    def rested(self):
        """Return the values alone, so that the model can train others.

        A model that can't go back to the pool stays: then it is the lease.
        """
        if self._finalizer is None or not self._finalizer.alive:
            return self
        return self._woken or RestingNetwork(self._key, self.network.model)

    def __reduce__(self):
        # A copy or a pickle has a model of its own. Keras saves weights, not seeds.
        model = self.to_change().model
        seeds = [variable.numpy() for variable in seed_states(model)]
        return _lease_of_copy, (model, seeds)


class RestingNetwork:
    """The values of a pooled model that predicts now and then.

    Parameters
    ----------
    key : str
        The model's key in the pool.
    model : keras.Model
    """

    def __init__(self, key, model):
        self._key = key
        self._kind = type(model)
        self._configs = model.get_config(), model.get_compile_config()
        self._values = [variable.numpy() for variable in model.variables]

    def awake(self, pool=default_pool):
        """Return a lease of a model with these values."""
        network = pool.take(self._key) or CompiledNetwork(self._built())
        _assign(self._values, network.model.variables)
        return Lease(network, pool, self._key, self)

    def _built(self):
        config, compiled = self._configs
        model = self._kind.from_config(config)
        model.compile_from_config(compiled)
        return model


def _lease_of_copy(model, seeds):
    _assign(seeds, seed_states(model))
    return Lease(CompiledNetwork(model))


def lease(template, pool=default_pool):
    """Return a network to train with the template's structure and values.

    Parameters
    ----------
    template : keras.Model
        Built and compiled; not trained itself where its like can be pooled.
    pool : ModelPool

    Returns
    -------
    Lease
    """
    key = pool_key(template) if pool.most_models else None
    if key is None:
        return Lease(CompiledNetwork(template))
    network = pool.take(key) or CompiledNetwork(_copy_of(template))
    _copy_values(template, network.model)
    return Lease(network, pool, key)


def _copy_of(template):
    # Whoever built the template may still hold it, and would see it trained.
    copy = type(template).from_config(template.get_config())
    copy.compile_from_config(template.get_compile_config())
    return copy


def _copy_values(source, target):
    if not target.optimizer.built:
        target.optimizer.build(target.trainable_variables)
    _assign(source.variables, target.variables)
    _assign(_starting_state(source), target.optimizer.variables)


def _starting_state(model):
    """Return the values of an optimizer's variables; not all slots start from 0."""
    if model.optimizer.built:
        return model.optimizer.variables
    return _new_optimizer(model).variables  # the user may hold the model's own


def _new_optimizer(model):
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    return optimizer


def _start_optimizer_anew(model):
    if model.optimizer.built:
        _assign(_new_optimizer(model).variables, model.optimizer.variables)


def _assign(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source)


def pool_key(model):
    """Return what two models must share to be the same but for their variables.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Returns
    -------
    str or None
        None where something in it is not Keras's own, or keeps state outside
        its variables: closures, Lambdas and custom losses may look alike and
        differ.
    """
    if not all(map(_is_plain, all_layers(model))):
        return None
    compiled = model.get_compile_config()
    if compiled is None or not is_plain_config(compiled):
        return None
    structure = _without_automatic_names(model.get_config())
    compiled["optimizer"] = _without_values(compiled["optimizer"])
    kind = [type(model).__name__, keras.config.floatx(), ops_are_deterministic()]
    return json.dumps([*kind, structure, compiled], sort_keys=True, default=str)


def _is_plain(layer):
    parts = [value for value in vars(layer).values() if callable(value)]
    keeps_tables = hasattr(layer, "adapt")
    is_function = isinstance(layer, keras.layers.Lambda)
    return not (keeps_tables or is_function) and all(map(is_of_keras, [layer, *parts]))


def is_plain_config(config):
    """Tell whether a config, or part of one, names nothing but Keras's own."""
    if isinstance(config, dict):
        name = config.get("registered_name") or ""
        is_own = name.startswith(f"{PACKAGE}>")  # sklimb's metrics keep plain counts
        if (name and not is_own) or config.get("class_name") == "function":
            return False
        config = config.values()
    elif not isinstance(config, list | tuple):
        return True
    return all(map(is_plain_config, config))


def _without_values(optimizer):
    """Leave out of an optimizer's config what isn't part of its program."""
    if not isinstance(optimizer, dict) or not isinstance(optimizer.get("config"), dict):
        return optimizer
    settings = {k: _without_values(v) for k, v in optimizer["config"].items()}
    settings.pop("name", None)  # automatic
    if isinstance(settings.get("learning_rate"), float):  # a variable, no schedule
        del settings["learning_rate"]
    return {**optimizer, "config": settings}


def _without_automatic_names(config):
    """Replace Keras's automatic names by numbers in the order of appearance."""
    names = {}
    for part in _parts(config):
        class_name, settings = part.get("class_name"), part.get("config")
        if isinstance(settings, dict) and _is_automatic(
            class_name, settings.get("name")
        ):
            names.setdefault(settings["name"], f"{class_name}#{len(names)}")
    if isinstance(config.get("name"), str):  # the model's own name; its class is known
        names.setdefault(config["name"], "model#")
    return _renamed(config, names)


def _parts(config):
    if isinstance(config, dict):
        yield config
        config = config.values()
    if not isinstance(config, str) and hasattr(config, "__iter__"):
        for value in config:
            yield from _parts(value)


def _is_automatic(class_name, name):
    prefix = re.escape(automatic_prefix(str(class_name)))
    return isinstance(name, str) and re.fullmatch(rf"{prefix}(_\d+)?", name) is not None


def _renamed(config, names):
    if isinstance(config, dict):
        return {key: _renamed(value, names) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config
