"""Intervals hold the truth about as often as promised, whatever the prior."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import f1_score

from sklimb.metrics import bootstrap_interval, score_at_prior
from sklimb.metrics._resampling import grouped_drawer


def _test_set(random, n_positives=10, n_negatives=200, recall=0.8, false=0.02):
    y = np.repeat([1, 0], [n_positives, n_negatives])
    rate = np.where(y == 1, recall, false)
    return y, (random.random(len(y)) < rate).astype(int)


def _f1(recall, false, prior):
    return 2 * prior * recall / (prior * recall + (1 - prior) * false + prior)


def _coverage(n_runs, prior, recall=0.8, false=0.02, **options):
    truth, held = _f1(recall, false, 10 / 210 if prior is None else prior), 0
    for seed in range(n_runs):
        random = np.random.default_rng(seed)
        y, predicted = _test_set(random, recall=recall, false=false)
        _, low, high = bootstrap_interval(
            "f1", y, predicted, target_prior=prior, n_resamples=400, **options
        )
        held += low <= truth <= high
    return held / n_runs


@pytest.mark.parametrize("prior", [None, 0.01])
def test_ten_positives_give_an_interval_of_f1_that_covers(prior):
    # 600 runs: 95 % within 1.8 points, twice the error.
    assert 0.92 <= _coverage(600, prior) <= 0.97


def test_the_plain_bootstrap_of_ten_positives_covers_less():
    rates = {"recall": 0.95, "false": 0.005}
    assert _coverage(300, None, **rates, method="bootstrap") < 0.9
    assert _coverage(300, None, **rates) >= 0.92


def _coverage_of_several(n_runs, n_classes):
    sizes = np.full(n_classes, 40)
    sizes[0] = 10
    y, held = np.repeat(np.arange(n_classes), sizes), 0
    for seed in range(n_runs):
        random = np.random.default_rng(seed)
        wrong = (y + random.integers(1, n_classes, size=len(y))) % n_classes
        predicted = np.where(random.random(len(y)) < 0.7, y, wrong)
        _, low, high = bootstrap_interval(
            "balanced_accuracy", y, predicted, n_resamples=300
        )
        held += low <= 0.7 <= high
    return held / n_runs


@pytest.mark.parametrize("n_classes", [3, 10])
def test_the_number_of_classes_does_not_spoil_coverage(n_classes):
    assert 0.90 <= _coverage_of_several(300, n_classes) <= 0.98


@pytest.mark.parametrize("metric", ["f1", "matthews_corrcoef", "accuracy", "f2"])
def test_with_many_rows_both_methods_agree(metric):
    y, predicted = _test_set(np.random.default_rng(0), 400, 4000)
    one, other = (
        bootstrap_interval(
            metric, y, predicted, target_prior=0.05, n_resamples=4000, method=method
        )
        for method in ("rates", "bootstrap")
    )
    assert one.estimate == other.estimate
    width = other.high - other.low
    np.testing.assert_allclose(one, other, atol=0.1 * width)


def test_the_bootstrap_of_counts_is_that_of_rows():
    y, predicted = _test_set(np.random.default_rng(0), 50, 500)
    options = {"method": "bootstrap", "n_resamples": 4000, "target_prior": 0.03}
    of_counts = bootstrap_interval("f1", y, predicted, **options)
    ones = np.full(len(y), 2.0)
    of_rows = bootstrap_interval("f1", y, predicted, sample_weight=ones, **options)
    alone = np.arange(len(y))
    of_groups = bootstrap_interval("f1", y, predicted, groups=alone, **options)
    for found in (of_rows, of_groups):
        np.testing.assert_allclose(found, of_counts, atol=0.015)


def test_an_interval_of_a_mean_is_the_normal_one():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], [600, 400])
    proba = random.uniform(0.05, 0.95, size=1000)
    squares = (proba - y) ** 2
    prior = np.array([0.9, 0.1])
    variance = sum(
        prior[k] ** 2 * squares[y == k].var() / np.sum(y == k) for k in (0, 1)
    )
    found = bootstrap_interval("brier", y, proba, target_prior=0.1, n_resamples=4000)
    half = norm.ppf(0.975) * np.sqrt(variance)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)
    assert found.estimate == score_at_prior("brier", y, proba, 0.1)


@pytest.mark.parametrize(
    "metric", ["f1", "cost", "log_loss", "average_precision", "roc_auc", f1_score]
)
def test_the_estimate_is_the_score_and_lies_inside(metric):
    random = np.random.default_rng(0)
    y = (random.random(300) < 0.2).astype(int)
    proba = np.clip(0.2 + 0.3 * y + 0.2 * random.normal(size=300), 0.01, 0.99)
    of_labels = metric in ("f1", "cost", f1_score)
    given = (proba > 0.4).astype(int) if of_labels else proba
    costs = {"cost_matrix": [[0, 1], [9, 0]]} if metric == "cost" else {}
    found = bootstrap_interval(
        metric, y, given, target_prior=0.05, n_resamples=200, **costs
    )
    assert found.estimate == score_at_prior(metric, y, given, 0.05, **costs)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("metric", ["f1_macro", "log_loss", "average_precision"])
def test_several_classes_have_intervals(metric):
    random = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [200, 60, 15])
    proba = random.dirichlet([1, 1, 1], size=275) + 2 * np.eye(3)[y]
    proba /= proba.sum(axis=1, keepdims=True)
    given = proba.argmax(axis=1) if metric == "f1_macro" else proba
    for prior in (None, "uniform"):
        found = bootstrap_interval(metric, y, given, target_prior=prior)
        assert found.low <= found.estimate <= found.high
        assert found.low < found.high


def test_repeated_rows_of_a_group_are_no_new_rows():
    random = np.random.default_rng(0)
    y, predicted = _test_set(random, 40, 400)
    tripled = [np.repeat(column, 3) for column in (y, predicted)]
    options = {"method": "bootstrap", "n_resamples": 2000}
    single = bootstrap_interval("f1", y, predicted, **options)
    grouped = bootstrap_interval(
        "f1", *tripled, groups=np.repeat(np.arange(440), 3), **options
    )
    rows = bootstrap_interval("f1", *tripled, **options)
    np.testing.assert_allclose(grouped, single, atol=0.02)
    assert rows.high - rows.low < 0.7 * (grouped.high - grouped.low)


def test_groups_of_the_rarer_class_are_drawn_apart():
    y = np.array([1, 0, 0, 1, 0, 0, 0, 0])
    groups = np.array(list("aabbccdd"))
    of_class = [np.flatnonzero(y == k) for k in (0, 1)]
    drawn = grouped_drawer(of_class, groups)(500, np.random.default_rng(0))
    negatives, positives = drawn
    np.testing.assert_array_equal(positives.sum(axis=1), 2)  # a and b, each has one
    # Negatives 1, 2, ... of c and d are there as often as these groups.
    np.testing.assert_array_equal(negatives[:, 2:].sum(axis=1), 4)
    np.testing.assert_array_equal(negatives[:, 2], negatives[:, 3])
    np.testing.assert_array_equal(negatives[:, 0], positives[:, 0])


def test_groups_may_be_anything_that_is_equal_or_not():
    y, predicted = _test_set(np.random.default_rng(0), 40, 160)
    numbers = np.arange(200) // 4
    names = np.array([None, *(f"patient {k}" for k in range(1, 50))], dtype=object)
    missing = np.where(numbers == 49, np.nan, numbers)
    found = [
        bootstrap_interval("f1", y, predicted, groups=groups, n_resamples=50)
        for groups in (numbers, names[numbers].tolist(), missing)
    ]
    assert found[0] == found[1] == found[2]


def test_a_perfect_test_set_still_leaves_doubt():
    y = np.repeat([1, 0], [10, 90])
    found = bootstrap_interval("recall", y, y)
    assert found.estimate == found.high == 1
    assert 0.7 < found.low < 0.9
    plain = bootstrap_interval("recall", y, y, method="bootstrap")
    assert plain == (1, 1, 1)


def test_intervals_are_seeded():
    y, predicted = _test_set(np.random.default_rng(0))
    for method in ("rates", "bootstrap"):
        first, same, other = (
            bootstrap_interval("f1", y, predicted, method=method, random_state=seed)
            for seed in (0, 0, 1)
        )
        assert first == same != other


def test_a_wider_level_has_a_wider_interval():
    y, predicted = _test_set(np.random.default_rng(0))
    narrow, wide = (
        bootstrap_interval("f1", y, predicted, level=level) for level in (0.5, 0.99)
    )
    assert wide.low < narrow.low < narrow.high < wide.high
