"""The only place for private or version-dependent names of other packages.

Each shim names the version that deletes it. Nothing here imports Keras,
TensorFlow or imbalanced-learn before it is called.
"""

import numpy as np
import sklearn.metrics
from scipy.sparse import issparse
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.metrics._scorer import _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import ClassifierTags, _safe_indexing, get_tags
from sklearn.utils._metadata_requests import _routing_enabled as routing_enabled
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.validation import (
    _check_method_params,
    _is_arraylike,
    _num_samples,
)

# Private in scikit-learn 1.7 to 1.9; these names go once it publishes its own.
__all__ = [
    "BaseScorer",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "aim_of_sampler",
    "callbacks_set_on",
    "classifier_tags",
    "columns_of",
    "estimator_tags",
    "has_scikit_learns_scorers",
    "is_keras_sklearn_classifier",
    "names_of_row_params",
    "num_rows",
    "parts_of_scorer",
    "routed_parameters",
    "routing_enabled",
    "score_by",
    "scorer_needs_scores",
    "take_rows",
    "take_rows_of_params",
    "told_of_failures",
]


def take_rows(X, rows):
    """Return rows of an array of any number of axes, a frame, sparse matrix or list."""
    return _safe_indexing(X, rows)


def columns_of(X):
    """Return the columns of an array of any number of axes, or a frame, as arrays."""
    if hasattr(X, "columns"):
        places = range(X.shape[1])
        return [np.asarray(_safe_indexing(X, place, axis=1)) for place in places]
    X = np.asarray(X)
    return list(X.reshape(len(X), -1).T)


def num_rows(X):
    """Return the number of rows of anything that scikit-learn takes as ``X``."""
    return _num_samples(X)


def take_rows_of_params(n_rows, params, rows):
    """Return fit parameters, those that have ``n_rows`` rows cut to ``rows``."""
    return _check_method_params(range(n_rows), params, indices=rows)


def names_of_row_params(n_rows, params):
    """Return the names of fit parameters that have ``n_rows`` rows."""
    return [
        name
        for name, value in params.items()
        if (_is_arraylike(value) or issparse(value)) and _num_samples(value) == n_rows
    ]


def estimator_tags(estimator):
    """Return the tags of a wrapped estimator, or None where it has none.

    A bare SciKeras class breaks scikit-learn's tags; goes with SciKeras.
    """
    try:
        return get_tags(estimator)
    except (AttributeError, TypeError, KeyError):
        return None


def parts_of_scorer(scorer):
    """Return the name of the sklearn.metrics function in a scorer, and its settings.

    (None, {}) for any other scorer. scikit-learn has no public names for these.
    """
    function = getattr(scorer, "_score_func", None)
    if getattr(scorer, "_sign", None) != 1 or function is None:
        return None, {}
    name = getattr(function, "__name__", None)
    if getattr(sklearn.metrics, str(name), None) is not function:
        return None, {}
    return name, dict(scorer._kwargs)


def scorer_needs_scores(scorer):
    """Tell whether a scikit-learn scorer reads probabilities or decision values."""
    method = getattr(scorer, "_response_method", "predict")
    methods = [method] if isinstance(method, str) else list(method)
    return "predict" not in methods


def callbacks_set_on(estimator):
    """Return scikit-learn's own callbacks set on a search, not by one around it.

    New in scikit-learn 1.9, where no public name reads them.
    """
    if hasattr(estimator, "_parent_callback_ctx"):
        return []
    return getattr(estimator, "_skl_callbacks", [])


def has_scikit_learns_scorers(scorer):
    """Tell whether a scorer, or all of several, ask an estimator only to predict."""
    return isinstance(scorer, BaseScorer | _MultimetricScorer | _PassthroughScorer)


def score_by(scorer, estimator, X, y, params, error_score):
    """Return a scorer's value, or those of several by name, as searches do."""
    return _score(estimator, X, y, scorer, params, error_score)


def told_of_failures(results, error_score, by_name):
    """Warn of fits that failed, raise where all did, and fill in their scores.

    Parameters
    ----------
    results : list of dict
        One for each fit, with "fit_error" and "test_scores".
    error_score : float
    by_name : bool
        Whether the names of the scores are known only from those that went well.

    Returns
    -------
    list of dict
    """
    _warn_or_raise_about_fit_failures(results, error_score)
    if by_name:
        _insert_error_scores(results, error_score)
    return results


# imbalanced-learn 0.14 has no public name for what a sampler can aim at. Goes
# once it has one.


def aim_of_sampler(sampler):
    """Return which counts a sampler can aim at: "over", "under", or None."""
    kind = getattr(sampler, "_sampling_type", None)
    return {"over-sampling": "over", "under-sampling": "under"}.get(kind)


# keras.wrappers.SKLearnClassifier: no predict_proba, and in Keras 3.15 a
# decision_function that holds probabilities. Goes once Keras has the method.


def is_keras_sklearn_classifier(estimator):
    """Tell whether this is Keras's own wrapper, without importing Keras."""
    return any(
        cls.__name__ == "SKLearnClassifier" and cls.__module__.startswith("keras.")
        for cls in type(estimator).__mro__
    )


# SciKeras 0.13 on scikit-learn 1.7 and later. Both go with SciKeras as the
# parent class.


def classifier_tags(tags):
    """Return the tags that SciKeras's classifier should have, from those it has.

    It predates ``__sklearn_tags__`` and names ``BaseEstimator`` before
    ``ClassifierMixin``, so that the mixin's tags are never asked for.
    """
    tags.estimator_type = "classifier"
    tags.classifier_tags = ClassifierTags()
    tags.target_tags.required = True
    tags.input_tags.sparse = True
    tags.input_tags.three_d_array = True
    return tags


def routed_parameters(estimator, step, unrouted):
    """Return a SciKeras estimator's parameters for a step: fit, predict or score.

    Parameters
    ----------
    estimator : SciKeras estimator
    step : str
        ``step__name`` gives ``name``.
    unrouted : collection of str
        Names that count without the prefix as well.
    """
    from scikeras._utils import route_params

    return route_params(estimator.get_params(), destination=step, pass_filter=unrouted)
