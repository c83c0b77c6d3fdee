"""Thresholds of several classes: the best ones are found."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from sklimb.thresholds import optimal_threshold
from sklimb.thresholds._multiclass import optimal_class_thresholds
from sklimb.thresholds._multiclass_constraints import (
    InfeasibleThresholds,
    attained_by,
    violation_of,
)
from sklimb.thresholds._multiclass_metrics import (
    multiclass_metric,
    multiclass_metric_names,
)
from sklimb.thresholds._multiclass_rows import choose_classes, labelled_rows
from sklimb.thresholds._multiclass_search import score_of, search_class_thresholds
from tests.multiclass_tables import (
    NAMES,
    blob,
    every_decision,
    expected_score,
    table,
)


@pytest.mark.parametrize("seed", range(6))
def test_the_enumeration_misses_no_decision(seed):
    _, proba, _ = table(seed)
    found = set(map(tuple, every_decision(proba)))
    spread = np.random.default_rng(seed).normal(scale=1.5, size=(20_000, 3))
    sampled = (proba * np.exp(spread)[:, None]).argmax(axis=2)
    assert set(map(tuple, sampled)) <= found


def reaches_the_optimum(seed):
    """Tell whether a search reaches the exhaustive optimum; never below argmax."""
    y, proba, weight = table(seed)
    metric = multiclass_metric(NAMES[seed % len(NAMES)], 3)
    fold = np.arange(len(y)) % 2 if seed % 5 == 0 else None
    best = search_class_thresholds(y, proba, metric, sample_weight=weight, fold=fold)
    decisions = every_decision(proba)
    scores = [score_of(y, each, metric, weight, fold) for each in decisions]
    assert best.score >= score_of(y, proba.argmax(axis=1), metric, weight, fold)
    assert best.score <= max(scores) + 1e-12
    return best.score >= max(scores) - 1e-12


def test_search_reaches_the_exhaustive_optimum():
    assert np.mean([reaches_the_optimum(seed) for seed in range(120)]) >= 0.95


@pytest.mark.parametrize(
    "name", ["accuracy", "balanced_accuracy", "f1_macro", "kappa", "mcc", "g_mean"]
)
@pytest.mark.parametrize("seed", range(5))
def test_two_classes_reach_the_score_of_the_one_best_threshold(name, seed):
    y, proba, weight = table(seed, n_classes=2, max_rows=40)
    proba[:, 0] = 1 - proba[:, 1]
    best = optimal_class_thresholds(y, proba, name, weight)
    one = optimal_threshold(y, proba[:, 1], name, weight)
    assert best.score == pytest.approx(one.score, abs=1e-12)


@pytest.mark.parametrize("name", ["f1_macro", "minimum_recall", "mcc"])
def test_permuting_classes_permutes_thresholds(name):
    y, proba = blob(300, 4)
    metric, order = multiclass_metric(name, 4), np.array([2, 0, 3, 1])
    best = search_class_thresholds(y, proba, metric)
    permuted = search_class_thresholds(np.argsort(order)[y], proba[:, order], metric)
    np.testing.assert_allclose(permuted.thresholds, best.thresholds[order])
    assert permuted.score == pytest.approx(best.score)


@pytest.mark.parametrize("name", ["f1_macro", "balanced_accuracy", "minimum_recall"])
def test_the_order_of_rows_does_not_matter(name):
    y, proba = blob(300, 4)
    weight = np.random.default_rng(1).random(300)
    order = np.random.default_rng(2).permutation(300)
    best = optimal_class_thresholds(y, proba, name, weight)
    other = optimal_class_thresholds(y[order], proba[order], name, weight[order])
    np.testing.assert_allclose(other.thresholds, best.thresholds)


@pytest.mark.parametrize("costs", [False, True])
def test_rows_of_weight_0_are_rows_removed(costs):
    y, proba = blob(200, 3)
    weight = np.arange(200) % 3 * 1.0
    sample_cost = np.random.default_rng(0).random((200, 3)) if costs else None
    metric, kept = "cost" if costs else "f1_macro", weight > 0
    weighted = optimal_class_thresholds(
        y, proba, metric, weight, sample_cost=sample_cost
    )
    removed = optimal_class_thresholds(
        y[kept],
        proba[kept],
        metric,
        weight[kept],
        sample_cost=sample_cost[kept] if costs else None,
    )
    np.testing.assert_array_equal(weighted.thresholds, removed.thresholds)
    assert weighted.score == removed.score


def test_whole_weights_count_as_repeated_rows():
    y, proba = blob(150, 3)
    weight = np.arange(150) % 3 + 1
    rows = np.repeat(np.arange(150), weight)
    weighted = optimal_class_thresholds(y, proba, "f1_macro", weight)
    repeated = optimal_class_thresholds(y[rows], proba[rows], "f1_macro")
    assert weighted.score == pytest.approx(repeated.score)


@pytest.mark.parametrize("name", NAMES)
def test_score_is_that_of_the_thresholds_decisions_and_beats_argmax(name):
    y, proba = blob(400, 4)
    thresholds, score = optimal_class_thresholds(y, proba, name, n_restarts=2)
    assert score == pytest.approx(
        expected_score(name, y, (proba / thresholds).argmax(axis=1))
    )
    assert score > expected_score(name, y, proba.argmax(axis=1))
    assert np.exp(np.log(thresholds).mean()) == pytest.approx(1)


def test_many_rows_are_searched_on_a_sample_and_scored_on_all():
    y, proba = blob(30_000, 3)
    thresholds, score = optimal_class_thresholds(y, proba, "f1_macro", n_restarts=2)
    assert score == pytest.approx(
        metrics.f1_score(y, (proba / thresholds).argmax(axis=1), average="macro")
    )
    few = optimal_class_thresholds(y[:20_000], proba[:20_000], "f1_macro", n_restarts=2)
    on_all = (proba / few.thresholds).argmax(axis=1)
    assert score >= metrics.f1_score(y, on_all, average="macro")


def test_a_class_that_is_best_never_chosen_has_an_infinite_threshold():
    y = [0, 1, 0, 1, 0, 1]
    proba = np.array([[0.4, 0.1, 0.5], [0.1, 0.4, 0.5]] * 3)
    thresholds, score = optimal_class_thresholds(
        y, proba, "accuracy", classes=[0, 1, 2]
    )
    assert score == 1
    assert thresholds[2] == np.inf
    assert thresholds[0] * thresholds[1] == pytest.approx(1)


def test_a_barred_class_is_never_chosen_even_of_rows_with_nothing_else():
    decided = choose_classes(np.array([[1.0, 0.0, 0.0]]), np.array([np.inf, 1.0, 1.0]))
    np.testing.assert_array_equal(decided, [1])


def test_a_class_that_a_fold_lacks_is_neutral_there():
    y, fold = np.array([0, 1, 0, 1, 2]), np.array([7, 7, 9, 9, 9])
    predicted = np.array([0, 0, 0, 1, 1])
    for name, expected in {
        "balanced_accuracy": (1 / 2 + 2 / 3) / 2,
        "minimum_recall": 0,
        "g_mean": 0,
        "f1_macro": ((2 / 3 + 0) / 2 + (1 + 2 / 3 + 0) / 3) / 2,
    }.items():
        score = score_of(y, predicted, multiclass_metric(name, 3), fold=fold)
        assert score == pytest.approx(expected)


def test_the_threshold_is_the_geometric_middle_of_the_gap():
    y, positive = [0, 0, 1, 1], np.array([0.1, 0.2, 0.5, 0.9])
    thresholds, _ = optimal_class_thresholds(
        y, np.column_stack([1 - positive, positive])
    )
    assert thresholds[1] / thresholds[0] == pytest.approx(np.sqrt(0.2 / 0.8 * 1))


def test_costs_of_rows_equal_a_cost_matrix_where_they_are_its_rows():
    y, proba = blob(300, 3)
    matrix = np.array([[0, 1, 5], [2, 0, 1], [9, 3, 0]])
    by_class = optimal_class_thresholds(y, proba, "cost", cost_matrix=matrix)
    by_row = optimal_class_thresholds(y, proba, "cost", sample_cost=matrix[y])
    np.testing.assert_allclose(by_row.thresholds, by_class.thresholds)
    decided = (proba / by_class.thresholds).argmax(axis=1)
    assert by_class.score == pytest.approx(-matrix[y, decided].mean())


# --- constraints ---


def bound(name, number=None, low=-np.inf, high=np.inf):
    return SimpleNamespace(name=name, class_number=number, low=low, high=high)


CONSTRAINTS = [
    [bound("recall", 0, low=0.5)],
    [bound("precision", 1, low=0.5), bound("recall", 2, low=0.3)],
    [bound("alert_rate", 0, high=0.4), bound("alert_rate", 1, low=0.2)],
    [bound("minimum_recall", low=0.25)],
]


def keeps_constraints(seed):
    """Tell whether a constrained search is as good as the enumeration."""
    y, proba, weight = table(seed)
    rows, constraints = labelled_rows(y, 3, weight), CONSTRAINTS[seed % 4]
    metric = multiclass_metric(NAMES[seed % len(NAMES)], 3)
    pairs = [
        (each, attained_by(constraints, rows, each)) for each in every_decision(proba)
    ]
    scores = [
        score_of(y, decision, metric, weight)
        for decision, rates in pairs
        if not sum(map(violation_of, constraints, rates))
    ]
    try:
        best = search_class_thresholds(
            y, proba, metric, sample_weight=weight, constraints=constraints
        )
    except InfeasibleThresholds:
        return not scores
    rates = attained_by(constraints, rows, choose_classes(proba, best.thresholds))
    assert not sum(map(violation_of, constraints, rates))
    return best.score >= max(scores) - 1e-12


def test_a_constrained_search_keeps_the_bounds_and_is_mostly_optimal():
    assert np.mean([keeps_constraints(seed) for seed in range(60)]) >= 0.95


def test_what_cannot_be_kept_is_said_with_what_can():
    y, proba = blob(200, 3)
    constraints = [bound("recall", 2, low=0.9), bound("alert_rate", 2, high=0)]
    metric = multiclass_metric("accuracy", 3)
    with pytest.raises(InfeasibleThresholds) as caught:
        search_class_thresholds(y, proba, metric, constraints=constraints)
    recall, rate = caught.value.attained
    assert (recall == 0 and rate == 0) or recall >= 0.9
    assert caught.value.thresholds.shape == (3,)


# --- names and errors ---


def test_every_listed_name_is_known():
    names = set(multiclass_metric_names()) - {"cost"}
    assert set(NAMES) <= names
    assert all(multiclass_metric(name, 3) for name in names)


Y, PROBA = [0, 1, 2], np.eye(3)
ERRORS = [
    ({"metric": "f1_marco"}, "`metric`='f1_marco' is not known.*Did you mean 'f1_mac"),
    ({"metric": "cost"}, "takes one of `cost_matrix` and `sample_cost`; got neither"),
    ({"cost_matrix": PROBA}, "`cost_matrix` is given, but `metric`='balanced_acc"),
    (
        {"metric": "cost", "cost_matrix": PROBA[:2]},
        r"has shape \(2, 3\); expected \(3, 3",
    ),
    ({"metric": "cost", "cost_matrix": PROBA * np.nan}, "`cost_matrix` has nan"),
    (
        {"metric": "cost", "sample_cost": PROBA[:2]},
        "`sample_cost` has 2 rows; expected 3",
    ),
    ({"metric": "cost", "sample_cost": PROBA[0]}, r"`sample_cost` has shape \(3,\)"),
    ({"metric": lambda confusion: 1.0}, r"`metric` gave an array of shape \(\)"),
    ({"proba": PROBA[:, :2]}, r"`proba` has shape \(3, 2\); expected \(3, 3\)"),
    ({"proba": PROBA - 1}, "`proba` must be finite and not negative; got.* -1 to 0"),
    ({"classes": [2, 1, 0]}, r"`classes`=\[2, 1, 0\] must be sorted"),
    ({"classes": [0, 1, 3]}, "has the label .*2.*, which is not among the classes"),
    ({"sample_weight": [0, 0, 0]}, "`sample_weight` is 0 for every row"),
]


@pytest.mark.parametrize(("params", "message"), ERRORS)
def test_errors_say_what_to_do(params, message):
    with pytest.raises(ValueError, match=message):
        optimal_class_thresholds(**({"y_true": Y, "proba": PROBA} | params))
