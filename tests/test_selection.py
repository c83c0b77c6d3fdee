"""Which cut generalises, and how far it moves when rows are drawn again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from sklimb.thresholds import _resampling as resampling
from sklimb.thresholds._cuts import (
    counts_of_positives,
    mean_curve,
    metric_curve,
    optimal_threshold,
)
from sklimb.thresholds._expected import calibrated_proba, soft_parts
from sklimb.thresholds._metrics import metric_function
from sklimb.thresholds._resampling import bootstrap_cuts
from sklimb.thresholds._selection import (
    SELECTIONS,
    choose_cut,
    standard_error,
)
from tests.scored_parts import parted, parts_of, pooled, rows_of, small_rows

F1 = metric_function("f1")
BALANCED = metric_function("balanced_accuracy")
METRICS = {"f1": F1, "mcc": metric_function("mcc"), "balanced_accuracy": BALANCED}
every_selection = pytest.mark.parametrize("selection", sorted(SELECTIONS))
every_aggregation = pytest.mark.parametrize("aggregation", ["mean", "pooled"])


def is_above(rows, threshold):
    return np.concatenate([score for _, score, _ in rows]) >= threshold


# The cut that is chosen


@every_aggregation
@pytest.mark.parametrize("weighted", [False, True])
def test_exact_selection_is_the_best_of_the_curve(aggregation, weighted):
    parts = parts_of(weighted=weighted)
    curves = [metric_curve(counts_of_positives(*part), F1) for part in parts]
    whole = metric_curve(counts_of_positives(*pooled(parts)), F1)
    curve = mean_curve(curves) if aggregation == "mean" else whole
    chosen = choose_cut(parts, F1, aggregation=aggregation)
    assert chosen.best == curve.best()
    assert (chosen.threshold, chosen.score) == pytest.approx(curve.best())
    np.testing.assert_array_equal(chosen.curve.values, curve.values)


@every_selection
@every_aggregation
@settings(max_examples=15)
@given(rows=small_rows(), data=st.data())
def test_the_chosen_cut_is_allowed(selection, aggregation, rows, data):
    scores = counts_of_positives(*rows).scores
    allowed = np.zeros(len(scores) + 1, bool)
    allowed[sorted(data.draw(st.sets(st.integers(0, len(scores)), min_size=1)))] = True
    parts = parted(rows, 2)
    setting = {"aggregation": aggregation, "allowed": allowed}
    chosen = choose_cut(parts, F1, selection, **setting)
    assert allowed[np.count_nonzero(scores >= chosen.threshold)]
    assert chosen.best.score == chosen.curve.values[allowed].max()
    assert chosen.score == chosen.curve.at(chosen.threshold)


@every_selection
def test_the_same_seed_chooses_the_same_cut(selection):
    parts = parts_of(weighted=True)
    chosen = [choose_cut(parts, F1, selection, random_state=5) for _ in range(2)]
    assert chosen[0].threshold == chosen[1].threshold


@every_selection
def test_rows_of_weight_0_choose_nothing(selection):
    positive, score, weight = pooled(parts_of(n_parts=1, weighted=True))
    kept = np.arange(len(score)) % 5 > 0
    with_zeros = [(positive, score, np.where(kept, weight, 0))]
    without = [(positive[kept], score[kept], weight[kept])]
    chosen = [choose_cut(p, F1, selection).threshold for p in (with_zeros, without)]
    assert chosen[0] == pytest.approx(chosen[1])


@every_selection
def test_certain_and_equal_scores_give_a_finite_cut(selection):
    positive, score = rows_of(300)
    for scores in (score.round(), np.where(score > 0.1, 1.0, score), score * 0 + 0.5):
        chosen = choose_cut([(positive, scores, None)], F1, selection)
        assert 0 <= chosen.threshold <= np.nextafter(1, 2)


@pytest.mark.parametrize("selection", ["exact", "expected"])
def test_log_odds_are_cut_where_their_probabilities_are(selection):
    parts = parts_of()
    as_log_odds = [(positive, logit(score), None) for positive, score, _ in parts]
    above = [
        is_above(rows, choose_cut(rows, F1, selection).threshold)
        for rows in (parts, as_log_odds)
    ]
    np.testing.assert_array_equal(*above)


def test_labels_as_probabilities_make_the_expected_cut_the_exact_one(monkeypatch):
    parts = parts_of(weighted=True)
    monkeypatch.setattr(
        "sklimb.thresholds._expected.calibrated_proba", lambda positive, *_: positive
    )
    for aggregation in ("mean", "pooled"):
        exact, expected = (
            choose_cut(parts, F1, selection, aggregation=aggregation).threshold
            for selection in ("exact", "expected")
        )
        assert expected == exact


def test_a_resample_that_is_the_sample_makes_the_bagged_cut_the_exact_one(monkeypatch):
    def itself(positive, score, metric, weight, **_):
        cut = optimal_threshold(positive, score, metric, weight).threshold
        return resampling.Resamples(np.array([cut]), None, None)

    monkeypatch.setattr("sklimb.thresholds._selection.bootstrap_cuts", itself)
    parts = parts_of()
    exact, expected, bagged, combined = (
        choose_cut(parts, F1, selection, aggregation="pooled").threshold
        for selection in ("exact", "expected", "bagged", "combined")
    )
    assert bagged == pytest.approx(exact)
    ends = logit(exact), logit(expected)
    assert logit(combined) == pytest.approx((2 * ends[0] + ends[1]) / 3)


def test_scores_beyond_0_and_1_are_averaged_as_they_are():
    parts = [(positive, 10 * score - 5, None) for positive, score, _ in parts_of()]
    expected, bagged, combined = (
        choose_cut(parts, F1, selection).threshold
        for selection in ("expected", "bagged", "combined")
    )
    drawn = bootstrap_cuts(*pooled(parts)[:2], F1, smooth=True, n_resamples=200)
    assert bagged == pytest.approx(drawn.cuts.mean())
    assert combined == pytest.approx((expected + 2 * bagged) / 3)


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_one_standard_error_is_not_exceeded(metric):
    parts = parts_of(300)
    chosen = choose_cut(parts, metric, "one_standard_error")
    error = standard_error(parts, metric, chosen.best.threshold)
    assert 0 < chosen.best.score - chosen.score <= error


@pytest.mark.parametrize(("error", "selection"), [(0.0, "exact"), (9.0, "expected")])
def test_one_standard_error_lies_between_exact_and_expected(
    monkeypatch, error, selection
):
    monkeypatch.setattr(
        "sklimb.thresholds._selection.standard_error", lambda *a, **k: error
    )
    parts = parts_of()
    chosen = choose_cut(parts, F1, "one_standard_error").threshold
    assert chosen == choose_cut(parts, F1, selection).threshold


def test_averages_come_nearer_to_the_best_cut_of_the_law():
    # equal variances: the best cut of balanced accuracy lies in the middle
    truth = logit(0.15)
    errors = {selection: [] for selection in SELECTIONS}
    for seed in range(20):
        parts = parts_of(600, seed=seed)
        for selection, found in errors.items():
            found.append(
                logit(choose_cut(parts, BALANCED, selection).threshold) - truth
            )
    spread = {name: np.sqrt(np.mean(np.square(e))) for name, e in errors.items()}
    assert max(spread, key=spread.get) == "exact"
    assert spread["expected"] < spread["combined"] < spread["bagged"]


# Expected counts


def test_soft_counts_are_the_mean_of_counts_of_drawn_labels():
    parts = parts_of(200, decimals=2, weighted=True)
    (soft,) = soft_parts([tuple(pooled(parts))])
    proba = calibrated_proba(*pooled(parts))
    random, (_, score, weight) = np.random.default_rng(0), pooled(parts)
    draws = [
        counts_of_positives(random.random(200) < proba, score, weight)[:2]
        for _ in range(2000)
    ]
    counts = counts_of_positives(*soft)
    for k in (0, 1):
        found = [draw[k] for draw in draws]
        error = np.std(found, axis=0) / np.sqrt(len(draws))
        np.testing.assert_array_less(
            np.abs(np.mean(found, axis=0) - counts[k]), 4 * error + 1e-9
        )


def test_calibration_finds_the_law_behind_distorted_scores():
    positive, proba = rows_of(20_000)
    for scores in (expit(1.5 * logit(proba) + 1), 5 * logit(proba) + 2):
        found = calibrated_proba(positive, scores)
        np.testing.assert_allclose(logit(found), logit(proba), atol=0.25)


def test_calibration_does_not_depend_on_the_scale_of_weights():
    positive, score, weight = pooled(parts_of(weighted=True))
    some, many = (calibrated_proba(positive, score, c * weight) for c in (1e-3, 1e3))
    np.testing.assert_allclose(some, many, rtol=1e-6)


def test_calibration_of_separated_rows_is_not_certain():
    positive = np.repeat([False, True], [30, 10])
    proba = calibrated_proba(positive, np.linspace(0, 1, 40))
    assert proba.min() > 0 and proba.max() < 1
    assert np.all(np.diff(proba) > 0)


# The standard error


def test_standard_error_of_balanced_accuracy_is_that_of_two_shares():
    positive, score = rows_of(400)
    recall, specificity = (
        (score >= 0.2)[positive].mean(),
        (score < 0.2)[~positive].mean(),
    )
    variances = [
        recall * (1 - recall) / positive.sum(),
        specificity * (1 - specificity) / (~positive).sum(),
    ]
    error = standard_error([(positive, score, None)], BALANCED, 0.2)
    assert error == pytest.approx(np.sqrt(sum(variances)) / 2)


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_standard_error_is_the_spread_over_resamples(metric, weighted, grouped):
    parts = parts_of(1500, 1, weighted=weighted)
    positive, score, weight = parts[0]
    group = np.arange(len(score)) // 3 if grouped else None
    drawn = bootstrap_cuts(
        positive, score, metric, weight, group=group, threshold=0.3, n_resamples=2000
    )
    error = standard_error(
        parts, metric, 0.3, group=group if group is None else [group]
    )
    # a spread of 2,000 numbers is known to 1.6 %
    assert error == pytest.approx(drawn.scores.std(), rel=0.08)


def test_rows_that_are_repeated_in_a_group_make_nothing_surer():
    positive, score = rows_of(300)
    twice = [(np.tile(positive, 2), np.tile(score, 2), None)]
    group = [np.tile(np.arange(300), 2)]
    once = standard_error([(positive, score, None)], F1, 0.3)
    assert standard_error(twice, F1, 0.3, group=group) == pytest.approx(once)
    assert standard_error(twice, F1, 0.3) == pytest.approx(once / np.sqrt(2))


def test_standard_error_of_a_mean_is_that_of_independent_parts():
    parts = parts_of()
    own = [standard_error([part], F1, 0.3) for part in parts]
    mean = np.sqrt(np.sum(np.square(own))) / 3
    assert standard_error(parts, F1, 0.3) == pytest.approx(mean)


# Scores without optimism


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda parts: choose_cut(parts, F1, "bets"),
            "`selection`='bets' is not known",
        ),
        (
            lambda parts: choose_cut(parts, F1, aggregation="sum"),
            "`aggregation`='sum' is not known",
        ),
        (
            lambda parts: choose_cut(parts, F1, allowed=[True]),
            r"`allowed` has shape \(1,\); expected \(601,\)",
        ),
        (
            lambda parts: choose_cut(parts, F1, allowed=np.zeros(601)),
            "`allowed` leaves no cut",
        ),
    ],
)
def test_errors_name_the_parameter_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call(parts_of())
