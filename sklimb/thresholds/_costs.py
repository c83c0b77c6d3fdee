"""What decisions cost, and the cheapest one.

A cost matrix has a row for each true class and a column for each predicted
class; a gain is a negative cost.
"""

import numpy as np

from sklimb._validation import check_sample_weight
from sklimb.priors._proba_rows import check_proba_rows
from sklimb.thresholds._checks import check_cost_matrix, check_sample_cost

__all__ = [
    "REJECTED",
    "bayes_decision",
    "bayes_threshold",
    "cheapest_classes",
    "cost_metric",
    "cost_rows",
    "expected_costs",
    "is_reversed",
    "mean_cost",
    "threshold_of_costs",
]

# The class number of a row that is left undecided.
REJECTED = -1


def expected_costs(proba, cost_matrix):
    """Return what each decision is expected to cost.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes)
        Probabilities, each row summing to 1.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Rows are true classes, columns predicted ones.

    Returns
    -------
    ndarray of shape (n_rows, n_classes), float64
        Column k is ``sum_c p_c cost_matrix[c, k]``, in the costs' unit.

    Raises
    ------
    ValueError
        If probabilities or costs are not valid.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning", eq. 1.

    Examples
    --------
    A fraud that is missed costs 100, a customer who is called costs 2.

    >>> from sklimb.thresholds import expected_costs
    >>> expected_costs([[0.99, 0.01], [0.9, 0.1]], [[0, 2], [100, 2]])
    array([[ 1.,  2.],
           [10.,  2.]])
    """
    proba, costs = _checked(proba, cost_matrix)
    return proba @ costs


def _checked(proba, cost_matrix):
    proba = check_proba_rows(proba).proba.astype(np.float64, copy=False)
    return proba, check_cost_matrix(cost_matrix, range(proba.shape[1]))


def bayes_decision(proba, cost_matrix, *, reject_cost=None):
    """Return the decisions of least expected cost.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes)
        Probabilities, each row summing to 1.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Rows are true classes, columns predicted ones.
    reject_cost : float, default=None
        What it costs to leave a row undecided: rows where every decision is
        expected to cost more are rejected. None decides every row.

    Returns
    -------
    ndarray of shape (n_rows,), int
        Columns of ``proba``, -1 for a row rejected. Of equal costs the lower
        column wins; of two columns the second, as with a threshold.

    Raises
    ------
    ValueError
        If probabilities or costs are not valid.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning"; Chow (1970), "On
    optimum recognition error and reject tradeoff".

    Examples
    --------
    >>> from sklimb.thresholds import bayes_decision
    >>> proba = [[0.99, 0.01], [0.95, 0.05], [0.2, 0.8]]
    >>> bayes_decision(proba, [[0, 10], [100, 0]])
    array([0, 0, 1])
    >>> bayes_decision(proba, [[0, 10], [100, 0]], reject_cost=4)
    array([ 0, -1,  1])
    """
    proba, costs = _checked(proba, cost_matrix)
    chosen = cheapest_classes(proba, costs)
    if reject_cost is None:
        return chosen
    return np.where((proba @ costs).min(axis=1) > reject_cost, REJECTED, chosen)


def cheapest_classes(proba, costs):
    """Decide as :func:`bayes_decision`, from clean arrays."""
    if len(costs) == 2 and not is_reversed(costs):
        return (proba[:, 1] >= threshold_of_costs(costs)).astype(np.intp)
    return np.argmin(proba @ costs, axis=1)


def _extra_costs(costs):
    """Return what a false positive and what a miss cost more than a true answer."""
    return costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]


def is_reversed(costs):
    """Tell whether the second of two classes is cheaper where it is less likely."""
    false_positive, miss = _extra_costs(costs)
    return false_positive < 0 and miss < 0


def bayes_threshold(cost_matrix):
    """Return the threshold of least expected cost for two classes.

    Parameters
    ----------
    cost_matrix : array-like of shape (2, 2)
        Rows are true classes, columns predicted ones; the second is positive.

    Returns
    -------
    float
        In [0, 1]: positive where the positive class's probability is at least
        that. 0 where positive is always cheaper, inf where it never is.

    Raises
    ------
    ValueError
        If the costs are not valid, or both classes are cheaper to get wrong
        than right, which no threshold can follow.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning", eq. 2:
    ``(C01 - C00) / (C01 - C00 + C10 - C11)``.

    Examples
    --------
    A miss costs 49 times as much as a false alarm.

    >>> from sklimb.thresholds import bayes_threshold
    >>> bayes_threshold([[0, 1], [49, 0]])
    0.02
    """
    costs = check_cost_matrix(cost_matrix, range(2))
    if is_reversed(costs):
        raise ValueError(
            f"`cost_matrix`={costs.tolist()} makes both classes cheaper to get wrong "
            "than right, which no threshold can follow. Rows are true classes, columns "
            "predicted ones; a gain is a negative cost."
        )
    return threshold_of_costs(costs)


def threshold_of_costs(costs):
    """Return the threshold of a clean cost matrix that is not reversed."""
    false_positive, miss = _extra_costs(costs)
    if miss < 0:
        return np.inf
    if false_positive <= 0:
        return 0.0
    return float(false_positive / (false_positive + miss))


