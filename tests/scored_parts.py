"""Scored rows of two classes, and the parts that tests choose cuts by."""

import numpy as np
from hypothesis import strategies as st
from scipy.special import expit, logit


def rows_of(n_rows, *, seed=0, prevalence=0.15, distance=1.5, decimals=None):
    """Draw which rows are positive, and their true probabilities."""
    random = np.random.default_rng(seed)
    positive = random.random(n_rows) < prevalence
    positive[:4] = [True, True, False, False]
    x = random.normal(size=n_rows) + distance * positive
    score = expit(distance * (x - distance / 2) + logit(prevalence))
    return positive, score if decimals is None else score.round(decimals)


def parts_of(n_rows=600, n_parts=3, *, weighted=False, **law):
    positive, score = rows_of(n_rows, **law)
    weight = np.random.default_rng(1).integers(1, 4, n_rows) * 1.0
    fold = np.arange(n_rows) % n_parts
    return [
        (positive[fold == k], score[fold == k], weight[fold == k] if weighted else None)
        for k in range(n_parts)
    ]


@st.composite
def small_rows(draw):
    n_rows = draw(st.integers(4, 14))
    positive = draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    positive[:4] = [True, True, False, False]
    score = draw(st.lists(st.integers(0, 8), min_size=n_rows, max_size=n_rows))
    weight = draw(
        st.none() | st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows)
    )
    if weight is not None:
        weight[:4] = [1, 2, 1, 2]
        weight = np.array(weight, float)
    return np.array(positive), np.array(score) / 8, weight


def parted(rows, n_parts):
    fold = np.arange(len(rows[0])) % n_parts
    return [
        tuple(None if a is None else a[fold == k] for a in rows) for k in range(n_parts)
    ]


def pooled(parts):
    columns = zip(*parts, strict=True)
    return [None if a[0] is None else np.concatenate(a) for a in columns]


def metric_at(metric, positive, score, weight, threshold):
    """Count by hand."""
    weight = np.ones(len(score)) if weight is None else weight
    above = score >= threshold
    cells = (positive & above, ~positive & above, positive & ~above, ~positive & ~above)
    return float(metric(*(np.array(weight[cell].sum()) for cell in cells)))
