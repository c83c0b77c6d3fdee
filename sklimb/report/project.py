"""``sklimb project-matrix``: a confusion matrix at another prevalence, in words."""

import re
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.table import Table

from sklimb.metrics import drawn_confusions, project_confusion_matrix
from sklimb.report.errors import InputError
from sklimb.report.numbers import figure, percent
from sklimb.report.priors import parse_share
from sklimb.report.terminal import output
from sklimb.thresholds import metric_function, multiclass_metric

__all__ = ["parse_matrix", "parse_shares", "run_project_matrix"]

LEVEL = 0.95
N_DRAWS = 100_000
# Rows to show: a power of ten that holds some of the rarest class.
FEWEST_ROWS = 10_000
RAREST = 50
ROUNDING = 1e-6


@dataclass(frozen=True)
class _Counted:
    """A confusion matrix and where it is moved to.

    Attributes
    ----------
    counts : ndarray of shape (n_classes, n_classes)
    prior : ndarray of shape (n_classes,)
        To where.
    """

    counts: np.ndarray
    prior: np.ndarray

    @property
    def own(self):
        """The class shares of the counts."""
        return self.counts.sum(axis=1) / self.counts.sum()

    @property
    def names(self):
        """What the classes are called."""
        if len(self.prior) == 2:
            return ["positive", "other"]
        return [f"class {k + 1}" for k in range(len(self.prior))]

    @property
    def n_shown(self):
        """A round number of rows, so that no class is too rare to be seen."""
        rarest = self.prior[self.prior > 0].min()
        return max(FEWEST_ROWS, 10 ** int(np.ceil(np.log10(RAREST / rarest))))

    @property
    def projected(self):
        """The counts to be expected of so many rows."""
        shares = project_confusion_matrix(self.counts, self.prior) / self.counts.sum()
        return shares * self.n_shown

    def values(self, function):
        """Return a measure of the counts, of the projection, and its interval."""
        drawn = drawn_confusions(
            self.counts, self.prior, N_DRAWS, np.random.default_rng(0)
        )
        value = float(function(self.projected))
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(function(drawn), [tail, 1 - tail])
        return float(function(self.counts)), value, min(low, value), max(high, value)


def run_project_matrix(arguments):
    """Print what a confusion matrix becomes at other class shares.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``matrix`` and ``prior``.

    Raises
    ------
    InputError
        If one of them is not usable.
    """
    counts = parse_matrix(arguments.matrix)
    found = _Counted(counts, parse_shares(arguments.prior, len(counts)))
    _check_rows(found)
    _show(found)


def parse_matrix(text):
    """Return the confusion matrix that a text stands for.

    Parameters
    ----------
    text : str
        Numbers row by row, between spaces, commas, semicolons, lines or brackets.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), float64

    Raises
    ------
    InputError
        If it is none.

    Examples
    --------
    >>> from sklimb.report.project import parse_matrix
    >>> parse_matrix("[[97, 3], [3, 197]]")
    array([[ 97.,   3.],
           [  3., 197.]])
    """
    rows = [
        [_count(word) for word in re.split(r"[\s,]+", row.strip("[](), \t")) if word]
        for row in re.split(r"[;\n]+|[\])]\s*,?\s*[\[(]", text.strip())
    ]
    rows = [row for row in rows if row]
    numbers = [number for row in rows for number in row]
    n_classes = round(len(numbers) ** 0.5)
    if n_classes < 2 or n_classes**2 != len(numbers):
        raise InputError(
            f"MATRIX: {len(numbers)} numbers are no confusion matrix. Give 4 for two "
            "classes (TP FN FP TN), 9 for three, n x n for n: rows true, columns "
            "predicted."
        )
    if len(rows) > 1 and {len(row) for row in rows} != {n_classes}:
        raise InputError(
            f"MATRIX: the rows have {_listed(len(row) for row in rows)} numbers. Give "
            f"{n_classes} in each of {n_classes} rows."
        )
    return np.array(numbers).reshape(n_classes, n_classes)


def _count(word):
    try:
        count = float(word)
    except ValueError:
        count = -1.0
    if not 0 <= count < np.inf:
        raise InputError(f"MATRIX: {word!r} is no count, a number from 0 on.")
    return count


def _listed(values):
    return ", ".join(map(str, values))


def parse_shares(text, n_classes):
    """Return the class shares that a text stands for.

    Parameters
    ----------
    text : str
        For two classes the share of positives, as :func:`parse_share` takes it. For
        any number of them a share each between commas or spaces, or all to each other
        as in ``"1:10:100"``.
    n_classes : int

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    InputError
        If it is none of these, or the shares do not sum to 1.

    Examples
    --------
    >>> from sklimb.report.project import parse_shares
    >>> parse_shares("1:99", 2), parse_shares("20%, 0.3, 0.5", 3)
    (array([0.01, 0.99]), array([0.2, 0.3, 0.5]))
    """
    text = re.sub(r"\s*(:|%)", r"\1", text.strip())
    words = re.split(r"[\s,;]+", re.sub(r":\s+", ":", text))
    if len(words) == 1 and words[0].count(":") > 1:
        return _of_odds(words[0], n_classes)
    if len(words) == 1 and n_classes == 2:
        share = parse_share(words[0], "--prior")
        return np.array([share, 1 - share])
    if len(words) != n_classes:
        raise InputError(
            f"--prior: {text!r} has {len(words)} shares, and the matrix {n_classes} "
            "classes. Give one for each, in the order of the rows."
        )
    shares = np.array([parse_share(word, "--prior") for word in words])
    if abs(shares.sum() - 1) > ROUNDING:
        raise InputError(
            f"--prior: the shares sum to {shares.sum():.6g}. All classes' sum to 1."
        )
    return shares / shares.sum()


