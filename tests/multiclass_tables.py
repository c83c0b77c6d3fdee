"""Small tables of several classes, and all that thresholds can decide of them."""

from itertools import combinations

import numpy as np
from sklearn import metrics


def recalls(y, predicted, sample_weight):
    labels = np.unique(y)
    return metrics.recall_score(
        y,
        predicted,
        labels=labels,
        average=None,
        sample_weight=sample_weight,
        zero_division=0,
    )


def geometric_mean(y, predicted, sample_weight):
    rates = recalls(y, predicted, sample_weight)
    return np.prod(rates) ** (1 / len(rates))


EXPECTED = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": lambda *a, **k: recalls(*a, **k).mean(),
    "cohen_kappa": metrics.cohen_kappa_score,
    "geometric_mean": geometric_mean,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "minimum_recall": lambda *a, **k: recalls(*a, **k).min(),
}
for _name, _score in {
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "precision": metrics.precision_score,
}.items():
    for _average in ("macro", "weighted"):
        EXPECTED[f"{_name}_{_average}"] = lambda *a, s=_score, v=_average, **k: s(
            *a, average=v, zero_division=0, **k
        )
NAMES = sorted(EXPECTED)


def expected_score(name, y, predicted, weight=None):
    """Return scikit-learn's metric, 0 where kappa is undefined."""
    return np.nan_to_num(EXPECTED[name](y, predicted, sample_weight=weight))


def table(seed, n_classes=3, max_rows=12):
    """Draw labels, probabilities that know a little of them, weights or None."""
    random = np.random.default_rng(seed)
    n_rows = random.integers(6, max_rows + 1)
    y = random.integers(0, n_classes, n_rows)
    y[:2] = [0, 1]
    proba = random.dirichlet(np.full(n_classes, random.choice([0.5, 1, 3])), n_rows)
    known = random.choice([0, 0.1, 0.2, 0.3])
    proba = (1 - known) * proba + known * np.eye(n_classes)[y]
    if random.random() < 1 / 3:
        proba = proba.round(1)  # ties
    weight = random.integers(1, 5, n_rows) * 1.0 if random.random() < 0.5 else None
    return y, proba, weight


def blob(n_rows, n_classes, seed=0):
    """Draw many rows of unequal classes, with probabilities that are off."""
    random = np.random.default_rng(seed)
    share = np.geomspace(1, 0.05, n_classes)
    y = random.choice(n_classes, n_rows, p=share / share.sum())
    logits = random.normal(size=(n_rows, n_classes)) + 2 * np.eye(n_classes)[y]
    proba = np.exp(logits + np.log(share) + random.normal(size=n_classes) / 2)
    return y, proba / proba.sum(axis=1, keepdims=True)


# --- every decision of two or three classes, without a search ---


def gaps(points):
    """Return the ends of the gaps between log ratios, and beyond them."""
    points = np.unique(points[np.isfinite(points)])
    if len(points) == 0:
        return np.array([[-40.0, 40.0]])
    ends = np.concatenate([[points[0] - 40], points, [points[-1] + 40]])
    return np.column_stack([ends[:-1], ends[1:]])


def decisions_of_two(proba, first, second):
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(proba[:, first]) - np.log(proba[:, second])
    tied = np.isnan(log_ratio)  # 0 / 0
    for cut in gaps(log_ratio).mean(axis=1):
        yield np.where(tied | (log_ratio > cut), first, second)


def decisions_of_three(proba):
    """Look into every cell of the plane that the rows' ratios cut up.

    Lines a = log(p0/p2), b = log(p1/p2) and a - b = log(p0/p1) bound the cells.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(proba)
        a, b, d = (gaps(logs[:, i] - logs[:, j]) for i, j in ((0, 2), (1, 2), (0, 1)))
    low = np.maximum(d[:, 0], a[:, None, None, 0] - b[:, None, 1])
    high = np.minimum(d[:, 1], a[:, None, None, 1] - b[:, None, 0])
    i, j, k = np.nonzero(high > low + 1e-9)
    between = (low + high)[i, j, k] / 2
    low = np.maximum(a[i, 0], b[j, 0] + between)
    high = np.minimum(a[i, 1], b[j, 1] + between)
    points = np.column_stack([low + high, low + high - 2 * between, 0 * low]) / 2
    return (logs - points[:, None]).argmax(axis=2)


def every_decision(proba):
    """Return all that thresholds can decide, shape (n_decisions, n_rows)."""
    n_rows, n_classes = proba.shape
    found = [np.full(n_rows, number) for number in range(n_classes)]
    for pair in combinations(range(n_classes), 2):
        found.extend(decisions_of_two(proba, *pair))
    if n_classes == 3:
        found.extend(decisions_of_three(proba))
    return np.unique([*found, proba.argmax(axis=1)], axis=0)
