"""Constraints with a confidence: what is certified holds, however it is chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import beta, binom

from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds import counts_of_positives, metric_function, metric_names
from sklimb.thresholds._confidence import (
    certified,
    check_confidence,
    check_equal_weights,
)
from sklimb.thresholds._constraints import (
    check_constraints,
    constraint_curves,
    constraint_function,
    feasible,
)
from sklimb.thresholds._preset_tests import (
    fallback,
    lower_bound,
    metric_of_rates,
    preset_ranks,
    preset_rate_tests,
    upper_bound,
)

ALPHA = 0.05
RARE = np.array([0.98, 0.02])


def draw(random, n_positive, n_negative, distance):
    positive = np.arange(n_positive + n_negative) < n_positive
    return positive, random.normal(size=len(positive)) + distance * positive


def broken_at(constraints, threshold, distance, share):
    """Tell where the truth of normal scores is outside a limit."""
    recall, fpr = share * ndtr(distance - threshold), (1 - share) * ndtr(-threshold)
    counts = recall, fpr, share - recall, 1 - share - fpr
    values = [constraint_function(each)(*counts) for each in constraints]
    pairs = zip(values, constraints, strict=True)
    return np.any([(v < each.low) | (v > each.high) for v, each in pairs], axis=0)


def gaps(scores):
    """Return upper ends, middles and lower ends of the cuts' gaps."""
    upper, lower = np.append(scores[0] + 1, scores), np.append(scores, scores[-1] - 1)
    return np.stack([upper, (upper + lower) / 2, np.nextafter(lower, np.inf)])


def broken_choices(random, limits, prior, size, distance):
    """Return whether the cut of greatest F1, the loosest, and any break a limit."""
    constraints = check_constraints(limits, [0, 1])
    positive, score = draw(random, *size, distance)
    try:
        cuts = certified(positive, score, constraints, 1 - ALPHA, prior)
    except InfeasibleConstraintError:
        return False, False, False
    counts = counts_of_positives(positive, score)
    share = size[0] / sum(size) if prior is None else prior[1]
    broken = broken_at(constraints, gaps(counts.scores), distance, share) & cuts
    best = np.argmax(np.where(cuts, metric_function("f1")(*counts[:4]), -1))
    return broken[1, best], broken[:, cuts][:, -1].any(), broken.any()


def within_monte_carlo_error(n_broken, n_runs):
    return n_broken / n_runs <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / n_runs)


SETTINGS = [
    ({"recall": (0.9, None)}, None, 2.0),
    ({"specificity": (0.95, None)}, None, 2.0),
    ({"alert_rate": (None, 0.05)}, None, 2.0),
    ({"alert_rate": (None, 0.05)}, RARE, 2.0),
    ({"alert_rate": {0: (0.9, None)}, "recall": {1: (0.6, 0.95)}}, None, 2.0),
    ({"precision": (0.5, None)}, None, 2.0),
    ({"precision": {0: (0.97, None)}}, None, 2.0),
    ({"precision": (0.3, None)}, RARE, 2.0),
    ({"f1": (0.5, None)}, None, 2.0),
    ({"recall": (0.7, None), "alert_rate": (None, 0.2)}, None, 2.0),
    ({"recall": (0.5, None), "precision": (0.3, None)}, None, 2.0),
]


@pytest.mark.parametrize(("n_positive", "n_runs"), [(50, 1_000), (200, 200)])
@pytest.mark.parametrize(("limits", "prior", "distance"), SETTINGS)
def test_no_choice_among_certified_cuts_breaks_more_often_than_said(
    limits, prior, distance, n_positive, n_runs
):
    random, size = np.random.default_rng(1), (n_positive, 9 * n_positive)
    setting = (limits, prior, size, distance)
    runs = [broken_choices(random, *setting) for _ in range(n_runs)]
    for n_broken in np.sum(runs, axis=0):
        assert within_monte_carlo_error(n_broken, n_runs)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "accuracy", "mcc"])
def test_a_limit_at_the_best_true_value_is_certified_as_rarely(name):
    # Whatever is certified is broken, but for the one best threshold.
    distance, size, n_runs = 2.0, (50, 450), 1_000
    threshold = np.linspace(-4, 6, 4_001)
    rates = ndtr(distance - threshold), ndtr(-threshold)
    low = float(metric_of_rates(name, 0.1, *rates).max())
    random = np.random.default_rng(2)
    setting = ({name: (low, None)}, None, size, distance)
    n_broken = sum(broken_choices(random, *setting)[2] for _ in range(n_runs))
    assert within_monte_carlo_error(n_broken, n_runs)


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_scores_that_say_nothing_get_no_precision_certified(decimals):
    # Precision is the share of positives at every cut: below the limit everywhere.
    random, n_runs, n_certified = np.random.default_rng(3), 500, 0
    constraints = check_constraints({"precision": (0.3, None)}, [0, 1])
    for _ in range(n_runs):
        score = random.normal(size=500)
        score = score if decimals is None else score.round(decimals)
        try:
            certified(random.random(500) < 0.2999, score, constraints, 1 - ALPHA)
        except InfeasibleConstraintError:
            continue
        n_certified += 1
    assert within_monte_carlo_error(n_certified, n_runs)


