"""Whether rows of probability p come true with frequency p."""

from typing import NamedTuple

import numpy as np

from sklimb._validation import as_labels
from sklimb.metrics._rates import rate_interval
from sklimb.metrics._rows import check_between, check_n_bins, labelled_rows

__all__ = ["ReliabilityCurve", "expected_calibration_error", "reliability_curve"]


class ReliabilityCurve(NamedTuple):
    """Predicted and observed frequencies in bins of equal mass.

    Attributes
    ----------
    predicted : ndarray of shape (n_bins,)
        Mean probability in each bin, rising.
    observed : ndarray of shape (n_bins,)
        Share of positives.
    low, high : ndarray of shape (n_bins,)
        The interval of ``observed``.
    n_rows : ndarray of shape (n_bins,), int
    """

    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_rows: np.ndarray


def reliability_curve(
    y_true,
    proba,
    *,
    n_bins=10,
    level=0.95,
    target_prior=None,
    sample_weight=None,
    pos_label=None,
):
    """Return how often rows come true, by their probability.

    Bins hold equal shares of the weight, as far as ties allow: rows of one
    probability are in one bin, so there may be fewer.

    At another prior each class's rows weigh as much as its share. Then odds in a bin
    are those of its rows times one number, and so the interval's ends, which are the
    Clopper-Pearson interval's of the rows, are moved as exactly. Row weights within
    a class count as fewer rows: Kish's effective number of them, which is
    approximate.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels of two classes.
    proba : array-like of shape (n_rows,) or (n_rows, 2)
        Probabilities of the positive class, or a column for each; taken as given,
        so corrected to ``target_prior``.
    n_bins : int, default=10
    level : float, default=0.95
        Of each interval by itself.
    target_prior : array-like, mapping, float, "uniform" or None, default=None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts within its class.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    ReliabilityCurve

    Raises
    ------
    ValueError
        If something is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.metrics import reliability_curve
    >>> random = np.random.default_rng(0)
    >>> proba = random.uniform(size=2000) ** 2
    >>> y_true = random.uniform(size=2000) < proba ** 1.5  # says too much
    >>> curve = reliability_curve(y_true, proba, n_bins=4)
    >>> curve.predicted.round(2), curve.observed.round(2)
    (array([0.02, 0.14, 0.4 , 0.77]), array([0.01, 0.07, 0.24, 0.7 ]))
    >>> curve.high.round(2), curve.n_rows
    (array([0.02, 0.09, 0.28, 0.74]), array([500, 500, 500, 500]))
    """
    rows = labelled_rows(
        y_true, target_prior, sample_weight=sample_weight, pos_label=pos_label
    )
    _check_all_have_shares(rows)
    proba, n_bins = rows.positive_proba(proba), check_n_bins(n_bins)
    bins = _equal_mass_bins(proba, rows.importance, n_bins)
    low, high = _bands(rows, bins, check_between(level, "level"))
    mass = np.bincount(bins, rows.importance)
    return ReliabilityCurve(
        np.bincount(bins, rows.importance * proba) / mass,
        np.bincount(bins, rows.importance * rows.is_positive) / mass,
        low,
        high,
        np.bincount(bins),
    )


def _check_all_have_shares(rows):
    if (rows.prior == 0).any():
        empty = as_labels(rows.classes[rows.prior == 0])
        raise ValueError(
            f"`target_prior` is 0 for the classes {empty}, whose rows then don't "
            "count: how often a probability comes true can't be told. Give shares "
            "above 0."
        )


def _equal_mass_bins(values, weight, n_bins):
    """Return each row's bin, 0, 1, ... by rising value; equal values share one."""
    distinct, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weight, len(distinct))
    middle = np.cumsum(mass) - mass / 2
    bins = np.floor(middle / mass.sum() * n_bins).clip(max=n_bins - 1)
    return np.unique(bins, return_inverse=True)[1][place]


def _bands(rows, bins, level):
    """Return the ends of the intervals of the share of positives in each bin."""
    weight = np.ones(len(bins)) if rows.weight is None else rows.weight
    mass = np.bincount(bins, weight)
    effective = mass**2 / np.bincount(bins, weight**2)
    share = np.bincount(bins, weight * rows.is_positive) / mass
    _, low, high = rate_interval(
        (share * effective).clip(max=effective), effective, level
    )
    own = np.bincount(rows.is_positive, weight, 2)
    prior = rows.prior[[1 - rows.positive, rows.positive]]
    for_negative, for_positive = np.divide(prior, own, out=np.zeros(2), where=own > 0)
    return [
        for_positive * end / (for_positive * end + for_negative * (1 - end))
        for end in (low, high)
    ]


