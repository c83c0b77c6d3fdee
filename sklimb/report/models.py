"""The models that strategies are put around."""

import importlib
import inspect
import os
import sys

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression

from sklimb.report.errors import InputError, did_you_mean, one_line
from sklimb.report.terminal import import_quietly

__all__ = ["MODELS", "find_model", "network"]

# Of the rows that a network trains on, for early stopping.
VALIDATION_SHARE = 0.1
# Fewer validation rows of a class can't tell when to stop.
FEWEST_FOR_VALIDATION = 2


def find_model(name):
    """Return what builds a classifier.

    Parameters
    ----------
    name : str
        A name of ``MODELS``, or ``module:function``: a function without
        arguments that returns a classifier with ``predict_proba`` or a Keras
        model, or one with an argument ``meta`` that returns a Keras model.

    Returns
    -------
    build : callable
        From ``y`` of the training rows to a classifier.
    flat : bool
        Whether it wants rows of prepared columns; False for arrays as they are.

    Raises
    ------
    InputError
        If there is no such model.
    """
    if name in MODELS:
        return MODELS[name], True
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise InputError(
            f"--model: {name!r} is not known.{did_you_mean(name, MODELS)} Use one of "
            f"{', '.join(MODELS)}, or module:function."
        )
    return _builder(_imported(module, function, name), name), False


def linear(y):
    """Return a logistic regression.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)

    Returns
    -------
    LogisticRegression
    """
    return LogisticRegression(max_iter=1000)


def mlp(y):
    """Return a network of two hidden layers, sized for as many rows.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)

    Returns
    -------
    KerasClassifier
    """
    import_quietly("tensorflow")
    from sklimb.keras.networks import dense_network

    return network(dense_network, y)


MODELS = {"mlp": mlp, "linear": linear}


def network(model, y):
    """Return a classifier that trains a Keras model for a sensible time.

    Parameters
    ----------
    model : callable or keras.Model
        As ``KerasClassifier`` takes it.
    y : ndarray of shape (n_rows,)
        Labels to train on: how many rows there are of each class.

    Returns
    -------
    KerasClassifier
    """
    from sklimb.keras import KerasClassifier
    from sklimb.keras.networks import early_stopping

    n_rows, fewest = len(y), np.unique(y, return_counts=True)[1].min()
    # About 60 steps an epoch, in batches that hold a few rows of a rare class.
    batch_size = int(2 ** np.clip(np.round(np.log2(n_rows / 60)), 5, 10))
    settings = {"batch_size": batch_size, "epochs": 40}
    if fewest * VALIDATION_SHARE >= FEWEST_FOR_VALIDATION:
        settings |= early_stopping(VALIDATION_SHARE)
    return KerasClassifier(model, **settings)


def _imported(module, function, name):
    if os.getcwd() not in sys.path:  # as `python -m` has it
        sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise InputError(
            f"--model: the module of {name!r} can't be imported: {described(error)}"
        ) from error
    if not callable(getattr(found, function, None)):
        functions = [n for n, value in vars(found).items() if callable(value)]
        raise InputError(
            f"--model: the module {module!r} has no function {function!r}."
            f"{did_you_mean(function, functions)}"
        )
    return getattr(found, function)


def described(error):
    """Return an exception's type and message in a line.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    str
    """
    return one_line(f"{type(error).__name__}: {error}")


def _builder(function, name):
    if "meta" in _arguments(function):
        return lambda y: network(function, y)

    def build(y):
        try:
            made = function()
        except Exception as error:
            raise InputError(f"--model: {name!r} failed: {described(error)}") from error
        return _classifier(made, y, name)

    return build


def _arguments(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some builtins have none
        return {}


def _classifier(made, y, name):
    if _is_keras_model(made):
        return network(made, y)
    is_class = isinstance(made, type)
    if is_class or not hasattr(made, "predict_proba") or not is_classifier(made):
        raise InputError(
            f"--model: {name!r} returned {one_line(repr(made), 60)}; expected a "
            "classifier with predict_proba, or a Keras model."
        )
    return made


def _is_keras_model(made):
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(made, keras.Model)