def mean_cost(
    class_numbers,
    predicted,
    cost_matrix=None,
    *,
    sample_cost=None,
    sample_weight=None,
    reject_cost=None,
):
    """Return what decisions cost on average.

    Parameters
    ----------
    class_numbers : array-like of shape (n_rows,), int
        Each row's true class, as its place in the classes.
    predicted : array-like of shape (n_rows,), int
        The class decided for, -1 for a row rejected.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        Rows are true classes, columns predicted ones.
    sample_cost : array-like of shape (n_rows, n_classes), default=None
        In place of ``cost_matrix``: column k is what it costs to predict class
        k for the row.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts.
    reject_cost : float, default=None
        What a row rejected costs.

    Returns
    -------
    float
        In the costs' unit, per row.

    Raises
    ------
    ValueError
        If not exactly one of ``cost_matrix`` and ``sample_cost`` is given, a
        class number has no cost, or costs or weights are not valid.

    Examples
    --------
    >>> from sklimb.thresholds import mean_cost
    >>> mean_cost([0, 0, 0, 1], [0, 0, 1, 0], [[0, 2], [100, 0]])
    25.5
    """
    of_rows = _costs_of_rows(np.asarray(class_numbers), cost_matrix, sample_cost)
    if reject_cost is not None:  # column -1 is the last
        of_rows = np.column_stack([of_rows, np.full(len(of_rows), reject_cost)])
    predicted = np.asarray(predicted)
    lowest = 0 if reject_cost is None else REJECTED
    _check_numbers(predicted, lowest, of_rows.shape[1] + lowest, "predicted")
    if len(predicted) != len(of_rows):
        raise ValueError(
            f"`predicted` has {len(predicted)} rows, and there are costs of "
            f"{len(of_rows)}. Give a decision for each."
        )
    costs = of_rows[np.arange(len(of_rows)), predicted]
    weight = check_sample_weight(sample_weight, len(costs))
    return float(np.average(costs, weights=weight))


def _costs_of_rows(class_numbers, cost_matrix, sample_cost):
    if (cost_matrix is None) == (sample_cost is None):
        raise ValueError(
            "`cost_matrix` and `sample_cost` say the same thing for classes and for "
            "rows: give one of them."
        )
    if sample_cost is not None:
        return check_sample_cost(sample_cost, len(class_numbers))
    costs = check_cost_matrix(cost_matrix, range(len(cost_matrix)))
    _check_numbers(class_numbers, 0, len(costs), "class_numbers")
    return costs[class_numbers]


def _check_numbers(numbers, lowest, end, name):
    known = np.arange(lowest, end)
    if numbers.dtype.kind not in "iu" or not np.isin(numbers, known).all():
        raise ValueError(
            f"`{name}` has {np.setdiff1d(numbers, known)[:10].tolist()}; expected "
            f"places in the classes, whole numbers from {lowest} to {end - 1} (-1, a "
            "row rejected, only with `reject_cost`)."
        )


def cost_metric(cost_matrix, positive_class=1):
    """Return minus the mean cost as a function of (tp, fp, fn, tn).

    So that its maximum is the cheapest cut, as a metric for
    :func:`optimal_threshold`.

    Parameters
    ----------
    cost_matrix : array-like of shape (2, 2)
        Rows are true classes, columns predicted ones.
    positive_class : {0, 1}, default=1
        The row and column of the positive class.

    Returns
    -------
    callable
        Takes four numbers or arrays of one shape.

    Raises
    ------
    ValueError
        If the costs are not valid.

    Examples
    --------
    >>> from sklimb.thresholds import cost_metric, optimal_threshold
    >>> metric = cost_metric([[0, 1], [9, 0]])
    >>> y_true, y_score = [0, 0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    >>> round(optimal_threshold(y_true, y_score, metric).score, 3)
    -0.167
    """
    costs = check_cost_matrix(cost_matrix, range(2))
    order = [positive_class, 1 - positive_class]
    (of_tp, of_fn), (of_fp, of_tn) = costs[np.ix_(order, order)]

    def minus_mean_cost(tp, fp, fn, tn):
        total = of_tp * tp + of_fp * fp + of_fn * fn + of_tn * tn
        return -total / (tp + fp + fn + tn)

    return minus_mean_cost


def cost_rows(sample_cost, positive_class=1):
    """Return rows of two classes by which decision is cheaper, and by how much.

    The weighted ``tp - fp`` of a decision on these rows is what it costs less
    than to call no row positive, so its maximum is the least cost.

    Parameters
    ----------
    sample_cost : array-like of shape (n_rows, 2)
        Column k is what it costs to predict class k for the row.
    positive_class : {0, 1}, default=1

    Returns
    -------
    positive : ndarray of shape (n_rows,), bool
        Where to predict the positive class is cheaper.
    weight : ndarray of shape (n_rows,), float64
        By how much the cheaper decision is cheaper; 0 where both cost the same.

    Raises
    ------
    ValueError
        If the costs are not valid.

    Examples
    --------
    >>> from sklimb.thresholds import cost_rows
    >>> cost_rows([[500.0, 3.0], [0.0, 3.0]])
    (array([ True, False]), array([497.,   3.]))
    """
    costs = check_sample_cost(sample_cost, len(sample_cost), 2)
    saved = costs[:, 1 - positive_class] - costs[:, positive_class]
    return saved > 0, abs(saved)
