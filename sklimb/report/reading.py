"""Read a table from a file, as data only."""

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from sklimb.report.errors import InputError, did_you_mean, one_line

__all__ = ["FORMATS", "read"]

SEPARATORS = {".csv": ",", ".tsv": "\t"}
FORMATS = ".csv, .csv.gz, .tsv, .parquet, .npz"


def read(path, target):
    """Read the features and the target from a file.

    Parameters
    ----------
    path : str or path-like
        CSV (also compressed by gzip), Parquet, or NPZ with the features in an
        array ``X`` or ``x``.
    target : str
        The target's column, or for NPZ its array.

    Returns
    -------
    X : DataFrame of n_rows rows, or ndarray of shape (n_rows, ...)
        An array for NPZ.
    y : Series of length n_rows

    Raises
    ------
    InputError
        If the file can't be read, is empty or has no such column.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"DATA: {str(path)!r} {what}. Give a file: {FORMATS}.")
    X, y = _reader(path)(path, target)
    if len(y) == 0:
        raise InputError(f"DATA: {path.name!r} has no rows below its header.")
    return X, y


def _reader(path):
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    kind = suffixes[0] if suffixes[-1:] == [".gz"] else suffixes[-1] if suffixes else ""
    if kind in SEPARATORS:
        return _read_csv
    readers = {".parquet": _read_parquet, ".pq": _read_parquet, ".npz": _read_npz}
    if kind not in readers or ".gz" in suffixes:
        raise InputError(
            f"DATA: {path.name!r} is of no known format. Give a file that ends in one "
            f"of {FORMATS}."
        )
    return readers[kind]


def _unreadable(path, kind, error):
    return InputError(f"DATA: {path.name!r} can't be read as {kind}: {one_line(error)}")


def _read_csv(path, target):
    separator = "\t" if ".tsv" in path.name.lower() else ","
    try:
        table = pd.read_csv(path, sep=separator, low_memory=False)
    except pd.errors.EmptyDataError:
        raise InputError(f"DATA: {path.name!r} is empty.") from None
    except (
        pd.errors.ParserError,
        UnicodeDecodeError,  # not UTF-8
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        OSError,
    ) as error:
        raise _unreadable(path, "CSV in UTF-8", error) from error
    return _part(table, target, path)


def _read_parquet(path, target):
    try:
        table = pd.read_parquet(path)
    except ImportError as error:
        raise InputError(
            "DATA: Parquet needs pyarrow, which is not installed. Run: "
            "pip install 'sklimb[report]'"
        ) from error
    except (OSError, ValueError) as error:  # pyarrow's own are subclasses
        raise _unreadable(path, "Parquet", error) from error
    return _part(table, target, path)


def _part(table, target, path):
    """Return the features and the target of a table, with texts as column names."""
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"DATA: {path.name!r} has several columns called {one_line(twice[0], 40)!r}"
            ". Rename them."
        )
    table.columns = names
    if target not in names:
        hint = did_you_mean(target, names)
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            hint = " The file's only column looks like several: separate them by commas"
            hint += " (or by tabs, in a file that ends in .tsv)."
        raise InputError(
            f"--target: {path.name!r} has no column {target!r}.{hint} It has "
            f"{one_line(', '.join(names), longest=200)}."
        )
    table = table.reset_index(drop=True)
    return table.drop(columns=target), table[target]


def _read_npz(path, target):
    arrays = _arrays_of(path)
    features = "X" if "X" in arrays else "x"
    for name, option in ((target, "--target"), (features, "DATA")):
        if name not in arrays:
            what = "'X' or 'x'" if option == "DATA" else repr(name)
            raise InputError(
                f"{option}: {path.name!r} has no array {what}."
                f"{did_you_mean(name, arrays)} It has {', '.join(arrays)}."
            )
    X, y = arrays[features], arrays[target]
    if X.ndim < 2 or X.dtype.kind not in "biuf":
        raise InputError(
            f"DATA: the array {features!r} of {path.name!r} has shape {X.shape} and "
            f"type {X.dtype}; expected numbers of shape (rows, features, ...)."
        )
    if y.shape != (len(X),):
        raise InputError(
            f"--target: the array {target!r} of {path.name!r} has shape {y.shape}; "
            f"expected ({len(X)},), a label for each row of {features!r}."
        )
    return X, pd.Series(y, name=target)


def _arrays_of(path):
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise ValueError("it holds one array without a name (a .npy file)")
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # numpy's ValueError: Python objects, which only pickle could read.
        raise _unreadable(path, "NPZ", error) from error
