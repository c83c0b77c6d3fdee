"""The exact threshold beside scikit-learn's grid of 100 cuts.

In the first table both get the same fitted classifier and the same rows
(``cv="prefit"``), so the time is that of scoring the rows once and choosing the
threshold. In the others both fit the classifier in five folds and once more on all
rows, as their users run them, and the score is that of a million new rows; "alone" is
``cross_val_predict`` and a fit on all rows, without any threshold. The last table has
a deeper network, beside scikit-learn's class around SciKeras.

    python -m benchmarks.threshold
"""

import warnings

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_predict

from benchmarks._timing import best_of, print_table
from benchmarks.fit import build
from sklimb import OptimalThresholdClassifierCV
from sklimb._compat import classifier_tags
from sklimb.exceptions import FewPositivesWarning
from sklimb.keras import KerasClassifier

ROWS = (10**4, 10**5, 10**6)
SCORINGS = ("balanced_accuracy", "f1", "matthews_corrcoef")
NEW_ROWS = 10**6


def layers(meta):
    """Return a network of one hidden layer."""
    hidden = keras.layers.Dense(16, activation="relu")
    return keras.Sequential([hidden, keras.layers.Dense(1, activation="sigmoid")])


NETWORK = KerasClassifier(
    layers,
    loss="binary_crossentropy",
    optimizer="adam",
    optimizer__learning_rate=0.01,
    epochs=2,
    batch_size=256,
    random_state=0,
)
DEEPER = {"batch_size": 64, "epochs": 5, "random_state": 0}
DEEPER_ROWS = 20_000


class RepairedSciKeras(SciKerasClassifier):
    """SciKeras's, with the tags that scikit-learn 1.7 asks for."""

    def __sklearn_tags__(self):
        return classifier_tags(super().__sklearn_tags__())


# Classifiers, and of how many runs on how many rows the best counts.
FITTED = {
    "LogisticRegression": (
        LogisticRegression(),
        {10**3: 9, 10**4: 5, 10**5: 3, 10**6: 2},
    ),
    "KerasClassifier": (NETWORK, {10**3: 3, 10**4: 2, 10**5: 2, 10**6: 1}),
}


def imbalanced_rows(n_rows, seed=0):
    """Draw rows of ten features, about one in fifty positive."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, 10))
    return X, (random.random(n_rows) < expit(-5 + 2 * X[:, 0])).astype(int)


def compare(n_rows, scoring):
    """Return a row of the table: times, their ratio, and both scores."""
    X, y = imbalanced_rows(n_rows)
    fitted = LogisticRegression().fit(X, y)
    ours = OptimalThresholdClassifierCV(fitted, scoring=scoring, cv="prefit")
    theirs = TunedThresholdClassifierCV(
        fitted, scoring=scoring, cv="prefit", refit=False
    )
    our_time = best_of(lambda: ours.fit(X, y), 5)
    their_time = best_of(lambda: theirs.fit(X, y), 2)
    scorer = get_scorer(scoring)
    our_score, their_score = scorer(ours, X, y), scorer(theirs, X, y)
    return [
        f"{n_rows:,}",
        scoring,
        f"{their_time:.3f} s",
        f"{our_time:.3f} s",
        f"{their_time / our_time:.0f}",
        f"{their_score:.5f}",
        f"{our_score:.5f}",
    ]


def compare_fits(estimator, n_rows, n_runs, scoring):
    """Return a row of a table: times with folds, and the scores of new rows."""
    X, y = imbalanced_rows(n_rows)
    ours = OptimalThresholdClassifierCV(estimator, scoring=scoring, cv=5)
    theirs = TunedThresholdClassifierCV(estimator, scoring=scoring, cv=5)
    alone = best_of(lambda: fit_alone(estimator, X, y), n_runs)
    our_time = best_of(lambda: ours.fit(X, y), n_runs)
    their_time = best_of(lambda: theirs.fit(X, y), n_runs)
    new_rows, scorer = imbalanced_rows(NEW_ROWS, seed=1), get_scorer(scoring)
    return [
        f"{n_rows:,}",
        scoring,
        *(f"{time:.3f} s" for time in (alone, their_time, our_time)),
        f"{their_time / our_time:.1f}",
        *(f"{scorer(model, *new_rows):.4f}" for model in (theirs, ours)),
    ]


def compare_with_scikeras(scoring):
    """Return a row of the last table."""
    X, y = imbalanced_rows(DEEPER_ROWS)
    X = X.astype("float32")
    theirs = TunedThresholdClassifierCV(
        RepairedSciKeras(build, verbose=0, **DEEPER), scoring=scoring, cv=5
    )
    ours = OptimalThresholdClassifierCV(
        KerasClassifier(build, **DEEPER), scoring=scoring, cv=5
    )
    first = best_of(lambda: ours.fit(X, y), 1)  # traces the program
    our_time = best_of(lambda: ours.fit(X, y), 2)
    their_time = best_of(lambda: theirs.fit(X, y), 2)
    X_new, y_new = imbalanced_rows(NEW_ROWS, seed=1)
    scorer = get_scorer(scoring)
    return [
        scoring,
        *(f"{time:.2f} s" for time in (their_time, first, our_time)),
        *(f"{their_time / time:.1f}" for time in (first, our_time)),
        f"{score_of(scorer, theirs, X_new, y_new):.4f}",
        f"{score_of(scorer, ours, X_new, y_new):.4f}",
    ]


def score_of(scorer, model, X, y):
    # SciKeras predicts in batches of 32: a tenth of the rows is enough.
    n_rows = len(y) // 10
    return scorer(model, X[:n_rows].astype("float32"), y[:n_rows])


def fit_alone(estimator, X, y):
    """Fit as often as both do, without a threshold."""
    cross_val_predict(estimator, X, y, cv=5, method="predict_proba")
    estimator.fit(X, y)


def main():
    """Print the tables."""
    warnings.simplefilter("ignore", FewPositivesWarning)
    head = ["sklearn", "sklimb", "ratio", "their score", "ours"]
    table = [compare(n, scoring) for n in ROWS for scoring in SCORINGS]
    print_table(["rows", "scoring", *head], table)
    for name, (estimator, runs) in FITTED.items():
        print(f"\n{name}, cv=5")
        table = [
            compare_fits(estimator, n_rows, n_runs, scoring)
            for n_rows, n_runs in runs.items()
            for scoring in SCORINGS[:2]
        ]
        print_table(["rows", "scoring", "alone", *head], table)
    print(f"\nBeside SciKeras: {DEEPER_ROWS:,} rows, 64-64 units, 5 epochs, cv=5")
    times = ["sklearn", "sklimb, first", "sklimb", "ratio, first", "ratio"]
    table = [compare_with_scikeras(scoring) for scoring in SCORINGS[:2]]
    print_table(["scoring", *times, "their score", "ours"], table)


if __name__ == "__main__":
    main()
