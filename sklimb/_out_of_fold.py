"""Scores of rows by models that did not train on them."""

from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit, check_cv
from sklearn.utils.metadata_routing import MethodMapping

from sklimb._compat import Interval, RealNotInt, StrOptions
from sklimb._fold_models import FoldModels
from sklimb._outputs import class_scores, log_probabilities
from sklimb._rows import has_several_inputs, num_rows
from sklimb._steps import FitJob, fit_jobs
from sklimb._validation import as_labels, is_number
from sklimb.priors import correct_proba, weights_to_prior

__all__ = [
    "CV_CONSTRAINTS",
    "OutOfFold",
    "fit_out_of_fold",
    "route_to_splitter",
    "split_rows",
]

# Of the parameters that all who cross-validate have.
CV_CONSTRAINTS = {
    "cv": [
        "cv_object",
        StrOptions({"prefit"}),
        Interval(RealNotInt, 0, 1, closed="neither"),
    ],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}

# Into how many parts rows are dealt where the folds don't part them.
N_PARTS = 5

# What OutOfFold has a value, or a line of values, of for each row.
ROW_FIELDS = (
    "scores",
    "class_numbers",
    "sample_weight",
    "fold",
    "rows",
    "groups",
    "costs",
)


@dataclass(frozen=True)
class OutOfFold:
    """Scores of rows by models that did not train on them.

    Attributes
    ----------
    scores : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or decision values where there are none; whatever else
        was asked for.
    class_numbers : ndarray of shape (n_rows,)
        Each row's place in ``classes_``.
    sample_weight : ndarray of shape (n_rows,) or None
    fold : ndarray of shape (n_rows,)
        The fold that scored the row.
    rows : ndarray of shape (n_rows,)
        The row's number in the data given to ``fit``.
    target_priors : list of ndarray of shape (n_classes,), or of None
        For each fold, the prior that its probabilities were corrected to.
    groups, costs : ndarray of shape (n_rows,), (n_rows, n_classes), or None
        The group that the row is drawn with, and what each decision costs for it.
    models : FoldModels or None
        What scored the rows, where it gives probabilities.
    """

    scores: np.ndarray
    class_numbers: np.ndarray
    sample_weight: np.ndarray | None
    fold: np.ndarray
    rows: np.ndarray
    target_priors: list
    groups: np.ndarray | None = None
    costs: np.ndarray | None = None
    models: FoldModels | None = None

    @classmethod
    def collect(cls, data, test_rows, results, score=class_scores):
        """Gather the folds' results of :func:`sklimb._steps.fit_jobs`."""
        rows = np.concatenate(test_rows)
        weight, groups = data.sample_weight, data.split_params.get("groups")
        scores = np.concatenate([result.scores for result in results])
        return cls(
            scores=scores,
            class_numbers=data.class_numbers[rows],
            sample_weight=None if weight is None else weight[rows],
            fold=np.repeat(np.arange(len(test_rows)), [len(r) for r in test_rows]),
            rows=data.row_numbers[rows],
            target_priors=[result.target_prior for result in results],
            groups=None if groups is None else np.asarray(groups)[rows],
            models=fold_models(results, scores, score),
        )

    @property
    def fold_shares(self):
        """Return each fold's share of the rows, shape (n_folds,)."""
        return np.bincount(self.fold, minlength=self.n_folds) / len(self.fold)

    @property
    def n_folds(self):
        """Return the number of folds."""
        return len(self.target_priors)

    def corrected_to(self, target_prior):
        """Return the same rows with probabilities at another target prior."""
        scores = self.scores.copy()
        for k, prior in enumerate(self.target_priors):
            if np.array_equal(prior, target_prior):
                continue
            part = self.fold == k
            scores[part] = correct_proba(scores[part], prior, target_prior)
        priors = [target_prior] * self.n_folds
        return replace(self, scores=scores, target_priors=priors)

    def take(self, rows):
        """Return some of the rows; their folds keep their numbers."""
        taken = {
            name: None if (values := getattr(self, name)) is None else values[rows]
            for name in ROW_FIELDS
        }
        return replace(self, **taken, models=None)

    def of_fold(self, fold):
        """Return the rows of one fold."""
        return self.take(self.fold == fold)

    def without_fold(self, fold):
        """Return the rows of all other folds."""
        return self.take(self.fold != fold)

    def dealt(self, n_parts=N_PARTS):
        """Return the same rows in folds that part them: what chooses, and what tests.

        The folds, where they part the rows. Else, for a single hold-out and for
        folds that overlap, every row is dealt to one of five, class by class; rows of
        a group together.
        """
        rows, first, place = np.unique(
            self.rows, return_index=True, return_inverse=True
        )
        if self.n_folds > 1 and len(rows) == len(self.rows):
            return self
        unit, number = np.arange(len(rows)), self.class_numbers[first]
        if self.groups is not None:
            unit = np.unique(self.groups[first], return_inverse=True)[1].ravel()
            number = np.zeros(unit.max() + 1, dtype=int)
            np.maximum.at(number, unit, self.class_numbers[first])
        part = np.empty(len(number), dtype=int)
        part[np.argsort(number, kind="stable")] = np.arange(len(number)) % n_parts
        priors = [self.target_priors[0]] * n_parts
        return replace(self, fold=part[unit][place], target_priors=priors)

    def weights_at(self, prior, by_fold=True):
        """Return row weights under which each fold, or all rows, have a prior.

        Parameters
        ----------
        prior : ndarray of shape (n_classes,) or None
            None for the rows as they are.
        by_fold : bool, default=True

        Returns
        -------
        ndarray of shape (n_rows,) or None
        """
        if prior is None:
            return self.sample_weight
        weight = np.empty(len(self.rows))
        for part in self.parts() if by_fold else [slice(None)]:
            own = None if self.sample_weight is None else self.sample_weight[part]
            weight[part] = weights_to_prior(self.class_numbers[part], own, prior)
        return weight

    @property
    def folds(self):
        """Return the numbers of the folds that have rows."""
        return np.flatnonzero(np.bincount(self.fold))

    def parts(self):
        """Return which rows each of ``folds`` has."""
        folds = self.folds
        if len(folds) == 1:
            return [slice(None)]  # nothing to copy
        return [self.fold == fold for fold in folds]


