"""Cuts of a score: every one counted, and the best one found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from sklimb.thresholds import (
    StepCurve,
    confusion_counts,
    metric_function,
    metric_names,
    optimal_threshold,
)
from sklimb.thresholds._cuts import mean_curve

SKLEARN = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "cohen_kappa": metrics.cohen_kappa_score,
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
}
AVERAGED = {
    "f1": metrics.f1_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "jaccard": metrics.jaccard_score,
}
for _name, _score in AVERAGED.items():
    for _average in ("macro", "weighted"):
        SKLEARN[f"{_name}_{_average}"] = lambda *a, s=_score, v=_average, **k: s(
            *a, average=v, **k
        )
for _beta in (0.5, 2):
    SKLEARN[f"f{_beta}"] = lambda *a, b=_beta, **k: metrics.fbeta_score(*a, beta=b, **k)


@st.composite
def scored_rows(draw, max_rows=12):
    """Draw labels of both classes, coarse scores with ties, and weights or None."""
    n_rows = draw(st.integers(2, max_rows))
    y = draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    y[0], y[1] = False, True
    score = draw(st.lists(st.integers(0, 8), min_size=n_rows, max_size=n_rows))
    weight = draw(
        st.none() | st.lists(st.integers(1, 4), min_size=n_rows, max_size=n_rows)
    )
    return np.array(y), np.array(score) / 8, weight


def every_prediction(score):
    yield np.zeros(len(score), bool)
    for cut in np.unique(score):
        yield score >= cut


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("name", sorted(SKLEARN))
@settings(max_examples=60)
@given(rows=scored_rows())
def test_best_cut_is_the_brute_force_optimum_of_sklearns_metric(name, rows):
    y, score, weight = rows
    params = {} if weight is None else {"sample_weight": weight}
    predictions = every_prediction(score)
    values = [SKLEARN[name](y, y_pred, **params) for y_pred in predictions]
    best = optimal_threshold(y, score, name, weight)
    # kappa of one class on both sides is nan in scikit-learn, 0 here
    assert best.score == pytest.approx(np.nanmax(values), abs=1e-12)
    reached = SKLEARN[name](y, score >= best.threshold, **params)
    assert np.nan_to_num(reached) == pytest.approx(best.score, abs=1e-12)


@given(scored_rows())
def test_metrics_of_rates_are_what_their_names_say(rows):
    y, score, weight = rows
    tp, fp, fn, tn, _ = confusion_counts(y, score, weight)
    recall, specificity = tp / (tp + fn), tn / (tn + fp)
    for name, expected in {
        "specificity": specificity,
        "sensitivity": recall,
        "youden": recall + specificity - 1,
        "geometric_mean": np.sqrt(recall * specificity),
    }.items():
        np.testing.assert_allclose(metric_function(name)(tp, fp, fn, tn), expected)


@given(scored_rows())
def test_counts_are_those_of_sklearns_confusion_matrix_at_every_cut(rows):
    y, score, weight = rows
    counts = confusion_counts(y, score, weight)
    thresholds = [np.inf, *counts.scores]
    for cut, threshold in enumerate(thresholds):
        expected = metrics.confusion_matrix(
            y, score >= threshold, labels=[False, True], sample_weight=weight
        )
        tn, fp, fn, tp = expected.ravel()
        assert [count[cut] for count in counts[:4]] == [tp, fp, fn, tn]


@given(scored_rows())
def test_whole_weights_count_as_repeated_rows(rows):
    y, score, weight = rows
    weight = np.ones(len(y), int) if weight is None else np.array(weight)
    weighted = optimal_threshold(y, score, "f1", weight)
    repeated = optimal_threshold(np.repeat(y, weight), np.repeat(score, weight), "f1")
    assert weighted == pytest.approx(repeated)


def test_rows_of_weight_0_leave_no_cut_behind():
    counts = confusion_counts([0, 1, 1], [0.2, 0.5, 0.8], [1, 0, 1])
    np.testing.assert_array_equal(counts.scores, [0.8, 0.2])


def test_threshold_lies_in_the_middle_of_the_gap():
    best = optimal_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], "f1")
    assert best == (pytest.approx(0.4), 1.0)


def test_widest_plateau_wins_among_equal_optima():
    # Accuracy is 3/4 at "0.9 up" (a gap of 0.1) and at "0.5 up" (a gap of 0.4).
    y, score = [0, 1, 0, 1], [0.1, 0.5, 0.8, 0.9]
    assert optimal_threshold(y, score, "accuracy") == (pytest.approx(0.3), 0.75)


def test_threshold_is_the_middle_of_a_plateau_of_several_cuts():
    # Recall is 1 from "0.6 up" down to "all": the plateau is (0, 0.6].
    best = optimal_threshold([0, 0, 1], [0.2, 0.5, 0.6], "recall")
    assert best == (pytest.approx(0.3), 1.0)


def test_none_positive_and_all_positive_are_candidates():
    y = [1, 1, 0]
    assert optimal_threshold(y, [0.2, 0.3, 0.4], "f1").threshold < 0.2
    y = [0, 0, 0, 1]
    best = optimal_threshold(y, [0.3, 0.4, 0.5, 0.2], "accuracy")
    assert 0.5 < best.threshold <= 1


def test_none_positive_needs_a_threshold_above_a_score_of_1():
    best = optimal_threshold([0, 0, 1], [1.0, 1.0, 0.5], "specificity")
    assert best.threshold > 1
    assert best.score == 1


@given(st.floats(0.001, 0.998))
def test_neighbouring_floats_are_still_told_apart(low):
    high = np.nextafter(low, 1)
    best = optimal_threshold([0, 1], [low, high], "f1")
    assert low < best.threshold <= high


def test_scores_that_are_no_probabilities_get_finite_thresholds():
    y, score = [0, 1, 0, 1], [-3.0, -1.0, 2.0, 5.0]
    for metric in ("precision", "recall", "specificity", "f1"):
        assert np.isfinite(optimal_threshold(y, score, metric).threshold)


@given(scored_rows(), scored_rows(), st.floats(0, 1))
def test_mean_curve_is_the_mean_at_every_threshold(rows_a, rows_b, threshold):
    curves = []
    for y, score, weight in (rows_a, rows_b):
        counts = confusion_counts(y, score, weight)
        values = metric_function("f1")(*counts[:4])
        curves.append(StepCurve(counts.scores, values))
    expected = np.mean([curve.at(threshold) for curve in curves])
    assert mean_curve(curves).at(threshold) == pytest.approx(expected)


@given(scored_rows())
def test_each_thresholds_prediction_has_the_curves_value(rows):
    y, score, weight = rows
    counts = confusion_counts(y, score, weight)
    curve = StepCurve(counts.scores, metric_function("mcc")(*counts[:4]))
    values = [curve.at(threshold) for threshold in curve.thresholds()]
    np.testing.assert_array_equal(values, curve.values)


def test_permuted_rows_give_the_same_threshold():
    random = np.random.default_rng(0)
    y, score = random.random(500) < 0.1, random.random(500).round(2)
    order = random.permutation(500)
    weight = random.random(500)
    a = optimal_threshold(y, score, "f1", weight)
    b = optimal_threshold(y[order], score[order], "f1", weight[order])
    assert a == pytest.approx(b, abs=1e-12)


def test_pos_label_turns_the_classes_round():
    y, score = np.array(["no", "yes", "no", "yes"]), np.array([0.1, 0.6, 0.5, 0.9])
    a = optimal_threshold(y, score, "f1", pos_label="yes")
    b = optimal_threshold(y, 1 - score, "f1", pos_label="no")
    assert (a.score, b.score) == (1, 1)


def test_every_name_has_a_function_and_short_forms_are_the_same():
    for name in metric_names():
        assert 0 <= float(metric_function(name)(5, 2, 3, 90)) <= 1
    assert metric_function("mcc") is metric_function("matthews_corrcoef")


def test_counts_of_a_billion_rows_do_not_overflow():
    big = 10**9
    for name in metric_names():
        assert 0 <= float(metric_function(name)(big, big // 9, big // 7, 50 * big)) <= 1
