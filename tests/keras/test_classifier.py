"""KerasClassifier in scikit-learn, with any labels, losses and models."""

import copy
import pickle

import joblib
import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb.keras import KerasClassifier
from tests.keras.networks import (
    X,
    fitted,
    functional,
    logistic,
    mlp,
    softmax_network,
    y,
)

y3 = np.arange(len(X)) % 3


# scikit-learn


def test_is_a_classifier_for_scikit_learn():
    assert is_classifier(KerasClassifier(logistic))
    assert isinstance(KerasClassifier(logistic), SciKerasClassifier)


def test_cross_validation_is_stratified_and_scores_are_finite():
    rare = np.zeros(len(y), dtype=int)
    rare[:5] = 1  # unstratified folds would be without a positive
    classifier = KerasClassifier(logistic, random_state=0)
    scores = cross_val_score(classifier, X, rare, scoring="average_precision", cv=5)
    assert np.isfinite(scores).all()


def test_several_scorers_and_ones_own():
    scoring = {
        "auc": "roc_auc",
        "loss": "neg_log_loss",
        "mine": make_scorer(fbeta_score, beta=2),
        "proba": make_scorer(
            lambda y, p: -np.mean((y - p) ** 2), response_method="predict_proba"
        ),
    }
    scores = cross_validate(KerasClassifier(logistic, epochs=5), X, y, scoring=scoring)
    for name in scoring:
        assert np.isfinite(scores[f"test_{name}"]).all()


def test_calibration_around_it():
    classifier = KerasClassifier(logistic, epochs=5, random_state=0)
    calibrated = CalibratedClassifierCV(classifier, cv=3).fit(X, y)
    assert calibrated.predict_proba(X).shape == (len(X), 2)


def test_scikit_learns_threshold_search_around_it():
    classifier = KerasClassifier(logistic, epochs=5, random_state=0)
    tuned = TunedThresholdClassifierCV(classifier, scoring="f1", cv=3).fit(X, y)
    assert tuned.score(X, y) > 0.5


def test_grid_search_over_the_model_functions_parameters():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), KerasClassifier(mlp, epochs=2)),
        {
            "kerasclassifier__model__hidden": [2, 3],
            "kerasclassifier__class_weight": [None, {0: 1, 1: 5}],
        },
        scoring="average_precision",
        cv=3,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    hidden = search.best_estimator_[-1].model_.layers[0].units
    assert hidden == search.best_params_["kerasclassifier__model__hidden"]


def test_clone_keeps_parameters_and_forgets_the_network():
    classifier = fitted(mlp, model__hidden=3, batch_size=16)
    duplicate = clone(classifier)
    assert duplicate.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        duplicate.predict(X)


def test_repr_shows_what_was_changed_only():
    assert repr(KerasClassifier(epochs=3)) == "KerasClassifier(epochs=3)"


@pytest.mark.parametrize(
    "copied",
    [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy],
    ids=["pickle", "deepcopy"],
)
def test_a_copy_predicts_the_same_and_can_go_on(copied):
    classifier = fitted(mlp, class_weight="balanced")
    duplicate = copied(classifier)
    np.testing.assert_array_equal(
        duplicate.decision_function(X), classifier.decision_function(X)
    )
    for one in (classifier, duplicate):
        one.partial_fit(X, y)
    np.testing.assert_array_equal(
        duplicate.predict_proba(X), classifier.predict_proba(X)
    )


def test_joblib_dump_and_load(tmp_path):
    classifier = fitted(mlp)
    joblib.dump(classifier, tmp_path / "classifier.joblib")
    again = joblib.load(tmp_path / "classifier.joblib")
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_processes_and_one_process_agree():
    classifier = KerasClassifier(logistic, epochs=2, random_state=0)
    alone, two = (cross_val_score(classifier, X, y, cv=2, n_jobs=n) for n in (None, 2))
    np.testing.assert_array_equal(alone, two)


# Labels, losses, models


LABELS = {
    "strings": np.array(["ham", "spam"])[y],
    "objects": np.array(["ham", "spam"], dtype=object)[y],
    "bools": y.astype(bool),
    "integers": 5 - 7 * y,
    "floats": y.astype(float),
    "categories": pd.Series(pd.Categorical(np.array(["no", "yes"])[y])),
    "list": [["b", "a"][i] for i in y],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("units", [1, 2])
def test_labels_of_any_type(labels, units):
    loss = "binary_crossentropy" if units == 1 else "categorical_crossentropy"
    classifier = KerasClassifier(
        softmax_network,
        model__loss=loss,
        model__units=units,
        epochs=30,
        random_state=0,
    ).fit(X, labels)
    assert classifier.classes_.tolist() == sorted(set(labels))
    assert classifier.score(X, labels) > 0.85
    assert np.isin(classifier.predict(X), classifier.classes_).all()


MULTICLASS = {
    "sparse": "sparse_categorical_crossentropy",
    "one_hot": "categorical_crossentropy",
    "focal": keras.losses.CategoricalFocalCrossentropy(),
    "divergence": "kl_divergence",
    "sparse_logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "one_hot_logits": keras.losses.CategoricalCrossentropy(from_logits=True),
    "sigmoids": "binary_crossentropy",
}


@pytest.mark.parametrize("name", MULTICLASS)
def test_targets_follow_the_compiled_loss(name):
    act = {"logits": "linear", "sigmoids": "sigmoid"}.get(name.split("_")[-1])
    names = np.array(["cat", "dog", "owl"])[(X[:, :3]).argmax(axis=1)]
    classifier = KerasClassifier(
        softmax_network,
        model__loss=MULTICLASS[name],
        model__act=act,
        epochs=20,
        random_state=0,
    ).fit(X, names)
    proba = classifier.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert classifier.score(X, names) > 0.8
    log_proba = classifier.predict_log_proba(X)
    assert log_proba.dtype == np.float64
    np.testing.assert_allclose(np.exp(log_proba), proba, atol=1e-6)
    best = classifier.decision_function(X).argmax(axis=1)
    np.testing.assert_array_equal(classifier.classes_[best], classifier.predict(X))


def test_binary_logits_become_probabilities():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    logits = fitted(
        softmax_network, model__loss=loss, model__units=1, model__act="linear"
    )
    sigmoid = fitted(softmax_network, model__loss="binary_crossentropy", model__units=1)
    np.testing.assert_allclose(
        logits.predict_proba(X), sigmoid.predict_proba(X), atol=1e-5
    )
    np.testing.assert_allclose(
        logits.decision_function(X), sigmoid.decision_function(X), atol=1e-4
    )


def test_a_loss_of_ones_own_gets_class_numbers():
    def loss(y_true, y_pred):
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    assert fitted(softmax_network, y3, model__loss=loss).n_classes_ == 3


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="relu")
        self.dropout = keras.layers.Dropout(0.1)
        self.out = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x, training=False):
        return self.out(self.dropout(self.hidden(x), training=training))


