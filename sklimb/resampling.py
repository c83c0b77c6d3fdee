"""Resampling: rows of each class repeated, left out or made, and the prior of that."""

from dataclasses import replace
from difflib import get_close_matches

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from sklimb._base import BaseImbalanceClassifier
from sklimb._ledger import innermost, is_frozen, shown, warn_of_balancing_inside
from sklimb._samplers import aimed, batches_for, new_sampler, resampled
from sklimb._sampling import rows_over, rows_under
from sklimb._steps import fitted
from sklimb._validation import as_labels, check_prior

__all__ = ["ResampledClassifier", "with_validation_held_out"]

ROWS = {"over": rows_over, "under": rows_under}
NAMES = (*ROWS, "batches")


class ResampledClassifier(BaseImbalanceClassifier):
    """Train a classifier on resampled rows, and say to which prior that leads.

    Only the rows given to ``fit`` are resampled, so in a cross-validation
    those of each training part; rows to predict, and those that a network
    holds out to validate with, are never touched.

    Parameters
    ----------
    estimator : classifier
        For a Pipeline, rows are resampled right before its last step, after
        they were transformed: a scaler learns from the natural rows.
    sampler : {"over", "under", "batches"} or object, default="over"
        - ``"over"``: every row stays, and rows of rare classes are repeated,
          each as often as the others of its class, up to one;
        - ``"under"``: rows of frequent classes are left out at random;
        - ``"batches"``: every mini-batch of a
          :class:`sklimb.keras.KerasClassifier` is composed so, all rows stay;
        - a :class:`sklimb.keras.BalancedBatches`, for its other parameters;
        - any object with ``fit_resample(X, y)``, such as imbalanced-learn's
          samplers. It is copied, not changed.
    sampling_prior : array-like, mapping, float or "uniform", default="uniform"
        The class shares to reach, by number of rows. A float is the share of
        ``classes_[1]``. For a sampler of imbalanced-learn it sets
        ``sampling_strategy``; one that can't aim takes only the default, which
        then leaves it alone.
    random_state : int, RandomState or None, default=None
        Which rows are drawn; also for every ``random_state`` inside that is
        None.

    Attributes
    ----------
    estimator_ : fitted classifier
    sampler_ : object or None
        The fitted sampler, where one was given.
    sampling_prior_ : ndarray of shape (n_classes,) or None
        The class shares aimed at; None where the sampler decides itself.
    classes_ : ndarray of shape (n_classes,)
    training_prior_ : ndarray of shape (n_classes,)
        The class shares of the resampled rows, with their weights: the prior
        that the probabilities belong to.
    empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``.
    n_features_in_, feature_names_in_
        As the wrapped classifier has them.

    See Also
    --------
    ClassWeightedClassifier : The same effect on the loss, without copies.
    PriorCorrectedClassifier : Takes the effect out of the probabilities.

    Notes
    -----
    ``sample_weight`` and other fit parameters with a value for each row follow
    their row. Weights multiply afterwards: shares are aimed at by number of
    rows. Where a sampler makes new rows, those get the mean weight of their
    class.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import confusion_matrix
    >>> from sklimb import PriorCorrectedClassifier, ResampledClassifier
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> confusion_matrix(y, LogisticRegression().fit(X, y).predict(X))
    array([[1866,   28],
           [  97,    9]])
    >>> sampled = ResampledClassifier(LogisticRegression(), random_state=0).fit(X, y)
    >>> confusion_matrix(y, sampled.predict(X))
    array([[1652,  242],
           [   6,  100]])
    >>> sampled.training_prior_
    array([0.5, 0.5])

    Its probabilities belong to a world of halves; corrected, to the real one.

    >>> honest = PriorCorrectedClassifier(sampled).fit(X, y)
    >>> f"{honest.predict_proba(X)[:, 1].mean():.3f}, really {y.mean():.3f}"
    '0.053, really 0.053'
    """

    _parameter_constraints = {
        **BaseImbalanceClassifier._parameter_constraints,
        "sampler": "no_validation",  # _check_sampler tells more
        "sampling_prior": "no_validation",
        "random_state": ["random_state"],
    }
    _checks_ledger_inside = True

    def __init__(
        self, estimator, *, sampler="over", sampling_prior="uniform", random_state=None
    ):
        super().__init__(estimator)
        self.sampler = sampler
        self.sampling_prior = sampling_prior
        self.random_state = random_state

    def _fit(self, data):
        _check_sampler(self.sampler)
        prior = check_prior(
            self.sampling_prior, data.classes, name="sampling_prior", allow_zero=False
        )
        estimator = self._new_estimator()
        _check_is_trained(estimator)
        if isinstance(estimator, Pipeline):
            return (yield from self._fit_last_step(estimator, data))
        if _sets_batches(self.sampler):
            return (yield from self._fit_batches(estimator, data, prior))
        data = with_validation_held_out(estimator, data)
        sampled, attributes = self._sampled(data, prior)
        _check_classes_left(sampled, self.sampler)
        estimator = yield from fitted(estimator, sampled)
        own = f"`sampler`={shown(self.sampler)}"
        warn_of_balancing_inside(
            own, data.empirical_prior, sampled.empirical_prior, estimator
        )
        return {
            "estimator_": estimator,
            "_resampled_prior": sampled.empirical_prior,
            **attributes,
        }

    def _fit_last_step(self, pipeline, data):
        """Fit a Pipeline whose last step resamples what the others made."""
        name, last = pipeline.steps[-1]
        step = ResampledClassifier(
            last,
            sampler=self.sampler,
            sampling_prior=self.sampling_prior,
            random_state=self.random_state,
        )
        pipeline.steps[-1] = (name, step)
        yield from fitted(pipeline, data)
        names = ("sampler_", "sampling_prior_", "_resampled_prior")
        return {"estimator_": pipeline, **{n: getattr(step, n) for n in names}}

    def _fit_batches(self, estimator, data, prior):
        """Fit a network that composes its mini-batches itself."""
        network = innermost(estimator)
        _check_takes_batches(network, self.sampler)
        batches, prior = batches_for(self.sampler, self.sampling_prior, prior, data)
        network.set_params(batches=batches)
        return {
            "estimator_": (yield from fitted(estimator, data)),
            "sampler_": None,
            "sampling_prior_": prior,
            "_resampled_prior": data.empirical_prior,
        }

    def _sampled(self, data, prior):
        """Return the resampled data, and what to publish of that."""
        if isinstance(self.sampler, str):
            random = check_random_state(self.random_state)
            rows = ROWS[self.sampler](data.class_numbers, prior, random, data.classes)
            return data.take(rows), {"sampler_": None, "sampling_prior_": prior}
        sampler = new_sampler(self.sampler, self.random_state)
        aim = aimed(sampler, self.sampling_prior, prior, data)
        sampled = resampled(sampler, data)
        return sampled, {"sampler_": sampler, "sampling_prior_": aim}

    def _learned_prior(self):
        return self._resampled_prior


