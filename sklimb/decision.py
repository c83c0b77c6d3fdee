"""Which decision to take: the cross-validated threshold."""

from dataclasses import replace

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklimb._aim import Aim, check_selection, checked_confidence, checked_limits
from sklimb._base import as_seed
from sklimb._compat import StrOptions
from sklimb._ledger import prior_away_from_rows, target_prior_of
from sklimb._moving import MovableDecisionMixin
from sklimb._out_of_fold import (
    CV_CONSTRAINTS,
    OutOfFold,
    fit_out_of_fold,
    route_to_splitter,
    split_rows,
)
from sklimb._outputs import check_has_scores, class_scores
from sklimb._rows import num_rows
from sklimb._scoring import resolve_scoring
from sklimb._steps import FitResult, fitted
from sklimb._threshold_layer import (
    BaseThresholdClassifier,
    SampleCostMixin,
    check_fits_rule,
)
from sklimb._tuning import warn_of_few_positives
from sklimb._tuning_kinds import tuning_of
from sklimb._validation import as_labels, check_pos_label, check_prior, is_number
from sklimb.calibrating import has_calibration, kept_out_of_fold
from sklimb.exceptions import StalePriorError
from sklimb.thresholds import SELECTIONS, ThresholdRule, check_sample_cost
from sklimb.thresholds._unreachable import warn_of_unreachable_classes

__all__ = ["OptimalThresholdClassifierCV"]


