"""Which strategy to use, and why, in plain words."""

from dataclasses import dataclass, replace

import numpy as np

from sklimb.report.aims import COST, cheapest_constant
from sklimb.report.measures import LEVEL
from sklimb.report.numbers import interval, short
from sklimb.report.outcomes import Outcome
from sklimb.report.requirements import listed
from sklimb.thresholds import rule_in_words

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
    reasons : str
        Why this one, as a part of a sentence.
    sentences : tuple of str
        What else there is to say.
    """

    chosen: Outcome
    reasons: str
    sentences: tuple

    @property
    def words(self):
        """The choice and all that speaks for it, in plain words."""
        choice = f"Use {self.chosen.name!r}: {self.reasons}."
        return " ".join([choice, *self.sentences])


def judge(comparison):
    """Choose a strategy.

    Of the strategies that keep what is required on the test rows, those that are
    as good as the best by the aim, as far as these rows tell (by the bootstrap of
    paired differences); of these, those whose probabilities belong to the prior
    where the model is used, if there are any; of these, the one with the best
    value. Where none keeps what is required, that which is tuned to keep it and
    comes nearest.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Verdict
    """
    candidates = _candidates(comparison)
    among = replace(comparison, outcomes=candidates)
    equal = _as_good_as_best(among)
    honest = [outcome for outcome in equal if _is_at_prior(comparison, outcome)]
    chosen = _best(honest or equal, comparison.aim)
    return Verdict(
        chosen,
        ", ".join(_reasons(among, chosen, equal)),
        (
            *_on_requirements(among, chosen, comparison.outcomes),
            rule_in_words(chosen.estimator.decision_rule_),
        ),
    )


def _candidates(comparison):
    """Return the strategies that keep what is required on the test rows, if any.

    Otherwise, of those that are tuned to keep it, the nearest.
    """
    required, outcomes = comparison.options.requirements, comparison.outcomes
    keeping = [outcome for outcome in outcomes if outcome.keeps(required)]
    if keeping:
        return keeping
    tuned = [o for o in outcomes if o.strategy.is_tuned(comparison.options)]
    return [min(tuned, key=lambda outcome: sum(outcome.distances(required)))]


def _best(outcomes, aim):
    sign = 1 if aim.higher_is_better else -1
    return max(outcomes, key=lambda outcome: sign * outcome.estimates[aim.key].value)


def _as_good_as_best(comparison):
    aim, outcomes = comparison.aim, comparison.outcomes
    top = _best(outcomes, aim).estimates[aim.key].resamples
    sign = 1 if aim.higher_is_better else -1
    differences = [sign * (top - o.estimates[aim.key].resamples) for o in outcomes]
    return [
        outcome
        for outcome, difference in zip(outcomes, differences, strict=True)
        if _surely_above(difference) <= _negligible(comparison)
    ]


def _negligible(comparison):
    if comparison.aim.key != COST:
        return NEGLIGIBLE
    # A cost has a unit: that of one decision for all rows is the measure of it.
    return NEGLIGIBLE * cheapest_constant(comparison.options, comparison.prevalence)[0]


def _surely_above(differences):
    """Return what the differences are at least, as sure as the intervals are."""
    return np.quantile(differences, (1 - LEVEL) / 2)


def _is_at_prior(comparison, outcome):
    shares = np.array(outcome.estimator.decision_rule_["target_prior"])
    # Training and test part have the data's prevalence up to a row.
    return np.abs(shares - comparison.prior).max() < 1 / comparison.n_test


def _reasons(among, chosen, equal):
    reasons = [_figure(among.aim, chosen)]
    worse = [outcome for outcome in among.outcomes if outcome not in equal]
    if worse:
        reasons.append(f"better than {_names(worse)}")
    others = [outcome for outcome in equal if outcome is not chosen]
    if others:
        reasons.append(f"as good as {_names(others)} as far as these rows tell")
    return reasons + _probabilities(among.outcomes, chosen)


def _figure(aim, outcome):
    found = outcome.estimates[aim.key]
    if aim.key == COST:  # in any unit
        low, high = found.interval
        return f"{aim.title} {found.value:.3g} ({low:.3g}-{high:.3g})"
    return f"{aim.title} {short(found.value)} ({interval(found)})"


def _on_requirements(comparison, chosen, outcomes):
    """Return a sentence or two on what is required, if anything is."""
    required = comparison.options.requirements
    if not required:
        return []
    values = " and ".join(_value(chosen, r) for r in required)
    if not chosen.keeps(required):
        return [
            f"On the test rows no strategy keeps {listed(required)}; of those tuned to "
            f"keep it, this one comes nearest: {values}."
        ]
    sentences = [f"It keeps {listed(required)} on the test rows: {values}."]
    missing = [outcome for outcome in outcomes if not outcome.keeps(required)]
    if missing:
        sentences.append(f"It is missed by {_names(missing)}.")
    if any(_may_be_missed(chosen, requirement) for requirement in required):
        sentences.append("Other rows may miss it, as the interval says.")
    return sentences


def _value(outcome, requirement):
    found = outcome.estimates[requirement.key]
    return f"{requirement.subject} {short(found.value)} ({interval(found)})"


def _may_be_missed(outcome, requirement):
    ends = np.array(outcome.estimates[requirement.key].interval)
    return requirement.distance(ends).any()


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
