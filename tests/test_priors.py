"""Priors: measured, and probabilities moved from one to another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from sklimb import PriorCorrectedClassifier
from sklimb.priors import (
    correct_log_proba,
    correct_proba,
    effective_prior,
    empirical_prior,
)

RATES = np.linspace(0.001, 0.999, 101)


def two_columns(p):
    return np.column_stack([1 - p, p])


@st.composite
def priors(draw, n_classes):
    mass = draw(arrays(np.float64, n_classes, elements=st.floats(0.01, 1)))
    return mass / mass.sum()


@st.composite
def problems(draw, n_priors):
    n_classes = draw(st.integers(2, 5))
    proba = np.array(draw(st.lists(priors(n_classes), min_size=1, max_size=4)))
    return proba, [draw(priors(n_classes)) for _ in range(n_priors)]


def test_correction_is_elkans_theorem_2():
    for b, target in [(0.5, 0.01), (0.2, 0.7), (0.01, 0.5)]:
        p = RATES
        elkan = target * (p - p * b) / (b - p * b + target * p - b * target)
        ours = correct_proba(two_columns(p), b, target)[:, 1]
        np.testing.assert_allclose(ours, elkan, rtol=0, atol=1e-12)


def test_correction_after_undersampling_is_dal_pozzolos_formula():
    prevalence, beta = 0.02, 0.1  # one negative in ten is kept
    sampled = prevalence / (prevalence + beta * (1 - prevalence))
    dal_pozzolo = beta * RATES / (beta * RATES - RATES + 1)
    ours = correct_proba(two_columns(RATES), sampled, prevalence)[:, 1]
    np.testing.assert_allclose(ours, dal_pozzolo, rtol=0, atol=1e-12)


def test_corrected_intercept_is_king_and_zengs():
    random = np.random.default_rng(0)
    x = random.normal(size=(20_000, 2))
    y = random.random(len(x)) < expit(-4 + x @ [1.5, -1])
    negatives = random.choice(np.flatnonzero(~y), y.sum(), replace=False)
    rows = np.concatenate([np.flatnonzero(y), negatives])
    tau = y.mean()
    model = PriorCorrectedClassifier(LogisticRegression(), target_prior=tau)
    model.fit(x[rows], y[rows])
    share = y[rows].mean()
    fitted = model.estimator_.intercept_[0]
    king_zeng = fitted - np.log((1 - tau) / tau * share / (1 - share))
    intercept = model.decision_function(np.zeros((1, 2)))[0]
    assert intercept == pytest.approx(king_zeng, abs=1e-10)


def test_case_control_sample_gives_back_the_population_model():
    random = np.random.default_rng(1)
    x = random.normal(size=(100_000, 1))
    y = random.random(len(x)) < expit(-3.35 + 2 * x[:, 0])
    kept = y | (random.random(len(x)) < 1 / 9)
    model = PriorCorrectedClassifier(
        LogisticRegression(C=np.inf), target_prior=y.mean()
    ).fit(x[kept], y[kept])
    at_0, at_1 = model.decision_function([[0.0], [1.0]])
    assert at_0 == pytest.approx(-3.35, abs=0.1)
    assert at_1 - at_0 == pytest.approx(2, abs=0.1)


@given(problems(1))
def test_correcting_to_the_training_prior_is_the_identity(problem):
    proba, (prior,) = problem
    np.testing.assert_allclose(correct_proba(proba, prior, prior), proba, atol=1e-14)


@given(problems(3))
def test_corrections_compose(problem):
    proba, (a, b, c) = problem
    by_way_of_b = correct_proba(correct_proba(proba, a, b), b, c)
    np.testing.assert_allclose(by_way_of_b, correct_proba(proba, a, c), atol=1e-13)


@given(problems(2), st.randoms())
def test_permuted_classes_permute_the_corrected_columns(problem, random):
    proba, (a, b) = problem
    order = list(range(proba.shape[1]))
    random.shuffle(order)
    permuted = correct_proba(proba[:, order], a[order], b[order])
    np.testing.assert_allclose(permuted, correct_proba(proba, a, b)[:, order])


@pytest.mark.parametrize("prior", [1e-12, 0.5, 1 - 1e-12])
@pytest.mark.parametrize("target", [0.0, 1e-12, 0.3, 1.0])
def test_saturated_probabilities_and_tiny_priors_give_no_nan(prior, target):
    proba = [[1.0, 0.0], [0.0, 1.0], [1 - 1e-300, 1e-300], [0.5, 0.5]]
    corrected = correct_proba(proba, prior, target)
    assert np.isfinite(corrected).all()
    np.testing.assert_allclose(corrected.sum(axis=1), 1)


def test_float32_logits_of_200_keep_their_order():
    logits = np.linspace(-200, 200, 401, dtype=np.float32).astype(np.float64)
    log_proba = -np.logaddexp(0, np.column_stack([logits, -logits]))
    corrected = correct_log_proba(log_proba, 0.5, 0.001)
    log_odds = corrected[:, 1] - corrected[:, 0]
    np.testing.assert_allclose(np.diff(log_odds), 1, rtol=1e-12)


def test_a_class_of_target_prior_0_gets_probability_0():
    corrected = correct_proba([[0.2, 0.5, 0.3]], "uniform", [0.5, 0.0, 0.5])
    np.testing.assert_allclose(corrected, [[0.4, 0, 0.6]])


def test_every_form_of_prior_means_the_same():
    proba = two_columns(RATES)
    expected = correct_proba(proba, [0.5, 0.5], [0.9, 0.1])
    for form in (0.1, {1: 0.1}, {0: 0.9}, {0: 0.9, 1: 0.1}, (0.9, 0.1)):
        np.testing.assert_allclose(correct_proba(proba, "uniform", form), expected)
    named = correct_proba(
        proba, "uniform", {"ill": 0.1}, classes=["healthy", "ill"], pos_label="ill"
    )
    np.testing.assert_allclose(named, expected)


def test_a_float_is_the_prevalence_of_pos_label():
    proba = two_columns(RATES)
    other_way = correct_proba(proba, 0.5, 0.9, pos_label=0)
    np.testing.assert_allclose(other_way, correct_proba(proba, 0.5, 0.1))


def test_weights_count_as_rows_in_the_empirical_prior():
    y = ["a", "b", "a", "c"]
    repeated = np.repeat(y, [1, 2, 0, 3])
    np.testing.assert_allclose(
        empirical_prior(y, sample_weight=[1, 2, 0, 3]), empirical_prior(repeated)
    )


def test_empirical_prior_of_an_absent_class_is_0():
    np.testing.assert_allclose(empirical_prior([1, 1], classes=[0, 1]), [0, 1])


def test_effective_prior_of_balanced_weights_is_uniform():
    y = [0] * 90 + [1] * 10
    np.testing.assert_allclose(effective_prior(y, {0: 1 / 90, 1: 1 / 10}), [0.5, 0.5])
    np.testing.assert_allclose(effective_prior(y, [1 / 90, 1 / 10]), [0.5, 0.5])


def test_weighted_log_loss_learns_the_effective_prior():
    # At the optimum of a proper loss the mean probability is the weighted share.
    random = np.random.default_rng(2)
    x = random.normal(size=(5_000, 1))
    y = (random.random(len(x)) < expit(-2 + x[:, 0])).astype(int)
    weight = np.array([1.0, 4.0])[y]
    model = LogisticRegression(C=np.inf, tol=1e-8).fit(x, y, sample_weight=weight)
    mean = np.average(model.predict_proba(x), axis=0, weights=weight)
    np.testing.assert_allclose(mean, effective_prior(y, {1: 4}), atol=1e-5)
