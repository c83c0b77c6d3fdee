"""The prior ledger: which prior a classifier's probabilities belong to.

Whatever changes the class distribution that a classifier learns publishes the
result as ``training_prior_``. Information goes up by this fitted attribute, so
the one correction always starts from the truth; where something rebalances
without saying so, the ledger refuses to guess.
"""

import warnings
from collections.abc import Mapping

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from sklimb._validation import is_number
from sklimb.exceptions import DoubleBalancingWarning, TrainingPriorError

__all__ = [
    "check_balancing_is_known",
    "final_estimator",
    "innermost",
    "is_frozen",
    "keeps_ledger",
    "prior_away_from_rows",
    "prior_holder",
    "retargetable",
    "shown",
    "target_prior_of",
    "training_prior_of",
    "warn_if_balanced_twice",
    "warn_of_balancing_inside",
]

# Parameters by which classifiers elsewhere rebalance on their own (scikit-learn,
# imbalanced-learn, XGBoost, LightGBM, CatBoost), and the values that don't.
BALANCING_PARAMETERS = {
    "class_weight": (),
    "class_weights": (),
    "auto_class_weights": ("None",),
    "is_unbalance": (False,),
    "sampling_strategy": (),
    "scale_pos_weight": (1,),
}
# Those of sklimb.
OWN_BALANCING_PARAMETERS = ("class_weight", "sampler", "batches", "resample")

# By how much a class must end up above another to be called balanced twice.
CLEARLY_ABOVE = 1.05


def _inside(estimator):
    """Return what stands inside a container that leaves probabilities as they are."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    decides = isinstance(
        estimator, FixedThresholdClassifier | TunedThresholdClassifierCV
    )
    if decides or getattr(estimator, "_passes_probabilities", False):
        return getattr(estimator, "estimator_", estimator.estimator)
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_
    if hasattr(estimator, "param_grid") or hasattr(estimator, "param_distributions"):
        return estimator.estimator
    return None


def _from_outside_in(estimator):
    while estimator is not None:
        yield estimator
        estimator = _inside(estimator)


def final_estimator(estimator):
    """Return the classifier at the core of pipelines, searches and frozen ones."""
    return list(_from_outside_in(estimator))[-1]


def innermost(estimator):
    """Return the classifier inside of everything, our own meta-estimators too."""
    return list(_through_all(estimator))[-1]


def _through_all(estimator):
    while estimator is not None:
        yield from _from_outside_in(estimator)
        final = final_estimator(estimator)
        inner = getattr(final, "estimator_", getattr(final, "estimator", None))
        estimator = inner if keeps_ledger(final) else None


def is_frozen(estimator):
    """Tell whether ``fit`` leaves the classifier inside untrained."""
    return any(isinstance(part, FrozenEstimator) for part in _through_all(estimator))


def prior_holder(estimator, attribute):
    """Return the outermost estimator that has a fitted attribute, or None."""
    for holder in _from_outside_in(estimator):
        if getattr(holder, attribute, None) is not None:
            return holder
    return None


def check_balancing_is_known(estimator):
    """Raise where an estimator rebalances and can't say to which prior.

    Raises
    ------
    TrainingPriorError
        If a sampler or a class weight is inside and nothing keeps the ledger.
    """
    culprit = _silent_balancer(estimator)
    if culprit is not None:
        raise TrainingPriorError(
            f"`training_prior`='auto' can't be known: {culprit} changes the class "
            "distribution and does not say to what. Give `training_prior` (the class "
            "shares that the inner classifier was trained on), or do the balancing by "
            "sklimb's ClassWeightedClassifier or ResampledClassifier."
        )


def _silent_balancer(estimator):
    final = final_estimator(estimator)
    if getattr(final, "_checks_ledger_inside", False):
        return _silent_balancer(final.estimator)
    if keeps_ledger(final):
        return None
    for container in _from_outside_in(estimator):
        for name, step in getattr(container, "steps", ()):
            if hasattr(step, "fit_resample"):
                return f"the sampler {name}={type(step).__name__}"
    for name, value in final.get_params().items():
        if _balances(name.rpartition("__")[2], value):
            return f"`{name}`={value!r} of {type(final).__name__}"
    return None


def _balances(name, value):
    if value is None or name not in BALANCING_PARAMETERS:
        return False
    return np.ndim(value) > 0 or value not in BALANCING_PARAMETERS[name]


def keeps_ledger(estimator):
    """Tell whether a class publishes ``training_prior_``, fitted or not."""
    return getattr(estimator, "_keeps_prior_ledger", False)


def training_prior_of(estimator, empirical):
    """Return the prior that a fitted estimator's probabilities belong to.

    Parameters
    ----------
    estimator : fitted classifier
    empirical : ndarray of shape (n_classes,)
        The weighted class shares of the rows that it was fitted on.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    TrainingPriorError
        If something inside rebalances without keeping the ledger.
    """
    holder = prior_holder(estimator, "training_prior_")
    if holder is not None:
        return holder.training_prior_
    for part in _through_all(estimator):
        check_balancing_is_known(part)
    return empirical


def target_prior_of(estimator):
    """Return the prior that an estimator's probabilities were corrected to, or None."""
    holder = prior_holder(estimator, "target_prior_")
    return None if holder is None else holder.target_prior_