def nested(meta):
    return keras.Sequential([keras.layers.Input((4,)), functional(meta)])


def without_input_shape():
    return keras.Sequential(
        [keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")]
    )


MODELS = [Subclassed, functional, nested, without_input_shape]


@pytest.mark.parametrize("build", MODELS, ids=lambda b: b.__name__)
def test_any_kind_of_model_compiled_by_parameters(build):
    def model(meta):
        return build(meta) if build in (functional, nested) else build()

    parameters = {
        "loss": "binary_crossentropy",
        "optimizer": "adam",
        "optimizer__learning_rate": 0.05,
        "epochs": 10,
        "random_state": 3,
    }
    classifier = KerasClassifier(model, **parameters).fit(X, y)
    assert classifier.score(X, y) > 0.85
    again = KerasClassifier(model, **parameters).fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), again.predict_proba(X))
    logits = classifier.decision_function(X)  # and no LogitsWarning
    np.testing.assert_array_equal(logits > 0, classifier.predict(X) == 1)


def test_clones_share_the_template():
    template = functional({"n_features_in_": 4})
    classifier = KerasClassifier(template, epochs=3)
    assert clone(classifier).model is template
    assert clone(classifier).epochs == 3
    assert classifier.model is template


@pytest.mark.parametrize("compiled", [True, False])
def test_a_model_object_is_a_template_that_is_never_trained(compiled):
    template = functional({"n_features_in_": 4})
    if compiled:
        template.compile("adam", "binary_crossentropy")
    before = [w.copy() for w in template.get_weights()]
    classifier = KerasClassifier(
        template, loss=None if compiled else "binary_crossentropy", random_state=0
    ).fit(X, y)
    first = classifier.predict_proba(X)
    assert template.compiled == compiled
    for old, new in zip(before, template.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    trained = classifier.model_.get_weights()
    assert any((a != b).any() for a, b in zip(before, trained, strict=True))
    # Cross-validation fits clones: each starts from the template.
    np.testing.assert_array_equal(clone(classifier).fit(X, y).predict_proba(X), first)


def test_the_users_optimizer_is_never_tied_to_a_model():
    optimizer = keras.optimizers.Adam(0.01)
    classifier = KerasClassifier(
        functional, loss="binary_crossentropy", optimizer=optimizer
    )
    classifier.fit(X, y).fit(X, y)
    assert not optimizer.built


def test_images_and_series_go_through():
    images = np.random.default_rng(0).normal(size=(60, 6, 6, 1))

    def build(meta):
        model = keras.Sequential(
            [
                keras.layers.Input(meta["X_shape_"][1:]),
                keras.layers.Conv2D(2, 3),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(1, "sigmoid"),
            ]
        )
        model.compile("adam", "binary_crossentropy")
        return model

    classifier = KerasClassifier(build).fit(images, np.arange(60) % 2)
    assert classifier.predict_proba(images).shape == (60, 2)
    with pytest.raises(ValueError, match=r"shape \(6, 5, 1\)"):
        classifier.predict(images[:, :, 1:])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_bring_their_column_names(frame):
    columns = {name: X[:, i] for i, name in enumerate("abcd")}
    if not hasattr(StandardScaler().fit(frame(columns)), "feature_names_in_"):
        pytest.skip("scikit-learn 1.7 knows no names of frames of polars 2")
    classifier = KerasClassifier(logistic).fit(frame(columns), y)
    assert classifier.feature_names_in_.tolist() == list("abcd")
    wrong = frame({name: columns[name] for name in "bacd"})
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(wrong)


def test_sparse_rows_give_what_dense_rows_give():
    dense = np.where(np.abs(X) > 0.5, X, 0).astype(np.float32)
    sparse = KerasClassifier(logistic, random_state=0).fit(
        scipy.sparse.csr_array(dense), y
    )
    classifier = KerasClassifier(logistic, random_state=0).fit(dense, y)
    np.testing.assert_allclose(
        sparse.predict_proba(scipy.sparse.csr_array(dense)),
        classifier.predict_proba(dense),
        atol=1e-5,
    )


def test_short_forms_of_losses_are_known():
    def build():
        return keras.Sequential([keras.layers.Dense(1, "sigmoid")])

    short = KerasClassifier(build, loss="bce", random_state=0).fit(X, y)
    full = KerasClassifier(build, loss="binary_crossentropy", random_state=0).fit(X, y)
    np.testing.assert_array_equal(short.predict_proba(X), full.predict_proba(X))
