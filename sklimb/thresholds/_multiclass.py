"""The thresholds of several classes with the greatest metric."""

import numpy as np

from sklimb._validation import as_labels, check_labels, check_sample_weight
from sklimb.priors import class_numbers
from sklimb.thresholds._multiclass_metrics import multiclass_metric
from sklimb.thresholds._multiclass_search import search_class_thresholds

__all__ = ["optimal_class_thresholds"]


def optimal_class_thresholds(
    y_true,
    proba,
    metric="balanced_accuracy",
    sample_weight=None,
    *,
    classes=None,
    cost_matrix=None,
    sample_cost=None,
    n_restarts=None,
    random_state=0,
):
    """Find the thresholds of several classes with the greatest metric.

    A row is given the class with the greatest ``proba / threshold``, the lowest
    of tied ones; thresholds that are all 1 are argmax. One threshold at a time
    is moved to the best of all its cuts, "never" and "always" included, until
    none can be moved any better: exact in each coordinate, and for two classes
    exact. Several starts make up for local optima; on 3 classes they reach the
    exhaustive optimum of small tables in about 99 of 100 cases. The result is
    never worse than argmax on these rows.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    proba : array-like of shape (n_rows, n_classes)
        Scores of the classes that are not negative, such as probabilities.
    metric : str or callable, default="balanced_accuracy"
        ``"accuracy"``, ``"balanced_accuracy"``, ``"cohen_kappa"``, ``"cost"``,
        ``"f1_macro"``, ``"f1_weighted"``, ``"geometric_mean"`` (of the
        recalls), ``"jaccard_macro"``, ``"jaccard_weighted"``,
        ``"matthews_corrcoef"``, ``"minimum_recall"``, ``"precision_macro"``,
        ``"precision_weighted"``, ``"recall_macro"`` or ``"recall_weighted"``;
        short forms ``"g_mean"``, ``"kappa"``, ``"macro_f1"``, ``"mcc"``. Or a
        function of confusion matrices of shape (..., n_classes, n_classes),
        rows true, that gives an array of shape (...): it is evaluated on a
        grid of up to 200 cuts, so its optimum is not exact.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts; rows of weight 0 are left out.
    classes : array-like of shape (n_classes,), default=None
        The columns' labels, sorted; None for those of ``y_true``.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"cost"``: what predicting the column costs where the row is true.
    sample_cost : array-like of shape (n_rows, n_classes), default=None
        For ``"cost"``: what predicting each class costs in each row.
    n_restarts : int, default=None
        Random starts beside argmax and the class shares. None for 24, for many
        rows of many classes down to 8; two classes need none.
    random_state : int, default=0
        Seed of the random starts, and of the sample that they are compared on
        for more than 20,000 rows.

    Returns
    -------
    OptimalThresholds
        ``thresholds``, of shape (n_classes,), with a geometric mean of 1 over
        the finite ones; infinite for a class that is best never chosen.
        ``score``, the metric there; for ``"cost"`` minus the mean cost.

    Raises
    ------
    ValueError
        If shapes differ, ``proba`` is negative or not finite, a label is not
        among ``classes``, or the metric or its costs are not valid.

    Notes
    -----
    Where a class has no rows, recalls and their means leave it out, as
    scikit-learn's balanced accuracy does; ``"f1_macro"``, ``"jaccard_macro"``
    and ``"precision_macro"`` count it as 0 once it is predicted, as
    scikit-learn's do with ``zero_division=0``. A threshold lies in the
    geometric middle of the gap between two cuts, of equal optima in that of
    the widest plateau.

    Examples
    --------
    >>> from sklimb.thresholds import optimal_class_thresholds
    >>> y_true = [0, 0, 0, 1, 1, 2]
    >>> proba = [
    ...     [0.8, 0.1, 0.1],
    ...     [0.7, 0.2, 0.1],
    ...     [0.7, 0.1, 0.2],
    ...     [0.4, 0.5, 0.1],
    ...     [0.6, 0.3, 0.1],
    ...     [0.6, 0.1, 0.3],
    ... ]
    >>> best = optimal_class_thresholds(y_true, proba)  # argmax never says 2
    >>> best.score
    1.0
    >>> (proba / best.thresholds).argmax(axis=1)
    array([0, 0, 0, 1, 1, 2])
    """
    y_true, found = check_labels(y_true)
    classes = found if classes is None else _check_classes(classes)
    proba = _check_proba(proba, len(y_true), classes)
    costs = {"cost_matrix": cost_matrix, "sample_cost": sample_cost}
    function = multiclass_metric(metric, len(classes), **costs)
    if sample_cost is not None:
        _check_length("sample_cost", sample_cost, len(y_true))
    return search_class_thresholds(
        class_numbers(y_true, classes),
        proba,
        function,
        sample_weight=_check_weight(sample_weight, len(y_true)),
        n_restarts=n_restarts,
        random_state=random_state,
    )


def _check_classes(classes):
    classes = np.asarray(classes)
    if not np.array_equal(classes, np.unique(classes)):
        raise ValueError(
            f"`classes`={as_labels(classes)} must be sorted, each label once, as an "
            "estimator's `classes_` are; order the columns of `proba` like that."
        )
    return classes


def _check_proba(proba, n_rows, classes):
    proba = np.asarray(proba, dtype=np.float64)
    if proba.shape != (n_rows, len(classes)):
        raise ValueError(
            f"`proba` has shape {proba.shape}; expected ({n_rows}, {len(classes)}), "
            f"one column for each class of {as_labels(classes)}. Give `classes` where "
            "`y_true` lacks one."
        )
    if not (np.isfinite(proba).all() and proba.min() >= 0):
        raise ValueError(
            "`proba` must be finite and not negative; got values from "
            f"{proba.min():.6g} to {proba.max():.6g}. Give probabilities, not logits."
        )
    return proba


def _check_length(name, values, n_rows):
    if len(values) != n_rows:
        raise ValueError(
            f"`{name}` has {len(values)} rows; expected {n_rows}, one for each of "
            "`y_true`."
        )


def _check_weight(sample_weight, n_rows):
    weight = check_sample_weight(sample_weight, n_rows)
    if weight is not None and not weight.any():
        raise ValueError(
            "`sample_weight` is 0 for every row; give at least one row a weight."
        )
    return weight
