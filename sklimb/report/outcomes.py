"""What a comparison finds: strategies after their test."""

from dataclasses import dataclass, field

import numpy as np

from sklimb.report.data import Dataset
from sklimb.report.measures import Measure
from sklimb.report.strategies import Options, Strategy

__all__ = ["Comparison", "Infeasible", "Origin", "Outcome"]


@dataclass(frozen=True)
class Origin:
    """Where a comparison comes from.

    Attributes
    ----------
    model : str
        As given by ``--model``.
    command : str
        The command line.
    """

    model: str
    command: str


@dataclass(frozen=True)
class Outcome:
    """A strategy after its test.

    Attributes
    ----------
    strategy : Strategy
    estimator : ImbalanceAwareClassifier
        Fitted on the training part.
    predictions : Predictions or ClassPredictions
        Of the test rows.
    estimates : dict of str to Estimate
        By the measures' keys.
    seconds : float
        What the fits took.
    """

    strategy: Strategy
    estimator: object
    predictions: object
    estimates: dict
    seconds: float

    @property
    def name(self):
        """The strategy's name."""
        return self.strategy.name

    def distances(self, requirements):
        """Return how far the test rows are from each requirement, 0 where it holds.

        Parameters
        ----------
        requirements : iterable of Requirement

        Returns
        -------
        list of float
        """
        return [float(r.distance(self.estimates[r.key].value)) for r in requirements]

    def keeps(self, requirements):
        """Tell whether all requirements hold on the test rows.

        Parameters
        ----------
        requirements : iterable of Requirement

        Returns
        -------
        bool
        """
        return not any(self.distances(requirements))


@dataclass(frozen=True)
class Infeasible:
    """A strategy that has no threshold which keeps what is required.

    Attributes
    ----------
    strategy : Strategy
    why : str
        As "recall >= 0.9 comes no nearer than .850".
    seconds : float
        What the fits took.
    """

    strategy: Strategy
    why: str
    seconds: float

    @property
    def name(self):
        """The strategy's name."""
        return self.strategy.name


@dataclass(frozen=True)
class Comparison:
    """Strategies measured on the same test rows.

    Attributes
    ----------
    dataset : Dataset
    options : Options
    prior : ndarray of shape (n_classes,)
        Class shares where the model is used, in the order of the classes.
    n_train : int
        Rows.
    y_test : ndarray of shape (n_test,)
        The test rows' labels.
    test_positives : int or None
        Rows; None where there are more than two classes.
    aim : Measure
        What strategies are compared by.
    measures : list of Measure
        The most important ones first.
    outcomes : list of Outcome
    infeasible : list of Infeasible
    notes : list of str
        What came up, a sentence each.
    """

    dataset: Dataset
    options: Options
    prior: np.ndarray
    n_train: int
    y_test: np.ndarray
    test_positives: int | None
    aim: Measure
    measures: list
    outcomes: list
    infeasible: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def n_test(self):
        """How many rows were tested."""
        return len(self.y_test)

    @property
    def shares_in_data(self):
        """Class shares of the rows, in the order of the classes."""
        counts = np.array(list(self.dataset.counts.values()))
        return counts / counts.sum()

    @property
    def prevalence(self):
        """Of two classes the positive one's share where the model is used."""
        return float(self.prior[self.options.positive_class])
