"""ImbalanceSearchCV beside GridSearchCV: class weights, thresholds, real data.

    python -m benchmarks.search [rows ...]
    python -m benchmarks.search --real

Each search runs in a process of its own, timed after its imports. A time with ~ is
extrapolated in the number of fits, from what the table's last lines say.
"""

import json
import logging
import os
import subprocess
import sys
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from benchmarks._data import folder, mammography, pneumonia
from benchmarks._timing import best_of, print_table
from benchmarks.fit import SciKerasClassifier, build, by_probability, data
from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb.keras import KerasClassifier

ROWS = 5_000, 20_000, 100_000
FOLDS, BATCH, EPOCHS = 5, 64, 5
THRESHOLDS = np.linspace(0.05, 0.95, 19).tolist()
SHAPES = [(20, 64), (64, 64), (64, 1)]  # of the network's weights
AT_ONCE = 13  # replicas of a program, of 25


def build_with_steps(meta):
    """Return the same network as a user tunes it for speed."""
    model = build(meta)
    model.compile("adam", "binary_crossentropy", steps_per_execution=50)
    return model


def scikeras(model):
    return SciKerasClassifier(
        model, verbose=0, batch_size=BATCH, epochs=EPOCHS, random_state=0
    )


NETWORK = KerasClassifier(build, batch_size=BATCH, epochs=EPOCHS, random_state=0)
SETTINGS = {
    # Stratified folds and a scorer by hand: SciKeras gets neither from its tags.
    "cv": StratifiedKFold(FOLDS, shuffle=True, random_state=0),
    "refit": False,
}
# By name: the search, its estimator, n_jobs.
SEARCHES = {
    "GridSearchCV, SciKeras": (GridSearchCV, scikeras(build), None),
    "  tuned, n_jobs=2": (GridSearchCV, scikeras(build_with_steps), 2),
    "GridSearchCV, sklimb": (GridSearchCV, NETWORK, None),
    "ImbalanceSearchCV": (ImbalanceSearchCV, NETWORK, None),
    "  n_jobs=2": (ImbalanceSearchCV, NETWORK, 2),
}
FIRST, TUNED, _, OURS, OURS_TWICE = SEARCHES
FITS = 25, 100


def fits_to_measure(name, n_rows):
    """Return the numbers of fits that are measured; the rest is extrapolated."""
    if name in (OURS, OURS_TWICE):
        return FITS
    if name == TUNED:  # the start of its processes is no matter of fits
        return 5, 25
    return (25,) if n_rows <= 20_000 else (5,)


def weights(n):
    """Return class weights for a grid."""
    return [{0: 1.0, 1: w} for w in np.geomspace(1, 20, n).tolist()]


