"""Which strategy to use, and why, in plain words."""

from dataclasses import dataclass

import numpy as np

from sklimb.report.compare import Outcome
from sklimb.report.measures import LEVEL, column_of_aim
from sklimb.report.numbers import interval, short

__all__ = ["Verdict", "judge"]

LOG_LOSS = "log_loss"
# A smaller gain in the aim is not worth a choice.
NEGLIGIBLE = 0.005


@dataclass(frozen=True)
class Verdict:
    """A choice with its reasons.

    Attributes
    ----------
    chosen : Outcome
    words : str
        The choice and its reasons, in plain words.
    """

    chosen: Outcome
    words: str


def judge(comparison):
    """Choose a strategy.

    Of the strategies that are as good as the best by the aim, as far as the
    test rows tell (by the bootstrap of paired differences), those whose
    probabilities belong to the prior where the model is used, if there are
    any; of these, the one with the best value.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Verdict
    """
    aim = column_of_aim(comparison.options.scoring)
    equal = _as_good_as_best(comparison.outcomes, aim.key)
    honest = [outcome for outcome in equal if _is_at_prior(comparison, outcome)]
    chosen = max(honest or equal, key=lambda outcome: outcome.estimates[aim.key].value)
    return Verdict(chosen, _words(comparison, aim, chosen, equal))


def _as_good_as_best(outcomes, key):
    best = max(outcomes, key=lambda outcome: outcome.estimates[key].value)
    top = best.estimates[key].resamples
    differences = [top - outcome.estimates[key].resamples for outcome in outcomes]
    return [
        outcome
        for outcome, difference in zip(outcomes, differences, strict=True)
        if _surely_above(difference) <= NEGLIGIBLE
    ]


def _surely_above(differences):
    """Return what the differences are at least, as sure as the intervals are."""
    return np.quantile(differences, (1 - LEVEL) / 2)


def _is_at_prior(comparison, outcome):
    rule = outcome.estimator.decision_rule_
    share = rule["target_prior"][rule["classes"].index(rule["pos_label"])]
    # Training and test part have the data's prevalence up to a row.
    return abs(share - comparison.prevalence) < 1 / comparison.n_test


def _words(comparison, aim, chosen, equal):
    found = chosen.estimates[aim.key]
    reasons = [f"{aim.title} {short(found.value)} ({interval(found)})"]
    worse = [outcome for outcome in comparison.outcomes if outcome not in equal]
    if worse:
        reasons.append(f"better than {_names(worse)}")
    others = [outcome for outcome in equal if outcome is not chosen]
    if others:
        reasons.append(f"as good as {_names(others)} as far as these rows tell")
    reasons += _probabilities(comparison.outcomes, chosen)
    threshold = chosen.estimator.decision_rule_["threshold"]
    return (
        f"Use {chosen.name!r}: {', '.join(reasons)}. It calls a row positive "
        f"({comparison.options.positive!r}) where its probability is at least "
        f"{threshold:.3g}."
    )


def _probabilities(outcomes, chosen):
    """Return how the probabilities compare with the worst, where that is clear."""
    worst = max(outcomes, key=lambda outcome: outcome.estimates[LOG_LOSS].value)
    found, highest = (o.estimates[LOG_LOSS] for o in (chosen, worst))
    if _surely_above(highest.resamples - found.resamples) <= 0:
        return []
    return [
        f"and its probabilities are nearer the truth than those of {worst.name!r} "
        f"(log-loss {short(found.value)} against {short(highest.value)})"
    ]


def _names(outcomes):
    names = [repr(outcome.name) for outcome in outcomes]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
