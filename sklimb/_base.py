"""The ritual that all meta-estimators share; a subclass brings the idea.

A subclass implements ``_fit(data)``: a generator as :mod:`sklimb._steps` takes it,
from checked :class:`TrainingData` to a mapping of fitted attributes. They are
published together, after everything went well, so that nothing is ever half-fitted.
"""

import copy

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklimb._compat import (
    HasMethods,
    estimator_tags,
    is_keras_sklearn_classifier,
    routing_enabled,
)
from sklimb._ledger import innermost, training_prior_of
from sklimb._outputs import has_probabilities, log_probabilities, probabilities
from sklimb._rule_view import rule_view
from sklimb._steps import run
from sklimb._training_data import TrainingData, by_training_data
from sklimb.exceptions import TrainingPriorError

__all__ = [
    "BaseImbalanceClassifier",
    "BaseProbabilityClassifier",
    "as_seed",
    "inner_has",
    "with_seeds",
]


def inner_has(name):
    """Return a check for ``available_if``: the wrapped estimator has a method."""

    def check(self):
        if is_keras_sklearn_classifier(self._inner()):
            raise AttributeError(f"Keras's SKLearnClassifier has no true {name}.")
        getattr(self._inner(), name)  # the original error becomes the cause
        return True

    return check


def _inner_has_probabilities(self):
    if not has_probabilities(self._inner()):
        raise AttributeError(
            f"{type(self._inner()).__name__} has no method predict_proba."
        )
    return True


def _holds_out_groups(estimator):
    """Tell whether a network inside holds out whole groups to validate with."""
    inner = innermost(estimator)
    takes_groups = getattr(inner, "_takes_groups", False)
    return takes_groups and bool(getattr(inner, "validation_fraction", 0))


def as_seed(random_state, default=None):
    """Return an integer seed without drawing from ``random_state``."""
    if isinstance(random_state, np.random.RandomState):
        return int(copy.deepcopy(random_state).randint(2**31 - 1))
    return default if random_state is None else int(random_state)


