"""What out-of-fold rows say of a decision, whatever kind of threshold takes it."""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sklimb._aim import Aim
from sklimb._out_of_fold import OutOfFold
from sklimb._validation import as_labels
from sklimb.exceptions import (
    ConstantScoresWarning,
    FewPositivesWarning,
    InfeasibleConstraintError,
)

__all__ = ["Tuning", "accepted_rows", "usable_rows", "warn_of_few_positives"]

# Below this many positives the best cut of a sample says little of the next one.
FEW_POSITIVES = 50


def accepted_rows(out_of_fold, rejection, prior):
    """Return the rows that are not rejected, and the share of those that are.

    They keep the weights that all rows have at the prior: among them the classes
    have other shares.
    """
    rejected = rejection.numbers(out_of_fold.scores) < 0
    if rejected.all():
        raise ValueError(
            f"`reject_cost`={rejection.reject_cost:g} rejects every row out of "
            "fold: nothing is left to decide. Raise it, or see whether the "
            "probabilities tell anything."
        )
    left = np.unique(out_of_fold.class_numbers[~rejected])
    if len(rejection.classes) == 2 and len(left) == 1:
        raise ValueError(
            f"`reject_cost`={rejection.reject_cost:g} rejects every row out of fold "
            f"but those of the class {rejection.classes[left[0]]!r}: nothing is left "
            "to choose a threshold by. Raise it, or see whether the probabilities "
            "tell anything."
        )
    weight = out_of_fold.weights_at(prior, by_fold=False)
    share = float(np.average(rejected, weights=weight))
    return replace(out_of_fold, sample_weight=weight).take(~rejected), share


def usable_rows(rows, aim):
    """Return the rows of folds whose scores can be told apart.

    Raises
    ------
    ValueError
        If there is no such fold, or a fold's score is asked for that has rows of
        one class only.
    """
    parts = dict(zip(rows.folds.tolist(), rows.parts(), strict=True))
    usable = [k for k in parts if _has_two_scores(k, rows.scores[parts[k]])]
    if not usable:
        raise ValueError(
            "`estimator` gives every row of a fold the same score, in every fold: no "
            "threshold can be found. See whether it trains at all (learning rate, "
            "scaled inputs, epochs), then fit again."
        )
    if aim.aggregation == "pooled":
        return rows
    if len(aim.classes) == 2:
        numbers = {k: rows.class_numbers[parts[k]] for k in usable}
        _check_both_classes(numbers, rows.n_folds, aim)
    return rows if len(usable) == len(parts) else rows.take(np.isin(rows.fold, usable))


def _check_both_classes(numbers, n_folds, aim):
    one_class = [k for k in numbers if np.ptp(numbers[k]) == 0]
    if not one_class:
        return
    if aim.rejection is None:
        cause, remedy = "gives", "Use stratified folds"
    else:
        cause, remedy = (
            "and `reject_cost` leave",
            "Raise `reject_cost`, use other folds",
        )
    raise ValueError(
        f"`cv` {cause} the folds {one_class} of {n_folds} test rows of one class "
        f"only, which have no score of their own. {remedy}, or fewer, or "
        "aggregation='pooled'."
    )


def _has_two_scores(fold, scores):
    if np.any(scores != scores[:1]):
        return True
    warnings.warn(
        f"Fold {fold}: the estimator gives all {len(scores)} rows the score "
        f"{np.ravel(scores[0])[-1]:.6g}, so that no threshold can be told apart. The "
        "fold is left out; see whether the model trains at all.",
        ConstantScoresWarning,
        stacklevel=2,
    )
    return False


@dataclass(frozen=True)
class Tuning:
    """What out-of-fold rows say of a decision; each answer is worked out once.

    Attributes
    ----------
    rows : OutOfFold
        Those that are decided.
    aim : Aim
    prior : ndarray of shape (n_classes,) or None
    reject_rate : float or None
        The share of rows that are not.
    """

    rows: OutOfFold
    aim: Aim
    prior: np.ndarray | None
    reject_rate: float | None = None

    @property
    def _by_fold(self):
        return self.aim.aggregation == "mean"

    def _weights_of(self, rows):
        return rows.weights_at(self.prior, self._by_fold)

    @cached_property
    def _weight(self):
        return self._weights_of(self.rows)

    @cached_property
    def score(self):
        """The score at the threshold, on the rows that chose it."""
        return self._score(self.rows, self.decide(self.rows))

    @cached_property
    def fold_scores(self):
        """Each fold's score at the threshold."""
        numbers = self.decide(self.rows)
        return np.array(
            [self._score(self.rows.take(k), numbers[k]) for k in self.rows.parts()]
        )

    @cached_property
    def nested_score(self):
        """The score of rows by thresholds that the other folds' rows chose.

        nan where no fold's rows can be decided so.
        """
        rows = self.rows.dealt()
        numbers = np.full(len(rows.rows), -1)
        for k in rows.folds:
            others = replace(self, rows=rows.without_fold(k))
            own = rows.fold == k
            if others._can_choose() and self._can_score(rows.take(own)):
                numbers[own] = others._decided_or_not(rows.take(own))
        decided = numbers >= 0
        if not decided.any():
            return np.nan
        return self._score(rows.take(decided), numbers[decided])

    def _decided_or_not(self, rows):
        try:
            return self.decide(rows)
        except InfeasibleConstraintError:
            return np.full(len(rows.rows), -1)

    def _of_fold(self, fold):
        """Return what one fold's rows say by themselves."""
        aim = replace(self.aim, selection="exact", constraints=())
        return replace(self, rows=self.rows.of_fold(fold), aim=aim)

    def _can_choose(self):
        """Tell whether all classes are there to choose by."""
        found = np.unique(self.rows.class_numbers)
        return len(found) == len(self.aim.classes)

    def _can_score(self, rows):
        return not self._by_fold or len(np.unique(rows.class_numbers)) > 1

    @cached_property
    def fold_thresholds(self):
        """Each fold's own best threshold; nan for a fold that can't be used."""
        found = np.full((self.rows.n_folds, *np.shape(self.threshold)), np.nan)
        for k in self.rows.folds:
            fold = self._of_fold(k)
            if fold._can_choose():
                found[k] = fold.threshold
        return found


def warn_of_few_positives(out_of_fold, tuning):
    """Warn where the positive class, or any of several, has few rows.

    Warns
    -----
    FewPositivesWarning
        With the number of rows, and the threshold's range where it is known.
    """
    aim = tuning.aim
    numbers, two = out_of_fold.class_numbers, len(aim.classes) == 2
    counts = np.bincount(numbers, minlength=len(aim.classes))
    rarest = aim.positive_class if two else int(np.argmin(counts))
    # Folds that overlap have a row several times.
    n_rows = len(np.unique(out_of_fold.rows[numbers == rarest]))
    if n_rows >= FEW_POSITIVES:
        return
    warnings.warn(
        f"The threshold rests on {n_rows} rows of the "
        f"{'positive ' if two else ''}class {as_labels(aim.classes)[rarest]!r}; with "
        f"fewer than {FEW_POSITIVES} it is a rough guess{_said_range(tuning)}. Look at "
        "`fold_thresholds_` for its spread.",
        FewPositivesWarning,
        stacklevel=5,
    )


def _said_range(tuning):
    low, high = tuning.interval
    return "" if np.isnan(low) else f", stable within {low:.4g} and {high:.4g}"
