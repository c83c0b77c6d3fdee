"""Exact intervals of rates, and the rows that they ask for."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from sklimb.metrics import per_class_accuracy, rate_interval, rows_needed

METHODS = {"clopper_pearson": "exact", "wilson": "wilson"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_intervals_are_scipys(method, level):
    for n in (1, 7, 100):
        hits = np.arange(n + 1)
        found = rate_interval(hits, n, level, method)
        for k in hits:
            expected = binomtest(k, n).proportion_ci(level, METHODS[method])
            np.testing.assert_allclose(
                [found.low[k], found.high[k]], expected, rtol=1e-7, atol=1e-12
            )


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 2, 5, 10, 37, 200])
def test_clopper_pearson_covers_at_least_as_often_as_promised(n, level):
    # By enumeration of all outcomes; between two ends coverage is smooth, and least
    # right beside an end.
    hits = np.arange(n + 1)
    _, low, high = rate_interval(hits, n, level)
    ends = np.concatenate([low, high])
    rates = np.concatenate([ends - 1e-9, ends + 1e-9, np.linspace(0, 1, 2001)])
    rates = rates[(rates >= 0) & (rates <= 1)]
    inside = (low <= rates[:, None]) & (rates[:, None] <= high)
    coverage = (binom.pmf(hits, n, rates[:, None]) * inside).sum(axis=1)
    assert coverage.min() >= level - 1e-9


@pytest.mark.parametrize("method", ["wilson", "jeffreys"])
def test_shorter_intervals_cover_as_promised_on_average(method):
    hits, rates = np.arange(51), np.linspace(0.02, 0.98, 500)[:, None]
    _, low, high = rate_interval(hits, 50, method=method)
    inside = (low <= rates) & (rates <= high)
    coverage = (binom.pmf(hits, 50, rates) * inside).sum(axis=1)
    assert 0.945 < coverage.mean() < 0.96
    assert coverage.min() < 0.95
    exact = rate_interval(hits, 50)
    assert np.mean(high - low) < np.mean(exact.high - exact.low)


@pytest.mark.parametrize("method", ["clopper_pearson", "wilson", "jeffreys"])
def test_no_hit_all_hits_and_no_rows(method):
    found = rate_interval([0, 8, 0], [8, 8, 0], method=method)
    assert found.low[0] == 0 < found.high[0] < 0.5
    assert 0.5 < found.low[1] < found.high[1] == 1
    assert np.isnan(found.estimate[2])
    assert (found.low[2], found.high[2]) == (0, 1)


def test_counts_broadcast_and_single_ones_are_floats():
    assert rate_interval([[1], [2]], [10, 20, 30]).low.shape == (2, 3)
    assert all(type(value) is float for value in rate_interval(1, 10))


@pytest.mark.parametrize("recall", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("half_width", [0.2, 0.05, 0.01])
def test_rows_needed_are_the_fewest(recall, half_width):
    def half(n):
        _, low, high = rate_interval(recall * n, n)
        return (high - low) / 2

    positives, rows = rows_needed(recall, half_width, 0.02)
    assert half(positives) <= half_width
    assert positives == 1 or half(positives - 1) > half_width
    assert binom.sf(positives - 1, rows, 0.02) >= 0.95
    assert binom.sf(positives - 1, rows - 1, 0.02) < 0.95


def test_rows_of_positives_alone_are_the_positives():
    positives, rows = rows_needed(0.8, 0.1, 1)
    assert rows == positives
    assert rows_needed(0.8, 0.1, 1e-4).rows > 1e4 * positives
    assert rows_needed(0.8, 0.1, 0.01, assurance=0.5).rows < 100 * positives + 1


def test_accuracy_of_each_class_is_its_recall():
    y_true = np.array(["a", "b", "c"])[np.repeat([0, 1, 2], [50, 20, 5])]
    y_pred = np.where(np.arange(75) % 4 == 0, "a", y_true)
    found = per_class_accuracy(y_true, y_pred, level=0.9)
    for k, label in enumerate("abc"):
        right = (y_pred == y_true)[y_true == label]
        expected = rate_interval(right.sum(), len(right), 0.9)
        assert (found.accuracy[k], found.low[k], found.high[k]) == expected
        assert found.n_rows[k] == len(right)
    assert found.labels.tolist() == ["a", "b", "c"]


def test_a_class_that_is_only_predicted_has_no_accuracy():
    found = per_class_accuracy([0, 0, 1], [0, 2, 1])
    np.testing.assert_array_equal(found.accuracy, [0.5, 1, np.nan])
    assert (found.low[2], found.high[2], found.n_rows[2]) == (0, 1, 0)
