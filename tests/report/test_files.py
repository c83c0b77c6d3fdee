import csv
import json
import stat

import pytest

from sklimb.report import InputError
from sklimb.report.files import check_folder, write
from sklimb.report.outcomes import Origin
from sklimb.report.requirements import check_requirements
from sklimb.report.strategies import Costs
from sklimb.report.verdict import judge
from tests.report.comparisons import comparison, outcome

ORIGIN = Origin(model="linear", command="sklimb compare t.csv")


@pytest.fixture(autouse=True)
def page(monkeypatch):
    """A report that needs no fitted strategy."""
    monkeypatch.setattr(
        "sklimb.report.files.comparison_page", lambda *arguments: "<!DOCTYPE html>"
    )


@pytest.fixture
def made():
    return comparison(outcome("a", recall=0.7), outcome("b", balanced_accuracy=0.9))


def test_table_has_each_measure_with_interval_and_the_choice(tmp_path, made):
    write(tmp_path, made, judge(made), ORIGIN)
    with open(tmp_path / "comparison.csv", encoding="utf-8") as file:
        a, b = csv.DictReader(file)
    assert (a["strategy"], a["use_this"]) == ("a", "0")
    assert (b["strategy"], b["use_this"]) == ("b", "1")
    assert float(a["recall"]) == 0.7
    assert float(a["recall_low"]) < 0.7 < float(a["recall_high"])
    assert (a["recall_best"], b["recall_best"]) == ("1", "0")


def test_rule_is_that_of_the_chosen_strategy_with_versions(tmp_path, made):
    verdict = judge(made)
    write(tmp_path, made, verdict, ORIGIN)
    rule = json.loads((tmp_path / "decision_rule.json").read_text())
    assert rule["decision_rule"] == verdict.chosen.estimator.decision_rule_
    assert rule["strategy"] == "b"
    assert rule["why"] == verdict.words
    assert {"python", "numpy", "scikit-learn"} <= set(rule["versions"])


def test_requirements_and_costs_are_written(tmp_path):
    made = comparison(
        outcome("a", recall=0.95, cost=0.3, threshold=[0.5, "never"]),
        outcome("b", recall=0.8, cost=0.2),
        infeasible=["c"],
        requirements=check_requirements(["recall>=0.9"], ["no", "yes"], "yes"),
        costs=Costs(1.0, 50.0),
        scoring="cost",
    )
    write(tmp_path, made, judge(made), ORIGIN)
    with open(tmp_path / "comparison.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["keeps_requirements"] for row in rows] == ["1", "0", "0"]
    assert [row["cost"] for row in rows] == ["0.3", "0.2", ""]
    assert rows[2]["infeasible"] == "recall >= 0.9 comes no nearer than .850"
    assert json.loads(rows[0]["threshold"]) == [0.5, "never"]
    rule = json.loads((tmp_path / "decision_rule.json").read_text())
    assert rule["costs"] == {"false_positive": 1.0, "false_negative": 50.0}
    (required,) = rule["requirements"]
    assert required["requirement"] == "recall >= 0.9"
    assert (required["test_value"], required["kept"]) == (0.95, True)


def test_files_are_replaced_whole_and_leave_nothing_beside(tmp_path, made):
    (tmp_path / "comparison.csv").write_text("old")
    write(tmp_path, made, judge(made), ORIGIN)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["comparison.csv", "decision_rule.json", "report.html"]
    mode = stat.S_IMODE((tmp_path / "comparison.csv").stat().st_mode)
    (tmp_path / "plain").touch()
    assert mode == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_failed_write_keeps_the_old_file(tmp_path, made, monkeypatch):
    (tmp_path / "comparison.csv").write_text("old")

    def full(*paths):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path, made, judge(made), ORIGIN)
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.csv"]
    assert (tmp_path / "comparison.csv").read_text() == "old"


def test_folders_are_made_and_a_file_in_their_place_is_an_error(tmp_path):
    assert check_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--out: can't write to '.*file'"):
        check_folder(tmp_path / "file")
