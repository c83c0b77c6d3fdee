"""Real sets of rows: from the folder ``SKLIMB_DATA``, else from their public sources.

Nothing is changed, but that rows of images are flat and lie between 0 and 1.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["creditcard", "labelled", "mammography", "pneumonia"]

IMAGES = "https://zenodo.org/records/10519652/files/pneumoniamnist.npz?download=1"
FRAUDS_PER_LEGITIMATE = 10  # as many as that of each fraud are left
# A patch's number within its image, and what is known after the outcome only.
NO_FEATURES = {"oil_spill": ["x1"], "bank_marketing": ["duration"]}


def mammography():
    """Return 11,183 rows of 6 features, 260 positive."""
    if folder() is None:
        X, y = from_openml(310)
        return X, (y == y.value_counts().idxmin()).to_numpy(int)
    return from_folder("mammography")


def creditcard():
    """Return 5,412 rows of 30 features, 492 positive: ten legitimate rows a fraud."""
    if folder() is not None:
        return from_folder("creditcard_sub")
    X, y = from_openml(1597)
    y = y.astype(int).to_numpy()
    legitimate, frauds = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    rng = np.random.default_rng(0)
    n_rows = FRAUDS_PER_LEGITIMATE * len(frauds)
    kept = rng.choice(legitimate, n_rows, replace=False)
    rows = np.sort(np.concatenate([frauds, kept]))
    return X[rows], y[rows]


def pneumonia():
    """Return 5,856 images of 28 x 28, 1,583 of them normal (1), and their split.

    The split is 0 for rows to train on, 1 to validate, 2 to test.
    """
    if folder() is None:
        X, y, split = from_medmnist()
    else:
        with np.load(folder() / "pneumonia_mnist.npz") as file:
            X, y, split = file["x"], file["y"], file["split"]
    return X.reshape(len(X), -1).astype(np.float32) / 255, y.ravel().astype(int), split


def labelled(name):
    """Return the rows of a set in ``SKLIMB_DATA``, levels as columns, and labels."""
    rows = pd.read_csv(folder() / f"{name}.csv.gz")
    y = rows.pop("target").to_numpy()
    features = pd.get_dummies(rows.drop(columns=NO_FEATURES.get(name, [])))
    return features.to_numpy(np.float64), y


def folder():
    """Return where the sets lie, None for nowhere."""
    path = os.environ.get("SKLIMB_DATA")
    return Path(path) if path else None


def from_folder(name):
    rows = pd.read_csv(folder() / f"{name}.csv.gz")
    y = rows.pop("target").to_numpy(int)
    return rows.to_numpy(np.float64), y


def from_openml(number):
    from sklearn.datasets import fetch_openml

    X, y = fetch_openml(data_id=number, return_X_y=True, as_frame=True, parser="auto")
    return X.to_numpy(np.float64), y


def from_medmnist():
    import keras

    with np.load(keras.utils.get_file("pneumoniamnist.npz", IMAGES)) as file:
        parts = [(file[f"{p}_images"], file[f"{p}_labels"]) for p in ORDER]
    X, y = (np.concatenate(some) for some in zip(*parts, strict=True))
    # There 1 is pneumonia, the majority.
    return X, 1 - y, np.repeat([0, 1, 2], [len(images) for images, _ in parts])


ORDER = ("train", "val", "test")
