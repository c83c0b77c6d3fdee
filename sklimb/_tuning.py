"""Out-of-fold scores and the threshold that they say is best."""

import warnings
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit, check_cv
from sklearn.utils.metadata_routing import MethodMapping

from sklimb._compat import Interval, RealNotInt, StrOptions
from sklimb._fitting import FitJob, fit_many
from sklimb._fold_models import FoldModels
from sklimb._outputs import class_scores, log_probabilities
from sklimb._rows import has_several_inputs, num_rows
from sklimb._validation import as_labels, is_number
from sklimb.exceptions import ConstantScoresWarning
from sklimb.priors import correct_proba, weights_to_prior
from sklimb.thresholds import StepCurve, mean_curve

__all__ = [
    "CV_CONSTRAINTS",
    "OutOfFold",
    "Tuned",
    "fit_out_of_fold",
    "route_to_splitter",
    "split_rows",
    "tune",
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
    models : FoldModels or None
        What scored the rows, where it gives probabilities.
    """

    scores: np.ndarray
    class_numbers: np.ndarray
    sample_weight: np.ndarray | None
    fold: np.ndarray
    rows: np.ndarray
    target_priors: list
    models: FoldModels | None = None

    @classmethod
    def collect(cls, data, test_rows, results, score=class_scores):
        """Gather the folds' results of :func:`sklimb._fitting.fit_many`."""
        rows = np.concatenate(test_rows)
        weight = data.sample_weight
        scores = np.concatenate([result.scores for result in results])
        return cls(
            scores=scores,
            class_numbers=data.class_numbers[rows],
            sample_weight=None if weight is None else weight[rows],
            fold=np.repeat(np.arange(len(test_rows)), [len(r) for r in test_rows]),
            rows=data.row_numbers[rows],
            target_priors=[result.target_prior for result in results],
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
            part = self._rows_of(k)
            scores[part] = correct_proba(scores[part], prior, target_prior)
        priors = [target_prior] * self.n_folds
        return replace(self, scores=scores, target_priors=priors)

    def parts(self, positive_class, scoring_prior, pooled=False):
        """Yield each fold's (positive, score, weight), or those of all rows.

        Parameters
        ----------
        positive_class : int
        scoring_prior : ndarray of shape (n_classes,) or None
            The prior that the rows stand for, by importance weights within
            each part; None for the rows as they are.
        pooled : bool, default=False
            Whether all folds' rows are one part.
        """
        score = column_of_positives(self.scores, positive_class)
        parts = [slice(None)] if pooled else map(self._rows_of, range(self.n_folds))
        for part in parts:
            numbers = self.class_numbers[part]
            weight = None if self.sample_weight is None else self.sample_weight[part]
            if scoring_prior is not None:
                weight = weights_to_prior(numbers, weight, scoring_prior)
            yield numbers == positive_class, score[part], weight

    def _rows_of(self, fold):
        return self.fold == fold


def fold_models(results, scores, score):
    """Return what scored the folds, or None where it gives no probabilities."""
    if scores.ndim == 1:
        return None
    return FoldModels(
        [result.estimator for result in results],
        [result.target_prior for result in results],
        np.exp(scores) if score is log_probabilities else scores,
    )


def column_of_positives(scores, positive_class):
    """Return the positive class's score, greater for more positive."""
    if scores.ndim == 2:
        return scores[:, positive_class]
    return scores if positive_class == 1 else -scores


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes
    ----------
    threshold, score, score_std : float
        The threshold, the score there, and its standard deviation over folds.
    fold_thresholds : ndarray of shape (n_folds,)
        Each fold's own best threshold; nan for a fold of constant scores.
    curve : StepCurve
        The score at every cut.
    fold_curves : list of StepCurve
        Of the folds that could be told apart.
    """

    threshold: float
    score: float
    score_std: float
    fold_thresholds: np.ndarray
    curve: StepCurve
    fold_curves: list

    def cv_results(self):
        """Return thresholds, mean scores and fold scores at every cut, rising."""
        folds = [fold.at_cuts_of(self.curve.scores) for fold in self.fold_curves]
        return {
            "thresholds": self.curve.thresholds()[::-1],
            "scores": self.curve.values[::-1],
            "fold_scores": np.array(folds)[:, ::-1],
        }


def tune(out_of_fold, metric, positive_class, scoring_prior, aggregation):
    """Find the threshold of the greatest score over the folds.

    Parameters
    ----------
    out_of_fold : OutOfFold
    metric : CountMetric or LabelScorer
    positive_class : int
    scoring_prior : ndarray of shape (n_classes,) or None
    aggregation : "mean" or "pooled"
        Maximise the mean of the folds' scores, or the score of all rows.

    Returns
    -------
    Tuned

    Raises
    ------
    ValueError
        If all scores are equal, or a fold has rows of one class only and its
        score is asked for.
    """
    parts = dict(enumerate(out_of_fold.parts(positive_class, scoring_prior)))
    parts = {k: part for k, part in parts.items() if _has_two_scores(k, *part)}
    if not parts:
        raise ValueError(
            "`estimator` gives every row of a fold the same score, in every fold: no "
            "threshold can be found. See whether it trains at all (learning rate, "
            "scaled inputs, epochs), then fit again."
        )
    one_class = [k for k, part in parts.items() if part[0].all() or not part[0].any()]
    if aggregation == "mean" and one_class:
        raise ValueError(
            f"`cv` gives the folds {one_class} of {out_of_fold.n_folds} test rows of "
            "one class only, which have no score of their own. Use stratified folds, "
            "or fewer, or aggregation='pooled'."
        )
    curves = {k: metric.curve(*parts[k]) for k in parts if k not in one_class}
    if aggregation == "mean":
        curve = mean_curve(list(curves.values()))
    else:
        curve = metric.curve(
            *next(out_of_fold.parts(positive_class, scoring_prior, pooled=True))
        )
    best = curve.best()
    fold_thresholds = np.full(out_of_fold.n_folds, np.nan)
    fold_thresholds[list(curves)] = [fold.best().threshold for fold in curves.values()]
    return Tuned(
        threshold=best.threshold,
        score=best.score,
        score_std=float(np.std([fold.at(best.threshold) for fold in curves.values()])),
        fold_thresholds=fold_thresholds,
        curve=curve,
        fold_curves=list(curves.values()),
    )


def _has_two_scores(fold, positive, score, weight):
    if score.min() < score.max():
        return True
    warnings.warn(
        f"Fold {fold}: the estimator gives all {len(score)} rows the score "
        f"{score[0]:.6g}, so that no threshold can be told apart. The fold is left "
        "out; see whether the model trains at all.",
        ConstantScoresWarning,
        stacklevel=2,
    )
    return False


def fit_out_of_fold(
    estimator, data, folds, *, refit=True, n_jobs=None, score=class_scores
):
    """Score each fold's test rows, and fit the estimator to keep.

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
        As for :func:`sklimb._fitting.fit_many`.

    Returns
    -------
    fitted estimator
    OutOfFold
    """
    jobs = [FitJob(train, test, keep=True, rest=refit) for train, test in folds]
    if refit:
        jobs.append(FitJob(None, keep=True))
    results = fit_many(estimator, data, jobs, n_jobs=n_jobs, score=score)
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
        folds = list(splitter.split(_like_rows(data.X), data.y, **data.split_params))
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


def _like_rows(X):
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
