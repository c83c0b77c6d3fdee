"""Cuts that keep constraints with a confidence, whichever of them is then chosen.

The rows are a sample. A cut that keeps a limit on them may break it on the
population, and choosing the best of many cuts seeks out the ones that flatter. Here
the probability that *any* certified threshold breaks a limit is bounded, so that the
choice among them is free.
"""

from math import ceil, log
from typing import NamedTuple

import numpy as np

from sklimb._validation import is_number
from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds._constraints import (
    ROUNDING,
    all_said,
    first_failing,
    metric_range,
    where_others_hold,
)
from sklimb.thresholds._cuts import StepCurve, counts_of_positives
from sklimb.thresholds._preset_tests import (
    both_ends,
    fallback,
    lower_bound,
    metric_of_rates,
    p_values,
    preset_ranks,
    preset_rate_tests,
    upper_bound,
)

__all__ = ["certified", "check_confidence", "check_equal_weights"]

# Of each, hits and misses among the counts (tp, fp, fn, tn).
RATES = {
    "recall": lambda tp, fp, fn, tn: (tp, fn, "rows of its class"),
    "specificity": lambda tp, fp, fn, tn: (tn, fp, "rows of the negative class"),
    "alert_rate": lambda tp, fp, fn, tn: (tp + fp, fn + tn, "rows"),
}


TOO_FEW = "{} positive and {} negative rows can't certify it, whatever their scores. "


class _Verdict(NamedTuple):
    """Where a limit is certified, and the bound at the cuts that were tested."""

    passed: np.ndarray
    bound: np.ndarray
    remedy: str


def certified(
    positive,
    score,
    constraints,
    confidence,
    target_prior=None,
    *,
    positive_class=1,
    classes=None,
):
    """Tell which cuts keep all limits with a confidence, all of them at once.

    The probability over samples that some threshold in a certified gap breaks a
    limit on the population is at most ``1 - confidence``. Any cut may then be
    chosen, by any metric of the same rows. The scores must come from a model that
    was not trained on these rows, and the rows must be independent.

    Each of m limits takes ``alpha = (1 - confidence) / m``.

    - Recall, specificity and alert rate move one way with the threshold, so the
      thresholds that keep a limit are an interval with a fixed end. Counts are
      nested, so some threshold beyond that end is certified only if the
      Clopper-Pearson bound [1]_ errs at the end itself, which has probability alpha:
      a bound at every cut survives the choice. At ``target_prior``, the alert rate
      is bounded from recall and the false positive rate at alpha / 2 each; that
      bound moves one way too.
    - Precision wanders, and a bound at every cut would be broken far more often.
      Cuts of preset ranks are tested, strictest first, by the binomial
      distribution: of the r rows above the score of rank r + 1, and of the r - 1
      rows above that of rank r, each is positive with the precision there. Levels
      are passed on as in the fallback procedure [2]_.
    - Other metrics, and precision at ``target_prior``, rise with recall and fall
      with the false positive rate. They are tested at preset numbers of false
      positives, in an order fixed beforehand, until a test fails. Given the
      negatives' scores, the positives above one of them are binomial; the false
      positive rates at their ranks are uniform order statistics, whatever the
      score's distribution. The tests' level is such that, averaged over these, the
      largest risk of any test is alpha. At None, the average is also over what the
      rows leave open of their share of positives.

    Scores with ties make the tests more careful than they need be.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
    constraints : list of Constraint
    confidence : float
        In (0, 1).
    target_prior : array-like of shape (2,), default=None
        Shares of the negative and the positive class, taken as known; None for the
        rows' own. Recall, specificity, and at None also precision and alert rate,
        don't depend on it.
    positive_class : int, default=1
        The place of the positive class in ``classes``.
    classes : array-like of shape (2,), default=None
        The labels, for the message.

    Returns
    -------
    ndarray of shape (n_scores + 1,), bool
        Strictest cut first, as ``StepCurve.values``.

    Raises
    ------
    InfeasibleConstraintError
        If no cut can be certified.
    ValueError
        If a metric other than a rate has a high limit.

    References
    ----------
    .. [1] Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or
       fiducial limits illustrated in the case of the binomial. Biometrika 26.
    .. [2] Wiens, B. L. and Dmitrienko, A. (2005). The fallback procedure for
       evaluating a single family of hypotheses. J. Biopharm. Stat. 15.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.thresholds._confidence import certified
    >>> from sklimb.thresholds._constraints import Constraint
    >>> positive, score = np.repeat([False, True], 50), np.linspace(0, 1, 100)
    >>> recall = [Constraint("recall", None, 0.9, np.inf)]
    >>> cuts = certified(positive, score, recall, 0.95)
    >>> int(np.argmax(cuts))  # one miss of 50 is allowed: 48 of 50 say too little
    49
    """
    limits = _single_limits(constraints)
    counts = counts_of_positives(positive, score)
    if not limits:
        return np.ones(len(counts.tp), dtype=bool)
    alpha = (1 - confidence) / len(limits)
    setting = (counts[:4], alpha, target_prior, positive_class)
    verdicts = [_verdict(limit, *setting) for limit in limits]
    passed = np.all([verdict.passed for verdict in verdicts], axis=0)
    if not passed.any():
        _raise_infeasible(limits, verdicts, counts.scores, confidence, classes)
    return passed