def _of_odds(text, n_classes):
    parts = text.split(":")
    try:
        odds = np.array([float(part) for part in parts])
    except ValueError:
        odds = np.zeros(1)
    if len(odds) != n_classes or not ((odds > 0) & np.isfinite(odds)).all():
        raise InputError(
            f"--prior: {text!r} is not {n_classes} numbers above 0, one for each "
            "class, as in '1:10:100'."
        )
    return odds / odds.sum()


def _check_rows(found):
    empty = found.counts.sum(axis=1) == 0
    if empty.any():
        name = found.names[int(np.argmax(empty))]
        raise InputError(
            f"MATRIX: no rows of {name!r} were counted, so that nothing is known of "
            "how they are predicted. Rows are true classes, columns predicted ones."
        )


def _show(found):
    console = output()
    whole = not console.is_terminal  # a pipe gets each text as one line
    binary = len(found.prior) == 2
    console.print(_lead(found), soft_wrap=whole)
    console.print()
    console.print(_matrix(found))
    console.print()
    console.print(_measures(found))
    console.print()
    if binary:
        console.print(_in_words(found), style="bold", soft_wrap=whole)
    console.print(
        "Intervals: 95 %, as what was counted is only a sample of each class.",
        soft_wrap=whole,
    )


def _lead(found):
    if len(found.prior) == 2:
        return (
            f"From {percent(found.own[0])} positives, as counted, to "
            f"{percent(found.prior[0])}. Recalls stay, precision moves."
        )
    own, prior = (
        ", ".join(percent(share) for share in shares)
        for shares in (found.own, found.prior)
    )
    return (
        f"From class shares of {own}, as counted, to {prior}. Recalls stay, precisions "
        "move."
    )


def _table():
    return Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)


def _matrix(found):
    table = _table()
    table.add_column(f"of {found.n_shown:,} rows")
    for name in found.names:
        table.add_column(f"called\n{name}", justify="right", min_width=10)
    for name, row in zip(found.names, found.projected, strict=True):
        table.add_row(name, *(f"{count:,.0f}" for count in row))
    return table


def _measures(found):
    table = _table()
    table.add_column("")
    for title in ("as counted", "there", "95 % interval"):
        table.add_column(title, justify="right", min_width=14)
    for title, function in _shown(found):
        before, after, low, high = found.values(function)
        cells = figure(before), figure(after), f"{figure(low)}-{figure(high)}"
        table.add_row(title, *cells)
    return table


def _shown(found):
    """Yield titles and functions of confusion matrices."""
    for k, name in enumerate(found.names[:1] if len(found.prior) == 2 else found.names):
        of = "" if len(found.prior) == 2 else f" of {name}"
        yield f"recall{of}", _rate_of(k, axis=-1)
        yield f"precision{of}", _rate_of(k, axis=-2)
    if len(found.prior) == 2:
        yield "F1", _of_two("f1")
        yield "false alarms among others", lambda m: 1 - _rate_of(1, axis=-1)(m)
        yield "share called positive", lambda m: _share_called(m, 0)
    yield "accuracy", _of_any("accuracy", len(found.prior))
    yield "macro F1", _of_any("f1_macro", len(found.prior))


def _rate_of(k, axis):
    """Return the function of matrices that is a class's recall or precision."""

    def rate(matrix):
        hits, whole = matrix[..., k, k], matrix.sum(axis=axis)[..., k]
        return np.divide(hits, whole, out=np.zeros_like(hits), where=whole > 0)

    return rate


def _share_called(matrix, k):
    return matrix[..., k].sum(axis=-1) / matrix.sum(axis=(-2, -1))


def _of_two(name):
    """Return a metric of matrices whose first class is the positive one."""
    function = metric_function(name)
    return lambda m: function(m[..., 0, 0], m[..., 1, 0], m[..., 0, 1], m[..., 1, 1])


def _of_any(name, n_classes):
    return multiclass_metric(name, n_classes).of_confusion


def _in_words(found):
    """Return how many alarms are right, before and there."""
    missed, positives = found.projected[0, 1], found.projected[0].sum()
    return (
        f"As counted, {_alarms(found.counts, 'were')}. There, among "
        f"{found.n_shown:,} rows, {_alarms(found.projected, 'are')}, and {missed:,.0f} "
        f"of {positives:,.0f} positives are missed."
    )


def _alarms(matrix, verb):
    right, alarms = matrix[0, 0], matrix[:, 0].sum()
    if alarms == 0:
        return "there was no alarm" if verb == "were" else "there is no alarm"
    return f"of {alarms:,.0f} alarms {right:,.0f} {verb} right"
