"""The comparison as a table for the terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

from sklimb.report.measures import COLUMNS
from sklimb.report.numbers import interval, short

__all__ = ["comparison_table", "is_best"]

# What fits an 80-column terminal; a further column needs as much again.
NARROW = 80
COLUMN = 10
# A column of such small values is shown in thousandths.
SMALL = 0.01


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
    measures = comparison.measures
    if width < NARROW + COLUMN:
        measures = measures[: len(COLUMNS)]
    table = Table(
        box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=1
    )
    table.add_column("strategy", vertical="top")
    scales = {m.key: _scale(comparison.outcomes, m.key) for m in measures}
    for m in measures:
        unit = "" if scales[m.key] == 1 else "\nx 1000"
        title = m.title.replace(" ", "\n") + unit
        table.add_column(title, justify="right", no_wrap=True, min_width=COLUMN - 1)
    for outcome in comparison.outcomes:
        cells = [
            _cell(outcome, m, scales[m.key], is_best(comparison, outcome, m))
            for m in measures
        ]
        table.add_row(outcome.name, *cells)
    return table


def _scale(outcomes, key):
    smallest = min(outcome.estimates[key].value for outcome in outcomes)
    return 1000 if key in ("log_loss", "brier") and smallest < SMALL else 1


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


def _cell(outcome, measure, scale, best):
    estimate = outcome.estimates[measure.key]
    value = short(estimate.value * scale)
    # The mark stands without colours too.
    value = (f"*{value}", "bold green") if best else value
    return Text.assemble(value, "\n", (interval(estimate, scale), "dim"))
