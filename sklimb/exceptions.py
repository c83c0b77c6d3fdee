"""Errors and warnings that a user may want to catch.

Each one is also a builtin exception, so code that catches those keeps working.
"""

__all__ = [
    "BinaryOnlyError",
    "ConstantScoresWarning",
    "DoubleBalancingWarning",
    "FewPositivesWarning",
    "InfeasibleConstraintError",
    "LabelShiftViolationWarning",
    "LogitsWarning",
    "NonFiniteModelError",
    "StalePriorError",
    "TrainingPriorError",
    "UnreachableClassWarning",
]


class BinaryOnlyError(NotImplementedError, ValueError):
    """Something that works for two classes was given more."""


class TrainingPriorError(ValueError):
    """The prior that a classifier's probabilities belong to can't be known."""


class InfeasibleConstraintError(ValueError):
    """No threshold satisfies the constraints.

    Attributes
    ----------
    constraint : str
        The constraint that fails, as ``"recall"`` or ``"recall of 'cat'"``.
    best_value : float
        The value nearest to its limits where the other constraints hold; where
        these can't be met, anywhere. With a confidence: the bound nearest to them.
    threshold : float
        Where that value is reached.
    """

    def __init__(self, message, constraint=None, best_value=None, threshold=None):
        super().__init__(message)
        self.constraint = constraint
        self.best_value = best_value
        self.threshold = threshold


class StalePriorError(RuntimeError):
    """A decision was tuned at another prior than the probabilities now have."""


class NonFiniteModelError(FloatingPointError, ValueError):
    """A network's loss or prediction is nan or infinite."""


class ConstantScoresWarning(UserWarning):
    """A fold gives every row the same score, so that no cut can be told apart."""


class DoubleBalancingWarning(UserWarning):
    """Two parameters raise a rare class, which now outweighs a frequent one."""


class FewPositivesWarning(UserWarning):
    """So few positives that a tuned threshold is a rough guess."""


class LabelShiftViolationWarning(UserWarning):
    """Rows look otherwise than a mixture of the classes as they were in training."""


class LogitsWarning(UserWarning):
    """Logits had to be computed back from probabilities, which may saturate."""


class UnreachableClassWarning(UserWarning):
    """A class that is never the cheapest choice, whatever the probabilities."""
