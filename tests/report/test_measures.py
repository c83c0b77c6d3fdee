import numpy as np
import pytest
from scipy.special import expit
from sklearn import metrics

from sklimb.metrics import bootstrap_interval, draw_counts
from sklimb.report.measures import (
    COLUMNS,
    Predictions,
    column_of_aim,
    columns_for,
    measure,
)


def _test_part(n_rows=400, seed=0, decimals=2, shift=2.0):
    random = np.random.default_rng(seed)
    positive = random.random(n_rows) < 0.1
    log_odds = np.round(random.normal(size=n_rows) + shift * positive - 1.5, decimals)
    return positive, Predictions(log_odds >= 0, log_odds)


def _by_sklearn(positive, predictions, weight):
    proba = expit(predictions.log_odds)
    called = predictions.called_positive
    options = {"sample_weight": weight, "zero_division": 0}
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(positive, called),
        "f1_macro": metrics.f1_score(positive, called, average="macro", **options),
        "precision": metrics.precision_score(positive, called, **options),
        "recall": metrics.recall_score(positive, called, **options),
        "average_precision": metrics.average_precision_score(
            positive, proba, sample_weight=weight
        ),
        "log_loss": metrics.log_loss(positive, proba, sample_weight=weight),
        "brier": metrics.brier_score_loss(positive, proba, sample_weight=weight),
        "f2": metrics.fbeta_score(positive, called, beta=2, **options),
    }


def _weights(positive, prevalence):
    share = positive.mean()
    return np.where(positive, prevalence / share, (1 - prevalence) / (1 - share))


@pytest.mark.parametrize("prevalence", [0.1, 0.0017, 0.6])
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_measures_equal_sklearns_with_importance_weights(prevalence, decimals):
    positive, predictions = _test_part(decimals=decimals)
    found = measure([predictions], positive, prevalence, columns_for("f2"), 0)[0]
    expected = _by_sklearn(positive, predictions, _weights(positive, prevalence))
    assert {key: e.value for key, e in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize("prevalence", [0.1, 0.01])
def test_every_resample_is_measured_as_a_sample(prevalence, monkeypatch):
    positive, predictions = _test_part(60, decimals=1)
    rows = np.flatnonzero(positive), np.flatnonzero(~positive)
    rng = np.random.default_rng(3)
    counts = np.empty(60)
    for of_class in rows:
        counts[of_class] = draw_counts(len(of_class), 1, rng)[0]
    monkeypatch.setattr("sklimb.report.measures.N_RESAMPLES", 1)
    monkeypatch.setattr("sklimb.report.measures.FEWEST_RESAMPLES", 1)
    found = measure([predictions], positive, prevalence, COLUMNS, 3)[0]
    weight = counts * _weights(positive, prevalence)
    expected = _by_sklearn(positive, predictions, weight)
    del expected["f2"], expected["balanced_accuracy"]
    assert {key: found[key].resamples[0] for key in expected} == pytest.approx(expected)


def test_resamples_keep_the_rows_of_each_class():
    counts = draw_counts(7, 50, np.random.default_rng(0))
    assert (counts.sum(axis=1) == 7).all()
    assert len(np.unique(counts, axis=0)) > 40


def test_intervals_are_seeded_and_paired_across_strategies():
    positive, predictions = _test_part()
    first = measure([predictions] * 2, positive, 0.05, COLUMNS, 0)
    again = measure([predictions], positive, 0.05, COLUMNS, 0)
    for key in first[0]:
        np.testing.assert_array_equal(first[0][key].resamples, first[1][key].resamples)
        np.testing.assert_array_equal(first[0][key].resamples, again[0][key].resamples)
        low, high = first[0][key].interval
        assert low <= first[0][key].value <= high


def test_chunks_of_resamples_change_nothing(monkeypatch):
    positive, predictions = _test_part()
    whole = measure([predictions], positive, 0.05, COLUMNS, 0)[0]
    monkeypatch.setattr("sklimb.report.measures.CHUNK_CELLS", 400 * 300)
    parts = measure([predictions], positive, 0.05, COLUMNS, 0)[0]
    assert len(parts["recall"].resamples) == len(whole["recall"].resamples) == 1000
    assert parts["recall"].value == whole["recall"].value
    assert parts["recall"].interval == pytest.approx(whole["recall"].interval, abs=0.05)


def test_recall_covers_the_truth_about_as_often_as_promised():
    # 60 positives whose true recall is a half.
    covered = 0
    positive = np.arange(160) < 60
    for seed in range(100):
        called = np.random.default_rng(seed).random(160) < 0.5
        predictions = Predictions(called, called.astype(float))
        measures = [column for column in COLUMNS if column.key == "recall"]
        low, high = measure([predictions], positive, 0.1, measures, seed)[0][
            "recall"
        ].interval
        covered += low <= 0.5 <= high
    assert 90 <= covered <= 99


def test_certain_predictions_give_finite_measures():
    positive = np.array([True, False, True, False])
    predictions = Predictions(positive, np.array([np.inf, -np.inf, -np.inf, np.inf]))
    found = measure([predictions], positive, 0.5, COLUMNS, 0)[0]
    assert all(np.isfinite(e.value) for e in found.values())
    assert found["log_loss"].value == pytest.approx(-np.log(2.0**-52) / 2)


def test_no_negative_above_the_lowest_positive_gives_full_average_precision():
    positive = np.array([True, True, False, False])
    predictions = Predictions(positive, np.array([2.0, 1.0, 0.0, -1.0]))
    found = measure([predictions], positive, 0.01, COLUMNS, 0)[0]
    assert found["average_precision"].value == 1


@pytest.mark.parametrize(
    ("scoring", "key"),
    [
        ("macro_f1", "f1_macro"),
        ("sensitivity", "recall"),
        ("recall_macro", "balanced_accuracy"),
        ("f2", "f2"),
        ("mcc", "mcc"),
    ],
)
def test_the_aim_is_a_column_once_whatever_it_is_called(scoring, key):
    assert column_of_aim(scoring).key == key
    keys = [column.key for column in columns_for(scoring)]
    assert keys.count(key) == 1
    assert keys[:7] == [column.key for column in COLUMNS]


def test_precision_without_false_positives_is_uncertain():
    positive = np.arange(1300) < 100
    called = np.arange(1300) < 80
    predictions = Predictions(called, called.astype(float))
    found = measure([predictions], positive, 0.002, COLUMNS, 0)[0]["precision"]
    assert (found.resamples == 1).all()
    low, high = found.interval
    assert high == 1
    # Up to 1 - 0.025 ** (1 / 1200) false positives a negative (Clopper-Pearson).
    rate = 1 - 0.025 ** (1 / 1200)
    assert low == pytest.approx(0.0016 / (0.0016 + 0.998 * rate), abs=0.1)


def test_intervals_are_those_of_the_metrics():
    positive, predictions = _test_part()
    found = measure([predictions], positive, 0.02, COLUMNS, 0)[0]
    for key in ("precision", "recall", "f1_macro", "balanced_accuracy"):
        interval = bootstrap_interval(
            key, positive, predictions.called_positive, target_prior=0.02
        )
        assert found[key].value == pytest.approx(interval.estimate)
        assert found[key].interval == pytest.approx(interval[1:], abs=0.03)
