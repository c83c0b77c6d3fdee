from argparse import Namespace

import numpy as np
import pytest

from sklimb.metrics import bootstrap_interval, project_confusion_matrix
from sklimb.report import InputError
from sklimb.report.project import parse_matrix, parse_shares, run_project_matrix


def _printed(capsys, matrix, prior):
    run_project_matrix(Namespace(matrix=matrix, prior=prior))
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "text",
    [
        "97 3 3 197",
        "97,3;3,197",
        "97, 3, 3, 197",
        "97 3\n3 197\n",
        "[[97, 3], [3, 197]]",
        "[[97 3]\n [3 197]]",
        "((97, 3), (3, 197))",
    ],
)
def test_a_matrix_is_read_however_it_is_written(text):
    np.testing.assert_array_equal(parse_matrix(text), [[97, 3], [3, 197]])


@pytest.mark.parametrize(
    ("text", "n_classes", "shares"),
    [
        ("1:100", 2, [1 / 101, 100 / 101]),
        ("1 : 100", 2, [1 / 101, 100 / 101]),
        ("0.01", 2, [0.01, 0.99]),
        ("1 %", 2, [0.01, 0.99]),
        ("0.01,0.99", 2, [0.01, 0.99]),
        ("0.2 0.3 0.5", 3, [0.2, 0.3, 0.5]),
        ("20%,30%,50%", 3, [0.2, 0.3, 0.5]),
        ("1:1:2", 3, [0.25, 0.25, 0.5]),
    ],
)
def test_class_shares_are_read_however_they_are_written(text, n_classes, shares):
    np.testing.assert_allclose(parse_shares(text, n_classes), shares)


def test_recall_stays_and_precision_moves(capsys):
    shown = _printed(capsys, "97 3 3 197", "1:100")
    assert "From 33.3 % positives, as counted, to 0.990 %." in shown
    assert "positive 96 3 other 149 9,752" in shown
    assert "recall 0.970 0.970 " in shown
    assert "precision 0.970 0.393 " in shown
    assert "As counted, of 100 alarms 97 were right. There, among 10,000 rows," in shown
    assert "of 245 alarms 96 are right, and 3 of 99 positives are missed" in shown


def test_the_interval_is_that_of_the_metric(capsys):
    shown = _printed(capsys, "97 3 3 197", "1:100").split("precision 0.970 0.393 ")[1]
    low, high = map(float, shown.split()[0].split("-"))
    y_true = [1] * 100 + [0] * 200
    y_pred = [1] * 97 + [0] * 3 + [1] * 3 + [0] * 197
    found = bootstrap_interval(
        "precision", y_true, y_pred, target_prior=1 / 101, n_resamples=100_000
    )
    assert (low, high) == pytest.approx(found[1:], abs=0.01)


def test_several_classes_have_a_recall_and_a_precision_each(capsys):
    matrix, shares = [[50, 3, 2], [5, 80, 1], [0, 4, 20]], [0.9, 0.07, 0.03]
    shown = _printed(capsys, str(matrix), "0.9,0.07,0.03")
    projected = project_confusion_matrix(matrix, shares)
    for k in range(3):
        before = matrix[k][k] / np.sum(matrix, axis=0)[k]
        after = projected[k, k] / projected[:, k].sum()
        assert f"precision of class {k + 1} {before:.3f} {after:.3f} " in shown


def test_a_rare_class_is_shown_among_enough_rows(capsys):
    shown = _printed(capsys, "97 3 3 197", "1:99999")
    assert "of 10,000,000 rows" in shown
    assert "positive 97 3" in shown


def test_no_alarm_is_said_to_be_none(capsys):
    shown = _printed(capsys, "0 10 0 100", "1%")
    assert "As counted, there was no alarm. There, among 10,000 rows, there is" in shown


BAD = [
    ("97 3 3", "1:100", "MATRIX: 3 numbers are no confusion matrix. Give 4"),
    ("", "1:100", "MATRIX: 0 numbers"),
    ("5", "1:100", "MATRIX: 1 numbers"),
    ("97 3; 3 1 9 4 3 5 6", "1:100", "the rows have 2, 7 numbers. Give 3 in each of 3"),
    ("97 x 3 4", "1:100", "'x' is no count, a number from 0 on"),
    ("97 -3 3 4", "1:100", "'-3' is no count"),
    ("97 nan 3 4", "1:100", "'nan' is no count"),
    ("97 inf 3 4", "1:100", "'inf' is no count"),
    ("0 0 3 4", "1:100", "no rows of 'positive' were counted"),
    ("97 3 3 197", "1:0", "--prior: '1:0' is not a share.*Write it as 0.01, 1% or"),
    ("97 3 3 197", "one", "--prior: 'one' is not a share"),
    ("97 3 3 197", "0.2,0.3", "the shares sum to 0.5"),
    ("97 3 3 197", "0.2,0.3,0.5", "has 3 shares, and the matrix 2 classes"),
    ("97 3 3 197", "1:2:3", "'1:2:3' is not 2 numbers above 0"),
    ("1 2 3 4 5 6 7 8 9", "0.1", "has 1 shares, and the matrix 3 classes"),
    ("1 2 3 4 5 6 7 8 9", "1:0:9", "'1:0:9' is not 3 numbers above 0"),
]


@pytest.mark.parametrize(("matrix", "prior", "message"), BAD)
def test_what_can_not_be_used_is_one_line_with_the_remedy(matrix, prior, message):
    with pytest.raises(InputError, match=message):
        run_project_matrix(Namespace(matrix=matrix, prior=prior))
