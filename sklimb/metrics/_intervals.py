"""Intervals of metrics: rows drawn again, or class-conditional rates."""

import numpy as np
from scipy.special import ndtr, ndtri

from sklimb._validation import is_number
from sklimb.metrics._at_prior import prepared, weights_of
from sklimb.metrics._rates import Interval
from sklimb.metrics._resampling import grouped_drawer, resamples, stratified_drawer
from sklimb.metrics._rows import check_between

__all__ = ["bootstrap_interval", "drawn_confusions", "drawn_rates"]

# What hits, and all errors of a class together, are smoothed by: Jeffreys' prior of
# its recall, whatever the number of classes. 0.5 for every kind of error would be a
# prior belief in many of them, which for ten classes covers a half.
SMOOTHING = 0.5
METHODS = ("auto", "rates", "bootstrap")


def bootstrap_interval(
    metric,
    y_true,
    y_pred_or_proba,
    *,
    target_prior=None,
    sample_weight=None,
    groups=None,
    pos_label=None,
    labels=None,
    cost_matrix=None,
    level=0.95,
    n_resamples=1000,
    method="auto",
    random_state=0,
):
    """Return a metric at a prior with an interval.

    The classes' shares are taken as known, so what varies is how each class is
    predicted.

    Parameters
    ----------
    metric, y_true, y_pred_or_proba, sample_weight, pos_label, labels, cost_matrix
        As for :func:`score_at_prior`.
    target_prior : array-like, mapping, float, "uniform" or None, default=None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group belong together, such as those of one patient: groups are
        drawn whole, those with rows of the rarer class apart from those without.
    level : float, default=0.95
        How often the interval shall cover.
    n_resamples : int, default=1000
    method : {"auto", "rates", "bootstrap"}, default="auto"
        - ``"rates"``: the shares of each class that are predicted as each class are
          drawn from their posterior: beta distributed, with hits and errors smoothed
          by 0.5 (Jeffreys' prior); of several classes Dirichlet, the 0.5 of errors
          spread over all kinds of them. For metrics of labels only. It holds with few
          rows, where the bootstrap knows of no error that the rows don't have.
        - ``"bootstrap"``: rows are drawn again within each class, or groups;
          bias-corrected percentiles.
        - ``"auto"``: ``"rates"`` wherever it can be had: not with groups, row weights
          or probabilities.
    random_state : int, Generator or None, default=0

    Returns
    -------
    Interval
        It holds the estimate.

    Raises
    ------
    ValueError
        If something is not valid, or ``method="rates"`` can't be had.

    References
    ----------
    Efron (1987), "Better bootstrap confidence intervals", for the bias correction;
    Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion",
    for Jeffreys' prior.

    Examples
    --------
    Ten positives, nine found, and 1 of 90 others called positive:

    >>> from sklimb.metrics import bootstrap_interval
    >>> y_true = [1] * 10 + [0] * 90
    >>> y_pred = [1] * 9 + [0] + [1] + [0] * 89
    >>> found = bootstrap_interval("f1", y_true, y_pred)
    >>> round(found.estimate, 2), round(found.low, 2), round(found.high, 2)
    (0.9, 0.68, 0.97)
    """
    tails = (1 + np.array([-1, 1]) * check_between(level, "level")) / 2
    _check_n_resamples(n_resamples)
    measure, rows, of_weights = prepared(
        metric,
        y_true,
        y_pred_or_proba,
        target_prior,
        sample_weight=sample_weight,
        pos_label=pos_label,
        labels=labels,
        cost_matrix=cost_matrix,
    )
    rng = np.random.default_rng(random_state)
    estimate = float(of_weights(weights_of(rows))[0])
    suffice = _counts_suffice(method, measure, rows, groups)
    again = not suffice or method == "bootstrap"
    if suffice:
        draw = _confusions_again if again else drawn_confusions
        counts = _confusion(rows, y_pred_or_proba)
        values = measure.of_confusions(draw(counts, rows.prior, n_resamples, rng))
    else:
        values = _from_rows(of_weights, rows, groups, n_resamples, rng)
    if again:
        tails = _bias_corrected(tails, values, estimate)
    low, high = np.quantile(values, tails)
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def _bias_corrected(tails, values, estimate):
    """Return tails moved by how far the draws' median is from the estimate."""
    slack = 1e-12 * max(1.0, abs(estimate))
    below = np.mean(values < estimate - slack)
    share = below + np.mean(abs(values - estimate) <= slack) / 2
    shift = ndtri(np.clip(share, 1e-3, 1 - 1e-3))
    return ndtr(ndtri(tails) + 2 * shift)


