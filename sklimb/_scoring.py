"""A ``scoring`` parameter as what a decision is chosen by."""

from difflib import get_close_matches

from sklearn.metrics import get_scorer, get_scorer_names

from sklimb._compat import parts_of_scorer, scorer_needs_scores
from sklimb._objectives import (
    CountMetric,
    LabelScorer,
    MulticlassMetric,
    RowCosts,
    ScorerOfConfusions,
)
from sklimb.thresholds import (
    metric_function,
    metric_names,
    multiclass_metric,
    multiclass_metric_names,
)
from sklimb.thresholds._checks import check_cost_matrix

__all__ = ["resolve_scoring"]

# Functions of sklearn.metrics, and the names of what they compute.
SCORED_BY = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "cohen_kappa_score": "cohen_kappa",
    "f1_score": "f1",
    "jaccard_score": "jaccard",
    "matthews_corrcoef": "matthews_corrcoef",
    "precision_score": "precision",
    "recall_score": "recall",
}
AVERAGED = ("f1", "jaccard", "precision", "recall")

# What ``scoring`` may be where costs are given: the default says nothing else.
COST_AIMS = ("cost", "balanced_accuracy")


def resolve_scoring(scoring, classes, positive_class, cost_matrix=None, by_row=False):
    """Return what a decision is chosen by.

    Parameters
    ----------
    scoring : str or callable
        A name of :func:`sklimb.thresholds.metric_names`, a scikit-learn scorer
        name, or a scorer ``(estimator, X, y) -> float`` that uses labels. With
        costs, ``"cost"`` or the default.
    classes : ndarray of shape (n_classes,)
    positive_class : int
        Of two classes the positive one's place in ``classes``.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
    by_row : bool, default=False
        Whether every row has costs of its own.

    Returns
    -------
    CountMetric, LabelScorer, RowCosts or MulticlassMetric

    Raises
    ------
    ValueError
        If the name is unknown, the metric needs no threshold or is for two
        classes, there are two aims, or none, or the costs are not valid.
    """
    if cost_matrix is not None or by_row:
        return _of_costs(scoring, classes, positive_class, cost_matrix, by_row)
    if isinstance(scoring, str) and scoring == "cost":
        raise ValueError(
            "`scoring`='cost' needs `cost_matrix`, or `sample_cost` in `fit`; both are "
            "None. Give one of them."
        )
    if isinstance(scoring, str):
        metric = _metric_or_none(scoring, len(classes))
        if metric is not None:
            return metric
        scorer = _named_scorer(scoring, len(classes))
    elif callable(scoring):
        scorer = scoring
    else:
        raise ValueError(
            f"`scoring`={scoring!r} must be one metric's name or one scorer: a "
            "threshold is chosen for one aim."
        )
    if scorer_needs_scores(scorer):
        raise ValueError(
            f"`scoring`={scoring!r} ranks or weighs probabilities and needs no "
            "threshold. Choose the threshold by a metric of labels, such as 'f1' or "
            "'balanced_accuracy'."
        )
    known = _metric_of_scorer(scorer, classes, positive_class)
    if known is not None:
        return known
    if len(classes) > 2:
        _check_for_several(scoring, scorer, len(classes))
        return MulticlassMetric(ScorerOfConfusions(scorer, classes), len(classes))
    return LabelScorer(scorer, classes[1 - positive_class], classes[positive_class])


def _of_costs(scoring, classes, positive_class, cost_matrix, by_row):
    if scoring not in COST_AIMS:
        raise ValueError(
            f"`scoring`={scoring!r} and costs are two aims, and a decision has one. "
            "Leave `scoring` out to have the least cost, or leave out `cost_matrix` "
            "and `sample_cost`."
        )
    if cost_matrix is not None and by_row:
        raise ValueError(
            "`cost_matrix` and `sample_cost` both say what decisions cost. Give one."
        )
    if cost_matrix is not None:
        cost_matrix = check_cost_matrix(cost_matrix, classes)
    if len(classes) > 2:
        return MulticlassMetric("cost", len(classes), cost_matrix)
    if by_row:
        return RowCosts(positive_class)
    return CountMetric("cost", cost_matrix, positive_class)


def _metric_or_none(name, n_classes):
    try:
        if n_classes > 2:
            multiclass_metric(name, n_classes)
            return MulticlassMetric(name, n_classes)
        metric_function(name)
        return CountMetric(name)
    except ValueError:
        return None


def _metric_of_scorer(scorer, classes, positive_class):
    """Return the metric of the table that a scikit-learn scorer computes, or None."""
    function, settings = parts_of_scorer(scorer)
    name = SCORED_BY.get(function)
    settings = {k: v for k, v in settings.items() if (k, v) != ("zero_division", 0)}
    if name in AVERAGED:
        average = settings.pop("average", "binary")
        if average == "binary":
            if classes[positive_class] != settings.pop("pos_label", 1):
                return None
        elif average in ("macro", "weighted"):
            name = f"{name}_{average}"
        else:
            return None
    if name is None or settings:
        return None
    return _metric_or_none(name, len(classes))


def _check_for_several(scoring, scorer, n_classes):
    function, settings = parts_of_scorer(scorer)
    name = SCORED_BY.get(function)
    if name in AVERAGED and settings.get("average", "binary") == "binary":
        _refuse_for_several(scoring, name, n_classes)


def _refuse_for_several(scoring, name, n_classes):
    own = multiclass_metric_names()
    hint = f" Did you mean '{name}_macro'?" if f"{name}_macro" in own else ""
    raise ValueError(
        f"`scoring`={scoring!r} is a metric of two classes, and `y` has {n_classes}."
        f"{hint} Use one of {', '.join(own)}, or a scikit-learn scorer of labels."
    )


def _named_scorer(name, n_classes):
    own = metric_names() if n_classes == 2 else multiclass_metric_names()
    known = sorted({*own, *get_scorer_names()})
    if name in known:
        return get_scorer(name)
    if n_classes > 2 and _metric_or_none(name, 2) is not None:
        _refuse_for_several(name, name, n_classes)
    nearest = get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    fbeta = " 'f2', 'f0.5', ...," if n_classes == 2 else ""
    raise ValueError(
        f"`scoring`={name!r} is not known.{hint} Use one of "
        f"{', '.join(own)},{fbeta} or a scikit-learn scorer."
    )
