import numpy as np
import pytest

from sklimb.report import InputError
from sklimb.report.requirements import (
    as_constraints,
    check_requirements,
    listed,
    requirement_of,
)
from sklimb.thresholds import check_constraints

TWO, THREE = ["bad", "good"], ["cat", "dog", "horiz. [line]"]


@pytest.mark.parametrize(
    ("text", "said", "key"),
    [
        ("recall>=0.9", "recall >= 0.9", "recall"),
        (" recall >= .9 ", "recall >= 0.9", "recall"),
        ("sensitivity>=0.9", "recall >= 0.9", "recall"),
        ("recall[bad]>=0.9", "recall >= 0.9", "recall"),
        ("recall[good]>=9e-1", "recall of 'good' >= 0.9", "recall[good]"),
        ("alert_rate<=0.02", "alert_rate <= 0.02", "alert_rate"),
        ("f0.5>=0.5", "f0.5 >= 0.5", "f0.5"),
        ("matthews_corrcoef>=-0.5", "matthews_corrcoef >= -0.5", "matthews_corrcoef"),
    ],
)
def test_a_text_says_metric_class_and_limit(text, said, key):
    (requirement,) = check_requirements([text], TWO, "bad")
    assert str(requirement) == said
    assert requirement.key == key


def test_a_label_may_hold_brackets_and_blanks():
    (requirement,) = check_requirements(["precision[horiz. [line]]>=0.5"], THREE)
    assert requirement.label == "horiz. [line]"


BAD = [
    (["recall"], TWO, "has no limit .* in quotes .* --require 'recall>=0.9'"),
    (["recall>0.9"], TWO, "'recall>0.9' has no limit that can be read"),
    (["recall=0.9"], TWO, "Write a metric, >= or <=, and a number"),
    ([">=0.9"], TWO, "has no limit that can be read"),
    (["recall>="], TWO, "'' is not a number"),
    (["recall>=high"], TWO, "'high' is not a number. Write a share of 1"),
    (["recall>=90"], TWO, "90 is out of range: recall lies in 0 to 1.*not percent"),
    (["recall>=nan"], TWO, "nan is out of range"),
    (["recal>=0.9"], TWO, "'recal' is no metric of 2 classes. Did you mean 'recall'"),
    (["average_precision>=0.9"], TWO, "no metric of 2 classes.* Use one of accuracy"),
    (["f1>=0.9"], THREE, "'f1' is no metric of 3 classes. Did you mean 'f1_macro'"),
    (["recall[god]>=0.9"], TWO, "'god' is no label .* Did you mean 'good'?"),
    (["f1[good]>=0.9"], TWO, "limits one class's f1, and only alert_rate, precision"),
    (["recall>=0.9"], THREE, "says not of which class.*as in 'recall\\[cat\\]>=0.8'"),
    (["recall>=0.9", "sensitivity>=0.8"], TWO, "limit the same. Give the stricter"),
    (["recall>=0.9", "recall<=0.8"], TWO, "can't both hold"),
]


@pytest.mark.parametrize(("texts", "labels", "message"), BAD, ids=str)
def test_what_can_not_be_required_is_an_error_with_the_remedy(texts, labels, message):
    with pytest.raises(InputError, match=f"--require: .*{message}"):
        check_requirements(texts, labels, "bad" if labels is TWO else None)


@pytest.mark.parametrize(
    ("texts", "labels", "constraints"),
    [
        ([], TWO, None),
        (["recall>=0.9"], TWO, {"recall": (0.9, None)}),
        (["recall>=0.9", "recall<=0.95"], TWO, {"recall": (0.9, 0.95)}),
        (
            ["recall>=0.9", "recall[good]>=0.5"],
            TWO,
            {"recall": {"bad": (0.9, None), "good": (0.5, None)}},
        ),
        (
            ["recall[cat]>=0.9", "recall[cat]<=1", "minimum_recall>=0.5"],
            THREE,
            {"recall": {"cat": (0.9, 1.0)}, "minimum_recall": (0.5, None)},
        ),
    ],
)
def test_requirements_become_constraints_that_the_library_takes(
    texts, labels, constraints
):
    requirements = check_requirements(texts, labels, "bad" if labels is TWO else None)
    assert as_constraints(requirements, "bad") == constraints
    if constraints is not None:
        assert len(check_constraints(constraints, labels)) >= 1


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["recall>=0.9", "alert_rate<=0.5"], TWO),
        (["recall>=0.9", "recall[good]>=0.5"], TWO),
        (["recall[cat]>=0.9", "recall[dog]>=0.5"], THREE),
    ],
)
def test_a_failing_constraint_is_known_by_the_librarys_name(texts, labels):
    requirements = check_requirements(texts, labels, "bad" if labels is TWO else None)
    constraints = check_constraints(as_constraints(requirements, "bad"), labels)
    said = [requirement_of(c.said(labels), requirements, "bad") for c in constraints]
    assert sorted(said) == sorted(map(str, requirements))


def test_a_value_at_the_limit_keeps_it():
    at_least, at_most = check_requirements(["recall>=0.9", "precision<=0.3"], TWO)
    np.testing.assert_allclose(at_least.distance(np.array([0.9, 1, 0.7])), [0, 0, 0.2])
    np.testing.assert_allclose(at_most.distance(np.array([0.1 + 0.2, 0.4])), [0, 0.1])
    assert listed([at_least, at_most]) == "recall >= 0.9 and precision <= 0.3"
