"""What decisions cost, for classes and for rows, and which rows are left undecided."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklimb import (
    CalibratedLogitsClassifierCV,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.exceptions import UnreachableClassWarning
from sklimb.thresholds import bayes_decision, mean_cost
from tests.data import imbalanced

X, y = imbalanced(800)
LOGISTIC = LogisticRegression()
FOLDS = list(StratifiedKFold(5).split(X, y))
PROBA = cross_val_predict(LOGISTIC, X, y, cv=FOLDS, method="predict_proba")
COSTS = np.array([[0.0, 1.0], [9.0, 0.0]])
GAINS = np.array([[0.5, 1.0], [7.0, -3.0]])
RANDOM = np.random.default_rng(0)
OWN_COSTS = np.column_stack([y * RANDOM.lognormal(2, 1, len(y)), np.full(len(y), 1.5)])
WEIGHT = RANDOM.random(len(y)) + 0.2
THREE = np.digitize(X[:, 0] + RANDOM.normal(size=len(y)), [-0.5, 1.2])
COSTS_OF_THREE = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 2.0], [9.0, 4.0, -1.0]])
FEW = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


def least_cost(costs, proba=PROBA[:, 1], weight=None, folds=None):
    """Try every cut: the least mean cost of rows with such costs of (0, 1)."""
    folds = [np.arange(len(proba))] if folds is None else folds
    weight = np.ones(len(proba)) if weight is None else weight
    return min(
        np.mean(
            [
                np.average(
                    costs[fold, (proba[fold] >= cut).astype(int)], weights=weight[fold]
                )
                for fold in folds
            ]
        )
        for cut in np.append(np.unique(proba), 2)
    )


TESTS = [test for _, test in FOLDS]


@pytest.mark.parametrize("aggregation", ["pooled", "mean"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("kind", ["matrix", "gains", "rows"])
def test_the_threshold_has_the_least_cost_of_all_cuts(kind, weight, aggregation):
    folds = TESTS if aggregation == "mean" else None
    by_row = {"matrix": COSTS[y], "gains": GAINS[y], "rows": OWN_COSTS}[kind]
    matrix = {"matrix": COSTS, "gains": GAINS, "rows": None}[kind]
    model = tuned(cost_matrix=matrix, aggregation=aggregation)
    if kind == "rows":
        model.fit(X, y, sample_weight=weight, sample_cost=OWN_COSTS)
    else:
        model.fit(X, y, sample_weight=weight)
    scores = model.out_of_fold_.scores[np.argsort(model.out_of_fold_.rows), 1]
    expected = least_cost(by_row, scores, weight, folds)
    assert -model.apparent_score_ == pytest.approx(expected)


@pytest.mark.parametrize("aggregation", ["pooled", "mean"])
@pytest.mark.parametrize("labels, costs", [(y, COSTS), (THREE, COSTS_OF_THREE)])
def test_costs_of_rows_equal_a_cost_matrix_where_they_are_its_rows(
    labels, costs, aggregation
):
    by_class = tuned(cost_matrix=costs, aggregation=aggregation, store_cv_results=True)
    by_row = tuned(aggregation=aggregation, store_cv_results=True)
    by_class.fit(X, labels), by_row.fit(X, labels, sample_cost=costs[labels])
    np.testing.assert_allclose(by_row.best_threshold_, by_class.best_threshold_)
    np.testing.assert_allclose(by_row.fold_thresholds_, by_class.fold_thresholds_)
    for score in ("best_score_", "apparent_score_", "best_score_std_"):
        assert getattr(by_row, score) == pytest.approx(getattr(by_class, score))
    for name, values in by_class.cv_results_.items():
        np.testing.assert_allclose(by_row.cv_results_[name], values, atol=1e-12)


def test_every_selection_takes_costs_of_rows():
    exact = tuned().fit(X, y, sample_cost=OWN_COSTS)
    for selection in ("expected", "bagged", "combined", "one_standard_error"):
        model = tuned(selection=selection).fit(X, y, sample_cost=OWN_COSTS)
        assert model.apparent_score_ <= exact.apparent_score_ + 1e-12
        assert model.apparent_score_ > exact.apparent_score_ - 0.3
    low, high = exact.threshold_interval_
    assert low < exact.best_threshold_ < high


@pytest.mark.parametrize("selection", ["exact", "expected", "bagged"])
@pytest.mark.parametrize("aggregation", ["pooled", "mean"])
def test_where_one_class_is_cheaper_for_every_row_none_or_all_get_it(
    selection, aggregation
):
    never = tuned(selection=selection, aggregation=aggregation)
    never.fit(X, y, sample_cost=np.column_stack([0 * y, 1.0 + y]))
    always = tuned(selection=selection, aggregation=aggregation)
    always.fit(X, y, sample_cost=np.column_stack([1.0 + y, 0 * y]))
    assert never.predict(X).max() == 0 and always.predict(X).min() == 1
    assert never.apparent_score_ == always.apparent_score_ == 0
    assert np.isnan(never.threshold_interval_).all()


def test_one_fold_may_have_rows_that_one_class_is_cheaper_for():
    costs = OWN_COSTS.copy()
    costs[FOLDS[0][1]] = [0, 1]
    model = tuned().fit(X, y, sample_cost=costs)
    assert -model.apparent_score_ == pytest.approx(least_cost(costs, folds=TESTS))


@FEW
def test_costs_of_rows_follow_their_rows():
    # Rows of weight 0 go, folds and groups shuffle, a calibration's folds are shared.
    weight = np.where(np.arange(len(y)) % 5 == 0, 0.0, 1.0)
    groups = np.arange(len(y)) % 7
    shares = CalibratedLogitsClassifierCV(LOGISTIC)
    for model, params in (
        (tuned(), {}),
        (tuned(cv=GroupKFold(3)), {"groups": groups}),
        (tuned(cv=0.3, random_state=0), {}),
        (tuned(shares), {}),
        (tuned(LogisticRegression().fit(X, y), cv="prefit"), {}),
    ):
        model.fit(X, y, sample_weight=weight, sample_cost=OWN_COSTS, **params)
        rows = model.out_of_fold_
        np.testing.assert_array_equal(rows.costs, OWN_COSTS[rows.rows])
        np.testing.assert_array_equal(rows.class_numbers, y[rows.rows])
        assert weight[rows.rows].all()


def test_the_positive_class_changes_nothing_but_the_threshold():
    for fit in ({}, {"sample_cost": OWN_COSTS}):
        matrix = None if fit else COSTS
        second = tuned(cost_matrix=matrix).fit(X, y, **fit)
        first = tuned(cost_matrix=matrix, pos_label=0).fit(X, y, **fit)
        assert first.best_threshold_ == pytest.approx(1 - second.best_threshold_)
        assert first.apparent_score_ == pytest.approx(second.apparent_score_)
        np.testing.assert_array_equal(first.predict(X), second.predict(X))


def test_what_a_true_class_costs_anyway_moves_the_score_alone():
    plain = tuned(cost_matrix=COSTS, aggregation="pooled").fit(X, y)
    moved = COSTS + np.array([[2.0], [-5.0]])
    shifted = tuned(cost_matrix=moved, aggregation="pooled").fit(X, y)
    assert shifted.best_threshold_ == pytest.approx(plain.best_threshold_)
    anyway = np.mean(np.where(y, -5, 2))
    assert shifted.apparent_score_ == pytest.approx(plain.apparent_score_ - anyway)


def test_costs_of_several_classes_beat_the_greatest_probability():
    proba = cross_val_predict(LOGISTIC, X, THREE, method="predict_proba")
    model = tuned(cost_matrix=COSTS_OF_THREE, aggregation="pooled").fit(X, THREE)
    predicted = model.rule_.numbers(proba)
    cost = mean_cost(THREE, predicted, COSTS_OF_THREE)
    assert -model.apparent_score_ == pytest.approx(cost)
    bayes = mean_cost(THREE, bayes_decision(proba, COSTS_OF_THREE), COSTS_OF_THREE)
    assert cost < mean_cost(THREE, proba.argmax(axis=1), COSTS_OF_THREE)
    assert cost < bayes + 0.02


def test_costs_at_a_target_prior_are_those_of_rows_at_that_prior():
    model = tuned(cost_matrix=COSTS, target_prior=0.5, aggregation="pooled").fit(X, y)
    weight = 0.5 / np.bincount(y)[y]
    expected = least_cost(COSTS[y], weight=weight)
    assert -model.apparent_score_ == pytest.approx(expected)


def test_decision_values_are_enough_for_costs_of_two_classes():
    model = tuned(LinearSVC(), cost_matrix=COSTS).fit(X, y)
    by_accuracy = tuned(LinearSVC(), scoring="accuracy").fit(X, y)
    assert model.predict(X).sum() > by_accuracy.predict(X).sum()


def test_setting_the_target_prior_takes_the_costs_along():
    for fit in ({}, {"sample_cost": OWN_COSTS}):
        matrix = None if fit else COSTS
        model = tuned(PriorCorrectedClassifier(LOGISTIC), cost_matrix=matrix)
        model.fit(X, y, **fit).set_target_prior(0.02)
        corrected = PriorCorrectedClassifier(LOGISTIC, target_prior=0.02)
        fitted = tuned(corrected, cost_matrix=matrix).fit(X, y, **fit)
        assert model.best_threshold_ == pytest.approx(fitted.best_threshold_, rel=1e-6)
        assert model.apparent_score_ == pytest.approx(fitted.apparent_score_)


# --- how costs of rows reach fit ---


def holds_its_rows_costs(model):
    rows = model.out_of_fold_
    return np.array_equal(rows.costs, OWN_COSTS[rows.rows])


class Watcher(LogisticRegression):
    """Is not given what the decision alone uses."""

    def fit(self, X, y, sample_weight=None, **params):
        assert not params
        return super().fit(X, y, sample_weight)


@FEW
def test_a_search_cuts_costs_by_its_folds_without_routing():
    grid = {"aggregation": ["mean", "pooled"]}
    search = GridSearchCV(tuned(Watcher(), cv=3), grid, cv=2, scoring="f1")
    search.fit(X, y, sample_cost=OWN_COSTS)
    assert holds_its_rows_costs(search.best_estimator_)
    test = next(StratifiedKFold(2).split(X, y))[0]
    models = cross_validate(
        tuned(cv=3),
        X,
        y,
        cv=2,
        params={"sample_cost": OWN_COSTS},
        return_estimator=True,
    )["estimator"]
    rows = models[0].out_of_fold_
    np.testing.assert_array_equal(rows.costs, OWN_COSTS[test][rows.rows])


def test_a_pipelines_step_takes_costs_without_routing():
    pipeline = make_pipeline(StandardScaler(), tuned(Watcher()))
    pipeline.fit(X, y, optimalthresholdclassifiercv__sample_cost=OWN_COSTS)
    assert holds_its_rows_costs(pipeline[-1])


@FEW
def test_costs_are_routed_where_they_are_requested():
    expected = tuned().fit(X, y, sample_weight=WEIGHT, sample_cost=OWN_COSTS)
    with config_context(enable_metadata_routing=True):
        model = tuned().set_fit_request(sample_cost=True, sample_weight=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"aggregation": ["mean"]}, cv=2)
        search.fit(X, y, sample_weight=WEIGHT, sample_cost=OWN_COSTS)
    found = search.best_estimator_
    assert holds_its_rows_costs(found)
    assert found.best_threshold_ == pytest.approx(expected.best_threshold_)


def test_costs_that_nobody_requested_are_refused_with_routing():
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises(ValueError, match="sample_cost"),
    ):
        GridSearchCV(tuned(), {"cv": [2]}, error_score="raise").fit(
            X, y, sample_cost=OWN_COSTS
        )


def test_a_model_with_costs_survives_pickling():
    for fit in ({}, {"sample_cost": OWN_COSTS}):
        model = tuned(cost_matrix=None if fit else COSTS).fit(X, y, **fit)
        again = pickle.loads(pickle.dumps(model))
        assert again.best_score_ == model.best_score_
        assert again.set_target_prior(0.3).best_threshold_ != model.best_threshold_


# --- what costs don't go with ---


@pytest.mark.parametrize("fit", [{}, {"sample_cost": OWN_COSTS}])
def test_a_metric_beside_costs_is_two_aims(fit):
    matrix = None if fit else COSTS
    with pytest.raises(ValueError, match="`scoring`='f1' and costs are two aims"):
        tuned(scoring="f1", cost_matrix=matrix).fit(X, y, **fit)
    tuned(scoring="cost", cost_matrix=matrix).fit(X, y, **fit)


@pytest.mark.parametrize(
    "labels, costs",
    [(y, [[0, 1], [0, 2]]), (THREE, [[0, 3, 4], [1, 1, 1], [4, 3, 0]])],
)
def test_a_class_that_costs_rule_out_is_told_before_any_fit(labels, costs):
    model = tuned(NeverFitted(), cost_matrix=costs)
    with (
        pytest.warns(UnreachableClassWarning, match=r"never makes \[1\]") as told,
        pytest.raises(RuntimeError, match="fitted"),
    ):
        model.fit(X, labels)
    assert len(told) == 1


class NeverFitted(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("fitted")


def test_moving_the_target_prior_does_not_warn_again():
    with pytest.warns(UnreachableClassWarning):
        model = tuned(cost_matrix=[[0, 1], [0, 2]]).fit(X, y)
    model.set_target_prior(0.3)
