"""Fits that many candidates have in common are made once, and stay apart."""

import gc
import pickle
import weakref

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_random_state

from sklimb import (
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    ImbalanceSearchCV,
    PriorCorrectedClassifier,
)
from sklimb._outputs import probabilities
from sklimb._sharing import SharedFits
from sklimb._steps import Need, Needs
from sklimb._training_data import TrainingData
from tests.data import imbalanced

pytestmark = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")

X, y = imbalanced(400, prevalence_logit=-1.5)
CV = 3
GRID = {"threshold": [0.2, 0.5]}


def logistic(**parameters):
    return LogisticRegression(**parameters)


def aware(**parameters):
    return ImbalanceAwareClassifier(LogisticRegression(), **{"cv": CV} | parameters)


class Counting(LogisticRegression):
    """Counts its fits, and the rows that it predicts."""

    fits = 0
    asked = 0

    def fit(self, X, y, sample_weight=None):
        type(self).fits += 1
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        type(self).asked += len(X)
        return super().predict_proba(X)


@pytest.fixture
def counting():
    Counting.fits = Counting.asked = 0
    return Counting()


POST = {
    "class_weight": [0.2, 0.5],
    "threshold": [0.1, 0.3, 0.5],
    "target_prior": ["empirical", 0.5],
}


def test_what_acts_after_training_trains_nothing(counting):
    search = aware().set_params(estimator=counting)
    search = ImbalanceSearchCV(search, POST, cv=CV, refit=False).fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    assert search.n_distinct_fits_ == Counting.fits == 2 * 3


def test_each_distinct_fit_predicts_the_rows_once(counting):
    search = aware().set_params(estimator=counting)
    search = ImbalanceSearchCV(search, POST, cv=CV, refit=False)
    search.fit(X, y)
    assert Counting.asked == 2 * len(X)
    Counting.asked = 0
    scaled_search = clone(search).set_params(
        estimator=Pipeline([("scale", StandardScaler()), ("clf", search.estimator)]),
        param_grid={f"clf__{name}": values for name, values in POST.items()},
    )
    scaled_search.fit(X, y)
    assert Counting.asked == 2 * len(X)


def test_tuned_thresholds_of_one_network_share_its_folds(counting):
    grid = {"scoring": ["f1", "balanced_accuracy"], "target_prior": ["empirical", 0.5]}
    estimator = aware().set_params(estimator=counting)
    ImbalanceSearchCV(estimator, grid, cv=2, refit=False).fit(X, y)
    assert Counting.fits == 2 * (CV + 1)


class CountingScaler(StandardScaler):
    fits = 0

    def fit(self, X, y=None, sample_weight=None):
        type(self).fits += 1
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("inside", [False, True])
def test_transformers_are_fitted_once_a_fold(inside):
    CountingScaler.fits = 0
    kinds = ClassWeightedClassifier, PriorCorrectedClassifier
    outer, last = kinds if inside else reversed(kinds)
    pipeline = Pipeline([("scale", CountingScaler()), ("clf", last(logistic()))])
    estimator = outer(pipeline) if inside else pipeline
    name = "strength" if inside else "clf__strength"
    ImbalanceSearchCV(estimator, {name: [0.1, 0.2, 0.3]}, cv=CV, refit=False).fit(X, y)
    assert CountingScaler.fits == 3


def test_rows_are_taken_once_a_fold(monkeypatch):
    taken = []

    def take(X, rows):
        taken.append(len(rows))
        return X[rows]

    monkeypatch.setattr("sklimb._training_data.take_rows", take)
    grid = {"class_weight": [None, 0.2, 0.3], "estimator__C": [0.1, 1.0]}
    ImbalanceSearchCV(aware(threshold=0.3), grid, cv=CV, refit=False).fit(X, y)
    assert len(taken) == 2 * CV
    assert sum(taken) == CV * len(X)


def test_candidates_with_one_fit_do_not_change_each_other():
    kept = []

    def scoring(estimator, X, y):
        kept.append(estimator)
        return estimator.predict_proba(X)[:, 1].mean()

    settings = {"cv": 2, "refit": False, "scoring": scoring}
    grid = {"target_prior": [0.1, 0.2, 0.3]}
    ImbalanceSearchCV(aware(threshold=None), grid, **settings).fit(X, y)
    first, second, third = kept[::2]
    assert first.estimator_.estimator_ is second.estimator_.estimator_
    before = second.predict_proba(X)
    first.set_target_prior(0.9)
    third.adapt(X)
    np.testing.assert_array_equal(second.predict_proba(X), before)
    assert (first.predict_proba(X)[:, 1] > before[:, 1]).all()


