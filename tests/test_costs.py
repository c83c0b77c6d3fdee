"""Costs of decisions: the cheapest is chosen, and thresholds are its short form."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklimb.exceptions import UnreachableClassWarning
from sklimb.thresholds import confusion_counts, optimal_threshold
from sklimb.thresholds._checks import (
    check_cost_matrix,
    check_sample_cost,
    check_thresholds,
)
from sklimb.thresholds._costs import (
    bayes_decision,
    bayes_threshold,
    cost_metric,
    cost_rows,
    expected_costs,
    mean_cost,
)
from sklimb.thresholds._cuts import metric_curve
from sklimb.thresholds._unreachable import (
    unreachable_classes,
    warn_of_unreachable_classes,
)

COSTS = st.integers(-8, 8)
ZERO_ONE = 1 - np.eye(3)


def cost_matrices(n_classes):
    return arrays(float, (n_classes, n_classes), elements=COSTS)


def drawn_proba(n_rows, n_classes, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.5), n_rows)


def brute_force(proba, cost_matrix):
    """Return the cheapest class of each row and its cost, one sum at a time."""
    n_classes = len(cost_matrix)
    costs = [
        [
            sum(p[c] * cost_matrix[c][k] for c in range(n_classes))
            for k in range(n_classes)
        ]
        for p in proba
    ]
    return np.array(costs)


# Bayes decisions


@given(st.integers(2, 5).flatmap(cost_matrices))
def test_the_decision_is_the_brute_force_minimum_of_the_expected_cost(cost_matrix):
    proba = drawn_proba(50, len(cost_matrix))
    costs = brute_force(proba, cost_matrix)
    np.testing.assert_allclose(expected_costs(proba, cost_matrix), costs, atol=1e-12)
    chosen = bayes_decision(proba, cost_matrix)
    reached = costs[np.arange(50), chosen]
    np.testing.assert_allclose(reached, costs.min(axis=1), atol=1e-12)


@given(cost_matrices(2))
def test_two_classes_are_decided_by_elkans_threshold(cost_matrix):
    (c00, c01), (c10, c11) = cost_matrix
    if c01 <= c00 or c10 <= c11:
        return  # not his reasonable costs
    threshold = bayes_threshold(cost_matrix)
    assert threshold == (c01 - c00) / (c01 - c00 + c10 - c11)
    proba = drawn_proba(50, 2)
    proba[0] = [1 - threshold, threshold]
    positive = bayes_decision(proba, cost_matrix) == 1
    np.testing.assert_array_equal(positive, proba[:, 1] >= threshold)


@given(cost_matrices(2))
def test_any_threshold_of_costs_is_as_cheap_as_the_cheapest_decision(cost_matrix):
    proba = np.array([[1 - p, p] for p in np.linspace(0, 1, 33)])
    try:
        threshold = bayes_threshold(cost_matrix)
    except ValueError as error:
        assert "both classes cheaper to get wrong" in str(error)
        assert np.all(np.diff(bayes_decision(proba, cost_matrix)) <= 0)
        return
    assert 0 <= threshold <= 1 or threshold == np.inf
    costs = brute_force(proba, cost_matrix)
    reached = np.where(proba[:, 1] >= threshold, costs[:, 1], costs[:, 0])
    np.testing.assert_allclose(reached, costs.min(axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("cost_matrix", "threshold"),
    [
        ([[0, 1], [1, 0]], 0.5),
        ([[0, 0], [1, 0]], 0.0),  # a false alarm costs nothing
        ([[0, -1], [0, -2]], 0.0),
        ([[0, 1], [0, 0]], 1.0),  # a miss costs nothing
        ([[0, 1], [0, 1]], np.inf),
        ([[0, 0], [0, 1]], np.inf),
        ([[0, 0], [0, 0]], 0.0),
        ([[0, -1], [3, 0]], 0.0),
    ],
)
def test_where_one_class_is_always_cheaper_the_threshold_is_out_of_reach(
    cost_matrix, threshold
):
    assert bayes_threshold(cost_matrix) == threshold


def test_equal_costs_go_to_the_lower_class_and_of_two_to_the_second():
    thirds = np.full((1, 3), 1 / 3)
    assert bayes_decision(thirds, ZERO_ONE) == [0]
    assert bayes_decision([[0.5, 0.5]], [[0, 1], [1, 0]]) == [1]


@given(st.integers(2, 4).flatmap(cost_matrices))
def test_what_a_true_class_costs_anyway_changes_no_decision(cost_matrix):
    proba = drawn_proba(40, len(cost_matrix), seed=1)
    shifted = cost_matrix + np.arange(len(cost_matrix))[:, None]
    chosen, other = (bayes_decision(proba, c) for c in (cost_matrix, shifted))
    costs = brute_force(proba, cost_matrix)
    rows = np.arange(40)
    np.testing.assert_allclose(costs[rows, chosen], costs[rows, other], atol=1e-12)


def test_equal_costs_of_all_errors_choose_the_greatest_probability():
    proba = drawn_proba(200, 3)
    np.testing.assert_array_equal(bayes_decision(proba, ZERO_ONE), proba.argmax(axis=1))


@given(st.floats(0, 0.7))
def test_chows_rule_rejects_where_the_greatest_probability_is_too_small(reject_cost):
    proba = drawn_proba(100, 3)
    rejected = bayes_decision(proba, ZERO_ONE, reject_cost=reject_cost) == -1
    np.testing.assert_array_equal(rejected, proba.max(axis=1) < 1 - reject_cost)


def test_rejection_is_one_more_choice_of_the_cheapest():
    proba, cost_matrix = drawn_proba(100, 3), [[0, 5, 9], [4, -1, 2], [30, 8, 0]]
    with_rejection = np.column_stack([cost_matrix, np.full(3, 2.0)])
    expected = (proba @ with_rejection).argmin(axis=1)
    found = bayes_decision(proba, cost_matrix, reject_cost=2.0)
    np.testing.assert_array_equal(np.where(found == -1, 3, found), expected)


# What decisions cost


@given(cost_matrices(2), st.booleans())
def test_the_metric_of_costs_is_minus_the_mean_cost_at_every_cut(cost_matrix, weighted):
    random = np.random.default_rng(0)
    y, score = random.integers(0, 2, 30), random.random(30).round(1)
    weight = random.integers(1, 4, 30) if weighted else None
    for positive in (0, 1):
        counts = confusion_counts(y, score, weight, pos_label=positive)
        curve = metric_curve(counts, cost_metric(cost_matrix, positive))
        for threshold in curve.thresholds():
            predicted = np.where(score >= threshold, positive, 1 - positive)
            cost = mean_cost(y, predicted, cost_matrix, sample_weight=weight)
            assert curve.at(threshold) == pytest.approx(-cost)


def test_the_cheapest_cut_of_honest_probabilities_is_near_elkans_threshold():
    random = np.random.default_rng(0)
    proba = random.beta(0.6, 4, 200_000)
    y = (random.random(len(proba)) < proba).astype(int)
    cost_matrix = [[0, 1], [9, -1]]
    best = optimal_threshold(y, proba, cost_metric(cost_matrix))
    assert best.threshold == pytest.approx(bayes_threshold(cost_matrix), abs=0.01)


@given(arrays(float, (6, 2), elements=COSTS), st.sampled_from([0, 1]))
def test_rows_of_costs_rank_all_decisions_as_their_costs_do(
    sample_cost, positive_class
):
    positive, weight = cost_rows(sample_cost, positive_class)
    none = mean_cost(
        np.zeros(6), np.full(6, 1 - positive_class), sample_cost=sample_cost
    )
    for decision in map(np.array, product([False, True], repeat=6)):
        predicted = np.where(decision, positive_class, 1 - positive_class)
        gain = weight[decision & positive].sum() - weight[decision & ~positive].sum()
        cost = mean_cost(np.zeros(6), predicted, sample_cost=sample_cost)
        assert cost == pytest.approx(none - gain / 6)


def test_costs_of_rows_and_of_classes_agree():
    random = np.random.default_rng(0)
    y, predicted = random.integers(0, 3, (2, 50))
    cost_matrix, weight = random.normal(size=(3, 3)), random.random(50)
    assert mean_cost(y, predicted, cost_matrix, sample_weight=weight) == pytest.approx(
        mean_cost(y, predicted, sample_cost=cost_matrix[y], sample_weight=weight)
    )


def test_rejected_rows_cost_what_rejection_costs():
    found = mean_cost([0, 1, 1], [0, -1, 0], [[0, 2], [100, 0]], reject_cost=5)
    assert found == pytest.approx((0 + 5 + 100) / 3)


# Classes that are never chosen


def ever_alone_the_cheapest(cost_matrix, n_steps=24):
    """Look at every probability of a grid, by exact whole numbers."""
    n_classes = len(cost_matrix)
    grid = np.array(
        [p for p in product(range(n_steps + 1), repeat=n_classes) if sum(p) == n_steps]
    )
    costs = grid @ cost_matrix.astype(int)
    lowest, second = np.sort(costs, axis=1)[:, :2].T
    return set(costs[lowest < second].argmin(axis=1).tolist())


@given(st.integers(2, 3).flatmap(cost_matrices))
def test_a_class_called_unreachable_is_never_the_one_cheapest(cost_matrix):
    unreachable = set(unreachable_classes(cost_matrix).tolist())
    assert not unreachable & ever_alone_the_cheapest(cost_matrix)


@given(arrays(float, (3, 3), elements=st.integers(0, 3)))
def test_a_class_never_cheapest_on_a_grid_is_called_unreachable(cost_matrix):
    # Regions of costs as small as these are wide enough for the grid to meet them.
    reachable = ever_alone_the_cheapest(cost_matrix, n_steps=60)
    unreachable = set(unreachable_classes(cost_matrix).tolist())
    assert reachable | unreachable == {0, 1, 2}


@pytest.mark.parametrize(
    ("cost_matrix", "unreachable"),
    [
        ([[0, 1], [1, 0]], []),
        ([[0, 1], [0, 1]], [1]),
        ([[0, 0], [5, 5]], [0, 1]),
        # Column 1 is above a half each of its neighbours; none of them is below it.
        ([[0, 3, 4], [1, 1, 1], [4, 3, 0]], [1]),
        ([[0, 1, 4], [1, 1, 1], [4, 1, 0]], []),
        # Scales of true classes that differ by a lot hide nothing.
        ([[0, 1e9, 1e9], [1, 0, 1], [1e-9, 1e-9, 0]], []),
    ],
)
def test_unreachable_classes_are_found(cost_matrix, unreachable):
    assert unreachable_classes(cost_matrix).tolist() == unreachable


def test_an_unreachable_class_is_named_by_its_label():
    labels = ["no", "perhaps", "yes"]
    with pytest.warns(UnreachableClassWarning, match=r"never makes \['perhaps'\]"):
        warn_of_unreachable_classes([[0, 3, 4], [1, 1, 1], [4, 3, 0]], labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_unreachable_classes(ZERO_ONE, labels)


# Errors

LABELS = ["a", "b"]
OPEN = float("nan")
WRONG = [
    (lambda: check_cost_matrix([[0, 1, 2], [1, 0, 2]], LABELS), r"shape \(2, 3\); exp"),
    (lambda: check_cost_matrix([0, 1], LABELS), r"shape \(2,\); expected \(2, 2\)"),
    (lambda: check_cost_matrix([[0, OPEN], [1, 0]], LABELS), "'a' predicted as 'b'"),
    (lambda: check_cost_matrix([[0, 1], [np.inf, 0]], LABELS), "got inf .*'b' pred"),
    (lambda: check_cost_matrix([["0", "1"], ["1", "0"]], LABELS), "must be numbers"),
    (lambda: check_cost_matrix([[0, 1], [1]], LABELS), "must be numbers"),
    (lambda: check_cost_matrix(np.eye(2) == 1, LABELS), "must be numbers"),
    (lambda: check_cost_matrix({"a": 1}, LABELS), "`cost_matrix`=.* must be numbers"),
    (lambda: check_sample_cost(np.ones((3, 2)), 4, 2), r"\(3, 2\); expected \(4, 2\)"),
    (lambda: check_sample_cost([1.0, 2.0], 2), r"\(2,\); expected \(2, n_classes\)"),
    (lambda: check_sample_cost([[0, 1], [0, OPEN]], 2, 2), "row 1 is not .1 such"),
    (lambda: check_thresholds([0.1, 0.2, 0.3], LABELS), r"\(3,\); expected \(2,\)"),
    (lambda: check_thresholds([0.1, -1], LABELS), r"above 0; got {'a': 0.1, 'b': -1"),
    (lambda: check_thresholds([0.1, OPEN], LABELS), "above 0; got"),
    (lambda: check_thresholds([0.1, 0], LABELS), "above 0; got"),
    (lambda: check_thresholds([np.inf, np.inf], LABELS), "infinite for every class"),
    (lambda: check_thresholds({"a": 1}, LABELS), r"labels \['a'\]; expected one for"),
    (lambda: check_thresholds({"a": 1, "b": 1, "c": 1}, LABELS), "expected one for"),
    (lambda: check_thresholds(["x", "y"], LABELS), "`threshold`=.* must be numbers"),
    (lambda: expected_costs([[0.5, 0.6]], np.eye(2)), "must sum to 1"),
    (lambda: expected_costs([[0.5, 0.5]], np.eye(3)), r"shape \(3, 3\); expected"),
    (lambda: bayes_decision([[0.5, OPEN]], np.eye(2)), "`proba` has nan"),
    (lambda: bayes_threshold(np.eye(3)), r"shape \(3, 3\); expected \(2, 2\)"),
    (lambda: bayes_threshold(np.eye(2)), "both classes cheaper to get wrong"),
    (lambda: mean_cost([0], [0]), "give one of them"),
    (lambda: mean_cost([0], [0], ZERO_ONE, sample_cost=[[0, 1]]), "give one of them"),
    (lambda: mean_cost([3], [0], ZERO_ONE), r"`class_numbers` has \[3\]"),
    (lambda: mean_cost([0], [-2], ZERO_ONE, reject_cost=1), r"`predicted` has \[-2\]"),
    (lambda: mean_cost([0], [-1], ZERO_ONE), "only with `reject_cost`"),
    (lambda: mean_cost(["a"], [0], ZERO_ONE), r"`class_numbers` has \['a'\]"),
    (lambda: mean_cost([0, 1], [0], ZERO_ONE), "has 1 rows, and there are costs of 2"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_costs_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_thresholds_of_a_mapping_follow_the_labels():
    found = check_thresholds({"b": np.inf, "a": 0.25}, LABELS)
    np.testing.assert_array_equal(found, [0.25, np.inf])
