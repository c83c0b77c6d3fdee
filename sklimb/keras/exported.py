"""An exported network as a classifier: Keras's safe mode and JSON, no pickle."""

from pathlib import Path

import keras
import numpy as np

from sklimb._rows import check_no_stream
from sklimb.exceptions import NonFiniteModelError
from sklimb.keras._internals import isolated
from sklimb.keras.decision_file import (
    FORMATS,
    NAME,
    check_files,
    read_rule,
    threshold_rule,
)
from sklimb.keras.inputs import checked_input
from sklimb.keras.logits import Prediction
from sklimb.keras.prediction import ForwardPass

__all__ = ["ExportedClassifier", "load"]


class ExportedClassifier:
    """A network with its decision rule, as :func:`sklimb.keras.load` gives it.

    Parameters
    ----------
    model : keras.Model
        Its output is the probability at the target prior.
    rule : dict
        The content of the decision file.

    Attributes
    ----------
    model_ : keras.Model
    classes_ : ndarray of shape (n_classes,)
        The labels, with the type that they had in training.
    rule_ : ThresholdRule
        What decides on probabilities: thresholds, costs, rejection.
    pos_label_ : label or None
        None for more than two classes.
    threshold_ : float, tuple of n_classes floats or None
        Of ``rule_``.
    training_prior_, target_prior_ : ndarray of shape (n_classes,)
        What the network learned, and what its probabilities belong to.
    decision_rule_ : dict
        The content of the decision file.
    """

    def __init__(self, model, rule):
        self.model_ = model
        self.decision_rule_ = rule
        self.rule_ = threshold_rule(rule)
        self.classes_ = np.array(rule["classes"])
        self.pos_label_ = self.rule_.pos_label
        self.threshold_ = self.rule_.threshold
        self.training_prior_ = np.array(rule["training_prior"], dtype=np.float64)
        self.target_prior_ = np.array(rule["target_prior"], dtype=np.float64)
        self._forward = ForwardPass(model)

    def __repr__(self):
        prior = self.target_prior_.round(4).tolist()
        return f"ExportedClassifier({self.rule_}, target prior {prior})"

    def predict(self, X):
        """Predict labels by ``rule_``.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...), or dict, list or tuple of arrays
            Rows like those in training; several inputs as the model has them.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self.rule_(self.predict_proba(X))

    def predict_proba(self, X):
        """Predict probabilities at ``target_prior_``.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...), or dict, list or tuple of arrays

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Predict natural logarithms of probabilities, exact where these saturate.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...), or dict, list or tuple of arrays

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64

        Raises
        ------
        NonFiniteModelError
            If a prediction is nan.
        """
        outputs, logits = self._forward(_checked(X, len(self.model_.inputs)))
        if not np.isfinite(outputs).all():
            raise NonFiniteModelError(
                "The exported network predicts values that are not finite for "
                f"{int((~np.isfinite(outputs)).any(axis=1).sum())} of {len(outputs)} "
                "rows. Scale their features as in training."
            )
        return Prediction.from_network(outputs, logits, False, "").log_proba()


def _checked(X, n_inputs):
    check_no_stream(X)
    if isinstance(X, dict):
        return {name: checked_input(part) for name, part in X.items()}
    if n_inputs > 1:
        return tuple(map(checked_input, X))
    return checked_input(X)


def load(path):
    """Load what :func:`sklimb.keras.export` wrote, checking all of it.

    Parameters
    ----------
    path : str or path-like
        The folder.

    Returns
    -------
    ExportedClassifier
        With ``predict``, ``predict_proba``, ``classes_``, ``threshold_`` and
        ``target_prior_``.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file was changed or cut off, the two don't belong together, or the
        format is not Keras's own.

    See Also
    --------
    keras.models.load_model : Loads ``model.keras`` alone, without sklimb.

    Examples
    --------
    >>> import tempfile
    >>> import keras, numpy as np
    >>> from sklimb.keras import KerasClassifier, export, load
    >>> def build():
    ...     return keras.Sequential([keras.layers.Dense(1, "sigmoid")])
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["no", "no", "yes", "yes"]
    >>> fitted = KerasClassifier(build, loss="binary_crossentropy").fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = load(export(fitted, folder))
    >>> loaded.classes_.tolist(), loaded.target_prior_
    (['no', 'yes'], array([0.5, 0.5]))
    >>> bool((loaded.predict(X) == fitted.predict(X)).all())
    True
    """
    folder = Path(path)
    rule = read_rule(folder / NAME)
    written = rule["model"]["format"]
    if written != "keras":
        raise ValueError(
            f"`path`: {str(folder)!r} has a model in the format {written!r}, which is "
            "for its own runtime (tf.saved_model.load, onnxruntime). Export with "
            "format='keras' for a model to load here."
        )
    check_files(folder, rule)
    model = _loaded(folder / FORMATS["keras"], rule["versions"])
    _check_outputs(model, rule)
    return ExportedClassifier(model, rule)


def _loaded(path, versions):
    try:
        with isolated(0):  # loading draws seeds
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`path`: Keras {keras.__version__} can't load {str(path)!r}, which Keras "
            f"{versions.get('keras')} wrote: {error} Use that version, or export again."
        ) from error


def _check_outputs(model, rule):
    shapes = [tuple(output.shape) for output in model.outputs]
    if shapes != [(None, rule["output"]["units"])]:
        raise ValueError(
            f"`path`: the model has outputs of shape {shapes}, but {NAME} is for "
            f"{rule['output']['units']} units and the classes {rule['classes']}. "
            "Export again."
        )
