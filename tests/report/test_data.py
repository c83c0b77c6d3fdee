import numpy as np
import pandas as pd
import pytest

from sklimb.report import InputError
from sklimb.report.data import _check_all_tested, load, split

N = 100


def _file(tmp_path, target, **columns):
    columns = columns or {"a": np.linspace(0, 1, len(target))}
    table = pd.DataFrame({**columns, "target": target})
    table.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        ([0] * 90 + [1] * 10, 1),
        ([1] * 90 + [0] * 10, 0),
        (["no"] * 90 + ["yes"] * 10, "yes"),
        (["yes"] * 90 + ["no"] * 10, "no"),
        ([True] * 90 + [False] * 10, False),
        ([0.5] * 90 + [1.5] * 10, "1.5"),
        ([0.0] * 50 + [1.0] * 50, 1),
    ],
)
def test_the_rarer_class_is_positive_and_a_tie_goes_to_the_greater(
    tmp_path, target, positive
):
    dataset = load(_file(tmp_path, target), "target")
    assert dataset.positive == positive
    assert type(dataset.positive) is type(positive)
    assert repr(positive) in dataset.notes[0]
    assert dataset.prevalence == pytest.approx(
        np.mean([t != target[0] for t in target])
    )


@pytest.mark.parametrize("given", ["0", "0.0"])
def test_positive_class_is_found_by_its_text_or_number(tmp_path, given):
    dataset = load(_file(tmp_path, [0] * 90 + [1] * 10), "target", given)
    assert dataset.positive == 0
    assert dataset.prevalence == 0.9


BAD_TARGETS = [
    ([1] * 10, None, "is '1' in every row"),
    ([0, 1, None, None] * 5, None, "10 of 20 rows have no 'target'"),
    (["a", "b", "c"] * 5, "a", "'a' is one of two classes, and the target has 3"),
    (np.linspace(0, 1, 60), None, "60 different values. Is it a number or a text"),
    ([0, 1] * 5, "2", "--positive: '2' is no label of the target; it has 0 and 1"),
    (["good", "bad"] * 5, "god", "Did you mean 'good'?"),
]


@pytest.mark.parametrize(("target", "positive", "message"), BAD_TARGETS)
def test_unusable_targets_are_named_with_the_remedy(
    tmp_path, target, positive, message
):
    with pytest.raises(InputError, match=message):
        load(_file(tmp_path, target), "target", positive)


def test_arrays_of_more_axes_stay_or_become_columns(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3, 2))
    x[:, 0, 0] = 0
    np.savez(tmp_path / "t.npz", x=x, y=[0, 1] * 10)
    dataset = load(tmp_path / "t.npz", "y")
    assert dataset.X.shape == (20, 3, 2)
    assert dataset.columns is None
    flat = dataset.flat()
    assert flat.X.shape == (20, 5)
    assert flat.notes[-1] == (
        "Rows of 3 x 2 numbers are taken as 6 columns, 1 of them constant and not used."
    )


def test_two_axes_are_columns(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(20), y=[0, 1] * 10)
    assert load(tmp_path / "t.npz", "y").X.shape == (20, 20)


def test_hold_out_is_stratified_and_seeded(tmp_path):
    dataset = load(_file(tmp_path, ([0] * 9 + [1]) * 40), "target")
    parts, again, other = (split(dataset, 5, seed) for seed in (0, 0, 1))
    assert len(parts.y_test) == N
    assert parts.y_test.sum() == 10
    pd.testing.assert_frame_equal(parts.X_test, again.X_test)
    assert not parts.X_test.equals(other.X_test)


def test_few_positive_test_rows_are_told(tmp_path):
    dataset = load(_file(tmp_path, ([0] * 9 + [1]) * 40), "target")
    assert "10 positive rows" in split(dataset, 5, 0).notes[0]


def test_copies_of_training_rows_in_the_test_part_are_told(tmp_path):
    path = _file(tmp_path, [0, 1] * 200, a=np.arange(400) % 30)
    notes = split(load(path, "target"), 5, 0).notes
    assert notes == [
        "100 of 100 test rows are exact copies of training rows, so the scores may be "
        "too good."
    ]


def test_too_few_rows_for_the_folds_name_how_many_would_do(tmp_path):
    dataset = load(_file(tmp_path, [0] * 90 + [1] * 5), "target")
    with pytest.raises(InputError, match=r"class 1 has 5 rows, 1 of them .* --cv 4"):
        split(dataset, 5, 0)
    assert split(dataset, 4, 0).y_test.sum() == 1
    dataset = load(_file(tmp_path, [0] * 90 + [1] * 2), "target")
    with pytest.raises(InputError, match=r"folds\. Gather more rows"):
        split(dataset, 2, 0)


def test_several_classes_have_no_positive_one_and_are_counted(tmp_path):
    dataset = load(_file(tmp_path, ["b"] * 30 + ["a"] * 80 + ["c, d"] * 90), "target")
    assert dataset.positive is None
    assert dataset.classes == ("a", "b", "c, d")
    assert dataset.counts == {"a": 80, "b": 30, "c, d": 90}
    assert dataset.notes[0] == "Classes: c, d (90), a (80), b (30)."


def test_few_test_rows_of_any_class_are_told(tmp_path):
    target = ["a"] * 400 + ["b"] * 80 + ["c"] * 20
    notes = split(load(_file(tmp_path, target), "target"), 5, 0).notes
    assert "has only few rows of b (20), c (5), and the intervals" in notes[0]


def test_a_class_of_several_with_too_few_rows_is_named_with_the_remedy(tmp_path):
    target = ["a"] * 80 + ["b"] * 15 + ["c"] * 5
    dataset = load(_file(tmp_path, target), "target")
    remedy = "--cv 4, or gather more rows of it, or join it with another class"
    with pytest.raises(InputError, match=rf"class 'c' has 5 rows, 1 .* {remedy}"):
        split(dataset, 5, 0)
    assert set(split(dataset, 4, 0).y_test) == {"a", "b", "c"}


def test_a_class_that_no_test_row_has_is_an_error():
    with pytest.raises(InputError, match=r"no row of 'rare'\. Gather more rows of it"):
        _check_all_tested(("a", "b", "rare"), np.array(["b", "a", "b"]))
