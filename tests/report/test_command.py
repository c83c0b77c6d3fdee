"""Costs, requirements and several classes on the command line."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sklimb.__main__ import main
from sklimb.report.command import _costs
from sklimb.report.strategies import STRATEGIES, Costs
from tests.data import imbalanced

TUNED = [strategy.name for strategy in STRATEGIES if " batches " not in strategy.name]
TUNED = TUNED[2:]


def _three_classes(X):
    """Return "small", "mid" or "big", the last one in few rows."""
    score = X[:, 0] + np.random.default_rng(1).normal(scale=0.5, size=len(X))
    return np.array(["small", "mid", "big"])[np.digitize(score, [0.5, 1.7])]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A working folder with rows of two classes, and of three."""
    monkeypatch.chdir(tmp_path)
    X, y = imbalanced()
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    table["kind"] = np.where(X[:, 2] > 0, "left", "right")
    table.assign(target=np.where(y == 1, "bad", "good")).to_csv("t.csv", index=False)
    three = table.assign(target=_three_classes(X))
    three.to_csv("three.csv", index=False)
    rare = three.drop(three.index[three["target"] == "big"][3:])
    rare.to_csv("rare.csv", index=False)
    return tmp_path


LINEAR = ("--target", "target", "--model", "linear")


def _linear(name, *options):
    return main(["compare", name, *LINEAR, *options])


def _rows(folder):
    with open(f"{folder}/comparison.csv", encoding="utf-8") as file:
        return {row["strategy"]: row for row in csv.DictReader(file)}


COSTS = ("--cost-fp", "1", "--cost-fn", "30")


def test_thresholds_with_costs_have_a_lower_cost(data, capsys):
    assert _linear("t.csv", *COSTS, "--out", "out") == 0
    out = capsys.readouterr().out
    assert "A false positive costs 1, a false negative 30. Every row called" in out
    assert "Use '" in out.splitlines()[-1]
    assert "cost per row 0." in out.splitlines()[-1]
    assert "Not shown in 80 columns: Brier (see --out)." in out
    rows = _rows("out")
    costs = {name: float(row["cost"]) for name, row in rows.items()}
    assert costs["tuned threshold"] < costs["plain at 0.5"] / 2
    rule = json.loads((data / "out/decision_rule.json").read_text())
    assert rule["costs"] == {"false_positive": 1.0, "false_negative": 30.0}
    assert rule["decision_rule"]["scoring"] == "cost"


def test_a_cost_that_is_not_given_is_1():
    assert _costs(SimpleNamespace(cost_fp=None, cost_fn=30.0), 2) == Costs(1, 30)
    assert _costs(SimpleNamespace(cost_fp=4.0, cost_fn=None), 2) == Costs(4, 1)
    assert _costs(SimpleNamespace(cost_fp=None, cost_fn=None), 2) is None


def test_a_requirement_is_kept_out_of_fold_and_looked_at_on_the_test_rows(data, capsys):
    assert _linear("t.csv", "--require", "recall>=0.9", "--out", "out") == 0
    out = capsys.readouterr().out
    assert "Required: recall >= 0.9. Tuned thresholds keep this out of fold." in out
    assert "! outside of what is required" in out
    rows = _rows("out")
    kept = {name: row["keeps_requirements"] for name, row in rows.items()}
    above = {name: str(int(float(r["recall"]) >= 0.9)) for name, r in rows.items()}
    assert kept == above
    assert kept["plain at 0.5"] == "0"
    (chosen,) = [name for name, row in rows.items() if row["use_this"] == "1"]
    assert kept[chosen] == "1"
    assert float(rows["tuned threshold"]["recall"]) > 0.85


def test_a_strategy_that_keeps_no_requirement_stays_in_the_table(data, capsys):
    limits = ("--require", "recall>=0.5", "--require", "precision>=0.52")
    assert _linear("t.csv", *limits, "--out", "out") == 0
    out = capsys.readouterr().out
    infeasible = {k: row for k, row in _rows("out").items() if row["infeasible"]}
    assert 0 < len(infeasible) < len(TUNED)
    assert out.count("infeasible out of fold: ") == len(infeasible)
    for name, row in infeasible.items():
        assert name in out
        assert " comes no nearer than ." in row["infeasible"]
        assert row["use_this"] == row["keeps_requirements"] == "0"


