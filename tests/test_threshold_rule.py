"""The rule that decides: one value, whatever it decides by."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from sklimb.thresholds._costs import bayes_decision
from sklimb.thresholds._rule import ThresholdRule

TWO, THREE = ("no", "yes"), ("a", "b", "c")
NEVER = float("inf")
COSTS = [[0, 2, 9], [4, -1, 3], [30, 5, 0]]
REVERSED = [[1, 0], [0, 1]]


def drawn_proba(n_classes, n_rows=200, seed=0):
    proba = np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.3), n_rows)
    corners = np.eye(n_classes)
    return np.vstack([proba, corners, np.full((1, n_classes), 1 / n_classes)])


RULES = {
    "greatest of two": ThresholdRule(TWO),
    "greatest of three": ThresholdRule(THREE),
    "threshold": ThresholdRule(TWO, 0.3),
    "threshold of the first": ThresholdRule(TWO, 0.3, pos_label="no"),
    "always": ThresholdRule(TWO, 0),
    "certain": ThresholdRule(TWO, 1),
    "never": ThresholdRule(TWO, NEVER),
    "never the first": ThresholdRule(TWO, NEVER, pos_label="no"),
    "two thresholds": ThresholdRule(TWO, (0.7, 0.2)),
    "one of two never": ThresholdRule(TWO, (NEVER, 0.2)),
    "three thresholds": ThresholdRule(THREE, (0.9, 0.5, 0.05)),
    "one of three never": ThresholdRule(THREE, (NEVER, 0.5, 0.05)),
    "costs of two": ThresholdRule(TWO, cost_matrix=[[0, 1], [9, -1]]),
    "costs, always": ThresholdRule(TWO, cost_matrix=[[0, -1], [1, 0]]),
    "costs, never": ThresholdRule(TWO, cost_matrix=[[0, 1], [0, 1]]),
    "costs, reversed": ThresholdRule(TWO, cost_matrix=REVERSED),
    "costs of three": ThresholdRule(THREE, cost_matrix=COSTS),
    "rejects": ThresholdRule(THREE, reject_cost=0.4, reject_label="?"),
    "costs and rejects": ThresholdRule(THREE, cost_matrix=COSTS, reject_cost=2),
    "all of it": ThresholdRule(
        TWO, 0.2, "no", [[0, 1], [9, -1]], reject_cost=0.5, reject_label="ask"
    ),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_labels_are_those_of_the_numbers(rule):
    proba = drawn_proba(len(rule.classes))
    every = [*rule.classes, rule.reject_label]
    assert rule(proba).tolist() == [every[number] for number in rule.numbers(proba)]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_log_scores_are_greatest_where_the_rule_decides(rule):
    proba = drawn_proba(len(rule.classes))[:-1]  # without the tie of all
    with np.errstate(divide="ignore"):
        values = rule.log_scores(np.log(proba))
    assert not np.isnan(values).any()
    of_two = values.ndim == 1
    decided = (values > 0).astype(int) if of_two else values.argmax(axis=1)
    numbers = rule.numbers(proba)
    kept = numbers >= 0
    np.testing.assert_array_equal(decided[kept], numbers[kept])
    assert of_two == (len(rule.classes) == 2)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_survives_json_and_pickle(rule):
    values = json.loads(json.dumps(rule.to_dict(), allow_nan=False))
    for copy in (ThresholdRule.from_dict(values), pickle.loads(pickle.dumps(rule))):
        assert copy == rule
        assert hash(copy) == hash(rule)
        assert repr(copy) == repr(rule)


def test_all_rules_differ():
    assert len(set(RULES.values())) == len(RULES)


@given(st.floats(0, 1), st.booleans())
def test_a_number_is_the_threshold_of_the_positive_class(threshold, first):
    proba = drawn_proba(2)
    proba[0] = [1 - threshold, threshold]
    positive = 0 if first else 1
    found = ThresholdRule(TWO, threshold, TWO[positive]).numbers(proba)
    reached = proba[:, positive] >= threshold
    np.testing.assert_array_equal(found == positive, reached)


def test_two_thresholds_are_one_at_their_share():
    proba = drawn_proba(2)
    one, two = ThresholdRule(TWO, 0.2 / 0.9), ThresholdRule(TWO, (0.7, 0.2))
    np.testing.assert_array_equal(one(proba), two(proba))


def test_equal_thresholds_choose_the_greatest_probability():
    proba = drawn_proba(3)
    expected = ThresholdRule(THREE)(proba)
    np.testing.assert_array_equal(ThresholdRule(THREE, (0.2,) * 3)(proba), expected)


@given(st.lists(st.floats(0.01, 10), min_size=3, max_size=3), st.floats(0.1, 10))
def test_only_the_ratios_of_thresholds_matter(thresholds, factor):
    proba = drawn_proba(3)[:-1]
    one = ThresholdRule(THREE, thresholds).log_scores(np.log(proba[:200]))
    other = ThresholdRule(THREE, np.multiply(thresholds, factor))
    np.testing.assert_allclose(
        one - other.log_scores(np.log(proba[:200])), np.log(factor)
    )


def test_what_is_never_predicted_is_not_even_where_all_others_are_impossible():
    rule = ThresholdRule(THREE, (NEVER, 1, 1))
    assert rule([[1.0, 0.0, 0.0]]).tolist() == ["b"]
    never_second = ThresholdRule(THREE, (1, NEVER, 1))
    assert never_second(np.eye(3)).tolist() == ["a", "a", "c"]


@given(st.floats(-3, 3), st.sampled_from(TWO))
def test_decision_values_are_of_the_second_class(threshold, pos_label):
    values = np.random.default_rng(0).normal(size=50)
    found = ThresholdRule(TWO, threshold, pos_label)(values)
    of_positive = values if pos_label == "yes" else -values
    np.testing.assert_array_equal(found == pos_label, of_positive >= threshold)


def test_log_scores_of_a_threshold_are_log_odds_beyond_it():
    proba = drawn_proba(2)[:200]
    found = ThresholdRule(TWO, 0.3).log_scores(np.log(proba))
    np.testing.assert_allclose(found, logit(proba[:, 1]) - logit(0.3))


def test_costs_decide_as_the_function_does():
    proba = drawn_proba(3)
    rule = ThresholdRule(THREE, cost_matrix=COSTS, reject_cost=2)
    expected = bayes_decision(proba, COSTS, reject_cost=2)
    np.testing.assert_array_equal(rule.numbers(proba), expected)


def test_rejection_leaves_the_other_decisions_as_they_are():
    proba = drawn_proba(2)
    costs = [[0, 1], [9, -1]]
    plain = ThresholdRule(TWO, 0.2)(proba)
    found = ThresholdRule(
        TWO, 0.2, cost_matrix=costs, reject_cost=0.5, reject_label="?"
    )(proba)
    rejected = (proba @ costs).min(axis=1) > 0.5
    assert 0 < rejected.sum() < len(proba)
    np.testing.assert_array_equal(found == "?", rejected)
    np.testing.assert_array_equal(found[~rejected], plain[~rejected])


@pytest.mark.parametrize(
    ("classes", "reject_label", "dtype"),
    [
        ([0, 1], -1, "int64"),
        ([0.0, 1.0], -1, "float64"),
        (["no", "yes"], "unsure", "<U6"),
        (["no", "yes"], None, "object"),
        ([0, 1], "unsure", "object"),
        ([0, 1], None, "object"),
        ([0, 1], 0.5, "object"),
        ([False, True], -1, "object"),
    ],
)
def test_labels_keep_their_type_beside_the_reject_label(classes, reject_label, dtype):
    rule = ThresholdRule(classes, reject_cost=0.3, reject_label=reject_label)
    labels = rule([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    assert labels.dtype == dtype
    assert labels.tolist() == [classes[0], reject_label, classes[1]]
    kinds = [type(classes[0]), type(classes[1])]
    assert [type(labels.tolist()[i]) for i in (0, 2)] == kinds


def test_labels_can_be_of_the_type_that_classes_have_elsewhere():
    rule = ThresholdRule(np.array([3, 7], "int8"), reject_cost=0.3, reject_label=-1)
    labels = rule.labels(np.array([1, -1]), np.array([3, 7], "int8"))
    assert labels.tolist() == [7, -1]
    assert labels.dtype.kind == "i"


def test_a_rule_tells_itself():
    assert repr(RULES["threshold"]) == "ThresholdRule('yes' from 0.3, ['no', 'yes'])"
    assert repr(RULES["all of it"]) == (
        "ThresholdRule('no' from 0.2, 'ask' above a cost of 0.5, ['no', 'yes'])"
    )
    assert "greatest probability over (inf, 0.5, 0.05)" in repr(
        RULES["one of three never"]
    )
    assert "least expected cost" in repr(RULES["costs of three"])


def test_numbers_of_numpy_are_plain_in_the_rule():
    rule = ThresholdRule(
        np.array([0, 1]), np.float32(0.5), np.int64(0), np.eye(2), np.float64(0.5)
    )
    assert rule == ThresholdRule((0, 1), 0.5, 0, ((1.0, 0.0), (0.0, 1.0)), 0.5)
    json.dumps(rule.to_dict())


PROBA = [[0.5, 0.5]]
NAN = float("nan")
WRONG = [
    (lambda: ThresholdRule(TWO, NAN), "`threshold`=nan must be a number, or inf"),
    (lambda: ThresholdRule(TWO, "0.5"), "`threshold`='0.5' must be numbers"),
    (lambda: ThresholdRule(TWO, True), "`threshold`=True must be numbers"),
    (lambda: ThresholdRule(THREE, 0.5), "decides between two classes; there are 3"),
    (lambda: ThresholdRule(THREE, (0.5, 0.5)), r"shape \(2,\); expected \(3,\)"),
    (lambda: ThresholdRule(THREE, (0.5, 0.5, 0)), "must be above 0"),
    (lambda: ThresholdRule(THREE, (NEVER,) * 3), "infinite for every class"),
    (lambda: ThresholdRule(THREE, pos_label="a"), "one of two classes; there are 3"),
    (lambda: ThresholdRule(TWO, pos_label="x"), "is not among the classes"),
    (lambda: ThresholdRule(TWO, pos_label=["no"]), "is no label"),
    (lambda: ThresholdRule(["a"]), "two or more different labels"),
    (lambda: ThresholdRule(["a", "a"]), "two or more different labels"),
    (lambda: ThresholdRule("ab"), "must be a sequence of labels"),
    (lambda: ThresholdRule(5), "must be a sequence of labels"),
    (lambda: ThresholdRule(TWO, cost_matrix=np.eye(3)), r"expected \(2, 2\)"),
    (lambda: ThresholdRule(TWO, reject_cost=NAN), "must be a finite number"),
    (lambda: ThresholdRule(TWO, reject_cost="1"), "must be a finite number"),
    (lambda: ThresholdRule(TWO, reject_cost=2), r"must lie in \[0, 1\], as without"),
    (lambda: ThresholdRule(TWO, reject_label="?"), "no effect without `reject_cost`"),
    (
        lambda: ThresholdRule(TWO, reject_cost=0.1, reject_label="no"),
        "one of the classes",
    ),
    (lambda: ThresholdRule(TWO, reject_cost=0.1, reject_label=NAN), "is no label"),
    (lambda: ThresholdRule(TWO)([[0.5, NAN], [1, 0]]), "nan in row 0 .1 such rows"),
    (lambda: ThresholdRule(TWO, 0.5)([0.5, NAN]), "nan in row 1 .1 such rows"),
    (lambda: ThresholdRule(THREE)(PROBA), r"shape \(1, 2\); expected \(n_rows, 3\)"),
    (lambda: ThresholdRule(TWO)([0.5, 1]), r"shape \(2,\); expected \(n_rows, 2\)"),
    (lambda: ThresholdRule(TWO, 0.5, reject_cost=0.1)([0.5, 1]), r"shape \(2,\)"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_rules_and_scores_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def without(name):
    return {k: v for k, v in RULES["all of it"].to_dict().items() if k != name}


WRONG_VALUES = [
    [],
    None,
    without("threshold"),
    without("reject_label"),
    RULES["threshold"].to_dict() | {"treshold": 0.5},
    *(
        RULES["all of it"].to_dict() | {name: value}
        for name, value in [
            ("classes", None),
            ("classes", "no"),
            ("classes", {"no": 0}),
            ("threshold", "0.5"),
            ("threshold", "always"),
            ("threshold", True),
            ("threshold", ["never", "never"]),
            ("threshold", [0.5, None]),
            ("threshold", [0.5, True]),
            ("threshold", {"no": 0.5, "yes": 0.5}),
            ("threshold", [[0.5, 0.5]]),
            ("pos_label", 1),
            ("cost_matrix", [[0, 1]]),
            ("cost_matrix", [[0, None], [1, 0]]),
            ("cost_matrix", "zero-one"),
            ("reject_cost", None),
            ("reject_cost", True),
            ("reject_cost", [1]),
            ("reject_label", "yes"),
            ("reject_label", []),
            ("reject_label", {}),
        ]
    ),
]


@pytest.mark.parametrize("values", WRONG_VALUES, ids=repr)
def test_values_that_are_no_rule_are_an_error(values):
    with pytest.raises(ValueError, match=r"`\w+`"):
        ThresholdRule.from_dict(values)
