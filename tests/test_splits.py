"""Parts that know where the model is used: disjoint, accounted for, at their prior."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from sklimb.splits import deployment_split
from sklimb.splits._units import equal_rows, units_of

PARTS = ("train", "dev_a", "dev_b", "test")
CHECKED = settings(max_examples=60, deadline=None)


def _rows(seed, n_rows, prevalence, n_groups=None):
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < prevalence).astype(int)
    if n_groups is None:
        return y, None
    groups = random.integers(n_groups, size=n_rows)
    return y, groups


def _split(y, groups=None, **options):
    """Split, or say that this is no case for it."""
    try:
        return deployment_split(np.zeros((len(y), 1)), y, groups, **options)
    except ValueError as error:
        assert "would have no row" in str(error) or "one class only" in str(error)
        assume(False)


def _within_a_row(y, rows, prevalence):
    return abs(y[rows].sum() - prevalence * len(rows)) <= 1 + 1e-9


@CHECKED
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(60, 1500),
    prevalence=st.floats(0.05, 0.6),
    target=st.floats(0.01, 0.9),
    n_groups=st.none() | st.integers(10, 400),
)
def test_every_row_is_in_exactly_one_part(seed, n_rows, prevalence, target, n_groups):
    y, groups = _rows(seed, n_rows, prevalence, n_groups)
    split = _split(y, groups, target_prior=target, random_state=seed)
    rows = [split.train, split.dev_a, split.dev_b, split.test, split.unused]
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(n_rows))
    np.testing.assert_array_equal(
        np.sort(np.concatenate(list(split.reasons.values()))), split.unused
    )


@CHECKED
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(60, 1500),
    prevalence=st.floats(0.05, 0.6),
    target=st.floats(0.01, 0.9),
    sizes=st.lists(st.floats(0.05, 0.25), min_size=4, max_size=4),
)
def test_class_shares_are_exact_to_a_row(seed, n_rows, prevalence, target, sizes):
    y, _ = _rows(seed, n_rows, prevalence)
    split = _split(y, target_prior=target, sizes=sizes, random_state=seed)
    for rows in (split.train, split.dev_a):
        assert _within_a_row(y, rows, y.mean())
    for rows in (split.dev_b, split.test):
        assert _within_a_row(y, rows, target)
    found = np.array([len(getattr(split, name)) for name in PARTS])
    scale = found.sum() / (sum(sizes) * n_rows)
    np.testing.assert_allclose(found, scale * n_rows * np.array(sizes), atol=2)


@CHECKED
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(200, 1500),
    target=st.floats(0.02, 0.5),
    n_groups=st.integers(20, 300),
)
def test_groups_are_never_across_parts(seed, n_rows, target, n_groups):
    y, groups = _rows(seed, n_rows, 0.2, n_groups)
    split = _split(y, groups, target_prior=target, random_state=seed)
    seen = [set(groups[getattr(split, name)]) for name in PARTS]
    assert len(set.union(*seen)) == sum(map(len, seen))
    for rows in (split.dev_b, split.test):
        assert _within_a_row(y, rows, target)


def test_groups_leave_training_about_the_rows_own_shares():
    y, groups = _rows(0, 5000, 0.1, 500)
    split = deployment_split(y, y, groups, target_prior=0.03, random_state=0)
    assert y[split.train].mean() == pytest.approx(y.mean(), abs=0.005)
    assert len(split.train) == pytest.approx(0.6 * 5000, rel=0.1)
    assert len(split.test) > 0.12 * 5000


def test_no_row_of_the_class_that_is_short_is_left():
    y = np.repeat([0, 1], [9000, 1000])
    split = deployment_split(y, y, target_prior=0.01, random_state=0)
    assert np.sum(y[split.unused] == 0) <= 4
    rich = deployment_split(y, y, target_prior=0.5, random_state=0)
    assert np.sum(y[rich.unused] == 1) <= 4


def test_the_rows_own_prior_uses_every_row():
    y = np.repeat([0, 1, 2], [701, 201, 101])
    own = np.bincount(y) / len(y)
    split = deployment_split(y, y, target_prior=own, random_state=0)
    assert len(split.unused) == 0


def test_several_classes_have_their_shares():
    y = np.repeat(["a", "b", "c"], [700, 200, 100])
    prior = {"a": 0.9, "b": 0.07, "c": 0.03}
    split = deployment_split(y, y, target_prior=prior, random_state=0)
    for rows in (split.dev_b, split.test):
        for label, share in prior.items():
            assert abs(np.sum(y[rows] == label) - share * len(rows)) <= 1


def test_a_part_of_size_0_is_empty():
    y, _ = _rows(0, 500, 0.2)
    split = deployment_split(y, y, target_prior=0.1, sizes=(0.6, 0, 0, 0.4))
    assert len(split.dev_a) == len(split.dev_b) == 0
    assert len(split.train) and len(split.test)


def test_splits_are_seeded():
    y, groups = _rows(0, 500, 0.2, 80)
    for of_rows in (None, groups):
        first, same, other = (
            deployment_split(y, y, of_rows, target_prior=0.1, random_state=seed).test
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, same)
        assert not np.array_equal(first, other)


def test_the_summary_accounts_for_every_row():
    y, groups = _rows(0, 800, 0.2, 100)
    split = deployment_split(y, y, groups, target_prior=0.05, random_state=0)
    text, frame = str(split), split.to_frame()
    assert frame["rows"].sum() == len(y)
    assert (frame["rows of 0"] + frame["rows of 1"] == frame["rows"]).all()
    assert frame.loc["test", "share of 1"] == pytest.approx(y[split.test].mean())
    for name in (*PARTS, "unused"):
        assert f"\n{name}" in "\n" + text
    assert "they are of test's groups" in text
    assert repr(split).startswith(f"DeploymentSplit(train={len(split.train)}, ")


RANDOM = np.random.default_rng(0)
TABLE = RANDOM.integers(0, 3, size=(40, 2))
FORMS = {
    "integers": TABLE,
    "floats": np.where(TABLE == 2, np.nan, TABLE - 0.0),
    "images": np.stack([TABLE, TABLE], axis=2)[..., None],
    "texts": np.array([f"{a} and {b}" for a, b in TABLE]),
    "list of texts": [f"{a} and {b}" for a, b in TABLE],
    "frame": pd.DataFrame({"a": TABLE[:, 0], "b": TABLE[:, 1].astype(str)}),
    "polars": pl.DataFrame({"a": TABLE[:, 0], "b": TABLE[:, 1].astype(str)}),
    "sparse": csr_matrix(TABLE),
    "several": {"a": TABLE[:, :1], "b": TABLE[:, 1:]},
    "objects": np.array([[None if x == 2 else str(x) for x in row] for row in TABLE]),
}


@pytest.mark.parametrize("form", FORMS)
def test_equal_rows_are_found_in_anything_that_holds_rows(form):
    expected = np.unique(TABLE, axis=0, return_inverse=True)[1].ravel()
    found = equal_rows(FORMS[form])
    pairs = set(zip(expected.tolist(), found.tolist(), strict=True))
    assert len(pairs) == len(set(expected)) == len(set(found))


def test_minus_zero_is_zero():
    assert len(set(equal_rows(np.array([[0.0], [-0.0]])))) == 1


def test_groups_that_have_an_equal_row_are_one():
    X = np.array([[1], [2], [2], [3], [4], [1]])
    found = units_of(X, ["p", "p", "q", "q", "r", "s"], "together")
    assert found[0] == found[1] == found[2] == found[3] == found[5] != found[4]


@pytest.mark.parametrize("form", ["integers", "texts", "frame", "images"])
def test_equal_rows_are_in_one_part_on_request(form):
    rows = FORMS[form]
    y = np.tile([0, 0, 0, 1], 10)
    split = deployment_split(
        rows,
        y,
        target_prior=0.3,
        sizes=(0.5, 0, 0, 0.5),
        duplicates="together",
        random_state=0,
    )
    same = equal_rows(rows)
    assert not set(same[split.train]) & set(same[split.test])
