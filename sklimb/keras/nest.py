"""From a fitted nest of meta-estimators to what it does with a network's output."""

import inspect
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklimb._base import BaseImbalanceClassifier, BaseProbabilityClassifier
from sklimb._ledger import prior_away_from_rows, target_prior_of
from sklimb._validation import as_labels, check_pos_label
from sklimb.keras.logits import Prediction
from sklimb.keras.network import NetworkEstimator
from sklimb.keras.targets import loss_name, single_loss
from sklimb.thresholds._rule import ThresholdRule

__all__ = ["Nest"]


@dataclass(frozen=True)
class Nest:
    """What stands around a network or an ensemble, from outside in; it is the last.

    Parameters
    ----------
    layers : list of fitted classifiers
    own_steps : list of (scale, bias), default=()
        Further ones, outside of all layers.
    """

    layers: list
    own_steps: list = ()

    @classmethod
    def of(cls, fitted):
        """Return the nest of a fitted classifier.

        Parameters
        ----------
        fitted : fitted classifier

        Raises
        ------
        TypeError, ValueError
            If something in it can't go into a network.
        """
        layers = []
        while not (isinstance(fitted, NetworkEstimator) or _is_ensemble(fitted)):
            if isinstance(fitted, BaseImbalanceClassifier):
                layers.append(fitted)
            fitted = _inside(fitted)
        if not _is_ensemble(fitted):
            _check_features_stay(fitted)
        for layer in [*layers, fitted]:
            _check_predicts_as_ours(layer)
        return cls([*layers, fitted])

    @property
    def core(self):
        """The network's classifier, or the ensemble."""
        return self.layers[-1]

    @property
    def is_ensemble(self):
        """Whether several networks are at the core."""
        return _is_ensemble(self.core)

    def members(self):
        """Yield the nests of an ensemble's members, at its common prior."""
        for member, prior in self.core._sources():
            nest = Nest.of(member)
            if prior is not None:
                nest = replace(
                    nest, own_steps=[_shift(prior, self.core.training_prior_)]
                )
            yield nest

    @property
    def model(self):
        """The trained Keras model; not to be changed."""
        # Not `model_`, which would take it out of the pool.
        return self.core._held().network.model

    @property
    def link_of_outputs(self):
        """What makes probabilities of outputs that are logits; None where not."""
        loss = single_loss(self.model.loss)
        if not getattr(loss, "from_logits", False):
            return None
        logits = np.zeros((1, self.core._n_units))
        return Prediction.from_network(logits, None, True, loss_name(loss)).link

    def steps(self):
        """Return scales and biases of log-probabilities, in the order of use.

        Returns
        -------
        list of (ndarray of shape (n_classes,), ndarray of shape (n_classes,))
            Of ``log p' = log_softmax(scale * log p + bias)``.
        """
        identity = np.ones(len(self.classes)), np.zeros(len(self.classes))
        steps = [step for layer in self.layers for step in reversed(_steps_of(layer))]
        return [*steps[::-1], *self.own_steps] or [identity]

    @property
    def classes(self):
        """The labels, shape (n_classes,)."""
        return self.layers[0].classes_

    @property
    def rule(self):
        """What decides, as plain values that JSON can hold."""
        decider = next(layer for layer in self.layers if _decides(layer))
        rule = _rule_of(decider)
        tuned = rule.threshold is not None and hasattr(decider, "best_threshold_")
        return {
            **rule.to_dict(),
            "scoring": _name_of(decider.scoring) if tuned else None,
            "training_prior": self._training_prior(),
            "target_prior": as_labels(self.layers[0].training_prior_),
            "calibration": self._calibration(),
        }

    def _training_prior(self):
        sources = [layer.source_prior_ for layer in self.layers if _is_corrected(layer)]
        if not sources and self.is_ensemble and target_prior_of(self.core) is not None:
            return next(self.members())._training_prior()
        return as_labels(sources[-1] if sources else self.layers[0].training_prior_)

    def _calibration(self):
        for layer in self.layers:
            if hasattr(layer, "calibration_"):
                prior = as_labels(layer.training_prior_)
                return {"prior": prior, **layer.calibration_.to_dict()}
        return None


def _is_ensemble(fitted):
    averages = getattr(fitted, "_averages_members", False)
    return averages and hasattr(fitted, "estimators_")


