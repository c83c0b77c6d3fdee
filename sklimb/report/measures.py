"""Metrics at the deployment prior, with bootstrap intervals.

All of them follow from class-conditional rates, so a prior enters as the
weight of each class. Rows are resampled within each class, the same rows for
every strategy, so that strategies can be compared pair by pair.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklimb.thresholds import metric_function

__all__ = [
    "COLUMNS",
    "Estimate",
    "Measure",
    "Predictions",
    "column_of",
    "column_of_aim",
    "columns_for",
    "estimated",
    "log_losses",
    "measure",
    "resamples_of",
]

LEVEL = 0.95
N_RESAMPLES = 1000
# Rows x resamples: with many rows intervals are narrow, and 200 resamples do.
MOST_CELLS = 20_000_000
FEWEST_RESAMPLES = 200
CHUNK_CELLS = 2_000_000
# A probability of 0 that comes true would cost infinitely much.
SMALLEST_LOG_PROBA = np.log(np.finfo(np.float64).eps)


class Measure(NamedTuple):
    """A column of the comparison.

    Attributes
    ----------
    key : str
        As in ``--scoring`` and ``comparison.csv``.
    title : str
        For people.
    higher_is_better : bool
    function : callable or None
        Of the confusion counts, or for several classes of the confusion
        matrices, as shares of all; None for what the key names.
    """

    key: str
    title: str
    higher_is_better: bool = True
    function: Callable | None = None


COLUMNS = [
    Measure("balanced_accuracy", "balanced accuracy"),
    Measure("f1_macro", "macro F1"),
    Measure("precision", "precision"),
    Measure("recall", "recall"),
    Measure("average_precision", "average precision"),
    Measure("log_loss", "log-loss", higher_is_better=False),
    Measure("brier", "Brier", higher_is_better=False),
]

_OF_PROBABILITIES = ("average_precision", "log_loss", "brier")


def column_of(key):
    """Return the column of a key.

    Parameters
    ----------
    key : str

    Returns
    -------
    Measure
    """
    return next(column for column in COLUMNS if column.key == key)


def columns_for(scoring):
    """Return the measures to compute: the columns, and the aim if it is another.

    Parameters
    ----------
    scoring : str

    Returns
    -------
    list of Measure
        The aim comes last.
    """
    function = metric_function(scoring)
    if any(function is metric_function(c.key) for c in _columns_of_labels()):
        return COLUMNS
    return [*COLUMNS, Measure(scoring, scoring.replace("_", " "))]


def _columns_of_labels():
    return [column for column in COLUMNS if column.key not in _OF_PROBABILITIES]


def column_of_aim(scoring):
    """Return the measure that a ``scoring`` name is, whatever it is called.

    Parameters
    ----------
    scoring : str

    Returns
    -------
    Measure
    """
    function = metric_function(scoring)
    for column in _columns_of_labels():
        if metric_function(column.key) is function:
            return column
    return columns_for(scoring)[-1]


def log_losses(log_proba):
    """Return the log-losses of rows whose true class has these log-probabilities.

    Parameters
    ----------
    log_proba : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    return -np.maximum(log_proba, SMALLEST_LOG_PROBA)


@dataclass(frozen=True)
class Predictions:
    """What a strategy says of rows of one class.

    Attributes
    ----------
    called_positive : ndarray of shape (n_rows,), bool
    log_odds : ndarray of shape (n_rows,)
        Of the positive class; infinite for certainty.
    """

    called_positive: np.ndarray
    log_odds: np.ndarray

    def losses(self, positive):
        """Return what to average over the rows, shape (n_rows, 3).

        Parameters
        ----------
        positive : bool
            The class that the rows have.

        Returns
        -------
        ndarray
            Called positive, log-loss, squared error of the probability.
        """
        towards_truth = self.log_odds if positive else -self.log_odds
        log_proba = -np.logaddexp(0, -towards_truth)
        log_loss = log_losses(log_proba)
        # The Brier score of scikit-learn for two classes: of one class's column.
        squared = np.expm1(log_proba) ** 2
        return np.column_stack([self.called_positive, log_loss, squared])

    def take(self, rows):
        """Return some of the rows."""
        return Predictions(self.called_positive[rows], self.log_odds[rows])


@dataclass(frozen=True)
class Estimate:
    """A measure on the test part, and on resamples of it.

    Attributes
    ----------
    value : float
    resamples : ndarray of shape (n_resamples,)
    """

    value: float
    resamples: np.ndarray

    @property
    def interval(self):
        """The percentile interval, (low, high)."""
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(self.resamples, [tail, 1 - tail])
        return float(low), float(high)


