"""The axes of a reliability curve: what they reach to, and those beneath."""

import numpy as np

from sklimb.display._scales import percent
from sklimb.display._style import axes_beneath, put_beneath

__all__ = ["histogram_axes", "limits_of"]

HISTOGRAM = "histogram of predictions"
# Of the rows, how many may lie beyond each end of the picture.
LEFT_OUT = 0.005
TINY = 1e-12


def limits_of(display, scale):
    """Return the ends of both axes, for a display's numbers on a scale."""
    values = np.concatenate([display.predicted, display.observed, display.high])
    inner = values[(values > 0) & (values < 1)]
    if scale == "linear" or len(inner) == 0:
        return 0.0, 1.0 if values.max() > 0.5 else 1.05 * values.max()
    rare, usual = np.quantile(display.proba, [LEFT_OUT, 1 - LEFT_OUT])
    # Frequencies far below one row in all can't be observed.
    low = max(min(inner.min() / 1.5, rare), 0.1 / display.n_rows.sum())
    high = max(inner.max(), usual)
    low = min(low, high / 10)  # where all rows together expect less than a positive
    if scale == "log":
        return low, min(1.0, 1.5 * high)
    return low, 1 - max((1 - high) / 1.5, TINY)


def histogram_axes(ax):
    """Return the axes beneath a curve's, those of the first display in them."""
    found = axes_beneath(ax, HISTOGRAM)
    if found is not None:
        return found
    beneath = put_beneath(ax, HISTOGRAM)
    beneath.yaxis.set_major_formatter(percent)
    beneath.locator_params(axis="y", nbins=2)
    return beneath