def _sets_batches(sampler):
    """Tell whether rows are drawn batch by batch, without importing Keras."""
    is_name = isinstance(sampler, str) and sampler == "batches"
    return is_name or getattr(sampler, "_sets_batches", False)


def _check_sampler(sampler):
    if isinstance(sampler, type):
        raise ValueError(
            f"`sampler` is the class {sampler.__name__}; give an object: "
            f"{sampler.__name__}()."
        )
    is_object = hasattr(sampler, "fit_resample") or _sets_batches(sampler)
    if is_object or (isinstance(sampler, str) and sampler in NAMES):
        return
    raise ValueError(
        f"`sampler`={sampler!r} is not known.{_hint(sampler)} Use 'over', 'under', "
        "'batches', or an object with fit_resample, such as "
        "imblearn.over_sampling.SMOTE()."
    )


def _hint(sampler):
    if sampler is None:
        return " Without resampling, use the `estimator` itself."
    text = str(sampler).lower()
    nearest = get_close_matches(text, NAMES, n=1)
    nearest += [name for name in NAMES if text.startswith(name)]
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _check_is_trained(estimator):
    if is_frozen(estimator):
        raise ValueError(
            "`estimator` is frozen: its fit does not train, so that resampling would "
            "have no effect. Freeze the whole ResampledClassifier instead."
        )


def _check_takes_batches(network, sampler):
    if not getattr(network, "_takes_batches", False):
        raise ValueError(
            f"`sampler`={shown(sampler)} sets the composition of a network's "
            f"mini-batches, and {type(network).__name__} has none. Use 'over' or "
            "'under', or wrap the model in sklimb.keras.KerasClassifier."
        )
    if network.batches is not None:
        raise ValueError(
            f"Mini-batches are composed on two levels: `sampler`={shown(sampler)} here "
            f"and `batches`={shown(network.batches)} of {type(network).__name__} "
            "inside. Leave one of them out."
        )


def with_validation_held_out(estimator, data):
    """Return the rows to resample; those that a network holds out stand apart.

    They keep the natural class shares, and no copy of them is trained on.
    """
    split = getattr(innermost(estimator), "_split_validation", None)
    if split is None or data.validation is not None:
        return data
    parts = split(data.class_numbers, groups=data.fit_params.get("groups"))
    if parts is None:
        return data
    data = data.without_params("groups")  # they have done their work
    training, validation = parts
    return replace(data.take(training), validation=data.take(validation))


def _check_classes_left(data, sampler):
    gone = np.setdiff1d(data.classes, data.y)
    if len(gone):
        raise ValueError(
            f"`sampler`={shown(sampler)} left no rows of the classes "
            f"{as_labels(gone)}. Use one that leaves out fewer rows, or sampler='over'."
        )
