"""Searches on real rows: what trains as one program, and what doesn't."""

import logging
import os

import keras
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import KerasClassifier
from tests.keras.test_real_data import folder, frame, of_images, of_table

pytestmark = pytest.mark.skipif(
    "SKLIMB_DATA" not in os.environ, reason="SKLIMB_DATA names no folder of datasets"
)
GRID = {"class_weight": [None, 0.2, 0.4], "threshold": [0.1, 0.2, 0.3, 0.4, 0.5]}


def searched(model, X, y, grid=GRID, **parameters):
    network = KerasClassifier(model, random_state=0, **parameters)
    aware = ImbalanceAwareClassifier(network, threshold=0.5)
    return ImbalanceSearchCV(aware, grid, scoring="f1", cv=2).fit(X, y)


@pytest.fixture
def told(caplog):
    with caplog.at_level(logging.INFO, "sklimb.keras"):
        yield caplog


def test_a_table_is_searched_in_one_program(told):
    rows = frame("mammography")
    y = rows.pop("target").to_numpy()
    X = StandardScaler().fit_transform(rows).astype(np.float32)
    search = searched(of_table, X, y, batch_size=64, epochs=4)
    assert "6 as replicas." in told.text
    assert "Model.fit" not in told.text
    plain = search.cv_results_["params"].index({"class_weight": None, "threshold": 0.5})
    assert search.best_score_ >= search.cv_results_["mean_test_score"][plain]
    assert search.best_score_ > 0.55


def of_words(meta):
    model = keras.Sequential(
        [
            keras.layers.Input(meta["X_shape_"][1:], dtype="int32"),
            keras.layers.Embedding(2000, 8),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    return model


def test_texts_as_numbers_of_words_are_searched_in_one_program(told):
    rows = frame("sms_spam", keep_default_na=False)
    texts, y = rows["text"].to_numpy(), rows["target"].to_numpy()
    words = keras.layers.TextVectorization(2000, output_sequence_length=30)
    words.adapt(texts)
    X = words(texts).numpy().astype(np.int32)
    search = searched(of_words, X, y, batch_size=64, epochs=4)
    assert "6 as replicas." in told.text
    assert search.best_score_ > 0.85


def test_images_are_searched_fit_by_fit(told, monkeypatch):
    monkeypatch.setattr("sklimb.keras.replica_plan.STEPS_OF_TRACING", 0)
    with np.load(folder() / "pneumonia_mnist.npz") as arrays:
        X, y = arrays["x"][::4, ..., None], arrays["y"][::4]
    grid = GRID | {"class_weight": [None, 0.5]}
    search = searched(of_images, X, y, grid, batch_size=32, epochs=3)
    assert "4 by keras.Model.fit: TensorFlow can't map the model" in told.text
    assert search.n_distinct_fits_ == 4
    assert search.best_score_ > 0.7
