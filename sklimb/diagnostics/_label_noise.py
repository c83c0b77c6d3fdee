"""Labels that are more likely wrong than right: confident learning."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sklimb._validation import check_labels
from sklimb.diagnostics._findings import Finding, Result
from sklimb.diagnostics._leakage_words import number, quoted, share
from sklimb.diagnostics._separation import auc
from sklimb.thresholds._checks import check_classes

__all__ = ["LabelNoise", "label_noise", "noise_of"]

LEAST_LOG = 1e-12
# Shares of a class's rows that lie so deep in it, to compare with another's rows.
DEEP, DEEPER = 0.5, 0.25
# Classes that, without the noise, are told apart no better overlap too much to say.
LEAST_AUC = 0.9
# With more noise of both classes together, nothing can be said.
MOST_NOISE = 0.7
# Standard errors that a share has to exceed 0 by.
SURE = 2.0


@dataclass(frozen=True)
class LabelNoise(Result):
    """What :func:`label_noise` found.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    thresholds : ndarray of shape (n_classes,)
        Mean probability of each class among the rows that are labelled so: a row at
        least as probable is confidently of the class.
    joint : ndarray of shape (n_classes, n_classes)
        Confident learning's estimate of the joint distribution of given labels (rows)
        and true ones (columns). It takes overlap of the classes for noise.
    rates : ndarray of shape (n_classes, n_classes)
        Share of the rows labelled as the row's class that are of the column's, beyond
        what overlap explains. 0 on the diagonal.
    rows : ndarray of shape (n_wrong,), int
        Rows that are most likely labelled wrongly, the surest first.
    likely_labels : ndarray of shape (n_wrong,)
        What these rows rather are.
    looked_at : ndarray of shape (n_rows,), int
        Numbers of all rows that were looked at.
    suspicion : ndarray of shape (n_rows,)
        How far each of them speaks for another label: log-ratio of the greatest other
        probability to its own, each over its class's threshold.
    findings : list of Finding
    sentence : str
    """

    classes: np.ndarray
    thresholds: np.ndarray
    joint: np.ndarray
    rates: np.ndarray
    rows: np.ndarray
    likely_labels: np.ndarray
    looked_at: np.ndarray
    suspicion: np.ndarray
    findings: list
    sentence: str

    def _rows(self):
        suspicion = dict(zip(self.looked_at.tolist(), self.suspicion, strict=True))
        return [
            {"row": int(row), "likely_label": label, "suspicion": suspicion[int(row)]}
            for row, label in zip(self.rows, self.likely_labels.tolist(), strict=True)
        ]

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_noise

        draw_noise(ax, self)


def label_noise(oof_proba, y, *, classes=None):
    """Find labels that are likely wrong.

    Confident learning (Northcutt, Jiang & Chuang, "Confident learning: estimating
    uncertainty in dataset labels", JAIR 70, 2021): a row is confidently of a class
    where its probability is at least the mean over the rows labelled so. Such
    thresholds fit imbalanced classes, and the joint distribution of given and true
    labels follows from counting. It takes every hard row for a wrong label, though.

    So of each pair of classes, at most as many rows are called wrong as lie deep among
    the other class's rows: of the rows labelled i, the share beyond the cut that half
    of class j is beyond, and a quarter; noise has the same share of the labels in
    both, overlap fades. Extrapolated to the deepest, that is the share of wrong labels
    (mixture proportion estimation). Nothing is said of classes that even without that
    noise would be told apart with an AUC below 0.9, nor of shares less than two
    standard errors above 0. Rows of a kind that the model can't tell look the same.

    Parameters
    ----------
    oof_proba : array-like of shape (n_rows, n_classes) or (n_rows,)
        Probabilities out of fold; for two classes those of the second may do.
    y : array-like of shape (n_rows,)
        Labels as given.
    classes : array-like of shape (n_classes,), default=None
        The columns' labels, sorted; None for those of ``y``.

    Returns
    -------
    LabelNoise

    Raises
    ------
    ValueError
        If shapes differ, a probability is not finite or negative, or a label is not
        among ``classes``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.diagnostics import label_noise
    >>> y = np.repeat([0, 1], [900, 100])
    >>> proba = np.where(y == 1, 0.97, 0.02) + 0.01 * np.sin(np.arange(1000))
    >>> y[:20] = 1  # 20 wrong labels
    >>> noise = label_noise(proba, y)
    >>> set(noise.rows.tolist()) <= set(range(20))
    True
    """
    y, found = check_labels(y)
    classes = found if classes is None else np.asarray(check_classes(classes))
    proba = _checked_proba(oof_proba, len(y), classes)
    return noise_of(proba, _numbers(y, classes), classes, np.arange(len(y)))


def noise_of(proba, numbers, classes, row_numbers):
    """Find wrong labels among checked rows.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
    numbers : ndarray of shape (n_rows,), int
        Class numbers.
    classes : ndarray of shape (n_classes,)
    row_numbers : ndarray of shape (n_rows,), int
        What rows are called in the result.

    Returns
    -------
    LabelNoise
    """
    thresholds = np.array(
        [
            proba[numbers == k, k].mean() if (numbers == k).any() else np.inf
            for k in range(len(classes))
        ]
    )
    with np.errstate(divide="ignore"):
        scores = np.log(np.maximum(proba, LEAST_LOG) / thresholds)
    joint = _joint(proba, numbers, thresholds)
    rates = _rates(proba, numbers, joint)
    rows, likely = _wrong_rows(scores, numbers, rates)
    named = row_numbers[rows]
    findings = _findings(numbers, rates, (rows, named), likely, classes)
    own = np.take_along_axis(scores, numbers[:, None], axis=1).ravel()
    return LabelNoise(
        classes=classes,
        thresholds=thresholds,
        joint=joint,
        rates=rates,
        rows=named,
        likely_labels=classes[likely],
        looked_at=row_numbers,
        suspicion=_without_own(scores, numbers).max(axis=1) - own,
        findings=findings,
        sentence=findings[0].sentence
        if findings
        else f"No wrong labels stand out among {number(len(numbers))} rows.",
    )


def _checked_proba(proba, n_rows, classes):
    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim == 1 and len(classes) == 2:
        proba = np.column_stack([1 - proba, proba])
    if proba.shape != (n_rows, len(classes)):
        raise ValueError(
            f"`oof_proba` has shape {proba.shape}; expected ({n_rows}, {len(classes)}),"
            " a row for each label and a column for each class."
        )
    if not (np.isfinite(proba).all() and proba.min() >= 0):
        raise ValueError(
            "`oof_proba` must be finite and not negative; give probabilities, as "
            "cross_val_predict(..., method='predict_proba') does."
        )
    return proba


def _numbers(y, classes):
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"`y` has the labels {unknown.tolist()}, which are not among `classes`="
            f"{np.asarray(classes).tolist()}."
        )
    return np.searchsorted(classes, y)


def _joint(proba, y, thresholds):
    """Return the joint distribution of given and true labels (JAIR 2021, eq. 1-3)."""
    k = len(thresholds)
    confident = proba >= thresholds
    guess = np.where(confident, proba, -1).argmax(axis=1)
    counted = confident.any(axis=1)
    counts = np.bincount(y[counted] * k + guess[counted], minlength=k * k)
    counts = counts.reshape(k, k).astype(np.float64)
    sizes = np.bincount(y, minlength=k)
    empty = counts.sum(axis=1) == 0
    counts[empty, empty] = 1
    counts *= (sizes / counts.sum(axis=1))[:, None]
    return counts / len(y)


def _rates(proba, y, joint):
    """Return the share of each class's labels that are another's, at most joint's."""
    k = proba.shape[1]
    sizes = np.bincount(y, minlength=k)
    rates = np.zeros((k, k))
    logs = np.log(np.maximum(proba, LEAST_LOG))
    for first, second in combinations(np.flatnonzero(sizes), 2):
        towards = logs[:, second] - logs[:, first]
        rows = towards[y == first], towards[y == second]
        forth, back = _excess(*rows), _excess(-rows[1], -rows[0])
        noise = forth + back
        if noise <= MOST_NOISE and _area_without(noise, *rows) >= LEAST_AUC:
            rates[first, second], rates[second, first] = forth, back
    return np.minimum(rates, joint * len(y) / np.maximum(sizes, 1)[:, None])


def _area_without(noise, rows, others):
    """Return the AUC that two classes would have without their wrong labels."""
    is_other = np.arange(len(rows) + len(others)) >= len(rows)
    area = auc(np.append(rows, others), is_other)
    return 0.5 + (area - 0.5) / (1 - noise)


def _excess(rows, others):
    """Return the share of rows that lie among others, however deep one looks."""
    cuts = np.quantile(others, [1 - DEEP, 1 - DEEPER])
    deep, deeper = (
        np.mean(rows >= cut) / max(np.mean(others >= cut), 1e-9) for cut in cuts
    )
    # A line through both, at depth 0.
    weight = DEEP / (DEEP - DEEPER)
    estimate = weight * deeper + (1 - weight) * deep
    n_deeper = max(np.count_nonzero(rows >= cuts[1]), 1)
    return float(estimate) if estimate > SURE * deeper / np.sqrt(n_deeper) else 0.0


def _without_own(scores, y):
    others = scores.copy()
    others[np.arange(len(y)), y] = -np.inf
    return others


def _wrong_rows(scores, y, rates):
    """Return the rows that speak most for another label, as many as the rates say."""
    found, likely, margins = [], [], []
    for given, true in zip(*np.nonzero(rates), strict=True):
        own = np.flatnonzero(y == given)
        margin = scores[own, true] - scores[own, given]
        n_wrong = round(rates[given, true] * len(own))
        first = np.argsort(-margin, kind="stable")[:n_wrong]
        found.append(own[first])
        likely.append(np.full(len(first), true))
        margins.append(margin[first])
    if not found:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    rows, likely, margins = map(np.concatenate, (found, likely, margins))
    order = np.lexsort((rows, -margins))
    first = np.unique(rows[order], return_index=True)[1]
    kept = order[np.sort(first)]
    return rows[kept], likely[kept]


def _findings(y, rates, found, likely, classes):
    rows, named = found
    if not len(rows):
        return []
    pairs = y[rows] * len(classes) + likely
    kinds, counts = np.unique(pairs, return_counts=True)
    parts = [
        f"{number(int(counts[k]))} of {number(int(np.sum(y == given)))} labelled "
        f"{quoted(classes[given])} look like {quoted(classes[true])}"
        for k in np.argsort(-counts)[:3]
        for given, true in [divmod(int(kinds[k]), len(classes))]
    ]
    sizes = np.bincount(y, minlength=len(classes))
    lost = rates.sum(axis=1)[sizes > 0].mean() * len(classes) / (len(classes) - 1)
    return [
        Finding(
            "label-noise",
            "labels",
            f"{number(len(rows))} labels ({share(len(rows), len(y))}) look wrong to "
            f"the model: {'; '.join(parts)}.",
            f"Look at rows {', '.join(map(str, named[:5].tolist()))} first (counted "
            "from 0). If their labels are right, the model lacks what tells such rows.",
            float(min(1.0, lost)),
        )
    ]
