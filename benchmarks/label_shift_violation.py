"""How often `adapt` warns: of rows that fit, and of rows that changed themselves.

Every run draws training rows, fits a calibrated classifier with five folds, draws
new rows at another prior, and tests these as `adapt` does. Of 400 runs at 5 %, 11 to
29 false alarms are within chance (2.8 to 7.2 %).

    python -m benchmarks.label_shift_violation
"""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks._timing import print_table
from sklimb import ImbalanceAwareClassifier
from sklimb.exceptions import LabelShiftViolationWarning

CENTRES = 1.5 * np.eye(3, 4)
MOVED = np.array([0.4, 0.0, 0.0, 0.0])

# Classes' shares in training and where the model is used; rows of both.
CASES = {
    "50 positives of 1,000, at 20 %": ([0.95, 0.05], [0.8, 0.2], 1000, 1000),
    "200 positives of 1,000, at 5 %": ([0.8, 0.2], [0.95, 0.05], 1000, 1000),
    "200 positives of 1,000, 5,000 new": ([0.8, 0.2], [0.95, 0.05], 1000, 5000),
    "three classes": ([0.6, 0.3, 0.1], [0.2, 0.3, 0.5], 1500, 1000),
}


def classifiers():
    """Return a classifier that few rows suffice, and one that learns them by heart."""
    network = MLPClassifier((16,), max_iter=60, random_state=0)
    return {"logistic": LogisticRegression(), "small network": network}


def drawn(prior, n_rows, random):
    """Draw rows of classes with the given shares, exactly."""
    counts = np.round(np.array(prior) * n_rows).astype(int)
    y = np.repeat(np.arange(len(prior)), counts)
    return CENTRES[y] + random.normal(size=(len(y), 4)), y


def warns(classifier, case, moved, seed):
    """Fit, adapt, and tell whether that warned."""
    random = np.random.default_rng(seed)
    prior, target, n_rows, n_new = case
    model = ImbalanceAwareClassifier(
        classifier, calibration="bias_corrected_temperature", threshold=None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(*drawn(prior, n_rows, random))
    X_new = drawn(target, n_new, random)[0] + moved
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.adapt(X_new)
    return any(w.category is LabelShiftViolationWarning for w in caught)


def main(n_runs):
    """Print how often there is a warning, in percent."""
    table = []
    for name, classifier in classifiers().items():
        for title, case in CASES.items():
            shares = [
                100 * np.mean([warns(classifier, case, moved, s) for s in range(runs)])
                for moved, runs in ((0.0, n_runs), (MOVED, n_runs // 4))
            ]
            table.append([name, title, *(f"{share:.1f} %" for share in shares)])
            print_table(["classifier", "rows", "fit", "moved by 0.4"], table[-1:])
    print_table(["classifier", "rows", "fit", "moved by 0.4"], table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
