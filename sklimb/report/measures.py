"""Metrics at the deployment prior, with intervals.

All of them follow from class-conditional rates, so a prior enters as the
weight of each class. Rows are resampled within each class, the same rows for
every strategy, so that strategies can be compared pair by pair. Intervals of
metrics of labels are of rates drawn from their posterior, which hold with few
rows; those of probabilities are of the resamples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklimb.metrics import (
    Ranking,
    class_sums,
    drawn_confusions,
    log_losses,
    resamples,
    stratified_drawer,
)
from sklimb.thresholds import metric_function

__all__ = [
    "COLUMNS",
    "Estimate",
    "Measure",
    "Predictions",
    "column_of",
    "column_of_aim",
    "columns_for",
    "confusions_of",
    "estimates",
    "measure",
    "resamples_of",
]

LEVEL = 0.95
N_RESAMPLES = 1000
# Rows x resamples: with many rows intervals are narrow, and 200 resamples do.
MOST_CELLS = 20_000_000
FEWEST_RESAMPLES = 200
CHUNK_CELLS = 2_000_000


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
        Of the same rows for every strategy.
    draws : ndarray of shape (n_draws,), default=None
        What the interval is of; None for the resamples.
    """

    value: float
    resamples: np.ndarray
    draws: np.ndarray | None = None

    @property
    def interval(self):
        """The percentile interval, (low, high)."""
        tail = (1 - LEVEL) / 2
        draws = self.resamples if self.draws is None else self.draws
        low, high = np.quantile(draws, [tail, 1 - tail])
        return min(float(low), self.value), max(float(high), self.value)


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
    prepared = [
        _Prepared.of(p.take(classes[0]), p.take(classes[1])) for p in predictions
    ]
    rng = np.random.default_rng(seed)
    chunks = [
        [rows.measured(counts, prevalence, measures) for rows in prepared]
        for counts in resamples_of([len(rows) for rows in classes], rng)
    ]
    return [
        estimates(chunks, k, measures, _draws(p, positive, prevalence, measures, seed))
        for k, p in enumerate(predictions)
    ]


def _draws(predictions, positive, prevalence, measures, seed):
    """Return draws of the measures of labels, by key."""
    called = predictions.called_positive
    counts = [
        [np.sum(own & said) for said in (called, ~called)]
        for own in (positive, ~positive)
    ]
    drawn = confusions_of(np.array(counts), [prevalence, 1 - prevalence], seed)
    (tp, fn), (fp, tn) = (drawn[:, true].T for true in range(2))
    return {
        m.key: _of_counts(m, tp, fp, fn, tn)
        for m in measures
        if m.key not in _OF_PROBABILITIES
    }


def confusions_of(counts, prior, seed):
    """Return confusion matrices that such counts leave possible.

    They are drawn rather than resampled: a bootstrap of rows knows of no error that
    the test rows don't have.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
    prior : array-like of shape (n_classes,)
    seed : int

    Returns
    -------
    ndarray of shape (n_draws, n_classes, n_classes)
    """
    return drawn_confusions(counts, prior, N_RESAMPLES, np.random.default_rng(seed))


def estimates(chunks, number, measures, draws):
    """Return the estimates of a strategy, by the measures' keys.

    Parameters
    ----------
    chunks : list of list of dict of str to ndarray of shape (n,)
        For each chunk and strategy the measures' values; the first value is that of
        the rows as they are.
    number : int
        The strategy's.
    measures : list of Measure
    draws : dict of str to ndarray
        What intervals are of, where not of the resamples.

    Returns
    -------
    dict of str to Estimate
    """
    found = {}
    for m in measures:
        values = np.concatenate([chunk[number][m.key] for chunk in chunks])
        found[m.key] = Estimate(float(values[0]), values[1:], draws.get(m.key))
    return found


def _of_counts(measure, tp, fp, fn, tn):
    return (measure.function or metric_function(measure.key))(tp, fp, fn, tn)


def resamples_of(sizes, rng):
    """Yield how often each row of each class is drawn; first of all, once.

    Parameters
    ----------
    sizes : list of int
        Rows of each class.
    rng : numpy.random.Generator

    Returns
    -------
    iterator of list of ndarray of shape (n_resamples, size)
    """
    total = min(N_RESAMPLES, max(FEWEST_RESAMPLES, MOST_CELLS // sum(sizes)))
    return resamples(stratified_drawer(sizes), sizes, total, rng, CHUNK_CELLS)


@dataclass(frozen=True)
class _Prepared:
    """A strategy's rows, positives first, prepared so that resamples cost little."""

    losses: list
    ranking: Ranking

    @classmethod
    def of(cls, positives, negatives):
        losses = [positives.losses(True), negatives.losses(False)]
        return cls(losses, Ranking.of(positives.log_odds, negatives.log_odds))

    def measured(self, counts, prevalence, measures):
        """Return each measure on each resample, by key."""
        priors = prevalence, 1 - prevalence
        of_classes = class_sums(counts, self.losses, priors)
        tp, fp = of_classes[..., 0].T
        _, log_loss, brier = of_classes.sum(axis=1).T
        found = {
            "average_precision": self.ranking.average_precision(*counts, prevalence),
            "log_loss": log_loss,
            "brier": brier,
        }
        for m in measures:
            if m.key not in found:
                found[m.key] = _of_counts(m, tp, fp, priors[0] - tp, priors[1] - fp)
        return found
