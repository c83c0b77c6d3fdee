"""Networks trained for more and more epochs, each time fewer of them."""

import keras
import numpy as np
import pytest

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import KerasClassifier
from tests.keras.networks import imbalanced, logistic

X, y = imbalanced(200)
GRID = {"class_weight": [None, 0.3, "balanced"], "threshold": [0.2, 0.5, 0.8]}


def search(**params):
    network = KerasClassifier(logistic, epochs=9, batch_size=20, random_state=0)
    aware = ImbalanceAwareClassifier(network, threshold=0.5)
    params = {"cv": 2, "scoring": "balanced_accuracy", "halving": True} | params
    return ImbalanceSearchCV(aware, params.pop("grid", GRID), **params)


def test_fewer_candidates_are_trained_for_more_epochs():
    found = search().fit(X, y)
    results = found.cv_results_
    assert np.bincount(results["iter"]).tolist() == [9, 3, 1]
    assert np.unique(results["n_resources"]).tolist() == [1, 3, 9]
    assert results["iter"][found.best_index_] == 2
    assert found.best_params_["estimator__epochs"] == 9


def test_the_last_have_the_scores_of_a_search_without_halving():
    halved, whole = search().fit(X, y), search(halving=False).fit(X, y)
    found = {**halved.best_params_}
    del found["estimator__epochs"]
    place = whole.cv_results_["params"].index(found)
    assert halved.best_score_ == pytest.approx(
        whole.cv_results_["mean_test_score"][place], abs=1e-5
    )


def test_the_metric_of_refit_decides():
    scoring = ["recall", "precision"]
    results = search(scoring=scoring, refit="recall").fit(X, y).cv_results_
    first, second = (results["iter"] == rung for rung in (0, 1))
    columns = [results[f"param_{name}"] for name in GRID]
    names = np.array([str(values) for values in zip(*columns, strict=True)])
    recall = dict(zip(names[first], results["mean_test_recall"][first], strict=True))
    kept = [recall[name] for name in names[second]]
    assert sorted(kept) == sorted(recall.values())[-3:]


def test_a_metric_that_nobody_named_is_an_error():
    scoring = ["recall", "precision"]
    with pytest.raises(ValueError, match="compares candidates by one score"):
        search(scoring=scoring, refit=False).fit(X, y)


def test_epochs_on_the_grid_are_an_error():
    with pytest.raises(ValueError, match="`halving` sets it itself"):
        search(grid={"estimator__epochs": [1, 2]}).fit(X, y)


def test_a_network_alone_can_be_searched():
    network = KerasClassifier(logistic, epochs=3, random_state=0)
    grid = {"batch_size": [10, 20, 40]}
    found = ImbalanceSearchCV(network, grid, cv=2, halving=True).fit(X, y)
    assert found.cv_results_["param_epochs"].tolist() == [1, 1, 1, 3]
    assert isinstance(found.best_estimator_.model_, keras.Model)
