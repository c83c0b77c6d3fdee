"""KerasClassifier: what it repairs, and that all else is as Keras has it."""

import copy
import pickle
import random
import subprocess
import sys
import threading

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

from sklimb.exceptions import LogitsWarning, NonFiniteModelError
from sklimb.keras import KerasClassifier
from sklimb.keras.prediction import rows_that_fit
from tests.keras.networks import imbalanced, logistic, mlp

X, y = imbalanced()
y3 = np.arange(len(X)) % 3


def softmax_network(meta, loss="sparse_categorical_crossentropy", units=None, act=None):
    units = units or meta["n_classes_"]
    act = act or ("sigmoid" if units == 1 else "softmax")
    model = keras.Sequential(
        [keras.layers.Input((meta["n_features_in_"],)), keras.layers.Dense(units, act)]
    )
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def fitted(build=logistic, labels=y, **parameters):
    parameters = {"epochs": 5, "random_state": 0} | parameters
    return KerasClassifier(build, **parameters).fit(X, labels)


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


def functional(meta):
    inputs = keras.layers.Input((meta["n_features_in_"],))
    hidden = keras.layers.Dense(4, "relu")(inputs)
    hidden = keras.layers.Concatenate()([hidden, inputs])
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))


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


# Weights


def test_the_callers_arrays_stay_as_they_are():
    features, labels = X.copy(), y.copy()
    weight = np.arange(1, len(y) + 1)
    classifier = KerasClassifier(logistic, class_weight="balanced")
    classifier.fit(features, labels, weight).fit(features, labels, weight)
    np.testing.assert_array_equal(weight, np.arange(1, len(y) + 1))
    np.testing.assert_array_equal(features, X)
    np.testing.assert_array_equal(labels, y)


def test_integer_weights_are_weights():
    whole = KerasClassifier(logistic, random_state=0).fit(X, y, np.full(len(y), 2))
    floats = KerasClassifier(logistic, random_state=0).fit(X, y, np.full(len(y), 2.0))
    np.testing.assert_array_equal(whole.predict_proba(X), floats.predict_proba(X))


def test_a_row_of_weight_zero_is_a_row_removed():
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    parameters = {"random_state": 0, "class_weight": "balanced", "epochs": 3}
    parameters |= {"validation_fraction": 0.2}
    weighted = KerasClassifier(mlp, **parameters).fit(X, y, weight)
    kept = weight > 0
    removed = KerasClassifier(mlp, **parameters).fit(X[kept], y[kept], weight[kept])
    np.testing.assert_array_equal(weighted.predict_proba(X), removed.predict_proba(X))
    assert weighted.history_ == removed.history_


