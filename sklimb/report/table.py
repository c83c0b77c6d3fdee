"""The comparison as a table for the terminal."""

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from sklimb.report.aims import COST
from sklimb.report.numbers import interval, short

__all__ = [
    "comparison_table",
    "infeasible_table",
    "is_best",
    "misses",
    "scale_of",
    "shown_measures",
    "unit_of",
]

# The narrowest table; the names take as much as a column of it.
NARROW = 80
COLUMN = 10
# A column of such small values is shown in thousandths, of such large ones in
# thousands.
SMALL = 0.01
LARGE = 9999.5


def comparison_table(comparison, width):
    """Return the table of strategies by measures, the best in each column marked.

    Parameters
    ----------
    comparison : Comparison
    width : int
        Of the terminal, in characters.

    Returns
    -------
    rich.table.Table
    """
    measures = shown_measures(comparison, width)
    table = Table(
        box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=1
    )
    table.add_column("strategy", vertical="top")
    scales = {m.key: scale_of(comparison.outcomes, m.key) for m in measures}
    for m in measures:
        words = [*m.title.split(), unit_of(scales[m.key])]
        title = "\n".join(filter(None, words))
        table.add_column(title, justify="right", no_wrap=True, min_width=COLUMN - 1)
    for outcome in comparison.outcomes:
        cells = [
            _cell(
                outcome,
                m,
                scales[m.key],
                is_best(comparison, outcome, m),
                misses(comparison, outcome, m),
            )
            for m in measures
        ]
        table.add_row(outcome.name, *cells)
    return table


def shown_measures(comparison, width):
    """Return the measures that a terminal has room for.

    Parameters
    ----------
    comparison : Comparison
    width : int
        Of the terminal, in characters.

    Returns
    -------
    list of Measure
    """
    ends = np.cumsum([_width(measure) for measure in comparison.measures])
    return comparison.measures[: int(np.sum(ends <= max(width, NARROW) - COLUMN))]


def _width(measure):
    """Return what a column takes, with the blank before it."""
    return max(COLUMN, 1 + max(map(len, measure.title.split())))


def infeasible_table(comparison):
    """Return the strategies that keep no requirement, with the reasons.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    rich.table.Table
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    for each in comparison.infeasible:
        table.add_row(Text(each.name), Text(f"infeasible out of fold: {each.why}"))
    return table


def scale_of(outcomes, key):
    """Return what to multiply a column by, so that its numbers are short.

    Parameters
    ----------
    outcomes : list of Outcome
    key : str
        A measure's.

    Returns
    -------
    float
        1, 1000 or 0.001.
    """
    values = [outcome.estimates[key].value for outcome in outcomes]
    if key == COST and max(values) >= LARGE:
        return 0.001
    return 1000 if key in ("log_loss", "brier", COST) and min(values) < SMALL else 1


def unit_of(scale):
    """Return what a column's title says of its scale.

    Parameters
    ----------
    scale : float
        As :func:`scale_of` gives it.

    Returns
    -------
    str
        "" for none.
    """
    return {1: "", 1000: "x 1000", 0.001: "in 1000s"}[scale]


def is_best(comparison, outcome, measure):
    """Tell whether a strategy has the best value of a column.

    Parameters
    ----------
    comparison : Comparison
    outcome : Outcome
    measure : Measure

    Returns
    -------
    bool
        True for each of several equal ones.
    """
    values = [other.estimates[measure.key].value for other in comparison.outcomes]
    best = max(values) if measure.higher_is_better else min(values)
    return outcome.estimates[measure.key].value == best


def misses(comparison, outcome, measure):
    """Tell whether a value is outside of what is required of it.

    Parameters
    ----------
    comparison : Comparison
    outcome : Outcome
    measure : Measure

    Returns
    -------
    bool
    """
    required = [r for r in comparison.options.requirements if r.key == measure.key]
    return not outcome.keeps(required)


def _cell(outcome, measure, scale, best, missed):
    estimate = outcome.estimates[measure.key]
    value = short(estimate.value * scale)
    # The marks stand without colours too.
    value = (f"*{value}", "bold green") if best else value
    marks = ("!", "bold red") if missed else ""
    return Text.assemble(marks, value, "\n", (interval(estimate, scale), "dim"))
