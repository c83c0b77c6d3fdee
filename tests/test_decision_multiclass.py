"""Thresholds of several classes, chosen on out-of-fold probabilities."""

import pickle

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklimb import (
    CalibratedLogitsClassifierCV,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.exceptions import (
    ConstantScoresWarning,
    FewPositivesWarning,
    InfeasibleConstraintError,
)
from sklimb.thresholds import optimal_class_thresholds
from tests.multiclass_tables import NAMES, expected_score

LOGISTIC = LogisticRegression()
LABELS = np.array(["cat", "dog", "emu"])


def three_classes(n_rows=700, seed=0):
    """Draw rows of shares 0.6, 0.28 and 0.12 whose classes overlap."""
    random = np.random.default_rng(seed)
    y = random.choice(3, n_rows, p=[0.6, 0.28, 0.12])
    centres = np.array([[0.0, 0.0], [1.2, 0.4], [0.6, 1.6]])
    return centres[y] + random.normal(size=(n_rows, 2)), y


X, y = three_classes()
PROBA = cross_val_predict(LOGISTIC, X, y, cv=StratifiedKFold(5), method="predict_proba")
FITTED = clone(LOGISTIC).fit(X, y)


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


def decide(proba, thresholds):
    return np.argmax(proba / thresholds, axis=1)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1_macro", "g_mean"])
def test_pooled_thresholds_are_those_of_the_function_on_rows_out_of_fold(scoring):
    model = tuned(scoring=scoring, aggregation="pooled").fit(X, y)
    expected = optimal_class_thresholds(y, PROBA, scoring)
    np.testing.assert_allclose(model.best_threshold_, expected.thresholds)
    assert model.apparent_score_ == pytest.approx(expected.score)


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "cohen_kappa"])
def test_the_apparent_score_is_the_mean_over_folds_at_the_thresholds(scoring):
    model = tuned(scoring=scoring, store_cv_results=True).fit(X, y)
    predicted = decide(PROBA, model.best_threshold_)
    by_hand = [
        expected_score(scoring, y[test], predicted[test])
        for _, test in StratifiedKFold(5).split(X, y)
    ]
    assert model.apparent_score_ == pytest.approx(np.mean(by_hand))
    assert model.best_score_std_ == pytest.approx(np.std(by_hand))
    np.testing.assert_allclose(model.cv_results_["fold_scores"], by_hand)
    np.testing.assert_array_equal(
        model.cv_results_["thresholds"], model.best_threshold_
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_apparent_score_is_never_below_argmax(name, seed):
    rows, labels = three_classes(150, seed)
    weight = np.random.default_rng(seed).random(150) if seed == 2 else None
    fitted = clone(LOGISTIC).fit(rows, labels)
    model = tuned(fitted, scoring=name, cv="prefit")
    with pytest.warns(FewPositivesWarning):
        model.fit(rows, labels, sample_weight=weight)
    of_argmax = expected_score(name, labels, fitted.predict(rows), weight)
    assert model.apparent_score_ >= of_argmax - 1e-12
    own = expected_score(name, labels, model.predict(rows), weight)
    assert model.apparent_score_ == pytest.approx(own)


def test_predictions_are_the_greatest_probability_over_its_threshold():
    model = tuned().fit(X, LABELS[y])
    proba = model.predict_proba(X)
    expected = LABELS[decide(proba, model.best_threshold_)]
    np.testing.assert_array_equal(model.predict(X), expected)
    np.testing.assert_array_equal(model.rule_(proba), expected)
    np.testing.assert_array_equal(
        LABELS[model.decision_function(X).argmax(axis=1)], expected
    )
    assert model.best_threshold_.shape == (3,)
    assert model.fold_thresholds_.shape == (5, 3)
    assert np.isnan(model.threshold_interval_).all()


def test_fold_thresholds_are_each_folds_own_optimum():
    model = tuned(scoring="f1_macro").fit(X, y)
    for k, (_, test) in enumerate(StratifiedKFold(5).split(X, y)):
        own = optimal_class_thresholds(y[test], PROBA[test], "f1_macro").thresholds
        np.testing.assert_allclose(model.fold_thresholds_[k], own)


def test_string_labels_decide_as_numbers_do():
    numbers, strings = tuned().fit(X, y), tuned().fit(X, LABELS[y])
    np.testing.assert_array_equal(strings.best_threshold_, numbers.best_threshold_)
    np.testing.assert_array_equal(strings.predict(X), LABELS[numbers.predict(X)])
    assert strings.rule_.classes == ("cat", "dog", "emu")


def test_permuted_labels_permute_the_thresholds():
    order = np.array([2, 0, 1])
    fitted = [clone(LOGISTIC).fit(X, labels) for labels in (y, order[y])]
    a, b = (tuned(each, cv="prefit", scoring="f1_macro") for each in fitted)
    a.fit(X, y), b.fit(X, order[y])
    np.testing.assert_allclose(b.best_threshold_[order], a.best_threshold_, rtol=1e-3)
    np.testing.assert_array_equal(b.predict(X), order[a.predict(X)])


@pytest.mark.parametrize(
    "prior", [[0.2, 0.3, 0.5], {0: 0.2, 1: 0.3}, {1: 0.3, 2: 0.5, 0: 0.2}]
)
def test_target_prior_equals_repeating_rows_to_that_prior(prior):
    # As often as makes 3 : 4.5 : 7.5 of 180 : 90 : 45.
    rows = np.concatenate([np.flatnonzero(y == k)[: 180 // 2**k] for k in range(3)])
    repeats = np.array([2, 6, 20])[y[rows]]
    model = tuned(FITTED, cv="prefit", scoring="f1_macro", target_prior=prior)
    repeated = tuned(FITTED, cv="prefit", scoring="f1_macro")
    with pytest.warns(FewPositivesWarning):
        model.fit(X[rows], y[rows])
    repeated.fit(np.repeat(X[rows], repeats, axis=0), np.repeat(y[rows], repeats))
    np.testing.assert_allclose(model.best_threshold_, repeated.best_threshold_)
    assert model.apparent_score_ == pytest.approx(repeated.apparent_score_)
    np.testing.assert_allclose(model.scoring_prior_, [0.2, 0.3, 0.5])


def test_at_a_uniform_prior_accuracy_is_balanced_accuracy():
    uniform = tuned(scoring="accuracy", target_prior="uniform").fit(X, y)
    balanced = tuned(scoring="balanced_accuracy").fit(X, y)
    assert uniform.apparent_score_ == pytest.approx(balanced.apparent_score_)
    np.testing.assert_array_equal(uniform.predict(X), balanced.predict(X))


def test_setting_the_target_prior_equals_fitting_with_it():
    prior = {"cat": 0.2, "dog": 0.2, "emu": 0.6}
    moved = tuned(PriorCorrectedClassifier(LOGISTIC), scoring="f1_macro")
    moved.fit(X, LABELS[y])
    natural = moved.best_threshold_
    moved.set_target_prior(prior)
    corrected = PriorCorrectedClassifier(LOGISTIC, target_prior=prior)
    fitted = tuned(corrected, scoring="f1_macro").fit(X, LABELS[y])
    np.testing.assert_allclose(moved.best_threshold_, fitted.best_threshold_)
    assert moved.best_score_ == pytest.approx(fitted.best_score_)
    np.testing.assert_array_equal(moved.predict(X), fitted.predict(X))
    moved.set_target_prior("empirical")
    np.testing.assert_allclose(moved.best_threshold_, natural)


def folds_of_which_the_first_lacks(label):
    rows = np.arange(len(y))
    tests = [rows[rows % 3 == k] for k in range(3)]
    tests[0] = tests[0][y[tests[0]] != label]
    return [(np.setdiff1d(rows, test), test) for test in tests]


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
@pytest.mark.parametrize("prior", [None, [0.2, 0.3, 0.5]])
def test_a_class_that_a_fold_lacks_is_left_out_there(aggregation, prior):
    folds = folds_of_which_the_first_lacks(2)
    model = tuned(cv=folds, aggregation=aggregation, target_prior=prior).fit(X, y)
    assert np.isnan(model.fold_thresholds_).all(axis=1).tolist() == [True, False, False]
    rows = model.out_of_fold_
    predicted = decide(rows.scores, model.best_threshold_)
    recalls = [
        metrics.recall_score(
            y[test], predicted[rows.fold == k], labels=np.unique(y[test]), average=None
        ).mean()
        for k, (_, test) in enumerate(folds)
    ]
    pooled = metrics.balanced_accuracy_score(y[rows.rows], predicted)
    expected = pooled if aggregation == "pooled" else np.mean(recalls)
    assert model.apparent_score_ == pytest.approx(expected)
    assert np.isfinite(model.best_score_)


def test_whole_weights_count_as_repeated_rows():
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    weighted = tuned(FITTED, cv="prefit", scoring="f1_macro")
    weighted.fit(X, y, sample_weight=weight)
    repeated = tuned(FITTED, cv="prefit", scoring="f1_macro")
    repeated.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.apparent_score_ == pytest.approx(repeated.apparent_score_)
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))


def test_a_row_of_weight_0_is_a_row_removed():
    weight = np.ones(len(y))
    weight[::7] = 0
    kept = weight > 0
    zeroed = tuned().fit(X, y, sample_weight=weight)
    removed = tuned().fit(X[kept], y[kept])
    np.testing.assert_allclose(
        zeroed.best_threshold_, removed.best_threshold_, rtol=1e-3
    )
    np.testing.assert_array_equal(zeroed.out_of_fold_.rows % 7 > 0, True)


def test_equal_costs_of_all_errors_are_the_accuracy():
    cheapest = tuned(cost_matrix=1 - np.eye(3)).fit(X, y)
    accurate = tuned(scoring="accuracy").fit(X, y)
    assert cheapest.apparent_score_ == pytest.approx(accurate.apparent_score_ - 1)
    np.testing.assert_array_equal(cheapest.predict(X), accurate.predict(X))


SCORERS = {
    "f1_macro": make_scorer(metrics.f1_score, average="macro"),
    "precision_weighted": make_scorer(metrics.precision_score, average="weighted"),
    "balanced_accuracy": make_scorer(metrics.balanced_accuracy_score),
    "matthews_corrcoef": "matthews_corrcoef",
    "recall_macro": make_scorer(metrics.recall_score, average="macro"),
}


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_of_scikit_learn_are_the_metric_of_that_name(name):
    by_name, by_scorer = (
        tuned(scoring=scoring).fit(X, y) for scoring in (name, SCORERS[name])
    )
    np.testing.assert_array_equal(by_scorer.best_threshold_, by_name.best_threshold_)


def worst_recall(y_true, y_pred, sample_weight=None):
    return metrics.recall_score(
        y_true, y_pred, average=None, sample_weight=sample_weight, zero_division=0
    ).min()


def plain_accuracy(y_true, y_pred, sample_weight=None):
    return np.average(y_true == y_pred, weights=sample_weight)


def test_a_scorer_of_ones_own_is_maximised_on_a_grid():
    scorer = make_scorer(worst_recall)
    some = X[:420], y[:420]
    own = tuned(FITTED, scoring=scorer, cv="prefit").fit(*some)
    exact = tuned(FITTED, scoring="minimum_recall", cv="prefit").fit(*some)
    at_own = worst_recall(some[1], own.predict(some[0]))
    assert own.apparent_score_ == pytest.approx(at_own)
    assert exact.apparent_score_ - 0.05 <= own.apparent_score_
    of_argmax = worst_recall(some[1], FITTED.predict(some[0]))
    assert own.apparent_score_ > of_argmax + 0.1


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_constraints_by_class_hold_on_all_rows_out_of_fold(aggregation):
    limits = {"recall": {"emu": (0.8, None)}, "alert_rate": {"cat": (0.45, 0.5)}}
    model = tuned(constraints=limits, aggregation=aggregation, scoring="accuracy")
    model.fit(X, LABELS[y])
    free = tuned(aggregation=aggregation, scoring="accuracy").fit(X, y)
    predicted = decide(PROBA, model.best_threshold_)
    assert (predicted[y == 2] == 2).mean() >= 0.8
    assert 0.45 <= (predicted == 0).mean() <= 0.5
    assert (decide(PROBA, free.best_threshold_)[y == 2] == 2).mean() < 0.8
    assert model.apparent_score_ < free.apparent_score_


def test_what_no_thresholds_keep_is_said_with_the_nearest():
    limits = {"recall": {"cat": (0.95, None), "emu": (0.95, None)}}
    with pytest.raises(InfeasibleConstraintError, match="`constraints`") as caught:
        tuned(constraints=limits).fit(X, LABELS[y])
    error = caught.value
    assert error.constraint in ("recall of 'cat'", "recall of 'emu'")
    predicted = decide(PROBA, np.array(error.threshold))
    label = 0 if "cat" in error.constraint else 2
    assert error.best_value == pytest.approx((predicted[y == label] == label).mean())
    assert error.best_value < 0.95


def test_the_best_score_is_that_of_thresholds_that_the_other_folds_chose():
    model = tuned(scoring="accuracy").fit(X, y)
    by_hand = []
    for k, (_, test) in enumerate(StratifiedKFold(5).split(X, y)):
        others = model.out_of_fold_.fold != k
        rest = model.out_of_fold_.take(others)
        as_folds = [np.flatnonzero(rest.fold == j) for j in np.unique(rest.fold)]
        chosen = tuned(Handed(rest.scores), scoring="accuracy", cv=_tests(as_folds))
        chosen.fit(np.arange(others.sum())[:, None], y[rest.rows])
        predicted = decide(PROBA[test], chosen.best_threshold_)
        by_hand.append(np.mean(predicted == y[test]))
    assert model.best_score_ == pytest.approx(np.mean(by_hand))


def _tests(parts):
    rows = np.arange(sum(map(len, parts)))
    return [(np.setdiff1d(rows, part), part) for part in parts]


class Handed(LogisticRegression):
    """Gives the rows' probabilities, which are rows' numbers, out of a table."""

    def __init__(self, table=None):
        super().__init__()
        self.table = table

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return self.table[X[:, 0]]


def test_decision_values_are_not_enough_for_several_classes():
    with pytest.raises(TypeError, match="no predict_proba"):
        tuned(LinearSVC()).fit(X, y)


def test_constant_probabilities_are_an_error_as_for_two_classes():
    with (
        pytest.warns(ConstantScoresWarning, match="all 140 rows"),
        pytest.raises(ValueError, match="same score"),
    ):
        tuned(DummyClassifier()).fit(X, y)


def test_it_is_searched_scored_and_put_into_pipelines():
    pipeline = make_pipeline(StandardScaler(), tuned(cv=3))
    search = GridSearchCV(
        pipeline,
        {"optimalthresholdclassifiercv__scoring": ["accuracy", "f1_macro"]},
        scoring="f1_macro",
        cv=3,
    ).fit(X, LABELS[y])
    assert set(search.predict(X)) == set(LABELS)
    around = tuned(make_pipeline(StandardScaler(), LOGISTIC), cv=3)
    plain = cross_val_score(LOGISTIC, X, y, cv=3, scoring="balanced_accuracy")
    scores = cross_val_score(around, X, y, cv=3, scoring="balanced_accuracy")
    assert scores.mean() > plain.mean() + 0.03


@pytest.mark.parametrize("scoring", ["f1_macro", make_scorer(plain_accuracy)])
def test_it_survives_pickling_and_cloning(scoring):
    model = tuned(scoring=scoring, cv=2, aggregation="pooled").fit(X, LABELS[y])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.fold_thresholds_, model.fold_thresholds_)
    fresh = clone(model)
    assert not hasattr(fresh, "best_threshold_")
    np.testing.assert_array_equal(
        fresh.fit(X, LABELS[y]).best_threshold_, model.best_threshold_
    )


def test_a_calibration_inside_shares_its_folds():
    calibrated = CalibratedLogitsClassifierCV(LOGISTIC, method="vector")
    model = tuned(calibrated, scoring="f1_macro", aggregation="pooled").fit(X, y)
    rows = model.estimator_.out_of_fold_
    expected = optimal_class_thresholds(
        y[rows.rows], model.out_of_fold_.scores, "f1_macro"
    )
    np.testing.assert_allclose(model.best_threshold_, expected.thresholds)


def test_the_rarest_class_is_warned_of():
    few = np.flatnonzero(y == 2)[20:]
    rows = np.setdiff1d(np.arange(len(y)), few)
    with pytest.warns(FewPositivesWarning, match="20 rows of the class 'emu'"):
        tuned().fit(X[rows], LABELS[y[rows]])


def test_ten_classes_are_tuned():
    random = np.random.default_rng(0)
    share = np.geomspace(1, 0.3, 10)
    labels = random.choice(10, 1500, p=share / share.sum())
    rows = random.normal(size=(10, 5))[labels] + 0.8 * random.normal(size=(1500, 5))
    model = tuned(scoring="minimum_recall", cv=3).fit(rows, labels)
    plain = cross_val_predict(LOGISTIC, rows, labels, cv=3)
    assert model.best_score_ > worst_recall(labels, plain)
