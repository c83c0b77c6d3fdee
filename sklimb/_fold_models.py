"""The models of folds, asked about new rows as about those that they left out."""

from dataclasses import dataclass

import numpy as np

from sklimb._ledger import target_prior_of
from sklimb._outputs import probabilities, rest, rests
from sklimb.priors import correct_proba

__all__ = ["FoldModels"]


@dataclass(frozen=True)
class FoldModels:
    """What scored out-of-fold rows, and the probabilities as they were then.

    Attributes
    ----------
    estimators : list of fitted classifier
        One a fold.
    target_priors : list of ndarray of shape (n_classes,), or of None
        What each corrected its probabilities to.
    proba : ndarray of shape (n_rows, n_classes)
        Of the out-of-fold rows.
    """

    estimators: list
    target_priors: list
    proba: np.ndarray

    def proba_of(self, X):
        """Return each model's probabilities of new rows, corrected as ``proba`` was.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        list of ndarray of shape (n_rows, n_classes)
        """
        pairs = zip(self.estimators, self.target_priors, strict=True)
        return [proba_at(estimator, prior, X) for estimator, prior in pairs]


def proba_at(estimator, prior, X):
    """Return probabilities at the prior that an estimator once corrected to."""
    rested = rests(estimator)
    proba = probabilities(estimator, X)
    if rested:  # one compiled model then serves all folds
        rest(estimator)
    now = target_prior_of(estimator)
    if now is None or np.array_equal(now, prior):
        return proba
    return correct_proba(proba, now, prior)
