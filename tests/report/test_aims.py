import numpy as np
import pytest

from sklimb.report.aims import aim_of, cheapest_constant, measures_of
from sklimb.report.measures import COLUMNS, Predictions, measure
from sklimb.report.requirements import check_requirements
from sklimb.report.several import COLUMNS_OF_SEVERAL
from sklimb.report.strategies import STRATEGIES, Costs, Options

COSTS = Costs(false_positive=2.0, false_negative=30.0)


def _options(positive="yes", classes=("no", "yes"), **settings):
    return Options(positive=positive, classes=classes, **settings)


def _keys(options):
    return [m.key for m in measures_of(options)]


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_the_cost_per_row_is_that_of_the_errors_at_the_prevalence(positive):
    random = np.random.default_rng(0)
    is_positive, called = random.random((2, 500)) < [[0.2], [0.4]]
    options = _options(positive, costs=COSTS, scoring="cost")
    aim = aim_of(options)
    predictions = Predictions(called, called.astype(float))
    found = measure([predictions], is_positive, 0.05, [aim], 0)[0]["cost"].value
    missed = np.mean(~called[is_positive]) * 0.05
    alarms = np.mean(called[~is_positive]) * 0.95
    assert found == pytest.approx(30 * missed + 2 * alarms)
    assert not aim.higher_is_better


def test_no_errors_cost_nothing():
    truth = np.arange(20) < 5
    aim = aim_of(_options(costs=COSTS))
    found = measure([Predictions(truth, truth * 1.0)], truth, 0.05, [aim], 0)[0]
    assert str(found["cost"].value) == "0.0"


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_tuned_strategies_get_the_costs_by_true_and_predicted_class(positive):
    options = _options(positive, costs=COSTS, scoring="cost")
    built = STRATEGIES[2].build(None, options)
    true, predicted = (
        options.classes.index(positive),
        1 - options.classes.index(positive),
    )
    assert built.cost_matrix[true][predicted] == COSTS.false_negative
    assert built.cost_matrix[predicted][true] == COSTS.false_positive
    assert built.cost_matrix[0][0] == built.cost_matrix[1][1] == 0


def test_one_decision_for_all_rows_is_the_cheaper_one():
    options = _options(costs=COSTS)
    assert cheapest_constant(options, 0.01) == (pytest.approx(0.3), False)
    assert cheapest_constant(options, 0.1) == (pytest.approx(1.8), True)


def test_the_cost_and_what_is_required_come_first():
    required = check_requirements(["recall>=0.9", "specificity>=0.5"], ["no", "yes"])
    options = _options(costs=COSTS, scoring="cost", requirements=required)
    columns = [column.key for column in COLUMNS]
    assert _keys(options) == ["cost", "specificity", *columns]
    assert _keys(_options(scoring="f2")) == [*columns, "f2"]


def test_two_limits_of_one_metric_are_one_column():
    required = check_requirements(["alert_rate>=0.1", "alert_rate<=0.5"], ["no", "yes"])
    assert _keys(_options(requirements=required)).count("alert_rate") == 1


def test_rates_of_the_other_class_are_measured():
    random = np.random.default_rng(0)
    truth, called = random.random((2, 400)) < 0.3
    texts = ["recall[no]>=0.9", "precision[no]>=0.9", "alert_rate[no]<=0.9"]
    required = check_requirements(texts, ["no", "yes"], "yes")
    measures = measures_of(_options(requirements=required))[:3]
    predictions = Predictions(called, called * 1.0)
    found = measure([predictions], truth, truth.mean(), measures, 0)[0]
    expected = {
        "recall[no]": np.mean(~called[~truth]),
        "precision[no]": np.mean(~truth[~called]),
        "alert_rate[no]": np.mean(~called),
    }
    assert {key: e.value for key, e in found.items()} == pytest.approx(expected)


def test_several_classes_have_columns_of_their_own():
    labels = ["a", "b", "c"]
    required = check_requirements(["recall[b]>=0.9", "minimum_recall>=0.1"], labels)
    options = _options(None, tuple(labels), scoring="mcc", requirements=required)
    columns = [column.key for column in COLUMNS_OF_SEVERAL]
    assert _keys(options) == ["recall[b]", *columns]
    assert aim_of(options).key == "matthews_corrcoef"
