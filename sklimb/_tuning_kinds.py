"""The best threshold of two classes, and the best thresholds of more."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sklimb._tuning import Tuning, accepted_rows, usable_rows
from sklimb._validation import as_labels
from sklimb.exceptions import InfeasibleConstraintError
from sklimb.priors import class_shares
from sklimb.thresholds import (
    InfeasibleThresholds,
    StepCurve,
    certified,
    check_equal_weights,
    check_feasible,
    choose_classes,
    choose_cut,
    column_of_positives,
    constraint_curves,
    pooled_rows,
    score_of,
    search_class_thresholds,
    select_class_thresholds,
    threshold_interval,
)
from sklimb.thresholds._constraints import ROUNDING, constraint_function

__all__ = ["BinaryTuning", "MulticlassTuning", "tuning_of"]

# Less than any metric or saving.
FAR_BELOW = -1e300


def tuning_of(out_of_fold, aim, prior):
    """Return the tuning of two classes, or of more.

    Parameters
    ----------
    out_of_fold : OutOfFold
    aim : Aim
    prior : ndarray of shape (n_classes,) or None
        The prior that the rows stand for, by importance weights; None for the
        rows as they are.

    Returns
    -------
    BinaryTuning or MulticlassTuning

    Raises
    ------
    ValueError
        If all scores are equal, or a fold has rows of one class only and its
        score is asked for.
    """
    rows, reject_rate = out_of_fold, None
    if aim.rejection is not None:
        rows, reject_rate = accepted_rows(out_of_fold, aim.rejection, prior)
        prior = None
    kind = BinaryTuning if len(aim.classes) == 2 else MulticlassTuning
    return kind(usable_rows(rows, aim), aim, prior, reject_rate)


class BinaryTuning(Tuning):
    """The threshold of two classes."""

    def decide(self, rows):
        """Return the class numbers that the threshold decides for."""
        positive = self.aim.positive_class
        reached = column_of_positives(rows.scores, positive) >= self.threshold
        return np.where(reached, positive, 1 - positive)

    @property
    def threshold(self):
        """The threshold, in the scores' unit."""
        return self._choice.threshold

    @cached_property
    def _choice(self):
        group = self.rows.groups
        return choose_cut(
            self._parts,
            self.aim.scoring,
            self.aim.selection if self._is_a_choice else "exact",
            aggregation="pooled"
            if self.aim.scoring.sums_rows
            else self.aim.aggregation,
            allowed=self.allowed(),
            group=None if group is None else [group[k] for k in self.rows.parts()],
            random_state=self.aim.seed,
        )

    @cached_property
    def _parts(self):
        """The folds as (positive, score, weight) of what is maximised."""
        return [self._counted(k) for k in self.rows.parts()]

    def _counted(self, part):
        rows, weight = self.rows.take(part), _of(self._weight, part)
        total = _total(self._weight, self.rows)
        if self._by_fold:
            total = _total(weight, rows) * len(self.rows.parts())
        positive, weight = self.aim.scoring.rows(
            rows.class_numbers == self.aim.positive_class, weight, rows.costs, total
        )
        return (
            positive,
            column_of_positives(rows.scores, self.aim.positive_class),
            weight,
        )

    @property
    def _is_a_choice(self):
        """Tell whether not the same decision is the cheaper one for every row."""
        positive, _, _ = pooled_rows(self._parts)
        return positive.any() and not positive.all()

    def allowed(self):
        """Return which cuts the constraints leave, or None for all."""
        aim = self.aim
        if not aim.constraints:
            return None
        positive = self.rows.class_numbers == aim.positive_class
        score = column_of_positives(self.rows.scores, aim.positive_class)
        if aim.confidence is None:
            curves = constraint_curves(
                positive, score, self._weight, aim.constraints, aim.positive_class
            )
            return check_feasible(curves, aim.constraints, aim.classes)
        of_weights = check_equal_weights(positive, self.rows.sample_weight)
        return certified(
            positive,
            score,
            aim.constraints,
            aim.confidence,
            of_weights if self.prior is None else self._negative_then_positive(),
            positive_class=aim.positive_class,
            classes=aim.classes,
        )

    def _negative_then_positive(self):
        return self.prior[[1 - self.aim.positive_class, self.aim.positive_class]]

    def _score(self, rows, numbers):
        weight = self._weights_of(rows)
        parts = rows.parts() if self._by_fold else [slice(None)]
        return float(
            np.mean([self._part_score(rows, numbers, weight, part) for part in parts])
        )

    def _part_score(self, rows, numbers, weight, part):
        positive = self.aim.positive_class
        return self.aim.scoring.of_decisions(
            rows.class_numbers[part] == positive,
            numbers[part] == positive,
            _of(weight, part),
            _of(rows.costs, part),
        )

    @cached_property
    def interval(self):
        """The range of stability of the threshold, (nan, nan) if unknown."""
        scoring = _within_limits(self.aim)
        if not scoring.resamples or not self._is_a_choice:
            return np.nan, np.nan
        group = self.rows.groups
        positive, score, weight = pooled_rows(self._parts)
        return threshold_interval(
            positive,
            score,
            scoring,
            weight,
            group=group
            if group is None
            else np.concatenate([group[k] for k in self.rows.parts()]),
            random_state=self.aim.seed,
        )

    def cv_results(self):
        """Return thresholds, mean scores and fold scores at every cut, rising."""
        curve = self._curve
        folds = [self._of_fold(k) for k in self.rows.folds]
        at_cuts = [
            fold._curve.at_cuts_of(curve.scores)[::-1]
            for fold in folds
            if fold._can_choose()
        ]
        return {
            "thresholds": curve.thresholds()[::-1],
            "scores": curve.values[::-1],
            "fold_scores": np.array(at_cuts),
        }

    @property
    def _curve(self):
        """The score at every cut."""
        curve = self._choice.curve
        # Of costs of rows, the choice looks only at what a cut saves.
        offset = self.score - curve.at(self.threshold)
        return StepCurve(curve.scores, curve.values + offset)


