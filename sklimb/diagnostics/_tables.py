"""Columns of whatever holds rows: numbers, or the numbers of categories."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from sklimb._rows import check_no_stream, has_several_inputs, num_rows

__all__ = ["Column", "columns_of_table", "is_texts"]

# A column of texts with more different values a row is read, not sorted into classes.
MOST_DIFFERENT = 0.5
WORDS = 3


@dataclass(frozen=True)
class Column:
    """A column by name.

    Attributes
    ----------
    name : str
    values : ndarray of shape (n_rows,), float64
        Numbers, or those of categories; nan where missing.
    kind : {"numeric", "category", "text"}
    texts : ndarray of shape (n_rows,) of str, or None
        What a text column says.
    """

    name: str
    values: np.ndarray
    kind: str
    texts: np.ndarray | None = None

    @property
    def codes(self):
        """Number of each row's distinct value, the missing one last."""
        return np.unique(self.values, return_inverse=True)[1].ravel()

    @property
    def is_missing(self):
        """Which rows lack a value."""
        return np.isnan(self.values)

    def take(self, rows):
        """Return the same column of some rows."""
        texts = None if self.texts is None else self.texts[rows]
        return replace(self, values=self.values[rows], texts=texts)


def is_texts(X):
    """Tell whether rows are texts rather than features."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and isinstance(X[0], str)
    if hasattr(X, "columns") or not hasattr(X, "shape") or len(X.shape) != 1:
        return False
    return isinstance(np.asarray(X, dtype=object)[0], str)


def columns_of_table(X):
    """Return the columns of rows of any kind.

    Parameters
    ----------
    X : frame, array of any number of axes, sparse matrix, list of texts, or several
        inputs as a dict or tuple

    Returns
    -------
    list of Column
        An array's are called ``x0``, ``x1`` ..., with more axes ``x[0, 3]``.
    """
    check_no_stream(X)
    if has_several_inputs(X):
        return _columns_of_inputs(X)
    if is_texts(X):
        return [_column("text", np.asarray(X, dtype=object))]
    if hasattr(X, "columns"):
        by_place = hasattr(X, "iloc")  # names may be there twice
        series = [X.iloc[:, j] if by_place else X[n] for j, n in enumerate(X.columns)]
        arrays = [_as_array(each) for each in series]
        return [_column(str(n), a) for n, a in zip(X.columns, arrays, strict=True)]
    if issparse(X):
        X = X.tocsc()
        arrays = (X[:, [j]].toarray().ravel() for j in range(X.shape[1]))
        return [_column(f"x{j}", array) for j, array in enumerate(arrays)]
    return _columns_of_array(np.asarray(X))


def _columns_of_inputs(X):
    parts = X.items() if isinstance(X, dict) else enumerate(X)
    return [
        Column(f"{name}.{column.name}", column.values, column.kind, column.texts)
        for name, part in parts
        for column in columns_of_table(part)
    ]


def _as_array(series):
    # A category type would give its own kind of array.
    values = series.to_numpy()
    return values if values.dtype.kind in "biufMm" else values.astype(object)


def _columns_of_array(X):
    if X.ndim == 1:
        return [_column("x0", X)]
    shape = X.shape[1:]
    flat = X.reshape(num_rows(X), -1)
    names = [
        f"x{place[0]}" if len(shape) == 1 else f"x{list(place)}"
        for place in np.ndindex(shape)
    ]
    return [_column(name, flat[:, j]) for j, name in enumerate(names)]


def _column(name, values):
    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
        return Column(name, np.where(np.isfinite(numbers), numbers, np.nan), "numeric")
    if values.dtype.kind in "Mm":
        missing = np.isnat(values)
        return Column(name, np.where(missing, np.nan, values.astype("i8")), "numeric")
    return _column_of_objects(name, values)


def _column_of_objects(name, values):
    present = np.array([not _is_missing(value) for value in values], dtype=bool)
    numbers = _numbers_or_none(values, present)
    if numbers is not None:
        return Column(name, numbers, "numeric")
    texts = np.where(present, [str(value) for value in values], "")
    levels, codes = np.unique(texts, return_inverse=True)
    codes = np.where(present, codes.ravel(), np.nan)
    if len(levels) > MOST_DIFFERENT * len(values) and _are_sentences(texts):
        return Column(name, codes, "text", texts)
    return Column(name, codes, "category")


def _is_missing(value):
    return value is None or ((value == value) is not True and not np.size(value) > 1)


def _numbers_or_none(values, present):
    if any(isinstance(value, str) for value in values[present]):
        return None
    numbers = np.full(len(values), np.nan)
    try:
        numbers[present] = values[present].astype(np.float64)
    except (TypeError, ValueError):
        return None
    return numbers


def _are_sentences(texts):
    n_words = [len(text.split()) for text in texts[:1000]]
    return np.mean(np.array(n_words) >= WORDS) > MOST_DIFFERENT