def with_seeds(estimator, random_state):
    """Set every ``random_state`` inside that is None, and return the estimator.

    Where ``random_state`` is None itself, they stay open.
    """
    if random_state is None:
        return estimator
    random = check_random_state(random_state)
    seeds = {
        name: int(random.randint(np.iinfo(np.int32).max))
        for name, value in sorted(estimator.get_params().items())
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return estimator.set_params(**seeds)


class BaseImbalanceClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Check, delegate, publish.

    Parameters
    ----------
    estimator : classifier
        The wrapped classifier; ``fit`` works on a clone.
    """

    _parameter_constraints = {"estimator": [HasMethods(["fit", "set_params"])]}
    _keeps_prior_ledger = True
    # Whether a wrapped estimator that rebalances silently is told before any fit.
    _checks_ledger_inside = False
    _passes_probabilities = False  # whether they are the wrapped estimator's own
    _own_params = ()  # of fit, used here and not handed on
    _removes_zero_weights = True  # False: an estimator inside does, by its row numbers

    def __init__(self, estimator):
        self.estimator = estimator

    @by_training_data
    def fit(self, X, y, sample_weight=None, **params):
        """Fit to training data.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows
            Whatever the wrapped estimator takes.
        y : array-like of shape (n_rows,)
            Labels of any type.
        sample_weight : array-like of shape (n_rows,), default=None
            How much each row counts; a row of weight 0 is a row removed.
        **params : dict
            Parameters of the wrapped estimator's ``fit``; ``groups`` goes to
            the splitter where there is one, and to a network that holds out
            validation rows. With metadata routing enabled, whatever was
            requested.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter, the labels or the weights are not valid.
        """
        self._validate_params()
        own, params = self._own_and_other(params)
        routed = self._routed(params)
        data = TrainingData.check(
            X, y, sample_weight, routed.estimator.fit, routed.splitter.split, own
        )
        return run(self._checked_steps(data))

    def _fit_data(self, data):
        """Fit as ``fit`` would on these rows, which are not copied for it."""
        return run(self._steps(data))

    def _steps(self, data):
        """Take the steps of such a fit."""
        self._validate_params()
        own, params = self._own_and_other(data.params)
        routed = self._routed(params)
        data = data.handed_on(routed.estimator.fit, routed.splitter.split, own)
        return (yield from self._checked_steps(data))

    def _own_and_other(self, params):
        """Part the parameters of ``fit`` that are used here from all others."""
        own = {name: params[name] for name in self._own_params if name in params}
        return own, {name: params[name] for name in params if name not in own}

    def _checked_steps(self, data):
        if self._removes_zero_weights:
            data = data.without_zero_weights()
        attributes = yield from self._fit(data)
        return self._publish(data, attributes)

    def _fit(self, data):
        """Take the steps to the fitted attributes, ``estimator_`` among them."""
        raise NotImplementedError

    def _publish(self, data, attributes):
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        inner = attributes["estimator_"]
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))
        self.classes_ = data.classes
        self.empirical_prior_ = data.empirical_prior
        vars(self).update(attributes)
        return self

    def _new_estimator(self):
        """Return a clone of ``estimator``, its open seeds set by ``random_state``."""
        return with_seeds(clone(self.estimator), getattr(self, "random_state", None))

    def _inner(self):
        return getattr(self, "estimator_", self.estimator)

    @property
    def training_prior_(self):
        """The prior that the probabilities belong to, of shape (n_classes,)."""
        try:
            return training_prior_of(self.estimator_, self._learned_prior())
        except TrainingPriorError as error:
            raise AttributeError(str(error)) from error

    def _html_repr(self):
        return super()._html_repr() + rule_view(self)

    def _learned_prior(self):
        """Return the prior that an inner estimator without a ledger was fitted at."""
        return self.empirical_prior_

    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    @available_if(_inner_has_probabilities)
    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
            At the prior ``training_prior_``.
        """
        check_is_fitted(self, "estimator_")
        return probabilities(self.estimator_, X)

    @available_if(_inner_has_probabilities)
    def predict_log_proba(self, X):
        """Predict natural logarithms of probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
        """
        check_is_fitted(self, "estimator_")
        return log_probabilities(self.estimator_, X)

    @available_if(inner_has("decision_function"))
    def decision_function(self, X):
        """Return the wrapped classifier's decision function.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.decision_function(X)

    def _routed(self, params):
        """Return what goes to the inner ``fit`` and to the splitter's ``split``.

        ``sample_weight`` is not among it: every meta-estimator uses it itself
        and hands it on, whatever the inner estimator requested.
        """
        if routing_enabled():
            routed = process_routing(self, "fit", **params)
            empty = Bunch(split={})
            return Bunch(
                estimator=routed.estimator, splitter=routed.get("splitter", empty)
            )
        params = dict(params)
        split = {}
        if hasattr(self, "cv") and "groups" in params:
            split["groups"] = params["groups"]
            if not _holds_out_groups(self.estimator):
                del params["groups"]
        return Bunch(estimator=Bunch(fit=params), splitter=Bunch(split=split))

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
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = estimator_tags(self.estimator)
        if inner is not None:
            tags.input_tags = inner.input_tags
            tags.non_deterministic = inner.non_deterministic
            tags.array_api_support = False
            if inner.classifier_tags is not None:
                tags.classifier_tags = inner.classifier_tags
        return tags


class BaseProbabilityClassifier(BaseImbalanceClassifier):
    """One whose probabilities are its own: all follows from ``predict_log_proba``.

    Parameters
    ----------
    estimator : classifier
        The wrapped classifier.
    """

    def predict(self, X):
        """Predict the class of the greatest probability.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        log_proba = self.predict_log_proba(X)
        return self.classes_[np.argmax(log_proba, axis=1)]

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
            At the prior ``training_prior_``.
        """
        return np.exp(self.predict_log_proba(X))

    @available_if(inner_has("decision_function"))
    def decision_function(self, X):
        """Return log-odds, or log-probabilities for several classes.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), float64
            Two classes: ``log p(classes_[1]) - log p(classes_[0])``.
        """
        log_proba = self.predict_log_proba(X)
        if len(self.classes_) > 2:
            return log_proba
        return log_proba[:, 1] - log_proba[:, 0]
