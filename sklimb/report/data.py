"""From a file to checked features, labels and the positive class."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.model_selection import train_test_split

from sklimb.report.columns import Columns, find_columns
from sklimb.report.errors import InputError, one_line
from sklimb.report.labels import find_label, listed_labels
from sklimb.report.reading import read

__all__ = ["Dataset", "Split", "load", "split"]

TEST_SHARE = 0.25
# Share of test rows that are copies of training rows, from which on it matters.
WORTH_TELLING = 0.005
# Fewer test rows of a class leave its intervals wide.
FEW_TEST_ROWS = 50
# A target with more labels is rather a number or a text.
MOST_CLASSES = 50


@dataclass(frozen=True)
class Dataset:
    """Checked rows of a file.

    Attributes
    ----------
    name : str
        The file's name.
    X : DataFrame or ndarray of shape (n_rows, ...)
        An array where it has more than two axes.
    y : ndarray of shape (n_rows,)
    positive : label or None
        The positive class; None where there are more than two.
    columns : Columns or None
        How to make numbers of ``X``; None for an array.
    notes : list of str
        What a user has to know of the data, a sentence each.
    raw : DataFrame or ndarray of n_rows rows
        As read, before any column was made another or left out.
    """

    name: str
    X: Any
    y: np.ndarray
    positive: Any
    columns: Columns | None
    notes: list = field(default_factory=list)
    raw: Any = None

    @property
    def counts(self):
        """Rows of each class, by label, sorted by label."""
        labels, counts = np.unique(self.y, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    @property
    def classes(self):
        """The labels, sorted."""
        return tuple(self.counts)

    @property
    def prevalence(self):
        """Share of the positive class."""
        return float(np.mean(self.y == self.positive))

    def flat(self):
        """Return the same rows with an array's axes made columns.

        Returns
        -------
        Dataset
        """
        if self.columns is not None:
            return self
        table = as_table(self.X)
        columns = find_columns(table)
        notes = self.notes + _notes_of_pixels(columns, self.X.shape[1:])
        return replace(self, X=columns.clean(table), columns=columns, notes=notes)


def _notes_of_pixels(columns, shape):
    size = " x ".join(map(str, shape))
    left_out = len(columns.left_out)
    dropped = f", {left_out} of them constant and not used" if left_out else ""
    return [f"Rows of {size} numbers are taken as {np.prod(shape)} columns{dropped}."]


def as_table(X):
    """Return an array's rows as a frame with a column for each number.

    Parameters
    ----------
    X : ndarray of shape (n_rows, ...)

    Returns
    -------
    DataFrame
    """
    flat = X.reshape(len(X), -1)
    return pd.DataFrame(flat, columns=[f"x{i}" for i in range(flat.shape[1])])


def load(path, target, positive=None):
    """Read a file and check what it holds.

    Parameters
    ----------
    path : str or path-like
    target : str
        The target's column or array.
    positive : str, default=None
        The positive class as text; None for the rarer one. For two classes.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If the file, the target or the positive class is not usable.
    """
    X, target_column = read(path, target)
    y = _labels(target_column)
    label, note = _positive_class(y, positive)
    name = Path(path).name
    if isinstance(X, np.ndarray) and X.ndim > 2:
        return Dataset(name, X, y, label, None, [note], X)
    table = as_table(X) if isinstance(X, np.ndarray) else X
    columns = find_columns(table)
    notes = [note, *columns.notes()]
    return Dataset(name, columns.clean(table), y, label, columns, notes, X)


def _labels(target):
    """Return a target column as an array of labels."""
    missing = int(target.isna().sum())
    if missing:
        raise InputError(
            f"--target: {missing} of {len(target)} rows have no {target.name!r}. "
            "Remove them, or give them a label of their own."
        )
    values = target.astype(str)
    n_labels = values.nunique()
    if n_labels == 1:
        raise InputError(
            f"--target: {target.name!r} is {one_line(values.iloc[0], 40)!r} in every "
            "row. A comparison needs rows of two classes or more."
        )
    if n_labels > MOST_CLASSES:
        raise InputError(
            f"--target: {target.name!r} has {n_labels} different values. Is it a "
            f"number or a text? A comparison needs 2 to {MOST_CLASSES} classes."
        )
    return _plain(target)


def _plain(target):
    """Return labels as integers, booleans or texts."""
    if types.is_bool_dtype(target.dtype):
        return target.to_numpy(dtype=bool)
    if types.is_numeric_dtype(target.dtype):
        numbers = target.to_numpy(dtype=np.float64)
        if (numbers == np.round(numbers)).all():
            return numbers.astype(np.int64)
    return target.astype(str).to_numpy(dtype=object)


def _positive_class(y, given):
    """Return the positive class, if there is one, and how the classes are named."""
    labels, counts = np.unique(y, return_counts=True)
    labels = labels.tolist()
    if len(labels) > 2:
        return _none_of_several(labels, counts, given)
    if given is None:
        place = 0 if counts[0] < counts[1] else 1
        why = "the rarer one" if counts[0] != counts[1] else "the greater label"
        return labels[place], f"Positive class: {labels[place]!r} ({why})."
    label = find_label(given, labels, "--positive")
    return label, f"Positive class: {label!r} (as given)."


def _none_of_several(labels, counts, given):
    if given is not None:
        raise InputError(
            f"--positive: {given!r} is one of two classes, and the target has "
            f"{len(labels)}: {listed_labels(labels)}. Leave the option out."
        )
    return None, f"Classes: {_with_counts(labels, counts)}."


def _with_counts(labels, counts):
    """Return labels with their rows, the most frequent one first."""
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{one_line(labels[k], 30)} ({counts[k]})" for k in order)


@dataclass(frozen=True)
class Split:
    """A stratified hold-out.

    Attributes
    ----------
    X_train, X_test : DataFrame or ndarray
    y_train, y_test : ndarray
    notes : list of str
    """

    X_train: Any
    X_test: Any
    y_train: np.ndarray
    y_test: np.ndarray
    notes: list


def split(dataset, n_folds, seed):
    """Hold out a stratified test part.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
        How many folds the rest has to serve.
    seed : int

    Returns
    -------
    Split

    Raises
    ------
    InputError
        If a class has too few rows.
    """
    _check_enough_rows(dataset.y, n_folds)
    parts = train_test_split(
        np.arange(len(dataset.y)),
        test_size=TEST_SHARE,
        stratify=dataset.y,
        random_state=seed,
    )
    X, y = dataset.X, dataset.y
    X_train, X_test = (X.iloc[p] if hasattr(X, "iloc") else X[p] for p in parts)
    y_train, y_test = (y[p] for p in parts)
    _check_all_tested(dataset.classes, y_test)
    notes = _note_of_repeats(X_train, X_test) + _note_of_few(dataset, y_test)
    return Split(X_train, X_test, y_train, y_test, notes)


def _note_of_few(dataset, y_test):
    labels, counts = np.unique(y_test, return_counts=True)
    is_few = counts < FEW_TEST_ROWS
    if dataset.positive is not None:
        is_few &= labels == dataset.positive
    if not is_few.any():
        return []
    rows = f"{counts[is_few][0]} positive rows: that is few"
    if dataset.positive is None:
        rows = f"only few rows of {_with_counts(labels[is_few], counts[is_few])}"
    return [
        f"The test part has {rows}, and the intervals are wide, those of probabilities "
        "even too hopeful. Gather more before you rely on them."
    ]


def _check_all_tested(classes, y_test):
    untested = [label for label in classes if label not in y_test]
    if untested:
        raise InputError(
            f"--target: the test part has no row of {listed_labels(untested)}. Gather "
            "more rows of it, or join it with another class."
        )


def _check_enough_rows(y, n_folds):
    labels, counts = np.unique(y, return_counts=True)
    fewest, rarest = int(counts.min()), labels.tolist()[counts.argmin()]
    for_test = max(1, round(fewest * TEST_SHARE))
    if fewest - for_test < n_folds:
        remedy = "Gather more rows of it."
        if len(labels) > 2:
            remedy = "Gather more rows of it, or join it with another class."
        if fewest - for_test > 1:
            more = remedy[0].lower() + remedy[1:]
            remedy = f"Use --cv {fewest - for_test}, or {more}"
        raise InputError(
            f"--cv: the class {rarest!r} has {fewest} rows, {for_test} of them for "
            f"testing: too few for {n_folds} folds. {remedy}"
        )


def _note_of_repeats(X_train, X_test):
    train, test = (_row_hashes(X) for X in (X_train, X_test))
    seen = int(np.isin(test, train).sum())
    if seen < WORTH_TELLING * len(test):
        return []
    return [
        f"{seen} of {len(test)} test rows are exact copies of training rows, so the "
        "scores may be too good."
    ]


def _row_hashes(X):
    table = as_table(X) if isinstance(X, np.ndarray) else X
    return pd.util.hash_pandas_object(table, index=False).to_numpy()
