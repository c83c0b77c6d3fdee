"""Rows for training, for choices and for the test, at the right class shares."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.utils import check_random_state

from sklimb._rows import as_rows
from sklimb._validation import as_labels, check_labels, check_pos_label, check_prior
from sklimb.splits._filling import fill, matched, part_quotas
from sklimb.splits._units import units_of

__all__ = ["DeploymentSplit", "deployment_split"]

PARTS = ("train", "dev_a", "dev_b", "test")
NOT_NEEDED = "no part has room for them at its class shares"
BEYOND = "they are of {}'s groups, and more than its class shares allow"


@dataclass(frozen=True)
class DeploymentSplit:
    """Row numbers of the parts, sorted; each row is in exactly one of them.

    Attributes
    ----------
    train : ndarray of int
        At the rows' own class shares.
    dev_a : ndarray of int
        At the rows' own class shares: to stop the training, or to see over-fitting.
    dev_b : ndarray of int
        At the deployment prior: to choose thresholds and models.
    test : ndarray of int
        At the deployment prior: to look at once.
    unused : ndarray of int
    reasons : dict of str to ndarray of int
        Why rows are unused, and which.
    numbers : ndarray of shape (n_rows,), int
        Places of the labels in ``classes``.
    classes : ndarray of shape (n_classes,)
    target_prior : ndarray of shape (n_classes,)
        The deployment prior.
    """

    train: np.ndarray
    dev_a: np.ndarray
    dev_b: np.ndarray
    test: np.ndarray
    unused: np.ndarray
    reasons: dict = field(repr=False)
    numbers: np.ndarray = field(repr=False)
    classes: np.ndarray = field(repr=False)
    target_prior: np.ndarray = field(repr=False)

    def __repr__(self):
        counts = ", ".join(f"{name}={len(rows)}" for name, rows in self._parts())
        return f"DeploymentSplit({counts} rows)"

    def __str__(self):
        return self.summary()

    def _parts(self):
        return [(name, getattr(self, name)) for name in (*PARTS, "unused")]

    def _counts(self, rows):
        return np.bincount(self.numbers[rows], minlength=len(self.classes))

    def summary(self):
        """Return how many rows of each class each part has, as a text.

        Returns
        -------
        str
            A table, and a line for each reason why rows are unused.
        """
        labels = [str(label) for label in as_labels(self.classes)]
        titles = [form.format(label) for form in ("of {}", "% {}") for label in labels]
        lines = [["part", "rows", *titles]]
        for name, rows in self._parts():
            counts = self._counts(rows)
            shares = [_percent(n, len(rows)) for n in counts]
            lines.append([name, str(len(rows)), *map(str, counts), *shares])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join([cells[0].ljust(widths[0]), *_right(cells[1:], widths[1:])])
            for cells in lines
        ]
        return "\n".join([*table, *self._why_unused()])

    def _why_unused(self):
        return [
            f"unused rows ({_listed(self._counts(rows), self.classes)}): {reason}"
            for reason, rows in self.reasons.items()
            if len(rows)
        ]

    def to_frame(self):
        """Return the same as a frame: parts by rows, rows of each class and shares.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "a frame needs pandas: pip install pandas. `summary()` is the same as "
                "a text."
            ) from error
        table = {"rows": [len(rows) for _, rows in self._parts()]}
        for k, label in enumerate(as_labels(self.classes)):
            counts = [self._counts(rows)[k] for _, rows in self._parts()]
            table[f"rows of {label}"] = counts
            table[f"share of {label}"] = [
                n / max(total, 1)
                for n, total in zip(counts, table["rows"], strict=True)
            ]
        return pd.DataFrame(table, index=[name for name, _ in self._parts()])


def _percent(part, whole):
    return f"{100 * part / whole:.4g}" if whole else "-"


def _right(cells, widths):
    return [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]


def _listed(counts, classes):
    return ", ".join(
        f"{n} of {label!r}"
        for n, label in zip(counts, as_labels(classes), strict=True)
        if n
    )


