"""Which rows belong together: groups, and rows that are equal."""

import numpy as np
from scipy.sparse import coo_matrix, issparse
from scipy.sparse.csgraph import connected_components

from sklimb._compat import columns_of
from sklimb._rows import has_several_inputs, num_rows
from sklimb._sampling import codes_of

__all__ = ["check_duplicates", "equal_rows", "units_of"]


def check_duplicates(duplicates):
    """Check what is to be done with equal rows.

    Raises
    ------
    ValueError
        If it is neither None nor "together".
    """
    if duplicates not in (None, "together"):
        raise ValueError(
            f"`duplicates`={duplicates!r} must be 'together', so that equal rows of "
            "`X` are in one part, or None."
        )


def units_of(X, groups, duplicates):
    """Return a number for each row, the same for rows that belong together, or None.

    Parameters
    ----------
    X : rows as :func:`sklimb._rows.as_rows` gives them
    groups : array-like of shape (n_rows,) or None
    duplicates : {None, "together"}

    Returns
    -------
    ndarray of shape (n_rows,), int, or None
        From 0 on. Groups that have an equal row are one.
    """
    check_duplicates(duplicates)
    ties = [] if groups is None else [_numbered(np.asarray(groups))]
    if duplicates is not None:
        ties.append(equal_rows(X))
    if not ties:
        return None
    return ties[0] if len(ties) == 1 else _joined(*ties)


def _joined(first, second):
    """Return numbers of the components that two partitions of the rows make."""
    n_first = first.max() + 1
    size = n_first + second.max() + 1
    links = coo_matrix((np.ones(len(first)), (first, n_first + second)), (size, size))
    return connected_components(links, directed=False)[1][first]


def equal_rows(X):
    """Return a number for each row, the same for equal ones; missing values are equal.

    Parameters
    ----------
    X : array of any number of axes, frame, sparse matrix, list, or several inputs

    Returns
    -------
    ndarray of shape (n_rows,), int
    """
    if has_several_inputs(X):
        parts = X.values() if isinstance(X, dict) else X
        return _numbered(np.column_stack([equal_rows(part) for part in parts]))
    if issparse(X):
        return _of_sparse(X)
    if hasattr(X, "columns") or np.asarray(X).dtype.kind not in "biufc":
        codes = [codes_of(column) for column in columns_of(X)]
        return _numbered(np.column_stack(codes))
    return _numbered(np.asarray(X).reshape(num_rows(X), -1))


def _numbered(table):
    """Return a number for each row of an array."""
    if table.ndim == 1:
        table = codes_of(table)[:, None]
    seen, found = {}, np.empty(len(table), dtype=np.intp)
    for place, row in enumerate(table):
        found[place] = seen.setdefault(_bytes_of(row), len(seen))
    return found


def _bytes_of(row):
    if row.dtype.kind in "fc":
        row = row + 0  # -0.0 is 0.0
        row[np.isnan(row)] = np.nan  # of which there are many
    return row.tobytes()


def _of_sparse(X):
    X = X.tocsr(copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    seen = {}
    rows = (slice(*ends) for ends in zip(X.indptr[:-1], X.indptr[1:], strict=True))
    keys = (X.indices[r].tobytes() + _bytes_of(X.data[r]) for r in rows)
    return np.array([seen.setdefault(key, len(seen)) for key in keys])