def prior_away_from_rows(estimator):
    """Return an estimator's target prior where it is not its rows' own, or None."""
    holder = prior_holder(estimator, "target_prior_")
    if holder is None or np.array_equal(holder.target_prior_, holder.empirical_prior_):
        return None
    return holder.target_prior_


def retargetable(estimator):
    """Return the outermost estimator whose target prior can be set, or None."""
    for holder in _from_outside_in(estimator):
        if hasattr(holder, "set_target_prior"):
            return holder
    return None


def warn_of_balancing_inside(own, before, between, estimator):
    """Warn where a fitted estimator raises classes that an outer layer raised too.

    One that corrects its probabilities has taken the effect out of them, and
    what a silent one does can't be known.

    Parameters
    ----------
    own : str
        The outer layer's parameter and its value.
    before, between : ndarray of shape (n_classes,)
        Class shares of the rows given, and after the outer layer's change.
    estimator : fitted classifier

    Warns
    -----
    DoubleBalancingWarning
        As :func:`warn_if_balanced_twice`.
    """
    if any(hasattr(part, "target_prior_") for part in _through_all(estimator)):
        return
    try:
        after = training_prior_of(estimator, between)
    except TrainingPriorError:
        return
    how = f"{own} and {_balancing_inside(estimator)}"
    warn_if_balanced_twice(before, between, after, how)


def _balancing_inside(estimator):
    """Return the outermost parameter that balances, with its value, as a text."""
    for part in _through_all(estimator):
        for name in OWN_BALANCING_PARAMETERS:
            value = getattr(part, name, None)
            if value is not None:
                return f"`{name}`={shown(value)} of {type(part).__name__}"
    return f"what {type(innermost(estimator)).__name__} does"


def shown(value):
    """Return a parameter's value as a text that is the same for all clones."""
    plain = isinstance(value, str | Mapping) or is_number(value)
    return repr(value) if plain else type(value).__name__


def warn_if_balanced_twice(before, between, after, how):
    """Warn where two layers raise a rare class so that it becomes the frequent one.

    Parameters
    ----------
    before, between, after : ndarray of shape (n_classes,)
        Class shares of the rows given, after this layer's own change, and after
        the inner one's too.
    how : str
        The two parameters and their values, the same for all folds.

    Warns
    -----
    DoubleBalancingWarning
        If for some pair of classes the rarer one was raised against the other
        twice, and is now clearly above it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        given, own, both = (np.divide.outer(p, p) for p in (before, between, after))
    raised = (own > given * (1 + 1e-9)) & (both > own * (1 + 1e-9))
    if (raised & (given < 1) & (both > CLEARLY_ABOVE)).any():
        warnings.warn(
            f"The classes are balanced twice: {how} both raise rare classes, which now "
            "outweigh frequent ones in training. Leave one of the two out, or let them "
            "do less (`sampling_prior`, or `strength` of a ClassWeightedClassifier).",
            DoubleBalancingWarning,
            stacklevel=2,
        )
