"""Every cut of one of several thresholds is counted."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklimb.thresholds._multiclass_constraints import (
    attained_by,
    violation_at_cuts,
    violation_of,
)
from sklimb.thresholds._multiclass_metrics import multiclass_metric
from sklimb.thresholds._multiclass_rows import choose_classes, labelled_rows
from sklimb.thresholds._multiclass_search import score_of
from sklimb.thresholds._multiclass_sweep import sweep_of_class
from tests.multiclass_tables import NAMES, expected_score, table


@st.composite
def sweeps(draw, folds=False):
    """Draw a sweep with the predictions of each of its cuts."""
    n_classes, seed = draw(st.integers(2, 5)), draw(st.integers(0, 10**6))
    y, proba, weight = table(seed, n_classes, max_rows=20)
    random = np.random.default_rng(seed)
    fold = random.integers(0, 3, len(y)) if folds else None
    rows = labelled_rows(y, n_classes, weight, fold)
    thresholds = np.exp(random.normal(size=n_classes))
    if n_classes > 2 and draw(st.booleans()):
        thresholds[0] = np.inf
    number = draw(st.integers(0, n_classes - 1))
    sweep = sweep_of_class(number, proba.T.copy(), thresholds, rows)
    predictions = []
    for cut in range(len(sweep.ends)):
        thresholds[number] = sweep.middle_of_widest(np.arange(len(sweep.ends)) == cut)
        predictions.append(choose_classes(proba, thresholds))
    return rows, sweep, predictions


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide")
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(drawn=sweeps())
def test_a_sweep_is_scikit_learns_metric_at_every_cut(name, drawn):
    rows, sweep, predictions = drawn
    y, weight = rows.class_numbers, rows.weight
    metric = multiclass_metric(name, rows.n_classes)
    expected = [expected_score(name, y, each, weight) for each in predictions]
    np.testing.assert_allclose(metric.at_cuts(sweep), expected, atol=1e-12)
    scores = [score_of(y, each, metric, weight) for each in predictions]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(drawn=sweeps(folds=True))
def test_a_sweep_over_folds_is_the_mean_of_the_folds_own(name, drawn):
    rows, sweep, predictions = drawn
    metric = multiclass_metric(name, rows.n_classes)
    y, weight = rows.class_numbers, rows.weight
    expected = [
        np.mean(
            [
                score_of(y[part], each[part], metric, weight[part])
                for part in (rows.fold == fold for fold in np.unique(rows.fold))
            ]
        )
        for each in predictions
    ]
    np.testing.assert_allclose(metric.at_cuts(sweep), expected, atol=1e-12)


@settings(max_examples=40)
@given(sweeps(folds=True))
def test_costs_at_every_cut_are_those_of_the_predictions(drawn):
    rows, sweep, predictions = drawn
    random = np.random.default_rng(0)
    for costs in (
        {"cost_matrix": random.normal(size=(rows.n_classes, rows.n_classes))},
        {"sample_cost": random.normal(size=(len(rows.places), rows.n_classes))},
    ):
        metric = multiclass_metric("cost", rows.n_classes, **costs)
        expected = [metric.of_predictions(rows, each) for each in predictions]
        np.testing.assert_allclose(metric.at_cuts(sweep), expected, atol=1e-12)


@settings(max_examples=40)
@given(sweeps(folds=True))
def test_constraints_at_every_cut_are_those_of_the_predictions(drawn):
    rows, sweep, predictions = drawn
    bounds = [
        SimpleNamespace(name=name, class_number=number, low=0.4, high=0.6)
        for name in ("recall", "precision", "alert_rate")
        for number in range(rows.n_classes)
    ]
    bounds += [SimpleNamespace(name="mcc", class_number=None, low=0.2, high=np.inf)]
    for bound in bounds:
        attained = [attained_by([bound], rows, each)[0] for each in predictions]
        expected = violation_of(bound, np.array(attained))
        found = violation_at_cuts([bound], sweep)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=15)
@given(sweeps(folds=True))
def test_a_function_of_confusions_equals_the_metric_of_that_name(drawn):
    rows, sweep, _ = drawn
    named = multiclass_metric("f1_weighted", rows.n_classes)
    function = multiclass_metric(named.of_confusion, rows.n_classes)
    np.testing.assert_allclose(
        function.at_cuts(sweep), named.at_cuts(sweep), atol=1e-12
    )
