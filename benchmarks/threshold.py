"""The exact threshold beside scikit-learn's grid of 100 cuts.

Both get the same fitted classifier and the same rows (``cv="prefit"``), so the
time is that of scoring the rows once and choosing the threshold.

    python -m benchmarks.threshold
"""

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import TunedThresholdClassifierCV

from benchmarks._timing import best_of, print_table
from sklimb import OptimalThresholdClassifierCV

ROWS = (10**4, 10**5, 10**6)
SCORINGS = ("balanced_accuracy", "f1", "matthews_corrcoef")


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


def main():
    """Print the table."""
    head = ["rows", "scoring", "sklearn", "sklimb", "ratio", "their score", "ours"]
    print_table(head, [compare(n, scoring) for n in ROWS for scoring in SCORINGS])


if __name__ == "__main__":
    main()
