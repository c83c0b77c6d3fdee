"""Which way to decide is best on new rows: argmax, scikit-learn's grid, or ours.

Halves of five real sets, stratified; of yeast the five rows of ERL are left out. On
one half (at most 8,000 rows) a classifier gives probabilities in five folds. On these
very probabilities and folds every method chooses its thresholds, and a classifier of
all rows of the half is decided so on the other half, which no method saw.

- argmax takes the greatest probability.
- grid is what ``TunedThresholdClassifierCV`` finds with its 100 cuts, here by counts.
  Of several classes, each has a threshold of its own against the rest, by the metric
  of two classes, and the greatest ratio of probability to threshold decides.
- The others are the ``selection`` of ``OptimalThresholdClassifierCV``. Several classes
  have no ``one_standard_error``: there it stands for the exact search.

An error costs the inverse root of the true class's share: by the inverse share itself,
cost would be 1 - balanced accuracy. Intervals are those of Student's t for paired
differences over ten halves. Halves share rows, so true intervals are wider, and ties
are rarer here than they should be.

    python -m benchmarks.decisions [set ...]

``SKLIMB_DATA`` names the folder of the sets.
"""

import sys
import warnings
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
)
from sklearn.model_selection import (
    StratifiedKFold,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._data import labelled
from benchmarks._timing import print_table
from sklimb import OptimalThresholdClassifierCV
from sklimb.exceptions import FewPositivesWarning
from sklimb.thresholds import (
    MULTICLASS_SELECTIONS,
    SELECTIONS,
    cost_metric,
    metric_function,
)

SETS = ("yeast", "page_blocks", "mammography", "oil_spill", "bank_marketing")
SEVERAL = ("yeast", "page_blocks")  # classes
SEEDS = range(10)
N_FOLDS = 5
N_CUTS = 100
MOST_ROWS = 8_000
FEWEST_ROWS = 10  # of a class
THEIRS = ("argmax", "grid")
TINY = np.finfo(float).tiny  # a cut of 0 divides by it


class Replay(ClassifierMixin, BaseEstimator):
    """A classifier whose features are the probabilities that it gives."""

    def fit(self, X, y):
        """Learn the classes."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        """Return the features."""
        return X


class Case(NamedTuple):
    """Rows out of fold to choose by, and new rows to decide."""

    proba: np.ndarray
    y: np.ndarray
    folds: list
    proba_test: np.ndarray
    y_test: np.ndarray


class Metric(NamedTuple):
    """What ours maximises, the grid's function of counts, the value of decisions."""

    params: dict
    of_two: object
    value: object


def load(name):
    """Return the rows of a set and class numbers, tiny classes left out."""
    X, labels = labelled(name)
    y, counts = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    kept = counts[y] >= FEWEST_ROWS
    return X[kept], np.unique(y[kept], return_inverse=True)[1]


def models(seed):
    """Return the classifiers by name."""
    network = MLPClassifier((64, 64), batch_size=32, max_iter=30, random_state=seed)
    return {"logistic": LogisticRegression(max_iter=1000), "network": network}


def proba_of(model, X, y, X_new):
    """Return the probabilities that a model of some rows gives new ones."""
    return make_pipeline(StandardScaler(), model).fit(X, y).predict_proba(X_new)


def case_of(X, y, seed, model):
    """Return a half of the rows out of fold, and the other half."""
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    X, y = X[:MOST_ROWS], y[:MOST_ROWS]
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y))
    proba = np.empty((len(y), y.max() + 1))
    for train, own in folds:
        proba[own] = proba_of(model, X[train], y[train], X[own])
    return Case(proba, y, folds, proba_of(model, X, y, X_test), y_test)


def costs_of(y):
    """Return what decisions cost: rows true, columns predicted."""
    costs = np.tile(1 / np.sqrt(np.bincount(y) / len(y)), (y.max() + 1, 1)).T
    np.fill_diagonal(costs, 0)
    return costs


def minus_cost(y_true, y_pred, costs):
    """Return minus the mean cost."""
    return -costs[y_true, y_pred].mean()


def metrics_of(y):
    """Return the metrics by name."""
    costs = costs_of(y)
    macro_f1 = "f1_macro" if len(costs) == 2 else "f1"
    named = {
        "macro F1": ("f1_macro", macro_f1, partial(f1_score, average="macro")),
        "balanced accuracy": (*["balanced_accuracy"] * 2, balanced_accuracy_score),
        "MCC": (*["matthews_corrcoef"] * 2, matthews_corrcoef),
    }
    metrics = {
        name: Metric({"scoring": ours}, lambda y, its=its: metric_function(its), value)
        for name, (ours, its, value) in named.items()
    }
    cost = Metric({"cost_matrix": costs}, cost_of, partial(minus_cost, costs=costs))
    return metrics | {"minus cost": cost}


def cost_of(positive):
    """Return minus the mean cost of two classes as frequent as in some rows."""
    return cost_metric(costs_of(positive.astype(int)), 1)


def by_argmax(case, metric):
    """Return the classes of the greatest probability."""
    return case.proba_test.argmax(axis=1)


