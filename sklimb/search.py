"""A search that trains each distinct network once a fold, all of them together."""

from functools import partial
from itertools import product
from numbers import Integral
from os import PathLike
from time import perf_counter

import numpy as np
from joblib.logger import short_format_time
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from sklimb._compat import (
    BaseSearchCV,
    Interval,
    RealNotInt,
    callbacks_set_on,
    estimator_tags,
    told_of_failures,
)
from sklimb._halving import epochs_name, halved, rungs
from sklimb._ledger import innermost
from sklimb._out_of_fold import split_rows
from sklimb._outputs import rest
from sklimb._sharing import SharedFits, SharedFold
from sklimb._steps import caught, fit_all, fitted, run, side_by_side
from sklimb._training_data import TrainingData

__all__ = ["ImbalanceSearchCV"]

SECONDS_BETWEEN_LINES = 1.0


class ImbalanceSearchCV(BaseSearchCV):
    """Search parameters by cross-validation; drop-in for ``GridSearchCV``.

    Same attributes and ``cv_results_``. But the fits of all candidates and folds
    are looked at together: those that are the same are made once, and networks
    (:class:`sklimb.keras.KerasClassifier`, inside of whatever stands around them)
    train side by side as one program. So thresholds, priors, costs and scorings
    in the grid, which act only after training, train nothing.

    Parameters
    ----------
    estimator : classifier
        Alone, in a meta-estimator, or last in a Pipeline, whose transformers are
        fitted once a fold in front of sklimb's classifiers.
    param_grid : mapping or list of mappings
        ``{name: values}``, as for ``GridSearchCV``; with ``n_iter`` also
        distributions, as for ``RandomizedSearchCV``.
    n_iter : int, default=None
        How many candidates to draw; None for the whole grid.
    scoring : str, callable, list, tuple, mapping or None, default=None
        As for ``GridSearchCV``.
    n_jobs : int, default=None
        As in joblib, whose active backend fits. Results don't depend on it.
    refit : bool, str or callable, default=True
        As for ``GridSearchCV``.
    cv : int, float, splitter, iterable or None, default=None
        None is 5 stratified folds, a float one stratified hold-out of that share.
    verbose : int, default=0
        1 prints the number of fits, 2 also how many are done and the time left.
    error_score : "raise" or float, default=nan
        The score of a fit that failed.
    return_train_score : bool, default=False
    halving : bool, default=False
        Whether candidates are trained for a part of the network's ``epochs``
        first, and only the best third of them for three times as many, and so on
        up to all. Each is trained anew then. ``cv_results_`` has all of them, and
        the columns "iter" and "n_resources" of ``HalvingGridSearchCV``.
    checkpoint : str or path, default=None
        A folder where networks are kept as they finish. A search that was ended
        before goes on where it was, with the same results: each network is found
        by all that it is trained from, so one that was changed is trained. Needs an
        integer ``random_state`` of the network, or around it.
    random_state : int, RandomState or None, default=None
        For candidates that are drawn, and a hold-out.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        As ``GridSearchCV`` has it. Fits are made together, so that each one's
        ``fit_time`` is an equal share of the whole.
    best_estimator_, best_params_, best_score_, best_index_, refit_time_
    scorer_, multimetric_, n_splits_, classes_
        As ``GridSearchCV`` has them.
    n_distinct_fits_ : int
        How many fits of candidates were different ones.
    n_features_in_, feature_names_in_
        As the best estimator has them.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Makes each fit on its own.

    Notes
    -----
    Fits are the same where the innermost estimator's parameters, rows and weights
    are. All fitted estimators of a search are held until they are scored, networks
    as arrays of weights, and so are the rows of folds that transformers made.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.7, random_state=2)
    >>> aware = ImbalanceAwareClassifier(LogisticRegression())
    >>> grid = {
    ...     "class_weight": [None, "balanced"],
    ...     "threshold": [0.02, 0.05, 0.1, 0.3, 0.5],
    ... }
    >>> search = ImbalanceSearchCV(aware, grid, scoring="f1").fit(X, y)
    >>> search.best_params_
    {'class_weight': 'balanced', 'threshold': 0.1}
    >>> len(search.cv_results_["params"]), search.n_distinct_fits_
    (10, 10)
    """

    _parameter_constraints = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "cv": ["cv_object", Interval(RealNotInt, 0, 1, closed="neither")],
        "halving": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "random_state": ["random_state"],
    }
    del _parameter_constraints["pre_dispatch"]

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        n_iter=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        error_score=np.nan,
        return_train_score=False,
        halving=False,
        checkpoint=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.halving = halving
        self.checkpoint = checkpoint
        self.random_state = random_state

    def fit(self, X, y, **params):
        """Search, and fit the best candidate to all rows.

        Parameters
        ----------
        X : array-like, frame, sparse matrix, or dict or list of inputs
            Whatever the estimator takes.
        y : array-like of shape (n_rows,)
        **params : dict
            For the estimator's ``fit``, ``sample_weight`` also around a Pipeline;
            ``groups`` for the splitter. With metadata routing enabled, whatever
            was requested.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter, the labels or the weights are not valid, or all fits
            fail.
        """
        self._validate_params()
        self._check_can_search()
        scorer, metric = self._get_scorers()
        data, score_params = self._checked(X, y, params)
        splits = split_rows(self.cv, data, self.random_state)
        candidates = self._candidates()
        fit = _fit_and_tell if self.verbose > 1 else fit_all
        shared = SharedFits(partial(fit, checkpoint=self.checkpoint))
        folds = [SharedFold(data, *split, shared) for split in splits]
        candidates, results, more = self._searched(
            candidates, partial(self._results, folds, shared, scorer, score_params)
        )
        n_fits, as_replica = shared.n_fits, shared.has_replicas
        del shared, folds  # what they hold is not needed for the last fit
        first = results[0]["test_scores"]
        multimetric = isinstance(first, dict)
        if callable(self.scoring) and multimetric:
            self._check_refit_for_multimetric(first)
            metric = self.refit
        found = {
            "cv_results_": self._format_results(candidates, len(splits), results, more),
            "multimetric_": multimetric,
            "n_splits_": len(splits),
            "n_distinct_fits_": n_fits,
            "scorer_": getattr(scorer, "_scorers", scorer),
        }
        found |= self._best(found["cv_results_"], metric, multimetric)
        if self.refit:
            found |= self._refitted(found["best_params_"], data, as_replica)
        vars(self).update(found)
        return self

    def _check_can_search(self):
        if callbacks_set_on(self):
            raise ValueError(
                "`set_callbacks` gave callbacks, but all fits are made together, and "
                "none would be called. Use `verbose`=2 to see how far they are."
            )
        if self.checkpoint is not None:
            self._check_has_network()
        tags = estimator_tags(self.estimator)
        if tags is not None and tags.input_tags.pairwise:
            raise ValueError(
                f"`estimator`={self.estimator!r} takes distances or kernels between "
                "rows, whose columns would have to be split too. Use GridSearchCV."
            )

    def _check_has_network(self):
        inside = innermost(self.estimator)
        if not hasattr(inside, "_fit_together"):
            raise ValueError(
                f"`checkpoint`={self.checkpoint!r} keeps networks, and "
                f"{type(inside).__name__} is none. Leave it out, or search a "
                "sklimb.keras.KerasClassifier."
            )

    def _checked(self, X, y, params):
        """Return the data, and what else the scorer takes."""
        routed = self._get_routed_params_for_fit(params)
        fit_params = dict(routed.estimator.fit)
        weight = fit_params.pop("sample_weight", None)
        split = {k: v for k, v in routed.splitter.split.items() if v is not None}
        data = TrainingData.check(X, y, weight, fit_params, split)
        return data, routed.scorer.score

    def _candidates(self):
        if self.n_iter is None:
            self._check_no_distributions()
            candidates = list(ParameterGrid(self.param_grid))
        else:
            candidates = list(
                ParameterSampler(
                    self.param_grid, self.n_iter, random_state=self.random_state
                )
            )
        if not candidates:
            raise ValueError(
                f"`param_grid`={self.param_grid!r} has no candidates. Give at least "
                "one mapping of names to values; {} is the estimator as it is."
            )
        return candidates

    def _check_no_distributions(self):
        grids = self.param_grid
        for grid in [grids] if isinstance(grids, dict) else grids:
            for name, values in grid.items():
                if hasattr(values, "rvs"):
                    raise ValueError(
                        f"`param_grid` has a distribution for {name!r}, of which a "
                        "grid has no end. Give `n_iter`, the number of candidates to "
                        "draw, or a list of values."
                    )

    def _tell_number(self, n_candidates, n_folds):
        if self.verbose > 0:
            print(
                f"Fitting {n_folds} folds for each of {n_candidates} candidates, "
                f"totalling {n_candidates * n_folds} fits"
            )

    def _searched(self, candidates, results_of):
        """Return candidates, a result for each fit, and more columns of a table."""
        if not self.halving:
            return candidates, results_of(candidates), {}
        name = epochs_name(self.estimator)
        if any(name in candidate for candidate in candidates):
            raise ValueError(
                f"`param_grid` has {name!r}, and `halving` sets it itself. Leave it "
                "out of one of them."
            )
        epochs = self.estimator.get_params()[name]
        plan = rungs(len(candidates), epochs)
        return halved(candidates, plan, name, results_of, self._scores_to_halve_by)

    def _scores_to_halve_by(self, candidates, results):
        table = self._format_results(
            candidates, len(results) // len(candidates), results
        )
        for metric in (self.refit, "score"):
            if f"mean_test_{metric}" in table:
                return table[f"mean_test_{metric}"]
        raise ValueError(
            f"`halving` compares candidates by one score, and `refit`={self.refit!r} "
            "names none of `scoring`. Give one of their names."
        )

    def _results(self, folds, shared, scorer, score_params, candidates):
        """Return what each candidate gave in each fold."""
        self._tell_number(len(candidates), len(folds))
        start = perf_counter()
        steps = [
            self._result(candidate, fold, scorer, score_params)
            for candidate, fold in product(candidates, folds)
        ]
        results = run(side_by_side(steps, self.n_jobs), shared)
        scoring = sum(result["score_time"] for result in results)
        for result in results:
            result["fit_time"] = (perf_counter() - start - scoring) / len(results)
        told_of_failures(results, self.error_score, callable(self.scoring))
        return results

    def _result(self, candidate, fold, scorer, score_params):
        """Take the steps of one fit and its scoring."""
        estimator = clone(self.estimator).set_params(**clone(candidate, safe=False))
        fit = fitted(estimator, fold.train)
        fit = yield from fit if self.error_score == "raise" else caught(fit)
        start = perf_counter()
        names = ["test", "train"][: 1 + self.return_train_score]
        if isinstance(fit, Exception):
            error = fold.text_of(fit)
            scores = dict.fromkeys(names, self._scores_of_error(scorer))
        else:
            error = None
            scores = {
                name: fold.score(fit, name, scorer, score_params, self.error_score)
                for name in names
            }
            rest(fit)
        return {
            "fit_error": error,
            **{f"{name}_scores": value for name, value in scores.items()},
            "score_time": perf_counter() - start,
        }

    def _scores_of_error(self, scorer):
        if not hasattr(scorer, "_scorers"):
            return self.error_score
        return dict.fromkeys(scorer._scorers, self.error_score)

    def _best(self, results, metric, multimetric):
        if not self.refit and multimetric:
            return {}
        index = self._select_best_index(self.refit, metric, results)
        if self.halving and not callable(self.refit):
            last = np.flatnonzero(results["iter"] == max(results["iter"]))
            index = last[results[f"rank_test_{metric}"][last].argmin()]
        best = {"best_index_": index, "best_params_": results["params"][index]}
        if not callable(self.refit):
            best["best_score_"] = results[f"mean_test_{metric}"][index]
        return best

    def _refitted(self, params, data, as_replica):
        start = perf_counter()
        best = clone(self.estimator).set_params(**clone(params, safe=False))
        # As it was scored: by `fit` an Embedding can be trained to another end.
        best = run(fitted(best, data), partial(fit_all, always_together=as_replica))
        again = {"best_estimator_": best, "refit_time_": perf_counter() - start}
        if hasattr(best, "feature_names_in_"):
            again["feature_names_in_"] = best.feature_names_in_
        return again


def _fit_and_tell(needs, checkpoint=None):
    """Fit what is needed, and print from time to time how far it is."""
    start = told = perf_counter()
    n_done, n_fits = 0, len(needs.each)

    def on_fits(n):
        nonlocal n_done, told
        n_done += n
        now = perf_counter()
        if now - told < SECONDS_BETWEEN_LINES and n_done < n_fits:
            return
        told, passed = now, now - start
        left = passed / n_done * (n_fits - n_done)
        times = [short_format_time(s).strip() for s in (passed, left)]
        print("{} of {} fits in {}, {} left".format(n_done, n_fits, *times), flush=True)

    return fit_all(needs, on_fits, checkpoint)
