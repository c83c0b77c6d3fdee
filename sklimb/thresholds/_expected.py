"""Calibrated probabilities in place of labels: counts of less variance."""

import numpy as np
from scipy.special import expit, log_expit, logit

__all__ = ["calibrated_proba", "soft_parts"]

LEAST_PROBABILITY = 1e-7  # a float32 cannot come nearer to 1
MOST_STEPS = 50


def soft_parts(parts):
    """Return each part's rows twice: positive by their probability, and negative.

    The counts of such rows are expectations of the counts of their labels.
    """
    positives, scores, weights = zip(*parts, strict=True)
    sizes = [len(score) for score in scores]
    weights = [
        np.ones(n) if w is None else w for w, n in zip(weights, sizes, strict=True)
    ]
    rows = map(np.concatenate, (positives, scores, weights))
    proba = np.split(calibrated_proba(*rows), np.cumsum(sizes)[:-1])
    return [
        (
            np.repeat([True, False], len(score)),
            np.tile(score, 2),
            np.concatenate([weight * p, weight * (1 - p)]),
        )
        for score, weight, p in zip(scores, weights, proba, strict=True)
    ]


def calibrated_proba(positive, score, weight=None):
    """Return probabilities that a monotone map of scores gives, fitted to labels.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,), float64
        Probabilities, which are calibrated by their log-odds, or other numbers.
    weight : ndarray of shape (n_rows,), float64, default=None

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    weight = np.ones(len(score)) if weight is None else weight
    target = _smoothed_labels(positive, weight)
    x = _log_odds(score)
    x = (x - x.mean()) / (x.std() or 1.0)
    ones = np.ones(len(x))
    features = np.column_stack([ones, x])
    return _fitted_proba(features, target, weight / weight.sum())


def _smoothed_labels(positive, weight):
    """Return Platt's targets, which keep the fit finite where classes separate."""
    own = np.where(positive, weight, 0), np.where(positive, 0, weight)
    # The number of equal weights that would be as sure: the same at any scale.
    n_positive, n_negative = (w.sum() ** 2 / np.sum(w**2) for w in own)
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2)
    return np.where(positive, high, low)


def _log_odds(score):
    if score.min() < 0 or score.max() > 1:
        return score
    return logit(score.clip(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))


def _fitted_proba(features, target, weight):
    """Return the probabilities of a logistic regression, by Newton steps."""

    def loss(coefficients):
        z = features @ coefficients
        return -weight @ (target * log_expit(z) + (1 - target) * log_expit(-z))

    coefficients = np.append(logit(weight @ target), np.zeros(features.shape[1] - 1))
    for _ in range(MOST_STEPS):
        proba = expit(features @ coefficients)
        slope = features.T @ (weight * (proba - target))
        bend = (features.T * (weight * proba * (1 - proba))) @ features
        step = np.linalg.lstsq(bend, slope, rcond=None)[0]
        while loss(coefficients - step) > loss(coefficients) and abs(step).max() > 1e-9:
            step /= 2
        coefficients = coefficients - step
        if abs(step).max() < 1e-7:
            break
    return expit(features @ coefficients)
