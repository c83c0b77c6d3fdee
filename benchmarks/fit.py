"""Many fits in one process: memory and time, ours beside SciKeras.

Run ``python -m benchmarks.fit``.
"""

import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from benchmarks._timing import best_of, print_table
from sklimb.keras import KerasClassifier

WARM_UP = 10
FITS = {"sklimb": 100, "SciKeras": 40}
WEIGHTS = [None, {1: 2}, {1: 5}, {1: 10}, {1: 20}]


def build(meta, hidden=64):
    model = keras.Sequential(
        [
            keras.layers.Input((meta["n_features_in_"],)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


CLASSIFIERS = {
    "SciKeras": SciKerasClassifier(build, verbose=0, batch_size=64),
    "sklimb": KerasClassifier(build, batch_size=64),
}


def resident_megabytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(name):
    """Fit clones, and print by how much each made this process grow, in MB."""
    X, y = data(1_000)
    for fit in range(FITS[name]):
        if fit == WARM_UP:
            start = resident_megabytes()
        clone(CLASSIFIERS[name]).fit(X, y).predict_proba(X)
    print(resident_megabytes() - start, flush=True)


def measured_growth(name):
    """Return the growth in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.fit", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def data(n_rows):
    X, y = make_classification(
        n_rows, 20, n_informative=8, weights=[0.9], random_state=0
    )
    return X.astype(np.float32), y


def search_time(name, n_rows, epochs):
    """Return the best time of a grid search of 25 fits, in seconds."""
    X, y = data(n_rows)
    # Stratified folds and a scorer by hand: SciKeras gets neither from its tags.
    search = GridSearchCV(
        CLASSIFIERS[name].set_params(epochs=epochs),
        {"class_weight": WEIGHTS},
        scoring=by_probability,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        refit=False,
    )
    return best_of(lambda: search.fit(X, y), 2)


def by_probability(classifier, X, y):
    return roc_auc_score(y, classifier.predict_proba(X)[:, 1])


def main():
    print(f"Growth of one process by fits of clones, after the first {WARM_UP}:")
    grown = {name: measured_growth(name) for name in FITS}
    print_table(
        ["", "fits", "MB", "MB a fit"],
        [
            [
                name,
                FITS[name] - WARM_UP,
                f"{mb:.0f}",
                f"{mb / (FITS[name] - WARM_UP):.2f}",
            ]
            for name, mb in grown.items()
        ],
    )
    print("\nGridSearchCV, 5 class weights in 5 folds, 25 fits, best of 2:")
    rows = []
    for n_rows, epochs in [(2_000, 2), (20_000, 5)]:
        theirs, ours = (search_time(name, n_rows, epochs) for name in CLASSIFIERS)
        share = f"{100 * ours / theirs:.0f} %"
        rows.append([f"{n_rows:,}", epochs, f"{theirs:.1f}", f"{ours:.1f}", share])
    print_table(["rows", "epochs", "SciKeras s", "sklimb s", "ours of theirs"], rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        growth(sys.argv[1])
    else:
        main()
