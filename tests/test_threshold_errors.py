"""Bad input to decisions: a clear error before anything is fitted."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.svm import LinearSVC

from sklimb import OptimalThresholdClassifierCV
from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds import (
    ThresholdRule,
    bayes_decision,
    bayes_threshold,
    cost_metric,
    expected_costs,
    mean_cost,
    metric_function,
    optimal_class_thresholds,
    optimal_threshold,
    threshold_interval,
)
from tests.data import imbalanced

X, y = imbalanced(600)
THREE = np.digitize(X[:, 0], [-0.5, 0.8])
NAMED = np.array(["cat", "dog", "emu"])[THREE]
COSTS = [[0, 1], [5, 0]]
OF_ROWS = np.zeros((len(y), 2))
OWN = make_scorer(lambda y, predicted: f1_score(y, predicted))


class NeverFitted(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("fitted before parameters were checked")


def tuned(labels=y, inner=None, fit=None, **parameters):
    model = OptimalThresholdClassifierCV(inner or NeverFitted(), **parameters)
    return lambda: model.fit(X, labels, **(fit or {}))


def limited(labels=y, confidence=None, **constraints):
    return tuned(labels, constraints=constraints, constraint_confidence=confidence)


def with_rows(sample_cost, **parameters):
    return tuned(fit={"sample_cost": sample_cost}, **parameters)


def with_one(value):
    costs = OF_ROWS.copy()
    costs[3, 1] = value
    return costs


BEFORE_ANY_FIT = {
    # what is maximised
    "f1 of three": (tuned(THREE, scoring="f1"), "two classes, and `y` has 3.*f1_macro"),
    "F2 of three": (tuned(THREE, scoring="f2"), "'f2' is a metric of two classes"),
    "youden of three": (tuned(THREE, scoring="youden"), "is a metric of two classes"),
    "scorer of three": (
        tuned(THREE, scoring=make_scorer(f1_score)),
        "metric of two classes.*'f1_macro'",
    ),
    "misspelt of three": (tuned(THREE, scoring="f1_makro"), "Did you mean 'f1_macro'"),
    "selection": (tuned(selection="best"), "'selection'"),
    "bagged scorer": (
        tuned(scoring=OWN, selection="bagged"),
        "`selection`='bagged' measures every cut.*metric's name",
    ),
    # constraints
    "no mapping": (
        tuned(constraints=[0.9]),
        r"`constraints`=\[0.9\] must be a mapping",
    ),
    "no constraint": (tuned(constraints={}), "must be a mapping of metrics to limits"),
    "unknown metric": (limited(recal=(0.9, None)), "'recal'.*Did you mean 'recall'"),
    "of two classes": (limited(THREE, f1=(0.5, None)), "known for 3.*'f1_macro'"),
    "which class": (
        limited(NAMED, recall=(0.9, None)),
        r"of which of the classes \['cat', 'dog', 'emu'\].*by class",
    ),
    "by class": (limited(accuracy={1: (0.9, None)}), "limits by class; only"),
    "unknown class": (
        limited(NAMED, recall={"cow": (0.9, None)}),
        r"\['cow'\] is not among the classes",
    ),
    "not a pair": (limited(recall=0.9), r"`constraints\['recall'\]`=0.9 is not a pair"),
    "open": (limited(recall=(None, None)), "says nothing: give a low or a high limit"),
    "percent": (
        limited(recall=(90, None)),
        "out of range.*shares of 1 and not percent",
    ),
    "upside down": (limited(recall=(0.9, 0.5)), "low limit above the high one"),
    "sure of 95": (limited(recall=(0.9, None), confidence=95), "between 0 and 1"),
    "sure of nothing": (
        tuned(constraint_confidence=0.9),
        "has nothing to be sure of: `constraints` is None",
    ),
    "sure of three": (
        limited(THREE, 0.9, minimum_recall=(0.1, None)),
        "is for two classes, and `y` has 3",
    ),
    # costs
    "shape of costs": (
        tuned(NAMED, cost_matrix=COSTS),
        r"has shape \(2, 2\); expected \(3, 3\), one row for each true class.*'cat'",
    ),
    "nan cost": (
        tuned(cost_matrix=[[0, np.nan], [1, 0]]),
        "finite; got nan for the true class 0 predicted as 1",
    ),
    "costs as text": (tuned(cost_matrix=[["a", 1], [1, 0]]), "must be numbers"),
    "ragged costs": (tuned(cost_matrix=[[0, 1], [1]]), "lists of equal length"),
    "shape of rows": (
        with_rows(OF_ROWS[1:]),
        r"`sample_cost` has shape \(599, 2\); expected \(600, 2\)",
    ),
    "one cost a row": (with_rows(OF_ROWS[:, 0]), "the cost of predicting each class"),
    "nan cost of a row": (with_rows(with_one(np.nan)), r"row 3 is not \(1 such rows\)"),
    "costs twice": (with_rows(OF_ROWS, cost_matrix=COSTS), "both say what.*Give one"),
    "two aims": (tuned(cost_matrix=COSTS, scoring="f1"), "costs are two aims"),
    "two aims, rows": (with_rows(OF_ROWS, scoring="f1"), "costs are two aims"),
    "no costs": (tuned(scoring="cost"), "needs `cost_matrix`, or `sample_cost` in"),
    "no costs of three": (tuned(THREE, scoring="cost"), "needs `cost_matrix`, or"),
    # rejection
    "label alone": (tuned(reject_label=-1), "no effect without `reject_cost`"),
    "label of a class": (
        tuned(reject_cost=0.2, reject_label=1),
        r"`reject_label`=1 is one of the classes \[0, 1\]",
    ),
    "label that is none": (
        tuned(reject_cost=0.2, reject_label=np.nan),
        "`reject_label`=nan is no label",
    ),
    "infinite cost": (tuned(reject_cost=np.inf), "must be a finite number"),
    "cost above an error's": (
        tuned(reject_cost=3, reject_label=-1),
        r"lie in \[0, 1\], as without `cost_matrix` an error costs 1",
    ),
    # classes
    "float of three": (tuned(THREE, target_prior=0.2), "a prior of two classes"),
    "unknown positive": (tuned(THREE, pos_label=7), "`pos_label`=7 is not among"),
}


@pytest.mark.parametrize(
    "call, message", BEFORE_ANY_FIT.values(), ids=list(BEFORE_ANY_FIT)
)
def test_what_is_wrong_is_said_before_any_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


class Half(ClassifierMixin, BaseEstimator):
    """Gives every row nearly the same probability."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        positive = 0.5 + 1e-3 * np.tanh(X[:, 0])
        return np.column_stack([1 - positive, positive])


