"""The parts of a report: what moves with the prevalence, tables, pictures, findings."""

import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sklimb.report.compare import compare
from sklimb.report.data import load
from sklimb.report.findings import _overfitting, findings
from sklimb.report.pictures import probabilities, reliabilities, threshold_curves
from sklimb.report.projection import (
    confusion_of,
    predicted_labels,
    projected,
    with_share,
)
from sklimb.report.requirements import check_requirements
from sklimb.report.strategies import Costs, Options
from sklimb.report.strategies_table import strategies_table
from sklimb.report.terminal import NoProgress
from sklimb.report.what_if import numbers_of, what_if
from tests.data import imbalanced
from tests.report.comparisons import comparison, outcome


def _compared(folder, y, X=None, **settings):
    """Return a comparison of logistic regressions."""
    table = pd.DataFrame(imbalanced()[0] if X is None else X, columns=["a", "b", "c"])
    table.assign(target=y).to_csv(folder / "t.csv", index=False)
    dataset = load(folder / "t.csv", "target")
    classes, positive = dataset.classes, dataset.positive
    options = Options(positive, classes, cv=3, **settings)
    return compare(dataset, "linear", options, NoProgress())


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    y = np.where(imbalanced()[1] == 1, "bad", "good")
    prior = {"bad": 0.01, "good": 0.99}
    folder = tmp_path_factory.mktemp("two")
    return _compared(folder, y, target_prior=prior)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    X, y = imbalanced()
    y = np.where(X[:, 2] > 1, "c", np.where(y == 1, "a", "b"))
    return _compared(tmp_path_factory.mktemp("three"), y)


def test_a_confusion_matrix_counts_the_test_rows():
    made = comparison(outcome("a"))
    confusion = confusion_of(made, made.outcomes[0])
    assert confusion.tolist() == [[21, 1], [1, 2]]
    called = predicted_labels(made, made.outcomes[0])
    assert (called == "yes").sum() == 3


def test_at_one_to_a_hundred_precision_falls_to_two_fifths():
    confusion = np.array([[97, 3], [3, 197]])
    found = projected(confusion, np.array([1, 100]) / 101, 0, Costs(2.0, 50.0))
    assert found.recall == pytest.approx(0.97)
    assert found.precision == pytest.approx(0.3927, abs=1e-4)
    assert found.alarms == pytest.approx(10_000 * (0.97 + 1.5) / 101)
    assert found.cost == pytest.approx((2 * 1.5 + 50 * 0.03) / 101)
    assert found.f1 == pytest.approx(2 / (1 / found.precision + 1 / 0.97))


def test_a_strategy_without_alarms_has_no_precision():
    found = projected(np.array([[10, 0], [5, 0]]), np.array([0.9, 0.1]), 1)
    assert np.isnan(found.precision)
    assert (found.recall, found.f1) == (0, 0)


def test_the_other_classes_keep_their_proportions():
    moved = with_share(np.array([0.5, 0.3, 0.2]), 1, 0.6)
    assert moved == pytest.approx([0.4 * 5 / 7, 0.6, 0.4 * 2 / 7])


def _cells(html, caption):
    """Return the texts of a table's cells, a list for each row."""
    table = next(t for t in html.split("</table>") if caption in unescape(t))
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[unescape(re.sub("<[^>]*>", "", c)).strip() for c in row] for row in cells]


def test_the_table_for_paper_has_what_the_slider_shows(two):
    chosen = two.outcomes[2]
    head, *rows = _cells(what_if(two, chosen), "'tuned threshold' at a few")
    names = ["as in the data", "where the model is used", "1:10", "1:100", "1:1000"]
    assert [row[0] for row in rows] == names
    assert rows[1][1] == "1.00 %"
    recall = chosen.estimates["recall"].value
    precision = chosen.estimates["precision"].value
    assert float(rows[1][head.index("precision")]) == pytest.approx(precision, rel=5e-3)
    for row in rows:
        assert float(row[head.index("recall")]) == pytest.approx(recall, abs=5e-4)


def test_the_table_of_several_classes_has_exact_intervals(three):
    head, *rows = _cells(what_if(three, three.outcomes[0]), "precision of a class")
    assert [row[0] for row in rows] == ["a", "b", "c"]
    assert "recall (95 % interval)" in head
    assert all(re.fullmatch(r"[\d.]+ \([\d.]+ to [\d.]+\)", row[2]) for row in rows)