@dataclass(frozen=True)
class WithinLimits:
    """A metric that is below all others where constraints don't hold."""

    scoring: Any
    constraints: tuple
    positive_class: int
    resamples: bool

    def __call__(self, tp, fp, fn, tn):
        outside = 0.0
        for limit in self.constraints:
            value = constraint_function(limit, self.positive_class)(tp, fp, fn, tn)
            distance = np.maximum(limit.low - value, value - limit.high)
            outside = outside + np.where(distance > ROUNDING, distance, 0)
        values = self.scoring(tp, fp, fn, tn)
        # Where no cut keeps them, the nearest is the best.
        return np.where(outside > 0, FAR_BELOW * (1 + outside), values)


def _within_limits(aim):
    """Return the scoring with the constraints, as a bootstrap can look at both."""
    if not aim.constraints:
        return aim.scoring
    scoring = aim.scoring
    resamples = scoring.resamples and not scoring.sums_rows and aim.confidence is None
    return WithinLimits(scoring, aim.constraints, aim.positive_class, resamples)


def _of(values, part):
    return None if values is None else values[part]


def _total(weight, rows):
    return len(rows.rows) if weight is None else weight.sum()


class MulticlassTuning(Tuning):
    """The thresholds of several classes."""

    def decide(self, rows):
        """Return the class numbers that the thresholds decide for."""
        return choose_classes(rows.scores, np.array(self.threshold))

    @cached_property
    def threshold(self):
        """One threshold a class, inf for one that is never chosen."""
        rows, aim = self.rows, self.aim
        if aim.selection == "exact" or aim.constraints or rows.costs is not None:
            return self._exact_threshold()
        found = select_class_thresholds(
            rows.class_numbers,
            rows.scores,
            aim.scoring.metric(None),
            aim.selection,
            sample_weight=self._weight,
            group=rows.groups,
            random_state=aim.seed,
        )
        return tuple(found.tolist())

    def _exact_threshold(self):
        rows, weight = self.rows, self._weight
        try:
            found = search_class_thresholds(
                rows.class_numbers,
                rows.scores,
                self.aim.scoring.metric(rows.costs),
                sample_weight=weight,
                fold=rows.fold if self._by_fold else None,
                start_prior=class_shares(
                    rows.class_numbers, weight, len(self.aim.classes)
                ),
                constraints=self.aim.constraints,
                n_restarts=self.aim.scoring.n_restarts,
                random_state=self.aim.seed,
            )
        except InfeasibleThresholds as error:
            raise infeasible(error, self.aim) from None
        return tuple(found.thresholds.tolist())

    @property
    def interval(self):
        """Not known of several thresholds."""
        return np.nan, np.nan

    def _score(self, rows, numbers):
        return score_of(
            rows.class_numbers,
            numbers,
            self.aim.scoring.metric(rows.costs),
            self._weights_of(rows),
            rows.fold if self._by_fold else None,
        )

    def cv_results(self):
        """Return the folds' scores at the thresholds."""
        return {"thresholds": np.array(self.threshold), "fold_scores": self.fold_scores}


def infeasible(error, aim):
    """Return the public error for thresholds that break a constraint."""
    pairs = list(zip(aim.constraints, error.attained, strict=True))
    constraint, value = max(pairs, key=lambda pair: _distance(*pair))
    name = constraint.said(aim.classes)
    said = "; ".join(f"{c.said(aim.classes)} {c.limits()}" for c in aim.constraints)
    thresholds = as_labels(error.thresholds)
    return InfeasibleConstraintError(
        f"No thresholds were found that satisfy `constraints`: {said}. {name} comes no "
        f"nearer than {value:.4g}, at the thresholds {thresholds}. Loosen a limit, or "
        "fit a classifier that separates the classes better.",
        *(name, value, thresholds),
    )


def _distance(constraint, value):
    return max(constraint.low - value, value - constraint.high)