def _check_n_resamples(n_resamples):
    if not is_number(n_resamples) or n_resamples != int(n_resamples) or n_resamples < 2:
        raise ValueError(
            f"`n_resamples`={n_resamples!r} must be a whole number from 2 on."
        )


def _counts_suffice(method, measure, rows, groups):
    """Tell whether the confusion counts are all that resamples depend on."""
    if method not in METHODS:
        raise ValueError(f"`method`={method!r} must be one of {', '.join(METHODS)}.")
    suffice = measure.reads == "labels" and groups is None and rows.weight is None
    if method == "rates" and not suffice:
        raise ValueError(
            "`method`='rates' is for metrics of labels of rows that count equally: "
            "not for probabilities, and not with `groups` or `sample_weight`. Use "
            "'bootstrap', or 'auto'."
        )
    return suffice


def _confusion(rows, y_pred):
    k = rows.n_classes
    cells = rows.numbers * k + rows.predicted(y_pred)
    return np.bincount(cells, minlength=k * k).reshape(k, k)


def _confusions_again(counts, prior, n_resamples, rng):
    """Return what rows drawn again within each class give, in law."""
    n_rows = np.maximum(counts.sum(axis=1), 1)
    drawn = [
        rng.multinomial(n, of_class / n, n_resamples)
        for n, of_class in zip(n_rows, counts, strict=True)
    ]
    return np.stack(drawn, axis=1) * (prior / n_rows)[:, None]


def drawn_confusions(counts, prior, n_resamples, rng):
    """Return confusion matrices at a prior whose rates are drawn from their posterior.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Rows true, columns predicted.
    prior : ndarray of shape (n_classes,)
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_resamples, n_classes, n_classes)
        Shares of all rows.
    """
    return drawn_rates(counts, n_resamples, rng) * np.asarray(prior)[:, None]


def drawn_rates(counts, n_resamples, rng):
    """Return how each class is predicted, drawn from the posterior.

    Hits are smoothed by 0.5, and all errors of a class together: 0.5 for each would
    drown the hits of a rare class among many.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Rows true, columns predicted; effective numbers of rows may be fractions.
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_resamples, n_classes, n_classes)
        Rows of each sum to 1.
    """
    k = len(counts)
    smoothing = np.full((k, k), SMOOTHING / (k - 1))
    np.fill_diagonal(smoothing, SMOOTHING)
    rates = [rng.dirichlet(alpha, n_resamples) for alpha in counts + smoothing]
    return np.stack(rates, axis=1)


def _from_rows(of_weights, rows, groups, n_resamples, rng):
    """Return the metric of rows or groups drawn again."""
    sizes = [len(own) for own in rows.of_class]
    if groups is None:
        draw = stratified_drawer(sizes)
    else:
        draw = grouped_drawer(rows.of_class, rows.of(groups, "groups"))
    own = weights_of(rows)
    drawn = resamples(draw, sizes, n_resamples, rng)
    next(drawn)  # the rows themselves
    values = np.concatenate(
        [of_weights([c * w for c, w in zip(n, own, strict=True)]) for n in drawn]
    )
    found = values[np.isfinite(values)]
    if 2 * len(found) < len(values):
        raise ValueError(
            f"`groups`: {len(values) - len(found)} of {len(values)} resamples lack a "
            "class, which too few groups hold. Give more groups, or none."
        )
    return found
