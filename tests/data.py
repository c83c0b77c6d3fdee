"""Small datasets that tests share."""

import numpy as np
from scipy.special import expit


def imbalanced(n_rows=1500, *, prevalence_logit=-2.5, n_features=3, seed=0):
    """Draw rows of a logistic model with about one positive in ten."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_features))
    y = random.random(n_rows) < expit(prevalence_logit + 1.5 * X[:, 0] - X[:, 1])
    return X, y.astype(int)
