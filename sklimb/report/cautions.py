"""Where a bootstrap of few errors is too sure of itself."""

import numpy as np
from scipy.stats import beta

from sklimb.report.measures import LEVEL
from sklimb.report.numbers import short

__all__ = ["caution_of_few_errors"]

# With more false positives the bootstrap knows what they vary by.
MANY = 5
# Lower ends of intervals that differ by less are not worth a line.
NOTICEABLE = 0.05


def caution_of_few_errors(names, predictions, estimates, positive, prevalence):
    """Return a note where precision is less certain than its interval says.

    A strategy without a false positive among n negatives has a precision of 1
    on every resample, though its rate of false positives may well be 3 / n;
    where positives are rare, that is most of what it would call positive.

    Parameters
    ----------
    names : list of str
        The strategies'.
    predictions : list of Predictions
    estimates : list of dict of str to Estimate
    positive : ndarray of shape (n_rows,), bool
        The truth.
    prevalence : float

    Returns
    -------
    list of str
        Empty, or one note.
    """
    negatives = int(np.sum(~positive))
    found = []
    for name, prediction, values in zip(names, predictions, estimates, strict=True):
        false = int(np.sum(prediction.called_positive & ~positive))
        recall = values["recall"].value
        low = _lowest_precision(false, negatives, recall, prevalence)
        if false < MANY and low < values["precision"].interval[0] - NOTICEABLE:
            found.append(f"{short(low)} for {name!r} ({false} wrongly positive)")
    if not found:
        return []
    return [
        f"With so few errors in {negatives} negative test rows, precision may be as "
        f"low as {', '.join(found)}, whatever its interval says."
    ]


def _lowest_precision(false, negatives, recall, prevalence):
    """Return precision at the upper Clopper-Pearson end of false positives."""
    rate = beta.ppf((1 + LEVEL) / 2, false + 1, negatives - false)
    true = prevalence * recall
    called = true + (1 - prevalence) * rate
    return true / called if called > 0 else 0.0
