"""Several networks beside one, and beside ensembles of other packages.

The first table is of time: eight networks as ``NetworkEnsembleClassifier`` trains them,
and one of them in SciKeras, 20,000 rows, five epochs, best of three runs after one.

The second is of new rows: stratified halves of four real sets, at most 6,000 rows to
train on and 10,000 to predict. All networks are alike and train for about 500
steps of 64 rows. "1 network" is the mean over the members of the sixteen. Every
classifier's probabilities are taken to the prior of the rows first. Balanced accuracy
is that of the cut at the prior; F1 that of as many rows as the prior says, so that it
is precision and recall as well.

    python -m benchmarks.ensemble

``SKLIMB_DATA`` names the folder of the sets.
"""

import logging
import os
import warnings
from math import ceil
from time import perf_counter
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from imblearn.ensemble import BalancedRandomForestClassifier, EasyEnsembleClassifier
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
)
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks._data import labelled
from benchmarks._timing import best_of, print_table
from benchmarks.fit import build, data
from sklimb import NetworkEnsembleClassifier
from sklimb.keras import KerasClassifier
from sklimb.priors import correct_proba

SETS = ("mammography", "oil_spill", "creditcard_sub", "bank_marketing")
SEEDS = range(3)
MOST_ROWS = 6_000
MOST_NEW_ROWS = 10_000
STEPS, BATCH = 500, 64
COUNTS = (4, 8, 16)
VALUES = ("log-loss", "AP", "balanced acc.", "F1")
TINY = 1e-7


class Contestant(NamedTuple):
    """A classifier, and whether it learns at balanced classes."""

    model: object
    balanced: bool = False


def networks(n_rows, n_estimators, seed, **parameters):
    """Return an ensemble of ours whose members see so many rows."""
    network = KerasClassifier(build, epochs=epochs_of(n_rows), batch_size=BATCH)
    return NetworkEnsembleClassifier(
        network, n_estimators=n_estimators, random_state=seed, **parameters
    )


def epochs_of(n_rows):
    """Return how many epochs are the steps wanted."""
    return ceil(STEPS * BATCH / n_rows)


def bagging(n_rows, seed):
    """Return scikit-learn's ensemble of SciKeras's networks."""
    network = SciKerasClassifier(
        build, epochs=epochs_of(n_rows), batch_size=BATCH, verbose=0
    )
    return BaggingClassifier(network, 8, random_state=seed)


def contestants(y, seed):
    """Return them by name."""
    n_rows, n_balanced = len(y), 2 * int(y.sum())
    ours = {f"{n} networks": Contestant(networks(n_rows, n, seed)) for n in COUNTS}
    bootstrap = networks(n_rows, 8, seed, resample="bootstrap")
    under = networks(n_balanced, 8, seed, resample="under")
    return ours | {
        "8, bootstrap": Contestant(bootstrap),
        "8, under": Contestant(under, True),
        "Bagging(SciKeras), 8": Contestant(bagging(n_rows, seed)),
        "EasyEnsemble": Contestant(EasyEnsembleClassifier(random_state=seed), True),
        "BalancedRandomForest": Contestant(
            BalancedRandomForestClassifier(random_state=seed), True
        ),
    }


def halves(name, seed):
    """Return scaled rows to train on, and new ones."""
    X, labels = labelled(name)
    y = np.unique(labels, return_inverse=True)[1]
    y = (y == np.bincount(y).argmin()).astype(int)
    X, X_new, y, y_new = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    scaler = StandardScaler().fit(X)
    X, X_new = (scaler.transform(part).astype(np.float32) for part in (X, X_new))
    return X[:MOST_ROWS], y[:MOST_ROWS], X_new[:MOST_NEW_ROWS], y_new[:MOST_NEW_ROWS]


def values_of(proba, y_new, prior):
    """Return log-loss, average precision, balanced accuracy and F1."""
    flagged = round(prior * len(proba))
    top = np.zeros(len(proba), dtype=int)
    top[np.argsort(-proba, kind="stable")[:flagged]] = 1
    return np.array(
        [
            log_loss(y_new, np.clip(proba, TINY, 1 - TINY)),
            average_precision_score(y_new, proba),
            balanced_accuracy_score(y_new, proba >= prior),
            f1_score(y_new, top),
        ]
    )


def fitted(model, X, y):
    """Return a fitted model, and the seconds that took."""
    start = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciKeras on current scikit-learn
        model.fit(X, y)
    return model, perf_counter() - start


def predicted(model, X_new):
    """Return probabilities, and the seconds that took."""
    start = perf_counter()
    proba = model.predict_proba(X_new)
    return proba, perf_counter() - start


def run(name, seed):
    """Return seconds to fit and to predict, and values, of each contestant."""
    X, y, X_new, y_new = halves(name, seed)
    prior = y.mean()
    rows = {"1 network": None}
    for title, (model, balanced) in contestants(y, seed).items():
        model, to_fit = fitted(model, X, y)
        proba, to_predict = predicted(model, X_new)
        if balanced:
            proba = correct_proba(proba, 0.5, prior)
        values = values_of(proba[:, 1], y_new, prior)
        rows[title] = [to_fit, to_predict, *values]
        if title == f"{COUNTS[-1]} networks":
            rows["1 network"] = one_of(model.estimators_, X, y, X_new, y_new)
    return rows


def one_of(members, X, y, X_new, y_new):
    """Return the times of one member, and the mean values of all."""
    one, to_fit = fitted(clone(members[0]), X, y)
    _, to_predict = predicted(one, X_new)
    values = [
        values_of(member.predict_proba(X_new)[:, 1], y_new, y.mean())
        for member in members
    ]
    return [to_fit, to_predict, *np.mean(values, axis=0)]


def times():
    """Print how long eight networks take, and one in SciKeras."""
    X, y = data(20_000)
    theirs = SciKerasClassifier(build, epochs=5, batch_size=64, verbose=0)
    one = KerasClassifier(build, epochs=5, batch_size=64, random_state=0)
    eight = NetworkEnsembleClassifier(one, n_estimators=8)
    models = {"SciKeras, 1": theirs, "sklimb, 1": one, "sklimb, 8": eight}
    firsts, bests = [], []
    for model in models.values():
        firsts.append(best_of(lambda model=model: model.fit(X, y), 1))
        bests.append(best_of(lambda model=model: model.fit(X, y), 3))
    rows = [
        [title, f"{first:.2f}", f"{best:.2f}", f"{best / bests[0]:.2f}"]
        for title, first, best in zip(models, firsts, bests, strict=True)
    ]
    print_table(["networks", "first fit s", "best fit s", "of SciKeras's"], rows)


def table(name):
    """Return the rows of a set's table: means over the halves."""
    runs = [run(name, seed) for seed in SEEDS]
    for title in runs[0]:
        to_fit, to_predict, *values = np.mean([r[title] for r in runs], axis=0)
        seconds = f"{to_fit:.2f}", f"{to_predict:.2f}"
        yield [name, title, *seconds, *(f"{value:.4f}" for value in values)]


def main():
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # of SciKeras's tracing
    start = perf_counter()
    print("Time, 20,000 rows:")
    times()
    print(f"\nNew rows, mean of {len(SEEDS)} halves:")
    head = ["set", "", "fit s", "predict s", *VALUES]
    print_table(head, [row for name in SETS for row in table(name)])
    print(f"\n{perf_counter() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