def _single_limits(constraints):
    """Return constraints of one limit each, without those that always hold."""
    single = []
    for each in constraints:
        least, greatest = metric_range(each.name)
        if each.low > least:
            single.append(each._replace(high=np.inf))
        if each.high < greatest:
            single.append(each._replace(low=-np.inf))
    return single


def _verdict(limit, counts, alpha, target_prior, positive_class):
    if limit.class_number not in (None, positive_class):
        return _mirrored(limit, counts, alpha, target_prior)
    if limit.name == "alert_rate" and target_prior is not None:
        return _alert_rate_verdict(limit, counts, alpha, target_prior)
    if limit.name in RATES:
        return _rate_verdict(limit, counts, alpha)
    if np.isfinite(limit.high):
        raise ValueError(
            f"`constraints[{limit.name!r}]` has the high limit {limit.high:g}, which "
            "can't be kept with a `constraint_confidence`: only recall, specificity "
            "and alert_rate can be limited from above. Give a low limit, or "
            "`constraint_confidence=None`."
        )
    if limit.name == "precision" and target_prior is None:
        return _precision_verdict(limit, counts, alpha)
    return _metric_verdict(limit, counts, alpha, target_prior)


def _mirrored(limit, counts, alpha, target_prior):
    """Take the other class as the positive one: the order of the cuts turns."""
    turned = tuple(count[::-1] for count in counts[::-1])
    prior = None if target_prior is None else target_prior[::-1]
    limit = limit._replace(class_number=None)
    passed, bound, remedy = _verdict(limit, turned, alpha, prior, None)
    return _Verdict(passed[::-1], bound[::-1], remedy)


def _keeps(bound, limit):
    return bound >= limit.low if np.isfinite(limit.low) else bound <= limit.high


def _rate_verdict(limit, counts, alpha):
    hits, misses, rows = RATES[limit.name](*counts)
    n, is_low = int(hits[0] + misses[0]), np.isfinite(limit.low)
    bound = (lower_bound if is_low else upper_bound)(hits, n, alpha)
    share = limit.low if is_low else 1 - limit.high
    return _Verdict(_keeps(bound, limit), bound, _needed_rows(share, alpha, n, rows))


def _needed_rows(share, alpha, n, rows):
    """Say how many rows a bound of ``share`` needs if all are hits."""
    if share == 1:
        return f"No number of {rows} makes it certain. "
    needed = ceil(log(alpha) / log(share))
    return f"It needs at least {needed} {rows}, and there are {n}. " * (n < needed)


def _alert_rate_verdict(limit, counts, alpha, target_prior):
    tp, fp, _, _ = counts
    one_sided = lower_bound if np.isfinite(limit.low) else upper_bound
    fpr, recall = (one_sided(hits, hits[-1], alpha / 2) for hits in (fp, tp))
    bound = target_prior[0] * fpr + target_prior[1] * recall
    return _Verdict(_keeps(bound, limit), bound, "")


def _precision_verdict(limit, counts, alpha):
    tp, fp, _, _ = counts
    rows = tp + fp
    ranks, levels = preset_ranks(int(rows[-1]), limit.low, alpha)
    cuts = np.searchsorted(rows, ranks, side="right") - 1
    hits, above = both_ends(tp, rows, cuts)
    passed, at_level = fallback(p_values(hits, above, limit.low).max(axis=0), levels)
    tested = at_level > 0
    values = lower_bound(hits, above, at_level).min(axis=0)
    bound = np.full(len(tp), np.nan)
    np.fmax.at(bound, cuts[tested], values[tested])
    remedy = _first_test(tp[cuts], ranks, limit.low, alpha)
    return _Verdict(np.isin(np.arange(len(tp)), cuts[passed]), bound, remedy)