class OptimalThresholdClassifierCV(
    SampleCostMixin, MovableDecisionMixin, BaseThresholdClassifier
):
    """Choose the threshold with the best score on out-of-fold predictions, exactly.

    Every distinct out-of-fold score is a candidate, "none positive" and "all
    positive" as well. The mean over folds of the score is a step function of
    the threshold, and is maximised exactly: the threshold lies in the middle of
    the gap between two scores, and of equal optima in the middle of the widest
    plateau. A row is positive where its score is at least the threshold. Of more
    than two classes each has a threshold, and the class of the greatest
    probability over its threshold is predicted; these are searched for as
    :func:`sklimb.thresholds.optimal_class_thresholds` does.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``, or else ``decision_function``.
    scoring : str or callable, default="balanced_accuracy"
        What to maximise: a name of :func:`sklimb.thresholds.metric_names`
        (fast), or any scikit-learn scorer that works on labels (the same
        result, slower; of several classes a grid of cuts). With costs, leave it
        out.
    constraints : mapping, default=None
        Limits that the decision keeps on all rows out of fold, ``{name: (low,
        high)}``, None for an open end: names of metrics, and ``"alert_rate"``,
        the share of rows predicted positive. ``"recall"``, ``"precision"`` and
        ``"alert_rate"`` also by class, ``{"recall": {label: (low, high)}}``.
    constraint_confidence : float, default=None
        The probability that a threshold which is returned keeps the constraints
        on new rows, for scores that the kept model itself gave
        (``cv="prefit"``, or ``refit=False``); with other folds it is about
        that. None for constraints on these rows alone. For two classes.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        What decisions cost, rows true and columns predicted; a gain is
        negative. The least mean cost is then the aim. ``fit`` takes costs of
        single rows, ``sample_cost``.
    reject_cost, reject_label : default=None
        Rows whose least expected cost is higher than ``reject_cost`` are given
        ``reject_label``, and choose no threshold. Without ``cost_matrix`` every
        error costs 1.
    target_prior : array-like, mapping, float or "uniform", default=None
        The class distribution that the score is measured at, by importance
        weights. None: the prior that the wrapped estimator was corrected to,
        where it was, else the rows as they are.
    pos_label : label, default=None
        The positive class; None for ``classes_[1]``.
    aggregation : {"mean", "pooled"}, default="mean"
        Maximise the mean of the folds' scores, or the score of all folds' rows
        taken together.
    selection : {"exact", "expected", "bagged", "combined", "one_standard_error", \
"auto"}, default="exact"
        Which cut to take, as the greatest score of a sample is a noisy one: see
        :func:`sklimb.thresholds.choose_cut`. ``"auto"`` is ``"combined"``, and
        ``"exact"`` for scorers that are no metric of the table. Several classes
        have no ``"one_standard_error"``; limits and costs of rows are exact.
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
    classes_ : ndarray of shape (n_classes,)
    best_threshold_ : float, or ndarray of shape (n_classes,)
        On probabilities, or on decision values where there are none. Of several
        classes one each, inf for a class that is never predicted.
    rule_ : ThresholdRule
        What decides.
    best_score_ : float
        The score of every fold at a threshold that the other folds chose.
    apparent_score_ : float
        The score at the threshold; optimistic, as the same rows chose it. Of
        costs minus the mean.
    best_score_std_ : float
        The standard deviation over folds of the score at the threshold.
    fold_thresholds_ : ndarray of shape (n_folds,) or (n_folds, n_classes)
        Each fold's own best threshold; nan where a fold could not be used.
    threshold_interval_ : tuple (low, high)
        How far the threshold would move with other rows of the same source: 95 %
        of bootstrap resamples, groups drawn whole. nan for several classes, with
        ``constraint_confidence``, and for scorers that are no metric of the table.
    reject_rate_ : float
        With ``reject_cost``: the share of rows out of fold that are rejected.
    scoring_prior_ : ndarray of shape (n_classes,) or None
        The prior that the score was measured at; None for the rows as they are.
    tuned_target_prior_ : ndarray of shape (n_classes,) or None
        The wrapped estimator's target prior that the threshold belongs to.
    out_of_fold_ : OutOfFold
        The out-of-fold scores that the threshold was chosen on.
    cv_results_ : dict
        With ``store_cv_results``: ``thresholds`` and ``scores`` of shape
        (n_cuts,), ``fold_scores`` of shape (n_folds, n_cuts); of several classes
        ``thresholds`` and ``fold_scores`` of shape (n_folds,).
    training_prior_, empirical_prior_ : ndarray of shape (n_classes,)
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

    _own_params = ("sample_cost",)
    _parameter_constraints = {
        **BaseThresholdClassifier._parameter_constraints,
        **CV_CONSTRAINTS,
        "scoring": "no_validation",  # resolve_scoring tells more
        "target_prior": "no_validation",
        "pos_label": "no_validation",
        "constraints": "no_validation",
        "constraint_confidence": "no_validation",
        "cost_matrix": "no_validation",
        "reject_cost": "no_validation",
        "reject_label": "no_validation",
        "aggregation": [StrOptions({"mean", "pooled"})],
        "selection": [StrOptions({"auto", *SELECTIONS})],
        "refit": ["boolean"],
        "store_cv_results": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        *,
        scoring="balanced_accuracy",
        constraints=None,
        constraint_confidence=None,
        cost_matrix=None,
        reject_cost=None,
        reject_label=None,
        target_prior=None,
        pos_label=None,
        aggregation="mean",
        selection="exact",
        cv=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        store_cv_results=False,
    ):
        super().__init__(estimator)
        self.scoring = scoring
        self.constraints = constraints
        self.constraint_confidence = constraint_confidence
        self.cost_matrix = cost_matrix
        self.reject_cost = reject_cost
        self.reject_label = reject_label
        self.target_prior = target_prior
        self.pos_label = pos_label
        self.aggregation = aggregation
        self.selection = selection
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    def _fit(self, data):
        costs = data.own.get("sample_cost")
        if costs is not None:
            costs = check_sample_cost(costs, num_rows(data.source), len(data.classes))
        aim = self._aim(data.classes, costs is not None)
        prior = self._given_prior(self.target_prior, data.classes)
        check_has_scores(self.estimator)
        check_fits_rule(self.estimator, self._new_rule(aim, None))
        if self.cost_matrix is not None:
            warn_of_unreachable_classes(self.cost_matrix, data.classes)
        estimator, out_of_fold = yield from self._out_of_fold(data)
        if costs is not None:
            out_of_fold = replace(out_of_fold, costs=costs[out_of_fold.rows])
        target = target_prior_of(estimator)
        if target is not None:  # each fold has an empirical prior of its own
            out_of_fold = out_of_fold.corrected_to(target)
        if prior is None:
            prior = self._given_prior(prior_away_from_rows(estimator), data.classes)
        tuned = self._tuned(out_of_fold, aim, prior)
        warn_of_few_positives(out_of_fold, tuned["_tuning"])
        return {
            "estimator_": estimator,
            "out_of_fold_": out_of_fold,
            "tuned_target_prior_": target,
            **tuned,
        }

    def _aim(self, classes, costs_by_row):
        """Return what the decision is chosen for; anything wrong raises."""
        positive = check_pos_label(self.pos_label, classes)
        scoring = resolve_scoring(
            self.scoring, classes, positive, self.cost_matrix, costs_by_row
        )
        return Aim(
            classes,
            positive,
            scoring,
            self.aggregation,
            check_selection(self.selection, scoring),
            checked_limits(self.constraints, classes),
            checked_confidence(self.constraint_confidence, self.constraints, classes),
            self._rejection(classes),
            as_seed(self.random_state, 0),
        )

    def _rejection(self, classes):
        if self.reject_cost is None and self.reject_label is None:
            return None
        return ThresholdRule(
            classes,
            cost_matrix=self.cost_matrix,
            reject_cost=self.reject_cost,
            reject_label=self.reject_label,
        )

    def _given_prior(self, prior, classes):
        if prior is None:
            return None
        named = {"name": "target_prior", "pos_label": self.pos_label}
        return check_prior(prior, classes, allow_zero=False, **named)

    def _out_of_fold(self, data):
        """Take the steps to the estimator to keep and the scores to tune on."""
        if self._shares_folds():
            estimator = yield from fitted(self._new_estimator(), data)
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
        estimator = self._new_estimator()
        return (
            yield from fit_out_of_fold(
                estimator, data, folds, refit=self.refit, n_jobs=self.n_jobs
            )
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

    def _tuned(self, out_of_fold, aim, prior):
        """Return the fitted attributes that depend on the scores and their prior."""
        tuning = tuning_of(out_of_fold, aim, prior)
        threshold = tuning.threshold
        attributes = {
            "_tuning": tuning,
            "best_threshold_": threshold
            if is_number(threshold)
            else np.array(threshold),
            "apparent_score_": tuning.score,
            "best_score_std_": float(np.std(tuning.fold_scores)),
            "scoring_prior_": prior,
            "rule_": self._new_rule(aim, threshold),
        }
        if tuning.reject_rate is not None:
            attributes["reject_rate_"] = tuning.reject_rate
        if self.store_cv_results:
            attributes["cv_results_"] = tuning.cv_results()
        return attributes

    def _new_rule(self, aim, threshold):
        if threshold is None:  # what kind of rule it will be
            threshold = 0.5 if len(aim.classes) == 2 else [1.0] * len(aim.classes)
        return ThresholdRule(
            aim.classes,
            threshold,
            self._positive_label(aim.classes),
            self.cost_matrix if self.reject_cost is not None else None,
            self.reject_cost,
            self.reject_label,
        )

    @property
    def best_score_(self):
        """The score of rows that did not choose: each fold's by the others' choice."""
        check_is_fitted(self, "estimator_")
        return self._tuning.nested_score

    @property
    def fold_thresholds_(self):
        """Each fold's own best threshold; nan where a fold could not be used."""
        check_is_fitted(self, "estimator_")
        return self._tuning.fold_thresholds

    @property
    def threshold_interval_(self):
        """The range of stability of the threshold, (low, high)."""
        check_is_fitted(self, "estimator_")
        return self._tuning.interval

    def _rule(self):
        """Return the rule, where it still fits the probabilities."""
        prior = target_prior_of(self.estimator_)
        if prior is None or np.array_equal(prior, self.tuned_target_prior_):
            return self.rule_
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
