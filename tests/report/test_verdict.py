import pytest

from sklimb.report.requirements import check_requirements
from sklimb.report.strategies import Costs
from sklimb.report.verdict import judge
from tests.report.comparisons import comparison, outcome


def test_a_clearly_better_strategy_is_chosen_even_with_worse_probabilities():
    verdict = judge(
        comparison(
            outcome("a", balanced_accuracy=0.7, log_loss=0.1),
            outcome("b", balanced_accuracy=0.9, log_loss=0.2, prior=0.5),
        )
    )
    assert verdict.chosen.name == "b"
    assert "better than 'a'" in verdict.words
    assert "nearer the truth" not in verdict.words


def test_of_equals_one_with_probabilities_at_the_prior_is_chosen():
    verdict = judge(
        comparison(
            outcome("weights", balanced_accuracy=0.803, log_loss=0.4, prior=0.5),
            outcome("tuned", balanced_accuracy=0.801, log_loss=0.1),
            outcome("other", balanced_accuracy=0.8, log_loss=0.1),
        )
    )
    assert verdict.chosen.name == "tuned"
    assert "as good as 'weights' and 'other' as far as these rows tell" in verdict.words
    assert (
        "its probabilities are nearer the truth than those of 'weights' "
        "(log-loss .100 against .400)" in verdict.words
    )


def test_without_a_strategy_at_the_prior_the_best_is_chosen():
    verdict = judge(
        comparison(
            outcome("a", balanced_accuracy=0.801, prior=0.5),
            outcome("b", balanced_accuracy=0.8, prior=0.6),
        )
    )
    assert verdict.chosen.name == "a"


def test_a_negligible_gain_is_no_reason_however_sure():
    verdict = judge(
        comparison(
            outcome("a", balanced_accuracy=0.804, prior=0.5, spread=0),
            outcome("b", balanced_accuracy=0.8, spread=0),
        )
    )
    assert verdict.chosen.name == "b"


def test_words_tell_the_aim_its_interval_and_the_threshold():
    words = judge(comparison(outcome("a", balanced_accuracy=0.8, spread=0))).words
    assert words == (
        "Use 'a': balanced accuracy .800 (.800-.800). It calls a row positive ('yes') "
        "where its probability is at least 0.25."
    )


RECALL = check_requirements(["recall>=0.9"], ["no", "yes"], "yes")


def test_what_misses_a_requirement_on_the_test_rows_is_no_candidate():
    verdict = judge(
        comparison(
            outcome("best", balanced_accuracy=0.99, recall=0.8),
            outcome("good", balanced_accuracy=0.8, recall=0.95),
            outcome("bad", balanced_accuracy=0.6, recall=0.99),
            requirements=RECALL,
        )
    )
    assert verdict.chosen.name == "good"
    assert "better than 'bad'" in verdict.words
    assert "It keeps recall >= 0.9 on the test rows: recall .950 (." in verdict.words
    assert "It is missed by 'best'." in verdict.words


@pytest.mark.parametrize(("recall", "is_sure"), [(0.92, False), (0.99, True)])
def test_an_interval_beyond_the_limit_is_told(recall, is_sure):
    made = outcome("a", recall=recall, spread=0.02)
    words = judge(comparison(made, requirements=RECALL)).words
    assert ("Other rows may miss it, as the interval says." in words) is not is_sure


def test_where_nothing_keeps_it_the_nearest_that_is_tuned_is_chosen():
    verdict = judge(
        comparison(
            outcome("plain", recall=0.89, tuned=False),
            outcome("far", recall=0.7, balanced_accuracy=0.9),
            outcome("near", recall=0.8),
            requirements=RECALL,
        )
    )
    assert verdict.chosen.name == "near"
    assert (
        "On the test rows no strategy keeps recall >= 0.9; of those tuned to keep it, "
        "this one comes nearest: recall .800 (." in verdict.words
    )


COSTS = {"costs": Costs(1.0, 50.0), "scoring": "cost"}


def test_the_least_cost_is_chosen_whatever_its_unit():
    for unit in (1e-4, 1, 1e6):
        verdict = judge(
            comparison(
                outcome("dear", cost=0.9 * unit, spread=0),
                outcome("cheap", cost=0.2 * unit, spread=0),
                costs=Costs(1 * unit, 50 * unit),
                scoring="cost",
            )
        )
        assert verdict.chosen.name == "cheap"
        assert f"cost per row {0.2 * unit:.3g}" in verdict.words
        assert "better than 'dear'" in verdict.words


def test_a_negligible_saving_is_no_reason_however_sure():
    # One decision for all rows costs 0.9 a row, of which 0.004 is nothing.
    verdict = judge(
        comparison(
            outcome("a", cost=0.2, prior=0.5, spread=0),
            outcome("b", cost=0.204, spread=0),
            **COSTS,
        )
    )
    assert verdict.chosen.name == "b"


def test_words_tell_the_thresholds_of_several_classes():
    made = outcome("a", balanced_accuracy=0.8, spread=0)
    rule = made.estimator.decision_rule_
    rule |= {"threshold": [0.12345, "never"], "pos_label": None}
    words = judge(comparison(made)).words
    assert words.endswith(
        "It takes the class whose probability over its threshold (0.123 for 'no', "
        "never for 'yes') is greatest."
    )
    rule["threshold"] = None
    words = judge(comparison(made)).words
    assert words.endswith("It takes the class of the greatest probability.")