def test_the_slider_reaches_beyond_a_half_where_a_class_has_more(two, three):
    assert numbers_of(two, two.outcomes[0])["greatest"] == 0
    numbers = numbers_of(three, three.outcomes[1])
    assert (numbers["greatest"], numbers["chosen"]) == (3, 1)
    assert numbers["costs"] is None


def test_the_best_the_chosen_and_what_misses_are_told_by_words():
    required = check_requirements(["recall>=0.9"], ["no", "yes"], "yes")
    made = comparison(
        outcome("a", recall=0.95),
        outcome("b", recall=0.5, precision=0.9),
        infeasible=["c"],
        requirements=required,
    )
    html = strategies_table(made, made.outcomes[0])
    a, b = html.split("</tr>")[1:3]
    assert "use this" in a
    assert "use this" not in b
    assert "outside of what is required: </span>.500" in b
    assert "outside" not in a
    assert '.900<span aria-hidden="true"> ★</span>' in b
    assert "(best)" in b
    assert "<strong>c</strong>: recall &gt;= 0.9 comes no nearer than .850" in html


def test_probabilities_are_in_the_order_of_the_classes():
    made = comparison(outcome("a"))
    proba = probabilities(made, made.outcomes[0])
    assert proba.sum(axis=1) == pytest.approx(np.ones(25))
    assert ((proba[:, 1] >= 0.5) == made.outcomes[0].predictions.called_positive).all()


@pytest.mark.parametrize("name", ["two", "three"])
def test_a_curve_is_of_rows_out_of_fold_or_says_what_else(request, name):
    made = request.getfixturevalue(name)
    untuned, _, tuned, *_ = made.outcomes
    assert "rows out of fold" in threshold_curves(made, tuned)
    assert "was not tuned" in threshold_curves(made, untuned)
    n_pictures = 1 if name == "two" else 3
    assert threshold_curves(made, untuned).count("<svg") == n_pictures
    assert reliabilities(made, untuned).count("<svg") == n_pictures


def test_an_untuned_strategy_has_a_curve_where_there_are_costs(tmp_path):
    y = np.where(imbalanced()[1] == 1, "bad", "good")
    costs = {"costs": Costs(1.0, 20.0), "scoring": "cost"}
    made = _compared(tmp_path, y, **costs)
    assert "balanced accuracy" in threshold_curves(made, made.outcomes[0])


def test_labels_in_any_script_are_drawn_without_a_warning(tmp_path):
    made = _compared(tmp_path, np.where(imbalanced()[1] == 1, "猫", "犬"))
    assert "What probabilities of 猫 are worth" in reliabilities(made, made.outcomes[2])
    assert "猫" in what_if(made, made.outcomes[2])


def test_another_prevalence_is_a_finding_with_both_precisions(two):
    html = unescape(findings(two, two.outcomes[0]))
    assert "1.00 % of the rows are 'bad' where the model is used" in html
    assert "the prevalence" in html


def test_wrong_labels_are_found_out_of_fold(tmp_path):
    random = np.random.default_rng(0)
    y = random.random(1200) < 0.3
    X = random.normal(size=(1200, 3)) + 4 * y[:, None]
    wrong = random.choice(np.flatnonzero(~y), 60, replace=False)
    y[wrong] = True
    made = _compared(tmp_path, np.where(y, "ill", "well"), X)
    tuned = findings(made, made.outcomes[2])
    assert "label noise" in tuned
    assert "labelled &#39;ill&#39; look like &#39;well&#39;" in tuned
    untuned = findings(made, made.outcomes[0])
    assert "label noise" not in untuned
    assert "labels that look wrong" not in untuned  # which nobody looked for


def test_over_fitting_is_looked_for_where_there_is_a_history():
    network = LogisticRegression()
    chosen = SimpleNamespace(estimator=network)
    assert _overfitting(chosen) is None
    falling = np.linspace(0.7, 0.1, 30)
    rising = 0.4 + 0.3 * np.abs(np.linspace(-1, 2, 30))
    network.history_ = {"loss": falling.tolist(), "val_loss": rising.tolist()}
    (found,) = _overfitting(chosen)
    assert found.kind == "over-fitting"
