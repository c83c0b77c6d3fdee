"""``sklimb demo``: what training on balanced data does to a network in use."""

import numpy as np
from rich import box
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from sklimb.correction import PriorCorrectedClassifier
from sklimb.decision import OptimalThresholdClassifierCV
from sklimb.report.measures import Predictions, column_of, measure
from sklimb.report.numbers import interval, short
from sklimb.report.terminal import import_quietly, output, progress_bar

__all__ = ["run_demo"]

SEED = 0
DIGIT = 8
SHOWN = [column_of(key) for key in ("precision", "recall", "f1_macro", "log_loss")]


def run_demo():
    """Train a network on balanced digits, use it on natural ones, and mend that."""
    with progress_bar() as progress:
        progress.start(1)
        progress.strategy("training a small network")
        (X, y), tune, (X_test, y_test) = _parts()
        balanced = one_to_one(y, np.random.default_rng(SEED))
        network = _network().fit(X[balanced], y[balanced])
    stages = _stages(network, *tune)
    predictions = [_predictions(stage, X_test) for stage in stages]
    rows = _rows(predictions, y_test == 1)
    _show(rows, len(balanced), y_test, stages)


def _parts():
    """Return (X, y) to train on, to tune with and to test on; y = 1 is the digit."""
    X, digits = load_digits(return_X_y=True)
    y = (digits == DIGIT).astype(int)
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=SEED
    )
    X, X_tune, y, y_tune = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=SEED
    )
    return (X, y), (X_tune, y_tune), (X_test, y_test)


def one_to_one(y, rng):
    """Return the numbers of all positive rows and of as many others, rising.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        1 for positive, 0 for others.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
    """
    positive, others = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    kept = rng.choice(others, size=len(positive), replace=False)
    return np.sort(np.concatenate([positive, kept]))


def _network():
    import_quietly("tensorflow")
    from sklimb.keras import KerasClassifier
    from sklimb.keras.networks import dense_network

    return KerasClassifier(
        dense_network,
        model__hidden=(16,),
        model__dropout=0,
        model__learning_rate=3e-3,
        model__input_scale=1 / 16,  # grey levels are 0 to 16
        epochs=60,
        batch_size=16,
        random_state=SEED,
    )


def _stages(network, X, y):
    """Return the network as it is, with its prior corrected, and with a threshold.

    None of them trains it again; the rows are of natural class shares.
    """
    trained = FrozenEstimator(network)
    corrected = PriorCorrectedClassifier(trained).fit(X, y)
    tuned = OptimalThresholdClassifierCV(trained, scoring="f1_macro", cv="prefit")
    return network, corrected, tuned.fit(X, y)


def _predictions(stage, X):
    log_proba = stage.predict_log_proba(X)
    return Predictions(stage.predict(X) == 1, log_proba[:, 1] - log_proba[:, 0])


def _rows(predictions, positive):
    """Return the estimates of each line of the table."""
    network = predictions[:1]
    half = measure(network, positive, 0.5, SHOWN, SEED)
    return half + measure(predictions, positive, positive.mean(), SHOWN, SEED)


def _show(rows, n_trained, y_test, stages):
    console = output()
    share = f"{np.mean(y_test) * 100:.1f} %"
    whole = not console.is_terminal  # a pipe gets each text as one line
    console.print(
        f"Is it an 8? A small network was trained on {n_trained} handwritten digits, "
        f"half of them 8s. Where it is used, {share} are. Measured on {len(y_test)} "
        f"digits that it never saw, {y_test.sum()} of them 8s.\n",
        soft_wrap=whole,
    )
    console.print(_table(rows, share))
    console.print("\nBelow each value, its 95 % interval.")
    console.print(_explanation(rows, share, stages), style="bold", soft_wrap=whole)
    console.print("Your own data: sklimb compare DATA --target COLUMN", soft_wrap=True)


def _table(rows, share):
    table = Table(
        box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=1
    )
    table.add_column("the same network")
    for shown in SHOWN:
        table.add_column(shown.title, justify="right", min_width=9)
    names = [
        "where half are 8s, as in training",
        f"where {share} are 8s",
        f"where {share} are, prior corrected",
        f"where {share} are, threshold tuned",
    ]
    for name, row in zip(names, rows, strict=True):
        cells = [f"{short(e.value)}\n{interval(e)}" for e in row.values()]
        table.add_row(name, *cells)
    return table


def _explanation(rows, share, stages):
    precision, f1 = (
        [short(row[key].value) for row in rows] for key in ("precision", "f1_macro")
    )
    corrected, tuned = stages[1:]
    trained_at = f"{corrected.source_prior_[1] * 100:.0f} %"
    return (
        f"Precision falls from {precision[0]} to {precision[1]} and macro F1 from "
        f"{f1[0]} to {f1[1]}, only because 8s are rarer than in training. Correcting "
        f"its probabilities from {trained_at} to {share} brings them back to "
        f"{precision[2]} and {f1[2]}, with no training and no tuning. A tuned "
        f"threshold of {tuned.best_threshold_:.2f} in place of 0.5 gives "
        f"{precision[3]} and {f1[3]}."
    )
