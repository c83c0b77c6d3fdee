"""What a search does beside its results: errors, progress, company."""

import pickle

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC

from sklimb import (
    ClassWeightedClassifier,
    ImbalanceSearchCV,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from tests.test_search import (
    CV,
    WEIGHTS,
    C,
    Moody,
    X,
    assert_same_results,
    aware,
    both,
    by_two,
    logistic,
    y,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the")
def test_candidates_that_share_a_failure_are_told_of_it_once():
    class Stubborn(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("no")

    search = ImbalanceSearchCV(
        aware(), {"estimator": [Stubborn(), logistic()], "threshold": [0.2, 0.5]}, cv=2
    )
    with pytest.warns(FitFailedWarning, match="4 fits failed with the following"):
        search.fit(X, y)


@pytest.mark.parametrize("fails", ["at odds", "always"])
def test_a_failure_may_be_raised(fails):
    search = ImbalanceSearchCV(
        Moody(), {"fails": ["never", fails]}, cv=CV, error_score="raise"
    )
    with pytest.raises(ValueError, match="in no mood"):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_a_search_whose_fits_all_fail_says_so():
    search = ImbalanceSearchCV(Moody(), {"fails": ["always"]}, cv=CV)
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        search.fit(X, y)


GRID = {"threshold": [0.2, 0.5]}
# Settings, data where they matter, and what is said.
WRONG = {
    "unknown parameter": ({"param_grid": {"treshold": [0.5]}}, "treshold"),
    "no candidates": ({"param_grid": []}, "`param_grid`=.* has no candidates"),
    "no values": ({"param_grid": {"threshold": []}}, "non-empty"),
    "one value": ({"param_grid": {"threshold": 0.5}}, "list or a numpy array"),
    "distribution": (
        {"param_grid": {"threshold": loguniform(0.1, 0.9)}},
        "distribution for 'threshold'.*`n_iter`",
    ),
    "unknown refit": ({"scoring": ["f1"], "refit": "auc"}, "refit must be set to"),
    "no refit chosen": ({"scoring": ["f1", "roc_auc"]}, "refit must be set to"),
    "refit of a callable": ({"scoring": by_two, "refit": "auc"}, "refit must be set"),
    "no draws": ({"n_iter": 0}, "'n_iter' parameter"),
    "share of all": ({"cv": 1.5}, "'cv' parameter"),
    "word as cv": ({"cv": "prefit"}, "'cv' parameter"),
    "more folds than rows": ({"cv": 1000}, "`cv`"),
    "unknown scoring": ({"scoring": "f2"}, "'scoring' parameter"),
    "error_score": ({"error_score": "nan"}, "'error_score' parameter"),
    "distances": (
        {"estimator": SVC(kernel="precomputed"), "param_grid": {"C": C}},
        "distances or kernels",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_before_any_fit(name):
    settings, message = WRONG[name]
    search = ImbalanceSearchCV(**{"estimator": aware(), "param_grid": GRID} | settings)
    with pytest.raises((ValueError, TypeError), match=message):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize(
    "labels, message",
    [(None, "requires y"), (np.zeros(len(y)), "one class"), (X[:, 0], "continuous")],
)
def test_labels_are_those_of_a_classifier(labels, message):
    with pytest.raises(ValueError, match=message):
        ImbalanceSearchCV(aware(), GRID).fit(X, labels)


@pytest.mark.skipif(
    not hasattr(GridSearchCV, "set_callbacks"), reason="scikit-learn 1.9 has callbacks"
)
def test_callbacks_of_scikit_learn_would_not_be_called():
    from sklearn.callback import ProgressBar

    search = ImbalanceSearchCV(aware(), GRID).set_callbacks(ProgressBar())
    with pytest.raises(ValueError, match="`set_callbacks`"):
        search.fit(X, y)


def test_it_is_an_estimator_like_any_other():
    search = ImbalanceSearchCV(aware(), GRID, cv=CV, scoring="f1")
    assert clone(search).get_params().keys() == search.get_params().keys()
    assert search.set_params(estimator__cv=2).estimator.cv == 2
    assert repr(search).startswith("ImbalanceSearchCV(cv=3,")
    assert "ImbalanceSearchCV" in search._repr_html_()
    search.fit(X, y)
    assert "best_estimator_" in search._repr_html_()
    again = pickle.loads(pickle.dumps(search))
    assert (again.predict_proba(X) == search.predict_proba(X)).all()
    assert again.score(X, y) == search.score(X, y)
    assert_same_results(again.cv_results_, search.cv_results_)


def test_a_search_is_cross_validated():
    ours = ImbalanceSearchCV(aware(), GRID, cv=CV, scoring="f1")
    theirs = GridSearchCV(aware(), GRID, cv=CV, scoring="f1")
    scores = [cross_val_score(s, X, y, scoring="f1", cv=CV) for s in (ours, theirs)]
    np.testing.assert_allclose(*scores)


@pytest.mark.parametrize(
    "outer",
    [ClassWeightedClassifier, PriorCorrectedClassifier, OptimalThresholdClassifierCV],
)
def test_a_search_may_be_inside_of_other_classifiers(outer):
    searches = [
        s(logistic(), {"C": C}, cv=CV) for s in (ImbalanceSearchCV, GridSearchCV)
    ]
    ours, theirs = (outer(search).fit(X, y) for search in searches)
    assert (ours.predict(X) == theirs.predict(X)).all()
    np.testing.assert_allclose(ours.training_prior_, theirs.training_prior_)


def test_a_search_inside_of_a_search_is_its_own():
    inner = ImbalanceSearchCV(logistic(), {"C": C}, cv=2)
    both(aware(threshold=0.3).set_params(estimator=inner), {"class_weight": WEIGHTS})


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_results_are_the_same_in_several_processes(n_jobs):
    both(aware(), GRID, n_jobs=n_jobs, scoring="roc_auc")


def test_progress_tells_how_many_fits_are_left(capsys, monkeypatch):
    monkeypatch.setattr("sklimb.search.SECONDS_BETWEEN_LINES", 0)
    grid = {"threshold": [0.2, 0.5], "class_weight": WEIGHTS}
    ImbalanceSearchCV(aware(), grid, cv=CV, verbose=1).fit(X, y)
    first = "Fitting 3 folds for each of 4 candidates, totalling 12 fits\n"
    assert capsys.readouterr().out == first
    ImbalanceSearchCV(aware(), grid, cv=CV, verbose=2).fit(X, y)
    told = capsys.readouterr().out
    assert told.startswith(first + "1 of 6 fits in ")
    assert "6 of 6 fits in " in told
