"""Folds whose test rows have the class shares of deployment."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import check_random_state

from sklimb._rows import as_rows
from sklimb._validation import as_labels, check_labels, check_prior
from sklimb.metrics._rows import labelled_rows
from sklimb.splits._filling import fill, matched
from sklimb.splits._units import check_duplicates, units_of

__all__ = ["PriorMatchedGroupKFold", "PriorMatchedKFold"]

METHODS = ("subsample", "weights")


class _PriorMatched:
    """What is done to the test folds of a splitter of scikit-learn."""

    def _set(self, target_prior, pos_label, method, duplicates):
        if method not in METHODS:
            raise ValueError(
                f"`method`={method!r} must be one of {', '.join(METHODS)}."
            )
        check_duplicates(duplicates)
        self.target_prior = target_prior
        self.pos_label = pos_label
        self.method = method
        self.duplicates = duplicates

    def _matched(self, folds, y):
        """Yield folds, their test rows cut down to the prior."""
        y, classes = check_labels(y)
        prior = check_prior(
            self.target_prior, classes, pos_label=self.pos_label, name="target_prior"
        )
        numbers = np.searchsorted(classes, y)
        random = check_random_state(self.random_state) if self.shuffle else None
        for place, (train, test) in enumerate(folds):
            if self.method == "subsample":
                kept = matched(numbers[test], prior, random)
                _check_holds(numbers[test[kept]], prior, classes, place)
                test = test[kept]
            yield train, test

    def test_weight(self, y_test):
        """Return weights under which test rows have the prior.

        Parameters
        ----------
        y_test : array-like of shape (n_rows,)
            Labels of a test fold.

        Returns
        -------
        ndarray of shape (n_rows,)
            With mean 1. All are about 1 where the fold was cut down to the prior.

        Raises
        ------
        ValueError
            If a class with a share has no rows.
        """
        rows = labelled_rows(y_test, self.target_prior, pos_label=self.pos_label)
        return rows.importance * len(rows.numbers)


def _check_holds(numbers, prior, classes, place):
    empty = (np.bincount(numbers, minlength=len(prior)) == 0) & (prior > 0)
    if empty.any():
        k = int(np.argmax(empty))
        raise ValueError(
            f"the test rows of fold {place} can't hold the class "
            f"{as_labels(classes)[k]!r} at its share of {prior[k]:.3g} in "
            f"`target_prior`: {len(numbers)} rows are left. Use fewer folds, or keep "
            "all test rows and weigh them: method='weights', or "
            "sklimb.metrics.make_prior_scorer."
        )


class PriorMatchedKFold(_PriorMatched, StratifiedKFold):
    """Stratified folds whose test rows have the class shares of deployment.

    The folds are those of :class:`sklearn.model_selection.StratifiedKFold`. Training
    rows stay as they are; of the test rows as many are kept as have the prior.

    Subsampling drops test rows: of positives, most of them where they are much rarer
    in deployment. To score by weights keeps all rows and is less noisy:
    :func:`sklimb.metrics.make_prior_scorer` does that with any folds. Subsample for
    what takes no weights, such as a metric of your own.

    Parameters
    ----------
    n_splits : int, default=5
    target_prior : array-like, mapping, float or "uniform"
        Class shares where the model is used; a float is the positive class's
        prevalence.
    pos_label : label, default=None
        The positive class; None for the greater label.
    method : {"subsample", "weights"}, default="subsample"
        ``"weights"`` keeps all test rows; :meth:`test_weight` gives what they weigh.
    duplicates : {None, "together"}, default=None
        Whether equal rows of ``X`` are kept in one fold. The folds are then
        stratified as nearly as that allows.
    shuffle : bool, default=False
        Whether rows are drawn at random, for folds and for the test rows that stay;
        otherwise those that stay are evenly spaced.
    random_state : int, RandomState or None, default=None
        Only with ``shuffle=True``, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.splits import PriorMatchedKFold
    >>> y = np.repeat([0, 1], [500, 500])
    >>> folds = PriorMatchedKFold(2, target_prior=0.1)
    >>> for train, test in folds.split(y[:, None], y):
    ...     print(len(train), y[train].mean(), len(test), y[test].mean().round(3))
    500 0.5 278 0.101
    500 0.5 278 0.101
    """

    def __init__(
        self,
        n_splits=5,
        *,
        target_prior,
        pos_label=None,
        method="subsample",
        duplicates=None,
        shuffle=False,
        random_state=None,
    ):
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)
        self._set(target_prior, pos_label, method, duplicates)

    def split(self, X, y, groups=None):
        """Yield row numbers for training and for the test.

        Parameters
        ----------
        X : array-like, frame, sparse matrix, or several inputs
            Looked at only for ``duplicates``.
        y : array-like of shape (n_rows,)
            Labels.
        groups : object
            Ignored; :class:`PriorMatchedGroupKFold` keeps groups together.

        Yields
        ------
        train, test : ndarray of int
        """
        X, y = as_rows(X, y)
        if self.duplicates is None:
            rows = np.zeros((len(y), 1))
            folds = super().split(rows, y, groups)
        else:
            folds = self._folds_of_units(X, y)
        yield from self._matched(folds, y)

    def _folds_of_units(self, X, y):
        _, numbers = np.unique(np.asarray(y), return_inverse=True)
        counts = np.bincount(numbers)
        if counts.max() < self.n_splits:
            raise ValueError(
                f"`n_splits`={self.n_splits} is more than any class has rows: "
                f"{counts.tolist()}. Use fewer folds."
            )
        extra = np.arange(self.n_splits)[:, None] < counts % self.n_splits
        random = check_random_state(self.random_state if self.shuffle else 0)
        fold = fill(
            numbers,
            units_of(X, None, self.duplicates),
            counts // self.n_splits + extra,
            random,
        )
        for k in range(self.n_splits):
            yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


class PriorMatchedGroupKFold(_PriorMatched, StratifiedGroupKFold):
    """Folds of whole groups whose test rows have the class shares of deployment.

    As :class:`PriorMatchedKFold`, from the folds of
    :class:`sklearn.model_selection.StratifiedGroupKFold`: no group is in training and
    test rows of one fold. ``groups`` is requested by default in metadata routing.

    Parameters
    ----------
    n_splits : int, default=5
    target_prior : array-like, mapping, float or "uniform"
        Class shares where the model is used; a float is the positive class's
        prevalence.
    pos_label : label, default=None
        The positive class; None for the greater label.
    method : {"subsample", "weights"}, default="subsample"
        ``"weights"`` keeps all test rows; :meth:`test_weight` gives what they weigh.
    duplicates : {None, "together"}, default=None
        Whether groups that have an equal row of ``X`` are kept in one fold.
    shuffle : bool, default=False
        Whether rows are drawn at random, for folds and for the test rows that stay;
        otherwise those that stay are evenly spaced.
    random_state : int, RandomState or None, default=None
        Only with ``shuffle=True``, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.splits import PriorMatchedGroupKFold
    >>> y = np.tile([0, 0, 0, 1], 100)
    >>> patients = np.repeat(np.arange(50), 8)
    >>> folds = PriorMatchedGroupKFold(2, target_prior=0.1)
    >>> for train, test in folds.split(y[:, None], y, patients):
    ...     print(len(test), set(patients[train]) & set(patients[test]))
    167 set()
    167 set()
    """

    def __init__(
        self,
        n_splits=5,
        *,
        target_prior,
        pos_label=None,
        method="subsample",
        duplicates=None,
        shuffle=False,
        random_state=None,
    ):
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)
        self._set(target_prior, pos_label, method, duplicates)

    def split(self, X, y, groups=None):
        """Yield row numbers for training and for the test.

        Parameters
        ----------
        X : array-like, frame, sparse matrix, or several inputs
            Looked at only for ``duplicates``.
        y : array-like of shape (n_rows,)
            Labels.
        groups : array-like of shape (n_rows,)
            Rows of one group belong together.

        Yields
        ------
        train, test : ndarray of int
        """
        X, y = as_rows(X, y)
        if groups is None:
            raise ValueError(
                "`groups` is None, and PriorMatchedGroupKFold keeps groups together. "
                "Give a group for each row, or use PriorMatchedKFold."
            )
        if self.duplicates is not None:
            groups = units_of(X, groups, self.duplicates)
        rows = np.zeros((len(y), 1))
        yield from self._matched(super().split(rows, y, groups), y)