def test_moving_the_best_estimator_leaves_results_and_estimator():
    search = ImbalanceSearchCV(aware(), {"target_prior": [0.1, 0.5]}, cv=CV).fit(X, y)
    results = pickle.dumps(search.cv_results_)
    search.best_estimator_.set_target_prior(0.9)
    assert pickle.dumps(search.cv_results_) == results
    assert search.estimator.target_prior == "empirical"
    assert search.best_params_["target_prior"] in (0.1, 0.5)


def test_what_a_scorer_changes_in_place_stays_its_own():
    def scoring(estimator, X, y):
        proba = estimator.predict_proba(X)
        mean = proba[:, 1].mean()
        proba[:] = 0
        return mean

    grid = {"threshold": [0.1, 0.2, 0.3]}
    search = ImbalanceSearchCV(aware(), grid, scoring=scoring, cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 1
    assert search.best_score_ > 0.05


def test_fits_and_predictions_are_dropped_after_the_search():
    kept = []

    def scoring(estimator, X, y):
        kept.append(weakref.ref(estimator.estimator_.estimator_))
        kept.append(weakref.ref(probabilities(estimator.estimator_, X)))
        return 0.0

    settings = {"cv": 2, "scoring": scoring}
    search = ImbalanceSearchCV(aware(threshold=None), GRID, **settings).fit(X, y)
    gc.collect()
    assert search.best_estimator_ is not None
    assert [ref() for ref in kept] == [None] * len(kept)


# What tells fits apart.

DATA = TrainingData.check(X, y)
ROWS = np.arange(200)


def n_fits(*pairs):
    """Return how many of these are different fits."""
    shared = SharedFits()
    shared(Needs([Need(*pair) for pair in pairs]))
    return shared.n_fits


def test_equal_parameters_rows_and_weights_are_one_fit():
    weight = np.ones(len(y))
    assert n_fits((logistic(), DATA), (logistic(), DATA)) == 1
    rows = [DATA.take(ROWS), DATA.take(ROWS.copy())]
    assert n_fits(*((logistic(), some) for some in rows)) == 1
    weighted = [DATA.weighted(weight), DATA.weighted(weight.copy())]
    assert n_fits(*((logistic(), some) for some in weighted)) == 1


DIFFERENT = {
    "parameters": [(logistic(C=1.0), DATA), (logistic(C=2.0), DATA)],
    "classes": [(logistic(), DATA), (type("L", (LogisticRegression,), {})(), DATA)],
    "rows": [(logistic(), DATA), (logistic(), DATA.take(ROWS))],
    "order": [(logistic(), DATA.take(ROWS)), (logistic(), DATA.take(ROWS[::-1]))],
    "weights": [(logistic(), DATA), (logistic(), DATA.weighted(np.ones(len(y))))],
    "sources": [(logistic(), DATA), (logistic(), TrainingData.check(X.copy(), y))],
    "labels": [(logistic(), DATA), (logistic(), TrainingData.check(X, 1 - y))],
    "random states": [
        (logistic(random_state=np.random.RandomState(seed)), DATA) for seed in (0, 1)
    ],
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_another_fit(name):
    assert n_fits(*DIFFERENT[name]) == 2


def test_functions_of_one_name_are_different():
    def scaled_by(factor):
        def scaled(X):
            return X * factor

        return Pipeline([("f", FunctionTransformer(scaled)), ("clf", logistic())])

    assert n_fits((scaled_by(1), DATA), (scaled_by(2), DATA)) == 2
    one = scaled_by(1)
    assert n_fits((one, DATA), (clone(one), DATA)) == 1


def test_random_states_alike_are_one_fit():
    states = [check_random_state(0), check_random_state(0)]
    assert n_fits(*((logistic(random_state=s), DATA) for s in states)) == 1


def test_what_has_no_key_is_fitted_on_its_own():
    class Stubborn(LogisticRegression):
        def __init__(self, what=None):
            super().__init__()
            self.what = what

    contains_itself = []
    contains_itself.append(contains_itself)
    for what in ((n for n in range(3)), contains_itself):
        assert n_fits((Stubborn(what), DATA), (Stubborn(what), DATA)) == 2


def test_a_fit_asked_for_later_is_not_made_again(counting):
    shared = SharedFits()
    [first] = shared(Needs([Need(Counting(), DATA)]))
    [second] = shared(Needs([Need(Counting(), DATA)]))
    assert first is second
    assert Counting.fits == 1
    assert shared.several == {id(first)}
