"""One fit on :class:`TrainingData`, whatever the estimator takes."""

from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from sklimb._compat import is_keras_sklearn_classifier, routing_enabled
from sklimb._ledger import final_estimator
from sklimb._rows import num_rows
from sklimb._training_data import takes_training_data

__all__ = ["check_takes_weights", "fit_estimator", "for_last_step"]


def fit_estimator(estimator, data):
    """Fit an estimator on :class:`TrainingData`, in place, and return it.

    One that knows :class:`TrainingData` gets row numbers, and no rows are
    copied for it. In a Pipeline the weights go to the last step.

    Raises
    ------
    ValueError
        If there are weights, or rows held out, that the estimator can't take.
    """
    if isinstance(estimator, Pipeline) and data.sample_weight is not None:
        fit_estimator(*for_last_step(estimator, data))
        return estimator
    if data.sample_weight is not None:
        check_takes_weights(estimator)
    if takes_training_data(estimator):
        return estimator._fit_data(data)
    _check_nothing_held_out(estimator, data)
    params = _addressed(estimator, data.fit_params)
    if data.sample_weight is not None:
        params = {**params, "sample_weight": data.sample_weight}
    return estimator.fit(data.X, data.y, **params)


def _check_nothing_held_out(estimator, data):
    if data.validation is not None:
        raise ValueError(
            f"`validation_fraction` was held out before resampling, but a "
            f"{type(estimator).__name__} can't hand these rows on to the network "
            "inside. Put the sampler inside of it, next to the network."
        )


def _addressed(estimator, params):
    """Return fit parameters as a Pipeline takes them: ``groups`` is its last step's.

    With metadata routing, a Pipeline addresses them itself.
    """
    if "groups" not in params or not isinstance(estimator, Pipeline):
        return params
    if routing_enabled():
        return params
    name = f"{estimator.steps[-1][0]}__groups"
    return {name if key == "groups" else key: value for key, value in params.items()}


def for_last_step(pipeline, data):
    """Fit a Pipeline's transformers, and return its last step and the data for it.

    The Pipeline does its work itself, with or without metadata routing, and its
    transformers are fitted without row weights.

    Raises
    ------
    ValueError
        If there are weights, and a step changed the number of rows.
    """
    _check_nothing_held_out(pipeline, data)
    name, last = pipeline.steps[-1]
    given = _LastStep(last)
    pipeline.steps[-1] = (name, given)
    try:
        pipeline.fit(data.X, data.y, **_addressed(pipeline, data.fit_params))
    finally:
        pipeline.steps[-1] = (name, last)
    if data.sample_weight is not None:
        _check_same_rows(given.X, data)
    return last, replace(
        data, source=given.X, rows=None, y=np.asarray(given.y), params=given.params
    )


class _LastStep:
    """Stands in for a Pipeline's last step, and keeps what it is given."""

    def __init__(self, step):
        self._step = step

    def fit(self, X, y, **params):
        self.X, self.y, self.params = X, y, params
        return self

    def get_metadata_routing(self):
        return self._step.get_metadata_routing()


def _check_same_rows(X, data):
    if num_rows(X) != len(data.y):
        raise ValueError(
            f"A step of the Pipeline turned {len(data.y)} rows into {num_rows(X)}, so "
            "that row weights no longer fit. Put the sampler outside the weights, or "
            "the weights in the Pipeline's last step."
        )


def check_takes_weights(estimator):
    """Raise where ``fit`` has no ``sample_weight``.

    Raises
    ------
    ValueError
        Naming the estimator that would ignore the weights.
    """
    final = final_estimator(estimator)
    # Keras's own wrapper and searches take it by keyword, among others.
    takes_any = is_keras_sklearn_classifier(final) or final is not estimator
    if not takes_any and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(
            f"`sample_weight` can't reach {type(estimator).__name__}: its fit takes no "
            "row weights. Use a classifier that does, or resample the rows instead."
        )
