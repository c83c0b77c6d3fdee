"""The table of strategies in a report."""

from sklimb.report.numbers import short
from sklimb.report.page import fragment
from sklimb.report.table import is_best, misses, scale_of, unit_of

__all__ = ["strategies_table"]


def strategies_table(comparison, chosen):
    """Return all strategies by all measures, with intervals.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    markupsafe.Markup
    """
    outcomes, infeasible = comparison.outcomes, comparison.infeasible
    scales = {m.key: scale_of(outcomes, m.key) for m in comparison.measures}
    return fragment(
        "strategies.html",
        n_test=comparison.n_test,
        measures=[
            {
                "title": m.title,
                "unit": unit_of(scales[m.key]),
                "higher_is_better": m.higher_is_better,
            }
            for m in comparison.measures
        ],
        rows=[_row(comparison, o, scales, o is chosen) for o in outcomes],
        has_requirements=bool(comparison.options.requirements),
        infeasible=infeasible,
        meanings=[each.strategy for each in (*outcomes, *infeasible)],
    )


def _row(comparison, outcome, scales, chosen):
    return {
        "name": outcome.name,
        "chosen": chosen,
        "cells": [
            _cell(comparison, outcome, m, scales[m.key]) for m in comparison.measures
        ],
    }


def _cell(comparison, outcome, measure, scale):
    estimate = outcome.estimates[measure.key]
    low, high = (short(end * scale) for end in estimate.interval)
    return {
        "value": short(estimate.value * scale),
        "interval": f"{low}\N{EN DASH}{high}",
        "best": is_best(comparison, outcome, measure),
        "missed": misses(comparison, outcome, measure),
    }
