"""One fit on :class:`TrainingData`, whatever the estimator takes."""

from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from sklimb._compat import is_keras_sklearn_classifier, routing_enabled
from sklimb._ledger import final_estimator
from sklimb._rows import num_rows
from sklimb._training_data import (
    TrainingData,
    by_training_data,
    takes_training_data,
)
from sklimb._validation import check_sample_weight

__all__ = ["Transformers", "check_takes_weights", "fit_estimator"]


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
        transformers = Transformers(estimator)
        transformers._fit_data(transformers.seen(data))
        fit_estimator(estimator.steps[-1][1], transformers.handed_on(data))
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


class Transformers:
    """All steps of a Pipeline but the last, and what they make of the data for it.

    The Pipeline does its work itself, with or without metadata routing.

    Parameters
    ----------
    pipeline : Pipeline
        Its transformers are fitted in place.

    Attributes
    ----------
    steps : list of (name, fitted transformer)
    """

    def __init__(self, pipeline):
        self._pipeline = pipeline

    def get_params(self, deep=True):
        """Return what the fit depends on, by name."""
        names = {name for name, _ in self._pipeline.steps[:-1]}
        params = self._pipeline.get_params()
        return {k: v for k, v in params.items() if k.split("__")[0] in names}

    def seen(self, data):
        """Return what they are fitted on: row weights only where one requests them."""
        if data.sample_weight is None or self._request_weights():
            return data
        return data._changed(sample_weight=None)

    def _request_weights(self):
        if not routing_enabled():
            return False
        steps = [step for _, step in self._pipeline.steps[:-1]]
        routings = [
            step.get_metadata_routing()
            for step in steps
            if hasattr(step, "get_metadata_routing")
        ]
        return any(routing.consumes("fit", ["sample_weight"]) for routing in routings)

    @by_training_data
    def fit(self, X, y, sample_weight=None, **params):
        """Fit the transformers; other parameters go where the Pipeline sends them."""
        return self._fit_data(TrainingData.check(X, y, sample_weight, params))

    def _fit_data(self, data):
        pipeline = self._pipeline
        _check_nothing_held_out(pipeline, data)
        name, last = pipeline.steps[-1]
        given = _LastStep(last)
        weight = data.sample_weight
        weights = {} if weight is None else {"sample_weight": weight}
        params = _addressed(pipeline, data.fit_params)
        pipeline.steps[-1] = (name, given)
        try:
            pipeline.fit(data.X, data.y, **params, **weights)
        finally:  # the list itself is a new one
            pipeline.steps[-1] = (name, last)
        self.steps = pipeline.steps[:-1]
        self._X, self._y = given.X, np.asarray(given.y)
        self._params = {k: v for k, v in given.params.items() if k not in weights}
        return self

    def handed_on(self, data):
        """Return the data for the last step, with its own weights in place.

        Raises
        ------
        ValueError
            If there are weights, and a step changed the number of rows.
        """
        if data.sample_weight is not None:
            _check_same_rows(self._X, data)
        params = dict(self._params)
        weight = check_sample_weight(params.pop("sample_weight", None), len(self._y))
        data = replace(data, source=self._X, rows=None, y=self._y, params=params)
        return data if weight is None else data.weighted(weight)


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
