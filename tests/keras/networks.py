"""Tiny networks, as model functions, and tiny data for them."""

import keras
import numpy as np

from sklimb.keras import KerasClassifier


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


def softmax_network(meta, loss="sparse_categorical_crossentropy", units=None, act=None):
    units = units or meta["n_classes_"]
    act = act or ("sigmoid" if units == 1 else "softmax")
    model = keras.Sequential(
        [keras.layers.Input((meta["n_features_in_"],)), keras.layers.Dense(units, act)]
    )
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def functional(meta):
    inputs = keras.layers.Input((meta["n_features_in_"],))
    hidden = keras.layers.Dense(4, "relu")(inputs)
    hidden = keras.layers.Concatenate()([hidden, inputs])
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))


def frozen(meta):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(1, "sigmoid", kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    return model


X, y = imbalanced()


def fitted(build=logistic, labels=None, **parameters):
    parameters = {"epochs": 5, "random_state": 0} | parameters
    return KerasClassifier(build, **parameters).fit(X, y if labels is None else labels)
