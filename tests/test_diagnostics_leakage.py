"""Leaks that were planted are found by name; clean rows are left alone."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklimb.diagnostics import Finding, find_leakage, ranked

DATA = Path(os.environ.get("SKLIMB_DATA", "/nowhere"))


def clean_table(n_rows=1500, n_columns=6, prevalence=0.1, seed=0):
    """Return a frame of columns that each know a little, and labels."""
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < prevalence).astype(int)
    X = random.standard_normal((n_rows, n_columns)) + 0.6 * y[:, None]
    return pd.DataFrame(X, columns=[f"column {j}" for j in range(n_columns)]), y


def kinds_by_subject(result):
    return {finding.subject: finding.kind for finding in result.findings}


def noisy_copy(y, random):
    return y + 0.05 * random.standard_normal(len(y))


def category(y, random):
    return np.where(y == 1, random.choice(["won", "lost"], len(y)), "open")


def missing(y, random):
    return np.where(y == 1, np.nan, random.random(len(y)))


def strong_but_not_perfect(y, random):
    return 3 * y + random.standard_normal(len(y))


PLANTS = [noisy_copy, category, missing, strong_but_not_perfect]


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leak_is_found_by_name(plant):
    X, y = clean_table()
    X.insert(2, "planted", plant(y, np.random.default_rng(1)))
    found = find_leakage(X, y)
    assert [f.subject for f in found.findings if f.kind == "leakage-column"] == [
        "planted"
    ]
    assert "planted" in found.sentence


def test_being_missing_is_named_as_what_tells():
    X, y = clean_table()
    X["planted"] = missing(y, np.random.default_rng(1))
    assert (
        find_leakage(X, y)
        .findings[0]
        .sentence.startswith("Whether 'planted' is missing")
    )


def test_both_of_two_columns_that_say_the_same_are_found():
    X, y = clean_table()
    X["minutes"] = strong_but_not_perfect(y, np.random.default_rng(1))
    X["seconds"] = 60 * X["minutes"] + 1e-3 * X["column 0"]
    leaks = [f for f in find_leakage(X, y).findings if f.kind == "leakage-column"]
    assert {leak.subject for leak in leaks} == {"minutes", "seconds"}


def test_an_id_that_is_sorted_by_the_target_is_found():
    X, y = clean_table()
    order = np.argsort(y, kind="stable")
    X = X.iloc[order].assign(row=np.arange(len(y)))
    first = find_leakage(X, y[order]).findings[0]
    assert (first.kind, first.subject) == ("leakage-column", "row")
    assert "rise from row to row" in first.sentence


def test_a_leak_of_several_classes_is_found():
    random = np.random.default_rng(0)
    y = random.choice(["a", "b", "c"], 1200, p=[0.8, 0.15, 0.05])
    X = pd.DataFrame(random.standard_normal((1200, 4)), columns=list("pqrs"))
    X["planted"] = np.searchsorted(["a", "b", "c"], y) + 0.05 * X["p"]
    assert kinds_by_subject(find_leakage(X, y)) == {"planted": "leakage-column"}


@pytest.mark.parametrize("prevalence", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("n_columns", [3, 40])
def test_clean_tables_are_left_alone(prevalence, n_columns):
    for seed in range(5):
        X, y = clean_table(1000, n_columns, prevalence, seed)
        found = find_leakage(X, y)
        assert found.findings == []
        assert found.sentence.startswith("Nothing leaks")


def test_columns_without_any_signal_are_left_alone():
    random = np.random.default_rng(0)
    for _ in range(5):
        X, y = random.standard_normal((300, 200)), np.arange(300) < 10
        assert find_leakage(X, y).findings == []


def test_constant_row_number_id_and_group_columns_are_named():
    X, y = clean_table()
    random = np.random.default_rng(2)
    groups = random.integers(100, size=len(y))
    X["constant"] = 7.0
    X["row"] = np.arange(len(y))
    X["id"] = random.permutation(len(y))
    X["uuid"] = [f"{number:x}" for number in random.integers(2**60, size=len(y))]
    X["patient"] = [f"P{group}" for group in groups]
    found = kinds_by_subject(find_leakage(X, y, groups))
    assert found == {
        "constant": "constant-column",
        "row": "row-number",
        "id": "id-column",
        "uuid": "id-column",
        "patient": "group-column",
        "groups": "shared-groups",
    }


def test_groups_that_a_split_tears_apart_are_counted():
    X, y = clean_table(400)
    pairs = find_leakage(X, y, np.arange(400) // 2).groups
    assert pairs.n_groups == 200
    assert pairs.n_rows == 2 * pairs.n_shared
    assert 130 < pairs.n_shared < 190  # 4/5 of them in expectation
    assert find_leakage(X, y, np.arange(400)).groups.n_shared == 0


def test_repeated_rows_are_counted_as_pandas_counts_them():
    X, y = clean_table(500)
    X, y = pd.concat([X, X[:60], X[:10]]), np.concatenate([y, y[:60], y[:10]])
    found = find_leakage(X, y)
    assert found.repeats.n_repeats == 70 == X.assign(y=y).duplicated().sum()
    assert found.repeats.n_conflicting == 0
    assert kinds_by_subject(found) == {"rows": "repeated-rows"}


def test_copies_with_another_label_conflict():
    X, y = clean_table(500)
    X, y = pd.concat([X, X[:20]]), np.append(y, 1 - y[:20])
    repeats = find_leakage(X, y).repeats
    assert (repeats.n_repeats, repeats.n_conflicting) == (0, 20)


def test_near_copies_are_found():
    X, y = clean_table(1500)
    noise = 1e-3 * np.random.default_rng(3).standard_normal((100, 6))
    near = find_leakage(pd.concat([X, X[:100] + noise]), np.append(y, y[:100]))
    assert len(near.near_repeats.pairs) == 200  # each from both sides
    pairs = np.sort(near.near_repeats.pairs, axis=1)
    assert np.array_equal(np.unique(pairs[:, 1] - pairs[:, 0]), [1500])
    assert kinds_by_subject(near) == {"rows": "near-repeats"}


def test_texts_that_differ_in_numbers_and_case_are_near_copies():
    random = np.random.default_rng(0)
    letters = random.choice(list("abcdefghij"), (300, 12, 6))
    texts = [" ".join("".join(word) for word in row) for row in letters]
    texts += [text.upper() + "!" for text in texts[:30]] + texts[:20]
    y = np.arange(350) % 7 == 0
    found = find_leakage(texts, y)
    assert found.repeats.n_across > 0
    assert len(found.near_repeats.pairs) == 60


def test_forms_of_one_table_give_one_result():
    polars = pytest.importorskip("polars")
    X, y = clean_table(400)
    X["planted"] = noisy_copy(y, np.random.default_rng(1))
    X.columns = [f"x{j}" for j in range(7)]
    forms = [X, X.to_numpy(), polars.from_pandas(X), X.astype(object)]
    sentences = {str(find_leakage(form, y).findings) for form in forms}
    assert len(sentences) == 1


def test_odd_frames_are_looked_at():
    X, y = clean_table(400)
    X["when"] = pd.date_range("2020-01-01", periods=400, tz="UTC")
    X["maybe"] = pd.array([None, 1, 2, 3] * 100, dtype="Int64")
    X["kind"] = pd.Categorical(["a", "b", None, "a"] * 100)
    X["lists"] = [[1, 2]] * 400
    X = pd.concat([X, X[["column 0"]]], axis=1)  # twice the same name
    kinds = {check.name: check.kind for check in find_leakage(X, y).columns}
    assert len(kinds) == 10
    assert kinds["maybe"] == "numeric"
    assert kinds["kind"] == "category"


def test_sparse_rows_are_looked_at():
    sparse = pytest.importorskip("scipy.sparse")
    X, y = clean_table(400)
    X["planted"] = noisy_copy(y, np.random.default_rng(1))
    found = find_leakage(sparse.csr_array(X.to_numpy()), y)
    assert kinds_by_subject(found) == {"x6": "leakage-column"}


def test_a_mark_in_an_image_is_found_by_its_place():
    random = np.random.default_rng(0)
    X, y = random.random((300, 8, 8)), np.arange(300) % 10 == 0
    X[:, 0, 7] = y
    assert find_leakage(X, y).findings[0].subject == "x[0, 7]"


def test_many_columns_of_one_kind_are_told_as_one():
    X, y = clean_table(300)
    constant = X.assign(**{f"empty {j}": 0.0 for j in range(40)})
    found = find_leakage(constant, y)
    findings = found.findings
    assert "'empty 2' and 37 more are constant" in found.sentence
    assert [finding.subject for finding in findings][:2] == ["empty 0", "empty 1"]
    assert len(findings) == 6
    assert findings[-1].subject == "35 more columns"


def test_labels_of_any_type_give_the_same():
    X, y = clean_table(600)
    X["planted"] = noisy_copy(y, np.random.default_rng(1))
    as_numbers = find_leakage(X, y)
    as_texts = find_leakage(X, np.where(y == 1, "yes", "no"))
    assert as_numbers.findings == as_texts.findings


def test_results_print_as_a_sentence_and_become_a_table():
    X, y = clean_table(300)
    found = find_leakage(X, y)
    assert str(found) == found.sentence
    assert list(found.to_frame()["column"]) != []
    assert found.to_frame()["auc"].is_monotonic_decreasing


def test_ranked_keeps_the_order_of_equal_effects():
    findings = [Finding("k", name, "", "", e) for name, e in zip("abc", [0, 1, 0])]  # noqa: B905
    assert [finding.subject for finding in ranked(findings)] == ["b", "a", "c"]


def real(name):
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"SKLIMB_DATA has no {name}")
    table = pd.read_csv(path)
    return table.drop(columns="target"), table["target"]


def test_duration_of_bank_marketing_is_the_leak():
    found = find_leakage(*real("bank_marketing"))
    leaks = [f.subject for f in found.findings if f.kind == "leakage-column"]
    assert leaks == ["duration"] == [found.findings[0].subject]


def test_mammography_repeats_3334_rows():
    found = find_leakage(*real("mammography"))
    assert found.repeats.n_repeats == 3334
    assert found.findings[0].kind == "repeated-rows"
    assert "3,334" in found.findings[0].sentence


def test_oil_spill_has_a_patch_number_and_a_constant_column():
    kinds = kinds_by_subject(find_leakage(*real("oil_spill")))
    assert kinds == {"x1": "row-number", "x23": "constant-column"}