def measure(predictions, positive, prevalence, measures, seed):
    """Measure strategies on the same rows at a prevalence.

    Parameters
    ----------
    predictions : list of Predictions
        One a strategy, of all rows.
    positive : ndarray of shape (n_rows,), bool
        The truth.
    prevalence : float
        Of the positive class, where the model is used.
    measures : list of Measure
    seed : int

    Returns
    -------
    list of dict of str to Estimate
        For each strategy, by the measures' keys.
    """
    classes = np.flatnonzero(positive), np.flatnonzero(~positive)
    sorted_rows = [
        _Ranked.of(p.take(classes[0]), p.take(classes[1])) for p in predictions
    ]
    rng = np.random.default_rng(seed)
    chunks = [
        [ranked.measured(counts, prevalence, measures) for ranked in sorted_rows]
        for counts in resamples_of([len(rows) for rows in classes], rng)
    ]
    return [
        {m.key: estimated([chunk[k][m.key] for chunk in chunks]) for m in measures}
        for k in range(len(predictions))
    ]


def estimated(parts):
    """Return the estimate of values in parts, the first one that of the rows.

    Parameters
    ----------
    parts : list of ndarray of shape (n,)

    Returns
    -------
    Estimate
    """
    values = np.concatenate(parts)
    return Estimate(float(values[0]), values[1:])


def resamples_of(sizes, rng):
    """Yield how often each row of each class is drawn; first of all, once.

    Parameters
    ----------
    sizes : list of int
        Rows of each class.
    rng : numpy.random.Generator

    Yields
    ------
    list of ndarray of shape (n_resamples, size)
    """
    yield [np.ones((1, size)) for size in sizes]
    total = min(N_RESAMPLES, max(FEWEST_RESAMPLES, MOST_CELLS // sum(sizes)))
    step = max(1, CHUNK_CELLS // sum(sizes))
    for start in range(0, total, step):
        n = min(step, total - start)
        yield [_draw(size, n, rng) for size in sizes]


def _draw(size, n_resamples, rng):
    cells = rng.integers(size, size=(n_resamples, size))
    cells += np.arange(n_resamples)[:, None] * size
    counts = np.bincount(cells.ravel(), minlength=n_resamples * size)
    return counts.reshape(n_resamples, size).astype(np.float64)


@dataclass(frozen=True)
class _Ranked:
    """A strategy's rows, prepared so that resamples cost little.

    Precision changes only where a positive's score is passed, so negatives
    are counted between neighbouring scores of positives.
    """

    losses: tuple
    order: tuple  # each class's rows, highest score first, as far as they matter
    cuts: tuple  # how many of them have at least the score of each level

    @classmethod
    def of(cls, positives, negatives):
        losses = positives.losses(True), negatives.losses(False)
        levels = -np.unique(positives.log_odds)[::-1]
        order, cuts = [], []
        for falling in (-positives.log_odds, -negatives.log_odds):
            rows = np.argsort(falling, kind="stable")
            cuts.append(np.searchsorted(falling[rows], levels, side="right"))
            order.append(rows[: cuts[-1][-1]])
        return cls(losses, tuple(order), tuple(cuts))

    def measured(self, counts, prevalence, measures):
        """Return each measure on each resample, by key."""
        priors = prevalence, 1 - prevalence
        of_positives, of_negatives = (
            prior * (count @ losses) / count.shape[1]
            for prior, count, losses in zip(priors, counts, self.losses, strict=True)
        )
        tp, fp = of_positives[:, 0], of_negatives[:, 0]
        fn, tn = priors[0] - tp, priors[1] - fp
        found = {
            "average_precision": self._average_precision(counts, priors),
            "log_loss": of_positives[:, 1] + of_negatives[:, 1],
            "brier": of_positives[:, 2] + of_negatives[:, 2],
        }
        for m in measures:
            if m.key not in found:
                function = m.function or metric_function(m.key)
                found[m.key] = function(tp, fp, fn, tn)
        return found

    def _average_precision(self, counts, priors):
        true, false = (
            prior * _counts_above(count[:, order], cuts) / count.shape[1]
            for prior, count, order, cuts in zip(
                priors, counts, self.order, self.cuts, strict=True
            )
        )
        called = true + false
        precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
        steps = np.diff(true, axis=1, prepend=0)
        return (steps * precision).sum(axis=1) / priors[0]


def _counts_above(counts, cuts):
    """Return the sums of the first ``cuts[j]`` columns, shape (n, n_cuts)."""
    if counts.shape[1] == 0:
        return np.zeros((len(counts), len(cuts)))
    return np.where(cuts > 0, np.cumsum(counts, axis=1)[:, cuts - 1], 0.0)
