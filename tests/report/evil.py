"""Data whose names are markup, and their reports."""

import numpy as np
import pandas as pd

from sklimb.__main__ import main
from tests.data import imbalanced

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
CLOSING = "</script><script>alert(3)</script>"
FILE = "<b onmouseover=alert(4)>&amp;.csv"


def write_reports(folder):
    """Write ``two/report.html`` and ``several/report.html`` into a folder."""
    X, y = imbalanced(900)
    table = pd.DataFrame(X, columns=[SCRIPT, CLOSING, "c"])
    two = table.assign(target=np.where(y == 1, IMAGE, CLOSING))
    two[SCRIPT + " again"] = 7  # so that notes and findings name it
    two.to_csv(folder / FILE, index=False)
    several = table.assign(target=np.array([SCRIPT, IMAGE, "x"])[_three(X)])
    several.to_csv(folder / "several.csv", index=False)
    limits = ["--cost-fn", "7", "--require", "recall>=0.5", "--target-prior", "0.02"]
    for name, out, options in ((FILE, "two", limits), ("several.csv", "several", [])):
        arguments = ["compare", str(folder / name), "--target", "target", *options]
        out = ["--out", str(folder / out), "--model", "linear", "--cv", "3"]
        assert main([*arguments, *out]) == 0


def write_diagnosis(folder):
    """Write ``diagnosis/diagnosis.html``, after the reports, into a folder."""
    arguments = ["diagnose", str(folder / FILE), "--target", "target", "--cv", "3"]
    assert main([*arguments, "--out", str(folder / "diagnosis")]) == 0


def _three(X):
    score = X[:, 0] + np.random.default_rng(1).normal(scale=0.5, size=len(X))
    return np.digitize(score, [0.5, 1.5])
