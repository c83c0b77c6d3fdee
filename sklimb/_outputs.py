"""What a fitted classifier gives: probabilities, or what a threshold can be set on."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from sklimb._compat import is_keras_sklearn_classifier
from sklimb._ledger import innermost

__all__ = [
    "KnownRows",
    "check_has_probabilities",
    "check_has_scores",
    "class_scores",
    "has_probabilities",
    "known_rows",
    "log_probabilities",
    "probabilities",
    "rest",
    "rests",
]


def has_probabilities(estimator):
    """Tell whether class probabilities can be had from an estimator."""
    return hasattr(estimator, "predict_proba") or is_keras_sklearn_classifier(estimator)


class KnownRows:
    """Rows that many estimators predict, and what those inside of them have said.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of n_rows rows
    inside : set of int
        Addresses of the estimators that several have inside; they outlive this.
    """

    def __init__(self, X, inside):
        self.X = X
        self._inside = inside
        self._said = {}

    def ask(self, estimator, X, predict):
        """Return what an estimator predicts; once for each that is known."""
        if X is not self.X or id(estimator) not in self._inside:
            return predict(estimator, X)
        key = id(estimator), predict
        if key not in self._said:
            self._said[key] = predict(estimator, X)
            self._said[key].flags.writeable = False
        return self._said[key]


_known = ContextVar("known_rows", default=None)


@contextmanager
def known_rows(known):
    """Ask each estimator inside others but once about these rows, meanwhile.

    Parameters
    ----------
    known : KnownRows
    """
    token = _known.set(known)
    try:
        yield
    finally:
        _known.reset(token)


def _asked(estimator, X, predict):
    known = _known.get()
    return predict(estimator, X) if known is None else known.ask(estimator, X, predict)


def probabilities(estimator, X):
    """Return class probabilities in float64, shape (n_rows, n_classes).

    ``keras.wrappers.SKLearnClassifier`` has no ``predict_proba``; there they
    are its model's outputs, a column for each class.
    """
    return _asked(estimator, X, _probabilities)


def _probabilities(estimator, X):
    if is_keras_sklearn_classifier(estimator):
        outputs = estimator.model_.predict(np.asarray(X), verbose=0)
        return np.asarray(outputs, dtype=np.float64)
    return np.asarray(estimator.predict_proba(X), dtype=np.float64)


def log_probabilities(estimator, X):
    """Return class log-probabilities in float64, shape (n_rows, n_classes)."""
    return _asked(estimator, X, _log_probabilities)


def _log_probabilities(estimator, X):
    with np.errstate(divide="ignore"):  # -inf for a probability of 0
        if hasattr(estimator, "predict_log_proba"):
            return np.asarray(estimator.predict_log_proba(X), dtype=np.float64)
        return np.log(_probabilities(estimator, X))


def class_scores(estimator, X):
    """Return what a threshold can be set on.

    Returns
    -------
    ndarray, float64
        Probabilities of shape (n_rows, n_classes) where there are some, else
        the decision function.

    Raises
    ------
    TypeError
        If the estimator has neither.
    """
    if has_probabilities(estimator):
        return probabilities(estimator, X)
    check_has_scores(estimator)
    return np.asarray(estimator.decision_function(X), dtype=np.float64)


def check_has_probabilities(estimator, purpose):
    """Raise where there are no probabilities, for a purpose such as "correct".

    Raises
    ------
    TypeError
        Naming the estimator.
    """
    if not has_probabilities(estimator):
        raise TypeError(
            f"`estimator`={type(estimator).__name__} has no predict_proba, so there is "
            f"nothing to {purpose}. Use a classifier with probabilities (SVC: "
            "probability=True; LinearSVC: in a CalibratedClassifierCV)."
        )


def check_has_scores(estimator):
    """Raise where an estimator can give neither probabilities nor scores.

    Raises
    ------
    TypeError
        Naming the estimator.
    """
    if not has_probabilities(estimator) and not hasattr(estimator, "decision_function"):
        raise TypeError(
            f"`estimator`={type(estimator).__name__} has neither predict_proba nor "
            "decision_function, so no threshold can be set on it. Wrap a classifier "
            "that has one (SVC: probability=True; a plain Keras model: "
            "sklimb.keras.KerasClassifier)."
        )


def rest(estimator):
    """Let a network inside give its compiled model to others; it stays fitted."""
    network = innermost(estimator)
    if hasattr(network, "_rest"):
        network._rest()


def rests(estimator):
    """Tell whether a network inside rests."""
    return getattr(innermost(estimator), "_rests", False)
