"""What a fall is explained from: labels, scores and groups, checked."""

import numpy as np

from sklimb._validation import is_number
from sklimb.thresholds import metric_function, multiclass_metric

__all__ = [
    "check_enough",
    "check_numbers",
    "checked_groups",
    "checked_score",
    "cut_between",
    "metric_named",
]

FEWEST_ROWS = 4  # of a class, to choose and score a cut on


def metric_named(scoring, n_classes):
    """Return the metric that is meant, of confusion counts or matrices."""
    if callable(scoring) and n_classes == 2:
        return scoring
    try:
        if n_classes == 2:
            return metric_function(scoring)
        return multiclass_metric(scoring, n_classes).of_confusion
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`scoring`={scoring!r} is no metric of the confusion counts, which alone "
            f"can be split. {error}"
        ) from error


def cut_between(score, called, estimator):
    """Return the threshold of decisions, in the gap between scores."""
    if not called.any():
        return float(np.nextafter(score.max(), np.inf))
    lowest = score[called].min()
    if called.all():
        return float(lowest)
    below = score[~called].max()
    if below >= lowest:
        raise ValueError(
            f"`estimator`={type(estimator).__name__} calls rows of a score of "
            f"{lowest:.6g} positive and others of {below:.6g} not: its decisions are "
            "no cut of its scores. Give a classifier without rejection or costs of "
            "rows, or use explain_shift_from_predictions."
        )
    middle = below + (lowest - below) / 2
    return float(middle if middle > below else lowest)


def check_numbers(threshold, level, n_resamples):
    """Raise where one of them is not valid."""
    if not is_number(threshold) or not np.isfinite(threshold):
        raise ValueError(f"`threshold`={threshold!r} must be a finite number.")
    if not is_number(level) or not 0 < level < 1:
        raise ValueError(f"`level`={level!r} must lie between 0 and 1, as 0.95 does.")
    if not isinstance(n_resamples, int | np.integer) or n_resamples < 100:
        raise ValueError(
            f"`n_resamples`={n_resamples!r} must be a whole number from 100 on."
        )


def checked_score(name, score, y):
    """Return scores as an array, one for each label."""
    score = np.asarray(score, dtype=np.float64)
    if score.shape != y.shape:
        raise ValueError(
            f"`{name}` has shape {score.shape}; expected {y.shape}, one score a row."
        )
    if not np.isfinite(score).all():
        raise ValueError(f"`{name}` has nan or infinite values.")
    return score


def checked_groups(groups, labels):
    """Return the groups of A and B as arrays, or None."""
    checked = []
    for name, group, y in zip(("groups_a", "groups_b"), groups, labels, strict=True):
        if group is not None:
            group = np.asarray(group)
            if group.shape != y.shape:
                raise ValueError(
                    f"`{name}` has shape {group.shape}; expected {y.shape}, one a row."
                )
        checked.append(group)
    return checked


def check_enough(positives):
    """Raise where a side has too few rows of a class."""
    for name, positive in zip("ab", positives, strict=True):
        n_positive = int(np.count_nonzero(positive))
        fewest = min(n_positive, len(positive) - n_positive)
        if fewest < FEWEST_ROWS:
            raise ValueError(
                f"`y_{name}` has {n_positive} positives and "
                f"{len(positive) - n_positive} others; a cut is chosen on some rows "
                f"and scored on others, which takes {FEWEST_ROWS} of each at least."
            )
