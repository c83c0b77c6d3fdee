"""The prior where a fitted classifier is used, from rows without labels."""

import warnings
from numbers import Real

import numpy as np

from sklimb._compat import Interval
from sklimb._validation import as_labels
from sklimb.exceptions import LabelShiftViolationWarning
from sklimb.priors import estimate_prior, label_shift_test

__all__ = [
    "check_threshold_can_follow",
    "estimated_target",
    "warn_if_no_prior_explains",
]

# Older rows of a stream weigh less than a thousandth.
HALF_LIVES_KEPT = 10

# How often rows that fit are warned about.
LEVEL = 0.05

_POSITIVE = Interval(Real, 0, None, closed="neither")


def estimated_target(
    proba,
    training_prior,
    classes,
    method,
    *,
    out_of_fold=None,
    half_life=None,
    recent=None,
):
    """Estimate the prior of unlabelled rows, alone or at the end of a stream.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        At ``training_prior``; in a stream the latest row last.
    training_prior : ndarray of shape (n_classes,)
    classes : ndarray of shape (n_classes,)
    method : str
        As for :func:`sklimb.priors.estimate_prior`.
    out_of_fold : OutOfFold, default=None
        What tells how sure the estimate is.
    half_life : float, default=None
        In rows: a row counts half as much as one that came so many rows later.
    recent : ndarray of shape (n_recent, n_classes), default=None
        Probabilities of the rows before.

    Returns
    -------
    estimate : PriorEstimate
    recent : ndarray of shape (n_kept, n_classes) or None
        What the next call needs; None without ``half_life``.

    Raises
    ------
    ValueError
        As :func:`sklimb.priors.estimate_prior`, or if ``half_life`` isn't
        positive.
    """
    weight = None
    if half_life is not None:
        _check_half_life(half_life)
        rows = [proba] if recent is None else [recent, proba]
        proba = np.concatenate(rows)[-int(np.ceil(HALF_LIVES_KEPT * half_life)) :]
        weight = 0.5 ** (np.arange(len(proba))[::-1] / half_life)
    source = None
    if out_of_fold is not None:
        source = source_of(out_of_fold, training_prior, classes)
    estimate = estimate_prior(
        proba,
        training_prior,
        method,
        source=source,
        sample_weight=weight,
        classes=classes,
    )
    return estimate, None if half_life is None else proba


def warn_if_no_prior_explains(X, out_of_fold, classes):
    """Warn where rows don't look like a mixture of the classes out of fold.

    The models of the folds are asked, not the one that is kept: it was trained on
    more rows, and predicts otherwise.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of n_rows rows
    out_of_fold : OutOfFold
        Nothing is told where its rows are weighted, or without probabilities.
    classes : ndarray of shape (n_classes,)

    Warns
    -----
    LabelShiftViolationWarning
        With the p-value of :func:`sklimb.priors.label_shift_test`.
    """
    models = out_of_fold.models
    if models is None or out_of_fold.sample_weight is not None:
        return
    test = label_shift_test(
        models.proba_of(X),
        "uniform",
        (models.proba, np.asarray(classes)[out_of_fold.class_numbers]),
        model_weight=out_of_fold.fold_shares,
        classes=classes,
    )
    if test.p_value < LEVEL:
        warnings.warn(
            "The rows of `X` don't look like a mixture of the classes as they were in "
            f"training, whatever their shares (p = {test.p_value:.2g}): more than the "
            "prior has changed, so that the estimate may be wrong. See whether "
            "columns are scaled and filled as in training, label some new rows, or "
            "set the prior by `set_target_prior`.",
            LabelShiftViolationWarning,
            stacklevel=5,
        )


def _check_half_life(half_life):
    if half_life not in _POSITIVE:
        raise ValueError(
            f"`half_life`={half_life!r} must be a positive number of rows, or None for "
            "rows that all count the same."
        )


def source_of(out_of_fold, training_prior, classes):
    """Return out-of-fold probabilities and labels, as an estimate takes them.

    Parameters
    ----------
    out_of_fold : OutOfFold
    training_prior : ndarray of shape (n_classes,)
        What the probabilities are moved to.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    tuple (proba, y), or None where rows are weighted
    """
    if out_of_fold.sample_weight is not None:
        return None
    proba = out_of_fold.corrected_to(training_prior).scores
    return proba, np.asarray(classes)[out_of_fold.class_numbers]


def check_threshold_can_follow(estimate, classes):
    """Raise where a class is estimated to have no rows.

    Raises
    ------
    ValueError
        Naming the class and the number of rows.
    """
    empty = np.asarray(classes)[estimate.prior_ == 0]
    if len(empty):
        raise ValueError(
            f"`X`, {estimate.n_rows} rows, shows no sign of the classes "
            f"{as_labels(empty)}: their share is estimated as 0, where no threshold "
            "can be chosen. Nothing was changed. Give more rows, or say what the "
            "share is by `set_target_prior`."
        )