def fold_models(results, scores, score):
    """Return what scored the folds, or None where it gives no probabilities."""
    if scores.ndim == 1:
        return None
    return FoldModels(
        [result.estimator for result in results],
        [result.target_prior for result in results],
        np.exp(scores) if score is log_probabilities else scores,
    )


def fit_out_of_fold(
    estimator, data, folds, *, refit=True, n_jobs=None, score=class_scores
):
    """Take the steps to scores of each fold's test rows, and an estimator to keep.

    Parameters
    ----------
    estimator : classifier
        Not changed.
    data : TrainingData
    folds : list of (training rows, test rows)
        None for all training rows.
    refit : bool, default=True
        Whether the estimator to keep is fitted on all rows; else it is the
        last fold's.
    n_jobs, score
        As for :func:`sklimb._steps.fit_jobs`.

    Yields
    ------
    Needs

    Returns
    -------
    fitted estimator
    OutOfFold
    """
    jobs = [FitJob(train, test, rest=refit) for train, test in folds]
    if refit:
        jobs.append(FitJob(None))
    results = yield from fit_jobs(estimator, data, jobs, n_jobs=n_jobs, score=score)
    tests = [test for _, test in folds]
    out_of_fold = OutOfFold.collect(data, tests, results[: len(folds)], score)
    return results[-1].estimator, out_of_fold


def route_to_splitter(router, cv):
    """Let a router of metadata send what a splitter requests, where there is one."""
    if hasattr(cv, "split"):
        mapping = MethodMapping().add(caller="fit", callee="split")
        router.add(splitter=cv, method_mapping=mapping)
    return router


def split_rows(cv, data, random_state):
    """Return the folds as a list of (training rows, test rows).

    Parameters
    ----------
    cv : int, float, splitter, iterable of (train, test) or None
        None is 5 stratified folds, a float one stratified hold-out of that
        share. The rows of an iterable count as in the data given to ``fit``.
    data : TrainingData
    random_state : int, RandomState or None
        For the hold-out.

    Raises
    ------
    ValueError
        If a class has fewer rows than there are folds, or a training part
        lacks a class.
    """
    if is_number(cv) and not isinstance(cv, Integral):
        cv = StratifiedShuffleSplit(1, test_size=float(cv), random_state=random_state)
    if cv is None or isinstance(cv, Integral) or hasattr(cv, "split"):
        splitter = check_cv(cv, data.y, classifier=True)
        _check_rows_for_folds(splitter, data)
        folds = list(splitter.split(like_rows(data.X), data.y, **data.split_params))
    else:
        folds = [_kept_rows(fold, data.row_numbers) for fold in cv]
    for number, (train, _) in enumerate(folds):
        missing = np.setdiff1d(data.classes, data.y[train])
        if len(missing):
            raise ValueError(
                f"`cv` leaves no training row of the classes {as_labels(missing)} in "
                f"fold {number}. Use stratified folds, or fewer."
            )
    return folds


def like_rows(X):
    # Splitters count rows, of which several inputs have fewer than they seem.
    return np.zeros((num_rows(X), 1)) if has_several_inputs(X) else X


def _check_rows_for_folds(splitter, data):
    if not type(splitter).__name__.startswith("Stratified"):
        return
    n_folds = getattr(splitter, "n_splits", 1)
    if hasattr(splitter, "test_size"):
        n_folds = 2  # hold-outs: a row in each part is enough
    labels, counts = np.unique(data.y, return_counts=True)
    fewest, rarest = counts.min(), as_labels(labels)[counts.argmin()]
    if fewest < n_folds:
        raise ValueError(
            f"`cv` has {n_folds} folds and the class {rarest!r} has {fewest} rows: a "
            f"fold would lack it. Use at most {fewest} folds, or gather more rows."
        )


def _kept_rows(fold, rows):
    """Translate row numbers of the user's data to those of the rows kept."""
    fold = [np.asarray(part) for part in fold]
    fold = [np.flatnonzero(part) if part.dtype == bool else part for part in fold]
    place = np.full(max(int(part.max()) for part in (*fold, rows)) + 1, -1)
    place[rows] = np.arange(len(rows))
    return tuple(kept[kept >= 0] for kept in (place[part] for part in fold))
