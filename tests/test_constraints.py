"""Limits on a threshold: the cuts that keep them, and what is said if none does."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds import StepCurve, confusion_counts, metric_function, metric_names
from sklimb.thresholds._constraints import (
    Constraint,
    check_constraints,
    check_feasible,
    constraint_curves,
    feasible,
)

NAMES = [*metric_names(), "alert_rate", "f2", "f0.5"]
INF = np.inf


@st.composite
def scored_rows(draw, max_rows=12):
    """Draw labels of both classes, coarse scores with ties, and weights or None."""
    n_rows = draw(st.integers(2, max_rows))
    y = draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    y[0], y[1] = False, True
    score = draw(st.lists(st.integers(0, 8), min_size=n_rows, max_size=n_rows))
    weight = draw(
        st.none() | st.lists(st.floats(0.1, 4), min_size=n_rows, max_size=n_rows)
    )
    weight = None if weight is None else np.array(weight)
    return np.array(y), np.array(score) / 8, weight


def by_hand(name, positive, called, weight):
    """Return the metric of one decision, each count summed anew."""
    weight = np.ones(len(positive)) if weight is None else weight
    tp, fp, fn, tn = (
        weight[(positive == is_positive) & (called == is_called)].sum()
        for is_called, is_positive in [(1, 1), (1, 0), (0, 1), (0, 0)]
    )
    if name == "alert_rate":
        return (tp + fp) / (tp + fp + fn + tn)
    return float(metric_function(name)(tp, fp, fn, tn))


def decisions(score):
    return [score >= cut for cut in [INF, *np.unique(score)[::-1]]]


def kept(values, low, high):
    values = np.array(values)
    return (values >= low - 1e-12) & (values <= high + 1e-12)


def found(positive, score, weight, constraints, positive_class=1):
    curves = constraint_curves(positive, score, weight, constraints, positive_class)
    return feasible(curves, constraints)


@pytest.mark.parametrize("name", NAMES)
@given(rows=scored_rows(), ends=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_feasible_cuts_are_those_of_brute_force(name, rows, ends):
    positive, score, weight = rows
    limits = (min(ends) / 60, max(ends) / 60)
    constraints = check_constraints({name: limits}, [0, 1])
    values = [by_hand(name, positive, called, weight) for called in decisions(score)]
    cuts = found(positive, score, weight, constraints)
    np.testing.assert_array_equal(cuts, kept(values, *limits))


@given(scored_rows(), st.floats(0, 1), st.floats(0, 1))
def test_several_constraints_are_kept_together(rows, recall, alert_rate):
    positive, score, weight = rows
    constraints = {"recall": (recall, None), "alert_rate": (None, alert_rate)}
    each = [
        found(positive, score, weight, check_constraints({name: limits}, [0, 1]))
        for name, limits in constraints.items()
    ]
    together = found(positive, score, weight, check_constraints(constraints, [0, 1]))
    np.testing.assert_array_equal(together, each[0] & each[1])


@given(scored_rows(), st.floats(0, 1))
def test_limits_of_the_negative_class_are_what_their_names_say(rows, low):
    positive, score, weight = rows
    counts = confusion_counts(positive, score, weight)
    total = sum(count[0] for count in counts[:4])
    called_negative = counts.tn + counts.fn
    expected = {
        "recall": counts.tn / (counts.tn + counts.fp),
        "alert_rate": called_negative / total,
        "precision": np.where(
            called_negative > 1e-9, counts.tn / np.maximum(called_negative, 1e-9), 0
        ),
    }
    for name, values in expected.items():
        constraints = check_constraints({name: {"no": (low, None)}}, ["no", "yes"])
        curve = constraint_curves(positive, score, weight, constraints)[0]
        np.testing.assert_allclose(curve.values, values, atol=1e-12)


def test_the_positive_class_may_come_first():
    positive, score = np.array([True, True, False]), np.array([0.9, 0.2, 0.5])
    plain = check_constraints({"recall": (0.9, None)}, ["a", "b"])
    by_label = check_constraints({"recall": {"a": (0.9, None)}}, ["a", "b"])
    cuts = found(positive, score, None, plain, positive_class=0)
    np.testing.assert_array_equal(cuts, [False, False, False, True])
    np.testing.assert_array_equal(found(positive, score, None, by_label, 0), cuts)


def test_a_limit_that_is_met_exactly_survives_the_rounding_of_weights():
    positive, score = np.ones(11, bool), np.linspace(1, 0, 11)
    positive[-1] = False
    weight = np.full(11, 0.1)
    constraints = check_constraints({"recall": (0.9, None)}, [0, 1])
    assert np.argmax(found(positive, score, weight, constraints)) == 9
    assert found(positive, score, weight, constraints).sum() == 3


def test_a_row_too_few_is_not_taken_for_rounding():
    n = 100_000
    positive, score = np.ones(n + 1, bool), np.linspace(1, 0, n + 1)
    positive[-1] = False
    low = 0.9 + 0.5 / n
    constraints = check_constraints({"recall": (low, None)}, [0, 1])
    assert np.argmax(found(positive, score, None, constraints)) == 0.9 * n + 1


Y = np.array([0, 0, 0, 0, 1, 0, 1, 0, 1, 1], bool)
SCORE = np.arange(10) / 10 + 0.05


def infeasible(constraints, positive=Y, score=SCORE, classes=(0, 1)):
    checked = check_constraints(constraints, classes)
    curves = constraint_curves(positive, score, None, checked)
    with pytest.raises(InfeasibleConstraintError) as caught:
        check_feasible(curves, checked, classes)
    return caught.value


def test_infeasible_says_what_is_nearest_where_the_others_hold():
    error = infeasible({"recall": (0.9, None), "alert_rate": (None, 0.4)})
    assert error.constraint == "recall"
    assert error.best_value == 0.75
    assert np.count_nonzero(error.threshold <= SCORE) == 4
    assert np.count_nonzero(SCORE[Y] >= error.threshold) == 3
    assert "recall >= 0.9, alert_rate <= 0.4" in str(error)
    assert "no nearer than 0.75" in str(error)
    assert "where the others hold" in str(error)


def test_infeasible_blames_a_limit_that_no_cut_keeps():
    limits = {"recall": (0.5, None), "balanced_accuracy": (0.99, None)}
    error = infeasible(limits)
    assert error.constraint == "balanced_accuracy"
    best = max(by_hand("balanced_accuracy", Y, c, None) for c in decisions(SCORE))
    assert error.best_value == pytest.approx(best)


def test_infeasible_where_the_others_fail_too_looks_at_all_cuts():
    error = infeasible({"f1": (0.99, None), "mcc": (0.99, None)})
    assert error.constraint == "f1"
    assert "on its own" in str(error)


def test_infeasible_from_above_and_from_both_sides_names_the_nearest_value():
    y = np.array([1, 1, 0], bool)
    score = np.array([0.9, 0.8, 0.1])
    error = infeasible({"precision": (0.75, 0.95)}, y, score)
    assert error.best_value == 1.0
    error = infeasible({"precision": (0.7, 0.71)}, y, score)
    assert error.best_value == pytest.approx(2 / 3)


def test_infeasible_names_the_class_by_its_label():
    limits = {"precision": {"dog": (0.99, None)}, "recall": {"dog": (0.9, None)}}
    error = infeasible(limits, classes=["cat", "dog"])
    assert error.constraint == "precision of 'dog'"
    assert "recall of 'dog' >= 0.9" in str(error)


def test_the_error_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(infeasible({"f1": (1, None)})))
    assert error.constraint == "f1"
    assert 0 < error.best_value < 1
    assert isinstance(error, ValueError)


def test_feasible_cuts_pass_the_check():
    checked = check_constraints({"recall": (0.5, 0.8)}, [0, 1])
    curves = constraint_curves(Y, SCORE, None, checked)
    np.testing.assert_array_equal(
        check_feasible(curves, checked), feasible(curves, checked)
    )
    assert isinstance(curves[0], StepCurve)


def test_constraints_become_full_names_and_numbers():
    limits = {"sensitivity": (0.9, None), "mcc": [-0.5, 1], "f0.5": (None, 0.3)}
    assert check_constraints(limits, [0, 1]) == [
        Constraint("recall", None, 0.9, INF),
        Constraint("matthews_corrcoef", None, -0.5, 1.0),
        Constraint("f0.5", None, -INF, 0.3),
    ]


def test_constraints_by_class_hold_the_place_of_the_class():
    limits = {"recall": {"cat": (0.9, None), "ox": (0.5, 0.8)}, "kappa": (0.2, None)}
    assert check_constraints(limits, ["cat", "dog", "ox"]) == [
        Constraint("recall", 0, 0.9, INF),
        Constraint("recall", 2, 0.5, 0.8),
        Constraint("cohen_kappa", None, 0.2, INF),
    ]


def test_labels_of_numpy_are_found():
    checked = check_constraints({"recall": {2: (0.9, None)}}, np.array([1, 2, 3]))
    assert checked[0].class_number == 1


TWO, THREE = [0, 1], ["cat", "dog", "ox"]
ERRORS = [
    (None, TWO, "must be a mapping of metrics"),
    ([("recall", (0.9, None))], TWO, "must be a mapping of metrics"),
    ({}, TWO, "must be a mapping of metrics"),
    ({"recal": (0.9, None)}, TWO, "'recal', which is not known.*mean 'recall'.*Known"),
    ({3: (0.9, None)}, TWO, "the metric 3, which is not known"),
    ({"recall": 0.9}, TWO, r"`constraints\['recall'\]`=0.9 is not a pair"),
    ({"recall": "09"}, TWO, "is not a pair"),
    ({"recall": (0.9,)}, TWO, "is not a pair"),
    ({"recall": (True, None)}, TWO, "is not a pair"),
    ({"recall": ("0.9", None)}, TWO, "is not a pair"),
    ({"recall": (None, None)}, TWO, "says nothing"),
    ({"recall": (0.9, 0.8)}, TWO, "low limit above the high one"),
    ({"recall": (90, None)}, TWO, r"lies in \[0, 1\], shares of 1 and not percent"),
    ({"recall": (-0.1, None)}, TWO, r"lies in \[0, 1\]"),
    ({"mcc": (-1.1, None)}, TWO, r"lies in \[-1, 1\]"),
    ({"recall": (np.nan, None)}, TWO, "out of range"),
    ({"recall": {2: (0.9, None)}}, TWO, r"\[2\] is not among the classes \[0, 1\]"),
    ({"recall": {"1": (0.9, None)}}, TWO, "of their type"),
    ({"recall": {}}, TWO, "not among the classes"),
    ({"recall": {1: 0.9}}, TWO, r"`constraints\['recall'\]\[1\]`=0.9 is not a pair"),
    ({"f1": {1: (0.9, None)}}, TWO, "limits by class; only alert_rate, precision"),
    ({"minimum_recall": (0.9, None)}, TWO, "not known for 2 classes"),
    ({"recall": (0.9, None)}, THREE, r"\{'recall': \{'ox': \(0.9, None\)\}\}"),
    ({"f1": (0.9, None)}, THREE, "not known for 3 classes.*mean 'f1_macro'"),
    ({"f2": (0.9, None)}, THREE, "not known for 3 classes"),
]


@pytest.mark.parametrize(("constraints", "classes", "message"), ERRORS)
def test_mistakes_are_told(constraints, classes, message):
    with pytest.raises(ValueError, match=message):
        check_constraints(constraints, classes)
