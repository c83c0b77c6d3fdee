"""Class weights: how much a row of each class counts in the loss."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from sklimb._base import BaseImbalanceClassifier
from sklimb._compat import Interval
from sklimb._fitting import check_takes_weights
from sklimb._ledger import final_estimator, shown, warn_of_balancing_inside
from sklimb._steps import fitted
from sklimb._validation import (
    as_labels,
    check_class_weight_mapping,
    check_labels,
    check_sample_weight,
    is_number,
)
from sklimb.priors import class_numbers

__all__ = ["ClassWeightedClassifier", "class_weights"]


def class_weights(
    y, class_weight="balanced", *, strength=1.0, beta=None, sample_weight=None
):
    """Compute the weight of each class.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels of any type.
    class_weight : "balanced", "effective_number", float, mapping, callable or None
        As for :class:`ClassWeightedClassifier`.
    strength, beta
        As for :class:`ClassWeightedClassifier`.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts as a row of its class.

    Returns
    -------
    dict
        ``{label: weight}``. Computed weights have mean 1 over the rows; a
        mapping's are as given, 1 for a label that it leaves out.

    Raises
    ------
    ValueError
        If ``class_weight`` has no meaning for ``y``.

    References
    ----------
    Effective number: Cui et al. (2019), "Class-balanced loss based on
    effective number of samples", eq. 5.

    Examples
    --------
    >>> from sklimb.weighting import class_weights
    >>> y = [0] * 90 + [1] * 10
    >>> {c: round(w, 3) for c, w in class_weights(y).items()}
    {0: 0.556, 1: 5.0}
    >>> {c: round(w, 3) for c, w in class_weights(y, strength=0.5).items()}
    {0: 0.833, 1: 2.5}
    """
    y, classes = check_labels(y)
    weight = check_sample_weight(sample_weight, len(y))
    counts = np.bincount(class_numbers(y, classes), weights=weight).astype(np.float64)
    if callable(class_weight):
        class_weight = class_weight(y)
    if class_weight is None:
        weights = np.ones(len(classes))
    elif isinstance(class_weight, Mapping):
        weights = check_class_weight_mapping(class_weight, classes)
    else:
        raw = _raw_weights(class_weight, counts, strength, beta)
        weights = raw * counts.sum() / (raw @ counts)
    return dict(zip(as_labels(classes), weights.tolist(), strict=True))


def _raw_weights(class_weight, counts, strength, beta):
    if is_number(class_weight):
        return _weights_for_share(class_weight, counts)
    if not isinstance(class_weight, str):
        raise ValueError(_not_a_class_weight(class_weight))
    if class_weight == "balanced":
        return counts**-strength
    if class_weight == "effective_number":
        return _effective_number_weights(counts, beta)
    raise ValueError(
        f"`class_weight`={class_weight!r} is unknown. Use 'balanced', "
        "'effective_number', a float in (0, 1) for the positive class's share, a "
        "mapping {label: weight}, a callable, or None."
    )


def _not_a_class_weight(value):
    shape = np.shape(value)
    hint = (
        " One weight a row is `sample_weight`, which `fit` takes: did you mean that?"
        if len(shape) == 1
        else ""
    )
    return (
        f"`class_weight` is a {type(value).__name__} of shape {shape}; give a mapping "
        f"{{label: weight}}, so that no order of classes is guessed.{hint}"
    )


def _weights_for_share(share, counts):
    if len(counts) != 2:
        raise ValueError(
            f"`class_weight`={share} is the positive class's share of the weight, for "
            f"two classes; `y` has {len(counts)}. Give a mapping or 'balanced'."
        )
    if not 0 < share < 1:
        raise ValueError(
            f"`class_weight`={share} must lie between 0 and 1, both excluded: it is "
            "the positive class's share of the whole weight (0.5 is balanced)."
        )
    return np.array([1 - share, share]) / counts


def _effective_number_weights(counts, beta):
    if beta is None:
        raise ValueError(
            "`class_weight`='effective_number' needs `beta`, usually 0.9 to 0.9999; "
            "got None."
        )
    # 1 - beta**n cancels near beta = 1, expm1 does not.
    return (1 - beta) / -np.expm1(counts * np.log(beta)) if beta > 0 else counts**0


class ClassWeightedClassifier(BaseImbalanceClassifier):
    """Train a classifier with class weights, and say to which prior that leads.

    Parameters
    ----------
    estimator : classifier
        Its ``fit`` must take ``sample_weight``. In a Pipeline the weights go to
        the last step.
    class_weight : default="balanced"
        - ``"balanced"``: ``w_c ∝ n_c ** -strength``;
        - a float t in (0, 1): the positive class (``classes_[1]``) gets the
          share t of the whole weight; 0.5 is balanced;
        - ``"effective_number"``: ``w_c ∝ (1 - beta) / (1 - beta ** n_c)``;
        - a mapping ``{label: weight}``, used as given;
        - a callable that takes ``y`` and returns such a mapping;
        - None: no weights.
    strength : float, default=1.0
        For ``"balanced"``: 0 is none, 0.5 the square root, 1 balanced.
    beta : float in [0, 1), default=None
        For ``"effective_number"``.

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : ndarray of shape (n_classes,)
    class_weight_ : dict
        The weights used, ``{label: weight}``.
    training_prior_ : ndarray of shape (n_classes,)
        The class distribution that the weighted loss saw; the probabilities
        belong to it.
    empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    See Also
    --------
    PriorCorrectedClassifier : Takes the weights' effect out of the probabilities.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import confusion_matrix
    >>> from sklimb import ClassWeightedClassifier
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> confusion_matrix(y, LogisticRegression().fit(X, y).predict(X))
    array([[1866,   28],
           [  97,    9]])
    >>> weighted = ClassWeightedClassifier(LogisticRegression()).fit(X, y)
    >>> confusion_matrix(y, weighted.predict(X))
    array([[1651,  243],
           [   6,  100]])
    >>> weighted.training_prior_
    array([0.5, 0.5])
    """

    _parameter_constraints = {
        **BaseImbalanceClassifier._parameter_constraints,
        "class_weight": "no_validation",  # class_weights tells more
        "strength": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, 1, closed="left"), None],
    }

    def __init__(self, estimator, *, class_weight="balanced", strength=1.0, beta=None):
        super().__init__(estimator)
        self.class_weight = class_weight
        self.strength = strength
        self.beta = beta

    def _fit(self, data):
        self._check_one_level()
        weights = class_weights(
            data.y,
            self.class_weight,
            strength=self.strength,
            beta=self.beta,
            sample_weight=data.sample_weight,
        )
        estimator = self._new_estimator()
        empirical = data.empirical_prior
        if self.class_weight is not None:
            check_takes_weights(estimator)
            data = data.weighted(np.array(list(weights.values()))[data.class_numbers])
        estimator = yield from fitted(estimator, data)
        if self.class_weight is not None:
            own = f"`class_weight`={shown(self.class_weight)}"
            warn_of_balancing_inside(own, empirical, data.empirical_prior, estimator)
        return {"estimator_": estimator, "class_weight_": weights}

    def _learned_prior(self):
        mass = np.array(list(self.class_weight_.values())) * self.empirical_prior_
        return mass / mass.sum()

    def _check_one_level(self):
        final = final_estimator(self.estimator)
        for name, value in final.get_params().items():
            if name.rpartition("__")[2] == "class_weight" and value is not None:
                raise ValueError(
                    f"`class_weight` is set on two levels: {self.class_weight!r} here "
                    f"and `{name}`={value!r} of {type(final).__name__} inside. The "
                    "weights would multiply: set the inner one to None."
                )
