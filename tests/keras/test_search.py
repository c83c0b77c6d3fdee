"""Searches over networks: as GridSearchCV finds them, in one program."""

import logging

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import BalancedBatches, KerasClassifier
from tests.keras.networks import imbalanced, softmax_network

X, y = imbalanced(300, share=0.3)
LABELS = np.array(["no", "yes"])[y]


@pytest.fixture(autouse=True)
def always_worth_a_program(monkeypatch):
    monkeypatch.setattr("sklimb.keras.replica_plan.STEPS_OF_TRACING", 0)


def build(meta, hidden=4, learning_rate=0.02):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(hidden, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
    return model


def network(model=build, **parameters):
    return KerasClassifier(model, **{"epochs": 2, "random_state": 0} | parameters)


def aware(**parameters):
    return ImbalanceAwareClassifier(network(), threshold=0.3, cv=2).set_params(
        **parameters
    )


WEIGHTS = [None, "balanced", 0.4]
# Estimators, grids, and how many networks two folds need.
SEARCHES = {
    "network": (
        network(),
        {"class_weight": [None, "balanced"], "model__learning_rate": [0.1, 0.01]},
        8,
    ),
    "structures": (network(), {"model__hidden": [2, 4]}, 4),
    "flat": (aware(), {"class_weight": WEIGHTS, "threshold": [0.2, 0.5]}, 6),
    "samplers": (aware(random_state=1), {"sampler": ["over", "under", "batches"]}, 6),
    "tuned, calibrated": (
        aware(random_state=1),
        {"threshold": ["tune"], "calibration": [None, "temperature"]},
        6,  # two folds, each with two of its own
    ),
    "Pipeline": (
        Pipeline([("scale", StandardScaler()), ("clf", aware())]),
        {"clf__class_weight": WEIGHTS, "scale__with_mean": [True, False]},
        12,
    ),
    "Pipeline inside": (
        aware(estimator=Pipeline([("scale", StandardScaler()), ("clf", network())])),
        {"class_weight": WEIGHTS[1:], "estimator__clf__epochs": [1, 2]},
        8,
    ),
    "validation and early stopping": (
        network(
            validation_fraction=0.3,
            epochs=6,
            callbacks=[keras.callbacks.EarlyStopping(patience=1)],
        ),
        {"batch_size": [8, 32]},
        4,
    ),
    "batches": (network(), {"batches": [BalancedBatches(p) for p in (0.3, 0.5)]}, 4),
}


@pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")
@pytest.mark.parametrize("name", SEARCHES)
def test_scores_are_those_of_grid_search(name, caplog):
    estimator, grid, n_networks = SEARCHES[name]
    settings = {"scoring": ["roc_auc", "neg_log_loss"], "refit": "neg_log_loss"}
    with caplog.at_level(logging.INFO, "sklimb.keras"):
        ours = ImbalanceSearchCV(estimator, grid, cv=2, **settings).fit(X, LABELS)
    assert f"{n_networks} as replicas." in caplog.text
    assert ours.n_distinct_fits_ == n_networks
    theirs = GridSearchCV(estimator, grid, cv=2, **settings).fit(X, LABELS)
    for key in ("mean_test_neg_log_loss", "split1_test_roc_auc"):
        expected = theirs.cv_results_[key]
        np.testing.assert_allclose(ours.cv_results_[key], expected, atol=1e-5)
    np.testing.assert_array_equal(
        ours.cv_results_["rank_test_neg_log_loss"],
        theirs.cv_results_["rank_test_neg_log_loss"],
    )
    assert str(ours.best_params_) == str(theirs.best_params_)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5
    )


def test_several_classes_are_searched():
    labels = np.digitize(X[:, 0], [-0.5, 1])
    grid = {
        "class_weight": [None, "balanced"],
        "target_prior": ["empirical", "uniform"],
    }
    estimator = aware(estimator=network(softmax_network), threshold=None)
    settings = {"cv": 2, "scoring": "neg_log_loss"}
    ours, theirs = (
        search(estimator, grid, **settings).fit(X, labels)
        for search in (ImbalanceSearchCV, GridSearchCV)
    )
    assert ours.n_distinct_fits_ == 4
    for key in ("mean_test_score", "rank_test_score"):
        expected = theirs.cv_results_[key]
        np.testing.assert_allclose(ours.cv_results_[key], expected, atol=1e-5)


