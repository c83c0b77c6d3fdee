"""A tuned decision, moved to another prior without training."""

from sklearn.utils.validation import check_is_fitted

from sklimb._adaptation import check_threshold_can_follow
from sklimb._ledger import prior_holder, retargetable, target_prior_of

__all__ = ["MovableDecisionMixin"]


class MovableDecisionMixin:
    """Probabilities and threshold go to another prior together.

    The class has ``estimator_``, ``out_of_fold_``, and the methods ``_aim``,
    ``_given_prior`` and ``_tuned``.
    """

    def set_target_prior(self, prior):
        """Move probabilities and threshold to another prior, without training.

        Where the wrapped estimator corrects its probabilities, they go to the
        new prior, those out of fold too. The threshold is then chosen again at
        that prior, on the out-of-fold scores kept from ``fit``.

        Parameters
        ----------
        prior : array-like, mapping, float, "uniform" or "empirical"
            As ``target_prior``; ``"empirical"`` is that of the rows given to
            ``fit``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it is no prior of ``classes_``; everything stays as it was.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "estimator_")
        if isinstance(prior, str) and prior == "empirical":
            prior, scoring_prior = self.empirical_prior_, None
        else:
            prior = scoring_prior = self._given_prior(prior, self.classes_)
        corrector = retargetable(self.estimator_)
        out_of_fold = self.out_of_fold_
        if corrector is not None:
            out_of_fold = out_of_fold.corrected_to(prior)
        aim = self._aim(self.classes_, out_of_fold.costs is not None)
        fitted = self._tuned(out_of_fold, aim, scoring_prior)
        if corrector is not None:
            corrector.set_target_prior(prior)
            fitted["tuned_target_prior_"] = target_prior_of(self.estimator_)
        vars(self).update(fitted, out_of_fold_=out_of_fold)
        return self

    def adapt(self, X, method="mle", *, half_life=None):
        """Estimate the deployment prior from rows without labels, and move to it.

        Probabilities and threshold move as by :meth:`set_target_prior`; nothing
        is trained. Out-of-fold scores kept from ``fit`` tell how sure the
        estimate is.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows
            Where the model is used; no labels.
        method : {"mle", "em", "bbse", "rlls"}, default="mle"
            As for :func:`sklimb.priors.estimate_prior`.
        half_life : float, default=None
            As for :meth:`PriorCorrectedClassifier.adapt`.

        Returns
        -------
        self
            With ``prior_estimate_``.

        Raises
        ------
        TypeError
            If the wrapped estimator doesn't correct its probabilities.
        ValueError
            If ``X`` is not valid, or a class is estimated to have no rows;
            everything stays as it was.
        sklearn.exceptions.NotFittedError
            Before ``fit``.

        Warns
        -----
        LabelShiftViolationWarning
            If no prior explains the rows, in one of twenty cases by chance.
        """
        check_is_fitted(self, "estimator_")
        corrector = retargetable(self.estimator_)
        if corrector is None:
            raise TypeError(
                f"`estimator`={type(self.estimator_).__name__} has no target prior "
                "that could be adapted. Put a PriorCorrectedClassifier around it, "
                "inside of this."
            )
        estimate, recent = corrector._estimated_target(
            X, method, half_life, self.out_of_fold_
        )
        check_threshold_can_follow(estimate, self.classes_)
        self.set_target_prior(estimate.prior_)
        corrector._adapted(estimate, recent)
        return self

    @property
    def prior_estimate_(self):
        """The estimate of the target prior, after ``adapt``."""
        return prior_holder(self.estimator_, "prior_estimate_").prior_estimate_