def test_class_weight_is_sample_weight_by_class():
    by_class = fitted(class_weight={1: 3})
    by_row = KerasClassifier(logistic, epochs=5, random_state=0)
    by_row.fit(X, y, np.where(y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    np.testing.assert_array_equal(by_class.training_prior_, by_row.training_prior_)


@pytest.mark.parametrize(
    ("class_weight", "weight", "prior"),
    [
        (None, None, [0.8, 0.2]),
        ("balanced", None, [0.5, 0.5]),
        ({0: 1, 1: 4}, None, [0.5, 0.5]),
        (None, np.where(y == 1, 2.0, 1.0), [2 / 3, 1 / 3]),
        ("balanced", np.where(y == 1, 2.0, 1.0), [0.5, 0.5]),
        ({1: 2}, np.where(y == 1, 2.0, 1.0), [0.5, 0.5]),
    ],
)
def test_training_prior_is_the_share_of_weight(class_weight, weight, prior):
    classifier = KerasClassifier(logistic, class_weight=class_weight)
    classifier.fit(X, y, weight)
    np.testing.assert_allclose(classifier.training_prior_, prior)
    assert classifier.training_prior_.dtype == np.float64


def test_class_weight_given_to_fit_counts_as_well():
    classifier = KerasClassifier(logistic).fit(X, y, class_weight={0: 1, 1: 4})
    np.testing.assert_allclose(classifier.training_prior_, [0.5, 0.5])


# Validation rows


def test_validation_fraction_holds_out_a_share_of_each_class():
    sizes = []

    class Sizes(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            sizes.append(self.params["steps"])

    rare = np.zeros(len(y), dtype=int)
    rare[-10:] = 1
    classifier = KerasClassifier(
        logistic,
        validation_fraction=0.2,
        batch_size=1,
        callbacks=[Sizes()],
        random_state=0,
    ).fit(X, rare)
    assert sizes == [240]
    np.testing.assert_allclose(classifier.training_prior_, [232 / 240, 8 / 240])
    assert "val_loss" in classifier.history_


def frozen(meta):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(1, "sigmoid", kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    return model


def test_val_loss_counts_every_row_once():
    parameters = {"validation_fraction": 0.5, "epochs": 1}
    plain = fitted(frozen, **parameters)
    weighted = fitted(frozen, class_weight={1: 100}, **parameters)
    assert plain.history_["val_loss"] == weighted.history_["val_loss"]
    assert plain.history_["loss"] != weighted.history_["loss"]


def test_validation_split_takes_the_last_rows_as_in_scikeras():
    parameters = {"validation_split": 0.25}
    ours = KerasClassifier(frozen, **parameters).fit(X, y)
    theirs = SciKerasClassifier(frozen, verbose=0, **parameters).fit(X, y)
    assert ours.history_["val_loss"] == pytest.approx(theirs.history_["val_loss"])
    np.testing.assert_allclose(ours.training_prior_[1], y[:225].mean())


def test_validation_data_may_have_any_labels():
    names = np.array(["no", "yes"])[y]
    classifier = KerasClassifier(logistic).fit(X, names, validation_data=(X, names))
    assert np.isfinite(classifier.history_["val_loss"]).all()


def test_early_stopping_on_ones_metric_works_in_every_fit():
    def build(meta):
        optimizer = keras.optimizers.Adam(0.05)
        return mlp(meta, optimizer=optimizer, metrics=[keras.metrics.AUC()])

    classifier = KerasClassifier(
        build,
        epochs=30,
        validation_fraction=0.3,
        callbacks=[
            keras.callbacks.EarlyStopping(
                monitor="val_auc", mode="max", patience=1, restore_best_weights=True
            )
        ],
        random_state=0,
    )
    for _ in range(2):  # Keras alone calls the second one's metric auc_1
        assert len(clone(classifier).fit(X, y).history_["val_auc"]) < 30


# Randomness and global state


def test_the_same_random_state_gives_the_same_bits():
    one, two, other = (fitted(mlp, random_state=s) for s in (1, 1, 2))
    assert one.history_ == two.history_
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.history_ != other.history_


def test_a_random_state_object_is_not_used_up():
    state = np.random.RandomState(0)
    before = state.get_state()[1].copy()
    one, two = (fitted(mlp, random_state=state) for _ in range(2))
    assert one.history_ == two.history_
    np.testing.assert_array_equal(state.get_state()[1], before)


def test_a_seeded_fit_leaves_no_global_state_behind():
    code = """
import random, numpy as np, tensorflow as tf
from keras.src.random.seed_generator import global_seed_generator
from tensorflow.python.framework import config
from sklimb.keras import KerasClassifier
from tests.keras.networks import mlp, imbalanced
X, y = imbalanced()
random.seed(5); np.random.seed(5); tf.random.set_seed(5)
def draws():
    return random.random(), np.random.rand(), float(tf.random.uniform(()))
expected = draws()
random.seed(5); np.random.seed(5); tf.random.set_seed(5)
KerasClassifier(mlp, random_state=0, epochs=2).fit(X, y)
assert not config.is_op_determinism_enabled()
assert draws() == expected
state = global_seed_generator().state.numpy().tolist()
KerasClassifier(mlp, random_state=0).fit(X, y)
assert global_seed_generator().state.numpy().tolist() == state
KerasClassifier(mlp).fit(X, y)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unseeded_fits_work_where_scikeras_left_determinism_on():
    code = """
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklimb.keras import KerasClassifier
from tests.keras.networks import logistic, imbalanced
X, y = imbalanced()
SciKerasClassifier(logistic, random_state=0, verbose=0).fit(X, y)
one, two = (KerasClassifier(logistic).fit(X, y).history_ for _ in range(2))
assert one != two
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_threads_get_the_bits_of_one():
    expected = fitted(mlp, random_state=0).history_
    found = []

    def work():
        found.append(fitted(mlp, random_state=0).history_)

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads.append(threading.Thread(target=fitted, args=(mlp,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected, expected]


def test_metric_names_go_on_counting_outside():
    first = keras.metrics.AUC().name
    fitted(mlp, model__metrics=[keras.metrics.AUC(name="mine")])
    assert keras.metrics.AUC().name != first


# Steps


def history_and_weights(classifier):
    weights = classifier._lease.network.model.get_weights()
    return classifier.history_, [w.tobytes() for w in weights]


def compiled_with(steps):
    def build(meta):
        model = mlp(meta)
        model.compile("adam", "binary_crossentropy", steps_per_execution=steps)
        return model

    return build


@pytest.mark.parametrize("batch_size", [7, 32, 300])
def test_fifty_steps_a_call_change_no_bit(batch_size):
    parameters = {"batch_size": batch_size, "validation_fraction": 0.2, "epochs": 3}
    many = fitted(mlp, **parameters)
    assert many.model_.steps_per_execution == 50

    class OnBatches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    one = fitted(mlp, callbacks=[OnBatches()], **parameters)
    assert one.model_.steps_per_execution == 1
    assert history_and_weights(one) == history_and_weights(many)


def test_the_users_steps_stay():
    assert fitted(compiled_with(3)).model_.steps_per_execution == 3


def test_eager_models_take_one_step():
    classifier = fitted(
        functional, loss="binary_crossentropy", run_eagerly=True, epochs=1
    )
    assert classifier.model_.steps_per_execution == 1
    assert classifier.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize("step", ["partial_fit", "fit"])
def test_going_on_runs_all_steps_whatever_the_callbacks(step):
    seen = []

    class OnBatches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    classifier = fitted(mlp, epochs=1, batch_size=30, warm_start=True)
    for callbacks in ([OnBatches()], None):
        classifier.set_params(callbacks=callbacks)
        before = classifier._lease.network.model.optimizer.iterations.numpy()
        getattr(classifier, step)(X, y)
        after = classifier._lease.network.model.optimizer.iterations.numpy()
        assert after - before == 10
    assert seen == list(range(10))


def ignore(number, logs=None):
    pass


@pytest.mark.parametrize(
    ("callback", "steps"),
    [
        (lambda p: keras.callbacks.EarlyStopping(monitor="loss"), 50),
        (lambda p: keras.callbacks.CSVLogger(p / "log.csv"), 50),
        (lambda p: keras.callbacks.ModelCheckpoint(p / "m.keras", monitor="loss"), 50),
        (lambda p: keras.callbacks.ModelCheckpoint(p / "m.keras", save_freq=5), 1),
        (lambda p: keras.callbacks.TerminateOnNaN(), 1),
        (lambda p: keras.callbacks.LambdaCallback(on_epoch_end=ignore), 50),
        (lambda p: keras.callbacks.LambdaCallback(on_train_batch_end=ignore), 1),
    ],
    ids=str.split("stopping csv checkpoint checkpoint_by_batch nan lambda by_batch"),
)
def test_keras_callbacks_at_epochs_do_not_slow_down(callback, steps, tmp_path):
    classifier = fitted(mlp, callbacks=[callback(tmp_path)], epochs=1)
    assert classifier.model_.steps_per_execution == steps


# Going on


def test_partial_fit_adds_epochs_and_rows():
    classifier = KerasClassifier(mlp, random_state=0)
    classifier.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
    np.testing.assert_allclose(classifier.training_prior_, [1, 0])
    classifier.partial_fit(X[y == 1], y[y == 1])
    np.testing.assert_allclose(classifier.training_prior_, [0.8, 0.2])
    assert len(classifier.history_["loss"]) == 2
    assert classifier.current_epoch == 2


def test_bad_rows_do_not_harm_a_network_that_goes_on():
    classifier = fitted(mlp)
    proba = classifier.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        classifier.partial_fit(np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match=r"label .*7"):
        classifier.partial_fit(X, np.where(y == 1, 7, 0))
    np.testing.assert_array_equal(classifier.predict_proba(X), proba)


def test_warm_start_goes_on_from_the_last_weights():
    classifier = fitted(mlp, warm_start=True, epochs=3)
    last = classifier.history_["loss"][-1]
    classifier.fit(X, y)
    assert len(classifier.history_["loss"]) == 3
    assert classifier.history_["loss"][0] < last * 1.2


def test_initialize_builds_without_training():
    template = functional({"n_features_in_": 4})
    classifier = KerasClassifier(template, loss="binary_crossentropy")
    classifier.initialize(X, y)
    np.testing.assert_allclose(
        classifier.predict_proba(X)[:, 1:], template.predict(X, verbose=0), atol=1e-6
    )


# Prediction


def test_probabilities_equal_scikeras_for_the_same_weights():
    theirs = SciKerasClassifier(mlp, verbose=0).fit(X, y)
    ours = KerasClassifier(theirs.model_).initialize(X, y)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6
    )
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("batch_size", [1, 7, 300, 1000, -1, None])
def test_batches_of_any_size_predict_the_same(batch_size):
    classifier = fitted(mlp)
    expected = classifier.predict_proba(X)
    if batch_size is not None:
        classifier.set_params(predict__batch_size=batch_size)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-6)


def test_one_row_is_a_table_of_one_row():
    assert fitted(mlp).predict_proba(X[:1]).shape == (1, 2)
    assert fitted(mlp).predict(X[:1]).shape == (1,)


def test_rows_at_a_time_are_many_for_narrow_and_few_for_wide_inputs():
    narrow = functional({"n_features_in_": 4})
    assert rows_that_fit(narrow, X) == 65_536
    wide = functional({"n_features_in_": 100_000})
    rows = rows_that_fit(wide, np.empty((2, 100_000), dtype=np.float32))
    assert 32 <= rows <= 2**28 / (4 * 100_000)
    image = keras.Sequential(
        [
            keras.layers.Input((64, 64, 1)),
            keras.layers.Conv2D(64, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    rows = rows_that_fit(image, np.empty((2, 64, 64, 1), dtype=np.float32))
    assert rows < 256


def test_saturated_probabilities_keep_their_order_in_the_logits():
    def build():
        model = keras.Sequential(
            [keras.layers.Input((1,)), keras.layers.Dense(1, "sigmoid")]
        )
        model.layers[0].set_weights([np.array([[1.0]]), np.array([0.0])])
        model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
        return model

    rows = np.array([[-200.0], [-150.0], [150.0], [200.0]])
    classifier = KerasClassifier(build()).fit(rows, [0, 0, 1, 1])
    proba = classifier.predict_proba(rows)[:, 1]
    assert proba[2] == proba[3] == 1
    np.testing.assert_array_equal(classifier.decision_function(rows), rows[:, 0])
    np.testing.assert_allclose(
        classifier.predict_log_proba(rows)[:, 0], [0, 0, -150, -200], atol=1e-60
    )


def test_a_custom_last_activation_warns_once_and_still_decides():
    def build(meta):
        inputs = keras.layers.Input((meta["n_features_in_"],))
        outputs = keras.layers.Dense(1, "sigmoid")(inputs)
        model = keras.Model(inputs, keras.layers.Rescaling(0.9, 0.05)(outputs))
        model.compile("adam", "binary_crossentropy")
        return model

    classifier = fitted(build)
    with pytest.warns(LogitsWarning) as caught:
        decision = classifier.decision_function(X)
    assert len(caught) == 1
    np.testing.assert_array_equal(decision > 0, classifier.predict(X) == 1)


def test_predictions_do_not_go_stale_after_more_training():
    classifier = fitted(mlp)
    before = classifier.decision_function(X)
    classifier.partial_fit(X, y)
    assert (classifier.decision_function(X) != before).any()


# Errors


def nan_model(meta):
    model = softmax_network(meta, "binary_crossentropy", 1)
    model.layers[0].set_weights([np.full((4, 1), np.nan), np.zeros(1)])
    return model


def multiple_outputs(meta):
    inputs = keras.layers.Input((meta["n_features_in_"],))
    outputs = [keras.layers.Dense(1, "sigmoid")(inputs) for _ in range(2)]
    model = keras.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy")
    return model


def fit(labels=y, weight=None, rows=X, build=logistic, **parameters):
    return lambda: KerasClassifier(build, **parameters).fit(rows, labels, weight)


def with_value(value):
    weight = np.ones(len(y))
    weight[3] = value
    return weight


ERRORS = [
    (fit(class_weight="auto"), ValueError, "`class_weight`='auto' is not known"),
    (fit(class_weight=np.ones(len(y))), ValueError, "mean `sample_weight`"),
    (fit(class_weight={2: 1.0}), ValueError, "`class_weight` has the labels [2]"),
    (fit(class_weight={1: -1.0}), ValueError, "`class_weight` must be positive"),
    (fit(class_weight={1: np.nan}), ValueError, "`class_weight` must be positive"),
    (fit(weight=with_value(-1)), ValueError, "`sample_weight` must be finite and not"),
    (fit(weight=with_value(np.nan)), ValueError, "got nan in row 3"),
    (fit(weight=with_value(np.inf)), ValueError, "got inf in row 3"),
    (fit(weight=np.zeros(len(y))), ValueError, "`sample_weight` is zero"),
    (fit(weight=1.0 - y), ValueError, "one class only"),
    (fit(weight=np.ones(3)), ValueError, "`sample_weight` has shape (3,)"),
    (fit(np.ones_like(y)), ValueError, "one class only"),
    (fit(np.eye(2)[y]), ValueError, "several labels a row"),
    (fit(y3, build=softmax_network, model__units=1), ValueError, "3 classes [0, 1, 2]"),
    (fit(y3, build=softmax_network, model__units=2), ValueError, "End it with 3 units"),
    (fit(build=multiple_outputs), ValueError, "`model` has outputs of shape"),
    (fit(build=functional), ValueError, "`loss`=None"),
    (fit(loss="mse"), ValueError, "`loss`='mse', but `model` is compiled with"),
    (fit(build=lambda: 3), TypeError, "`model` returned a int"),
    (fit(validation_fraction=1.5), ValueError, "`validation_fraction`=1.5"),
    (fit(validation_fraction=0.001), ValueError, "can't hold out rows of every"),
    (
        fit(validation_fraction=0.1, validation_split=0.1),
        ValueError,
        "both hold out rows",
    ),
    (
        fit(build=softmax_network, model__units=1, model__act="linear",
            model__loss="mse", rows=X * 9),
        ValueError,
        "which are not probabilities",
    ),
    (fit(build=nan_model), NonFiniteModelError, "loss is nan in epoch 1, learning"),
    (fit(build=nan_model), NonFiniteModelError, "class weights {0: 1.0, 1: 1.0}"),
    (fit(build=nan_model, epochs=0), NonFiniteModelError, "predicts values that are"),
    (fit(rows=X * np.nan), ValueError, "NaN"),
    (lambda: KerasClassifier(logistic).predict(X), NotFittedError, "not fitted"),
    (
        lambda: KerasClassifier(logistic).partial_fit(X, y, epochs=2),
        TypeError,
        "always trains one more epoch",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_name_symptom_value_and_remedy(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("good_first", [True, False])
def test_a_failed_fit_leaves_nothing_half_fitted(good_first):
    classifier = KerasClassifier(logistic)
    if good_first:
        classifier.fit(X, y)
    parameters = set(vars(clone(classifier)))
    classifier.set_params(model=nan_model)
    with pytest.raises(NonFiniteModelError):
        classifier.fit(X, y)
    assert set(vars(classifier)) == parameters
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    assert not hasattr(classifier, "model_")


def test_random_draws_outside_do_not_change_a_seeded_fit():
    one = fitted(mlp)
    random.random()
    keras.random.uniform(())
    assert fitted(mlp).history_ == one.history_
