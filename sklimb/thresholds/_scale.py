"""The scale that thresholds are averaged on and scores are shifted on."""

import numpy as np
from scipy.special import expit, logit

__all__ = ["log_odds_of"]


def log_odds_of(scores):
    """Return functions to the log-odds of such scores, and back.

    Probabilities of 0 and 1 are taken for a bit beyond the others' extremes. Scores
    that are no probabilities stay as they are.
    """
    if scores.max() > 1 or scores.min() < 0:
        return np.asarray, np.asarray
    inner = scores[(scores > 0) & (scores < 1)]
    tiny, below_1 = np.finfo(np.float64).tiny, np.nextafter(1, 0)
    low = max(inner.min(initial=0.5) / 2, tiny)
    high = min((1 + inner.max(initial=0.5)) / 2, below_1)
    return lambda p: logit(np.clip(p, low, high)), expit
