"""Which decision to take: the cross-validated threshold."""

import warnings

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklimb._adaptation import check_threshold_can_follow
from sklimb._compat import StrOptions
from sklimb._fitting import FitResult, fit_estimator
from sklimb._ledger import (
    prior_away_from_rows,
    prior_holder,
    retargetable,
    target_prior_of,
)
from sklimb._outputs import check_has_scores, class_scores
from sklimb._scoring import resolve_scoring
from sklimb._threshold_layer import BaseThresholdClassifier, check_two_classes
from sklimb._tuning import (
    CV_CONSTRAINTS,
    OutOfFold,
    fit_out_of_fold,
    route_to_splitter,
    split_rows,
    tune,
)
from sklimb._validation import as_labels, check_pos_label, check_prior
from sklimb.calibrating import has_calibration, kept_out_of_fold
from sklimb.exceptions import FewPositivesWarning, StalePriorError

__all__ = ["OptimalThresholdClassifierCV"]

# Below this many positives the best cut of a sample says little of the next one.
FEW_POSITIVES = 50


class OptimalThresholdClassifierCV(BaseThresholdClassifier):
    """Choose the threshold with the best score on out-of-fold predictions, exactly.

    Every distinct out-of-fold score is a candidate, "none positive" and "all
    positive" as well. The mean over folds of the score is a step function of
    the threshold, and is maximised exactly: the threshold lies in the middle of
    the gap between two scores, and of equal optima in the middle of the widest
    plateau. A row is positive where its score is at least the threshold.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``, or else ``decision_function``.
    scoring : str or callable, default="balanced_accuracy"
        What to maximise: a name of :func:`sklimb.thresholds.metric_names`
        (fast), or any scikit-learn scorer that works on labels (the same
        result, slower).
    target_prior : array-like, mapping, float or "uniform", default=None
        The class distribution that the score is measured at, by importance
        weights. None: the prior that the wrapped estimator was corrected to,
        where it was, else the rows as they are.
    pos_label : label, default=None
        The positive class; None for ``classes_[1]``.
    aggregation : {"mean", "pooled"}, default="mean"
        Maximise the mean of the folds' scores, or the score of all folds' rows
        taken together.
    cv : int, float, "prefit", splitter or iterable, default=None
        None is 5 stratified folds; a float is one stratified hold-out of that
        share; ``"prefit"`` takes a fitted estimator as it is, and the rows
        given to ``fit`` choose the threshold. Around a
        :class:`CalibratedLogitsClassifierCV`, or a correction of one, None is
        the calibration's own folds, so that each is trained once: the
        threshold is chosen on its ``out_of_fold_``.
    refit : bool, default=True
        Whether to fit the estimator on all rows after the folds. False needs a
        single split, and the model that the threshold was chosen on is kept.
    n_jobs : int, default=None
        Fits at a time, as in joblib. Results don't depend on it.
    random_state : int, RandomState or None, default=None
        For the hold-out, and for every ``random_state`` of the wrapped
        estimator that is None.
    store_cv_results : bool, default=False
        Whether to keep ``cv_results_``.

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : ndarray of shape (2,)
    best_threshold_ : float
        On probabilities, or on decision values where there are none.
    best_score_ : float
        The mean score at the threshold; optimistic, as the threshold was
        chosen on the same rows.
    best_score_std_ : float
        The standard deviation over folds of the score at the threshold.
    fold_thresholds_ : ndarray of shape (n_folds,)
        Each fold's own best threshold; nan where a fold could not be used.
    scoring_prior_ : ndarray of shape (2,) or None
        The prior that the score was measured at; None for the rows as they are.
    tuned_target_prior_ : ndarray of shape (2,) or None
        The wrapped estimator's target prior that the threshold belongs to.
    out_of_fold_ : OutOfFold
        The out-of-fold scores that the threshold was chosen on.
    cv_results_ : dict
        With ``store_cv_results``: ``thresholds`` and ``scores`` of shape
        (n_cuts,), ``fold_scores`` of shape (n_folds, n_cuts).
    training_prior_, empirical_prior_ : ndarray of shape (2,)
        The prior that the probabilities belong to; class shares of the rows.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Looks at a grid of cuts.
    sklimb.thresholds.optimal_threshold : The same on arrays.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import confusion_matrix
    >>> from sklimb import OptimalThresholdClassifierCV
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> confusion_matrix(y, LogisticRegression().fit(X, y).predict(X))
    array([[1866,   28],
           [  97,    9]])
    >>> tuned = OptimalThresholdClassifierCV(LogisticRegression(), scoring="f1")
    >>> confusion_matrix(y, tuned.fit(X, y).predict(X))
    array([[1741,  153],
           [  18,   88]])
    """

    _parameter_constraints = {
        **BaseThresholdClassifier._parameter_constraints,
        **CV_CONSTRAINTS,
        "scoring": "no_validation",  # resolve_scoring tells more
        "target_prior": "no_validation",
        "pos_label": "no_validation",
        "aggregation": [StrOptions({"mean", "pooled"})],
        "refit": ["boolean"],
        "store_cv_results": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        *,
        scoring="balanced_accuracy",
        target_prior=None,
        pos_label=None,
        aggregation="mean",
        cv=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        store_cv_results=False,
    ):
        super().__init__(estimator)
        self.scoring = scoring
        self.target_prior = target_prior
        self.pos_label = pos_label
        self.aggregation = aggregation
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    def _fit(self, data):
        check_two_classes(data.classes)
        metric = self._metric(data.classes)
        prior = self._given_prior(self.target_prior, data.classes)
        check_has_scores(self.estimator)
        estimator, out_of_fold = self._out_of_fold(data)
        target = target_prior_of(estimator)
        if target is not None:  # each fold has an empirical prior of its own
            out_of_fold = out_of_fold.corrected_to(target)
        self._warn_of_few_positives(out_of_fold, data.classes)
        if prior is None:
            prior = self._given_prior(prior_away_from_rows(estimator), data.classes)
        return {
            "estimator_": estimator,
            "out_of_fold_": out_of_fold,
            "tuned_target_prior_": target,
            **self._tuned(out_of_fold, metric, data.classes, prior),
        }

    def _metric(self, classes):
        return resolve_scoring(
            self.scoring, classes, check_pos_label(self.pos_label, classes)
        )

    def _given_prior(self, prior, classes):
        if prior is None:
            return None
        return check_prior(
            prior,
            classes,
            pos_label=self.pos_label,
            name="target_prior",
            allow_zero=False,
        )

    def _out_of_fold(self, data):
        """Return the estimator to keep and the scores to tune on."""
        if self._shares_folds():
            estimator = fit_estimator(self._new_estimator(), data)
            return estimator, kept_out_of_fold(estimator)
        if isinstance(self.cv, str):
            return self._prefit_scores(data)
        folds = split_rows(self.cv, data, self.random_state)
        if not self.refit and len(folds) > 1:
            raise ValueError(
                f"`refit`=False keeps the model that the threshold was chosen on; with "
                f"{len(folds)} folds there are several. Give `cv` a float (one "
                "hold-out), or set refit=True."
            )
        return fit_out_of_fold(
            self._new_estimator(), data, folds, refit=self.refit, n_jobs=self.n_jobs
        )

    def _shares_folds(self):
        """Tell whether a calibration inside cross-validates for the threshold too."""
        return self.cv is None and self.refit and has_calibration(self.estimator)

    def _prefit_scores(self, data):
        check_is_fitted(self.estimator)
        result = FitResult(
            self.estimator,
            class_scores(self.estimator, data.X),
            target_prior_of(self.estimator),
        )
        rows = np.arange(len(data.y))
        return self.estimator, OutOfFold.collect(data, [rows], [result])

    def _warn_of_few_positives(self, out_of_fold, classes):
        positive = check_pos_label(self.pos_label, classes)
        rows = np.unique(out_of_fold.rows[out_of_fold.class_numbers == positive])
        if len(rows) < FEW_POSITIVES:
            warnings.warn(
                f"The threshold rests on {len(rows)} rows of the positive class "
                f"{as_labels(classes)[positive]!r}; with fewer than {FEW_POSITIVES} it "
                "is a rough guess. Look at `fold_thresholds_` for its spread.",
                FewPositivesWarning,
                stacklevel=4,
            )

    def _tuned(self, out_of_fold, metric, classes, prior):
        """Return the fitted attributes that depend on the scores and their prior."""
        positive = check_pos_label(self.pos_label, classes)
        tuned = tune(out_of_fold, metric, positive, prior, self.aggregation)
        fitted = {
            "best_threshold_": tuned.threshold,
            "best_score_": tuned.score,
            "best_score_std_": tuned.score_std,
            "fold_thresholds_": tuned.fold_thresholds,
            "scoring_prior_": prior,
        }
        if self.store_cv_results:
            fitted["cv_results_"] = tuned.cv_results()
        return fitted

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
        metric = self._metric(self.classes_)
        fitted = self._tuned(out_of_fold, metric, self.classes_, scoring_prior)
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

    def _threshold(self):
        """Return the threshold, where it still fits the probabilities."""
        prior = target_prior_of(self.estimator_)
        if prior is None or np.array_equal(prior, self.tuned_target_prior_):
            return self.best_threshold_
        raise StalePriorError(
            f"The threshold was chosen at the target prior "
            f"{as_labels(self.tuned_target_prior_)}, and the wrapped estimator now "
            f"has {as_labels(prior)}. Call `set_target_prior` of this "
            f"{type(self).__name__}, which moves both."
        )

    def _routed(self, params):
        if self._shares_folds():  # it is the calibration that splits
            return Bunch(estimator=Bunch(fit=params), splitter=Bunch(split={}))
        return super()._routed(params)

    def get_metadata_routing(self):
        """Return what metadata ``fit`` takes and where it goes.

        Returns
        -------
        MetadataRouter
        """
        return route_to_splitter(super().get_metadata_routing(), self.cv)
