"""Which strategy to use, and why, in plain words."""

from dataclasses import dataclass

import numpy as np

from sklimb.report.compare import Comparison, Outcome
from sklimb.report.measures import LEVEL, column_of_aim
from sklimb.report.numbers import interval, short

__all__ = ["Verdict", "judge"]

LOG_LOSS = "log_loss"


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

    Of the strategies that the test rows can't tell from the best by the aim,
    those whose log-loss can't be told from the lowest among them; of these,
    the one with the best value. What rows can tell is a matter of the
    bootstrap of paired differences.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Verdict
    """
    aim = column_of_aim(comparison.options.scoring)
    equal = _not_worse(comparison.outcomes, aim.key, higher_is_better=True)
    honest = _not_worse(equal, LOG_LOSS, higher_is_better=False)
    chosen = max(honest, key=lambda outcome: outcome.estimates[aim.key].value)
    return Verdict(chosen, _words(comparison, aim, chosen, equal))


def _not_worse(outcomes, key, higher_is_better):
    """Return the outcomes that can't be told from the best one."""
    sign = 1 if higher_is_better else -1
    best = max(outcomes, key=lambda outcome: sign * outcome.estimates[key].value)
    top = best.estimates[key].resamples
    return [
        outcome
        for outcome in outcomes
        if not _surely_positive(sign * (top - outcome.estimates[key].resamples))
    ]


def _surely_positive(differences):
    return np.quantile(differences, (1 - LEVEL) / 2) > 0


def _words(comparison: Comparison, aim, chosen, equal):
    found = chosen.estimates[aim.key]
    others = [outcome for outcome in equal if outcome is not chosen]
    worse = [o for o in comparison.outcomes if o not in equal]
    reasons = [f"{aim.title} {short(found.value)} ({interval(found)})"]
    if worse:
        reasons.append(f"better beyond chance than {_names(worse)}")
    if others:
        reasons.append(f"not to be told from {_names(others)} on these rows")
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
    if not _surely_positive(highest.resamples - found.resamples):
        return []
    return [
        f"and its probabilities are nearer the truth than those of {worst.name!r} "
        f"(log-loss {short(found.value)} against {short(highest.value)})"
    ]


def _names(outcomes):
    names = [repr(outcome.name) for outcome in outcomes]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