def _inside(fitted):
    """Return what a fitted classifier gets its probabilities from."""
    if isinstance(fitted, BaseImbalanceClassifier):
        check_is_fitted(fitted, "estimator_")
        return fitted.estimator_
    if isinstance(fitted, Pipeline):
        return _only_step(fitted)
    if isinstance(fitted, FrozenEstimator):
        return fitted.estimator
    if hasattr(fitted, "best_estimator_"):
        return fitted.best_estimator_
    if isinstance(fitted, BaseEstimator):
        check_is_fitted(fitted)
    raise TypeError(
        f"`fitted` has a {type(fitted).__name__} at its core, which can't be part of a "
        "Keras file. Give a fitted sklimb.keras.KerasClassifier, or one inside of "
        "sklimb's meta-estimators, a search or a FrozenEstimator."
    )


def _only_step(pipeline):
    *before, (_, last) = [
        (name, step)
        for name, step in pipeline.steps
        if step not in (None, "passthrough")
    ]
    if before:
        name, step = before[0]
        raise ValueError(
            f"`fitted` is a Pipeline with the step {name}={type(step).__name__} before "
            "the network, which can't be part of a Keras file. Put the preprocessing "
            "into the model (keras.layers.Normalization, TextVectorization, ...), or "
            "export the Pipeline's last step and ship the transformer with it."
        )
    return last


def _check_features_stay(network):
    check_is_fitted(network)
    if not network._features_stay():
        raise ValueError(
            f"`fitted` is a {type(network).__name__} with a `feature_encoder`, which "
            "can't be part of a Keras file. Put it into the model as a Keras layer."
        )


def _check_predicts_as_ours(layer):
    for name in ("predict", "predict_proba"):
        module = getattr(type(layer), name).__module__
        if module.split(".")[0] != "sklimb":
            raise TypeError(
                f"`fitted` has a {type(layer).__name__}, whose own `{name}` (in "
                f"{module}) can't be part of a file. Export the estimator in it."
            )


def _is_corrected(layer):
    return hasattr(layer, "source_prior_")


def _steps_of(layer):
    """Return what a layer does to log-probabilities, in the order of use."""
    if _is_corrected(layer) and hasattr(layer, "calibration_"):
        _check_still_at_rows_prior(layer)
        scale, bias = layer.calibration_.scale, layer.calibration_.bias
        scale = np.broadcast_to(np.asarray(scale, np.float64), len(bias))
        shift = _shift(layer.source_prior_, layer.training_prior_)
        return [shift, (scale, np.asarray(bias))]
    if _is_corrected(layer):
        return [_shift(layer.source_prior_, layer.target_prior_)]
    is_core = isinstance(layer, NetworkEstimator) or _is_ensemble(layer)
    if is_core or _inherits(layer, "predict_proba"):
        return []
    raise TypeError(
        f"`fitted` has a {type(layer).__name__}, whose probabilities are not known to "
        "be a correction or a calibration of the network's. Export the estimator in it."
    )


def _shift(source, target):
    with np.errstate(divide="ignore"):  # -inf for a class that is never predicted
        return np.ones(len(source)), np.log(target) - np.log(source)


def _check_still_at_rows_prior(layer):
    target = prior_away_from_rows(layer.estimator_)
    if target is not None:
        raise ValueError(
            f"`fitted` has a {type(layer).__name__} around an estimator that was moved "
            f"to the target prior {as_labels(target)} after the calibration. Move it "
            "back, and put PriorCorrectedClassifier around the calibration."
        )


def _decides(layer):
    return isinstance(layer, NetworkEstimator) or not _inherits(layer, "predict")


def _inherits(layer, name):
    own = inspect.getattr_static(type(layer), name)
    return own is inspect.getattr_static(BaseImbalanceClassifier, name)


def _rule_of(decider):
    """Return a layer's own rule, or that of the greatest probability."""
    if hasattr(decider, "_rule"):
        return decider._rule()
    if isinstance(decider, BaseProbabilityClassifier | NetworkEstimator):
        return ThresholdRule(decider.classes_, pos_label=_pos_label(decider))
    raise TypeError(
        f"`fitted` has a {type(decider).__name__}, which decides by another rule than "
        "thresholds and costs. Export the estimator in it, and apply the rule to its "
        "probabilities."
    )


def _pos_label(decider):
    if len(decider.classes_) > 2:
        return None
    number = check_pos_label(getattr(decider, "pos_label", None), decider.classes_)
    return as_labels(decider.classes_)[number]


def _name_of(scoring):
    if scoring is None or isinstance(scoring, str):
        return scoring
    return getattr(scoring, "__name__", type(scoring).__name__)
