"""How far the best cut moves when rows are drawn again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklimb.thresholds import _resampling as resampling
from sklimb.thresholds._cuts import optimal_threshold
from sklimb.thresholds._metrics import metric_function
from sklimb.thresholds._resampling import bootstrap_cuts, threshold_interval
from tests.scored_parts import metric_at, parts_of, pooled, rows_of, small_rows

F1 = metric_function("f1")
BALANCED = metric_function("balanced_accuracy")
METRICS = {name: metric_function(name) for name in ("f1", "mcc", "balanced_accuracy")}


@settings(max_examples=40)
@given(rows=small_rows(), name=st.sampled_from(sorted(METRICS)))
def test_resamples_are_those_of_a_loop_over_the_same_draws(rows, name):
    positive, score, weight = rows
    if weight is not None:
        weight = weight + 1
    drawn = bootstrap_cuts(positive, score, METRICS[name], weight, n_resamples=20)
    random, times = np.random.default_rng(0), np.zeros((20, len(score)))
    rarer = positive if 2 * positive.sum() <= len(positive) else ~positive
    for own in (np.flatnonzero(rarer), np.flatnonzero(~rarer)):
        chosen = random.integers(len(own), size=(20, len(own)), dtype=np.int32)
        for resample, numbers in enumerate(chosen):
            np.add.at(times[resample], own[numbers], 1)
    fixed = optimal_threshold(positive, score, METRICS[name], weight).threshold
    for resample, often in enumerate(times):
        weights = often if weight is None else often * weight
        best = optimal_threshold(positive, score, METRICS[name], weights)
        assert drawn.best_scores[resample] == pytest.approx(best.score)
        assert drawn.cuts[resample] == pytest.approx(best.threshold)
        at_fixed = metric_at(METRICS[name], positive, score, weights, fixed)
        assert drawn.scores[resample] == pytest.approx(at_fixed)


def test_groups_are_drawn_whole():
    positive, score = rows_of(150)
    once = bootstrap_cuts(positive, score, F1, n_resamples=50)
    each_alone = bootstrap_cuts(
        positive, score, F1, group=np.arange(150), n_resamples=50
    )
    np.testing.assert_array_equal(once.cuts, each_alone.cuts)
    twice = bootstrap_cuts(
        *(np.tile(a, 2) for a in (positive, score)),
        F1,
        group=np.tile(np.arange(150), 2),
        n_resamples=50,
    )
    np.testing.assert_allclose(once.cuts, twice.cuts)
    np.testing.assert_allclose(once.best_scores, twice.best_scores)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(METRICS))
def test_rows_between_cuts_may_be_drawn_by_number(monkeypatch, weighted, name):
    rows = pooled(parts_of(4000, 1, weighted=weighted))
    setting = {"n_resamples": 1000, "threshold": 0.3}
    by_row = bootstrap_cuts(*rows[:2], METRICS[name], rows[2], **setting)
    monkeypatch.setattr(resampling, "MOST_ROWS", 1000)
    monkeypatch.setattr(resampling, "MOST_CUTS", 400)
    by_number = bootstrap_cuts(*rows[:2], METRICS[name], rows[2], **setting)
    assert by_number.scores.mean() == pytest.approx(by_row.scores.mean(), rel=0.01)
    for some, others in zip(by_number, by_row, strict=True):
        assert some.std() == pytest.approx(others.std(), rel=0.15)
        quartiles = np.quantile([some, others], [0.25, 0.5, 0.75], axis=1)
        off = np.abs(np.diff(quartiles, axis=1)).max()
        assert off < 0.3 * others.std()


def test_smoothing_copies_rows_of_the_rarer_class_and_draws_as_many():
    positive, score = rows_of(400)

    def rows_drawn(tp, fp, fn, tn):
        return np.where(tp == 0, tp + fn + 1000 * (fp + tn), 0)

    drawn = bootstrap_cuts(positive, score, rows_drawn, smooth=True, n_resamples=30)
    sizes = positive.sum() + 1000 * (~positive).sum()
    np.testing.assert_array_equal(drawn.best_scores, sizes)


def test_smoothing_fills_the_gaps_between_cuts_and_keeps_scores():
    positive, score = rows_of(400)
    plain, smooth = (
        bootstrap_cuts(positive, score, BALANCED, smooth=smooth, threshold=0.15)
        for smooth in (False, True)
    )
    assert len(np.unique(smooth.cuts)) > 2 * len(np.unique(plain.cuts))
    assert smooth.scores.mean() == pytest.approx(plain.scores.mean(), rel=0.02)
    assert smooth.scores.std() == pytest.approx(plain.scores.std(), rel=0.1)


def test_shifts_have_the_mean_and_nearly_the_spread_of_a_normal_law():
    assert resampling.SHIFTS.mean() == pytest.approx(0, abs=1e-15)
    assert 0.8 < resampling.SHIFTS.std() < 1


def test_classes_swap_with_their_scores():
    # cuts of equal values are taken from the other side: shares, not rows, agree
    positive, score = rows_of(1000)
    low, high = threshold_interval(positive, score, BALANCED)
    swapped = threshold_interval(~positive, 1 - score, BALANCED)
    np.testing.assert_allclose(swapped, (1 - high, 1 - low), atol=0.02)


def test_many_groups_have_fewer_resamples(monkeypatch):
    positive, score = rows_of(500)
    monkeypatch.setattr(resampling, "MOST_DRAWS", 150_000)
    for wanted, n_drawn in [(1000, 300), (250, 250), (100, 100)]:
        drawn = bootstrap_cuts(
            positive, score, F1, group=np.arange(500) // 2, n_resamples=wanted
        )
        assert len(drawn.cuts) == n_drawn


def test_interval_of_separated_classes_lies_around_the_gap():
    random = np.random.default_rng(0)
    score = np.append(random.uniform(0, 0.3, 200), random.uniform(0.6, 1, 50))
    positive = np.repeat([False, True], [200, 50])
    low, high = threshold_interval(positive, score, F1)
    best = optimal_threshold(positive, score, F1).threshold
    assert 0.4 < low <= best <= high < 0.5 + 0.05
    assert high - low < 0.05


def test_interval_is_wider_at_a_higher_level_and_narrower_for_more_rows():
    def width(n_rows, level):
        ends = [
            threshold_interval(
                *rows_of(n_rows, seed=seed), F1, level=level, n_resamples=200
            )
            for seed in range(10)
        ]
        return np.diff(ends).mean()

    assert width(500, 0.5) < width(500, 0.95) < width(500, 0.99)
    # by the cube root of 8
    assert width(4_000, 0.95) == pytest.approx(width(500, 0.95) / 2, rel=0.25)


def test_interval_repeats_itself():
    rows = rows_of(400)
    assert threshold_interval(*rows, F1) == threshold_interval(*rows, F1)
    assert threshold_interval(*rows, F1) != threshold_interval(
        *rows, F1, random_state=1
    )


def test_a_level_is_a_share():
    with pytest.raises(ValueError, match="`level`=95 must lie between 0 and 1"):
        threshold_interval(*rows_of(20), F1, level=95)
