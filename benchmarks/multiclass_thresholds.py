"""How long the thresholds of several classes take, and how often they are best.

The first table is of many rows of ten unequal classes, with argmax beside. The
second counts small tables of three classes, some with weights, ties or folds,
whose exhaustive optimum the search reaches.

    python -m benchmarks.multiclass_thresholds
"""

import numpy as np

from benchmarks._timing import best_of, print_table
from sklimb.thresholds._multiclass_metrics import multiclass_metric
from sklimb.thresholds._multiclass_search import score_of, search_class_thresholds
from tests.multiclass_tables import NAMES, blob, every_decision, table

N_ROWS, N_CLASSES = 10**5, 10
N_TABLES = 1000


def timed(name, y, proba):
    """Return a row of the first table."""
    costs = None
    if name == "cost":
        costs = np.random.default_rng(0).random((N_CLASSES, N_CLASSES))
        np.fill_diagonal(costs, 0)
    metric = multiclass_metric(name, N_CLASSES, cost_matrix=costs)
    found = []
    time = best_of(lambda: found.append(search_class_thresholds(y, proba, metric)), 2)
    argmax = score_of(y, proba.argmax(axis=1), metric)
    return [name, f"{time:.2f} s", f"{argmax:.4f}", f"{found[0].score:.4f}"]


def reached(name, seed):
    """Tell whether the exhaustive optimum is reached, and argmax at least."""
    y, proba, weight = table(seed)
    metric = multiclass_metric(name, 3)
    fold = np.arange(len(y)) % 2 if seed % 5 == 0 else None
    best = search_class_thresholds(y, proba, metric, sample_weight=weight, fold=fold)
    scores = [score_of(y, d, metric, weight, fold) for d in every_decision(proba)]
    argmax = score_of(y, proba.argmax(axis=1), metric, weight, fold)
    return best.score >= max(scores) - 1e-12, best.score >= argmax


def main():
    """Print both tables."""
    y, proba = blob(N_ROWS, N_CLASSES)
    head = ["metric", "time", "argmax", "thresholds"]
    print_table(head, [timed(name, y, proba) for name in [*NAMES, "cost"]])
    print()
    seeds = {name: range(k, N_TABLES, len(NAMES)) for k, name in enumerate(NAMES)}
    results = {
        name: np.array([reached(name, seed) for seed in each])
        for name, each in seeds.items()
    }
    results["all"] = np.concatenate(list(results.values()))
    head = ["metric", "tables", "optimum reached", "argmax at least"]
    rows = [
        [name, len(each), f"{each[:, 0].mean():.3f}", f"{each[:, 1].mean():.3f}"]
        for name, each in results.items()
    ]
    print_table(head, rows)


if __name__ == "__main__":
    main()
