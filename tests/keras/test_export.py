"""The whole rule as plain files: the same probabilities and labels without sklimb."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import log_expit, log_softmax, softmax
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    NetworkEnsembleClassifier,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from sklimb._threshold_layer import FixedThresholdClassifier
from sklimb.keras import KerasClassifier, export, load
from sklimb.keras.folding import last_layers, merged
from tests.keras.networks import X, fitted, frozen, logistic, softmax_network, y
from tests.keras.test_inputs import IS_SPAM, TEXTS, halves, of_texts, two_inputs

THREE = y + (X[:, 0] > 1)
NAMES = np.array(["common", "rare", "rarest"])[THREE]
WORDS = np.where(y == 1, "yes", "no")
IMAGES = (
    np.random.default_rng(0).normal(size=(len(y), 6, 6, 1)) + y[:, None, None, None]
)
SPARSE_FROM_LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
BINARY_FROM_LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)


def network(build=logistic, **parameters):
    return KerasClassifier(build, **{"epochs": 3, "random_state": 0} | parameters)


def ending(*layers, loss="sparse_categorical_crossentropy"):
    """Return a model function, to be called once: these layers after the inputs."""

    def build(meta):
        model = keras.Sequential([keras.layers.Input((4,)), *layers])
        model.compile(keras.optimizers.Adam(0.05), loss)
        return model

    return build


def sums_of_two(meta):
    """No Dense before the softmax, and the whole of it is a model in a model."""
    inputs = keras.layers.Input((4,))
    parts = [keras.layers.Dense(3)(inputs) for _ in range(2)]
    outputs = keras.layers.Softmax()(keras.layers.Add()(parts))
    inner = keras.Model(inputs, outputs)
    model = keras.Sequential([keras.layers.Input((4,)), inner])
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model


def without_input_layer(meta):
    inner = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
    model = keras.Sequential([keras.layers.Dense(2), inner])
    model.compile("sgd", "binary_crossentropy")
    return model


def of_images(meta):
    model = keras.Sequential(
        [
            keras.layers.Input(meta["X_shape_"][1:]),
            keras.layers.Conv2D(2, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, use_bias=False),
            keras.layers.Activation("sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
    return model


def flat(build=logistic, labels=WORDS, rows=X, **parameters):
    aware = ImbalanceAwareClassifier(
        network(build), cv=2, random_state=0, class_weight="balanced", **parameters
    )
    return aware.fit(rows, labels)


def untrained(build, labels=y, rows=X):
    return network(build).initialize(rows, labels)


def corrected(build, labels, rows=X, target_prior="uniform"):
    inner = FrozenEstimator(untrained(build, labels, rows))
    return PriorCorrectedClassifier(inner, target_prior=target_prior).fit(rows, labels)


def calibrated(build, method):
    weighted = ClassWeightedClassifier(network(build))
    inner = CalibratedLogitsClassifierCV(weighted, method=method, cv=2, random_state=0)
    target = {"rarest": 0.01, "rare": 0.04}
    return PriorCorrectedClassifier(inner, target_prior=target).fit(X, NAMES)


def decided(labels=NAMES, build=softmax_network, **parameters):
    """Return given thresholds or costs around a corrected network."""
    inner = PriorCorrectedClassifier(network(build), target_prior="uniform")
    return FixedThresholdClassifier(inner, **parameters).fit(X, labels)


COSTS = [[0, 1, 1], [4, 0, 2], [30, 5, -1]]


def searched():
    sampled = ResampledClassifier(network(), sampler="over", random_state=0)
    grid = {"estimator__epochs": [1]}
    search = GridSearchCV(sampled, grid, cv=2, scoring="accuracy").fit(X, y)
    pipeline = Pipeline([("nothing", "passthrough"), ("clf", FrozenEstimator(search))])
    return pipeline.fit(X, y)


def averaged(build=logistic, labels=y, outer=lambda e: e, **parameters):
    model = NetworkEnsembleClassifier(
        network(build), **{"n_estimators": 2, "random_state": 0} | parameters
    )
    return outer(model).fit(X, labels)


def at_different_priors():
    """Members of rows whose weights make their priors differ."""
    heavy = np.where(np.arange(len(y)) % 10, 1.0, 50.0)
    nest = PriorCorrectedClassifier(averaged(resample="under"), target_prior=0.05)
    nest.fit(X, y, sample_weight=heavy)
    first, second = nest.estimator_._priors()
    assert (first != second).all()
    return nest


ENSEMBLES = {
    "ensemble": (lambda: averaged(), X),
    "geometric ensemble": (lambda: averaged(average="log_proba"), X),
    "ensemble of two units": (lambda: averaged(softmax_network), X),
    "ensemble for three classes": (lambda: averaged(labels=NAMES), X),
    "geometric ensemble for three classes": (
        lambda: averaged(labels=NAMES, average="log_proba"),
        X,
    ),
    "flat ensemble": (
        lambda: flat(calibration="vector", n_estimators=2, target_prior=0.02),
        X,
    ),
    "calibrated members": (
        lambda: NetworkEnsembleClassifier(
            calibrated(softmax_network, "vector"), n_estimators=2, random_state=0
        ).fit(X, NAMES),
        X,
    ),
    "corrected members": (
        lambda: NetworkEnsembleClassifier(
            PriorCorrectedClassifier(network(), target_prior=0.01), n_estimators=2
        ).fit(X, y),
        X,
    ),
    "members at different priors": (at_different_priors, X),
    "ensemble of models in models": (lambda: averaged(sums_of_two, NAMES), X),
    "ensemble from logits": (
        lambda: averaged(ending(keras.layers.Dense(1), loss=BINARY_FROM_LOGITS)),
        X,
    ),
}
CASES = {
    **ENSEMBLES,
    "network alone": (lambda: fitted(), X),
    "temperature and threshold": (lambda: flat(calibration="temperature"), X),
    "moved to a rare prior": (lambda: flat().set_target_prior(0.02), X),
    "other positive class": (lambda: flat(pos_label="no"), X),
    "given threshold": (lambda: flat(threshold=0.7, target_prior=0.3), X),
    "vector scaling of one unit": (lambda: flat(calibration="vector"), X),
    "two units": (
        lambda: flat(softmax_network, labels=y, calibration="vector"),
        X,
    ),
    "class that is never predicted": (
        lambda: corrected(softmax_network, NAMES, target_prior=[0.5, 0.5, 0]),
        X,
    ),
    "three classes": (
        lambda: calibrated(softmax_network, "bias_corrected_temperature"),
        X,
    ),
    "three classes, vector": (lambda: calibrated(softmax_network, "vector"), X),
    "independent sigmoids": (
        lambda: corrected(
            ending(keras.layers.Dense(3, "sigmoid"), loss="binary_crossentropy"), THREE
        ),
        X,
    ),
    "logits of three": (
        lambda: corrected(
            ending(keras.layers.Dense(3), loss=SPARSE_FROM_LOGITS), THREE
        ),
        X,
    ),
    "logit of one": (
        lambda: corrected(ending(keras.layers.Dense(1), loss=BINARY_FROM_LOGITS), y),
        X,
    ),
    "logits alone": (
        lambda: untrained(
            ending(
                keras.layers.Dense(3),
                keras.layers.BatchNormalization(),
                loss=SPARSE_FROM_LOGITS,
            ),
            THREE,
        ),
        X,
    ),
    "sum before a softmax, in a model": (lambda: corrected(sums_of_two, THREE), X),
    "without an input layer": (lambda: corrected(without_input_layer, WORDS), X),
    "images": (lambda: corrected(of_images, WORDS, rows=IMAGES), IMAGES),
    "texts": (lambda: corrected(of_texts, IS_SPAM, rows=TEXTS), TEXTS),
    "two inputs": (lambda: flat(two_inputs("ab"), rows=halves(dict)), halves(dict)),
    "search in a pipeline": (searched, X),
    "a threshold for each class": (lambda: decided(threshold=[0.5, 0.2, 0.6]), X),
    "a class ruled out": (lambda: decided(threshold=[0.5, float("inf"), 0.6]), X),
    "a threshold for both classes": (
        lambda: decided(WORDS, logistic, threshold={"yes": 0.3, "no": 0.6}),
        X,
    ),
    "costs": (lambda: decided(threshold="bayes", cost_matrix=COSTS), X),
    "costs of two": (
        lambda: decided(
            WORDS, logistic, threshold="bayes", cost_matrix=[[0, 2], [3, -1]]
        ),
        X,
    ),
    "doubtful rows rejected": (
        lambda: decided(threshold=None, reject_cost=0.4, reject_label="ask"),
        X,
    ),
    "costs and rejection": (
        lambda: decided(
            threshold="bayes", cost_matrix=COSTS, reject_cost=0.7, reject_label=None
        ),
        X,
    ),
    "threshold, costs and rejection": (
        lambda: decided(
            y,
            logistic,
            threshold=0.3,
            cost_matrix=[[0, 2], [3, -1]],
            reject_cost=0.5,
            reject_label=-1,
        ),
        X,
    ),
}

# A process that can't import sklimb, and never unpickles.
WITHOUT_SKLIMB = """
import json, os, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sklimb", "scikeras"):
            raise ImportError(name + " is not to be had here")
