"""Row numbers that give the classes wanted shares, from the rows' class numbers.

Nothing here sees the rows themselves.
"""

import numpy as np

from sklimb._validation import as_labels

__all__ = [
    "codes_of",
    "matched_rows",
    "mean_of_classes",
    "quotas_over",
    "quotas_under",
    "rows_bootstrap",
    "rows_over",
    "rows_under",
    "same_column",
]


def rows_over(numbers, prior, random, classes=None):
    """Return row numbers that reach a prior by repeats; every row stays.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        Each row's class number.
    prior : ndarray of shape (n_classes,)
        No entry is 0.
    random : numpy.random.RandomState or Generator
        Which rows get the copy that is left over.
    classes : sequence of labels, default=None
        What errors call the classes; None for their numbers.

    Returns
    -------
    ndarray of int
        Sorted. Within a class, counts of rows differ by at most one.

    Raises
    ------
    ValueError
        If a class has no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb._sampling import rows_over
    >>> rows_over(np.array([0, 0, 0, 0, 1]), [0.5, 0.5], np.random.default_rng(0))
    array([0, 1, 2, 3, 4, 4, 4, 4])
    """
    return _drawn(numbers, quotas_over(numbers, prior, classes), random)


def rows_under(numbers, prior, random, classes=None):
    """Return row numbers that reach a prior by leaving rows out; none repeats.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        Each row's class number.
    prior : ndarray of shape (n_classes,)
        No entry is 0.
    random : numpy.random.RandomState or Generator
        Which rows stay.
    classes : sequence of labels, default=None
        What errors call the classes; None for their numbers.

    Returns
    -------
    ndarray of int
        Sorted.

    Raises
    ------
    ValueError
        If a class has no rows, or none of its rows would stay.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb._sampling import rows_under
    >>> len(rows_under(np.array([0, 0, 0, 0, 1]), [0.75, 0.25], np.random))
    4
    """
    return _drawn(numbers, quotas_under(numbers, prior, classes), random)


def rows_bootstrap(numbers, random):
    """Return row numbers drawn with replacement, of each class as many as it has.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        Each row's class number.
    random : numpy.random.RandomState
        Which rows are drawn.

    Returns
    -------
    ndarray of shape (n_rows,), int
        Sorted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb._sampling import rows_bootstrap
    >>> rows_bootstrap(np.array([0, 0, 0, 0, 1]), np.random.RandomState(0))
    array([0, 0, 1, 3, 4])
    """
    rows = np.argsort(numbers, kind="stable")
    counts = np.bincount(numbers)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(rows[starts + random.randint(np.repeat(counts, counts))])


def quotas_over(numbers, prior, classes=None):
    """Return how many rows each class gets at least, so that none is dropped."""
    prior, counts = np.asarray(prior), _counts(numbers, prior, classes)
    total = np.max(counts / prior)  # the smallest that leaves no class short
    return np.maximum(np.rint(total * prior).astype(int), counts)


def quotas_under(numbers, prior, classes=None):
    """Return how many rows each class gets at most, so that none is repeated."""
    prior, counts = np.asarray(prior), _counts(numbers, prior, classes)
    total = np.min(counts / prior)  # the greatest that asks no class for more
    quotas = np.minimum(np.rint(total * prior).astype(int), counts)
    if quotas.all():
        return quotas
    number = int(np.argmin(quotas))
    raise ValueError(
        f"`sampling_prior` gives the class {_name(number, classes)} a share of "
        f"{prior[number]:.3g}, which is none of the {total:.4g} rows that are left "
        "where no row is used twice. Give it a larger share, or repeat rows: "
        "sampler='over'."
    )


def _counts(numbers, prior, classes):
    counts = np.bincount(numbers, minlength=len(prior))
    if counts.all():
        return counts
    raise ValueError(
        f"The class {_name(int(np.argmin(counts)), classes)} has no rows, so that none "
        "can be drawn. Gather some, or leave the class out of `sampling_prior`."
    )


def _name(number, classes):
    return repr(number if classes is None else as_labels(classes)[number])


def _drawn(numbers, quotas, random):
    parts = [
        _spread(np.flatnonzero(numbers == number), quota, random)
        for number, quota in enumerate(quotas)
    ]
    return np.sort(np.concatenate(parts))


def _spread(rows, quota, random):
    copies, left_over = divmod(quota, len(rows))
    return np.concatenate(
        [np.repeat(rows, copies), random.permutation(rows)[:left_over]]
    )


def mean_of_classes(values, numbers, n_classes):
    """Return the mean of the rows' values in each class, 0 for one without rows."""
    counts = np.bincount(numbers, minlength=n_classes)
    sums = np.bincount(numbers, weights=values, minlength=n_classes)
    return sums / np.maximum(counts, 1)


def matched_rows(before, after):
    """Return where each row of ``after`` was in ``before``, -1 for a new one.

    Equal rows are matched in their order, the k-th to the k-th.

    Parameters
    ----------
    before, after : sequence of ndarray of shape (n_rows,)
        The same columns of both, of any type.

    Returns
    -------
    ndarray of int, of as many rows as ``after``

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb._sampling import matched_rows
    >>> matched_rows([np.array(["a", "b", "a"])], [np.array(["a", "c", "a", "a"])])
    array([ 0, -1,  2, -1])
    """
    keys, n_before = 0, len(before[0])
    for old, new in zip(before, after, strict=True):
        codes = codes_of(old, new)
        keys = np.unique(keys * (codes.max() + 1) + codes, return_inverse=True)[1]
    # A key and its k-th occurrence, as one number.
    repeats = np.concatenate([_occurrence(part) for part in np.split(keys, [n_before])])
    keys = keys * (repeats.max() + 1) + repeats
    order = np.argsort(keys[:n_before])
    places = np.searchsorted(keys[:n_before], keys[n_before:], sorter=order)
    found = order[places.clip(max=n_before - 1)]
    return np.where(keys[found] == keys[n_before:], found, -1)


def same_column(old, new):
    """Tell whether two columns are equal, missing values being equal to themselves."""
    if old.shape != new.shape:
        return False
    if "O" in (old.dtype.kind, new.dtype.kind):
        codes = codes_of(old, new)
        return bool((codes[: len(old)] == codes[len(old) :]).all())
    may_miss = old.dtype.kind in "fcmM" and new.dtype.kind in "fcmM"
    return np.array_equal(old, new, equal_nan=may_miss)


def codes_of(*columns):
    """Return a number for each value of columns end to end, the same for equal ones.

    Missing values are equal to themselves.
    """
    if all(column.dtype.kind != "O" for column in columns):
        values = np.concatenate(columns)
        return np.unique(values, return_inverse=True, equal_nan=True)[1]
    seen = {}
    values = [value for column in columns for value in column.tolist()]
    return np.array([seen.setdefault(_key(value), len(seen)) for value in values])


def _key(value):
    # A nan is not equal to itself; other missing values are one object each.
    return "nan" if isinstance(value, float) and value != value else (value,)


def _occurrence(keys):
    """Return how many equal keys stand before each."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    starts = np.searchsorted(ranked, ranked)
    occurrence = np.empty(len(keys), dtype=int)
    occurrence[order] = np.arange(len(keys)) - starts
    return occurrence
