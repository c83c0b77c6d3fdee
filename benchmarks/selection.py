"""Which way to choose a threshold gives the greatest metric on new rows.

Halves of real sets, rare class against the rest: on one half, scores out of five
folds choose thresholds, and a model of all its rows is cut by them on the other half.
Differences are those to the exact optimum of the rows out of fold, over halves, sets
and models, with twice the standard error of their mean.

    python -m benchmarks.selection

``SKLIMB_DATA`` names the folder of the sets.
"""

import sys
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._data import folder
from benchmarks._timing import print_table
from sklimb.thresholds._metrics import metric_function
from sklimb.thresholds._selection import SELECTIONS, choose_cut

SEEDS = range(20, 28)
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
    "page_blocks vertical": ("page_blocks", "vert. line", []),
    "yeast ME2": ("yeast", "ME2", []),
    "yeast EXC": ("yeast", "EXC", []),
    "yeast ME1": ("yeast", "ME1", []),
    "yeast POX": ("yeast", "POX", []),
}
METRICS = ("f1", "matthews_corrcoef", "balanced_accuracy")


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


def score_of_cut(metric, positive, score, threshold):
    """Return the metric of new rows at a threshold."""
    above = score >= threshold
    cells = (positive & above, ~positive & above, positive & ~above, ~positive & ~above)
    return float(metric(*(np.float64(cell.sum()) for cell in cells)))


def results_of(name):
    """Yield a row for each half of a set, model, metric and selection."""
    X, y = load(name)
    for seed in SEEDS:
        for model, parts, y_test, score in out_of_fold(X, y, seed):
            for metric_name in METRICS:
                metric = metric_function(metric_name)
                for selection in SELECTIONS:
                    cut = choose_cut(parts, metric, selection).threshold
                    value = score_of_cut(metric, y_test, score, cut)
                    yield name, seed, model, metric_name, selection, value


def print_summary(results):
    """Print mean scores and differences, for models trained plainly and balanced."""
    balanced = results["model"].str.contains("balanced")
    lines = []
    for trained, own in (("plain", ~balanced), ("balanced", balanced)):
        for metric, scores in results[own].groupby("metric"):
            keys = ["set", "seed", "model"]
            wide = scores.pivot_table(index=keys, columns="selection", values="score")
            lines += [[trained, metric, name, *summary(wide, name)] for name in wide]
    head = ["trained", "metric", "selection", "score", "difference x 1000"]
    print_table([*head, "worst set", "sets that gain"], lines)


def summary(scores, selection):
    """Return a selection's mean score and its differences to the exact optimum."""
    more = 1000 * (scores[selection] - scores["exact"])
    # Models of one half share its rows.
    halves, sets = more.groupby(["set", "seed"]).mean(), more.groupby("set").mean()
    error = 2 * halves.std() / np.sqrt(len(halves))
    return [
        f"{scores[selection].mean():.3f}",
        f"{halves.mean():+.1f} ± {error:.1f}",
        f"{sets.min():+.1f}",
        f"{(sets > 0).sum()} of {len(sets)}",
    ]


def main():
    """Print the table."""
    results = []
    for name in SETS:
        start = perf_counter()
        results += results_of(name)
        print(f"{name}: {perf_counter() - start:.0f} s", file=sys.stderr)
    columns = ["set", "seed", "model", "metric", "selection", "score"]
    print_summary(pd.DataFrame(results, columns=columns))


if __name__ == "__main__":
    main()
