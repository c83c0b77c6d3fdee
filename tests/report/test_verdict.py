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
