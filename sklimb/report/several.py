"""Metrics of several classes at the deployment prior, with intervals.

As for two classes: each class's rows weigh as much as its prior, and are
resampled within the class, the same rows for every strategy; intervals of metrics of
labels are of rates drawn from their posterior.
"""

from dataclasses import dataclass

import numpy as np

from sklimb.metrics import class_sums, log_losses
from sklimb.report.measures import Measure, confusions_of, estimates, resamples_of
from sklimb.thresholds import multiclass_metric, multiclass_metric_names

__all__ = [
    "COLUMNS_OF_SEVERAL",
    "ClassPredictions",
    "column_of_aim_of_several",
    "columns_for_several",
    "measure_several",
    "names_for_several",
    "rate_of_class",
]

COLUMNS_OF_SEVERAL = [
    Measure("balanced_accuracy", "balanced accuracy"),
    Measure("f1_macro", "macro F1"),
    Measure("matthews_corrcoef", "MCC"),
    Measure("minimum_recall", "minimum recall"),
    Measure("log_loss", "log-loss", higher_is_better=False),
]


def names_for_several():
    """Return what ``--scoring`` may be for several classes.

    Returns
    -------
    list of str
    """
    return [name for name in multiclass_metric_names() if name != "cost"]


def columns_for_several(scoring):
    """Return the measures to compute: the columns, and the aim if it is another.

    Parameters
    ----------
    scoring : str

    Returns
    -------
    list of Measure
        The aim comes last.
    """
    known = [c.key for c in COLUMNS_OF_SEVERAL if _is(scoring, c.key)]
    if known:
        return COLUMNS_OF_SEVERAL
    return [*COLUMNS_OF_SEVERAL, Measure(scoring, scoring.replace("_", " "))]


def column_of_aim_of_several(scoring):
    """Return the measure that a ``scoring`` name is, whatever it is called.

    Parameters
    ----------
    scoring : str

    Returns
    -------
    Measure
    """
    columns = columns_for_several(scoring)
    return next((c for c in columns if _is(scoring, c.key)), columns[-1])


def _is(scoring, key):
    """Tell whether two names are one metric's."""
    if key == "log_loss":
        return False
    # Of one number of classes or another: it is the same.
    return multiclass_metric(scoring, 3) == multiclass_metric(key, 3)


def rate_of_class(name, class_number):
    """Return the function of confusion matrices that is one class's rate.

    Parameters
    ----------
    name : {"recall", "precision", "alert_rate"}
    class_number : int

    Returns
    -------
    callable
    """

    def rate(confusion):
        true, called = confusion[..., class_number, :], confusion[..., class_number]
        called = called.sum(axis=-1)
        if name == "alert_rate":
            return called / confusion.sum(axis=(-2, -1))
        whole = true.sum(axis=-1) if name == "recall" else called
        hits = true[..., class_number]
        return np.divide(hits, whole, out=np.zeros_like(hits), where=whole > 0)

    return rate


@dataclass(frozen=True)
class ClassPredictions:
    """What a strategy says of rows.

    Attributes
    ----------
    class_numbers : ndarray of shape (n_rows,), int
        Places of the predicted labels among the classes.
    log_proba : ndarray of shape (n_rows, n_classes)
        Natural logarithms of probabilities.
    """

    class_numbers: np.ndarray
    log_proba: np.ndarray

    def losses(self, rows, true):
        """Return what to average over rows of a class, shape (n, n_classes + 1).

        Parameters
        ----------
        rows : ndarray of shape (n,), int
        true : int
            The class that they have.

        Returns
        -------
        ndarray
            Which class is predicted, one-hot, and the log-loss.
        """
        predicted = np.eye(self.log_proba.shape[1])[self.class_numbers[rows]]
        return np.column_stack([predicted, log_losses(self.log_proba[rows, true])])


def measure_several(predictions, class_numbers, prior, measures, seed):
    """Measure strategies on the same rows at a prior.

    Parameters
    ----------
    predictions : list of ClassPredictions
        One a strategy, of all rows.
    class_numbers : ndarray of shape (n_rows,), int
        The truth; every class has rows.
    prior : ndarray of shape (n_classes,)
        Class shares where the model is used.
    measures : list of Measure
    seed : int

    Returns
    -------
    list of dict of str to Estimate
        For each strategy, by the measures' keys.
    """
    rows = [np.flatnonzero(class_numbers == k) for k in range(len(prior))]
    losses = [[p.losses(own, k) for k, own in enumerate(rows)] for p in predictions]
    rng = np.random.default_rng(seed)
    chunks = [
        [_measured(counts, of_strategy, prior, measures) for of_strategy in losses]
        for counts in resamples_of([len(own) for own in rows], rng)
    ]
    return [
        estimates(chunks, k, measures, _draws(p, class_numbers, prior, measures, seed))
        for k, p in enumerate(predictions)
    ]


def _draws(predictions, class_numbers, prior, measures, seed):
    """Return draws of the measures of labels, by key."""
    k = len(prior)
    cells = class_numbers * k + predictions.class_numbers
    counts = np.bincount(cells, minlength=k * k).reshape(k, k)
    drawn = confusions_of(counts, prior, seed)
    return {m.key: _value(m, drawn) for m in measures if m.key != "log_loss"}


def _measured(counts, losses, prior, measures):
    """Return each measure on each resample, by key."""
    sums = class_sums(counts, losses, prior)
    confusion, log_loss = sums[..., :-1], sums[..., -1].sum(axis=1)
    return {
        m.key: log_loss if m.key == "log_loss" else _value(m, confusion)
        for m in measures
    }


def _value(measure, confusion):
    if measure.function is not None:
        return measure.function(confusion)
    n_classes = confusion.shape[-1]
    return multiclass_metric(measure.key, n_classes).of_confusion(confusion)