def test_without_a_strategy_that_keeps_what_is_required_the_run_ends(data, capsys):
    limits = ("--require", "recall>=0.99", "--require", "precision>=0.9")
    assert _linear("t.csv", *limits) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "no tuned threshold keeps recall >= 0.99 and precision >= 0.9 out of" in err
    assert "Loosen a limit" in err
    assert "'tuned threshold': recall >= 0.99 comes no nearer than ." in err


def test_several_classes_are_compared_by_metrics_of_all(data, capsys):
    assert _linear("three.csv", "--out", "out") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "to test.\nMeasured at the shares in the data.\nClasses: small (1" in out
    for words in ("balanced", "macro", "MCC", "minimum", "log-loss", "*."):
        assert words in out
    assert "precision" not in out
    assert "Brier" not in out
    rows = _rows("out")
    assert list(rows) == ["plain", "class weights", *TUNED]
    tuned, plain = rows["tuned threshold"], rows["plain"]
    assert tuned["log_loss"] == plain["log_loss"]
    assert float(tuned["balanced_accuracy"]) > float(plain["balanced_accuracy"])
    assert len(json.loads(tuned["threshold"])) == 3
    assert plain["threshold"] == ""
    rule = json.loads((data / "out/decision_rule.json").read_text())
    assert rule["decision_rule"]["classes"] == ["big", "mid", "small"]
    assert rule["decision_rule"]["pos_label"] is None


def test_several_classes_are_measured_at_their_deployment_prior(data, capsys):
    prior = ("--target-prior", "big=0.3,small=0.2")
    assert _linear("three.csv", *prior, "--scoring", "accuracy", "--out", "out") == 0
    out = capsys.readouterr().out
    assert "Measured at the shares big=0.3, mid=0.5, small=0.2." in out
    assert ": accuracy ." in out.splitlines()[-1]
    rule = json.loads((data / "out/decision_rule.json").read_text())
    assert rule["decision_rule"]["target_prior"] == pytest.approx([0.3, 0.5, 0.2])
    rows = _rows("out")
    accuracy = {name: float(row["accuracy"]) for name, row in rows.items()}
    assert accuracy["tuned threshold"] > accuracy["plain"]


def test_a_class_of_several_can_be_required(data, capsys):
    limit = ("--require", "recall[big]>=0.8")
    assert _linear("three.csv", *limit, "--out", "out") == 0
    out = capsys.readouterr().out
    assert "Required: recall of 'big' >= 0.8." in out
    assert "[big]" in out
    rows = _rows("out")
    assert rows["plain"]["keeps_requirements"] == "0"
    assert float(rows["tuned threshold"]["recall[big]"]) > 0.7


THREE = ("three.csv", *LINEAR)
TWO = ("t.csv", *LINEAR)
BAD_INPUT = [
    ([*THREE, "--positive", "big"], "'big' is one of two classes, and the target has"),
    ([*THREE, "--target-prior", "0.2"], "Give pairs, such as 'big=0.33,mid=0.33'"),
    ([*THREE, "--cost-fn", "5"], "--cost-fn: false positives and negatives are"),
    ([*THREE, "--scoring", "f1"], "several classes. Did you mean 'f1_macro'? Use one"),
    ([*THREE, "--scoring", "f1_micro"], "'f1_micro' is no metric of several classes"),
    ([*THREE, "--require", "recall>=0.9"], "says not of which class"),
    (["rare.csv", *LINEAR], "'big' has 3 rows, 1 of them for testing"),
    ([*TWO, "--cost-fp", "0"], "'0' is not a cost above 0"),
    ([*TWO, "--cost-fp", "inf"], "'inf' is not a cost above 0"),
    (
        [*TWO, "--cost-fp", "2", "--scoring", "f1"],
        "'f1' and costs are two aims, and a threshold has one",
    ),
    ([*TWO, "--scoring", "cost"], "'cost' needs --cost-fp"),
    ([*TWO, "--require", "recall"], "--require 'recall>=0.9'."),
    ([*TWO, "--require", "recall>=90"], "and not percent"),
    (
        [*TWO, "--target-prior", "bad=0.2,good=0.9"],
        "the shares sum to 1.1",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT, ids=str)
def test_bad_aims_are_one_line_and_exit_code_2(data, capsys, arguments, message):
    assert main(["compare", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("sklimb: ")
    assert err.count("\n") == 1
