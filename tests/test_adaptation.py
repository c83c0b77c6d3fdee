"""The deployment prior, estimated from rows without labels by fitted classifiers."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier

from sklimb import (
    CalibratedLogitsClassifierCV,
    ImbalanceAwareClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.exceptions import LabelShiftViolationWarning
from sklimb.priors import correct_proba, estimate_prior, label_shift_test

LOGISTIC = LogisticRegression()


def rows_at(prior, n_rows=4000, seed=0, n_classes=2):
    """Draw rows whose classes look alike at any prior."""
    random = np.random.default_rng(seed)
    prior = np.array([1 - prior, prior]) if np.ndim(prior) == 0 else np.array(prior)
    y = random.choice(n_classes, n_rows, p=prior)
    centres = 1.5 * np.eye(n_classes, 3)
    return centres[y] + random.normal(size=(n_rows, 3)), y


X, y = rows_at(0.4)
X_NEW, y_new = rows_at(0.1, seed=1)


def corrected(**parameters):
    return PriorCorrectedClassifier(LOGISTIC, **parameters).fit(X, y)


def test_the_deployment_prior_is_found_and_used():
    model = corrected().adapt(X_NEW)
    low, high = model.prior_estimate_.interval()[1]
    assert low < y_new.mean() < high
    np.testing.assert_array_equal(model.target_prior_, model.prior_estimate_.prior_)
    np.testing.assert_array_equal(model.training_prior_, model.target_prior_)
    mean = model.predict_proba(X_NEW)[:, 1].mean()
    assert mean == pytest.approx(model.target_prior_[1], abs=1e-6)


def test_it_is_the_estimate_on_arrays():
    model = corrected(training_prior=0.3)
    proba = model.estimator_.predict_proba(X_NEW)
    for method in ("mle", "em"):
        expected = estimate_prior(proba, 0.3, method)
        found = clone(model).fit(X, y).adapt(X_NEW, method).prior_estimate_
        np.testing.assert_array_equal(found.prior_, expected.prior_)


def test_where_a_row_was_corrected_to_before_has_no_effect():
    once = corrected().adapt(X_NEW)
    twice = corrected(target_prior=0.7).adapt(X_NEW).adapt(X_NEW)
    np.testing.assert_array_equal(once.target_prior_, twice.target_prior_)


def test_several_classes():
    rows, labels = rows_at([0.4, 0.3, 0.3], n_classes=3)
    new, _ = rows_at([0.1, 0.8, 0.1], n_classes=3, seed=1)
    model = PriorCorrectedClassifier(LOGISTIC).fit(rows, labels).adapt(new)
    np.testing.assert_allclose(model.target_prior_, [0.1, 0.8, 0.1], atol=0.04)


def test_out_of_fold_rows_widen_the_interval():
    plain = corrected().adapt(X_NEW)
    calibrated = PriorCorrectedClassifier(CalibratedLogitsClassifierCV(LOGISTIC))
    calibrated.fit(X, y).adapt(X_NEW)
    widths = [np.ptp(m.prior_estimate_.interval()[1]) for m in (plain, calibrated)]
    assert widths[1] > widths[0]
    for method in ("bbse", "rlls"):
        calibrated.adapt(X_NEW, method)
        assert calibrated.target_prior_[1] == pytest.approx(0.1, abs=0.04)


def test_setting_a_prior_by_hand_forgets_the_estimate():
    model = corrected().adapt(X_NEW).set_target_prior(0.2)
    assert not hasattr(model, "prior_estimate_")
    assert not hasattr(model.fit(X, y), "prior_estimate_")


# The threshold moves as well


@pytest.mark.parametrize("calibration", [None, "bias_corrected_temperature"])
def test_the_flat_class_moves_probabilities_and_threshold_without_training(calibration):
    flat = ImbalanceAwareClassifier(
        LOGISTIC, scoring="f1", calibration=calibration, class_weight="balanced"
    )
    flat.fit(X, y)
    before = f1_score(y_new, flat.predict(X_NEW))
    coefficients = [
        a.copy() for a in vars(inner_logistic(flat)).values() if is_array(a)
    ]
    assert flat.adapt(X_NEW) is flat
    for old, new in zip(
        coefficients, filter(is_array, vars(inner_logistic(flat)).values()), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    assert f1_score(y_new, flat.predict(X_NEW)) > before + 0.05
    expected = clone(flat).fit(X, y).set_target_prior(flat.prior_estimate_.prior_)
    assert flat.decision_rule_ == expected.decision_rule_
    np.testing.assert_array_equal(flat.predict(X_NEW), expected.predict(X_NEW))


def inner_logistic(estimator):
    while hasattr(estimator, "estimator_"):
        estimator = estimator.estimator_
    return estimator


def is_array(value):
    return isinstance(value, np.ndarray)


@pytest.mark.parametrize("threshold", [0.5, None])
def test_the_flat_class_without_tuning(threshold):
    flat = ImbalanceAwareClassifier(LOGISTIC, threshold=threshold).fit(X, y)
    flat.adapt(X_NEW)
    assert flat.target_prior_[1] == pytest.approx(0.1, abs=0.03)


def test_a_class_that_is_not_there_leaves_the_threshold_alone():
    only_negatives, _ = rows_at(0.0, n_rows=300, seed=3)
    flat = ImbalanceAwareClassifier(LOGISTIC).fit(X, y)
    rule = flat.decision_rule_
    with pytest.raises(ValueError, match=r"no sign of the classes \[1\].*Nothing was"):
        flat.adapt(only_negatives)
    assert flat.decision_rule_ == rule
    assert not hasattr(flat, "prior_estimate_")


# Where more than the prior has changed


@pytest.mark.parametrize("parameters", [{"cv": 0.3, "refit": False}, {"cv": "prefit"}])
def test_rows_that_no_prior_explains_warn(parameters):
    tuned = OptimalThresholdClassifierCV(corrected(), **parameters).fit(X, y)
    tuned.adapt(X_NEW)
    with pytest.warns(LabelShiftViolationWarning, match="whatever their shares"):
        tuned.adapt(X_NEW + np.array([0.6, 0, 0]))


def by_hand(estimator):
    return PriorCorrectedClassifier(CalibratedLogitsClassifierCV(estimator))


@pytest.mark.parametrize(
    "build",
    [
        ImbalanceAwareClassifier,
        lambda e: ImbalanceAwareClassifier(e, calibration="temperature", cv=2),
        lambda e: ImbalanceAwareClassifier(e, calibration="vector", threshold=None),
        by_hand,
        lambda e: OptimalThresholdClassifierCV(by_hand(e)),
        lambda e: OptimalThresholdClassifierCV(
            PriorCorrectedClassifier(e), cv=0.4, random_state=0
        ),
    ],
)
def test_every_nest_tells_rows_that_fit_from_rows_that_moved(build):
    # Trees of two thirds of the rows are surer than one of all: only the folds'
    # own predictions of new rows compare with those out of fold.
    tree = DecisionTreeClassifier(max_depth=5, random_state=0)
    model = build(tree).fit(X, y).adapt(X_NEW)
    with pytest.warns(LabelShiftViolationWarning, match="whatever their shares"):
        model.adapt(X_NEW + np.array([0.6, 0, 0]))
    model.adapt(X_NEW)


def test_a_kept_model_that_was_moved_is_compared_as_it_was():
    tuned = OptimalThresholdClassifierCV(corrected(), cv="prefit").fit(X, y)
    models = tuned.out_of_fold_.models
    before = models.proba_of(X_NEW)
    tuned.set_target_prior(0.01)
    np.testing.assert_allclose(models.proba_of(X_NEW), before, rtol=1e-12)


def test_the_folds_own_predictions_are_compared_not_those_of_the_kept_model():
    rows, labels = rows_at(0.4, n_rows=600, seed=5)
    tree = DecisionTreeClassifier(max_depth=5, random_state=0)
    model = CalibratedLogitsClassifierCV(tree, cv=2).fit(rows, labels)
    kept = model.out_of_fold_
    source = kept.models.proba, kept.class_numbers
    by_folds, by_kept = (
        kept.models.proba_of(X_NEW),
        model.estimator_.predict_proba(X_NEW),
    )
    shares = kept.fold_shares
    assert label_shift_test(by_folds, 0.5, source, model_weight=shares).p_value > 0.05
    assert label_shift_test(by_kept, 0.5, source).p_value < 1e-9


def test_cells_of_several_equal_models_are_those_of_one():
    source = proba_at([0.5, 0.5], 300, 0)
    proba, _ = proba_at([0.9, 0.1], 500, 1)
    one = label_shift_test(proba, 0.5, source)
    three = label_shift_test([proba] * 3, 0.5, source, model_weight=[1, 2, 0])
    assert three.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert three.df == one.df


@pytest.mark.parametrize("weight", [[1.0], [1, -1], [0, 0], [1, np.nan]])
def test_model_weights_are_checked(weight):
    proba, labels = proba_at([0.5, 0.5], 30, 0)
    with pytest.raises(ValueError, match=r"`model_weight`=.* must be 2 numbers"):
        label_shift_test([proba] * 2, 0.5, (proba, labels), model_weight=weight)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_that_fit_seldom_warn(n_classes):
    # Exact probabilities; binomial(400, 0.05) lies in 9 to 32 in 999 of 1,000 runs.
    prior = np.full(n_classes, 1 / n_classes)
    target = (
        np.array([0.9, 0.1, 0.0][:n_classes]) if n_classes == 2 else [0.6, 0.3, 0.1]
    )
    alarms = 0
    for run in range(400):
        source, labels = proba_at(prior, 300, 2 * run)
        proba, _ = proba_at(target, 500, 2 * run + 1)
        alarms += label_shift_test(proba, prior, (source, labels)).p_value < 0.05
    assert 9 <= alarms <= 32


def proba_at(prior, n_rows, seed):
    rows, labels = rows_at(prior, n_rows, seed, len(prior))
    centres = 1.5 * np.eye(len(prior), 3)
    density = np.exp(rows @ centres.T - 0.5 * (centres**2).sum(axis=1))
    return density / density.sum(axis=1, keepdims=True), labels


def test_predictions_of_too_few_values_tell_nothing():
    proba = np.repeat([[0.2, 0.8], [0.7, 0.3]], 50, axis=0)
    labels = np.resize([0, 1], 100)
    assert np.isnan(label_shift_test(proba, 0.5, (proba, labels)).p_value)


# Streams


def test_a_stream_follows_the_drift():
    model = corrected()
    for step, prior in enumerate([0.4, 0.4, 0.1, 0.1, 0.1]):
        rows, _ = rows_at(prior, n_rows=2000, seed=step)
        model.adapt(rows, half_life=500)
        found = model.target_prior_[1]
        assert found == pytest.approx(prior, abs=0.06)


def test_how_a_stream_is_cut_into_calls_has_no_effect():
    whole = corrected().adapt(X_NEW, half_life=300)
    cut = corrected()
    for part in np.array_split(X_NEW, 7):
        cut.adapt(part, half_life=300)
    np.testing.assert_allclose(cut.target_prior_, whole.target_prior_, atol=1e-8)
    assert len(cut.recent_proba_) == 3000
    cut.adapt(X_NEW)
    assert not hasattr(cut, "recent_proba_")
    np.testing.assert_array_equal(
        cut.target_prior_, corrected().adapt(X_NEW).target_prior_
    )


# Bounds


def test_bounds_hold_every_prior_between():
    model = corrected()
    lower, upper = model.predict_proba_bounds(X_NEW, 0.05, 0.2)
    ends = [model.set_target_prior(q).predict_proba(X_NEW)[:, 1] for q in (0.05, 0.2)]
    np.testing.assert_allclose(lower[:, 1], ends[0], atol=1e-12)
    np.testing.assert_allclose(upper[:, 1], ends[1], atol=1e-12)


def test_bounds_of_several_classes_hold_every_prior_in_the_box():
    rows, labels = rows_at([0.4, 0.3, 0.3], n_classes=3)
    model = PriorCorrectedClassifier(LOGISTIC).fit(rows, labels)
    low, high = {0: 0.1, 1: 0.2}, {0: 0.6, 1: 0.5, 2: 0.5}
    lower, upper = model.predict_proba_bounds(rows[:50], low, high)
    proba = model.estimator_.predict_proba(rows[:50])
    random = np.random.default_rng(0)
    for prior in random.dirichlet(np.ones(3), 300):
        if prior[0] < 0.1 or prior[1] < 0.2 or (prior > [0.6, 0.5, 0.5]).any():
            continue
        moved = correct_proba(proba, model.source_prior_, prior)
        assert (moved >= lower - 1e-9).all()
        assert (moved <= upper + 1e-9).all()


# Bad input

ERRORS = {
    "no rows": (lambda: corrected().adapt(X[:0]), ValueError, "0 sample"),
    "other width": (lambda: corrected().adapt(X[:, :2]), ValueError, "2 features"),
    "method": (lambda: corrected().adapt(X, "bayes"), ValueError, "`method`='bayes'"),
    "bbse without source": (
        lambda: corrected().adapt(X, "bbse"),
        ValueError,
        "needs either `confusion`",
    ),
    "half-life": (
        lambda: corrected().adapt(X, half_life=0),
        ValueError,
        "`half_life`=0 must be a positive number of rows",
    ),
    "unfitted": (
        lambda: PriorCorrectedClassifier(LOGISTIC).adapt(X),
        NotFittedError,
        "not fitted",
    ),
    "unfitted flat": (
        lambda: ImbalanceAwareClassifier(LOGISTIC).adapt(X),
        NotFittedError,
        "not fitted",
    ),
    "nothing to adapt": (
        lambda: OptimalThresholdClassifierCV(LOGISTIC).fit(X, y).adapt(X),
        TypeError,
        "no target prior.*PriorCorrectedClassifier around it",
    ),
    "empty box": (
        lambda: corrected().predict_proba_bounds(X, 0.3, 0.2),
        ValueError,
        "`low`",
    ),
}


@pytest.mark.parametrize("call, exception, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


def test_a_failed_adaptation_changes_nothing():
    model = corrected(target_prior=0.3)
    with pytest.raises(ValueError):
        model.adapt(X[:, :2])
    np.testing.assert_allclose(model.target_prior_, [0.7, 0.3])
