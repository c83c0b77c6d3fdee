"""Trained networks in a folder, for a search that may be killed.

A file is named after all that its networks were trained from. So it is found by
the same training only, and a network that was edited is trained anew.
"""

import io
import json
import marshal
import pickle
import warnings
from hashlib import sha256
from pathlib import Path
from types import FunctionType

import keras
import numpy as np
import tensorflow as tf

from sklimb._files import checksum, replacing
from sklimb._fitting import fit_estimator
from sklimb.keras.pool import pool_key
from sklimb.keras.replicas import TrainedReplica

__all__ = ["Checkpoints", "fit_and_keep", "key_of_program", "resumed"]

WEIGHTS = "weights.npz"
NOTE = "training.json"


class Checkpoints:
    """What programs gave, kept in a folder as each one finishes.

    Of each there is a folder with the weights, which are no pickle, the histories
    and the weights' SHA-256. It has its name once all is in it.

    Parameters
    ----------
    folder : str or path
        Made where it doesn't exist.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def load(self, key):
        """Return what was kept under a key, or None.

        Parameters
        ----------
        key : str

        Returns
        -------
        list of TrainedReplica, or None

        Warns
        -----
        UserWarning
            If it is damaged.
        """
        folder = self.folder / key
        if not folder.exists():
            return None
        try:
            return _read(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(
                f"`checkpoint`: {folder} is damaged ({error}). Its networks are "
                "trained again.",
                stacklevel=2,
            )
            return None

    def keep(self, key, replicas):
        """Write what a program gave, unless a replica failed.

        Parameters
        ----------
        key : str
        replicas : list of TrainedReplica
        """
        if any(replica.error is not None for replica in replicas):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / key) as folder:
            folder.mkdir()
            _write(folder, replicas)


def _write(folder, replicas):
    arrays = {
        f"{replica}_{place}": array
        for replica, trained in enumerate(replicas)
        for place, array in enumerate(trained.weights)
    }
    np.savez(folder / WEIGHTS, **arrays)
    note = {
        "sha256": checksum(folder / WEIGHTS),
        "n_weights": [len(trained.weights) for trained in replicas],
        "histories": [_plain(trained.history) for trained in replicas],
    }
    (folder / NOTE).write_text(json.dumps(note))


def _plain(history):
    return {
        name: [float(value) for value in values] for name, values in history.items()
    }


def _read(folder):
    note = json.loads((folder / NOTE).read_text())
    if checksum(folder / WEIGHTS) != note["sha256"]:
        raise ValueError("its weights have changed")
    with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
        return [
            TrainedReplica([stored[f"{replica}_{i}"] for i in range(n)], history)
            for replica, (n, history) in enumerate(
                zip(note["n_weights"], note["histories"], strict=True)
            )
        ]


def resumed(programs, run, checkpoints=None):
    """Run programs, but for those that have run before.

    Parameters
    ----------
    programs : list of Program
    run : callable
        From a list of programs to pairs of the place in it and an outcome.
    checkpoints : Checkpoints, default=None

    Yields
    ------
    place : int
    outcome : list of TrainedReplica, or Exception
    """
    if checkpoints is None:
        yield from run(programs)
        return
    keys = list(map(key_of_program, programs))
    left = []
    for place, key in enumerate(keys):
        replicas = checkpoints.load(key)
        if replicas is None:
            left.append(place)
        else:
            yield place, replicas
    for number, outcome in run([programs[place] for place in left]):
        if not isinstance(outcome, Exception):
            checkpoints.keep(keys[left[number]], outcome)
        yield left[number], outcome


def fit_and_keep(estimator, data, key, checkpoints):
    """Fit a network alone, and keep what it learned.

    Parameters
    ----------
    estimator : KerasClassifier
    data : TrainingData
    key : str or None
        None where it can't be told apart from others.
    checkpoints : Checkpoints

    Returns
    -------
    KerasClassifier or Exception
        Fitted, or what it raised.
    """
    try:
        fit_estimator(estimator, data)
    except Exception as error:
        return error
    if key is not None:
        weights = estimator._held().network.model.get_weights()
        checkpoints.keep(key, [TrainedReplica(weights, estimator.history_)])
    estimator._rest()
    return estimator


def key_of_program(program, by="replicas"):
    """Return the SHA-256 of all that a program's networks are trained from.

    Parameters
    ----------
    program : Program
    by : str, default="replicas"
        How: trained otherwise, the last digits differ.

    Returns
    -------
    str
    """
    model, *rest = program
    versions = keras.__version__, tf.__version__
    return _digest((by, versions, pool_key(model), *rest))


def _digest(value):
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return sha256(file.getbuffer()).hexdigest()


class _Pickler(pickle.Pickler):
    """Writes functions by what they do: an edited one has the same name."""

    def __init__(self, file):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.fast = True  # equal values are written alike, whether one object or two

    def persistent_id(self, obj):
        if isinstance(obj, np.ndarray) and not obj.dtype.hasobject:
            content = sha256(np.ascontiguousarray(obj).data).hexdigest()
            return obj.dtype.str, obj.shape, content
        if isinstance(obj, FunctionType):
            cells = [cell.cell_contents for cell in obj.__closure__ or ()]
            return marshal.dumps(obj.__code__), obj.__defaults__, cells
        return None
