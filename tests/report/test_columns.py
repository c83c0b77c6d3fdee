import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from sklimb.report import InputError
from sklimb.report.columns import MOST_LEVELS, find_columns

N = 200


def _table(**columns):
    return pd.DataFrame({"number": np.linspace(0, 1, N), **columns})


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (np.arange(N) % 7, "numeric"),
        (np.arange(N) % 2 == 0, "numeric"),
        (pd.array([1, None] * (N // 2), dtype="Int64"), "numeric"),
        (pd.array([True, None] * (N // 2), dtype="boolean"), "numeric"),
        ([1.0, np.inf] * (N // 2), "numeric"),
        ([Decimal("1.5"), None] * (N // 2), "numeric"),
        (["a", "b"] * (N // 2), "categorical"),
        (["a", None] * (N // 2), "categorical"),
        (pd.Categorical(["a", "b"] * (N // 2)), "categorical"),
        ([1, "b"] * (N // 2), "categorical"),
        ([f"level {i % 60}" for i in range(N)], "categorical"),
        ([f"some words of text {i}" for i in range(N)], "text"),
        ([None, *(f"some words of text {i}" for i in range(1, N))], "text"),
    ],
)
def test_columns_are_told_apart_by_what_they_hold(column, kind):
    columns = find_columns(_table(column=column))
    assert "column" in getattr(columns, kind)
    assert np.isfinite(_numbers(columns, _table(column=column))).all()


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ([3] * N, "constant"),
        (["a"] * N, "constant"),
        ([None] * N, "all values missing"),
        (np.arange(5, N + 5)[::-1], "numbers its rows"),
        ([f"id{i}" for i in range(N)], "value of its own"),
        (pd.date_range("2020", periods=N), "dates"),
        ([datetime.date(2020, 1, 1)] * N, "dates"),
        ([[1, 2]] * N, "lists"),
        ([1j] * N, "complex"),
    ],
)
def test_columns_of_no_use_are_left_out_with_a_reason(column, reason):
    columns = find_columns(_table(column=pd.Series(column)))
    assert reason in columns.left_out["column"]
    assert columns.numeric == ["number"]
    assert any("column" in note and reason in note for note in columns.notes())


def test_float_without_repeats_is_no_row_number():
    assert find_columns(_table()).numeric == ["number"]


def test_no_column_left_is_an_error_with_the_reasons():
    with pytest.raises(InputError, match=r"no column is left.*id: nearly every row"):
        find_columns(pd.DataFrame({"id": [f"id{i}" for i in range(N)]}))


def _numbers(columns, table):
    numbers = columns.transformer().fit_transform(columns.clean(table))
    return numbers.toarray() if issparse(numbers) else numbers


def test_numbers_are_scaled_and_missing_ones_imputed_and_marked():
    number = np.linspace(0, 1, N)
    number[::4] = np.nan
    columns = find_columns(pd.DataFrame({"number": number}))
    transformed = _numbers(columns, pd.DataFrame({"number": number}))
    assert transformed.shape == (N, 2)
    np.testing.assert_allclose(transformed.mean(axis=0), 0, atol=1e-12)
    assert len(np.unique(transformed[::4], axis=0)) == 1


def test_a_missing_category_is_a_level_of_its_own():
    table = pd.DataFrame({"c": ["a", None, "b", None] * 50})
    columns = find_columns(table)
    np.testing.assert_array_equal(
        _numbers(columns, table)[:4], [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]
    )


def test_levels_beyond_the_most_frequent_share_one_and_are_told():
    table = pd.DataFrame({"c": [f"l{i % 60}" for i in range(1200)]})
    columns = find_columns(table)
    assert _numbers(columns, table).shape == (1200, MOST_LEVELS)
    assert columns.notes() == [
        "c has 60 levels: the 29 most frequent count, the others as one."
    ]


def test_a_new_level_and_a_column_missing_in_a_fold_are_no_trouble():
    train = pd.DataFrame({"n": [np.nan] * N, "c": ["a", "b"] * (N // 2)})
    test = pd.DataFrame({"n": [1.0] * N, "c": ["new"] * N})
    columns = find_columns(pd.concat([train, test]))
    fitted = columns.transformer().fit(columns.clean(train))
    assert np.isfinite(fitted.transform(columns.clean(test))).all()


def test_words_of_a_text_count_and_rows_without_one_have_none():
    texts = pd.Series([f"Win £{i} now!" for i in range(N - 2)] + [None, "   "])
    table = _table(**{"free__text": texts})
    columns = find_columns(table)
    numbers = columns.transformer().fit_transform(columns.clean(table))
    assert issparse(numbers)
    n_words = len({"win", "£", "now", "!"}) + N - 2
    assert numbers.shape == (N, 1 + n_words)
    # One number besides the words: the column of numbers.
    assert numbers.getnnz(axis=1).tolist() == [6] * (N - 2) + [1, 1]
    assert any("free__text is free text" in note for note in columns.notes())
