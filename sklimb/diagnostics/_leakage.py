"""Whether a random split tests on what training has seen, or on what is not known."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklimb._rows import num_rows
from sklimb._validation import check_labels
from sklimb.diagnostics._columns import check_columns
from sklimb.diagnostics._findings import Result, ranked
from sklimb.diagnostics._leakage_words import (
    condensed,
    findings_of_columns,
    findings_of_rows,
    summary,
)
from sklimb.diagnostics._repeats import (
    find_near_repeats,
    find_repeats,
    in_other_folds,
    memory_auc,
)
from sklimb.diagnostics._separation import fold_numbers
from sklimb.diagnostics._tables import columns_of_table

__all__ = ["Leakage", "find_leakage"]

# Cells and rows of a table that are looked at column by column: a few seconds.
MOST_CELLS = 5e6
FEWEST_ROWS, MOST_ROWS = 2000, 200_000


class SharedGroups(NamedTuple):
    """Groups that a random split tears apart.

    Attributes
    ----------
    n_groups : int
    n_shared : int
        Those with rows in several folds.
    n_rows : int
        Rows whose group has a row in another fold.
    auc : float
        What remembering the labels of a row's group gives.
    """

    n_groups: int
    n_shared: int
    n_rows: int
    auc: float


@dataclass(frozen=True)
class Leakage(Result):
    """What :func:`find_leakage` found.

    Attributes
    ----------
    n_rows : int
    n_rows_of_columns : int
        Rows that columns were looked at on; fewer than ``n_rows`` in large tables.
    columns : list
        For each column ``name``, ``kind``, ``auc`` (alone), ``is_leak``, ``traits`` (of
        "constant", "rising", "id", "group"), ``together`` and ``others`` (AUC of all
        columns with and without it, where it was held against them).
    repeats : object
        ``n_repeats``, ``n_conflicting``, ``n_across`` and ``copies``.
    repeats_auc : float
        What remembering the labels of copies gives; 0.5 is chance.
    near_repeats : object
        ``n_looked_at``, ``pairs`` and ``n_across``.
    near_repeats_auc : float
        What remembering the labels of near copies gives.
    groups : object or None
        ``n_groups``, ``n_shared``, ``n_rows`` and ``auc``.
    findings : list of Finding
        The greatest effect first.
    sentence : str
    """

    n_rows: int
    n_rows_of_columns: int
    columns: list
    repeats: object
    repeats_auc: float
    near_repeats: object
    near_repeats_auc: float
    groups: object
    findings: list
    sentence: str

    def _rows(self):
        return [
            {
                "column": check.name,
                "kind": check.kind,
                "auc": check.auc,
                "is_leak": check.is_leak,
                "together": check.together,
                "others": check.others,
                "traits": ", ".join(check.traits),
            }
            for check in sorted(self.columns, key=lambda check: -check.auc)
        ]

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_columns

        draw_columns(ax, self.columns)


def find_leakage(X, y, groups=None, *, cv=5, random_state=0):
    """Look for what makes a random split's score too good.

    - Rows that occur again, exactly or nearly, and so on both sides of a split.
    - Columns that alone tell the classes apart too well to be true: with hardly an
      error (an AUC of 0.995), or as well as all others together, four at least, with
      three times the errors without it. Whether a value is missing may be what
      tells. Statistics can't know whether a column is known in time, nor tell a leak
      from one good column among weak ones: each such finding is a question.
    - Columns that number the rows, identify them or their groups, or are constant.
    - Groups that a random split tears apart.

    Parameters
    ----------
    X : frame, array of any number of axes, sparse matrix, or list of texts
        n_rows rows, as they were gathered: nothing scaled, imputed or left out.
    y : array-like of shape (n_rows,)
        Labels.
    groups : array-like of shape (n_rows,), default=None
        Rows of one value belong together, such as those of one patient.
    cv : int, default=5
        Folds of the random stratified split.
    random_state : int, default=0
        Draws the split, and the rows that near copies are looked for of.

    Returns
    -------
    Leakage

    Raises
    ------
    ValueError
        If lengths differ, or there are fewer than two classes or folds.

    Notes
    -----
    Near copies are looked for of up to 4,000 rows: whose nearest neighbour is so much
    nearer than the tenth nearest as chance has it in one row of 10,000, in the
    dimension that the rows seem to have (Levina & Bickel 2004); of texts, those that
    have 90 % of their character 5-grams in common (cosine), digits and case apart.
    Columns are looked at on at most 200,000 rows, and as many
    as make 5e6 cells.

    Effects are on the scale from 0, chance, to 1, a perfect score: for a column the
    fall of 2 AUC - 1 of all columns together when it is left out, for rows and groups
    the 2 AUC - 1 of remembering labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.diagnostics import find_leakage
    >>> random = np.random.default_rng(0)
    >>> y = random.random(500) < 0.1
    >>> X = random.standard_normal((500, 3))
    >>> X[:, 1] += 9 * y
    >>> [finding.subject for finding in find_leakage(X, y).findings]
    ['x1']
    """
    y, numbers, groups = _checked(X, y, groups, cv)
    columns = columns_of_table(X)
    if not columns:
        raise ValueError(
            "`X` has no columns. Give the features, as they were gathered."
        )
    folds = fold_numbers(numbers, cv, random_state)
    repeats = find_repeats(columns, numbers, folds)
    near = find_near_repeats(columns, repeats.copies, folds, random_state)
    shared = None if groups is None else _shared_groups(groups, numbers, folds)
    rows = _rows_of_columns(len(y), len(columns), random_state)
    checks = check_columns(
        [column.take(rows) for column in columns],
        *(numbers[rows], folds[rows], None if groups is None else groups[rows]),
    )
    aucs = (
        memory_auc(repeats.copies, numbers, folds),
        _near_auc(near, numbers, folds),
    )
    findings = ranked(
        [
            *findings_of_columns(checks, np.unique(y)),
            *findings_of_rows(repeats, near, shared, aucs, len(y)),
        ]
    )
    return Leakage(
        n_rows=len(y),
        n_rows_of_columns=len(rows),
        columns=checks,
        repeats=repeats,
        repeats_auc=aucs[0],
        near_repeats=near,
        near_repeats_auc=aucs[1],
        groups=shared,
        findings=condensed(findings),
        sentence=summary(findings, len(columns), len(y)),
    )


def _checked(X, y, groups, cv):
    y, classes = check_labels(y)
    if num_rows(X) != len(y):
        raise ValueError(
            f"`X` has {num_rows(X)} rows and `y` {len(y)}; expected a label a row."
        )
    if not isinstance(cv, int | np.integer) or cv < 2:
        raise ValueError(f"`cv`={cv!r} must be a whole number of folds, from 2 on.")
    if groups is not None:
        groups = np.asarray(groups)
        if groups.shape != (len(y),):
            raise ValueError(
                f"`groups` has shape {groups.shape}; expected ({len(y)},), one a row."
            )
        groups = np.unique(groups.astype(str), return_inverse=True)[1].ravel()
    return y, np.searchsorted(classes, y), groups


def _rows_of_columns(n_rows, n_columns, random_state):
    """Return the rows that columns are looked at on, in their order."""
    most = min(max(FEWEST_ROWS, int(MOST_CELLS / n_columns)), MOST_ROWS)
    if n_rows <= most:
        return np.arange(n_rows)
    random = np.random.default_rng(random_state)
    return np.sort(random.choice(n_rows, most, replace=False))


def _shared_groups(groups, y, folds):
    shared = in_other_folds(groups, folds)
    return SharedGroups(
        n_groups=int(groups.max() + 1),
        n_shared=len(np.unique(groups[shared])),
        n_rows=int(np.count_nonzero(shared)),
        auc=memory_auc(groups, y, folds),
    )


def _near_auc(near, y, folds):
    """Return the AUC of remembering near copies, all rows having as many."""
    if not len(near.pairs):
        return 0.5
    codes = np.arange(len(y))
    codes[near.pairs[:, 0]] = codes[near.pairs[:, 1]]
    codes = np.unique(codes, return_inverse=True)[1].ravel()
    gain = (memory_auc(codes, y, folds) - 0.5) * len(y) / near.n_looked_at
    return min(1.0, 0.5 + gain)