def deployment_split(
    X,
    y,
    groups=None,
    *,
    target_prior,
    sizes=(0.6, 0.1, 0.1, 0.2),
    pos_label=None,
    random_state=None,
    duplicates=None,
):
    """Split rows for training, for choices and for the test.

    Training and dev A have the rows' own class shares, dev B and test those of
    deployment. Groups are never across parts.

    Sizes are shares of the rows. Where deployment's shares ask for more rows of a
    class than there are, all parts are shrunk alike, so that none of that class is
    left; rows of others that no part has room for are unused.

    Without groups, class shares are exact to a row. With groups, training and dev A
    keep all rows of theirs, and have the rows' shares as nearly as groups allow; dev B
    and test are as exact as without, and leave out the rows beyond.

    Parameters
    ----------
    X : array-like, frame, sparse matrix, or several inputs
        Rows; looked at only for ``duplicates``.
    y : array-like of shape (n_rows,)
        Labels.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group belong together, such as those of one patient.
    target_prior : array-like, mapping, float or "uniform"
        Deployment's class shares; a float is the positive class's prevalence.
    sizes : sequence of 4 floats, default=(0.6, 0.1, 0.1, 0.2)
        Shares of training, dev A, dev B and test, at most 1 in all. 0 for a part that
        is not wanted.
    pos_label : label, default=None
        The positive class; None for the greater label.
    random_state : int, RandomState or None, default=None
    duplicates : {None, "together"}, default=None
        Whether equal rows of ``X`` are kept in one part.

    Returns
    -------
    DeploymentSplit
        Row numbers ``train``, ``dev_a``, ``dev_b``, ``test`` and ``unused``; printed,
        it says how many rows of each class these have, and why rows are unused.

    Raises
    ------
    ValueError
        If something is not valid, or a part would have no row of a class that has a
        share there.

    Examples
    --------
    One row in ten is positive, and one in fifty where the model is used:

    >>> import numpy as np
    >>> from sklimb.splits import deployment_split
    >>> y = np.repeat([0, 1], [9000, 1000])
    >>> X = np.arange(10_000)[:, None]
    >>> print(deployment_split(X, y, target_prior=0.02, random_state=0))
    part    rows  of 0  of 1    % 0    % 1
    train   5845  5260   585  89.99  10.01
    dev_a    975   877    98  89.95  10.05
    dev_b    974   954    20  97.95  2.053
    test    1948  1909    39     98  2.002
    unused   258     0   258      0    100
    unused rows (258 of 1): no part has room for them at its class shares
    """
    X, y = as_rows(X, y)
    y, classes = check_labels(y)
    check_pos_label(pos_label, classes)
    target = check_prior(
        target_prior, classes, pos_label=pos_label, name="target_prior"
    )
    sizes, random = _check_sizes(sizes), check_random_state(random_state)
    numbers = np.searchsorted(classes, y)
    units = units_of(X, _check_groups(groups, len(y)), duplicates)
    n_of_class = np.bincount(numbers)
    own = n_of_class / len(y)
    shares = np.array([own, own, target, target])
    quotas = part_quotas(n_of_class, shares, sizes)
    _check_any_of_each(quotas, shares, sizes, classes, "")
    rows, reasons = _filled(numbers, units, quotas, n_of_class, target, random)
    held = [np.bincount(numbers[own], minlength=len(target)) for own in rows]
    _check_any_of_each(held, shares, sizes, classes, " with such groups")
    return DeploymentSplit(
        *rows,
        unused=np.sort(np.concatenate(list(reasons.values()))),
        reasons=reasons,
        numbers=numbers,
        classes=classes,
        target_prior=target,
    )


def _filled(numbers, units, quotas, n_of_class, target, random):
    """Return the row numbers of each part, and of unused rows by their reason."""
    places = _pools(quotas, n_of_class, units is not None)
    part = fill(numbers, units, places, random)
    *rows, left = (np.flatnonzero(part == p) for p in range(5))
    reasons = {NOT_NEEDED: left}
    if units is not None:
        for p in (2, 3):
            rows[p], reasons[BEYOND.format(PARTS[p])] = _at_prior(
                rows[p], numbers, target, random, quotas[p].sum()
            )
    return rows, reasons


def _pools(quotas, n_of_class, grouped):
    """Return how many rows each part is filled from, and as a last part the rest.

    Groups hold all classes, so that dev B and test need as many of them as their
    scarcest class asks for.
    """
    pools = quotas.copy()
    if grouped:
        needed = (quotas[2:] / n_of_class).max(axis=1, keepdims=True)
        pools[2:] = np.ceil(needed * n_of_class)
    rest = n_of_class - pools.sum(axis=0)
    return np.vstack([pools, np.maximum(rest, 0)])


def _at_prior(rows, numbers, target, random, most):
    """Return the rows that have the prior, and the others."""
    if len(rows) == 0:
        return rows, rows
    kept = rows[matched(numbers[rows], target, random, most)]
    return kept, np.setdiff1d(rows, kept)


def _check_sizes(sizes):
    values = np.asarray(sizes, dtype=np.float64)
    if values.shape != (4,) or not (values >= 0).all() or values.sum() > 1 + 1e-9:
        raise ValueError(
            f"`sizes`={sizes!r} must be four shares of the rows, for train, dev A, dev "
            "B and test, none negative and at most 1 in all."
        )
    if values.sum() == 0:
        raise ValueError("`sizes` are all 0: no part gets a row. Give shares above 0.")
    return values


def _check_groups(groups, n_rows):
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(
            f"`groups` has shape {groups.shape}; expected ({n_rows},), a group for "
            "each row."
        )
    return groups


def _check_any_of_each(counts, shares, sizes, classes, why):
    """Raise where a part has no row of a class that has a share there."""
    for name, own, share, size in zip(PARTS, counts, shares, sizes, strict=True):
        empty = (np.asarray(own) == 0) & (share > 0) & (size > 0)
        if empty.any():
            k = int(np.argmax(empty))
            raise ValueError(
                f"{name} would have no row of the class {as_labels(classes)[k]!r}"
                f"{why}: it has {int(np.sum(own))} rows, and the class a share of "
                f"{share[k]:.3g}. Give that part a larger share in `sizes`, the others "
                "smaller ones or 0, or measure at the prior by weights: "
                "sklimb.metrics.score_at_prior."
            )
