"""Decisions on the test rows, moved to other shares of the classes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix

from sklimb.metrics import project_confusion_matrix

__all__ = [
    "PER",
    "Projected",
    "Share",
    "confusion_of",
    "predicted_labels",
    "projected",
    "shares_shown",
    "with_share",
]

# Rows that projected counts are of.
PER = 10_000
# 1 : n, as people say it.
ODDS = (10, 100, 1000)


class Share(NamedTuple):
    """A share of one class, and how it is called.

    Attributes
    ----------
    name : str
    value : float
    """

    name: str
    value: float


def confusion_of(comparison, outcome):
    """Return a strategy's confusion matrix on the test rows.

    Parameters
    ----------
    comparison : Comparison
    outcome : Outcome
        Of the comparison.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int
        Rows are true classes, columns predicted ones, in the classes' order.
    """
    true = np.searchsorted(np.unique(comparison.dataset.y), comparison.y_test)
    numbers = _predicted_numbers(comparison, outcome)
    n_classes = len(comparison.dataset.classes)
    return confusion_matrix(true, numbers, labels=range(n_classes))


def predicted_labels(comparison, outcome):
    """Return what a strategy calls the test rows.

    Parameters
    ----------
    comparison : Comparison
    outcome : Outcome
        Of the comparison.

    Returns
    -------
    ndarray of shape (n_test,)
    """
    return np.unique(comparison.dataset.y)[_predicted_numbers(comparison, outcome)]


def _predicted_numbers(comparison, outcome):
    if comparison.options.positive is None:
        return outcome.predictions.class_numbers
    place = comparison.options.positive_class
    return np.where(outcome.predictions.called_positive, place, 1 - place)


def with_share(prior, place, share):
    """Return a prior where one class has another share, the others in proportion.

    Parameters
    ----------
    prior : ndarray of shape (n_classes,)
    place : int
        Of the class among the classes.
    share : float

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.report.projection import with_share
    >>> with_share(np.array([0.5, 0.3, 0.2]), 0, 0.75).round(3)
    array([0.75, 0.15, 0.1 ])
    """
    moved = prior * (1 - share) / (1 - prior[place])
    moved[place] = share
    return moved


@dataclass(frozen=True)
class Projected:
    """What a strategy does in 10,000 rows of given class shares, for one class.

    Attributes
    ----------
    confusion : ndarray of shape (n_classes, n_classes)
        Counts, which sum to 10,000.
    place : int
        The class that the rates are of.
    costs : Costs or None
    """

    confusion: np.ndarray
    place: int
    costs: tuple | None = None

    @property
    def hits(self):
        """Rows of the class that are called so."""
        return float(self.confusion[self.place, self.place])

    @property
    def alarms(self):
        """Rows called of the class."""
        return float(self.confusion[:, self.place].sum())

    @property
    def rows(self):
        """Rows of the class."""
        return float(self.confusion[self.place].sum())

    @property
    def missed(self):
        """Rows of the class that are called otherwise."""
        return self.rows - self.hits

    @property
    def precision(self):
        """Share of alarms that are right; nan without any."""
        return self.hits / self.alarms if self.alarms else np.nan

    @property
    def recall(self):
        """Share of the class's rows that are found."""
        return self.hits / self.rows

    @property
    def f1(self):
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / (self.alarms + self.rows)

    @property
    def cost(self):
        """Mean cost of a row; None without costs."""
        if self.costs is None:
            return None
        false_positive, false_negative = self.costs
        wrong = (self.alarms - self.hits) * false_positive
        return (wrong + self.missed * false_negative) / PER


def projected(confusion, prior, place, costs=None):
    """Return what decisions come to at other shares of the classes.

    Parameters
    ----------
    confusion : ndarray of shape (n_classes, n_classes), int
        Of any rows.
    prior : ndarray of shape (n_classes,)
    place : int
        Of the class that the rates are of.
    costs : Costs, default=None

    Returns
    -------
    Projected
    """
    shares = project_confusion_matrix(confusion, prior) / confusion.sum()
    return Projected(shares * PER, place, costs)


def shares_shown(comparison, place):
    """Return the shares of a class that a table of a few of them has.

    Parameters
    ----------
    comparison : Comparison
    place : int
        Of the class among the classes.

    Returns
    -------
    list of Share
        In the data, where the model is used if that is another, and odds.
    """
    in_data, target = comparison.shares_in_data[place], comparison.prior[place]
    shares = [Share("as in the data", float(in_data))]
    if comparison.options.target_prior is not None:
        shares.append(Share("where the model is used", float(target)))
    return shares + [Share(f"1:{n}", 1 / (1 + n)) for n in ODDS]
