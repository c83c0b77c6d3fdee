"""A fitted rule as one plain Keras file and one JSON file, which need no sklimb."""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import keras
import tensorflow as tf

from sklimb._files import replacing
from sklimb._outputs import rest
from sklimb.keras._internals import all_layers, is_of_keras, isolated
from sklimb.keras.averaging import averaged
from sklimb.keras.decision_file import (
    FORMATS,
    check_labels_fit,
    check_reject_label_fits,
    write_rule,
)
from sklimb.keras.folding import folded
from sklimb.keras.nest import Nest

__all__ = ["export"]


def export(fitted, path, *, format="keras"):
    """Write a fitted classifier as a plain model and a decision rule.

    The model gives the corrected, calibrated probability by itself: correction
    and calibration are folded into its last layer, in the logits, so that they
    are exact where a sigmoid saturates. Both files load without sklimb, in
    Keras's safe mode, without pickle.

    Parameters
    ----------
    fitted : fitted classifier
        A :class:`KerasClassifier`, alone or inside any nest of sklimb's
        meta-estimators, searches and frozen ones. It is not changed. An ensemble
        becomes one model, which averages its members.
    path : str or path-like
        A folder, which is made where it isn't there. It gets the model and
        ``decision.json``; what they were called before is replaced.
    format : {"keras", "tf_saved_model", "onnx"}, default="keras"
        ``model.keras``, which :func:`load` and ``keras.models.load_model`` read;
        ``saved_model`` for TensorFlow's runtimes; ``model.onnx``, which needs
        the package tf2onnx.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError, TypeError
        If something in ``fitted`` can't go into a Keras file: a transformer, a
        layer that is not Keras's own, another classifier than a network.
    ImportError
        If the format needs a package that isn't there.
    sklearn.exceptions.NotFittedError
        Before ``fit``.

    Notes
    -----
    A network with one unit keeps it, and its output is the probability of
    ``classes[1]``. One with a unit for each class keeps these, and its outputs
    sum to 1.

    Examples
    --------
    >>> import tempfile
    >>> import keras, numpy as np
    >>> from sklimb import PriorCorrectedClassifier
    >>> from sklimb.keras import KerasClassifier, export
    >>> def build():
    ...     return keras.Sequential([keras.layers.Dense(1, "sigmoid")])
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    >>> network = KerasClassifier(build, loss="binary_crossentropy")
    >>> fitted = PriorCorrectedClassifier(network, target_prior=0.01).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export(fitted, folder) / "model.keras"
    ...     outputs = keras.models.load_model(path)(X).numpy()
    >>> bool(np.allclose(outputs[:, 0], fitted.predict_proba(X)[:, 1]))
    True
    """
    _check_format(format)
    folder = _checked_folder(path)
    nest = Nest.of(fitted)
    rule = nest.rule
    check_labels_fit(rule["classes"])
    check_reject_label_fits(rule["reject_label"])
    model = _probability_model(nest)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FORMATS[format]) as temporary:
        if format == "keras":
            model.save(temporary)
        else:
            _call_once(model)
            model.export(temporary, format=format, verbose=False)
    # Last, with the model's checksum: whatever is cut off before is found out.
    write_rule(folder, rule, model.outputs[0].shape[-1], format)
    return folder


def _call_once(model):
    # Keras takes a model for untested, and won't export it, before its first call.
    rows = [
        tf.zeros([size or 1 for size in part.shape], part.dtype)
        for part in model.inputs
    ]
    model(rows if len(rows) > 1 else rows[0])


def _check_format(name):
    if name not in FORMATS:
        raise ValueError(f"`format`={name!r} is not known. Use one of {list(FORMATS)}.")
    missing = [] if name != "onnx" else [p for p in ("tf2onnx", "onnx") if not _has(p)]
    if missing:
        raise ImportError(
            f"`format`={name!r} needs {' and '.join(missing)}, which is not installed. "
            "Install it (pip install tf2onnx onnx), or use 'keras' or 'tf_saved_model'."
        )


def _has(package):
    return find_spec(package) is not None


def _checked_folder(path):
    folder = Path(path)
    if folder.suffix == ".keras" or (folder.exists() and not folder.is_dir()):
        raise ValueError(
            f"`path`={str(folder)!r} is a file, or named like one; a folder is wanted, "
            "which gets the model and its decision rule. Give the name of a folder."
        )
    return folder


def _probability_model(nest):
    """Return a model whose output is the nest's probability."""
    with isolated(0):  # new layers draw seeds
        return _at_the_end(nest)


def _at_the_end(nest, **options):
    """Return a copy of the model, or of all members, with the steps at its end."""
    if nest.is_ensemble:
        model = averaged(list(_logits_of_members(nest)), nest.core.average)
        link = "sigmoid" if model.output.shape[-1] == 1 else "softmax"
    else:
        check_plain(nest.model)
        model, link = _copy_as_loaded(nest.model), nest.link_of_outputs
    return folded(model, nest.steps(), link, **options)


def _logits_of_members(nest):
    for member in nest.members():
        yield _at_the_end(member, as_logits=True)
        rest(member.core)


def _copy_as_loaded(model):
    # By the file itself, which has all that layers keep, vocabularies too.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)


def check_plain(model):
    """Raise where a model is not made of Keras's own layers and functions alone.

    Parameters
    ----------
    model : keras.Model

    Raises
    ------
    ValueError
        Naming what is not.
    """
    if not is_of_keras(model):
        raise ValueError(
            f"`fitted` has a network of the class {type(model).__name__}, whose code "
            "no file can hold. Build it as keras.Sequential or as "
            "keras.Model(inputs, outputs)."
        )
    strangers = [
        f"{type(layer).__name__} {layer.name!r}"
        for layer in all_layers(model)
        if not is_of_keras(layer) or isinstance(layer, keras.layers.Lambda)
    ] or sorted(_own_code(model.get_config()))
    if strangers:
        raise ValueError(
            f"`fitted` has a network with {', '.join(strangers)}: code that a file to "
            "be loaded in Keras's safe mode can't hold. Use Keras's own layers, and "
            "its functions by name (activation='relu')."
        )


def _own_code(config):
    """Yield the names in a config of functions and classes that aren't Keras's own."""
    if isinstance(config, dict):
        name = config.get("registered_name")
        if config.get("class_name") in ("function", "__lambda__"):
            yield str(config["config"]) if name else "a lambda"
        elif name and str(config.get("module")).split(".")[0] != "keras":
            yield name
        config = config.values()
    elif not isinstance(config, list | tuple):
        return
    for part in config:
        yield from _own_code(part)
