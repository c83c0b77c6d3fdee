"""Which measures a comparison has: its aim, what is required, and the columns."""

import numpy as np

from sklimb.report.errors import one_line
from sklimb.report.measures import Measure, column_of_aim, columns_for
from sklimb.report.several import (
    column_of_aim_of_several,
    columns_for_several,
    rate_of_class,
)
from sklimb.thresholds import cost_metric
from sklimb.thresholds._constraints import ONE_CLASS, Constraint, constraint_function

__all__ = ["COST", "aim_of", "cheapest_constant", "measures_of"]

COST = "cost"
# In a column's title.
LONGEST_LABEL = 20


def measures_of(options):
    """Return the measures of a comparison, the most important ones first.

    Parameters
    ----------
    options : Options

    Returns
    -------
    list of Measure
    """
    columns = _columns(options)
    known = {column.key for column in columns}
    required = {r.key: r for r in options.requirements if r.key not in known}
    first = [] if options.costs is None else [_cost(options)]
    return [*first, *(_required(r, options) for r in required.values()), *columns]


def aim_of(options):
    """Return the measure that thresholds maximise and strategies are compared by.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Measure
    """
    if options.costs is not None:
        return _cost(options)
    if options.positive is None:
        return column_of_aim_of_several(options.scoring)
    return column_of_aim(options.scoring)


def _columns(options):
    if options.positive is None:
        return columns_for_several(options.scoring)
    # A cost is no column of its own name's: the default ones go with it.
    costs = options.costs is not None
    return columns_for("balanced_accuracy" if costs else options.scoring)


def _cost(options):
    saving = cost_metric(options.cost_matrix, options.positive_class)
    return Measure(COST, "cost per row", False, lambda *counts: 0 - saving(*counts))


def cheapest_constant(options, prevalence):
    """Return the least cost per row of one decision for all rows, and which it is.

    Parameters
    ----------
    options : Options
        With costs.
    prevalence : float

    Returns
    -------
    cost : float
    called_positive : bool
    """
    false_positive, false_negative = options.costs
    missed, alarms = prevalence * false_negative, (1 - prevalence) * false_positive
    return min(missed, alarms), alarms < missed


def _required(requirement, options):
    title = requirement.name.replace("_", " ")
    if requirement.label is not None:
        title += f" [{one_line(requirement.label, LONGEST_LABEL)}]"
    several = options.positive is None
    function = (_of_matrices if several else _of_counts)(requirement, options)
    return Measure(requirement.key, title, requirement.sense == ">=", function)


def _of_counts(requirement, options):
    label = requirement.label
    number = None if label is None else options.classes.index(label)
    constraint = Constraint(requirement.name, number, -np.inf, np.inf)
    return constraint_function(constraint, options.positive_class)


def _of_matrices(requirement, options):
    if requirement.name not in ONE_CLASS:
        return None
    return rate_of_class(requirement.name, options.classes.index(requirement.label))
