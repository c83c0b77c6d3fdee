import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn import metrics

from sklimb.metrics import bootstrap_interval, draw_counts
from sklimb.report import several
from sklimb.report.measures import Measure
from sklimb.report.several import (
    COLUMNS_OF_SEVERAL,
    ClassPredictions,
    column_of_aim_of_several,
    columns_for_several,
    measure_several,
    names_for_several,
    rate_of_class,
)

PRIOR = np.array([0.5, 0.3, 0.2])
RATES = [
    Measure(name, name, True, rate_of_class(name, 2))
    for name in ("recall", "precision", "alert_rate")
]


def _test_part(n_rows=300, seed=0):
    random = np.random.default_rng(seed)
    truth = random.choice(3, size=n_rows, p=[0.8, 0.15, 0.05])
    log_proba = log_softmax(random.normal(size=(n_rows, 3)) + 2 * np.eye(3)[truth], 1)
    return truth, ClassPredictions(log_proba.argmax(axis=1), log_proba)


def _by_sklearn(truth, predictions, weight):
    predicted = predictions.class_numbers
    recalls, precisions, f1 = (
        score(truth, predicted, average=None, sample_weight=weight, zero_division=0)
        for score in (metrics.recall_score, metrics.precision_score, metrics.f1_score)
    )
    return {
        "balanced_accuracy": recalls.mean(),
        "f1_macro": f1.mean(),
        "matthews_corrcoef": metrics.matthews_corrcoef(
            truth, predicted, sample_weight=weight
        ),
        "minimum_recall": recalls.min(),
        "log_loss": metrics.log_loss(
            truth, np.exp(predictions.log_proba), sample_weight=weight
        ),
        "recall": recalls[2],
        "precision": precisions[2],
        "alert_rate": np.average(predicted == 2, weights=weight),
    }


def _weights(truth):
    return (PRIOR / np.bincount(truth, minlength=3))[truth]


def test_measures_equal_sklearns_with_importance_weights():
    truth, predictions = _test_part()
    measures = [*COLUMNS_OF_SEVERAL, *RATES]
    found = measure_several([predictions], truth, PRIOR, measures, 0)[0]
    expected = _by_sklearn(truth, predictions, _weights(truth))
    assert {key: e.value for key, e in found.items()} == pytest.approx(expected)


def test_every_resample_is_measured_as_a_sample(monkeypatch):
    truth, predictions = _test_part(90)
    rng = np.random.default_rng(3)
    counts = np.empty(90)
    for k in range(3):
        counts[truth == k] = draw_counts(int(np.sum(truth == k)), 1, rng)[0]
    monkeypatch.setattr("sklimb.report.measures.N_RESAMPLES", 1)
    monkeypatch.setattr("sklimb.report.measures.FEWEST_RESAMPLES", 1)
    measures = [*COLUMNS_OF_SEVERAL, *RATES]
    found = measure_several([predictions], truth, PRIOR, measures, 3)[0]
    expected = _by_sklearn(truth, predictions, counts * _weights(truth))
    assert {k: e.resamples[0] for k, e in found.items()} == pytest.approx(expected)


def test_strategies_are_measured_on_the_same_resamples():
    truth, predictions = _test_part()
    one, other = measure_several([predictions] * 2, truth, PRIOR, COLUMNS_OF_SEVERAL, 0)
    for key in one:
        np.testing.assert_array_equal(one[key].resamples, other[key].resamples)
        low, high = one[key].interval
        assert low <= one[key].value <= high


def test_a_class_that_is_never_predicted_has_a_precision_of_0():
    truth, predictions = _test_part()
    never = ClassPredictions(truth * 0, predictions.log_proba)
    found = measure_several([never], truth, PRIOR, RATES, 0)[0]
    assert {key: e.value for key, e in found.items()} == dict.fromkeys(found, 0)


@pytest.mark.parametrize("name", names_for_several())
def test_every_aim_is_a_column_once(name):
    keys = [column.key for column in columns_for_several(name)]
    assert keys.count(column_of_aim_of_several(name).key) == 1
    assert keys[:5] == [column.key for column in COLUMNS_OF_SEVERAL]


def test_short_names_share_the_column():
    assert column_of_aim_of_several("mcc").key == "matthews_corrcoef"
    assert column_of_aim_of_several("macro_f1").key == "f1_macro"
    assert "cost" not in several.names_for_several()


def test_intervals_are_those_of_the_metrics():
    truth, predictions = _test_part()
    found = measure_several([predictions], truth, PRIOR, COLUMNS_OF_SEVERAL, 0)[0]
    for key in ("balanced_accuracy", "f1_macro", "minimum_recall"):
        interval = bootstrap_interval(
            key, truth, predictions.class_numbers, target_prior=PRIOR
        )
        assert found[key].value == pytest.approx(interval.estimate)
        assert found[key].interval == pytest.approx(interval[1:], abs=0.05)
