"""Which thresholds of several classes generalise."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer

from sklimb import ImbalanceAwareClassifier, OptimalThresholdClassifierCV
from sklimb.priors import correct_proba
from sklimb.thresholds import (
    MULTICLASS_SELECTIONS,
    choose_classes,
    multiclass_metric,
    search_class_thresholds,
    select_class_thresholds,
)
from sklimb.thresholds._multiclass_selection import _draws_of_groups, _draws_of_rows

F1 = multiclass_metric("f1_macro", 3)
PRIOR = np.array([0.8, 0.15, 0.05])
X, y = make_classification(
    1500, n_classes=3, n_informative=5, weights=[0.8, 0.15], random_state=0
)


def drawn(n_rows=2000, seed=0):
    """Return class numbers, and the probabilities that they were drawn by."""
    random = np.random.default_rng(seed)
    proba = random.dirichlet(3 * PRIOR, n_rows)
    return (proba.cumsum(axis=1) < random.random((n_rows, 1))).sum(axis=1), proba


def tuned(selection, **params):
    params = {"scoring": "f1_macro", "cv": 3} | params
    return OptimalThresholdClassifierCV(
        LogisticRegression(), selection=selection, **params
    )


@pytest.mark.parametrize("selection", ["expected", "bagged", "combined"])
def test_thresholds_have_a_geometric_mean_of_1(selection):
    thresholds = select_class_thresholds(*drawn(), F1, selection)
    assert np.log(thresholds).mean() == pytest.approx(0, abs=1e-12)


def test_combined_is_halfway_between_bagged_and_expected():
    bagged, expected, combined = (
        select_class_thresholds(*drawn(), F1, selection)
        for selection in ("bagged", "expected", "combined")
    )
    np.testing.assert_allclose(combined, np.sqrt(bagged * expected))


def test_right_probabilities_are_expected_to_be_most_accurate_at_argmax():
    numbers, proba = drawn()
    metric = multiclass_metric("accuracy", 3)
    thresholds = select_class_thresholds(numbers, proba, metric, "expected")
    agrees = choose_classes(proba, thresholds) == proba.argmax(axis=1)
    assert agrees.mean() > 0.98


def test_the_expected_decision_is_the_same_at_any_prior_of_the_probabilities():
    numbers, proba = drawn()
    balanced = correct_proba(proba, PRIOR, np.full(3, 1 / 3))
    decisions = [
        choose_classes(p, select_class_thresholds(numbers, p, F1, "expected"))
        for p in (proba, balanced)
    ]
    assert np.mean(decisions[0] == decisions[1]) > 0.98


def test_bagged_thresholds_move_less_than_exact_ones():
    def spread(choose):
        logs = [np.log(choose(*drawn(300, seed), F1)) for seed in range(12)]
        return np.std(logs, axis=0).mean()

    bagged, combined = (
        partial(select_class_thresholds, selection=name)
        for name in ("bagged", "combined")
    )
    assert spread(combined) < spread(bagged) < spread(exact)


def exact(numbers, proba, metric):
    return search_class_thresholds(numbers, proba, metric).thresholds


def test_a_resample_has_the_same_classes_weighing_the_same():
    numbers = np.repeat([0, 1, 2], [30_000, 3_000, 30])
    rows, stands_for = next(_draws_of_rows(numbers, np.random.default_rng(0)))
    assert len(rows) < 21_000
    sums = np.bincount(numbers[rows], stands_for)
    np.testing.assert_allclose(sums, [30_000, 3_000, 30])


def test_rows_of_a_group_are_drawn_together():
    group = np.random.default_rng(0).permutation(np.repeat(np.arange(40), 5))
    rows, _ = next(_draws_of_groups(group, np.random.default_rng(0)))
    counts = np.bincount(rows, minlength=len(group))
    for name in range(40):
        assert np.ptp(counts[group == name]) == 0
    assert counts.max() > 1


def test_the_same_seed_gives_the_same_thresholds():
    one, same, other = (
        tuned("combined", random_state=seed).fit(X, y).best_threshold_
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("selection", MULTICLASS_SELECTIONS)
def test_a_score_without_optimism_is_there(selection):
    fitted = tuned(selection).fit(X, y)
    assert 0 < fitted.best_score_ < 1
    assert fitted.fold_thresholds_.shape == (3, 3)


def test_limits_and_costs_of_rows_take_the_exact_optimum():
    limits = {"constraints": {"recall": {2: (0.5, None)}}}
    pairs = [tuned(selection, **limits) for selection in ("exact", "combined")]
    thresholds = [each.fit(X, y).best_threshold_ for each in pairs]
    np.testing.assert_array_equal(*thresholds)
    costs = np.random.default_rng(0).random((len(y), 3))
    pairs = [tuned(each, scoring="cost") for each in ("exact", "combined")]
    thresholds = [each.fit(X, y, sample_cost=costs).best_threshold_ for each in pairs]
    np.testing.assert_array_equal(*thresholds)


def test_one_standard_error_is_for_two_classes():
    with pytest.raises(ValueError, match="is for two classes, and `y` has 3"):
        tuned("one_standard_error").fit(X, y)


def test_slow_scorers_are_not_resampled():
    slow = make_scorer(lambda y, p: f1_score(y, p, average="macro"))
    with pytest.raises(ValueError, match="takes a millisecond"):
        tuned("combined", scoring=slow).fit(X, y)


def test_the_flat_class_combines():
    flat = ImbalanceAwareClassifier(
        LogisticRegression(), scoring="f1_macro", cv=3, random_state=0
    ).fit(X, y)
    exact = flat.set_params(selection="exact").fit(X, y).decision_rule_
    auto = flat.set_params(selection="auto").fit(X, y).decision_rule_
    combined = flat.set_params(selection="combined").fit(X, y).decision_rule_
    assert auto == combined != exact