sys.meta_path.insert(0, Blocked())
import keras, numpy as np, tensorflow as tf
DECIDE
for folder in sys.argv[1:]:
    X = dict(np.load(folder + "/X.npz"))
    X = {name: tf.constant(part) for name, part in X.items()}
    model = keras.models.load_model(folder + "/model.keras", safe_mode=True)
    assert not model.compiled
    p = model(X.get("X", X)).numpy().astype("float64")
    with open(folder + "/decision.json") as file:
        rule = json.load(file)
    if p.shape[1] == 1:
        p = np.hstack([1 - p, p])
    np.save(folder + "/proba.npy", p)
    with open(folder + "/labels.json", "w") as file:
        json.dump(decide(p, rule).tolist(), file)
assert "sklimb" not in sys.modules
"""
DOCS = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
DECIDE = re.search(r"^def decide.*?^    return labels$", DOCS, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return each case's fitted object, its rows and its folder."""
    parts = {}
    for name, (make, rows) in CASES.items():
        folder = export(made := make(), tmp_path_factory.mktemp("exported") / "new")
        inputs = rows if isinstance(rows, dict) else {"X": rows}
        inputs = {
            key: part.astype("float32") if part.dtype.kind == "f" else part
            for key, part in inputs.items()
        }
        np.savez(folder / "X.npz", **inputs)
        parts[name] = made, rows, folder
    return parts


