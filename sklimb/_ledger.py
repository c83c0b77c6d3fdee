"""The prior ledger: which prior a classifier's probabilities belong to.

Whatever changes the class distribution that a classifier learns publishes the
result as ``training_prior_``. Information goes up by this fitted attribute, so
the one correction always starts from the truth; where something rebalances
without saying so, the ledger refuses to guess.
"""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from sklimb.exceptions import TrainingPriorError

__all__ = [
    "check_balancing_is_known",
    "final_estimator",
    "keeps_ledger",
    "prior_away_from_rows",
    "prior_holder",
    "retargetable",
    "target_prior_of",
    "training_prior_of",
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
            "sklimb's ClassWeightedClassifier."
        )


def _silent_balancer(estimator):
    final = final_estimator(estimator)
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
    check_balancing_is_known(estimator)
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
