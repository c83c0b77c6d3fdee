"""Rows that are left undecided, and what the others' threshold makes of them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import LinearSVC

from sklimb import OptimalThresholdClassifierCV
from tests.data import imbalanced

X, y = imbalanced(800)
LOGISTIC = LogisticRegression()
FOLDS = list(StratifiedKFold(5).split(X, y))
PROBA = cross_val_predict(LOGISTIC, X, y, cv=FOLDS, method="predict_proba")
COSTS = np.array([[0.0, 1.0], [9.0, 0.0]])
NOISE = np.random.default_rng(0).normal(size=len(y))
THREE = np.digitize(X[:, 0] + NOISE, [-0.5, 1.2])
COSTS_OF_THREE = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 2.0], [9.0, 4.0, -1.0]])


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


def doubtful(proba, reject_cost, costs=None):
    costs = 1 - np.eye(proba.shape[1]) if costs is None else costs
    return (proba @ costs).min(axis=1) > reject_cost


@pytest.mark.parametrize("labels, costs", [(y, COSTS), (THREE, COSTS_OF_THREE)])
@pytest.mark.parametrize("with_costs", [False, True])
def test_rows_are_rejected_exactly_where_chows_rule_says(labels, costs, with_costs):
    costs = costs if with_costs else None
    model = tuned(cost_matrix=costs, reject_cost=0.3, reject_label=-1).fit(X, labels)
    proba = model.predict_proba(X)
    rejected = doubtful(proba, 0.3, costs)
    assert 0 < rejected.mean() < 1
    np.testing.assert_array_equal(model.predict(X) == -1, rejected)
    out_of_fold = doubtful(model.out_of_fold_.scores, 0.3, costs)
    assert model.reject_rate_ == pytest.approx(out_of_fold.mean())


def test_rejection_leaves_the_decision_values_as_they_are():
    model = tuned(reject_cost=0.3, reject_label=-1).fit(X, y)
    decided = model.predict(X) != -1
    np.testing.assert_array_equal(
        model.decision_function(X)[decided] > 0, model.predict(X)[decided] == 1
    )


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_rejected_rows_choose_no_threshold(aggregation):
    parameters = {"scoring": "f1", "aggregation": aggregation}
    model = tuned(reject_cost=0.25, reject_label=-1, **parameters).fit(X, y)
    scores = model.out_of_fold_.scores
    kept = np.flatnonzero(~doubtful(scores, 0.25))
    place = model.out_of_fold_.rows[kept]
    fold = model.out_of_fold_.fold[kept]
    cv = [(np.arange(len(kept)), np.flatnonzero(fold == k)) for k in range(5)]
    alone = tuned(Handed(scores[kept]), cv=cv, **parameters)
    alone.fit(np.arange(len(kept))[:, None], y[place])
    assert model.best_threshold_ == alone.best_threshold_
    assert model.apparent_score_ == pytest.approx(alone.apparent_score_)
    assert model.best_score_ == pytest.approx(alone.best_score_)


class Handed(ClassifierMixin, BaseEstimator):
    """Gives rows, which are numbers, probabilities out of a table."""

    def __init__(self, table=None):
        self.table = table

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return self.table[X[:, 0]]


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_the_rows_own_prior_as_target_leaves_rejection_and_threshold(aggregation):
    rejecting = {"reject_cost": 0.25, "reject_label": -1, "aggregation": aggregation}
    rows = np.concatenate([np.flatnonzero(y == k)[: 600 - 520 * k] for k in range(2)])
    given = tuned(scoring="f1", target_prior=80 / 680, **rejecting)
    own = tuned(scoring="f1", **rejecting)
    given.fit(X[rows], y[rows]), own.fit(X[rows], y[rows])
    assert given.best_threshold_ == own.best_threshold_
    assert given.apparent_score_ == pytest.approx(own.apparent_score_)
    assert given.reject_rate_ == pytest.approx(own.reject_rate_)


def test_the_reject_rate_is_that_at_the_target_prior():
    model = tuned(reject_cost=0.25, reject_label="?", target_prior=0.5).fit(X, y)
    rejected = doubtful(PROBA, 0.25)
    expected = (rejected[y == 0].mean() + rejected[y == 1].mean()) / 2
    assert model.reject_rate_ == pytest.approx(expected)
    assert not hasattr(tuned().fit(X, y), "reject_rate_")


def test_whole_weights_and_rejection_count_as_repeated_rows():
    weight = np.random.default_rng(1).integers(1, 4, len(y))
    fitted = LogisticRegression().fit(X, y)
    rejecting = {"cv": "prefit", "reject_cost": 0.25, "reject_label": -1}
    weighted = tuned(fitted, scoring="f1", **rejecting).fit(X, y, sample_weight=weight)
    repeated = tuned(fitted, scoring="f1", **rejecting)
    repeated.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.best_threshold_ == repeated.best_threshold_
    assert weighted.reject_rate_ == pytest.approx(repeated.reject_rate_)


@pytest.mark.parametrize("label", ["unsure", None])
def test_a_reject_label_may_be_of_another_type(label):
    model = tuned(reject_cost=0.2, reject_label=label).fit(X, y)
    predicted = model.predict(X)
    assert predicted.dtype == object
    assert set(predicted) == {0, 1, label}


def test_without_probabilities_nothing_can_be_rejected():
    with pytest.raises(TypeError, match="`reject_cost`"):
        tuned(LinearSVC(), reject_cost=0.2, reject_label=-1).fit(X, y)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"reject_cost": 0.0}, "rejects every row out of fold: nothing"),
        ({"reject_cost": 0.001}, "every row out of fold but those of the class 0"),
    ],
)
def test_rejection_that_leaves_nothing_to_decide_is_an_error(parameters, message):
    with pytest.raises(ValueError, match=message):
        tuned(reject_label=-1, **parameters).fit(X, y)


def test_rejection_that_empties_a_fold_of_a_class_names_itself():
    positive = np.where(y == 1, 0.9, 0.1 * np.random.default_rng(0).random(len(y)))
    test = FOLDS[2][1]
    positive[test[y[test] == 1]] = 0.5
    proba = np.column_stack([1 - positive, positive])
    handed, rows = Handed(proba), np.arange(len(y))[:, None]
    rejecting = {"reject_cost": 0.2, "reject_label": -1}
    with pytest.raises(ValueError, match=r"`reject_cost` leave the folds \[2\]"):
        tuned(handed, cv=FOLDS, **rejecting).fit(rows, y)
    tuned(handed, cv=FOLDS, aggregation="pooled", **rejecting).fit(rows, y)
