"""From outputs and logits to probabilities, without any network."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sklimb.exceptions import LogitsWarning
from sklimb.keras.logits import (
    Prediction,
    class_log_proba,
    class_proba,
    decision_values,
    link_between,
    logits_of_proba,
)

ONE_UNIT = np.array([[-3.0], [0.0], [2.0]], dtype=np.float32)
THREE_UNITS = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]], dtype=np.float32)


def test_link_is_found_on_data():
    assert link_between(ONE_UNIT, expit(ONE_UNIT)) == "sigmoid"
    assert link_between(THREE_UNITS, softmax(THREE_UNITS, axis=1)) == "softmax"
    assert link_between(THREE_UNITS, expit(THREE_UNITS)) == "sigmoid"


def test_logits_that_do_not_give_the_outputs_are_not_used():
    outputs = expit(ONE_UNIT / 2)  # something came after the activation
    prediction = Prediction.from_network(outputs, ONE_UNIT, False, "binarycrossentropy")
    assert prediction.logits is None


def test_half_precision_outputs_still_match_their_logits():
    logits = THREE_UNITS.astype(np.float16).astype(np.float32)
    outputs = softmax(logits, axis=1).astype(np.float16).astype(np.float32)
    assert link_between(logits, outputs) == "softmax"


def test_one_unit_is_the_second_class():
    assert class_proba(np.array([[0.25]])).tolist() == [[0.75, 0.25]]


def test_independent_sigmoids_are_scaled_to_sum_to_one():
    proba = class_proba(np.array([[0.5, 0.3, 0.2], [0.9, 0.9, 0.0]]))
    np.testing.assert_allclose(proba, [[0.5, 0.3, 0.2], [0.5, 0.5, 0.0]])


def test_softmax_outputs_are_left_as_they_are():
    outputs = softmax(THREE_UNITS, axis=1)
    assert class_proba(outputs) is outputs


@pytest.mark.parametrize("outputs", [[[-0.2]], [[1.7]], [[3.0, -2.0, 0.1]]])
def test_outputs_that_are_no_probabilities_are_an_error(outputs):
    with pytest.raises(ValueError, match=r"not probabilities.*from_logits=True"):
        class_proba(np.array(outputs))


def test_log_proba_keeps_what_saturated_probabilities_lose():
    log_proba = class_log_proba(np.array([[200.0], [-200.0], [201.0]]), "sigmoid")
    assert np.isfinite(log_proba).all()
    assert log_proba[0, 0] == -200
    assert log_proba[2, 0] < log_proba[0, 0]


@pytest.mark.parametrize("link", ["sigmoid", "softmax"])
def test_log_proba_is_the_logarithm_of_proba(link):
    logits = THREE_UNITS.astype(np.float64)
    outputs = {"sigmoid": expit, "softmax": lambda a: softmax(a, axis=1)}[link](logits)
    expected = class_proba(outputs)
    np.testing.assert_allclose(np.exp(class_log_proba(logits, link)), expected)


def test_decision_of_two_classes_is_one_log_odds():
    assert decision_values(ONE_UNIT, "sigmoid").tolist() == [-3, 0, 2]
    two_units = np.array([[1.0, 3.5]])
    assert decision_values(two_units, "softmax").tolist() == [2.5]
    assert decision_values(THREE_UNITS, "softmax") is THREE_UNITS


@pytest.mark.parametrize(
    ("logits", "loss", "n_classes"),
    [
        (ONE_UNIT, "binarycrossentropy", 2),
        (THREE_UNITS, "categoricalcrossentropy", 3),
        (THREE_UNITS, "binarycrossentropy", 3),
    ],
)
def test_logits_as_outputs_become_probabilities(logits, loss, n_classes):
    proba = Prediction.from_network(logits, None, True, loss).proba()
    assert proba.shape == (len(logits), n_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)


def test_logits_computed_back_warn_and_stay_finite():
    prediction = Prediction(np.array([[0.0], [0.5], [1.0]]), None, None)
    with pytest.warns(LogitsWarning, match="computed back from probabilities"):
        decision = prediction.decision()
    assert np.isfinite(decision).all()
    assert (np.diff(decision) > 0).all()


def test_logits_computed_back_give_the_probabilities_again():
    proba = softmax(THREE_UNITS.astype(np.float64), axis=1)
    again = np.exp(class_log_proba(logits_of_proba(proba), "softmax"))
    np.testing.assert_allclose(again, proba)
