import io

import pytest
from rich.console import Console

from sklimb.report.measures import COLUMNS, Measure
from sklimb.report.numbers import short
from sklimb.report.requirements import check_requirements
from sklimb.report.strategies import STRATEGIES, Costs
from sklimb.report.table import comparison_table, infeasible_table, shown_measures
from tests.report.comparisons import comparison, outcome


def _printed(made, width):
    return _text(comparison_table(made, width), width)


def _text(table, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(table)
    return console.file.getvalue()


NAMES = [strategy.name for strategy in STRATEGIES]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_number_is_cut_off(width):
    outcomes = [outcome(name, log_loss=0.0054, spread=0.001) for name in NAMES]
    text = _printed(comparison(*outcomes), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert text.count("*.500") == len(NAMES) * 6
    assert text.count("*5.40") == len(NAMES)
    assert "x 1000" in text


def test_a_narrow_table_parts_names_at_spaces_alone():
    words = {word for name in NAMES for word in name.split()}
    text = _printed(comparison(*map(outcome, NAMES)), 80)
    assert words <= set(text.split())


def test_names_stay_on_one_line_where_there_is_room():
    text = _printed(comparison(*map(outcome, NAMES)), 140)
    assert all(name in text for name in NAMES)


def test_the_best_of_each_column_is_marked_and_losses_are_best_low():
    text = _printed(
        comparison(
            outcome("a", balanced_accuracy=0.8, log_loss=0.2),
            outcome("b", balanced_accuracy=0.9, log_loss=0.3),
        ),
        100,
    )
    assert "*.900" in text
    assert "*.200" in text
    assert "*.800" not in text
    assert "*.300" not in text


def test_an_aim_of_its_own_has_a_column_where_there_is_room():
    made = comparison(outcome("a"))
    made.measures.append(COLUMNS[0]._replace(title="the aim"))
    assert "aim" not in _printed(made, 80)
    assert "aim" in _printed(made, 100)


@pytest.mark.parametrize("value", [0, 0.0004, 0.99949, 0.9996, 1, 9.99, 10, 99.96, 150])
def test_short_numbers_have_four_characters_and_are_right(value):
    text = short(value)
    assert len(text) <= 4
    assert float(text) == pytest.approx(value, rel=5e-3, abs=5e-4)


COSTS = {"costs": Costs(1.0, 50.0), "scoring": "cost"}
RECALL = check_requirements(["recall>=0.9", "alert_rate<=0.5"], ["no", "yes"], "yes")


def test_what_misses_a_requirement_is_marked():
    text = _printed(
        comparison(
            outcome("a", recall=0.8, alert_rate=0.4, precision=0.8),
            outcome("b", recall=0.95, alert_rate=0.6, precision=0.7),
            requirements=RECALL,
        ),
        100,
    )
    for mark in ("!.800", "*.950", "*.400", "!.600", "*.800", " .700"):
        assert mark in text
    assert text.count("!") == 2


def test_strategies_without_a_threshold_say_why():
    text = _text(infeasible_table(comparison(outcome("a"), infeasible=["b", "c"])), 80)
    words = "infeasible out of fold: recall >= 0.9 comes no nearer than .850"
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        f"b {words}",
        f"c {words}",
    ]


@pytest.mark.parametrize(
    ("cost", "shown", "unit"),
    [
        (0.0012, "*1.20", "x 1000"),
        (0.5, "*.500", "row"),
        (9000, "*9000", "row"),
        (12345678, "*12346", "in 1000s"),
    ],
)
def test_costs_of_any_unit_fit_their_column(cost, shown, unit):
    text = _printed(comparison(outcome("a", cost=cost, spread=0), **COSTS), 80)
    assert shown in text
    assert unit in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("width", "n_shown"), [(60, 7), (80, 7), (99, 8), (120, 9)])
def test_the_cost_is_shown_first_and_the_last_measures_give_way(width, n_shown):
    made = comparison(
        outcome("a", cost=1, alert_rate=0.2), requirements=RECALL, **COSTS
    )
    keys = [measure.key for measure in shown_measures(made, width)]
    assert keys == [measure.key for measure in made.measures][:n_shown]
    assert keys[:2] == ["cost", "alert_rate"]


def test_long_names_of_measures_leave_the_numbers_and_the_strategies_whole():
    texts = ["specificity>=0.5", f"recall[{'n' * 40}]>=0.1"]
    required = check_requirements(texts, ["n" * 40, "yes"], "yes")
    values = {requirement.key: 0.6 for requirement in required}
    made = comparison(*(outcome(name, **values) for name in NAMES))
    made.measures[:0] = [
        Measure(requirement.key, title)
        for requirement, title in zip(
            required, ["specificity", "recall [nn..."], strict=True
        )
    ]
    text = _printed(made, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert {word for name in NAMES for word in name.split()} <= set(text.split())
