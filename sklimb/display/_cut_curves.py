"""A metric at every cut: of two classes, or of one class's threshold among several."""

from dataclasses import dataclass, replace

import numpy as np

from sklimb._tuning_kinds import BinaryTuning
from sklimb._validation import as_labels
from sklimb.thresholds import (
    StepCurve,
    column_of_positives,
    constraint_curves,
)
from sklimb.thresholds._constraints import feasible
from sklimb.thresholds._multiclass_constraints import violation_at_cuts
from sklimb.thresholds._multiclass_rows import labelled_rows
from sklimb.thresholds._multiclass_sweep import sweep_of_class

__all__ = ["CutCurves", "binary_curves", "class_curves"]


@dataclass(frozen=True)
class CutCurves:
    """A metric at every cut, thresholds rising.

    Attributes
    ----------
    thresholds, scores : ndarray of shape (n_cuts,)
    fold_scores : ndarray of shape (n_folds, n_cuts), or None
        None where there is a single fold.
    is_broken : ndarray of shape (n_cuts,), bool, or None
        Where a constraint is broken; None without constraints.
    """

    thresholds: np.ndarray
    scores: np.ndarray
    fold_scores: np.ndarray | None
    is_broken: np.ndarray | None


def binary_curves(rows, aim, prior, allowed=None):
    """Return the curves of two classes.

    Parameters
    ----------
    rows : OutOfFold
    aim : Aim
    prior : ndarray of shape (2,) or None
        The prior that the metric is measured at.
    allowed : ndarray of shape (n_cuts,), bool, default=None
        Which cuts are known to keep the constraints, strictest first; None to see
        on these rows.
    """
    free = replace(aim, constraints=(), confidence=None, selection="exact")
    results = BinaryTuning(rows, free, prior).cv_results()
    if allowed is None and aim.constraints:
        allowed = _allowed(rows, aim, prior)
    fold_scores = results["fold_scores"]
    return CutCurves(
        results["thresholds"],
        results["scores"],
        fold_scores if len(fold_scores) > 1 else None,
        None if allowed is None else ~allowed[::-1],
    )


def _allowed(rows, aim, prior):
    """Return which cuts keep the constraints on the rows, strictest first."""
    by_fold = aim.aggregation == "mean"
    curves = constraint_curves(
        rows.class_numbers == aim.positive_class,
        column_of_positives(rows.scores, aim.positive_class),
        rows.weights_at(prior, by_fold),
        aim.constraints,
        aim.positive_class,
    )
    return feasible(curves, aim.constraints)


def class_curves(rows, aim, prior, thresholds, class_number):
    """Return the curves of one class's threshold, the others held.

    Parameters
    ----------
    rows : OutOfFold
    aim : Aim
    prior : ndarray of shape (n_classes,) or None
    thresholds : ndarray of shape (n_classes,)
        Where the others are held.
    class_number : int

    Raises
    ------
    ValueError
        If no other class can be chosen.
    """
    sweeps = _Sweeps(rows, aim, prior, np.asarray(thresholds), class_number)
    whole = sweeps.of(rows.fold if aim.aggregation == "mean" else None)
    curve = sweeps.curve(whole)
    folds = rows.folds if rows.n_folds > 1 else []
    own = [
        sweeps.curve(sweeps.of(None, rows.fold == fold)).at_cuts_of(curve.scores)
        for fold in folds
    ]
    broken = None
    if aim.constraints:
        broken = violation_at_cuts(aim.constraints, whole)[::-1] > 0
    return CutCurves(
        _middles(curve.scores)[::-1],
        curve.values[::-1],
        np.array(own)[:, ::-1] if own else None,
        broken,
    )


@dataclass(frozen=True)
class _Sweeps:
    """The cuts of one class's threshold, for all rows and for those of a fold."""

    rows: object
    aim: object
    prior: np.ndarray | None
    thresholds: np.ndarray
    class_number: int

    @property
    def _metric(self):
        return self.aim.scoring.metric(self.rows.costs)

    def of(self, fold, kept=None):
        """Return the sweep of the rows that are kept."""
        weight = self.rows.weights_at(self.prior, self.aim.aggregation == "mean")
        if kept is not None:
            weight = kept * (1.0 if weight is None else weight)
        n_classes = self.rows.scores.shape[1]
        own = labelled_rows(self.rows.class_numbers, n_classes, weight, fold)
        columns = np.ascontiguousarray(self.rows.scores.T[:, own.places])
        sweep = sweep_of_class(self.class_number, columns, self.thresholds, own)
        if sweep is None:
            raise ValueError(
                f"`threshold`={as_labels(self.thresholds)} lets no other class be "
                "chosen, so that this one's has no cuts. Give a finite threshold to "
                "another class."
            )
        return self._metric.cuts_of(sweep)

    def curve(self, sweep):
        """Return the metric at the sweep's cuts as a StepCurve."""
        return StepCurve(sweep.upper[1:], self._metric.at_cuts(sweep))


def _middles(falling):
    """Return a threshold in each cut's gap, on the scale of ratios."""
    inner = falling[np.isfinite(falling) & (falling > 0)]
    if len(inner) == 0:
        return np.ones(len(falling) + 1)
    low, high = inner.min() / 2, inner.max() * 2
    ends = np.clip(np.concatenate([[high], falling, [low]]), low, high)
    return np.sqrt(ends[1:]) * np.sqrt(ends[:-1])
