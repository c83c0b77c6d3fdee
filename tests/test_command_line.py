"""The command line: what it prints, writes and returns."""

import csv
import importlib
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from sklimb.__main__ import main
from tests.data import imbalanced

STRATEGIES = [
    "plain at 0.5",
    "class weights at 0.5",
    "tuned threshold",
    "weights + corrected + tuned",
    "over sampling + corrected + tuned",
    "under sampling + corrected + tuned",
    "SMOTE + corrected + tuned",
]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A working folder with files of every kind, good and bad."""
    monkeypatch.chdir(tmp_path)
    X, y = imbalanced()
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    table["kind"] = np.where(X[:, 2] > 0, "left", None)
    table["target"] = np.where(y == 1, "bad", "good")
    table.to_csv("t.csv", index=False)
    table.to_parquet("t.parquet")
    table.assign(target=1).to_csv("constant.csv", index=False)
    table.head(60).to_csv("few.csv", index=False)
    table.assign(target=table["target"].where(y == 1)).to_csv("gaps.csv", index=False)
    pd.DataFrame(
        {"name": [f"row{i}" for i in range(99)], "target": [0, 1, 1] * 33}
    ).to_csv("ids.csv", index=False)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:99])
    (tmp_path / "file").touch()
    np.savez(tmp_path / "t.npz", x=X.reshape(-1, 3, 1), label=y)
    return tmp_path


def _compare(*arguments):
    return main(["compare", *arguments])


def _linear(*arguments):
    return _compare(*arguments, "--target", "target", "--model", "linear")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_compare_ends_with_a_table_and_what_to_use(data, capsys, name):
    assert _linear(name) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "1500 rows, 1125 to train and 375 to test" in out
    assert "Positive class: 'bad' (the rarer one)." in out
    for words in ("balanced", "macro", "recall", "log-loss", "Brier", "*."):
        assert words in out
    assert out.splitlines()[-1].startswith("Use '")
    assert "balanced accuracy" in out.splitlines()[-1]


def test_arrays_are_compared_by_their_label_array(data, capsys):
    assert _compare("t.npz", "--target", "label", "--model", "linear") == 0
    assert "Rows of 3 x 1 numbers are taken as 3 columns" in capsys.readouterr().out


def test_the_same_seed_prints_the_same(data, capsys):
    assert _linear("t.csv", "--seed", "3") == 0
    first = capsys.readouterr().out
    assert _linear("t.csv", "--seed", "3") == 0
    assert capsys.readouterr().out == first
    assert _linear("t.csv", "--seed", "4") == 0
    assert capsys.readouterr().out != first


def test_out_writes_table_and_rule(data, capsys):
    assert _linear("t.csv", "--out", "new/folder") == 0
    with open("new/folder/comparison.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["strategy"] for row in rows] == STRATEGIES
    (chosen,) = [row for row in rows if row["use_this"] == "1"]
    rule = json.loads((data / "new/folder/decision_rule.json").read_text())
    assert rule["strategy"] == chosen["strategy"]
    assert rule["decision_rule"]["threshold"] == float(chosen["threshold"])
    assert rule["decision_rule"]["pos_label"] == "bad"
    assert f"Use '{chosen['strategy']}'" in capsys.readouterr().out


def _rows(folder):
    with open(f"{folder}/comparison.csv", encoding="utf-8") as file:
        return {row["strategy"]: row for row in csv.DictReader(file)}


def test_measures_are_at_the_deployment_prior(data):
    assert _linear("t.csv", "--out", "here") == 0
    assert _linear("t.csv", "--out", "there", "--target-prior", "0.01") == 0
    here, there = _rows("here"), _rows("there")
    for name in STRATEGIES[:2]:
        assert float(there[name]["recall"]) == pytest.approx(
            float(here[name]["recall"])
        )
        assert float(there[name]["precision"]) < float(here[name]["precision"])
    tuned = json.loads((data / "there/decision_rule.json").read_text())
    assert tuned["decision_rule"]["target_prior"] == pytest.approx([0.01, 0.99])
    assert float(there["tuned threshold"]["log_loss"]) < float(
        there["plain at 0.5"]["log_loss"]
    )


def test_strategies_that_share_a_model_share_its_probabilities(data):
    assert _linear("t.csv", "--out", "out") == 0
    rows = _rows("out")
    plain, weighted, tuned, both = (rows[name] for name in STRATEGIES[:4])
    assert plain["log_loss"] == tuned["log_loss"]
    assert weighted["average_precision"] == both["average_precision"]
    assert float(both["log_loss"]) < float(weighted["log_loss"])


def test_what_a_model_can_not_do_is_left_out_with_the_reason(data, capsys):
    assert _linear("t.csv") == 0
    (line,) = [
        line
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("Left out: 'balanced batches + corrected + tuned', because")
    ]
    assert line.endswith("it needs a network, and the model is a LogisticRegression.")


def test_a_given_positive_class_is_measured(data, capsys):
    assert _linear("t.csv", "--positive", "good", "--scoring", "f1") == 0
    out = capsys.readouterr().out
    assert "Positive class: 'good' (as given)." in out
    assert "f1 ." in out.splitlines()[-1]


def test_warnings_come_as_one_tidy_line(data, capsys, recwarn):
    assert _linear("few.csv", "--cv", "2") == 0
    out, err = capsys.readouterr()
    assert err == ""
    few = [line for line in out.splitlines() if "The threshold rests on" in line]
    assert len(few) == 1
    assert few[0].endswith("it is a rough guess.")
    assert not recwarn.list


def test_a_users_model_gets_the_prepared_columns(data, monkeypatch):
    (data / "my_models.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n"
        "def tree(): return DecisionTreeClassifier(max_depth=3)\n"
    )
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_models", raising=False)
    model = ("--model", "my_models:tree")
    assert _compare("t.csv", "--target", "target", *model) == 0


def test_a_network_is_compared_without_noise(data, capfd):
    options = ("--target", "target", "--cv", "2")
    assert _compare("few.csv", *options) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.splitlines()[-1].startswith("Use '")
    assert "batches" in out
    assert "Left out: 'SMOTE + corrected + tuned', because SMOTE needs 6 rows" in out


def test_demo_falls_and_recovers(capfd):
    assert main(["demo"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    (line,) = [row for row in out.splitlines() if row.startswith("Precision falls")]
    words = line.replace(",", " ").split()
    balanced, natural, corrected, tuned = (
        float(words[words.index(before) + 1 + skip])
        for before, skip in (("from", 0), ("to", 0), ("back", 1), ("gives", 0))
    )
    assert balanced > 0.8
    assert natural < balanced - 0.2
    assert min(corrected, tuned) > natural + 0.1


LINEAR = ("--target", "target", "--model", "linear")
BAD_INPUT = [
    (["compare", "gone.csv", *LINEAR], "'gone.csv' does not exist"),
    (["compare", "t.csv", "--target", "targt"], "no column 'targt'. Did you mean"),
    (["compare", "empty.csv", *LINEAR], "'empty.csv' is empty"),
    (["compare", "constant.csv", *LINEAR], "'target' is '1' in every row"),
    (["compare", "torn.parquet", *LINEAR], "'torn.parquet' can't be read as Parquet"),
    (["compare", "gaps.csv", *LINEAR], "rows have no 'target'. Remove them"),
    (["compare", "few.csv", *LINEAR, "--cv", "50"], "too few for 50 folds. Use --cv"),
    (["compare", "ids.csv", *LINEAR], "nearly every row has a value of its own"),
    (["compare", "t.npz", "--target", "y"], "--target: 't.npz' has no array 'y'"),
    (["compare", "t.csv", *LINEAR, "--scoring", "balanced_acuracy"], "Did you mean"),
    (["compare", "t.csv", *LINEAR, "--scoring", "f3_macro"], "'f2', 'f0.5', ...\n"),
    (["compare", "t.csv", *LINEAR, "--scoring", "roc_auc"], "needs no threshold"),
    (["compare", "t.csv", *LINEAR, "--scoring", "f1_micro"], "Use a metric of the"),
    (["compare", "t.csv", *LINEAR, "--positive", "bed"], "Did you mean 'bad'?"),
    (
        ["compare", "t.csv", *LINEAR, "--target-prior", "1"],
        "'1' is not a share between",
    ),
    (
        ["compare", "t.csv", *LINEAR, "--target-prior", "0"],
        "--target-prior: '0' is not",
    ),
    (["compare", "t.csv", *LINEAR, "--target-prior", "x"], "'x' is not a share"),
    (["compare", "t.csv", *LINEAR, "--target-prior", "nan"], "'nan' is not a share"),
    (["compare", "t.csv", *LINEAR, "--cv", "1"], "--cv: '1' is not a whole number"),
    (["compare", "t.csv", *LINEAR, "--cv", "2.5"], "'2.5' is not a whole number"),
    (["compare", "t.csv", *LINEAR, "--seed", "-1"], "--seed: '-1' is not a whole"),
    (["compare", "t.csv", *LINEAR, "--out", "file/x"], "--out: can't write to"),
    (["compare", "t.csv", "--target", "target", "--model", "mp"], "Did you mean 'mlp'"),
    (["compare", "t.csv", "--target", "target", "--model", "gone:f"], "be imported"),
    (["compare", "t.csv"], "arguments are required: --target. See `sklimb compare"),
    (["compare"], "arguments are required: DATA"),
    (["compare", "t.csv", *LINEAR, "--folds", "3"], "unrecognized arguments: --folds"),
    (["comparison"], "invalid choice: 'comparison'"),
    ([], "arguments are required: COMMAND"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT, ids=str)
def test_bad_input_is_one_line_and_exit_code_2(data, capsys, arguments, message):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("sklimb: ")
    assert err.count("\n") == 1


def test_a_missing_package_says_what_to_install(data, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert _linear("t.csv") == 2
    err = capsys.readouterr().err
    assert "rich is not installed. Run: pip install 'sklimb[report]'" in err


def test_a_model_that_fails_in_fit_is_told(data, capsys, monkeypatch):
    (data / "bad_models.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def weighted(): return LogisticRegression(class_weight='balanced')\n"
    )
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.delitem(sys.modules, "bad_models", raising=False)
    model = ("--model", "bad_models:weighted")
    assert _compare("t.csv", "--target", "target", *model) == 2
    assert "it failed in 'plain at 0.5': TrainingPriorError" in capsys.readouterr().err


def test_labels_beyond_the_encoding_of_a_pipe_are_escaped(data):
    table = pd.read_csv("t.csv")
    table.assign(target=table["target"].replace("bad", "bös")).to_csv("u.csv")
    command = [sys.executable, "-m", "sklimb", "compare", "u.csv", *LINEAR]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert rb"Positive class: 'b\xf6s'" in result.stdout


def test_a_narrow_terminal_loses_no_column(data, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert _linear("t.csv") == 0
    out = capsys.readouterr().out
    assert "strategy" in out
    assert "Brier" in out


def test_interrupt_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "sklimb: interrupted\n"


def test_names_from_a_file_can_not_steer_the_terminal(data, capsys):
    table = pd.read_csv("t.csv").rename(columns={"kind": "[red]\x1b[31m"})
    table["[bold]x\x1b]0;title\x07"] = 1
    table.to_csv("evil.csv", index=False)
    assert _linear("evil.csv") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x?]0;title? (constant)" in out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compare", "--help"], ["--version"]]
)
def test_help_and_version_succeed(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "sklimb" in capsys.readouterr().out


def test_module_runs_as_a_program(data):
    def run(*arguments):
        command = [sys.executable, "-m", "sklimb", "compare", *arguments, *LINEAR]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good, bad = run("t.csv"), run("gone.csv")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[-1].startswith("Use '")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1


SKLIMB_DATA = os.environ.get("SKLIMB_DATA")


@pytest.mark.skipif(SKLIMB_DATA is None, reason="SKLIMB_DATA is not set")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mammography.csv.gz", []),
        ("oil_spill.csv.gz", []),
        ("creditcard_sub.csv.gz", ["--target-prior", "0.00172749"]),
        ("yeast.csv.gz", ["--cv", "4"]),
        ("sms_spam.csv.gz", []),
    ],
)
def test_real_data_end_with_a_table(name, options, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _linear(f"{SKLIMB_DATA}/{name}", *options) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Use '")


@pytest.mark.skipif(SKLIMB_DATA is None, reason="SKLIMB_DATA is not set")
def test_a_class_of_too_few_rows_for_the_folds_says_so(capsys):
    assert _linear(f"{SKLIMB_DATA}/yeast.csv.gz") == 2
    message = "the class 'ERL' has 5 rows, 1 of them for testing"
    assert message in capsys.readouterr().err