def one_search(name, n_rows, n_fits, n_thresholds=1):
    """Make a search; return its seconds and its best score."""
    kind, estimator, n_jobs = SEARCHES[name]
    grid = {"class_weight": weights(n_fits // FOLDS)}
    scoring = by_probability
    if n_thresholds > 1:
        estimator = ImbalanceAwareClassifier(estimator, threshold=0.5)
        grid["threshold"] = THRESHOLDS[:n_thresholds]
        scoring = "balanced_accuracy"
    search = kind(estimator, grid, scoring=scoring, n_jobs=n_jobs, **SETTINGS)
    X, y = data(n_rows)
    start = perf_counter()
    search.fit(X, y)
    return perf_counter() - start, float(search.best_score_)


def in_process(*args):
    """Return what :func:`one_search` gives in a new process."""
    command = [sys.executable, "-m", "benchmarks.search", "--one", *map(str, args)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def gigaflops(n_rows, n_fits, seconds):
    """Return what a search reached, forward and backward, all of its time counted."""
    products = sum(np.prod(shape) for shape in SHAPES)
    rows = n_rows * (FOLDS - 1) / FOLDS * EPOCHS * n_fits
    return 6 * products * rows / seconds / 1e9


def matmul_gigaflops(repeats=300):
    """Return what products of the same shapes alone reach, on all cores."""
    draw = tf.random.normal
    layers = [
        [draw((AT_ONCE, *shape)) for shape in ((BATCH, n), (n, units), (BATCH, units))]
        for n, units in SHAPES
    ]

    @tf.function
    def products():
        total = tf.zeros(())
        for _ in tf.range(repeats):
            for rows, weight, gradient in layers:
                rows += total  # so that none is left out
                total += tf.matmul(rows, weight)[0, 0, 0]
                total += tf.matmul(rows, gradient, transpose_a=True)[0, 0, 0]
                total += tf.matmul(gradient, weight, transpose_b=True)[0, 0, 0]
        return total

    products()
    seconds = best_of(lambda: products().numpy(), 3)
    work = sum(6 * AT_ONCE * BATCH * n * units for n, units in SHAPES)
    return work * repeats / seconds / 1e9


def extrapolated(measured, n_fits):
    """Return seconds for any number of fits, by a line through the last two."""
    if n_fits in measured:
        return measured[n_fits]
    (n, seconds), (m, more) = [(0, 0.0), *sorted(measured.items())][-2:]
    return more + (n_fits - m) * (more - seconds) / (m - n)


def measured_lines(n_rows):
    """Return lines of the table for searches of class weights, and the first's time."""
    lines, of_first = [], {}
    for name in SEARCHES:
        found = {n: in_process(name, n_rows, n) for n in fits_to_measure(name, n_rows)}
        measured = {n: seconds for n, (seconds, _) in found.items()}
        times = {n: extrapolated(measured, n) for n in FITS}
        of_first = of_first or times
        signs = {n: "" if n in measured else "~" for n in FITS}
        cells = [
            f"{signs[n]}{times[n]:.1f}  {of_first[n] / times[n]:.1f}x" for n in FITS
        ]
        flops = gigaflops(n_rows, FITS[0], times[FITS[0]])
        best = f"{found[FITS[0]][1]:.4f}" if FITS[0] in found else ""
        lines.append([name, *cells, f"{flops:.1f}", best])
    return lines, of_first


def threshold_lines(n_rows, of_first):
    """Return lines for 19 thresholds as well: 19 times the fits, as many networks."""
    lines = []
    for name in (OURS, OURS_TWICE):
        cells = []
        for n in FITS:
            seconds, best = in_process(name, n_rows, n, len(THRESHOLDS))
            gain = of_first[n] * len(THRESHOLDS) / seconds
            cells.append(f"{seconds:.1f}  ~{gain:.0f}x")
        lines.append([name, *cells, f"{best:.4f}"])
    return lines


def device():
    """Return the name of what TensorFlow computes on."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("device_name", "GPU")
    return f"{os.cpu_count()} CPU cores"


def main(rows):
    print(f"{device()}; a matmul of the network's shapes alone reaches", end=" ")
    print(f"{matmul_gigaflops():.0f} GFLOP/s in one process")
    print(f"{FOLDS} folds, batches of {BATCH}, {EPOCHS} epochs; seconds, and how many")
    print(
        "times as fast as the first; GFLOP/s of the whole search of 25 fits\n",
        flush=True,
    )
    for n_rows in rows:
        lines, of_first = measured_lines(n_rows)
        head = *(f"{n} fits" for n in FITS), "GFLOP/s", "best AUC"
        print_table([f"{n_rows:,} rows", *head], lines)
        head = *(f"{n} x 19" for n in FITS), "balanced accuracy"
        print_table(["with 19 thresholds", *head], threshold_lines(n_rows, of_first))
        print(flush=True)
    print("~ from 25 fits (of more than 20,000 rows from 5), in proportion; tuned, on")
    print(
        "the line through 5 and 25 fits; thresholds beside 19 times the first's time."
    )


# Real data.


def of_words(meta):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(meta["X_shape_"][1:], dtype="int32"),
            layers.Embedding(WORDS, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def of_images(meta):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(meta["X_shape_"][1:]),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


WORDS, LENGTH = 2_000, 40


def sms_spam():
    """Return 5,574 messages as numbers of words, and which are spam."""
    rows = pd.read_csv(folder() / "sms_spam.csv.gz", keep_default_na=False)
    words = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    words.adapt(rows["text"].to_numpy())
    numbers = words(rows["text"].to_numpy()).numpy().astype(np.int32)
    return numbers, rows["target"].to_numpy()


def images():
    X, y, _ = pneumonia()
    return X.reshape(-1, 28, 28, 1), y


def table():
    X, y = mammography()
    return StandardScaler().fit_transform(X).astype(np.float32), y


REAL = {
    "mammography": (table, build),
    "sms_spam": (sms_spam, of_words),
    "pneumonia_mnist": (images, of_images),
}


def one_real(name, kind):
    """Search one real set; return seconds, best score, and what trained it."""
    read, model = REAL[name]
    X, y = read()
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    logger = logging.getLogger("sklimb.keras")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    network = KerasClassifier(model, batch_size=BATCH, epochs=EPOCHS, random_state=0)
    search = {"GridSearchCV": GridSearchCV, "ours": ImbalanceSearchCV}[kind](
        network, {"class_weight": weights(5)}, scoring="average_precision", **SETTINGS
    )
    start = perf_counter()
    search.fit(X, y)
    how = " ".join(told).split(": Input")[0]
    return perf_counter() - start, float(search.best_score_), how


def main_real():
    lines = []
    for name in REAL:
        theirs = in_process("real", name, "GridSearchCV")
        ours = in_process("real", name, "ours")
        (seconds, score, _), (less, our_score, told) = theirs, ours
        cells = f"{seconds:.1f}", f"{less:.1f}", f"{seconds / less:.1f}"
        lines.append([name, *cells, f"{score:.4f}", f"{our_score:.4f}", told])
    print("5 class weights in 5 folds, GridSearchCV over the same KerasClassifier\n")
    print_table(["", "theirs s", "ours s", "ratio", "AP", "ours", "how"], lines)


if __name__ == "__main__":
    args = sys.argv[1:]
    if args[:2] == ["--one", "real"]:
        print(json.dumps(one_real(*args[2:])))
    elif args[:1] == ["--one"]:
        print(json.dumps(one_search(args[1], *map(int, args[2:]))))
    elif args == ["--real"]:
        main_real()
    else:
        main([int(n) for n in args] or ROWS)
