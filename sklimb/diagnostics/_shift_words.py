"""A fall from A to B in words."""

from typing import NamedTuple

from sklimb.diagnostics._findings import Finding, ranked

__all__ = ["About", "findings_of_shift", "sentence_of_shift"]

NEGLIGIBLE = 0.0005


def points(value):
    """Return a difference of a metric with three decimals."""
    return f"{value:.3f}"


def with_interval(part):
    """Return a part with its interval."""
    return f"{part.estimate:.3f} ({part.low:.3f} to {part.high:.3f})"


class About(NamedTuple):
    """What a fall is of.

    Attributes
    ----------
    name : str
        The metric's.
    scores : sequence of float
        On A, on A at B's prior, and on B.
    shares : sequence of float, or None
        Of positives, in A and B.
    chance : float
        What guessing gives.
    sides : tuple of str
        What A and B are called.
    """

    name: str
    scores: object
    shares: object
    chance: float
    sides: tuple


def sentence_of_shift(fall, prevalence, threshold, rest, about):
    """Return the whole fall and its parts in a sentence."""
    name, scores, _, _, (a, b) = about
    verb = "falls" if fall.estimate > 0 else "rises"
    if abs(fall.estimate) < NEGLIGIBLE:
        verb = "stays"
    parts = [f"{with_interval(prevalence)} by the prevalence"]
    if threshold is not None:
        parts.append(f"{with_interval(threshold)} by the threshold")
    cause = "a worse ranking" if threshold is not None else "the rest"
    return (
        f"{name} {verb} from {points(scores[0])} on {a} to {points(scores[2])} on {b}, "
        f"a "
        f"fall of {with_interval(fall)}: {', '.join(parts)} and {with_interval(rest)} "
        f"by {cause}."
    )


def findings_of_shift(prevalence, threshold, rest, about):
    """Return a finding of each part that is surely above 0."""
    found = [
        _prevalence(prevalence, about),
        None if threshold is None else _threshold(threshold, about),
        _ranking(rest, about, threshold is None),
    ]
    parts = [prevalence, threshold, rest]
    return ranked(
        Finding(*finding, _effect(part, about.chance))
        for finding, part in zip(found, parts, strict=True)
        if part is not None and part.low > 0
    )


def _effect(part, chance):
    return float(min(1.0, max(0.0, part.estimate) / (1 - chance)))


def _prevalence(part, about):
    name, scores, shares, _, (a, b) = about
    moved = f"The classes have other shares in {b}"
    if shares is not None:
        moved = f"{shares[0]:.3g} of {a} are positive and {shares[1]:.3g} of {b}"
    return (
        "prevalence",
        "prevalence",
        f"{moved}: with the same errors in each class, {name} is {points(scores[1])} "
        f"there instead of {points(scores[0])}, which explains {with_interval(part)} "
        "of the fall.",
        "Measure at that prior before you deploy (`target_prior`), and set it with "
        "`set_target_prior`.",
    )


def _threshold(part, about):
    a, b = about.sides
    return (
        "threshold",
        "threshold",
        f"The threshold suits {b} less than {a}: {with_interval(part)} of "
        f"{about.name} is lost by where the cut lies.",
        f"Tune the threshold on rows of {b}, or recalibrate on them.",
    )


def _ranking(part, about, several):
    a, b = about.sides
    if several:
        seen = "Apart from the shares of the classes, more rows are taken for another"
    else:
        seen = "Even with the best cut, the classes are harder to tell apart"
    return (
        "ranking",
        "ranking",
        f"{seen} in {b}: that explains {with_interval(part)} of the fall of "
        f"{about.name}.",
        f"Compare the columns of {a} and {b}, and train on rows of {b}.",
    )