def expected_calibration_error(
    y_true,
    proba,
    *,
    n_bins=15,
    norm="l2",
    debiased=True,
    target_prior=None,
    sample_weight=None,
    pos_label=None,
):
    """Return how far probabilities are from observed frequencies.

    In bins of equal mass, the gap between mean probability and share of positives.
    Noise alone makes gaps: the plain value of a perfect model is well above 0, and
    falls with every added row. The debiased one takes from each squared gap what its
    noise adds on average, so that models and test sets of different sizes compare.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    proba : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or a column for each class; taken as
        given, so corrected to ``target_prior``. Of several classes it is the
        probability of the predicted one that is looked at, and whether it is right.
    n_bins : int, default=15
        Rows of one probability are in one bin, so there may be fewer.
    norm : {"l2", "l1"}, default="l2"
        The root of the mean squared gap, or the mean absolute one, which can only be
        had with its noise.
    debiased : bool, default=True
    target_prior : array-like, mapping, float, "uniform" or None, default=None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts within its class.
    pos_label : label, default=None
        The positive class; None for the greater label.

    Returns
    -------
    float
        In [0, 1]. Debiased, 0 where the gaps are no larger than noise makes them.

    Raises
    ------
    ValueError
        If something is not valid.

    References
    ----------
    Kumar, Liang and Ma (2019), "Verified uncertainty calibration"; the same
    correction in Ferro and Fricker (2012), "A bias-corrected decomposition of the
    Brier score". Here the noise is that of ``y - proba``, and rows may have weights.

    Examples
    --------
    Probabilities that are exactly right:

    >>> import numpy as np
    >>> from sklimb.metrics import expected_calibration_error
    >>> random = np.random.default_rng(0)
    >>> proba = random.uniform(size=1000)
    >>> y_true = random.uniform(size=1000) < proba
    >>> round(expected_calibration_error(y_true, proba), 3)
    0.0
    >>> round(expected_calibration_error(y_true, proba, debiased=False), 3)
    0.047
    """
    if norm not in ("l1", "l2") or (norm == "l1" and debiased):
        raise ValueError(
            f"`norm`={norm!r} with `debiased`={debiased!r}: `norm` must be 'l2', "
            "or 'l1' with debiased=False, as absolute gaps can't be had without their "
            "noise."
        )
    rows = labelled_rows(
        y_true,
        target_prior,
        sample_weight=sample_weight,
        pos_label=pos_label,
    )
    _check_all_have_shares(rows)
    confidence, hit = _confidence(rows, rows.proba(proba))
    weight = rows.importance
    bins = _equal_mass_bins(confidence, weight, check_n_bins(n_bins))
    gap, share, noise = _gaps(hit - confidence, weight, bins)
    if norm == "l1":
        return float(share @ abs(gap))
    squared = share @ (gap**2 - noise if debiased else gap**2)
    return float(np.sqrt(max(squared, 0.0)))


def _confidence(rows, proba):
    """Return the probabilities to look at, and which of them came true."""
    if rows.n_classes == 2:
        return proba[:, rows.positive], rows.is_positive
    predicted = proba.argmax(axis=1)
    return proba.max(axis=1), predicted == rows.numbers


def _gaps(residual, weight, bins):
    """Return each bin's mean residual, its share, and the squared noise of the mean.

    A mean of n has a squared noise of variance / n, estimated without bias; with
    weights, what makes the mean of squares less noise that of products of two
    different rows. A bin of one row has no such product, and tells nothing.
    """
    mass = np.bincount(bins, weight)
    gap = np.bincount(bins, weight * residual) / mass
    squares = np.bincount(bins, weight**2) / mass**2
    own = np.bincount(bins, (weight * residual) ** 2) / mass**2
    pairs = 1 - squares
    of_pairs = np.divide(
        gap**2 - own, pairs, out=np.zeros(len(gap)), where=pairs > 1e-12
    )
    return gap, mass / mass.sum(), gap**2 - of_pairs
