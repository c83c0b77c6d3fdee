import pytest

from sklimb.report import InputError
from sklimb.report.priors import parse_prior

LABELS = ["a,b", "cat", "x=y"]


@pytest.mark.parametrize(
    ("text", "labels", "shares"),
    [
        ("0.2", [0, 1], {0: 0.8, 1: 0.2}),
        ("20%", [0, 1], {0: 0.8, 1: 0.2}),
        ("1:4", [0, 1], {0: 0.8, 1: 0.2}),
        (" 20 : 80 ", [0, 1], {0: 0.8, 1: 0.2}),
        ("1=0.2", [0, 1], {0: 0.8, 1: 0.2}),
        ("1=20 %", [0, 1], {0: 0.8, 1: 0.2}),
        ("0=0.2", [0, 1], {0: 0.2, 1: 0.8}),
        ("cat=0.5,a,b=0.2", LABELS, {"a,b": 0.2, "cat": 0.5, "x=y": 0.3}),
        ("x=y=0.2, cat = 0.3", LABELS, {"a,b": 0.5, "cat": 0.3, "x=y": 0.2}),
        ("a,b=0.2,cat=0.5,x=y=0.3", LABELS, {"a,b": 0.2, "cat": 0.5, "x=y": 0.3}),
    ],
)
def test_shares_are_those_of_all_classes_in_their_order(text, labels, shares):
    found = parse_prior(text, labels, positive=1)
    assert found == pytest.approx(shares)
    assert list(found) == labels


BAD = [
    (
        "0.2",
        LABELS,
        "'0.2' is the share of one class, and the target has 3. Give pairs",
    ),
    ("1", [0, 1], "'1' is not a share between 0 and 1, both excluded"),
    ("100%", [0, 1], "'100%' is not a share.*Write it as 0.01, 1% or 1:99"),
    ("1:0", [0, 1], "'1:0' is not a share"),
    ("-1:-4", [0, 1], "'-1:-4' is not a share"),
    ("1:2:3", [0, 1], "'1:2:3' is not a share"),
    ("nan", [0, 1], "'nan' is not a share"),
    ("cat=0", LABELS, "'0' is not a share between 0 and 1"),
    ("cat=x", LABELS, "'x' is not a share between 0 and 1"),
    ("cat=", LABELS, "'' is not a share"),
    ("dog=0.2", LABELS, "'dog' is no label of the target; it has 'a,b', 'cat' and"),
    ("cat=0.2", LABELS, "'a,b' and 'x=y' have no share. Give one for all classes"),
    ("cat=0.2,cat=0.3", LABELS, "'cat' has two shares"),
    ("cat=0.6,x=y=0.6", LABELS, "sum to 1.2, which leaves nothing for 'a,b'"),
    ("cat=0.6,x=y=0.3,a,b=0.2", LABELS, "sum to 1.1. All classes' sum to 1"),
    ("cat=0.6;", LABELS, "'0.6;' is not a share"),
    ("cat=0.6,dog", LABELS, "'dog' is no pair label=share. Write pairs such as"),
]


@pytest.mark.parametrize(("text", "labels", "message"), BAD)
def test_what_is_no_prior_is_an_error_with_the_remedy(text, labels, message):
    with pytest.raises(InputError, match=f"--target-prior: .*{message}"):
        parse_prior(text, labels, positive=1 if labels == [0, 1] else None)
