"""The strategies that are compared: one row each in a table.

Every strategy is an :class:`ImbalanceAwareClassifier`, so each has a
``decision_rule_`` and works on probabilities of a known prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from imblearn.over_sampling import SMOTE

from sklimb._ledger import innermost
from sklimb.compose import ImbalanceAwareClassifier
from sklimb.report.requirements import as_constraints

__all__ = [
    "STRATEGIES",
    "STRATEGIES_FOR_SEVERAL",
    "Conditions",
    "Costs",
    "Options",
    "Strategy",
    "applicable",
]


class Costs(NamedTuple):
    """What wrong decisions cost, in any unit.

    Attributes
    ----------
    false_positive, false_negative : float
    """

    false_positive: float
    false_negative: float


@dataclass(frozen=True)
class Options:
    """What all strategies of a comparison share.

    Attributes
    ----------
    positive : label or None
        The positive class; None where there are more than two.
    classes : tuple of label
        All of them, sorted.
    target_prior : dict of label to float, or None
        Class shares where the model is used; None for the data's own.
    scoring : str
        What the threshold maximises; "cost" for the least cost.
    costs : Costs or None
        For two classes.
    requirements : tuple of Requirement
        What a tuned threshold has to keep.
    cv : int
        Folds for the threshold.
    seed : int
    """

    positive: Any
    classes: tuple = ()
    target_prior: dict | None = None
    scoring: str = "balanced_accuracy"
    costs: Costs | None = None
    requirements: tuple = ()
    cv: int = 5
    seed: int = 0

    @property
    def positive_class(self):
        """Of two classes the positive one's place."""
        return self.classes.index(self.positive)

    @property
    def cost_matrix(self):
        """The costs with a row for each true class, a column for each predicted."""
        if self.costs is None:
            return None
        false_positive, false_negative = self.costs
        if self.positive_class == 0:
            return [[0.0, false_negative], [false_positive, 0.0]]
        return [[0.0, false_positive], [false_negative, 0.0]]

    def tuned(self):
        """Return the parameters of a strategy that tunes its threshold."""
        prior = "empirical" if self.target_prior is None else self.target_prior
        return {
            "target_prior": prior,
            "threshold": "tune",
            "scoring": self.scoring,
            "cost_matrix": self.cost_matrix,
            "constraints": as_constraints(self.requirements, self.positive),
            "cv": self.cv,
        }


@dataclass(frozen=True)
class Conditions:
    """What strategies have to work with.

    Attributes
    ----------
    model : classifier
        Unfitted.
    y : ndarray of shape (n_rows,)
        Labels to train on.
    has_columns : bool
        Whether rows are made columns of numbers; False for arrays as they are.
    n_folds : int
    """

    model: Any
    y: np.ndarray
    has_columns: bool
    n_folds: int

    @property
    def fewest(self):
        """Rows of the rarest class in the smallest part that is resampled."""
        fewest = int(np.unique(self.y, return_counts=True)[1].min())
        fewest -= ceil(fewest / self.n_folds)
        held_out = getattr(innermost(self.model), "validation_fraction", 0)
        return fewest - ceil(fewest * held_out)


def _nothing(conditions):
    return None


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
    obstacle : callable
        From :class:`Conditions` to the reason why it can't be used, or None.
    """

    name: str
    meaning: str
    parameters: Callable[[Options], dict]
    obstacle: Callable[[Conditions], str | None] = _nothing

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
        return options.cv + 1 if self.is_tuned(options) else 1

    def is_tuned(self, options):
        """Tell whether the strategy tunes its threshold.

        Parameters
        ----------
        options : Options

        Returns
        -------
        bool
        """
        return self.parameters(options)["threshold"] == "tune"


def applicable(strategies, conditions):
    """Return the strategies that can be used, and a note for each of the others.

    Parameters
    ----------
    strategies : list of Strategy
    conditions : Conditions

    Returns
    -------
    usable : list of Strategy
    notes : list of str
    """
    obstacles = [strategy.obstacle(conditions) for strategy in strategies]
    pairs = list(zip(strategies, obstacles, strict=True))
    return [strategy for strategy, obstacle in pairs if obstacle is None], [
        f"Left out: {strategy.name!r}, because {obstacle}."
        for strategy, obstacle in pairs
        if obstacle is not None
    ]


def _obstacle_of_batches(conditions):
    network = innermost(conditions.model)
    if not getattr(network, "_takes_batches", False):
        return f"it needs a network, and the model is a {type(network).__name__}"
    if network.batches is not None:
        return "the model composes its mini-batches itself"
    return None


def _obstacle_of_smote(conditions):
    if not conditions.has_columns:
        return "SMOTE takes rows of numbers, and these have more axes"
    needed = SMOTE().k_neighbors + 1
    if conditions.fewest < needed:
        return (
            f"SMOTE needs {needed} rows of the rarest class in each training part, and "
            f"one has {conditions.fewest}"
        )
    return None


_AT_HALF = [
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
]

_MOST_PROBABLE = [
    Strategy(
        "plain",
        "the model as it comes, which takes the most probable class",
        lambda options: {"threshold": None},
    ),
    Strategy(
        "class weights",
        "balanced class weights, the most probable class, probabilities not corrected",
        lambda options: {
            "class_weight": "balanced",
            "target_prior": "uniform",
            "threshold": None,
        },
    ),
]

_TUNED = [
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
    Strategy(
        "over sampling + corrected + tuned",
        "rows of rarer classes repeated until there are as many as of the most "
        "frequent, probabilities corrected to the deployment prior, threshold from "
        "cross-validation",
        lambda options: {"sampler": "over", **options.tuned()},
    ),
    Strategy(
        "under sampling + corrected + tuned",
        "rows of more frequent classes left out until there are as many as of the "
        "rarest, probabilities corrected to the deployment prior, threshold from "
        "cross-validation",
        lambda options: {"sampler": "under", **options.tuned()},
    ),
    Strategy(
        "balanced batches + corrected + tuned",
        "as many rows of each class in every mini-batch, probabilities corrected to "
        "the deployment prior, threshold from cross-validation",
        lambda options: {"sampler": "batches", **options.tuned()},
        _obstacle_of_batches,
    ),
    Strategy(
        "SMOTE + corrected + tuned",
        "rows of rarer classes made between neighbours until there are as many as "
        "of the most frequent, probabilities corrected to the deployment prior, "
        "threshold from cross-validation",
        lambda options: {"sampler": SMOTE(), **options.tuned()},
        _obstacle_of_smote,
    ),
]

STRATEGIES = _AT_HALF + _TUNED
STRATEGIES_FOR_SEVERAL = _MOST_PROBABLE + _TUNED
