"""Probabilities of many rows: ours beside SciKeras, the same network in both.

Run ``python -m benchmarks.predict``.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier as SciKerasClassifier

from benchmarks._timing import best_of, print_table
from sklimb.keras import KerasClassifier

N_FEATURES = 20
ROWS = (100_000, 1_000_000)


def build(meta):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def compare(n_rows, ours, theirs, rng):
    """Return a row of the table: times, their ratio, greatest difference."""
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    difference = np.abs(ours.predict_proba(X) - theirs.predict_proba(X)).max()
    our_time = best_of(lambda: ours.predict_proba(X), 3)
    their_time = best_of(lambda: theirs.predict_proba(X), 2)
    return [
        f"{n_rows:,}",
        f"{their_time:.2f}",
        f"{our_time:.3f}",
        f"{their_time / our_time:.1f}",
        f"{difference:.0e}",
    ]


def main():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, N_FEATURES)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=len(X)) > 1).astype(int)
    theirs = SciKerasClassifier(build, verbose=0).fit(X, y)
    ours = KerasClassifier(theirs.model_).initialize(X, y)
    print_table(
        ["rows", "SciKeras s", "sklimb s", "times faster", "greatest difference"],
        [compare(n_rows, ours, theirs, rng) for n_rows in ROWS],
    )


if __name__ == "__main__":
    main()