def test_a_bound_on_precision_at_every_cut_would_be_broken_too_often():
    random, n_runs, n_broken = np.random.default_rng(4), 300, 0
    for _ in range(n_runs):
        tp = np.cumsum(random.random(500) < 0.2999)
        n_broken += (lower_bound(tp, np.arange(1, 501), ALPHA) >= 0.3).any()
    assert n_broken > 3 * ALPHA * n_runs


@pytest.mark.parametrize(
    "limits",
    [
        {"recall": (0.8, None)},
        {"precision": (0.6, None)},
        {"f1": (0.6, None), "alert_rate": (None, 0.3)},
        {"precision": {0: (0.9, None)}},
        {"kappa": (0.4, None)},
    ],
)
def test_certified_cuts_keep_the_limits_on_the_rows_too(limits):
    positive, score = draw(np.random.default_rng(5), 100, 300, 3.0)
    constraints = check_constraints(limits, [0, 1])
    cuts = certified(positive, score, constraints, 1 - ALPHA)
    kept = feasible(constraint_curves(positive, score, None, constraints), constraints)
    assert cuts.any()
    assert kept[cuts].all()


@pytest.mark.parametrize("name", ["recall", "precision", "f1", "alert_rate"])
def test_more_confidence_certifies_fewer_cuts(name):
    positive, score = draw(np.random.default_rng(6), 200, 600, 3.0)
    limits = (None, 0.4) if name == "alert_rate" else (0.6, None)
    constraints = check_constraints({name: limits}, [0, 1])
    few, many = (
        certified(positive, score, constraints, confidence).sum()
        for confidence in (0.999, 0.8)
    )
    assert 0 < few < many


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["recall", "alert_rate"]))
def test_limits_of_the_other_class_mirror_those_of_this_one(seed, name):
    positive, score = draw(np.random.default_rng(seed), 60, 90, 2.0)
    this = check_constraints({name: {1: (0.3, None)}}, [0, 1])
    other = check_constraints({name: {0: (0.3, None)}}, [0, 1])
    cuts = certified(positive, score, this, 0.9)
    mirrored = certified(~positive, -score, other, 0.9)
    np.testing.assert_array_equal(mirrored[::-1], cuts)


def test_recall_of_the_negative_class_is_specificity():
    positive, score = draw(np.random.default_rng(7), 60, 90, 2.0)
    cuts = [
        certified(positive, score, check_constraints(limits, [0, 1]), 0.95)
        for limits in ({"recall": {0: (0.8, None)}}, {"specificity": (0.8, None)})
    ]
    np.testing.assert_array_equal(*cuts)


def test_limits_that_always_hold_take_no_share_of_the_risk():
    positive, score = draw(np.random.default_rng(8), 60, 90, 2.0)
    plain = check_constraints({"recall": (0.8, None)}, [0, 1])
    padded = check_constraints({"recall": (0.8, 1), "mcc": (-1, None)}, [0, 1])
    np.testing.assert_array_equal(
        certified(positive, score, plain, 0.95),
        certified(positive, score, padded, 0.95),
    )
    nothing = check_constraints({"recall": (0, 1)}, [0, 1])
    assert certified(positive, score, nothing, 0.95).all()


def infeasible(limits, positive, score, prior=None):
    constraints = check_constraints(limits, [0, 1])
    with pytest.raises(InfeasibleConstraintError) as caught:
        certified(positive, score, constraints, 0.95, prior, classes=[0, 1])
    return caught.value


def test_recall_of_90_percent_needs_29_positives():
    recall = {"recall": (0.9, None)}
    positive, score = np.repeat([True, False], [29, 200]), -np.arange(229.0)
    cuts = certified(positive, score, check_constraints(recall, [0, 1]), 0.95)
    assert np.argmax(cuts) == 29
    error = infeasible(recall, positive[1:], score[1:])
    assert "at least 29 rows of its class, and there are 28" in str(error)
    assert error.best_value == pytest.approx(0.05 ** (1 / 28))
    assert error.constraint == "recall"


def test_infeasible_gives_the_best_bound_and_its_threshold():
    positive, score = draw(np.random.default_rng(9), 50, 450, 1.0)
    for name in ("f1", "precision", "balanced_accuracy"):
        error = infeasible({name: (0.9, None)}, positive, score)
        assert 0 < error.best_value < 0.9
        assert np.isfinite(error.threshold)
        assert "comes no nearer than" in str(error)
        assert "`constraint_confidence`=0.95" in str(error)


