"""Calibrated probabilities: fitted on rows that the classifier did not train on."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sklimb._base import BaseProbabilityClassifier
from sklimb._ledger import check_balancing_is_known, prior_away_from_rows
from sklimb._out_of_fold import (
    CV_CONSTRAINTS,
    fit_out_of_fold,
    route_to_splitter,
    split_rows,
)
from sklimb._outputs import log_probabilities
from sklimb._validation import as_labels
from sklimb.calibration import check_method, fit_calibration
from sklimb.correction import PriorCorrectedClassifier
from sklimb.exceptions import TrainingPriorError
from sklimb.priors import correct_log_proba

__all__ = ["CalibratedLogitsClassifierCV", "has_calibration", "kept_out_of_fold"]


class CalibratedLogitsClassifierCV(BaseProbabilityClassifier):
    """Calibrate log-probabilities on out-of-fold predictions.

    Class weights and the like are taken out first (``training_prior_``), then
    ``log p' = log_softmax(scale * log p + bias)`` is fitted to rows that the
    predicting model did not train on. So an over-fitted or under-trained
    classifier gets probabilities that can be believed, at the prior of the rows
    given to ``fit``. Put :class:`PriorCorrectedClassifier` around it for
    another one.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``. What balances inside without saying to what is
        an error for ``"temperature"``; biases take it up.
    method : {"temperature", "bias_corrected_temperature", "vector"}, \
default="bias_corrected_temperature"
        As for :func:`sklimb.calibration.fit_calibration`.
    cv : int, float, "prefit", splitter or iterable, default=None
        None is 5 stratified folds; a float is one stratified hold-out of that
        share; ``"prefit"`` takes a fitted estimator as it is, and the rows
        given to ``fit``, which it should not have seen, calibrate it (inside
        another estimator, which clones, put it in a ``FrozenEstimator``).
    n_jobs : int, default=None
        Fits at a time, as in joblib. Results don't depend on it.
    random_state : int, RandomState or None, default=None
        For the hold-out, and for every ``random_state`` of the wrapped
        estimator that is None.

    Attributes
    ----------
    estimator_ : fitted classifier
        On all rows; frozen with ``cv="prefit"``.
    classes_ : ndarray of shape (n_classes,)
    calibration_ : Calibration
        Fitted to all out-of-fold predictions, at ``empirical_prior_``.
    source_prior_ : ndarray of shape (n_classes,)
        The prior that the wrapped classifier's probabilities belong to; that
        of the rows where nobody says.
    training_prior_, empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``: what
        the calibrated probabilities belong to.
    out_of_fold_ : OutOfFold
        Out-of-fold probabilities, each calibrated by a fit to the other folds.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    See Also
    --------
    sklimb.calibration.fit_calibration : The same on arrays.
    sklearn.calibration.CalibratedClassifierCV : Without the ledger.

    References
    ----------
    Guo et al. (2017), "On calibration of modern neural networks"; Alexandari et
    al. (2020), "Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation".

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import log_loss
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklimb import CalibratedLogitsClassifierCV
    >>> X, y = make_classification(4000, weights=[0.9], class_sep=0.7, random_state=2)
    >>> X, X_new, y, y_new = train_test_split(X, y, stratify=y, random_state=0)
    >>> tree = DecisionTreeClassifier(max_depth=8, random_state=0)
    >>> f"{log_loss(y_new, tree.fit(X, y).predict_proba(X_new)):.2f}"
    '0.87'
    >>> calibrated = CalibratedLogitsClassifierCV(tree).fit(X, y)
    >>> f"{log_loss(y_new, calibrated.predict_proba(X_new)):.2f}"
    '0.24'
    """

    _parameter_constraints = {
        **BaseProbabilityClassifier._parameter_constraints,
        **CV_CONSTRAINTS,
        "method": "no_validation",  # check_method tells more
    }

    def __init__(
        self,
        estimator,
        *,
        method="bias_corrected_temperature",
        cv=None,
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(estimator)
        self.method = method
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, data):
        check_method(self.method)
        corrected, out_of_fold = yield from self._at_rows_prior(data)
        check_target_is_that_of_rows(corrected.estimator_)
        calibration = fit_calibration(
            out_of_fold.scores,
            out_of_fold.class_numbers,
            self.method,
            sample_weight=out_of_fold.sample_weight,
        )
        if calibration.at_bound:
            warn_of_bound(np.max(calibration.scale))
        return {
            "estimator_": corrected.estimator_,
            "source_prior_": corrected.source_prior_,
            "calibration_": calibration,
            "out_of_fold_": cross_fitted(out_of_fold, self.method),
        }

    def _at_rows_prior(self, data):
        """Take the steps to a fitted estimator and the rows' log-probabilities."""
        prefit = isinstance(self.cv, str)
        if prefit:
            check_is_fitted(self.estimator)
            estimator = FrozenEstimator(self.estimator)
            folds = [(None, np.arange(len(data.y)))]
        else:
            estimator = self._new_estimator()
            folds = split_rows(self.cv, data, self.random_state)
        prior = data.empirical_prior
        corrected = PriorCorrectedClassifier(
            estimator, target_prior=prior, training_prior=self._source_prior(prior)
        )
        return (
            yield from fit_out_of_fold(
                corrected,
                data,
                folds,
                refit=not prefit,
                n_jobs=self.n_jobs,
                score=log_probabilities,
            )
        )

    def _source_prior(self, empirical):
        """Return what to correct from; where nobody can tell, biases take it up."""
        if self.method == "temperature":
            return "auto"
        try:
            check_balancing_is_known(self.estimator)
        except TrainingPriorError:
            return empirical
        return "auto"

    @property
    def training_prior_(self):
        """The prior that the probabilities belong to: that of the rows."""
        return self.empirical_prior_

    def predict_log_proba(self, X):
        """Predict natural logarithms of calibrated probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64

        Raises
        ------
        ValueError
            If the wrapped estimator was moved to another target prior.
        """
        check_is_fitted(self, "estimator_")
        check_target_is_that_of_rows(self.estimator_)
        log_proba = log_probabilities(self.estimator_, X)
        return self.calibration_.apply(
            correct_log_proba(log_proba, self.source_prior_, self.empirical_prior_)
        )

    def get_metadata_routing(self):
        """Return what metadata ``fit`` takes and where it goes.

        Returns
        -------
        MetadataRouter
        """
        return route_to_splitter(super().get_metadata_routing(), self.cv)