def of_two_inputs(meta):
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Concatenate()([left, right])
    model = keras.Model([left, right], keras.layers.Dense(1, "sigmoid")(both))
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
    return model


@pytest.mark.parametrize("kind", [dict, list])
def test_rows_of_several_inputs_are_split(kind):
    inputs = {"left": X[:, :2], "right": X[:, 2:]}
    inputs = inputs if kind is dict else list(inputs.values())
    estimator = network(of_two_inputs)
    search = ImbalanceSearchCV(estimator, {"class_weight": [None, "balanced"]}, cv=2)
    search.fit(inputs, y)
    train, test = next(StratifiedKFold(2).split(X, y))
    parts = [
        {name: rows[numbers] for name, rows in inputs.items()}
        if kind is dict
        else [rows[numbers] for rows in inputs]
        for numbers in (train, test)
    ]
    alone = clone(estimator).fit(parts[0], y[train]).score(parts[1], y[test])
    assert search.cv_results_["split0_test_score"][0] == alone
    assert search.predict(inputs).shape == y.shape


def test_one_network_serves_all_thresholds_and_tells_its_history():
    kept = []

    def scoring(estimator, X, y):
        kept.append(estimator.estimator_.estimator_.estimator_)
        return estimator.score(X, y)

    grid = {"threshold": [0.2, 0.5], "target_prior": [0.1, "empirical"]}
    search = ImbalanceSearchCV(aware(), grid, cv=2, scoring=scoring).fit(X, y)
    assert len(set(map(id, kept))) == search.n_distinct_fits_ == 2
    assert all(len(one.history_["loss"]) == 2 for one in kept)
    assert all(one._rests for one in kept)


class Spoilt(keras.callbacks.Callback):
    """Not one that replicas know."""


def test_networks_that_no_program_takes_are_fitted_one_by_one(caplog):
    grid = {"callbacks": [None, [Spoilt()]]}
    with caplog.at_level(logging.INFO, "sklimb.keras"):
        ours = ImbalanceSearchCV(network(), grid, cv=2).fit(X, y)
    assert "2 as replicas." in caplog.text
    assert "2 by keras.Model.fit: " in caplog.text
    theirs = GridSearchCV(network(), grid, cv=2).fit(X, y)
    for key in ("mean_test_score", "rank_test_score"):
        np.testing.assert_allclose(ours.cv_results_[key], theirs.cv_results_[key])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the")
def test_a_network_that_diverges_fails_alone():
    grid = {"model__learning_rate": [0.01, 1e30], "class_weight": [None, "balanced"]}
    ours = ImbalanceSearchCV(network(), grid, cv=2).fit(X, y)
    failed = np.isnan(ours.cv_results_["mean_test_score"])
    diverges = ours.cv_results_["param_model__learning_rate"].data == 1e30
    np.testing.assert_array_equal(failed, diverges)


def test_progress_counts_networks(capsys, monkeypatch):
    monkeypatch.setattr("sklimb.keras.replica_plan.MOST_REPLICAS", 2)
    monkeypatch.setattr("sklimb.search.SECONDS_BETWEEN_LINES", 0)
    grid = {"class_weight": [None, "balanced"]}
    ImbalanceSearchCV(network(), grid, cv=2, verbose=2).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:14] for line in lines[1:]] == ["2 of 4 fits in", "4 of 4 fits in"]


def test_the_best_is_trained_as_it_was_scored():
    """By fit, Adam squares the gradient of each use of an id by itself."""

    def of_ids(meta):
        layers = [
            keras.layers.Embedding(50, 8),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, "sigmoid"),
        ]
        model = keras.Sequential([keras.Input((6,), dtype="int32"), *layers])
        model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
        return model

    ids = np.random.default_rng(0).integers(0, 50, (240, 6)).astype("int32")
    labels = (ids < 5).any(axis=1).astype(int)
    network = KerasClassifier(of_ids, epochs=25, batch_size=8, random_state=0)
    every_row = np.arange(len(labels))
    folds = [(every_row, every_row)] * 2
    search = ImbalanceSearchCV(
        network, {"class_weight": [None, "balanced"]}, cv=folds, scoring="neg_log_loss"
    ).fit(ids, labels)
    assert search.score(ids, labels) == pytest.approx(search.best_score_, abs=1e-4)
    alone = clone(network).set_params(**search.best_params_).fit(ids, labels)
    assert abs(search.scorer_(alone, ids, labels) - search.best_score_) > 1e-3
