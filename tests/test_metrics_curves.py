"""Curves and matrices at a prior are scikit-learn's with importance weights."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)

from sklimb.metrics import (
    net_benefit,
    precision_recall_curve_at_prior,
    project_confusion_matrix,
    roc_curve_at_prior,
    score_at_prior,
)
from sklimb.priors import weights_to_prior


def _rows(seed=0, n_rows=300, decimals=2):
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < 0.2).astype(int)
    proba = np.round(1 / (1 + np.exp(1 - 2 * y - random.normal(size=n_rows))), decimals)
    return y, proba, 0.5 + random.random(n_rows)


@pytest.mark.parametrize("prevalence", [0.01, 0.6])
@pytest.mark.parametrize("weighted", [False, True])
def test_curves_are_scikit_learns(prevalence, weighted):
    y, proba, weight = _rows()
    weight = weight if weighted else None
    importance = weights_to_prior(y, weight, [1 - prevalence, prevalence])
    ours = precision_recall_curve_at_prior(y, proba, prevalence, sample_weight=weight)
    precision, recall, thresholds = precision_recall_curve(
        y, proba, sample_weight=importance
    )
    np.testing.assert_allclose(ours.precision[::-1], precision)
    np.testing.assert_allclose(ours.recall[::-1], recall, atol=1e-12)
    np.testing.assert_array_equal(ours.thresholds[:0:-1], thresholds)
    ours = roc_curve_at_prior(y, proba, prevalence, sample_weight=weight)
    false, true, thresholds = roc_curve(
        y, proba, sample_weight=importance, drop_intermediate=False
    )
    np.testing.assert_allclose(ours.false_positive_rate, false, atol=1e-12)
    np.testing.assert_allclose(ours.recall, true, atol=1e-12)
    np.testing.assert_array_equal(ours.thresholds, thresholds)


def test_the_area_in_steps_is_average_precision():
    y, proba, _ = _rows()
    curve = precision_recall_curve_at_prior(y, proba, 0.02)
    area = np.sum(np.diff(curve.recall) * curve.precision[1:])
    assert area == pytest.approx(score_at_prior("average_precision", y, proba, 0.02))
    own = precision_recall_curve_at_prior(y, proba)
    area = np.sum(np.diff(own.recall) * own.precision[1:])
    assert area == pytest.approx(average_precision_score(y, proba))


def test_every_threshold_calls_positive_what_the_alert_rate_says():
    y, proba, _ = _rows()
    curve = roc_curve_at_prior(y, proba, 0.05)
    weight = weights_to_prior(y, None, [0.95, 0.05])
    for threshold, alerts in zip(curve.thresholds, curve.alert_rate, strict=True):
        expected = np.average(proba >= threshold, weights=weight)
        assert alerts == pytest.approx(expected)


def test_the_positive_class_can_be_the_lesser_label():
    y, proba, _ = _rows()
    labels = np.where(y == 1, "a", "b")
    for function in (precision_recall_curve_at_prior, roc_curve_at_prior):
        found = function(labels, proba, 0.02, pos_label="a")
        for ours, expected in zip(found, function(y, proba, 0.02), strict=True):
            np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("prevalence", [None, 0.02])
def test_net_benefit_is_its_formula(prevalence):
    y, proba, weight = _rows()
    thresholds = np.array([0.0, 0.1, 0.31, 0.5, 0.99])
    found = net_benefit(y, proba, thresholds, prevalence, sample_weight=weight)
    importance = weight
    if prevalence is not None:
        importance = weights_to_prior(y, weight, [1 - prevalence, prevalence])
    importance = importance / importance.sum()
    for threshold, benefit in zip(thresholds, found, strict=True):
        called = proba >= threshold
        true, false = importance[called & (y == 1)], importance[called & (y == 0)]
        expected = true.sum() - false.sum() * threshold / (1 - threshold)
        assert benefit == pytest.approx(expected, abs=1e-12)
        alone = net_benefit(y, proba, threshold, prevalence, sample_weight=weight)
        assert alone == pytest.approx(benefit)


def test_to_treat_everybody_is_worth_what_the_formula_says():
    y, _, _ = _rows()
    thresholds = np.linspace(0, 0.9, 10)
    found = net_benefit(y, np.ones(len(y)), thresholds, 0.03)
    np.testing.assert_allclose(found, 0.03 - 0.97 * thresholds / (1 - thresholds))
    np.testing.assert_allclose(net_benefit(y, np.zeros(len(y)), thresholds[1:]), 0)


def test_net_benefit_takes_any_shape_and_columns():
    y, proba, _ = _rows()
    columns = np.column_stack([1 - proba, proba])
    grid = np.linspace(0, 0.9, 6).reshape(2, 3)
    found = net_benefit(y, columns, grid)
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found.ravel(), net_benefit(y, proba, grid.ravel()))
    assert type(net_benefit(y, proba, 0.2)) is float


def test_a_projected_matrix_has_precision_39_percent():
    found = project_confusion_matrix([[97, 3], [3, 197]], [1 / 101, 100 / 101])
    assert found[0, 0] / found[:, 0].sum() == pytest.approx(97 / (97 + 150))
    assert found.sum() == pytest.approx(300)
    named = project_confusion_matrix(
        [[97, 3], [3, 197]], 1 / 101, labels=["ill", "well"], pos_label="ill"
    )
    np.testing.assert_array_equal(found, named)


@pytest.mark.parametrize("prior", ["uniform", [0.5, 0.3, 0.2], {0: 0.9, 1: 0.1, 2: 0}])
def test_a_projected_matrix_is_the_matrix_of_weighted_rows(prior):
    random = np.random.default_rng(0)
    y = random.choice(3, size=400, p=[0.2, 0.3, 0.5])
    predicted = np.where(random.random(400) < 0.7, y, random.integers(3, size=400))
    counted = confusion_matrix(y, predicted)
    found = project_confusion_matrix(counted, prior)
    shares = [1 / 3] * 3 if prior == "uniform" else [prior[k] for k in range(3)]
    weight = weights_to_prior(y, None, np.array(shares))
    np.testing.assert_allclose(
        found, confusion_matrix(y, predicted, sample_weight=weight)
    )
    given = np.array(shares) > 0
    recalls = np.diagonal(counted) / counted.sum(axis=1)
    after = np.diagonal(found)[given] / found.sum(axis=1)[given]
    np.testing.assert_allclose(after, recalls[given])


def test_stacks_of_matrices_are_projected_one_by_one():
    stack = np.random.default_rng(0).integers(1, 50, size=(4, 2, 3, 3))
    found = project_confusion_matrix(stack, [0.2, 0.3, 0.5])
    assert found.shape == stack.shape
    for place in np.ndindex(4, 2):
        alone = project_confusion_matrix(stack[place], [0.2, 0.3, 0.5])
        np.testing.assert_allclose(found[place], alone)


def test_projecting_to_the_own_shares_changes_nothing_and_projections_compose():
    matrix = np.array([[97.0, 3], [3, 197]])
    np.testing.assert_allclose(project_confusion_matrix(matrix, [1 / 3, 2 / 3]), matrix)
    there = project_confusion_matrix(matrix, 0.01)
    np.testing.assert_allclose(project_confusion_matrix(there, [1 / 3, 2 / 3]), matrix)


def test_a_class_without_rows_needs_no_rows_without_a_share():
    found = project_confusion_matrix([[0, 0], [3, 7]], [0, 1])
    np.testing.assert_allclose(found, [[0, 0], [3, 7]])
