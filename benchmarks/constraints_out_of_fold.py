"""How often a certified threshold breaks its constraint once the model is refitted.

``constraint_confidence`` promises for scores of the kept model (``cv="prefit"``, or
a hold-out and ``refit=False``). Here it is measured for that, and for five folds with
a refit, where nothing is promised: the folds' models scored other rows than the one
that is kept. Each run draws rows of two normal classes with 5 % positives, fits, and
looks at 200,000 fresh rows.

    python -m benchmarks.constraints_out_of_fold [runs]
"""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.neural_network import MLPClassifier

from benchmarks._timing import print_table
from sklimb import OptimalThresholdClassifierCV
from sklimb.exceptions import FewPositivesWarning, InfeasibleConstraintError

CONSTRAINTS = {"recall": (0.8, None)}
SETTINGS = {
    "five folds, refit": {"cv": 5},
    "half held out, no refit": {"cv": 0.5, "refit": False},
}


def drawn(n_rows, random):
    """Draw rows of five features, 5 % of them positive."""
    y = np.resize([1] + [0] * 19, n_rows)
    X = random.normal(size=(n_rows, 5))
    X[:, :2] += 1.2 * y[:, None]
    return X, y


def breaks(classifier, settings, n_rows, seed, fresh):
    """Fit, and tell whether the constraint is broken; None where infeasible."""
    random = np.random.default_rng(seed)
    model = OptimalThresholdClassifierCV(
        classifier,
        scoring="precision",
        constraints=CONSTRAINTS,
        constraint_confidence=0.95,
        random_state=seed,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FewPositivesWarning)
        try:
            model.fit(*drawn(n_rows, random))
        except InfeasibleConstraintError:
            return None
    X, y = fresh
    return recall_score(y, model.predict(X)) < CONSTRAINTS["recall"][0]


def main(n_runs):
    """Print the share of runs that return a threshold, and of those that break."""
    fresh = drawn(200_000, np.random.default_rng(0))
    network = MLPClassifier((16,), max_iter=100, random_state=0)
    table = []
    for name, classifier in {"logistic": LogisticRegression(), "mlp": network}.items():
        runs = n_runs if name == "logistic" else n_runs // 4
        for n_rows in (1_000, 4_000):
            for title, settings in SETTINGS.items():
                found = [
                    breaks(classifier, settings, n_rows, seed, fresh)
                    for seed in range(1, runs + 1)
                ]
                broken = sum(result is True for result in found) / runs
                feasible = sum(result is not None for result in found) / runs
                shares = f"{feasible:.1%}", f"{broken:.1%}"
                table.append([name, f"{n_rows // 20}", title, *shares])
    print_table(["classifier", "positives", "folds", "returned", "broken"], table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
