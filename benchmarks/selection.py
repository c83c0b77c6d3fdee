"""Which way to choose a threshold gives the greatest metric on new rows.

Halves of real sets, rare class against the rest: on one half, scores out of five
folds choose thresholds, and a model of all its rows is cut by them on the other half.
Differences are those to the exact optimum of the rows out of fold, over halves, sets
and models, with twice the standard error of their mean.

    python -m benchmarks.selection

``SKLIMB_DATA`` names the folder of the sets.
"""


import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._data import folder

N_SPLITS = 10
N_FOLDS = 5
MOST_ROWS = 8_000
# Each set with its rare class; `duration` is known after the outcome only.
SETS = {
    "mammography": ("mammography", 1, []),
    "oil_spill": ("oil_spill", 1, ["x1"]),
    "creditcard_sub": ("creditcard_sub", 1, []),
    "bank_marketing": ("bank_marketing", 1, ["duration"]),
    "page_blocks graphic": ("page_blocks", "graphic", []),
    "page_blocks picture": ("page_blocks", "picture", []),
    "yeast ME2": ("yeast", "ME2", []),
    "yeast EXC": ("yeast", "EXC", []),
}


def load(name):
    """Return the rows of a set, and which are positive."""
    file, rare, left_out = SETS[name]
    rows = pd.read_csv(folder() / f"{file}.csv.gz")
    y = (rows.pop("target") == rare).to_numpy()
    X = pd.get_dummies(rows.drop(columns=left_out)).to_numpy(np.float64)
    kept = np.random.default_rng(0).permutation(len(y))[:MOST_ROWS]
    return X[kept], y[kept]


def models(seed):
    """Return the models by name, plain and balanced."""
    logistic = LogisticRegression(max_iter=1000)
    boosting = {"max_iter": 40, "max_leaf_nodes": 15, "random_state": seed}
    network = MLPClassifier((64, 64), max_iter=30, random_state=seed)
    return {
        "logistic": logistic,
        "logistic, balanced": LogisticRegression(
            max_iter=1000, class_weight="balanced"
        ),
        "boosting": HistGradientBoostingClassifier(**boosting),
        "boosting, balanced": HistGradientBoostingClassifier(
            **boosting, class_weight="balanced"
        ),
        "network": network,
    }


def scores_of(model, X, y, X_new):
    """Return the probabilities that a model of some rows gives new ones."""
    pipeline = make_pipeline(StandardScaler(), model)
    return pipeline.fit(X, y).predict_proba(X_new)[:, 1]


def out_of_fold(X, y, seed):
    """Yield each model's name, parts out of fold, and test rows' labels and scores."""
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y))
    for name, model in models(seed).items():
        parts = [
            (y[own], scores_of(model, X[others], y[others], X[own]), None)
            for others, own in folds
        ]
        yield name, parts, y_test, scores_of(model, X, y, X_test)
