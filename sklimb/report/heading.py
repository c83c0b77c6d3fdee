"""What is compared, before the table."""

from sklimb.report.aims import cheapest_constant
from sklimb.report.errors import one_line
from sklimb.report.requirements import listed

__all__ = ["heading"]


def heading(comparison):
    """Yield the rows, the prior, and what costs and limits were given.

    Parameters
    ----------
    comparison : Comparison

    Yields
    ------
    str
    """
    yield _rows(comparison)
    yield _prior(comparison)
    options = comparison.options
    if options.costs is not None:
        yield _costs(options, comparison.prevalence)
    if options.requirements:
        yield (
            f"Required: {listed(options.requirements)}. Tuned thresholds keep this out "
            "of fold."
        )


def _rows(comparison):
    dataset = comparison.dataset
    positives = ""
    if comparison.test_positives is not None:
        positives = f", with {comparison.test_positives} positive"
    return (
        f"{dataset.name}: {len(dataset.y)} rows, {comparison.n_train} to train and "
        f"{comparison.n_test} to test{positives}."
    )


def _prior(comparison):
    options, given = comparison.options, comparison.options.target_prior is not None
    if options.positive is None:
        return f"Measured at {_shares(options) if given else 'the shares in the data'}."
    where = "as in the data"
    if given:
        where = f"{comparison.dataset.prevalence:.4g} in the data"
    return f"Measured at a prevalence of {comparison.prevalence:.4g} ({where})."


def _shares(options):
    shares = options.target_prior.items()
    each = ", ".join(f"{one_line(label, 30)}={share:.4g}" for label, share in shares)
    return f"the shares {each}"


def _costs(options, prevalence):
    cost, called_positive = cheapest_constant(options, prevalence)
    every = "Every row" if called_positive else "No row"
    return (
        f"A false positive costs {options.costs.false_positive:g}, a false negative "
        f"{options.costs.false_negative:g}. {every} called positive would cost "
        f"{cost:.3g} per row."
    )
