"""The strategies that are compared: one row each in a table.

Every strategy is an :class:`ImbalanceAwareClassifier`, so each has a
``decision_rule_`` and works on probabilities of a known prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklimb.compose import ImbalanceAwareClassifier

__all__ = ["STRATEGIES", "Options", "Strategy"]


@dataclass(frozen=True)
class Options:
    """What all strategies of a comparison share.

    Attributes
    ----------
    positive : label
    target_prior : float or None
        The positive class's prevalence where the model is used; None for the
        data's own.
    scoring : str
        What the threshold maximises.
    cv : int
        Folds for the threshold.
    seed : int
    """

    positive: Any
    target_prior: float | None = None
    scoring: str = "balanced_accuracy"
    cv: int = 5
    seed: int = 0

    def tuned(self):
        """Return the parameters of a strategy that tunes its threshold."""
        prior = "empirical" if self.target_prior is None else self.target_prior
        return {
            "target_prior": prior,
            "threshold": "tune",
            "scoring": self.scoring,
            "cv": self.cv,
        }


@dataclass(frozen=True)
class Strategy:
    """A way to train and to decide.

    Attributes
    ----------
    name : str
        As the table shows it.
    meaning : str
        The same in a few words more.
    parameters : callable
        From :class:`Options` to parameters of the flat classifier.
    """

    name: str
    meaning: str
    parameters: Callable[[Options], dict]

    def build(self, estimator, options):
        """Return the strategy around a classifier, unfitted.

        Parameters
        ----------
        estimator : classifier
        options : Options

        Returns
        -------
        ImbalanceAwareClassifier
        """
        return ImbalanceAwareClassifier(
            estimator,
            pos_label=options.positive,
            random_state=options.seed,
            **self.parameters(options),
        )

    def n_fits(self, options):
        """Return how often the strategy fits the classifier.

        Parameters
        ----------
        options : Options

        Returns
        -------
        int
        """
        tuned = self.parameters(options)["threshold"] == "tune"
        return options.cv + 1 if tuned else 1


STRATEGIES = [
    Strategy(
        "plain at 0.5",
        "the model as it comes, cut at a probability of 0.5",
        lambda options: {"threshold": 0.5},
    ),
    Strategy(
        "class weights at 0.5",
        "balanced class weights, cut at 0.5, probabilities not corrected",
        # Balanced weights lead to the uniform prior: going there changes nothing.
        lambda options: {
            "class_weight": "balanced",
            "target_prior": "uniform",
            "threshold": 0.5,
        },
    ),
    Strategy(
        "tuned threshold",
        "no weights, probabilities at the deployment prior, threshold from "
        "cross-validation",
        lambda options: options.tuned(),
    ),
    Strategy(
        "weights + corrected + tuned",
        "balanced class weights, probabilities corrected to the deployment prior, "
        "threshold from cross-validation",
        lambda options: {"class_weight": "balanced", **options.tuned()},
    ),
]
