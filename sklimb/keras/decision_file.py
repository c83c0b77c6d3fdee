"""The decision rule beside an exported network: written and read as plain JSON."""

import hashlib
import json
from dataclasses import fields
from numbers import Integral

import keras
import numpy as np
import tensorflow as tf

import sklimb
from sklimb._files import checksum, files_of, replacing
from sklimb._validation import check_prior, is_number
from sklimb.calibration import Calibration
from sklimb.thresholds._rule import ThresholdRule

__all__ = [
    "FORMATS",
    "NAME",
    "check_files",
    "check_labels_fit",
    "check_reject_label_fits",
    "read_rule",
    "threshold_rule",
    "write_rule",
]

NAME = "decision.json"
VERSION = 2

# What the model's file, or folder, is called in each of Keras's formats.
FORMATS = {
    "keras": "model.keras",
    "tf_saved_model": "saved_model",
    "onnx": "model.onnx",
}
_LABEL_TYPES = (str, bool, int, float)
# A threshold that no probability reaches is the next number after 1.
_JUST_ABOVE_ONE = float(np.nextafter(1, 2))


def write_rule(folder, rule, n_units, model_format):
    """Write what decides on the model in a folder, once that is there.

    Parameters
    ----------
    folder : Path
    rule : dict
        As :class:`sklimb.keras.nest.Nest` gives it.
    n_units : int
        Of the model's output.
    model_format : str
        One of ``FORMATS``.
    """
    files = files_of(folder / FORMATS[model_format])
    content = {
        "format": "sklimb decision",
        "format_version": VERSION,
        **rule,
        "output": {"units": n_units, "meaning": _meaning(n_units)},
        "model": {
            "format": model_format,
            "sha256": {f.relative_to(folder).as_posix(): checksum(f) for f in files},
        },
        "versions": {
            "sklimb": sklimb.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
    }
    content["sha256"] = _own_checksum(content)
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    with replacing(folder / NAME) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _meaning(n_units):
    which = "classes[1]" if n_units == 1 else "each of `classes`, in their order"
    return f"probability of {which}, at `target_prior`"


def check_labels_fit(labels):
    """Raise where a JSON file can't hold labels with their type.

    Parameters
    ----------
    labels : list

    Raises
    ------
    TypeError
        Saying which types it holds.
    """
    if not _are_labels(labels):
        raise TypeError(
            f"`fitted` has the classes {labels} of type {type(labels[0]).__name__}; a "
            "JSON file holds texts, whole numbers, finite floats and booleans. Train "
            "with such labels, as with their names."
        )


def check_reject_label_fits(label):
    """Raise where a JSON file can't hold a reject label with its type.

    Parameters
    ----------
    label : label or None

    Raises
    ------
    TypeError
        Saying which types it holds.
    """
    if not _is_label_or_none(label):
        raise TypeError(
            f"`reject_label`={label!r} is of type {type(label).__name__}; a JSON file "
            "holds texts, whole numbers, finite floats and booleans. Give one of these."
        )


def _is_label_or_none(label):
    if isinstance(label, float):
        return bool(np.isfinite(label))
    return label is None or type(label) in _LABEL_TYPES


def threshold_rule(content):
    """Return the :class:`ThresholdRule` in a decision file's content.

    Parameters
    ----------
    content : dict
        As :func:`read_rule` gives it.

    Returns
    -------
    ThresholdRule
    """
    return ThresholdRule.from_dict(
        {field.name: content[field.name] for field in fields(ThresholdRule)}
    )


def _own_checksum(content):
    rest = {name: value for name, value in content.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_rule(path):
    """Read and check a decision file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it isn't as it was written.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_nan)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"`path`: there is no {str(path)!r}. Give the folder that "
            "sklimb.keras.export wrote; where that was interrupted, export again."
        ) from None
    except ValueError as error:
        raise _damaged(path, f"it is no JSON ({error})") from None
    _check_fields(path, content)
    if content["sha256"] != _own_checksum(content):
        raise _damaged(path, f"its content has not the `sha256` {content['sha256']!r}")
    return content


def _no_nan(name):
    raise ValueError(f"{name} is no JSON")


def _damaged(path, symptom):
    return ValueError(
        f"`path`: {str(path)!r} is not as it was written: {symptom}. Export again; a "
        "rule is changed at the fitted object, not in the file."
    )


def _check_fields(path, content):
    if not isinstance(content, dict) or content.get("format") != "sklimb decision":
        raise _damaged(path, "it is no decision file (`format`='sklimb decision')")
    if content.get("format_version") != VERSION:
        raise ValueError(
            f"`path`: {str(path)!r} has `format_version`="
            f"{content.get('format_version')!r}; this sklimb reads {VERSION}. Use the "
            "sklimb that wrote it (`versions`), or export again."
        )
    known = {"format", "format_version", "sha256", *_FIELDS}
    if missing := sorted(known - content.keys()):
        raise _damaged(path, f"it lacks {missing}")
    if unknown := sorted(content.keys() - known):
        raise _damaged(path, f"it has {unknown}, which mean nothing here")
    for name, (is_valid, wanted) in _FIELDS.items():
        if not is_valid(content[name], content):
            raise _damaged(path, f"`{name}`={content[name]!r} must be {wanted}")


def _are_labels(labels, _=None):
    if not isinstance(labels, list) or len(labels) < 2:
        return False
    kind = type(labels[0])
    if kind not in _LABEL_TYPES or any(type(label) is not kind for label in labels):
        return False
    finite = kind is not float or np.isfinite(labels).all()
    return bool(finite) and sorted(set(labels)) == labels


def _is_pos_label(label, content):
    if len(content["classes"]) > 2:
        return label is None
    return any(type(c) is type(label) and c == label for c in content["classes"])


def _is_threshold(threshold, content):
    if is_number(threshold) and not 0 <= threshold <= _JUST_ABOVE_ONE:
        return False
    return _makes_a_rule(content, threshold=threshold)


def _makes_a_rule(content, *names, **parameters):
    """Tell whether parameters, and those named of the content, go together."""
    parameters |= {name: content[name] for name in ("classes", *names)}
    nothing = {field.name: None for field in fields(ThresholdRule)}
    try:
        ThresholdRule.from_dict(nothing | parameters)
    except (OverflowError, TypeError, ValueError):  # numbers of any length too
        return False
    return True


def _is_cost_matrix(costs, content):
    if costs is None:
        return True
    if not isinstance(costs, list) or not all(isinstance(row, list) for row in costs):
        return False
    numbers = all(is_number(cost) for row in costs for cost in row)
    return numbers and _makes_a_rule(content, cost_matrix=costs)


def _is_reject_cost(cost, content):
    return _makes_a_rule(content, "cost_matrix", reject_cost=cost)


def _is_reject_label(label, content):
    if not _is_label_or_none(label):
        return False
    return _makes_a_rule(content, "cost_matrix", "reject_cost", reject_label=label)


def _is_scoring(scoring, content):
    return scoring is None or (
        isinstance(scoring, str) and content["threshold"] is not None
    )


def _is_prior(prior, content, allow_zero=True):
    if not isinstance(prior, list) or not all(map(is_number, prior)):
        return False
    try:
        check_prior(prior, content["classes"], allow_zero=allow_zero)
    except ValueError:
        return False
    return True


def _is_learned_prior(prior, content):
    return _is_prior(prior, content, allow_zero=False)


def _is_calibration(calibration, content):
    if calibration is None:
        return True
    try:
        found = Calibration.from_dict(calibration)
        return _is_prior(calibration["prior"], content) and len(found.bias) == len(
            content["classes"]
        )
    except (KeyError, TypeError, ValueError):
        return False


def _is_output(output, content):
    if not isinstance(output, dict) or not isinstance(output.get("units"), Integral):
        return False
    n_classes = len(content["classes"])
    return output["units"] in ({1, 2} if n_classes == 2 else {n_classes})


def _is_model(model, _):
    if not isinstance(model, dict) or model.get("format") not in FORMATS:
        return False
    name, files = FORMATS[model["format"]], model.get("sha256")
    if not isinstance(files, dict) or not files:
        return False
    if model["format"] != "tf_saved_model":
        return set(files) == {name}
    return all(file.startswith(f"{name}/") and ".." not in file for file in files)


def _are_versions(versions, _):
    if not isinstance(versions, dict):
        return False
    return all(isinstance(version, str) for version in versions.values())


_FIELDS = {
    "classes": (_are_labels, "two or more sorted labels of one type"),
    "pos_label": (_is_pos_label, "one of two `classes`, null for more"),
    "threshold": (
        _is_threshold,
        "a number in [0, 1] or 'never' for two classes, a list with one above 0 or "
        "'never' for each class, or null",
    ),
    "cost_matrix": (_is_cost_matrix, "a list of numbers for each true class, or null"),
    "reject_cost": (_is_reject_cost, "a number (in [0, 1] without costs), or null"),
    "reject_label": (
        _is_reject_label,
        "a label that is no class's where there is a `reject_cost`, or null",
    ),
    "scoring": (_is_scoring, "a text where there is a threshold, or null"),
    "training_prior": (
        _is_learned_prior,
        "positive shares, one for each class, that sum to 1",
    ),
    "target_prior": (_is_prior, "shares, one for each class, that sum to 1"),
    "calibration": (_is_calibration, "null, or prior, method, scale and bias"),
    "output": (_is_output, "an object with the number of `units`"),
    "model": (_is_model, "a `format` and the `sha256` of its files"),
    "versions": (_are_versions, "an object of texts"),
}


def check_files(folder, rule):
    """Raise where the model is not the one that a rule was written for.

    Parameters
    ----------
    folder : Path
    rule : dict
        As :func:`read_rule` gives it.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file has another content.
    """
    for name, wanted in rule["model"]["sha256"].items():
        try:
            found = checksum(folder / name)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"`path`: {str(folder / name)!r} is missing, which {NAME} beside it is "
                "for. Copy the whole folder, or export again."
            ) from None
        if found != wanted:
            raise ValueError(
                f"`path`: {str(folder / name)!r} has the SHA-256 {found}, but {NAME} "
                f"beside it is for {wanted}: it was changed, cut off, or an export was "
                "interrupted. Export again."
            )