L = LogisticRegression()
SURE = {"constraints": {"recall": (0.9, None)}, "constraint_confidence": 0.9}
WANDERS = {"constraints": {"precision": (None, 0.9)}, "constraint_confidence": 0.9}
AFTER = {
    "infeasible": (
        tuned(inner=L, constraints={"precision": (1, None), "recall": (0.9, None)}),
        InfeasibleConstraintError,
        "precision >= 1, recall >= 0.9.*no nearer than.*where the others hold.*Loosen",
    ),
    "infeasible of three": (
        tuned(NAMED, L, constraints={"recall": {"cat": (1, 1), "dog": (1, 1)}}),
        InfeasibleConstraintError,
        "No thresholds were found.*recall of 'cat' >= 1 and <= 1.*come",
    ),
    "uncertain": (
        tuned(inner=L, **SURE | {"constraints": {"recall": (1, None)}}),
        InfeasibleConstraintError,
        "with `constraint_confidence`=0.9.*makes it certain.*Give more rows",
    ),
    "high limit": (tuned(inner=L, **WANDERS), ValueError, "only recall, specificity"),
    "varying weights": (
        tuned(inner=L, fit={"sample_weight": 1 + abs(X[:, 0])}, **SURE),
        ValueError,
        "`sample_weight` varies within a class",
    ),
    "scorer without weights": (
        tuned(inner=L, scoring=OWN, target_prior=0.3),
        ValueError,
        "can't score rows of unequal weight.*Let it take `sample_weight`",
    ),
    "all rejected": (
        tuned(inner=Half(), reject_cost=0.1, reject_label=-1),
        ValueError,
        "`reject_cost`=0.1 rejects every row out of fold: nothing is left",
    ),
    "thresholds of decision values": (
        tuned(THREE, LinearSVC()),
        TypeError,
        "LinearSVC has no predict_proba.*SVC: probability=True",
    ),
    "rejection of decision values": (
        tuned(inner=LinearSVC(), reject_cost=0.1, reject_label=-1),
        TypeError,
        "no predict_proba, which costs, `reject_cost`",
    ),
}


