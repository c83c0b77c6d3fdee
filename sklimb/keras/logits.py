"""From a network's outputs and logits to probabilities: pure, in NumPy.

A network has one output unit (two classes) or one for each class. Its logits
are what its last sigmoid or softmax is applied to.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax

from sklimb.exceptions import LogitsWarning

__all__ = [
    "Prediction",
    "class_log_proba",
    "class_proba",
    "decision_values",
    "link_between",
    "logits_of_proba",
]

# Half-precision networks round their outputs to three digits.
LINK_TOLERANCE = 2e-3


@dataclass
class Prediction:
    """What a network says about some rows.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows, n_units) or None
        Probabilities as the network gives them; None where it gives logits.
    logits : ndarray of shape (n_rows, n_units) or None
        None where the network doesn't show them.
    link : {"sigmoid", "softmax"} or None
        What turns logits into outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.logits import Prediction
    >>> saturated = Prediction(np.array([[1.0]]), np.array([[200.0]]), "sigmoid")
    >>> saturated.proba(), saturated.decision()
    (array([[0., 1.]]), array([200.]))
    """

    outputs: np.ndarray | None
    logits: np.ndarray | None
    link: str | None

    @classmethod
    def from_network(cls, outputs, logits, from_logits, loss_name):
        """Find out what a network's outputs are.

        Parameters
        ----------
        outputs : ndarray of shape (n_rows, n_units)
        logits : ndarray of shape (n_rows, n_units) or None
            What Keras says went into the last activation; verified on the rows.
        from_logits : bool
            Whether the loss takes outputs without an activation for logits.
        loss_name : str
        """
        if logits is not None and (link := link_between(logits, outputs)):
            return cls(outputs, logits, link)
        if from_logits:
            one_by_one = outputs.shape[1] == 1 or "binary" in loss_name
            link = "sigmoid" if one_by_one else "softmax"
            return cls(None, outputs, link)
        return cls(outputs, None, None)

    def proba(self):
        """Return probabilities, shape (n_rows, n_classes)."""
        if self.outputs is None:
            return np.exp(self.log_proba()).astype(self.logits.dtype)
        return class_proba(self.outputs)

    def log_proba(self):
        """Return log-probabilities, shape (n_rows, n_classes), float64."""
        logits, link = self._known_logits()
        return class_log_proba(logits.astype(np.float64), link)

    def decision(self):
        """Return decision values, shape (n_rows,) or (n_rows, n_classes)."""
        return decision_values(*self._known_logits())

    def _known_logits(self):
        if self.logits is not None:
            return self.logits, self.link
        proba = class_proba(self.outputs)
        warnings.warn(
            "`model` does not end with Keras's sigmoid or softmax, so that logits are "
            "computed back from probabilities, clipped where these saturate. Give its "
            "last layer activation='sigmoid' or 'softmax', or let it return logits and "
            "compile with a loss made with from_logits=True.",
            LogitsWarning,
            stacklevel=2,
        )
        return logits_of_proba(proba), "sigmoid" if proba.shape[1] == 2 else "softmax"


def link_between(logits, outputs):
    """Return the function that turns logits into outputs, if it does so on data.

    Parameters
    ----------
    logits, outputs : ndarray of shape (n_rows, n_units)

    Returns
    -------
    "sigmoid", "softmax" or None
        None where neither function gives the outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.logits import link_between
    >>> link_between(np.array([[0.0], [2.0]]), np.array([[0.5], [0.88079708]]))
    'sigmoid'
    """
    links = {"sigmoid": expit} if logits.shape[1] == 1 else _LINKS
    for name, function in links.items():
        if np.allclose(function(logits), outputs, rtol=0, atol=LINK_TOLERANCE):
            return name
    return None


def _row_softmax(logits):
    return softmax(logits, axis=1)


_LINKS = {"softmax": _row_softmax, "sigmoid": expit}


def class_log_proba(logits, link):
    """Return log-probabilities of the classes, exact where probabilities saturate.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_units)
    link : {"sigmoid", "softmax"}
        Several units with a sigmoid each are scaled to sum to 1.

    Returns
    -------
    ndarray of shape (n_rows, n_classes), of the logits' type

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.logits import class_log_proba
    >>> class_log_proba(np.array([[100.0]]), "sigmoid")
    array([[-1.00000000e+02, -3.72007598e-44]])
    """
    if logits.shape[1] == 1:
        return log_expit(np.hstack([-logits, logits]))
    if link == "softmax":
        return log_softmax(logits, axis=1)
    log_proba = log_expit(logits)
    return log_proba - logsumexp(log_proba, axis=1, keepdims=True)


def class_proba(outputs):
    """Return a column of probabilities for each class from a network's outputs.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows, n_units)
        Probabilities; one unit's is the second class's.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)

    Raises
    ------
    ValueError
        If an output is no probability.
    """
    if len(outputs) and (outputs.min() < 0 or outputs.max() > 1 + LINK_TOLERANCE):
        raise ValueError(
            f"`model` gives values from {outputs.min():.6g} to {outputs.max():.6g}, "
            "which are not probabilities. End it with a sigmoid (one unit) or a "
            "softmax (a unit for each class), or compile it with a loss made with "
            "from_logits=True."
        )
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    total = outputs.sum(axis=1, keepdims=True)
    if np.allclose(total, 1, rtol=0, atol=LINK_TOLERANCE):
        return outputs
    return outputs / total  # a sigmoid for each class


def decision_values(logits, link):
    """Return scores that are positive (or greatest) for the class predicted.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_units)
    link : {"sigmoid", "softmax"}

    Returns
    -------
    ndarray of shape (n_rows,) for two classes, else (n_rows, n_classes)
        For two classes the log-odds of the second.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.keras.logits import decision_values
    >>> decision_values(np.array([[1.0, 3.5]]), "softmax")
    array([2.5])
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    if link == "sigmoid":
        logits = class_log_proba(logits, link)
    return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits


def logits_of_proba(proba):
    """Return logits computed back from probabilities, clipped where they saturate.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    ndarray of shape (n_rows, n_units)
        One unit for two classes (log p - log(1 - p)), else log p.
    """
    tiny = np.finfo(np.float32).eps / 2
    log_proba = np.log(np.clip(proba.astype(np.float64), tiny, 1 - tiny))
    logits = log_proba[:, 1:] - log_proba[:, :1] if proba.shape[1] == 2 else log_proba
    return logits.astype(proba.dtype)
