"""A fall from A to B in words."""

from sklimb.diagnostics._findings import Finding, ranked

__all__ = ["findings_of_shift", "sentence_of_shift"]

NEGLIGIBLE = 0.0005


def points(value):
    """Return a difference of a metric with three decimals."""
    return f"{value:.3f}"


def with_interval(part):
    """Return a part with its interval."""
    return f"{part.estimate:.3f} ({part.low:.3f} to {part.high:.3f})"


def sentence_of_shift(fall, prevalence, threshold, rest, name, scores, shares, chance):
    """Return the whole fall and its parts in a sentence."""
    verb = "falls" if fall.estimate > 0 else "rises"
    if abs(fall.estimate) < NEGLIGIBLE:
        verb = "stays"
    parts = [f"{with_interval(prevalence)} by the prevalence"]
    if threshold is not None:
        parts.append(f"{with_interval(threshold)} by the threshold")
    cause = "a worse ranking" if threshold is not None else "the rest"
    return (
        f"{name} {verb} from {points(scores[0])} on A to {points(scores[2])} on B, a "
        f"fall of {with_interval(fall)}: {', '.join(parts)} and {with_interval(rest)} "
        f"by {cause}."
    )


def findings_of_shift(prevalence, threshold, rest, name, scores, shares, chance):
    """Return a finding of each part that is surely above 0."""
    found = [
        _prevalence(prevalence, name, scores, shares),
        None if threshold is None else _threshold(threshold, name),
        _ranking(rest, name, threshold is None),
    ]
    parts = [prevalence, threshold, rest]
    return ranked(
        Finding(*finding, _effect(part, chance))
        for finding, part in zip(found, parts, strict=True)
        if part is not None and part.low > 0
    )


def _effect(part, chance):
    return float(min(1.0, max(0.0, part.estimate) / (1 - chance)))


def _prevalence(part, name, scores, shares):
    moved = "The classes have other shares in B"
    if shares is not None:
        moved = f"{shares[0]:.3g} of A are positive and {shares[1]:.3g} of B"
    return (
        "prevalence",
        "prevalence",
        f"{moved}: with the same errors in each class, {name} is {points(scores[1])} "
        f"there instead of {points(scores[0])}, which explains {with_interval(part)} "
        "of the fall.",
        "Measure at that prior before you deploy (`target_prior`), and set it with "
        "`set_target_prior`.",
    )


def _threshold(part, name):
    return (
        "threshold",
        "threshold",
        f"The threshold suits B less than A: {with_interval(part)} of {name} is lost "
        "by where the cut lies.",
        "Tune the threshold on rows of B, or recalibrate on them.",
    )


def _ranking(part, name, several):
    if several:
        seen = "Apart from the shares of the classes, more rows are taken for another"
    else:
        seen = "Even with the best cut, the classes are harder to tell apart"
    return (
        "ranking",
        "ranking",
        f"{seen} in B: that explains {with_interval(part)} of the fall of {name}.",
        "Compare the columns of A and B, and train on rows of B.",
    )