def test_infeasible_together_names_the_bound_where_the_others_hold():
    positive, score = draw(np.random.default_rng(10), 50, 450, 1.0)
    limits = {"recall": (0.8, None), "alert_rate": (None, 0.1)}
    error = infeasible(limits, positive, score)
    assert error.constraint == "recall"
    assert "where the others hold" in str(error)
    assert np.mean(score >= error.threshold) < 0.1


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_nothing_is_certified_to_be_perfect(name):
    positive, score = np.repeat([True, False], 200), -np.arange(400.0)
    error = infeasible({name: (1.0, None)}, positive, score)
    assert error.best_value is None or error.best_value < 1


@pytest.mark.parametrize("name", ["f1", "precision", "accuracy"])
def test_a_handful_of_rows_certifies_nothing(name):
    positive, score = np.array([True, False]), np.array([1.0, 0.0])
    infeasible({name: (0.9, None)}, positive, score)


def test_high_limits_of_metrics_that_wander_are_refused():
    positive, score = draw(np.random.default_rng(11), 50, 50, 1.0)
    constraints = check_constraints({"f1": (0.1, 0.9)}, [0, 1])
    with pytest.raises(ValueError, match=r"'f1'.*high limit 0.9.*Give a low limit"):
        certified(positive, score, constraints, 0.95)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.parametrize("name", [*metric_names(), "f2", "f0.5"])
def test_every_metric_rises_with_recall_and_falls_with_false_positives(name, share):
    # What the tests at preset false positives rely on.
    recall, fpr = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    values = metric_of_rates(name, share, recall, fpr)[1:-1, 1:-1]
    assert (np.diff(values, axis=1) >= -1e-12).all()
    assert (np.diff(values, axis=0) <= 1e-12).all()


@given(st.integers(1, 300), st.data())
def test_bounds_are_those_of_clopper_and_pearson(n, data):
    hits = data.draw(st.integers(0, n))
    low, high = lower_bound(hits, n, ALPHA), upper_bound(hits, n, ALPHA)
    if hits:
        assert low == pytest.approx(beta.ppf(ALPHA, hits, n - hits + 1))
        assert binom.sf(hits - 1, n, low) == pytest.approx(ALPHA)
    if hits < n:
        assert binom.cdf(hits, n, high) == pytest.approx(ALPHA)
    assert low <= hits / n <= high


def test_a_test_that_passes_hands_its_level_on():
    passed, levels = fallback([0.01, 0.04, 0.001, 0.05], [0.02, 0.0, 0.01, 0.03])
    np.testing.assert_array_equal(passed, [True, False, True, False])
    np.testing.assert_allclose(levels, [0.02, 0.02, 0.01, 0.04])


def test_levels_of_ranks_sum_to_alpha():
    for n_rows in (60, 1_000, 100_000):
        ranks, levels = preset_ranks(n_rows, 0.5, ALPHA)
        assert levels.sum() == pytest.approx(ALPHA)
        assert (np.diff(ranks) > 0).all()
        assert ranks[-1] <= n_rows


def test_preset_tests_hold_their_level_where_recall_is_just_short_at_each():
    n_positive, n_negative, low = 50, 450, 0.6
    tests = preset_rate_tests("f1", low, 0.1, n_positive, n_negative, ALPHA)
    random = np.random.default_rng(12)
    ranked = np.sort(random.random((2_000, n_negative)), axis=1)
    fpr = ranked[:, tests.false_positives]
    # F1 = 2 s r / (s r + s + (1 - s) f), solved for the recall r
    needed = np.clip(low * (0.1 + 0.9 * fpr) / (0.1 * (2 - low)), 0, 1)
    passes = random.binomial(n_positive, needed) >= tests.hits
    for n_broken in passes.sum(axis=0):
        assert within_monte_carlo_error(n_broken, len(passes))


@pytest.mark.parametrize("confidence", [0, 1, 95, "0.95", True, np.nan])
def test_confidence_lies_between_0_and_1(confidence):
    with pytest.raises(ValueError, match=r"`constraint_confidence`=.*between 0 and 1"):
        check_confidence(confidence)


def test_confidence_may_be_none():
    assert check_confidence(None) is None
    assert check_confidence(np.float64(0.9)) == 0.9


def test_weights_equal_within_classes_are_a_prior():
    positive = np.array([True, False, False, False])
    assert check_equal_weights(positive, None) is None
    assert check_equal_weights(positive, np.full(4, 0.3)) is None
    prior = check_equal_weights(positive, np.array([9.0, 1, 1, 1]))
    np.testing.assert_allclose(prior, [0.25, 0.75])


def test_weights_that_vary_within_a_class_are_refused():
    positive = np.array([True, False, False])
    with pytest.raises(ValueError, match="`sample_weight` varies within a class"):
        check_equal_weights(positive, np.array([1.0, 1.0, 2.0]))
