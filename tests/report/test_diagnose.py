"""``sklimb diagnose``: what it prints, writes and refuses."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklimb.__main__ import main

DATA = Path(os.environ.get("SKLIMB_DATA", "/nowhere"))


def table(n_rows=600, seed=0):
    random = np.random.default_rng(seed)
    y = random.random(n_rows) < 0.2
    X = random.standard_normal((n_rows, 5)) + 0.8 * y[:, None]
    rows = pd.DataFrame(X, columns=list("abcde"))
    rows["kind"] = np.where(X[:, 2] > 0, "left", "right")
    return rows.assign(target=np.where(y, "bad", "good"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a table."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("t.csv", index=False)
    return tmp_path


def diagnosed(*options):
    return main(["diagnose", "t.csv", "--target", "target", *options])


def found(name="out"):
    return json.loads(Path(name, "diagnosis.json").read_text())


def test_a_planted_leak_comes_first_and_is_named(folder, capsys):
    rows = table()
    rows["closed"] = np.where(rows["target"] == "bad", "yes", "no")
    rows.to_csv("t.csv", index=False)
    assert diagnosed("--out", "out") == 0
    printed = capsys.readouterr().out
    assert "leakage column: closed" in printed
    assert found()["findings"][0]["subject"] == "closed"


def test_columns_that_the_model_does_not_get_are_named(folder):
    table().assign(site="north", id=range(600)).to_csv("t.csv", index=False)
    assert diagnosed("--out", "out") == 0
    kinds = {each["subject"]: each["kind"] for each in found()["findings"]}
    assert kinds["site"] == "constant-column"
    assert kinds["id"] == "row-number"


def test_all_findings_are_printed_with_effect_and_remedy(folder, capsys):
    pd.concat([table(), table()[:80]]).to_csv("t.csv", index=False)
    assert diagnosed("--out", "out") == 0
    printed = capsys.readouterr().out
    for each in found()["findings"]:
        assert f"{each['effect']:.2f}" in printed
        assert each["sentence"] in printed
        assert each["remedy"] in printed


def test_groups_are_no_feature_and_stay_together(folder):
    rows = table()
    rows["patient"] = [f"P{number // 6}" for number in range(600)]
    rows.to_csv("t.csv", index=False)
    assert diagnosed("--groups", "patient", "--out", "out") == 0
    kinds = {each["kind"] for each in found()["findings"]}
    assert "shared-groups" in kinds
    columns = [row["column"] for row in found()["results"]["leakage"]["rows"]]
    assert "patient" not in columns


def test_production_is_explained(folder, capsys):
    table(3000).to_csv("t.csv", index=False)
    there = table(2000, seed=1)
    there["a"] = np.random.default_rng(2).standard_normal(2000)
    there["b"] = np.random.default_rng(3).standard_normal(2000)
    there["c"] = np.random.default_rng(4).standard_normal(2000)
    there.to_csv("there.csv", index=False)
    assert diagnosed("--production", "there.csv", "--out", "out") == 0
    parts = {row["part"]: row for row in found()["results"]["shift"]["rows"]}
    assert parts["rest"]["low"] > 0
    assert "ranking" in capsys.readouterr().out


def test_a_target_prior_is_looked_at(folder):
    assert diagnosed("--target-prior", "0.5%", "--out", "out") == 0
    assert found()["findings"][0]["kind"] == "prevalence"


def test_several_classes_and_arrays_are_diagnosed(folder):
    random = np.random.default_rng(0)
    y = random.choice(["x", "y", "z"], 300, p=[0.6, 0.3, 0.1])
    X = random.random((300, 4, 4)) + (y == "z")[:, None, None]
    np.savez("a.npz", x=X, kind=y.astype("U1"))
    assert main(["diagnose", "a.npz", "--target", "kind", "--out", "out"]) == 0
    assert found()["rows"] == 300


def test_texts_are_diagnosed(folder):
    random = np.random.default_rng(0)
    y = np.arange(400) % 4 == 0
    words = random.choice(["alpha", "beta", "gamma", "delta", "pi"], (400, 30))
    texts = [" ".join(row) + (" win" if spam else "") for row, spam in zip(words, y)]  # noqa: B905
    rows = pd.DataFrame({"text": texts + texts[:50], "target": [*y, *y[:50]]})
    rows.to_csv("t.csv", index=False)
    assert diagnosed("--out", "out") == 0
    assert "repeated-rows" in {each["kind"] for each in found()["findings"]}


def test_what_came_from_the_data_is_escaped(folder, capsys):
    evil = "<script>alert(1)</script>"
    rows = table().rename(columns={"a": evil, "b": "\x1b[31m", "c": "$x^2$"})
    rows["<b>"] = 9.0 * (rows["target"] == "bad") + rows[evil]
    rows["target"] = rows["target"].replace("bad", "<i>bad</i>")
    rows.to_csv("t.csv", index=False)
    assert diagnosed("--out", "out") == 0
    page = Path("out/diagnosis.html").read_text()
    assert "<script" not in page
    assert not re.search("<b>|<i>", page)
    assert "&lt;b&gt;" in page
    assert "\x1b[31m" not in capsys.readouterr().out


def test_the_page_has_a_picture_of_each_result(folder):
    assert diagnosed("--out", "out") == 0
    page = Path("out/diagnosis.html").read_text()
    assert page.count("<svg") == len(found()["results"])
    assert "sklimb diagnose t.csv" in page


def test_two_runs_write_the_same(folder):
    for name in ("one", "two"):
        assert diagnosed("--out", name) == 0
    one, two = found("one"), found("two")
    assert one.pop("command") != two.pop("command")
    assert one == two


def rows_of_production(**changes):
    rows = table(100, seed=1).assign(**changes)
    rows.to_csv("there.csv", index=False)
    return ("--production", "there.csv")


BAD = {
    "groups": (lambda: ("--groups", "patients"), "--groups: .* no column 'patients'"),
    "groups the target": (lambda: ("--groups", "target"), "--groups: .* is the target"),
    "few groups": (lambda: ("--groups", "kind"), "--groups: .* 2 different values"),
    "no file": (lambda: ("--production", "no.csv"), "--production: .* does not exist"),
    "labels": (lambda: rows_of_production(target=["x", "y"] * 50), "has 'x' and 'y'"),
    "types": (lambda: rows_of_production(a="text"), "--production: .* other types"),
    "model": (lambda: ("--model", "lienar"), "--model: .* Did you mean 'linear'"),
    "prior": (lambda: ("--target-prior", "2"), "--target-prior"),
}


@pytest.mark.parametrize("options, message", BAD.values(), ids=BAD)
def test_bad_input_is_one_line(folder, capsys, options, message):
    assert diagnosed(*options()) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(message, said)


def test_a_column_that_production_lacks_is_named(folder, capsys):
    table(100).drop(columns="b").to_csv("there.csv", index=False)
    assert diagnosed("--production", "there.csv") == 2
    assert "has no column 'b'" in capsys.readouterr().err


def test_a_class_of_one_row_is_refused(folder, capsys):
    rows = table()
    rows.loc[0, "target"] = "odd"
    rows.to_csv("t.csv", index=False)
    assert diagnosed() == 2
    assert "only one row of 'odd'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, first", [("oil_spill", "x23"), ("mammography", "3,334 of 11,183 rows")]
)
def test_real_rows(name, first, capsys):
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"SKLIMB_DATA has no {name}")
    assert main(["diagnose", str(path), "--target", "target"]) == 0
    assert first in capsys.readouterr().out


def test_duration_comes_first_on_bank_marketing(capsys):
    path = DATA / "bank_marketing.csv.gz"
    if not path.exists():
        pytest.skip("SKLIMB_DATA has no bank_marketing")
    assert main(["diagnose", str(path), "--target", "target"]) == 0
    kinds = re.findall(r"^ \d\.\d\d +[#.]+ +(.*)$", capsys.readouterr().out, re.M)
    assert kinds[0] == "leakage column: duration"
