"""What the curve of a metric against the cut is made of."""

from dataclasses import dataclass, replace

import numpy as np

from sklimb._aim import Aim, checked_limits
from sklimb._out_of_fold import OutOfFold
from sklimb._scoring import resolve_scoring
from sklimb._tuning_kinds import BinaryTuning
from sklimb._validation import as_labels, check_pos_label, is_number
from sklimb.display._cut_curves import binary_curves, class_curves
from sklimb.display._names import at_prior, class_name, metric_label, name_of_scoring
from sklimb.display._sources import given_prior
from sklimb.exceptions import InfeasibleConstraintError

__all__ = [
    "CurveSource",
    "aim_of",
    "chosen_by",
    "curve_of_cv_results",
    "known_allowed",
    "like_proba",
    "score_name",
]


@dataclass(frozen=True)
class CurveSource:
    """Scored rows, and what a decision on them is measured by.

    Attributes
    ----------
    rows : OutOfFold
    aim : Aim
    prior : ndarray of shape (n_classes,) or None
    has_proba : bool
        Whether scores are probabilities.
    pos_label : label or None
        Of several classes the one whose threshold moves.
    name : str or None
    """

    rows: OutOfFold
    aim: Aim
    prior: np.ndarray | None
    has_proba: bool
    pos_label: object = None
    name: str | None = None

    @property
    def is_binary(self):
        """Whether there are two classes."""
        return len(self.aim.classes) == 2

    @property
    def number(self):
        """The place of the class that the threshold is for."""
        if self.is_binary:
            return self.aim.positive_class
        return check_pos_label(self.pos_label, self.aim.classes)

    def best(self):
        """Return the best cut that keeps the constraints, None where none does."""
        if not self.is_binary:
            return np.ones(len(self.aim.classes))
        try:
            return BinaryTuning(self.rows, self.aim, self.prior).threshold
        except InfeasibleConstraintError:
            return None

    def parameters(self, threshold, interval=None, allowed=None):
        """Return the parameters of a display."""
        if self.is_binary:
            _check_one_number(threshold)
            curves = binary_curves(self.rows, self.aim, self.prior, allowed)
        else:
            held = self._checked(threshold)
            threshold = float(held[self.number])
            curves = class_curves(self.rows, self.aim, self.prior, held, self.number)
        return {
            **vars(curves),
            "threshold": threshold,
            "interval": interval,
            "score_name": score_name(
                name_of_scoring(self.aim.scoring),
                0 if curves.fold_scores is None else len(curves.fold_scores),
                at_prior(self.prior, self.number if self.is_binary else None),
            ),
            "threshold_name": self._threshold_name(),
            "unit": self._unit(),
            "name": self.name,
        }

    def _checked(self, threshold):
        n_classes = len(self.aim.classes)
        if threshold is None:
            return np.ones(n_classes)
        held = np.asarray(threshold, dtype=np.float64)
        if held.shape != (n_classes,) or not (held > 0).all():
            raise ValueError(
                f"`threshold`={as_labels(held)} must have a number above 0 for each of "
                f"the {n_classes} classes {as_labels(self.aim.classes)}."
            )
        return held

    def _unit(self):
        if not self.is_binary:
            return "ratio"
        return "probability" if self.has_proba else "score"

    def _threshold_name(self):
        label = class_name(self.aim.classes[self.number])
        if not self.is_binary:
            return f"threshold of {label}, the others held"
        kind = "probability" if self.has_proba else "score"
        return f"threshold on the {kind} of {label}"


def _check_one_number(threshold):
    if threshold is not None and not is_number(threshold):
        raise ValueError(
            f"`threshold`={threshold!r} must be one number, as there are two classes."
        )


def aim_of(tuned, classes, scoring, target_prior, constraints, pos_label):
    """Return the Aim and the prior of what is drawn: as tuned, but for what is given.

    Raises
    ------
    ValueError
        If a threshold was tuned for another positive class.
    """
    classes = np.asarray(classes)
    positive = check_pos_label(pos_label, classes)
    prior = given_prior(target_prior, classes, pos_label)
    if tuned is None:
        scoring = "balanced_accuracy" if scoring is None else scoring
        resolved = resolve_scoring(scoring, classes, positive)
        limits = checked_limits(constraints, classes)
        return Aim(classes, positive, resolved, constraints=limits), prior
    aim = tuned._tuning.aim
    if len(classes) == 2 and pos_label is not None and positive != aim.positive_class:
        raise ValueError(
            f"`pos_label`={pos_label!r} is not the class that the threshold was tuned "
            f"for, {as_labels(classes)[aim.positive_class]!r}. Leave it out, or tune "
            "with that `pos_label`."
        )
    if scoring is not None:
        resolved = resolve_scoring(scoring, classes, aim.positive_class)
        aim = replace(aim, scoring=resolved)
    if constraints is not None:
        limits = checked_limits(constraints, classes)
        aim = replace(aim, constraints=limits, confidence=None)
    return aim, tuned._tuning.prior if prior is None else prior


def known_allowed(tuned, target_prior):
    """Return the cuts that the tuning left, which may be fewer than keep the limits."""
    is_binary = len(tuned.classes_) == 2
    return tuned._tuning.allowed() if is_binary and target_prior is None else None


def chosen_by(estimator):
    """Return the chosen threshold and its interval, None where there is none."""
    if estimator is None:
        return None, None
    threshold = estimator.best_threshold_
    low, high = estimator.threshold_interval_
    interval = None if np.isnan(low) else (low, high)
    return (float(threshold) if is_number(threshold) else threshold), interval


def curve_of_cv_results(cv_results):
    """Return thresholds, scores and fold scores of a classifier's ``cv_results_``.

    Raises
    ------
    ValueError
        If they are no such results, or those of several classes.
    """
    names = ("thresholds", "scores", "fold_scores")
    missing = set(names) - set(cv_results)
    if missing:
        raise ValueError(
            f"`cv_results` has {sorted(cv_results)} and lacks {sorted(missing)}. Give "
            "cv_results_ of an OptimalThresholdClassifierCV of two classes with "
            "store_cv_results=True; of several classes use from_estimator."
        )
    return tuple(np.asarray(cv_results[name]) for name in names)


def like_proba(scores):
    """Tell whether all numbers lie in [0, 1]."""
    scores = np.asarray(scores, dtype=np.float64)
    return bool(scores.min() >= 0 and scores.max() <= 1)


def score_name(scoring, n_folds, prior=""):
    """Return what the axis of the metric is called."""
    name = metric_label(scoring)
    if n_folds > 1:
        name += f", mean of {n_folds} folds"
    return f"{name}\n{prior}" if prior else name
