"""Networks of several seeds, or of several draws of rows, averaged."""

import threading
from functools import reduce
from numbers import Integral

import numpy as np
from scipy.special import log_softmax
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklimb._base import BaseProbabilityClassifier
from sklimb._compat import Interval, StrOptions
from sklimb._ledger import (
    is_frozen,
    target_prior_of,
    training_prior_of,
    warn_of_balancing_inside,
)
from sklimb._outputs import check_has_probabilities, log_probabilities, rest
from sklimb._sampling import rows_bootstrap, rows_under
from sklimb._seeds import members_of
from sklimb._steps import fitted, side_by_side
from sklimb.exceptions import TrainingPriorError
from sklimb.priors import correct_log_proba
from sklimb.resampling import with_validation_held_out

__all__ = ["NetworkEnsembleClassifier"]

LEAST = np.log(np.finfo(np.float64).tiny)

# One compiled model serves all members, with the values of one at a time.
_ONE_AT_A_TIME = threading.RLock()


class NetworkEnsembleClassifier(BaseProbabilityClassifier):
    """Average several networks that differ in their seed, and in their rows if wanted.

    Networks of one architecture are trained together, in much less time than one
    after the other; any other classifiers are fitted through joblib. Their average
    has a lower log-loss than they have on average, and is less a matter of luck.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``: a network, anything around one, or any other.
    n_estimators : int, default=8
        How many members.
    resample : {"under", "bootstrap"}, default=None
        Which rows each member is fitted on:

        - None: all;
        - ``"under"``: of each class as many as the rarest has, drawn anew for each
          member, so that most rows of frequent classes are used after all;
        - ``"bootstrap"``: as many of each class as it has, drawn with replacement.
    average : {"proba", "log_proba"}, default="proba"
        The mean of the probabilities, or their geometric mean, scaled to sum to 1,
        in which a class needs the consent of all members.
    n_jobs : int, default=None
        Fits at a time, as in joblib. Results don't depend on it.
    random_state : int, RandomState or None, default=None
        Which rows are drawn, and every ``random_state`` inside that is None. Each
        member gets other ones; the first has those that are set.

    Attributes
    ----------
    estimators_ : list of n_estimators fitted classifiers
    estimator_ : fitted classifier
        The first of them, which shows what all have in common.
    classes_ : ndarray of shape (n_classes,)
    training_prior_ : ndarray of shape (n_classes,)
        The prior that the probabilities belong to: the members' own. Where these
        differ, it is their mean, and every member is corrected to it before the
        average.
    target_prior_ : ndarray of shape (n_classes,)
        The same, where the members correct their probabilities.
    empirical_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows given to ``fit``, with ``sample_weight``.
    n_features_in_, feature_names_in_
        As the members have them.

    See Also
    --------
    ResampledClassifier : Inside, for other shares or samplers, also a draw for each
        member.
    sklearn.ensemble.BaggingClassifier : Without the ledger, one fit after the other.

    Notes
    -----
    More members leave the first ones as they are. Shares of ``"under"`` are by
    number of rows; weights follow their rows and multiply afterwards. Rows that a
    network holds out to validate with are held out before any are drawn, for each
    member others; ``groups`` go there, and rows are drawn singly.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell (2017), "Simple and scalable predictive
    uncertainty estimation using deep ensembles"; Liu, Wu and Zhou (2009),
    "Exploratory undersampling for class-imbalance learning" (``"under"``).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import log_loss
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklimb import NetworkEnsembleClassifier
    >>> X, y = make_classification(2000, weights=[0.9], class_sep=0.7, random_state=2)
    >>> X, X_new, y, y_new = train_test_split(X, y, stratify=y, random_state=0)
    >>> network = MLPClassifier(32, early_stopping=True, random_state=0).fit(X, y)
    >>> f"{log_loss(y_new, network.predict_proba(X_new)):.2f}"
    '0.34'
    >>> several = NetworkEnsembleClassifier(network).fit(X, y)
    >>> f"{log_loss(y_new, several.predict_proba(X_new)):.2f}"
    '0.31'

    How far the members disagree, on average:

    >>> f"{several.predict_proba_std(X_new).mean():.2f}"
    '0.09'
    """

    _parameter_constraints = {
        **BaseProbabilityClassifier._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "resample": [StrOptions({"under", "bootstrap"}), None],
        "average": [StrOptions({"proba", "log_proba"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    _checks_ledger_inside = True
    _averages_members = True  # which sklimb.keras.export can do in one model

    def __init__(
        self,
        estimator,
        *,
        n_estimators=8,
        resample=None,
        average="proba",
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(estimator)
        self.n_estimators = n_estimators
        self.resample = resample
        self.average = average
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, data):
        _check_is_trained(self.estimator)
        # Of None as well: what is not alike must not look alike.
        random = check_random_state(self.random_state)
        members = members_of(self.estimator, self.n_estimators, random)
        drawn = [self._drawn(member, data, random) for member in members]
        fits = [fitted(*pair) for pair in zip(members, drawn, strict=True)]
        estimators = yield from side_by_side(fits, self.n_jobs)
        check_has_probabilities(estimators[0], "average")
        for estimator in estimators:
            rest(estimator)
        self._warn_of_balancing(data, drawn[0], estimators[0])
        return {
            "estimator_": estimators[0],
            "estimators_": estimators,
            "_drawn_priors": [part.empirical_prior for part in drawn],
        }

    def _drawn(self, member, data, random):
        """Return the rows of one member."""
        if self.resample is None:
            return data
        data = with_validation_held_out(member, data)
        numbers, classes = data.class_numbers, data.classes
        if self.resample == "bootstrap":
            return data.take(rows_bootstrap(numbers, random))
        uniform = np.full(len(classes), 1 / len(classes))
        return data.take(rows_under(numbers, uniform, random, classes))

    def _warn_of_balancing(self, data, drawn, estimator):
        if self.resample == "under":
            own, shares = "`resample`='under'", drawn.empirical_prior
            warn_of_balancing_inside(own, data.empirical_prior, shares, estimator)

    def _priors(self):
        """Return the prior of each member's probabilities.

        Raises
        ------
        TrainingPriorError
            If something inside rebalances without keeping the ledger.
        """
        pairs = zip(self.estimators_, self._drawn_priors, strict=True)
        return [training_prior_of(*pair) for pair in pairs]

    @property
    def training_prior_(self):
        """The prior that the probabilities belong to, of shape (n_classes,)."""
        try:
            return _common(self._priors())
        except TrainingPriorError as error:
            raise AttributeError(str(error)) from error

    @property
    def target_prior_(self):
        """The prior that the members correct to, of shape (n_classes,)."""
        if target_prior_of(self.estimator_) is None:
            raise AttributeError("The members don't correct their probabilities.")
        return self.training_prior_

    def predict_log_proba(self, X):
        """Predict natural logarithms of the averaged probabilities.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
        """
        check_is_fitted(self, "estimators_")
        members = self._log_probas(X)
        if self.average == "proba":
            return reduce(np.logaddexp, members) - np.log(len(self.estimators_))
        # Two members may exclude each other's class, which leaves none.
        total = sum(np.maximum(log_proba, LEAST) for log_proba in members)
        return log_softmax(total / len(self.estimators_), axis=1)

    def predict_proba_std(self, X):
        """Return how far the members disagree.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
            Standard deviation of the members' probabilities.
        """
        check_is_fitted(self, "estimators_")
        return np.std([np.exp(log_proba) for log_proba in self._log_probas(X)], axis=0)

    def _log_probas(self, X):
        """Yield each member's log-probabilities, at the common prior."""
        for estimator, prior in self._sources():
            with _ONE_AT_A_TIME:
                log_proba = log_probabilities(estimator, X)
                rest(estimator)
            if prior is not None:
                log_proba = correct_log_proba(log_proba, prior, self.training_prior_)
            yield log_proba

    def _sources(self):
        """Return each member with the prior to correct it from, or with None."""
        try:
            priors = self._priors()
        except TrainingPriorError:  # nobody knows them, so they are taken for alike
            priors = self._drawn_priors[:1] * len(self.estimators_)
        common = _common(priors)
        away = [None if np.array_equal(p, common) else p for p in priors]
        return list(zip(self.estimators_, away, strict=True))


def _common(priors):
    """Return the mean of priors, of equal ones to the last bit."""
    alike = all(np.array_equal(prior, priors[0]) for prior in priors)
    return priors[0] if alike else np.mean(priors, axis=0)


def _check_is_trained(estimator):
    if is_frozen(estimator):
        raise ValueError(
            "`estimator` is frozen: its fit does not train, so that all members would "
            "be the same. Give the estimator in it, or freeze the whole ensemble."
        )
