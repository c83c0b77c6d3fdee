"""Tiny networks, as model functions, and tiny data for them."""

import keras
import numpy as np


def logistic(meta, learning_rate=0.1):
    """One unit for two classes, a softmax for more: enough for sklearn's checks."""
    n_units = 1 if meta["n_classes_"] == 2 else meta["n_classes_"]
    model = keras.Sequential(
        [
            keras.layers.Input(meta["X_shape_"][1:]),
            keras.layers.Flatten(),
            # The checks allow a difference of 1e-7, less than float32's rounding.
            keras.layers.Dense(
                n_units, "sigmoid" if n_units == 1 else "softmax", dtype="float64"
            ),
        ]
    )
    loss = "binary_crossentropy" if n_units == 1 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    return model


def mlp(meta, hidden=8, dropout=0.2, optimizer="adam", metrics=("accuracy",)):
    """Layers with every kind of state: weights, moving averages, random seeds."""
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=list(metrics))
    return model


def imbalanced(n_rows=300, n_features=4, share=0.2, seed=0):
    """Two classes that a line separates fairly well."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n_rows) < share * n_rows).astype(int)
    X = rng.normal(size=(n_rows, n_features)) + 1.5 * y[:, None]
    order = rng.permutation(n_rows)
    return X[order], y[order]