def check_target_is_that_of_rows(estimator):
    """Raise where a wrapped estimator corrects to a prior other than its rows' own.

    Raises
    ------
    ValueError
        Saying where the correction belongs.
    """
    target = prior_away_from_rows(estimator)
    if target is not None:
        raise ValueError(
            f"`estimator` corrects its probabilities to the target prior "
            f"{as_labels(target)}, which would have no effect: a calibration is fitted "
            "at the prior of the rows. Put PriorCorrectedClassifier(target_prior=...) "
            "around CalibratedLogitsClassifierCV, not inside."
        )


def warn_of_bound(scale):
    """Warn of a scale that would be more extreme yet, were it let.

    Warns
    -----
    ConvergenceWarning
        Saying what that means.
    """
    what, see = (
        ("no better than chance", "whether it trains at all")
        if scale < 1
        else ("perfectly, but timidly", "whether a column gives `y` away")
    )
    warnings.warn(
        f"The scale of the calibration went to its bound of {scale:g}: out of fold, "
        f"the probabilities of `estimator` tell the classes {what}. See {see}.",
        ConvergenceWarning,
        stacklevel=4,
    )


def cross_fitted(out_of_fold, method):
    """Return calibrated probabilities that are out of fold for the calibration too.

    Parameters
    ----------
    out_of_fold : OutOfFold
        Its scores are log-probabilities.
    method : str

    Returns
    -------
    OutOfFold
    """
    log_proba, weight = out_of_fold.scores, out_of_fold.sample_weight
    parts = out_of_fold.dealt().fold
    proba = np.empty_like(log_proba)
    for part in np.unique(parts):
        own = parts == part
        calibration = fit_calibration(
            log_proba[~own],
            out_of_fold.class_numbers[~own],
            method,
            sample_weight=None if weight is None else weight[~own],
        )
        proba[own] = np.exp(calibration.apply(log_proba[own]))
    return replace(out_of_fold, scores=proba)


def has_calibration(estimator):
    """Tell whether an estimator is a calibration, or a correction of one."""
    if isinstance(estimator, PriorCorrectedClassifier):
        estimator = estimator.estimator
    return isinstance(estimator, CalibratedLogitsClassifierCV)


def kept_out_of_fold(estimator):
    """Return what a fitted calibration has kept, at the prior that it is taken for."""
    if not isinstance(estimator, PriorCorrectedClassifier):
        return estimator.out_of_fold_
    kept = estimator.estimator_.out_of_fold_
    return replace(kept, target_priors=[estimator.source_prior_] * kept.n_folds)
