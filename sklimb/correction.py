"""Probabilities at the prior where the model is used."""

from sklearn.utils.validation import check_is_fitted

from sklimb._adaptation import estimated_target, warn_if_no_prior_explains
from sklimb._base import BaseProbabilityClassifier
from sklimb._ledger import check_balancing_is_known, training_prior_of
from sklimb._outputs import (
    check_has_probabilities,
    log_probabilities,
    probabilities,
)
from sklimb._steps import fitted
from sklimb._validation import check_pos_label, check_prior
from sklimb.priors import correct_log_proba, proba_bounds

__all__ = ["PriorCorrectedClassifier"]


class PriorCorrectedClassifier(BaseProbabilityClassifier):
    """Correct a classifier's probabilities to the prior where it is used.

    Class weights, resampling and case-control data make a classifier believe
    in another class distribution than the world's. This takes that out, once:
    ``p'_c ∝ p_c * target_c / training_c``. With the defaults it undoes weights
    and resampling, so that probabilities are honest at the natural prior.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``.
    target_prior : array-like, mapping, float, "uniform" or "empirical", \
default="empirical"
        The class distribution where the model is used. A float is the
        positive class's prevalence; ``"empirical"`` is that of the rows given
        to ``fit``. A class of prior 0 is never predicted.
    training_prior : "auto", array-like, mapping, float or "uniform", default="auto"
        The class distribution that the wrapped classifier learned. ``"auto"``
        reads ``training_prior_`` of the wrapped classifier, through a
        Pipeline's last step, a search and a frozen estimator; where none keeps
        it, it is that of the rows given to ``fit`` (for a frozen estimator,
        give the rows that it was trained on, or its prior here).
    pos_label : label, default=None
        The class that a float is the prevalence of; None for ``classes_[1]``.

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : ndarray of shape (n_classes,)
    source_prior_ : ndarray of shape (n_classes,)
        The prior that the wrapped classifier's probabilities belong to.
    target_prior_ : ndarray of shape (n_classes,)
        The prior that they are corrected to.
    training_prior_ : ndarray of shape (n_classes,)
        The prior that the probabilities of this object belong to: its target.
        So whatever is put around it can't correct them a second time.
    empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``.
    prior_estimate_ : PriorEstimate
        After ``adapt``: the estimate of the target prior, with its interval.
    recent_proba_ : ndarray of shape (n_rows, n_classes)
        After ``adapt`` with ``half_life``: probabilities of the stream's last
        rows, at ``source_prior_``.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    See Also
    --------
    sklimb.priors.correct_proba : The same on arrays.

    References
    ----------
    Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a
    classifier to new a priori probabilities", Neural Computation 14(1).

    Examples
    --------
    Balanced weights make the mean probability several times too high; at the
    real prevalence it is right again.

    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb import ClassWeightedClassifier, PriorCorrectedClassifier
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> weighted = ClassWeightedClassifier(LogisticRegression())
    >>> corrected = PriorCorrectedClassifier(weighted).fit(X, y)
    >>> f"{corrected.estimator_.predict_proba(X)[:, 1].mean():.3f}"
    '0.219'
    >>> f"{corrected.predict_proba(X)[:, 1].mean():.3f}, really {y.mean():.3f}"
    '0.053, really 0.053'
    """

    _parameter_constraints = {
        **BaseProbabilityClassifier._parameter_constraints,
        "target_prior": "no_validation",  # check_prior tells more
        "training_prior": "no_validation",
        "pos_label": "no_validation",
    }

    def __init__(
        self,
        estimator,
        *,
        target_prior="empirical",
        training_prior="auto",
        pos_label=None,
    ):
        super().__init__(estimator)
        self.target_prior = target_prior
        self.training_prior = training_prior
        self.pos_label = pos_label

    def _fit(self, data):
        empirical = data.empirical_prior
        check_pos_label(self.pos_label, data.classes)
        target = self._prior(self.target_prior, data.classes, empirical)
        source = self._given_training_prior(data.classes)
        estimator = yield from fitted(self._new_estimator(), data)
        check_has_probabilities(estimator, "correct")
        if source is None:
            source = training_prior_of(estimator, empirical)
        return {
            "estimator_": estimator,
            "source_prior_": source,
            "target_prior_": target,
        }

    def _prior(self, prior, classes, empirical):
        if isinstance(prior, str) and prior == "empirical":
            return empirical
        return check_prior(
            prior, classes, pos_label=self.pos_label, name="target_prior"
        )

    def _given_training_prior(self, classes):
        """Return ``training_prior`` as an array, or None for what the ledger says."""
        if not isinstance(self.training_prior, str) or self.training_prior != "auto":
            return check_prior(
                self.training_prior,
                classes,
                pos_label=self.pos_label,
                name="training_prior",
                allow_zero=False,
            )
        check_balancing_is_known(self.estimator)  # before hours of training
        return None

    @property
    def training_prior_(self):
        """The prior that the probabilities belong to: the target."""
        return self.target_prior_

    def set_target_prior(self, prior):
        """Change the deployment prior of the fitted object, without training.

        Parameters
        ----------
        prior : array-like, mapping, float, "uniform" or "empirical"
            As ``target_prior``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it is no prior of ``classes_``; the old one stays.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "estimator_")
        self.target_prior_ = self._prior(prior, self.classes_, self.empirical_prior_)
        for name in ("prior_estimate_", "recent_proba_"):
            vars(self).pop(name, None)
        return self

    def adapt(self, X, method="mle", *, half_life=None):
        """Estimate the deployment prior from rows without labels, and move to it.

        Assumes label shift: the classes' shares changed, but not what rows of
        each class look like. The wrapped classifier's probabilities should be
        calibrated.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows
            Where the model is used; no labels.
        method : {"mle", "em", "bbse", "rlls"}, default="mle"
            As for :func:`sklimb.priors.estimate_prior`. The last two need
            out-of-fold predictions, as a :class:`CalibratedLogitsClassifierCV`
            inside keeps them; with these, intervals include the sampling error
            of the rows given to ``fit``, where they had no weights.
        half_life : float, default=None
            For a stream that drifts, a number of rows: rows of earlier calls
            count, half as much for each so many rows. Rows of ``X`` are in the
            order of time. None starts anew, and all rows count the same.

        Returns
        -------
        self
            With ``target_prior_`` and ``prior_estimate_``.

        Raises
        ------
        ValueError
            If ``X`` has no rows, or others than in ``fit``, or the method
            lacks what it needs; everything stays as it was.
        sklearn.exceptions.NotFittedError
            Before ``fit``.

        Warns
        -----
        LabelShiftViolationWarning
            If no prior explains the rows, in one of twenty cases by chance. Needs
            out-of-fold predictions, of rows without weights.
        """
        estimate, recent = self._estimated_target(X, method, half_life)
        return self._adapted(estimate, recent)

    def _estimated_target(self, X, method, half_life, out_of_fold=None):
        check_is_fitted(self, "estimator_")
        if out_of_fold is None:
            out_of_fold = getattr(self.estimator_, "out_of_fold_", None)
        found = estimated_target(
            probabilities(self.estimator_, X),
            self.source_prior_,
            self.classes_,
            method,
            out_of_fold=out_of_fold,
            half_life=half_life,
            recent=getattr(self, "recent_proba_", None),
        )
        if out_of_fold is not None:
            warn_if_no_prior_explains(X, out_of_fold, self.classes_)
        return found

    def _adapted(self, estimate, recent):
        self.set_target_prior(estimate.prior_)
        self.prior_estimate_ = estimate
        if recent is not None:
            self.recent_proba_ = recent
        return self

    def predict_proba_bounds(self, X, low, high):
        """Return the range of probabilities where the prior is known only roughly.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows
        low, high : float, array-like of shape (n_classes,) or mapping
            The least and the greatest share of each class where the model is
            used. A float is the positive class's; a mapping may leave classes
            out, which can then have any share.

        Returns
        -------
        lower, upper : ndarray of shape (n_rows, n_classes), float64
            Tight: some prior between ``low`` and ``high`` reaches each.

        Raises
        ------
        ValueError
            If no prior lies between ``low`` and ``high``.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "estimator_")
        return proba_bounds(
            probabilities(self.estimator_, X),
            self.source_prior_,
            low,
            high,
            classes=self.classes_,
            pos_label=self.pos_label,
        )

    def predict_log_proba(self, X):
        """Predict natural logarithms of probabilities at ``target_prior_``.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
        """
        check_is_fitted(self, "estimator_")
        log_proba = log_probabilities(self.estimator_, X)
        return correct_log_proba(log_proba, self.source_prior_, self.target_prior_)
