"""Given thresholds and costs around a classifier decide on its probabilities."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier as SklearnsOwn
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.svm import LinearSVC

from sklimb import PriorCorrectedClassifier
from sklimb._threshold_layer import FixedThresholdClassifier
from sklimb.exceptions import BinaryOnlyError, UnreachableClassWarning
from sklimb.thresholds._costs import bayes_decision, bayes_threshold, mean_cost
from sklimb.thresholds._rule import ThresholdRule
from tests.data import imbalanced

X, y = imbalanced(600)
WORDS = np.where(y == 1, "yes", "no")
THREE = np.array(["common", "rare", "rarest"])[np.digitize(X[:, 0], [0.5, 1.5])]
L = LogisticRegression()
PROBA, OF_TWO = L.fit(X, THREE).predict_proba(X), clone(L).fit(X, y).predict_proba(X)
COSTS = [[0, 1, 1], [4, 0, 2], [30, 5, 0]]
COSTS_OF_TWO = [[0, 1], [9, 0]]


def fixed(threshold=None, labels=THREE, inner=L, **parameters):
    model = FixedThresholdClassifier(inner, threshold=threshold, **parameters)
    return model.fit(X, labels)


def test_one_threshold_is_sklearns_class():
    for pos_label in ("no", "yes"):
        ours = fixed(0.2, WORDS, pos_label=pos_label)
        sklearns = SklearnsOwn(L, threshold=0.2, pos_label=pos_label).fit(X, WORDS)
        np.testing.assert_array_equal(ours.predict(X), sklearns.predict(X))


def test_without_a_threshold_it_predicts_as_the_estimator_does():
    for labels in (THREE, WORDS, y):
        expected = clone(L).fit(X, labels)
        model = fixed(None, labels)
        np.testing.assert_array_equal(model.predict(X), expected.predict(X))
        np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
        assert model.predict(X).dtype == labels.dtype


@pytest.mark.parametrize(
    "threshold",
    [
        [0.9, 0.5, 0.1],
        np.array([0.9, 0.5, 0.1]),
        {"rarest": 0.1, "rare": 0.5, "common": 0.9},
    ],
    ids=lambda threshold: type(threshold).__name__,
)
def test_thresholds_of_several_classes_choose_the_greatest_quotient(threshold):
    model = fixed(threshold)
    expected = (PROBA / [0.9, 0.5, 0.1]).argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected])
    assert model.rule_ == ThresholdRule(model.classes_, (0.9, 0.5, 0.1))


def test_a_lower_threshold_finds_more_of_its_class():
    found = [
        np.sum(fixed([1, 1, threshold]).predict(X) == "rarest")
        for threshold in (np.inf, 2, 1, 0.1)
    ]
    assert found == sorted(set(found))
    assert found[0] == 0


def test_costs_choose_the_least_expected_cost():
    model = fixed("bayes", cost_matrix=COSTS)
    expected = bayes_decision(PROBA, COSTS)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected])
    numbers = np.searchsorted(model.classes_, THREE)
    cheaper = mean_cost(numbers, expected, COSTS)
    assert cheaper < mean_cost(numbers, PROBA.argmax(axis=1), COSTS)


def test_costs_of_two_classes_are_a_threshold():
    by_costs = fixed("bayes", y, cost_matrix=COSTS_OF_TWO)
    by_threshold = fixed(bayes_threshold(COSTS_OF_TWO), y)
    np.testing.assert_array_equal(by_costs.predict(X), by_threshold.predict(X))
    np.testing.assert_array_equal(
        by_costs.decision_function(X), by_threshold.decision_function(X)
    )


def test_costs_follow_the_prior():
    # Decisions move as if the rarest class's costs were scaled by its share.
    corrected = PriorCorrectedClassifier(L, target_prior="uniform")
    prior = np.unique(THREE, return_counts=True)[1] / len(THREE)
    scaled = np.array(COSTS) / prior[:, None]
    np.testing.assert_array_equal(
        fixed("bayes", inner=corrected, cost_matrix=COSTS).predict(X),
        fixed("bayes", cost_matrix=scaled).predict(X),
    )


def test_doubtful_rows_are_rejected():
    model = fixed(reject_cost=0.3, reject_label="ask")
    expected = model.classes_[PROBA.argmax(axis=1)].astype(object)
    expected[PROBA.max(axis=1) < 0.7] = "ask"
    np.testing.assert_array_equal(model.predict(X), expected)
    assert 0 < np.mean(expected == "ask") < 1


def test_rejection_around_a_threshold_and_costs():
    model = fixed(0.2, y, cost_matrix=COSTS_OF_TWO, reject_cost=0.4, reject_label=-1)
    expected = (OF_TWO[:, 1] >= 0.2).astype(int)
    expected[(OF_TWO @ COSTS_OF_TWO).min(axis=1) > 0.4] = -1
    found = model.predict(X)
    assert found.dtype == int
    np.testing.assert_array_equal(found, expected)
    assert set(found) == {-1, 0, 1}


@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold": [0.9, 0.5, 0.1]},
        {"threshold": [0.9, np.inf, 0.1]},
        {"threshold": "bayes", "cost_matrix": COSTS},
        {"threshold": None},
    ],
    ids=repr,
)
def test_the_greatest_decision_value_is_of_the_class_predicted(parameters):
    model = fixed(**parameters)
    values = model.decision_function(X)
    assert values.shape == (len(X), 3)
    np.testing.assert_array_equal(
        model.classes_[values.argmax(axis=1)], model.predict(X)
    )


@pytest.mark.parametrize("threshold", [0, 0.2, 1, [0.7, 0.3], [np.inf, 1], "bayes"])
@pytest.mark.parametrize("pos_label", [0, 1])
def test_the_sign_of_the_decision_value_is_the_class_predicted(threshold, pos_label):
    model = fixed(threshold, y, pos_label=pos_label, cost_matrix=COSTS_OF_TWO)
    positive = model.decision_function(X) > 0
    np.testing.assert_array_equal(positive, model.predict(X) == 1)


def test_decision_values_are_enough_for_one_threshold():
    for pos_label, sign in ((1, 1), (0, -1)):
        svm = LinearSVC(random_state=0)
        model = fixed(0.3, y, svm, pos_label=pos_label)
        values = clone(svm).fit(X, y).decision_function(X)
        expected = np.where(sign * values >= 0.3, pos_label, 1 - pos_label)
        np.testing.assert_array_equal(model.predict(X), expected)
        np.testing.assert_allclose(model.decision_function(X), values - sign * 0.3)


def test_it_is_cloned_searched_pickled_and_cross_validated(tmp_path):
    model = fixed("bayes", cost_matrix=np.array(COSTS))
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    grid = [
        {"threshold": [[1, 1, 1], "bayes"], "cost_matrix": [COSTS]},
        {"threshold": [{"common": 0.8, "rare": 0.2, "rarest": 0.1}, None]},
    ]
    search = GridSearchCV(
        FixedThresholdClassifier(L, threshold="bayes"),
        grid,
        scoring=make_scorer(accuracy_score),
        cv=3,
    ).fit(X, THREE)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    proba = cross_val_predict(L, X, THREE, method="predict_proba")
    predicted = cross_val_predict(model, X, THREE)
    expected = model.classes_[bayes_decision(proba, COSTS)]
    np.testing.assert_array_equal(predicted, expected)


def test_what_is_set_after_fit_waits_for_the_next_fit():
    model = fixed(0.2, y)
    before = model.predict(X)
    np.testing.assert_array_equal(model.set_params(threshold=0.9).predict(X), before)


def test_weights_reach_the_estimator():
    weight = np.random.default_rng(0).random(len(y))
    model = FixedThresholdClassifier(L, threshold=[1, 1, 0.2])
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True).fit(X, THREE, sample_weight=weight)
    expected = clone(L).fit(X, THREE, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected)


def test_tags_say_for_how_many_classes_it_is():
    for threshold, several in [(0.5, False), (None, True), ([1, 1], True)]:
        tags = FixedThresholdClassifier(L, threshold=threshold).__sklearn_tags__()
        assert tags.classifier_tags.multi_class is several


def test_a_class_that_costs_rule_out_is_warned_of():
    costs = [[0, 3, 4], [1, 1, 1], [4, 3, 0]]
    with pytest.warns(UnreachableClassWarning, match=r"\['rare'\]"):
        fixed("bayes", cost_matrix=costs)
    fixed([1, 1, 1], cost_matrix=costs)  # where thresholds decide, costs do not


class NoNumber(LogisticRegression):
    def predict_proba(self, X):
        return (
            super().predict_proba(X)
            * np.where(np.arange(len(X)) == 2, np.nan, 1)[:, None]
        )


SVM = LinearSVC()
WRONG = [
    (lambda: fixed("tune"), ValueError, "'tune' must be 'bayes', a number in"),
    (lambda: fixed("bayes"), ValueError, "`cost_matrix` is None. Give one row for"),
    (lambda: fixed(cost_matrix=COSTS), ValueError, "Set `threshold`='bayes', or leave"),
    (lambda: fixed("bayes", cost_matrix=COSTS_OF_TWO), ValueError, r"expected \(3, 3"),
    (lambda: fixed(0.5), BinaryOnlyError, "Give `threshold` one number for each class"),
    (lambda: fixed(1.5, y), ValueError, r"`threshold`=1.5 must be a number in \[0, 1"),
    (lambda: fixed([0.5, 0.5]), ValueError, r"shape \(2,\); expected \(3,\)"),
    (lambda: fixed({"rare": 1}), ValueError, r"labels \['rare'\]; expected one for"),
    (lambda: fixed([0.5, -0.5, 1]), ValueError, "must be above 0; got"),
    (lambda: fixed([0.5, np.nan, 1]), ValueError, "must be above 0; got"),
    (lambda: fixed([np.inf] * 3), ValueError, "infinite for every class"),
    (lambda: fixed(reject_label="?"), ValueError, "no effect without `reject_cost`"),
    (lambda: fixed(reject_cost=3), ValueError, r"must lie in \[0, 1\]"),
    (
        lambda: fixed(reject_cost=0.1, reject_label="rare"),
        ValueError,
        "is one of the classes",
    ),
    (lambda: fixed(0.5, y, pos_label=2), ValueError, "`pos_label`=2 is not among"),
    (lambda: fixed([1, 1], y, SVM), TypeError, "LinearSVC has no predict_proba"),
    (lambda: fixed(None, y, SVM), TypeError, "has no predict_proba, which costs"),
    (
        lambda: fixed("bayes", y, SVM, cost_matrix=COSTS_OF_TWO),
        TypeError,
        "no predict_proba",
    ),
    (lambda: fixed(0.5, y, SVM, reject_cost=0.1), TypeError, "or give one threshold"),
    (lambda: fixed([1, 1, 1], inner=Perceptron()), TypeError, "no predict_proba"),
    (lambda: fixed(inner=NoNumber()).predict(X), ValueError, "is nan in row 2"),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), WRONG, ids=[message for *_, message in WRONG]
)
def test_what_cannot_decide_says_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()