def by_grid(case, metric):
    """Return what scikit-learn decides, of several classes one against the rest."""
    n_classes = case.proba.shape[1]
    thresholds = [
        grid_threshold(case.y == k, case.proba[:, k], case.folds, metric)
        for k in range(1 if n_classes == 2 else 0, n_classes)
    ]
    if n_classes == 2:
        return (case.proba_test[:, 1] >= thresholds[0]).astype(int)
    return (case.proba_test / np.maximum(thresholds, TINY)).argmax(axis=1)


def grid_threshold(positive, score, folds, metric):
    """Return the ``best_threshold_`` of TunedThresholdClassifierCV."""
    metric = metric.of_two(positive)
    cuts = [np.linspace(*ends(score[own]), N_CUTS) for _, own in folds]
    values = [
        metric(*counts_at(at, positive[own], score[own]))
        for at, (_, own) in zip(cuts, folds, strict=True)
    ]
    common = np.linspace(*ends(score), N_CUTS)
    curves = zip(cuts, values, strict=True)
    return common[np.sum([np.interp(common, *c) for c in curves], axis=0).argmax()]


def ends(score):
    return score.min(), score.max()


def counts_at(cuts, positive, score):
    """Return (tp, fp, fn, tn) where scores from each cut on are positive."""
    tp, fp = (
        len(part) - np.searchsorted(np.sort(part), cuts)
        for part in (score[positive], score[~positive])
    )
    return tp, fp, positive.sum() - tp, (~positive).sum() - fp


def by_selection(selection, case, metric):
    """Return what ours decides."""
    tuned = OptimalThresholdClassifierCV(
        Replay(), **metric.params, selection=selection, cv=case.folds
    )
    return tuned.fit(case.proba, case.y).predict(case.proba_test)


def methods_of(case):
    """Return the ways to decide by name."""
    several = case.proba.shape[1] > 2
    ours = MULTICLASS_SELECTIONS if several else SELECTIONS
    own = {name: partial(by_selection, name) for name in ours}
    return {"argmax": by_argmax, "grid": by_grid, **own}


def results_of(name):
    """Yield a row for each half of a set, classifier, metric and method."""
    X, y = load(name)
    for seed in SEEDS:
        for classifier, model in models(seed).items():
            case = case_of(X, y, seed, model)
            for metric_name, metric in metrics_of(case.y).items():
                for method, decide in methods_of(case).items():
                    value = metric.value(case.y_test, decide(case, metric))
                    yield name, classifier, metric_name, method, seed, value


def half_width(differences):
    """Return half the 95 % interval of a mean."""
    n = len(differences)
    return student.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)


def print_tables(results):
    """Print each metric's table: means, and differences to the better of theirs."""
    for metric, own in results.groupby("metric", sort=False):
        print(f"{metric}: argmax and the grid, differences to the better x 1000")
        lines = [line_of(cell) for cell in cells_of(own)]
        print_table(["set", "classifier", *THEIRS, *SELECTIONS], lines)
        print()


def cells_of(results):
    """Yield the names of each cell, and its values by half and method."""
    for names, own in results.groupby(["set", "classifier"], sort=False):
        wide = own.pivot(index="seed", columns="method", values="value")
        for selection in SELECTIONS:
            if selection not in wide:  # several classes
                wide[selection] = wide["exact"]
        yield names, wide


def line_of(cell):
    """Return a line of a metric's table."""
    names, wide = cell
    theirs = [f"{wide[name].mean():.4f}" for name in THEIRS]
    return [*names, *theirs, *(said(1000 * gain(wide, name)) for name in SELECTIONS)]


def gain(wide, selection):
    """Return the differences to the method of theirs whose mean is greatest."""
    return wide[selection] - wide[wide[[*THEIRS]].mean().idxmax()]


def said(differences):
    return f"{differences.mean():+.1f} ± {half_width(differences):.1f}"


def print_summary(results):
    """Print in how many cells each selection is better than theirs, tied or worse."""
    cells = [wide for _, own in results.groupby("metric") for _, wide in cells_of(own)]
    lines = []
    for selection in SELECTIONS:
        gains = [gain(wide, selection) for wide in cells]
        means = np.array([each.mean() for each in gains])
        margins = np.array([half_width(each) for each in gains])
        worse = np.sum(means < -margins)
        counts = [np.sum(means > margins), np.sum(abs(means) <= margins), worse]
        share = 1 - worse / len(cells)
        mean = f"{1000 * means.mean():+.1f}"
        lines.append([selection, *counts, f"{share:.0%}", mean])
    head = ["selection", "better", "tied", "worse", "better or tied", "mean x 1000"]
    print_table(head, lines)


def main():
    """Print a table for each metric, and how often ours is best."""
    for category in (FewPositivesWarning, ConvergenceWarning):
        warnings.simplefilter("ignore", category)
    results = []
    for name in sys.argv[1:] or SETS:
        start = perf_counter()
        results += results_of(name)
        print(f"{name}: {perf_counter() - start:.0f} s", file=sys.stderr)
    columns = ["set", "classifier", "metric", "method", "seed", "value"]
    results = pd.DataFrame(results, columns=columns)
    print_tables(results)
    several = results["set"].isin(SEVERAL)
    for title, own in (
        ("two classes", ~several),
        ("several", several),
        ("all", several | True),
    ):
        if own.any():
            print(f"{title}: selections beside the better of argmax and the grid")
            print_summary(results[own])
            print()


if __name__ == "__main__":
    main()