@pytest.fixture(scope="module")
def elsewhere(exported, tmp_path_factory):
    """Return each case's probabilities and labels from a process without sklimb."""
    folders = [str(folder) for _, _, folder in exported.values()]
    code = WITHOUT_SKLIMB.replace("DECIDE", DECIDE.group())
    process = subprocess.run(
        [sys.executable, "-I", "-c", code, *folders],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return {
        name: (
            np.load(folder / "proba.npy"),
            json.loads((folder / "labels.json").read_text()),
        )
        for name, (*_, folder) in exported.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_a_process_without_sklimb_gets_the_same(exported, elsewhere, name):
    made, rows, _ = exported[name]
    proba, labels = elsewhere[name]
    expected = np.asarray(made.predict_proba(rows), dtype=np.float64)
    np.testing.assert_allclose(proba, expected, rtol=0, atol=1e-6)
    assert labels == made.predict(rows).tolist()


@pytest.mark.parametrize("name", CASES)
def test_load_gives_the_same(exported, name):
    made, rows, folder = exported[name]
    loaded = load(folder)
    proba = loaded.predict_proba(rows)
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba, made.predict_proba(rows), rtol=0, atol=1e-6)
    assert loaded.predict(rows).tolist() == made.predict(rows).tolist()
    assert loaded.predict(rows).dtype == made.predict(rows).dtype
    assert loaded.classes_.tolist() == made.classes_.tolist()
    assert "ExportedClassifier(" in repr(loaded)


def test_the_rule_is_that_of_the_flat_class(exported):
    made, _, folder = exported["temperature and threshold"]
    rule = json.loads((folder / "decision.json").read_text())
    assert {name: rule[name] for name in made.decision_rule_} == made.decision_rule_
    assert rule["calibration"]["method"] == "temperature"
    assert rule["output"]["units"] == 1
    assert rule["versions"]["keras"] == keras.__version__


@pytest.mark.parametrize("name", [name for name in CASES if "threshold" in name])
def test_the_loaded_rule_is_that_of_the_fitted_object(exported, name):
    made, _, folder = exported[name]
    decider = made.estimator_ if hasattr(made, "decision_rule_") else made
    assert load(folder).rule_ == decider._rule()
    assert str(decider._rule()) in repr(load(folder))


def test_every_kind_of_decision_is_taken(exported):
    for name, n_labels in [
        ("a threshold for each class", 3),
        ("a class ruled out", 2),
        ("costs", 3),
        ("doubtful rows rejected", 4),
        ("costs and rejection", 3),
        ("threshold, costs and rejection", 3),
    ]:
        made, rows, _ = exported[name]
        assert len(set(made.predict(rows).tolist())) == n_labels, name


def test_what_is_affine_in_the_logits_adds_no_layer(exported):
    made, _, folder = exported["temperature and threshold"]
    own = made.estimator_.estimator_.estimator_.estimator_.estimator_.model_
    names = [type(layer).__name__ for layer in load(folder).model_.layers]
    assert names == ["InputLayer", *(type(layer).__name__ for layer in own.layers)]
    assert len(load(exported["images"][2]).model_.layers) == 5  # and one is not needed


def test_any_number_of_rows_is_taken(exported):
    inputs = load(exported["without an input layer"][2]).model_.inputs
    assert [tensor.shape for tensor in inputs] == [(None, 4)]


def test_the_prior_moves_with_set_target_prior(exported):
    _, _, folder = exported["moved to a rare prior"]
    loaded = load(folder)
    np.testing.assert_allclose(loaded.target_prior_, [0.98, 0.02])
    np.testing.assert_allclose(loaded.training_prior_, [0.5, 0.5])


# Arithmetic


def applied(steps, log_proba):
    for scale, bias in steps:
        log_proba = log_softmax(scale * log_proba + bias, axis=1)
    return np.exp(log_proba)


def through(layers, values):
    functions = {
        "log_sigmoid": log_expit,
        "sigmoid": lambda z: np.exp(log_expit(z)),
        "log_softmax": lambda z: log_softmax(z, axis=1),
        "softmax": lambda z: softmax(z, axis=1),
    }
    for kernel, bias, activation in layers:
        values = functions[activation](values @ kernel + bias)
    return values


ORDERS = ["s", "v", "sv", "vs", "svs", "vv", "vvsv"]  # one scale, or one of each class


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n_units", [1, 2, 3])
def test_layers_do_what_the_steps_do_in_any_order(order, n_units):
    draw = np.random.default_rng(len(order))
    n_classes = max(n_units, 2)
    steps = [
        (
            np.broadcast_to(
                draw.uniform(0.5, 2, n_classes if o == "v" else 1), n_classes
            ),
            draw.normal(size=n_classes),
        )
        for o in order
    ]
    logits = draw.normal(scale=5, size=(50, n_units))
    both = np.hstack([np.zeros_like(logits), logits]) if n_units == 1 else logits
    layers = last_layers(merged(steps), "softmax", n_units)
    expected = applied(steps, log_softmax(both, axis=1))
    np.testing.assert_allclose(through(layers, logits), expected[:, -n_units:])
    assert len(layers) == 1 + order.count("v")


def test_saturated_probabilities_keep_their_correction(tmp_path):
    made = corrected(frozen, y, target_prior=1e-6)
    far = np.array([[30.0, 0, 0, 0], [200.0, 0, 0, 0], [-200.0, 0, 0, 0]])
    loaded = load(export(made, tmp_path))
    found, expected = (c.predict_log_proba(far) for c in (loaded, made))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-40)


# What stays as it was


def test_exporting_changes_nothing_else(tmp_path):
    made = corrected(softmax_network, NAMES)
    model = made.estimator_.estimator._held().network.model
    before = made.predict_proba(X), random.getstate(), model.get_weights()
    export(made, tmp_path)
    loaded = load(tmp_path)
    assert random.getstate() == before[1]
    assert model.compiled
    np.testing.assert_array_equal(made.predict_proba(X), before[0])
    for weight, old in zip(model.get_weights(), before[2], strict=True):
        np.testing.assert_array_equal(weight, old)
    assert not loaded.model_.compiled


@pytest.mark.parametrize(
    "labels",
    [["a", "b"], [0, 1], [False, True], [0.0, 1.0], np.array([3, 7], "int8")],
    ids=lambda labels: type(np.asarray(labels).tolist()[0]).__name__,
)
def test_labels_keep_their_type(tmp_path, labels):
    made = untrained(logistic, np.asarray(labels)[y])
    loaded = load(export(made, tmp_path))
    kinds = [type(label) for label in made.classes_.tolist()]
    assert [type(label) for label in loaded.classes_.tolist()] == kinds
    assert loaded.pos_label_ == labels[1]
