import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklimb.report import InputError
from sklimb.report.models import find_model

Y = np.array([0] * 900 + [1] * 100)

MODULE = """
import os
from sklearn.linear_model import LogisticRegression, Ridge

def good(): return LogisticRegression(C=0.5)
def a_class(): return LogisticRegression
def regressor(): return Ridge()
def nothing(): return None
def broken(): raise RuntimeError("no\\nluck")
def wants(more): return LogisticRegression()
def keras_function(meta): raise AssertionError("only fit builds it")
def keras_model():
    from keras import Sequential, layers
    return Sequential([layers.Input((2,)), layers.Dense(1, "sigmoid")])
number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "users_models.py").write_text(MODULE)
    (tmp_path / "users_broken.py").write_text("def x(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    for name in ("users_models", "users_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_users_function_is_found_in_the_working_folder(module):
    build, flat = find_model("users_models:good")
    assert build(Y).C == 0.5
    assert not flat


@pytest.mark.parametrize("name", ["keras_function", "keras_model"])
def test_a_users_keras_model_becomes_a_classifier(module, name):
    build, _ = find_model(f"users_models:{name}")
    assert type(build(Y)).__name__ == "KerasClassifier"


BAD_MODELS = [
    (
        "mpl",
        r"--model: 'mpl' is not known. Did you mean 'mlp'\? Use one of mlp, linear",
    ),
    ("users_models:", "is not known"),
    ("gone_module:f", "'gone_module:f' can't be imported: ModuleNotFoundError"),
    ("users_broken:x", "'users_broken:x' can't be imported: SyntaxError"),
    ("users_models:god", r"has no function 'god'. Did you mean 'good'\?"),
    ("users_models:number", "has no function 'number'"),
    ("users_models:a_class", r"returned <class .*expected a classifier"),
    ("users_models:regressor", r"returned Ridge\(\); expected a classifier with"),
    ("users_models:nothing", "returned None; expected a classifier"),
    ("users_models:broken", "'users_models:broken' failed: RuntimeError: no luck"),
    ("users_models:wants", "failed: TypeError: .*missing 1 required"),
]


@pytest.mark.parametrize(("name", "message"), BAD_MODELS)
def test_unusable_models_are_named_with_the_remedy(module, name, message):
    with pytest.raises(InputError, match=message):
        build, _ = find_model(name)
        build(Y)


def test_linear_is_a_logistic_regression():
    build, flat = find_model("linear")
    assert isinstance(build(Y), LogisticRegression)
    assert flat


@pytest.mark.parametrize(
    ("n_rows", "positives", "batch_size", "validation"),
    [(200, 10, 32, 0.0), (8000, 200, 128, 0.1), (1_000_000, 500, 1024, 0.1)],
)
def test_network_settings_follow_the_rows(n_rows, positives, batch_size, validation):
    build, _ = find_model("mlp")
    classifier = clone(build(np.arange(n_rows) < positives))
    assert classifier.batch_size == batch_size
    assert classifier.validation_fraction == validation
    assert (classifier.callbacks is not None) == bool(validation)


def test_the_network_has_a_probability_for_each_class():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3
    build, _ = find_model("mlp")
    fitted = build(y).set_params(epochs=1).fit(X.astype(np.float32), y)
    assert fitted.predict_proba(X).shape == (60, 3)
