"""Calibration: what noise makes of it is told apart from what the model does."""

import numpy as np
import pytest

from sklimb.metrics import (
    expected_calibration_error,
    rate_interval,
    reliability_curve,
)
from sklimb.metrics._reliability import _equal_mass_bins, _gaps
from sklimb.priors import correct_proba


def _calibrated(seed, n_rows=1000, too_sure=1.0):
    random = np.random.default_rng(seed)
    proba = random.beta(0.5, 1.5, size=n_rows)
    odds = (proba / (1 - proba)) ** (1 / too_sure)
    return (random.random(n_rows) < odds / (1 + odds)).astype(int), proba


def _squared(y, proba, weight):
    bins = _equal_mass_bins(proba, weight, 15)
    gap, share, noise = _gaps(y - proba, weight, bins)
    return share @ (gap**2 - noise), share @ gap**2


@pytest.mark.parametrize("weighted", [False, True])
def test_the_debiased_square_of_perfect_probabilities_is_0_on_average(weighted):
    found = []
    for seed in range(300):
        y, proba = _calibrated(seed)
        weight = np.ones(1000)
        if weighted:
            weight = np.random.default_rng(seed + 10**6).choice([0.5, 1, 4], size=1000)
        found.append(_squared(y, proba, weight / weight.sum()))
    debiased, plain = np.mean(found, axis=0)
    error = np.std(found, axis=0)[0] / np.sqrt(300)
    assert abs(debiased) < 3 * error
    assert plain > 20 * error


def test_the_debiased_square_of_wrong_probabilities_is_that_of_many_rows():
    truth, _ = _squared(*_calibrated(0, 2_000_000, too_sure=2.0), np.full(2_000_000, 1))
    found = [
        _squared(*_calibrated(seed, 500, too_sure=2.0), np.ones(500))
        for seed in range(400)
    ]
    debiased, plain = np.mean(found, axis=0)
    error = np.std(found, axis=0)[0] / 20
    assert debiased == pytest.approx(truth, abs=3 * error)
    assert plain > truth + 3 * error


def test_perfect_probabilities_have_a_small_debiased_error_and_a_large_plain_one():
    both = [
        [
            expected_calibration_error(*_calibrated(seed), debiased=debiased)
            for debiased in (True, False)
        ]
        for seed in range(100)
    ]
    debiased, plain = np.mean(both, axis=0)
    assert debiased < plain / 3
    assert np.mean(np.array(both)[:, 0] == 0) > 0.4


def test_the_absolute_error_is_the_mean_absolute_gap():
    y, proba = _calibrated(0)
    curve = reliability_curve(y, proba, n_bins=15)
    expected = np.average(abs(curve.observed - curve.predicted), weights=curve.n_rows)
    found = expected_calibration_error(y, proba, norm="l1", debiased=False)
    assert found == pytest.approx(expected)
    squares = np.average((curve.observed - curve.predicted) ** 2, weights=curve.n_rows)
    found = expected_calibration_error(y, proba, debiased=False)
    assert found == pytest.approx(np.sqrt(squares))


def test_of_several_classes_it_is_the_predicted_one_that_counts():
    random = np.random.default_rng(0)
    proba = random.dirichlet([1, 1, 1], size=3000)
    y = (random.random(3000)[:, None] > proba.cumsum(axis=1)).sum(axis=1)
    assert expected_calibration_error(y, proba) < 0.03
    right = proba.argmax(axis=1) == y
    expected = expected_calibration_error(right, proba.max(axis=1))
    assert expected_calibration_error(y, proba) == pytest.approx(expected)


def test_probabilities_corrected_to_a_prior_are_calibrated_there():
    y, proba = _calibrated(0, 100_000)
    there = correct_proba(np.column_stack([1 - proba, proba]), y.mean(), 0.02)
    wrong = expected_calibration_error(y, proba, target_prior=0.02)
    right = expected_calibration_error(y, there, target_prior=0.02)
    assert right < 0.005 < 0.05 < wrong
    curve = reliability_curve(y, there, target_prior=0.02)
    held = (curve.low <= curve.predicted) & (curve.predicted <= curve.high)
    assert held.mean() >= 0.8


def test_bins_hold_equal_shares_of_the_rows():
    y, proba = _calibrated(0, 1003)
    curve = reliability_curve(y, proba, n_bins=10)
    assert curve.n_rows.sum() == 1003
    assert np.ptp(curve.n_rows) <= 1
    assert (np.diff(curve.predicted) > 0).all()


def test_at_another_prior_bins_hold_equal_shares_of_the_weight():
    y, proba = _calibrated(0, 20_000)
    there = correct_proba(np.column_stack([1 - proba, proba]), y.mean(), 0.5)
    curve = reliability_curve(y, there, target_prior=0.5)
    assert curve.predicted.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("n_bins", [1, 3, 10, 1000])
def test_equal_probabilities_are_in_one_bin(n_bins):
    y, proba = _calibrated(0)
    proba = np.round(proba, 1)
    bins = _equal_mass_bins(proba, np.ones(1000), n_bins)
    assert all(len(set(bins[proba == value])) == 1 for value in set(proba))
    curve = reliability_curve(y, proba, n_bins=n_bins)
    assert len(curve.n_rows) <= min(n_bins, 11)


def test_bands_are_exact_intervals_of_the_rows():
    y, proba = _calibrated(0)
    curve = reliability_curve(y, proba, level=0.9)
    hits = np.rint(curve.observed * curve.n_rows)
    _, low, high = rate_interval(hits, curve.n_rows, 0.9)
    np.testing.assert_allclose(curve.low, low, atol=1e-9)
    np.testing.assert_allclose(curve.high, high, atol=1e-9)


def test_bands_move_with_the_prior_as_odds_do():
    y, proba = _calibrated(0)
    # One bin, so that the bins are the same at both priors.
    own = reliability_curve(y, proba, n_bins=1)
    there = reliability_curve(y, proba, n_bins=1, target_prior=0.02)
    factor = (0.02 / 0.98) / (y.mean() / (1 - y.mean()))
    for name in ("observed", "low", "high"):
        before, after = getattr(own, name)[0], getattr(there, name)[0]
        assert after / (1 - after) == pytest.approx(factor * before / (1 - before))


def test_equal_weights_count_as_none():
    y, proba = _calibrated(0)
    plain = reliability_curve(y, proba)
    weighted = reliability_curve(y, proba, sample_weight=np.full(len(y), 3.0))
    for one, other in zip(plain, weighted, strict=True):
        np.testing.assert_allclose(one, other)
    uneven = np.where(np.arange(len(y)) % 2, 0.2, 1.8)
    wider = reliability_curve(y, proba, sample_weight=uneven)
    assert np.mean(wider.high - wider.low) > 1.1 * np.mean(plain.high - plain.low)


def test_either_class_can_be_the_positive_one():
    y, proba = _calibrated(0)
    labels = np.where(y == 1, "a", "b")
    found = reliability_curve(labels, proba, pos_label="a")
    for ours, expected in zip(found, reliability_curve(y, proba), strict=True):
        np.testing.assert_allclose(ours, expected)