def _first_test(tp, ranks, low, alpha):
    if len(ranks) == 0:
        return "There are too few rows to certify it at all. "
    hits = np.arange(ranks[0] + 1)
    needed = int(np.argmax(p_values(hits, ranks[0], low) <= alpha))
    return f"Of its {ranks[0]} surest rows {needed} must be right, and {tp[0]} are. "


def _metric_verdict(limit, counts, alpha, target_prior):
    tp, fp, _, _ = counts
    n_rows = n_positive, n_negative = int(tp[-1]), int(fp[-1])
    share = None if target_prior is None else float(target_prior[1])
    tests = preset_rate_tests(limit.name, limit.low, share, *n_rows, alpha)
    reached = fp[np.searchsorted(fp, tests.false_positives, side="right") - 1]
    tried = reached > 0  # the negatives' ties alone decide which are left out
    first = np.searchsorted(fp, reached[tried])
    passes = tp[first] >= tests.hits[tried]
    in_order = np.logical_and.accumulate(passes)
    bound, told = np.full(len(tp), np.nan), in_order | ~passes
    rates = (tp[first], n_positive, tests.false_positives[tried], n_negative)
    bounds = _metric_bound(limit.name, share, *rates, tests.level)
    bound[first[told]] = bounds[told]
    passed = np.isin(fp, reached[tried][in_order])
    remedy = "" if len(tests.hits) else TOO_FEW.format(*n_rows)
    return _Verdict(passed, bound, remedy)


def _metric_bound(name, share, tp, n_positive, fp, n_negative, level):
    """Return a metric at bounds of all it depends on, below what the test looks at."""
    recall = lower_bound(tp, n_positive, level / 3)
    fpr = upper_bound(fp, n_negative, level / 3)
    if share is not None:
        return metric_of_rates(name, share, recall, fpr)
    n = n_positive + n_negative
    shares = [bound(n_positive, n, level / 6) for bound in (lower_bound, upper_bound)]
    bounds = [metric_of_rates(name, each, recall, fpr) for each in shares]
    return np.minimum(*bounds)


def _raise_infeasible(limits, verdicts, scores, confidence, classes):
    failing, others = first_failing([verdict.passed for verdict in verdicts])
    limit, verdict = limits[failing], verdicts[failing]
    sign = 1 if np.isfinite(limit.low) else -1
    if np.isnan(verdict.bound[others]).all():
        others = np.ones_like(others)
    bound = np.where(others, sign * verdict.bound, np.nan)
    name, nearest, best_value, threshold = limit.said(classes), "", None, None
    if np.isfinite(bound).any():
        threshold, best_value = StepCurve(scores, bound).best()
        best_value *= sign
        nearest = (
            f"The bound of {name} comes no nearer than {best_value:.4g}, at the "
            f"threshold {threshold:.6g}{where_others_hold(limits, others)}. "
        )
    raise InfeasibleConstraintError(
        f"No threshold satisfies `constraints` with `constraint_confidence`="
        f"{confidence:g}: {all_said(limits, classes)}. {nearest}{verdict.remedy}"
        "Give more rows, loosen a limit, or lower `constraint_confidence`.",
        *(name, best_value, threshold),
    )


def check_confidence(confidence):
    """Return a confidence as a float, or None.

    Raises
    ------
    ValueError
        If it is no number between 0 and 1.
    """
    if confidence is None:
        return None
    if not is_number(confidence) or not 0 < confidence < 1:
        raise ValueError(
            f"`constraint_confidence`={confidence!r} must be a number between 0 and 1, "
            "such as 0.95, or None."
        )
    return float(confidence)


def check_equal_weights(positive, weight):
    """Return the target prior that weights stand for; None for the rows' own shares.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    weight : ndarray of shape (n_rows,), float64, or None
        Above 0, equal within each class.

    Returns
    -------
    ndarray of shape (2,) or None
        The weights' shares of the negative and the positive class.

    Raises
    ------
    ValueError
        If weights vary within a class: such rows are no sample of which to count.
    """
    if weight is None:
        return None
    classes = [weight[~positive], weight[positive]]
    if any(np.ptp(each) > ROUNDING * each.max() for each in classes):
        raise ValueError(
            "`sample_weight` varies within a class, and `constraint_confidence` counts "
            "rows of equal weight: a bound on weighted rows is not known. Leave the "
            "weights out, or give `constraint_confidence=None`."
        )
    negative, positive = (each[0] for each in classes)
    if np.isclose(negative, positive, rtol=ROUNDING, atol=0):
        return None
    sums = np.array([each.sum() for each in classes])
    return sums / sums.sum()