@pytest.mark.parametrize("call, exception, message", AFTER.values(), ids=list(AFTER))
def test_what_cannot_be_decided_is_said_with_a_remedy(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


PROBA = np.full((len(y), 3), 1 / 3)
TWO = [[0.4, 0.6], [0.7, 0.3]]
POSITIVE, SCORE = np.array([False, True]), np.array([0.1, 0.8])


def class_thresholds(labels=THREE, proba=PROBA, *args, **parameters):
    return lambda: optimal_class_thresholds(labels, proba, *args, **parameters)


FUNCTIONS = {
    "metric": (class_thresholds(metric="f1"), "'f1' is not known for several classes"),
    "costs of a metric": (class_thresholds(cost_matrix=COSTS), "knows no costs"),
    "cost alone": (class_thresholds(metric="cost"), "takes one of.*got neither"),
    "costs of two": (
        class_thresholds(metric="cost", cost_matrix=COSTS),
        r"`cost_matrix` has shape \(2, 2\); expected \(3, 3\)",
    ),
    "costs of others": (
        class_thresholds(metric="cost", sample_cost=np.zeros((5, 3))),
        "`sample_cost` has 5 rows; expected 600",
    ),
    "columns": (class_thresholds(proba=PROBA[:, :2]), "one column for each class"),
    "logits": (class_thresholds(proba=-PROBA), "Give probabilities, not logits"),
    "order of classes": (class_thresholds(classes=[2, 1, 0]), "must be sorted"),
    "unknown label": (
        class_thresholds(classes=[0, 1], proba=PROBA[:, :2]),
        "not among",
    ),
    "no weight": (class_thresholds(sample_weight=0 * y), "0 for every row"),
    "function": (
        class_thresholds(metric=lambda confusion: 1.0),
        r"gave an array of shape \(\)",
    ),
    "one of two": (lambda: optimal_threshold(THREE, X[:, 0]), "3 classes"),
    "metric name": (lambda: metric_function("f1_makro"), "Did you mean"),
    "level": (
        lambda: threshold_interval(POSITIVE, SCORE, metric_function("f1"), level=95),
        "`level`=95 must lie between 0 and 1",
    ),
    "costs of three": (lambda: bayes_threshold(np.eye(3)), r"expected \(2, 2\)"),
    "costs the wrong way": (
        lambda: bayes_threshold([[1, 0], [0, 1]]),
        "both classes cheaper to get wrong",
    ),
    "shape of a decision": (
        lambda: bayes_decision(TWO, np.eye(3)),
        r"expected \(2, 2\)",
    ),
    "no probabilities": (lambda: expected_costs([[2.0, 3.0]], COSTS), "logits"),
    "costs of a metric of two": (lambda: cost_metric([1, 2]), r"expected \(2, 2\)"),
    "mean of both": (
        lambda: mean_cost([0, 1], [0, 1], COSTS, sample_cost=[[0, 1], [1, 0]]),
        "give one of them",
    ),
    "mean of another class": (
        lambda: mean_cost([0, 2], [0, 1], COSTS),
        r"`class_numbers` has \[2\]",
    ),
    "rejected without a cost": (
        lambda: mean_cost([0, 1], [-1, 1], COSTS),
        r"`predicted` has \[-1\].*only with `reject_cost`",
    ),
    "decisions too few": (
        lambda: mean_cost([0, 1], [1], COSTS),
        "`predicted` has 1 rows, and there are costs of 2",
    ),
    "rule of one class": (lambda: ThresholdRule(["a"]), "two or more different labels"),
    "rule of nan": (lambda: ThresholdRule([0, 1], np.nan), "or inf for never positive"),
    "rule of three": (lambda: ThresholdRule([0, 1, 2], 0.5), "Give one for each"),
    "threshold of 0": (
        lambda: ThresholdRule([0, 1, 2], [0, 1, 1]),
        "must be above 0",
    ),
    "never any": (lambda: ThresholdRule([0, 1], [np.inf] * 2), "infinite for every"),
    "rows of a rule": (
        lambda: ThresholdRule([0, 1, 2])(TWO),
        r"`scores` has shape \(2, 2\); expected \(n_rows, 3\)",
    ),
    "nan of a rule": (lambda: ThresholdRule([0, 1])([[np.nan, 1]]), "nan in row 0"),
}


@pytest.mark.parametrize("call, message", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_functions_of_arrays_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "wrong",
    [
        {"constraints": {"precision": (1, None), "recall": (0.99, None)}},
        {"cost_matrix": np.eye(3)},
        {"reject_cost": 0.0, "reject_label": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_failed_fit_leaves_the_earlier_one(wrong):
    model = OptimalThresholdClassifierCV(L).fit(X, y)
    before, threshold = set(vars(model)), model.best_threshold_
    with pytest.raises(ValueError):
        model.set_params(**wrong).fit(X, y)
    assert set(vars(model)) == before and model.best_threshold_ == threshold
    fresh = OptimalThresholdClassifierCV(L, **wrong)
    with pytest.raises(ValueError):
        fresh.fit(X, y)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
