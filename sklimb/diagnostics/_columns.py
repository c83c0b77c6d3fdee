"""Columns that look like leaks, identify rows or groups, or say nothing."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from sklimb.diagnostics._separation import auc, separation

__all__ = ["ColumnCheck", "check_columns", "joint_auc"]

# What is held against a column: hardly an error alone, surely so, or as good as all
# others together and three times the errors without it.
NEARLY_PERFECT, SURELY = 0.995, 0.95
TIMES_THE_ERRORS = 3.0
# Beside fewer others it is nothing special to be as good as all of them.
FEWEST_OTHERS = 4
# Columns whose rates agree so well say the same, such as minutes and seconds.
SAME = 0.95
# Columns that stand for all, and rows, where the model of all of them is fitted.
MOST_COLUMNS = 30
MOST_ROWS = 20_000
MOST_LEAKS = 10
# A row number rises from nearly every row to the next.
RISING = 0.95
FEWEST_ROWS = 20
NEARLY_ALL = 0.95


@dataclass
class ColumnCheck:
    """What was seen of one column.

    Attributes
    ----------
    name, kind : str
    separation : Separation or None
        None for a constant column and for texts.
    traits : list of str
        Of "constant", "rising", "id" and "group".
    others : float
        AUC of all other columns together, of a column that may be a leak or has traits;
        else nan.
    together : float
        AUC of all columns together, of the same; else nan.
    is_leak : bool
        Whether it looks like a leak.
    """

    name: str
    kind: str
    separation: object
    traits: list
    others: float = np.nan
    together: float = np.nan
    is_leak: bool = False

    @property
    def auc(self):
        """Area under the ROC curve of the column alone; 0.5 is chance."""
        return 0.5 if self.separation is None else self.separation.auc


def check_columns(columns, y, folds, groups=None):
    """Return a check of each column, in their order.

    Parameters
    ----------
    columns : list of Column
    y, folds : ndarray of shape (n_rows,), int
    groups : ndarray of shape (n_rows,), int, default=None

    Returns
    -------
    list of ColumnCheck
    """
    checks = [
        ColumnCheck(column.name, column.kind, None, _traits(column, groups))
        for column in columns
    ]
    for column, check in zip(columns, checks, strict=True):
        if column.kind != "text" and "constant" not in check.traits:
            check.separation = separation(column, y, folds, len(columns))
    used = [check for check in checks if check.separation]
    _mark_leaks(used, y, folds)
    for check in used:
        if check.traits and not check.is_leak:
            _hold_against_others(check, used, y, folds)
    return checks


def _traits(column, groups):
    found = {
        "constant": _is_constant(column),
        "rising": column.kind == "numeric" and _rises(column.values),
        "id": _numbers_rows(column),
        "group": groups is not None and _tells_group(column.codes, groups),
    }
    return [trait for trait, is_so in found.items() if is_so]


def _is_constant(column):
    missing = column.is_missing
    if missing.any():
        return bool(missing.all())
    return bool((column.values == column.values[0]).all())


def _rises(values):
    if len(values) < FEWEST_ROWS or np.isnan(values).any():
        return False
    steps = np.diff(values)
    # A row number starts again in each part of a file; a time may stand still.
    often = np.mean(steps > 0) >= RISING
    always = np.all(steps >= 0) and np.count_nonzero(steps) > len(steps) / 2
    return bool(often or always)


def _numbers_rows(column):
    values = column.values[~column.is_missing]
    if len(values) < FEWEST_ROWS or column.kind == "text":
        return False
    distinct = np.unique(values)
    if column.kind == "category":
        return len(distinct) > NEARLY_ALL * len(values)
    return len(distinct) == len(values) and bool(np.all(np.diff(distinct) == 1))


def _tells_group(codes, groups):
    """Tell whether rows of one value nearly always are of one group, and repeat."""
    n_values = codes.max() + 1
    if n_values < 2 or n_values > len(codes) / 2:
        return False
    cells, sizes = np.unique(codes * (groups.max() + 1) + groups, return_counts=True)
    largest = np.zeros(n_values, dtype=np.intp)
    np.maximum.at(largest, cells // (groups.max() + 1), sizes)
    return bool(largest.sum() >= NEARLY_ALL * len(codes))


def _mark_leaks(checks, y, folds):
    """Hold the best column against all others, then the next best of the rest."""
    rest = sorted(checks, key=lambda c: -c.separation.mean)
    for _ in range(MOST_LEAKS):
        if not rest or not _is_suspect(rest, y, folds):
            return
        family = _family(rest[0], rest)
        for check in family:
            check.is_leak = True
            check.others, check.together = rest[0].others, rest[0].together
        rest = [check for check in rest if not check.is_leak]


def _is_suspect(rest, y, folds):
    best = rest[0]
    by_class = max(rest, key=lambda c: (_is_nearly_perfect(c), c.separation.auc))
    if _is_nearly_perfect(by_class):
        best = by_class
        rest.remove(best)
        rest.insert(0, best)
    elif best.separation.low <= 0.5:
        return False
    _hold_against_others(best, rest, y, folds)
    if _is_nearly_perfect(best):
        return True
    errors, errors_without = 1 - best.together, 1 - best.others
    n_others = len(rest) - len(_family(best, rest))
    stands_out = n_others >= FEWEST_OTHERS and best.separation.mean >= best.others
    return stands_out and errors_without >= TIMES_THE_ERRORS * errors


def _is_nearly_perfect(check):
    return check.separation.auc >= NEARLY_PERFECT and check.separation.low >= SURELY


def _hold_against_others(check, checks, y, folds):
    family = {other.name for other in _family(check, checks)}
    others = [other for other in checks if other.name not in family]
    check.together = joint_auc(checks, y, folds)
    check.others = joint_auc(others, y, folds)


def _family(check, checks):
    """Return a column and those that say the same."""
    own = rankdata(check.separation.rates[:, -1])
    return [check] + [
        other
        for other in checks
        if other is not check and _agreement(own, other) > SAME
    ]


def _agreement(ranks, check):
    others = rankdata(check.separation.rates[:, -1])
    if others.min() == others.max() or ranks.min() == ranks.max():
        return 0.0
    return np.corrcoef(ranks, others)[0, 1]


def joint_auc(checks, y, folds):
    """Return the out-of-fold AUC of columns together, the mean over classes.

    A logistic regression on the log-odds of each column's rates.
    """
    if not checks:
        return 0.5
    checks = sorted(checks, key=lambda c: -c.separation.mean)[:MOST_COLUMNS]
    rows = _some_rows(y)
    rates = np.hstack([check.separation.rates[rows] for check in checks])
    features = logit(rates.clip(1e-4, 1 - 1e-4))
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-12)
    return _out_of_fold_auc(features, y[rows], folds[rows])


def _some_rows(y):
    """Return all rows, or as many as are affordable, those of rare classes first."""
    if len(y) <= MOST_ROWS:
        return np.arange(len(y))
    order = np.random.default_rng(0).permutation(len(y))
    counts = np.bincount(y)
    most = np.full(len(counts), MOST_ROWS // len(counts))
    kept = [order[y[order] == k][: most[k]] for k in range(len(counts))]
    return np.sort(np.concatenate(kept))


def _out_of_fold_auc(features, y, folds):
    proba = np.zeros((len(y), y.max() + 1))
    for fold in range(folds.max() + 1):
        test = folds == fold
        if len(np.unique(y[~test])) < 2:
            continue
        model = LogisticRegression(max_iter=200, tol=1e-3)
        model.fit(features[~test], y[~test])
        proba[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    numbers = range(y.max() + 1) if y.max() > 1 else [1]
    return float(np.mean([auc(proba[:, k], y == k) for k in numbers]))
