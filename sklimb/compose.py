"""The whole line as one estimator with flat parameter names."""

from numbers import Integral

from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from sklimb._base import BaseImbalanceClassifier
from sklimb._compat import Interval, RealNotInt
from sklimb._ledger import prior_holder, retargetable
from sklimb._steps import fitted
from sklimb._threshold_layer import FixedThresholdClassifier, SampleCostMixin
from sklimb._validation import as_labels, check_pos_label, is_number
from sklimb.calibrating import CalibratedLogitsClassifierCV
from sklimb.calibration import check_method
from sklimb.correction import PriorCorrectedClassifier
from sklimb.decision import OptimalThresholdClassifierCV
from sklimb.ensemble import NetworkEnsembleClassifier
from sklimb.resampling import ResampledClassifier
from sklimb.thresholds import ThresholdRule
from sklimb.weighting import ClassWeightedClassifier

__all__ = ["ImbalanceAwareClassifier"]


class ImbalanceAwareClassifier(SampleCostMixin, BaseImbalanceClassifier):
    """Weights or sampling, honest probabilities and the right threshold in one.

    It builds the nest that one would write by hand,
    ``OptimalThresholdClassifierCV(PriorCorrectedClassifier(
    CalibratedLogitsClassifierCV(NetworkEnsembleClassifier(ClassWeightedClassifier(
    ResampledClassifier(estimator))))))``, and has parameters with flat names that
    ``GridSearchCV`` can search.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``.
    class_weight : default=None
        As for :class:`ClassWeightedClassifier`; None for no weights.
    sampler : {"over", "under", "batches"} or object, default=None
        As for :class:`ResampledClassifier`; None for no resampling. Together
        with ``class_weight``, which counts the natural rows, both have effect.
    sampling_prior : array-like, mapping, float or "uniform", default="uniform"
        The class shares that ``sampler`` is to reach. Without a sampler there
        is nothing that it could set, so that a grid may have both parameters.
    calibration : {"temperature", "bias_corrected_temperature", "vector"}, \
default=None
        As ``method`` of :class:`CalibratedLogitsClassifierCV`, on the same
        out-of-fold predictions as the threshold; None for no calibration.
    n_estimators : int, default=1
        Of how many members a :class:`NetworkEnsembleClassifier` is, each with
        rows of its own from ``sampler``; 1 for no ensemble.
    target_prior : array-like, mapping, float, "uniform" or "empirical", \
default="empirical"
        The class distribution where the model is used: probabilities are
        corrected to it, and the threshold is chosen at it.
    threshold : "tune", float, array-like, mapping, "bayes" or None, default="tune"
        ``"tune"`` chooses it on out-of-fold predictions, for several classes one
        each. A float, or one above 0 for each class, is used as it is, on
        corrected probabilities. ``"bayes"`` decides for the least expected cost
        by ``cost_matrix``; None for the class of the greatest probability.
    scoring, constraints, constraint_confidence, selection
        For ``threshold="tune"``, as for :class:`OptimalThresholdClassifierCV`.
    cost_matrix, reject_cost, reject_label
        What decisions cost, and from which expected cost a row is given
        ``reject_label`` instead, as for :class:`OptimalThresholdClassifierCV`.
    cv, n_jobs
        For a calibration and ``threshold="tune"``, as in their classes; ``n_jobs``
        for an ensemble, too.
    pos_label : label, default=None
        The positive class; None for ``classes_[1]``.
    random_state : int, RandomState or None, default=None
        For every ``random_state`` inside that is None, and for a hold-out
        ``cv``.

    Attributes
    ----------
    estimator_ : fitted estimator
        The nest.
    classes_ : ndarray of shape (n_classes,)
    training_prior_ : ndarray of shape (n_classes,)
        The prior that the probabilities belong to: the target.
    target_prior_ : ndarray of shape (n_classes,)
    empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``.
    decision_rule_ : dict
        What decides: the rule of :class:`sklimb.thresholds.ThresholdRule`, priors
        and calibration, as plain values that JSON can hold.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import confusion_matrix
    >>> from sklearn.model_selection import train_test_split
    >>> from sklimb import ImbalanceAwareClassifier
    >>> X, y = make_classification(4000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> X, X_new, y, y_new = train_test_split(X, y, stratify=y, random_state=0)
    >>> confusion_matrix(y_new, LogisticRegression().fit(X, y).predict(X_new))
    array([[935,   9],
           [ 39,  17]])
    >>> aware = ImbalanceAwareClassifier(LogisticRegression(), class_weight="balanced")
    >>> confusion_matrix(y_new, aware.fit(X, y).predict(X_new))
    array([[829, 115],
           [  6,  50]])
    """

    _parameter_constraints = {
        **BaseImbalanceClassifier._parameter_constraints,
        **{
            name: OptimalThresholdClassifierCV._parameter_constraints[name]
            for name in ("scoring", "selection", "n_jobs", "random_state")
        },
        # No "prefit": a frozen estimator says the same.
        "cv": ["cv_object", Interval(RealNotInt, 0, 1, closed="neither")],
        "class_weight": "no_validation",  # the layers tell more
        "sampler": "no_validation",
        "sampling_prior": "no_validation",
        "calibration": "no_validation",
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "target_prior": "no_validation",
        "threshold": "no_validation",
        "constraints": "no_validation",
        "constraint_confidence": "no_validation",
        "cost_matrix": "no_validation",
        "reject_cost": "no_validation",
        "reject_label": "no_validation",
        "pos_label": "no_validation",
    }

    _passes_probabilities = True
    _removes_zero_weights = False

    def __init__(
        self,
        estimator,
        *,
        class_weight=None,
        sampler=None,
        sampling_prior="uniform",
        calibration=None,
        n_estimators=1,
        target_prior="empirical",
        threshold="tune",
        scoring="balanced_accuracy",
        selection="auto",
        constraints=None,
        constraint_confidence=None,
        cost_matrix=None,
        reject_cost=None,
        reject_label=None,
        pos_label=None,
        cv=None,
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(estimator)
        self.class_weight = class_weight
        self.sampler = sampler
        self.sampling_prior = sampling_prior
        self.calibration = calibration
        self.n_estimators = n_estimators
        self.target_prior = target_prior
        self.threshold = threshold
        self.scoring = scoring
        self.selection = selection
        self.constraints = constraints
        self.constraint_confidence = constraint_confidence
        self.cost_matrix = cost_matrix
        self.reject_cost = reject_cost
        self.reject_label = reject_label
        self.pos_label = pos_label
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, data):
        self._check_threshold(data.params)
        if self.calibration is not None:
            check_method(self.calibration, "calibration")
        check_pos_label(self.pos_label, data.classes)
        nest = self._nest(self._new_estimator())
        return {"estimator_": (yield from fitted(nest, data))}

    def _check_threshold(self, params):
        tuned = self._tunes()
        if isinstance(self.threshold, str) and not (tuned or self.threshold == "bayes"):
            raise ValueError(
                f"`threshold`={self.threshold!r} must be 'tune', 'bayes', a number in "
                "[0, 1], one above 0 for each class, or None for the class of the "
                "greatest probability."
            )
        if self.constraints is not None and not tuned:
            raise ValueError(
                f"`constraints`={self.constraints!r} limit a threshold that is tuned, "
                f"and `threshold`={self.threshold!r}. Set it to 'tune', or leave the "
                "constraints out."
            )
        if "sample_cost" in params and not tuned:
            raise ValueError(
                f"`sample_cost` chooses a threshold, and `threshold`="
                f"{self.threshold!r}. Set it to 'tune', or give `cost_matrix`."
            )

    def _tunes(self):
        return isinstance(self.threshold, str) and self.threshold == "tune"

    def _nest(self, estimator):
        if self.sampler is not None:
            estimator = ResampledClassifier(
                estimator,
                sampler=self.sampler,
                sampling_prior=self.sampling_prior,
                random_state=self.random_state,
            )
        if self.class_weight is not None:
            estimator = ClassWeightedClassifier(
                estimator, class_weight=self.class_weight
            )
        if self.n_estimators > 1:
            estimator = NetworkEnsembleClassifier(
                estimator,
                n_estimators=self.n_estimators,
                n_jobs=self.n_jobs,
                random_state=self.random_state,
            )
        if self.calibration is not None:
            estimator = self._calibrated(estimator)
        corrected = PriorCorrectedClassifier(
            estimator, target_prior=self.target_prior, pos_label=self.pos_label
        )
        if self._tunes():
            return self._tuned(corrected)
        costs = self.cost_matrix, self.reject_cost, self.reject_label
        if self.threshold is None and costs == (None, None, None):
            return corrected
        return FixedThresholdClassifier(
            corrected,
            threshold=self.threshold,
            cost_matrix=self.cost_matrix,
            reject_cost=self.reject_cost,
            reject_label=self.reject_label,
            pos_label=self.pos_label,
        )

    def _calibrated(self, estimator):
        return CalibratedLogitsClassifierCV(
            estimator,
            method=self.calibration,
            cv=self.cv,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )

    def _tuned(self, corrected):
        return OptimalThresholdClassifierCV(
            corrected,
            scoring=self.scoring,
            constraints=self.constraints,
            constraint_confidence=self.constraint_confidence,
            cost_matrix=self.cost_matrix,
            reject_cost=self.reject_cost,
            reject_label=self.reject_label,
            selection=self.selection,
            pos_label=self.pos_label,
            cv=self.cv if self.calibration is None else None,  # else its folds
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )

    def _corrector(self):
        return prior_holder(self.estimator_, "source_prior_")

    @property
    def target_prior_(self):
        """The prior that the probabilities are corrected to."""
        return self._corrector().target_prior_

    @property
    def decision_rule_(self):
        """What decides, as plain values that JSON can hold."""
        check_is_fitted(self, "estimator_")
        calibrated = self.calibration is not None
        source = self._corrector().estimator_ if calibrated else self._corrector()
        return {
            **self._rule().to_dict(),
            "training_prior": as_labels(source.source_prior_),
            "calibration": calibration_rule(source) if calibrated else None,
            "target_prior": as_labels(self.target_prior_),
            "scoring": str(self.scoring) if self._tunes() else None,
        }

    def _rule(self):
        if hasattr(self.estimator_, "rule_"):
            return self.estimator_.rule_
        return ThresholdRule(self.classes_)

    def set_target_prior(self, prior):
        """Move probabilities and a tuned threshold to another prior, untrained.

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
            If it is no prior of ``classes_``; everything stays as it was.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "estimator_")
        retargetable(self.estimator_).set_target_prior(prior)
        return self

    def adapt(self, X, method="mle", *, half_life=None):
        """Estimate the deployment prior from rows without labels, and move to it.

        Probabilities and a tuned threshold move; nothing is trained.

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
        ValueError
            If ``X`` is not valid, or a threshold is tuned and a class is
            estimated to have no rows; everything stays as it was.
        sklearn.exceptions.NotFittedError
            Before ``fit``.

        Warns
        -----
        LabelShiftViolationWarning
            If no prior explains the rows, in one of twenty cases by chance. Needs
            a calibration or a tuned threshold, and rows without weights.
        """
        check_is_fitted(self, "estimator_")
        retargetable(self.estimator_).adapt(X, method, half_life=half_life)
        return self

    @property
    def prior_estimate_(self):
        """The estimate of the target prior, after ``adapt``."""
        return prior_holder(self.estimator_, "prior_estimate_").prior_estimate_

    def _routed(self, params):
        # The nest routes for itself.
        return Bunch(estimator=Bunch(fit=params), splitter=Bunch(split={}))

    def get_metadata_routing(self):
        """Return what metadata ``fit`` takes and where it goes.

        Returns
        -------
        MetadataRouter
        """
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                estimator=self._nest(self.estimator),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if is_number(self.threshold):
            tags.classifier_tags.multi_class = False
        return tags


def calibration_rule(calibrator):
    """Return a fitted calibration, and the prior where it applies, as plain values."""
    prior = as_labels(calibrator.training_prior_)
    return {"prior": prior, **calibrator.calibration_.to_dict()}
