"""The axis of thresholds, and what is drawn along it."""

from dataclasses import dataclass

import numpy as np

from sklimb.display._scales import (
    CROWDED,
    check_scale,
    chosen_scale,
    places_on,
    set_probability_axis,
    set_ratio_axis,
)
from sklimb.display._style import hatch_where

__all__ = ["CutAxis", "draw_broken", "draw_choice", "draw_folds", "thinned"]

# Of the cuts, how many may lie left of the picture: those of the surest negatives.
LEFT_OUT = 0.005
# Beyond these, probabilities are told only where something is marked.
SURE = 1e-6, 1 - 1e-4
# Stretches of the axis of which each keeps up to four points of a fold's curve.
FOLD_BINS = 60
# How far the axis of one class of several reaches beyond what is marked.
FACTOR = 1e4
TINY = 1e-12


@dataclass(frozen=True)
class CutAxis:
    """An axis of thresholds.

    Attributes
    ----------
    thresholds : ndarray of shape (n_cuts,)
        Rising.
    unit : {"probability", "score", "ratio"}
    scale : {"linear", "log", "log-odds"}
    limits : tuple (low, high)
    """

    thresholds: np.ndarray
    unit: str
    scale: str
    limits: tuple

    @classmethod
    def of(cls, thresholds, unit, marks, scale="auto"):
        """Return the axis that shows thresholds, and marks among them."""
        if unit == "probability":
            scale = _scale_of_cuts(scale, thresholds, marks)
        elif check_scale(scale, "x_scale") == "auto":
            scale = "log" if unit == "ratio" else "linear"
        ends = np.array([np.quantile(thresholds, LEFT_OUT), thresholds[-1]])
        if unit == "probability":
            ends = ends.clip(*SURE)
        elif unit == "ratio":  # which knows no end
            ends = ends.clip(min(marks) / FACTOR, max(marks) * FACTOR)
        limits = _limits(min([*ends, *marks]), max([*ends, *marks]), scale, unit)
        return cls(np.asarray(thresholds), unit, scale, limits)

    def set_on(self, ax):
        """Set the x axis of matplotlib Axes."""
        if self.unit == "probability":
            set_probability_axis(ax, "x", self.scale, self.limits)
        else:
            set_ratio_axis(ax, self.scale, self.limits)

    def points(self, values, n_bins):
        """Return what is drawn of a curve: the same picture, of fewer points."""
        low, high = self.limits
        inside = slice(
            max(np.searchsorted(self.thresholds, low) - 1, 0),
            np.searchsorted(self.thresholds, high, side="right") + 1,
        )
        x, y = self.thresholds[inside], np.asarray(values)[inside]
        x, y = np.pad(x, 1), np.pad(y, 1, mode="edge")
        x[[0, -1]] = min(low, x[1]), max(high, x[-2])  # the outer gaps, to the ends
        places = places_on(self.scale, np.clip(x, low, high))
        kept = thinned(places, y, n_bins)
        return x[kept], y[kept]


def _scale_of_cuts(scale, thresholds, marks):
    """Return the scale that shows the marks among the thresholds."""
    chosen = chosen_scale(scale, thresholds, name="x_scale")
    is_hidden = any(0 < min(mark, 1 - mark) < CROWDED for mark in marks)
    linear_by_default = scale == "auto" and chosen == "linear"
    return "log-odds" if linear_by_default and is_hidden else chosen


def _limits(low, high, scale, unit):
    if scale == "linear":
        if unit == "probability":
            return 0.0, 1.0 if high > 0.5 else high
        return (low, high) if low < high else (low - 1, high + 1)
    low, high = np.clip([low, high], TINY, 1 - TINY if scale == "log-odds" else np.inf)
    return (low, high) if low < high else (low / 2, (high + 1) / 2)


def thinned(places, values, n_bins):
    """Return which points of a curve to draw so that it looks the same.

    Of each of equal stretches the first, the last, the least and the greatest value,
    so that optima stay.

    Parameters
    ----------
    places : ndarray of shape (n_points,)
        Rising, on the scale of the axis.
    values : ndarray of shape (n_points,)
    n_bins : int

    Returns
    -------
    ndarray of int
        Rising; at most ``4 * n_bins``.
    """
    if len(places) <= 4 * n_bins:
        return np.arange(len(places))
    stretch = (places[-1] - places[0]) / n_bins or 1.0
    bins = ((places - places[0]) / stretch).astype(int).clip(0, n_bins - 1)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    last = np.append(first[1:], len(bins)) - 1
    by_value = np.lexsort((values, bins))  # each bin from its least to its greatest
    return np.unique(np.concatenate([first, last, by_value[first], by_value[last]]))


def draw_folds(ax, axis, fold_scores, colour, label):
    """Draw each fold's curve, thin, and return the lines."""
    return [
        ax.plot(
            *axis.points(values, FOLD_BINS),
            color=colour,
            linewidth=0.7,
            alpha=max(0.15, min(0.4, 2 / len(fold_scores))),
            drawstyle="steps-mid",
            label=label if number == 0 else None,
        )[0]
        for number, values in enumerate(fold_scores)
    ]


def draw_choice(ax, threshold, interval, colour, said):
    """Draw the chosen cut and the band of its interval, and return both, or None."""
    if threshold is None or not np.isfinite(threshold):
        return None, None
    label = f"cut at {said(threshold)}"
    line = ax.axvline(threshold, color=colour, ls="--", linewidth=1.2, label=label)
    if interval is None or not np.isfinite(interval).all():
        return line, None
    label = f"95 %: {said(interval[0])} to {said(interval[1])}"
    return line, ax.axvspan(*interval, color=colour, alpha=0.18, lw=0, label=label)


def draw_broken(ax, axis, is_broken):
    """Hatch where constraints are broken, and return the regions."""
    if is_broken is None:
        return []
    cuts = axis.thresholds
    inner = (cuts[1:] + cuts[:-1]) / 2
    edges = np.concatenate([cuts[:1], inner, cuts[-1:]])
    # A scale of log-odds has no place for 0 and 1, and what ends there is not drawn.
    return hatch_where(ax, np.clip(edges, *axis.limits), is_broken, "constraint broken")
