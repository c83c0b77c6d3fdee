"""Axes of probabilities and prevalences: linear, logarithmic, or of log-odds."""

import numpy as np

from sklimb.display._style import COLOURS

__all__ = [
    "CROWDED",
    "SCALES",
    "check_scale",
    "chosen_scale",
    "even_edges",
    "mark_prevalence",
    "percent",
    "places_on",
    "scale_of",
    "set_plain_log_ticks",
    "set_probability_axis",
    "set_ratio_axis",
    "share",
]

SCALES = ("auto", "linear", "log", "log-odds")

# Inches between ticks of an upright axis.
ROOM = 0.35

# Half of all values beyond this lie in a corner that a linear axis hides.
CROWDED = 0.05

DECADES = 10.0 ** np.arange(-12, 0)
COARSE = np.concatenate([DECADES, [0.5], 1 - DECADES[::-1]])
TENTHS = np.arange(1, 10) / 10
FINE = np.unique(
    np.round(np.concatenate([2 * DECADES, 5 * DECADES, TENTHS, COARSE]), 12)
)
FINE_ODDS = np.unique(np.round(np.concatenate([FINE, 1 - FINE]), 12))


def check_scale(scale, name="scale"):
    """Return a scale's name.

    Raises
    ------
    ValueError
        If it is not one of ``SCALES``.
    """
    if scale not in SCALES:
        raise ValueError(f"`{name}`={scale!r} is not known; give one of {SCALES}.")
    return scale


def chosen_scale(scale, values, crowded="log-odds", name="scale"):
    """Return the scale of an axis, for "auto" by where half of its values lie.

    Parameters
    ----------
    scale : {"auto", "linear", "log", "log-odds"}
    values : ndarray
        What the axis shows.
    crowded : str, default="log-odds"
        The scale of values that crowd at an end of [0, 1].
    name : str, default="scale"
        The parameter's name in errors.
    """
    if check_scale(scale, name) != "auto":
        return scale
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 0 or values.min() < 0 or values.max() > 1:
        return "linear"
    middle = np.median(values)
    return crowded if min(middle, 1 - middle) < CROWDED else "linear"


def scale_of(ax):
    """Return the scale of the x axis that was set."""
    own = ax.get_xscale()
    return "log-odds" if own == "logit" else own


def places_on(scale, values):
    """Return where values lie on a scale, in its own unit."""
    if scale == "linear":
        return values
    return np.log(values) - np.log1p(-values) if scale == "log-odds" else np.log(values)


def even_edges(scale, limits, n_bins):
    """Return the edges of bins that look equally wide on a scale."""
    places = np.linspace(*places_on(scale, np.array(limits)), n_bins + 1)
    if scale == "linear":
        return places
    return 1 / (1 + np.exp(-places)) if scale == "log-odds" else np.exp(places)


def percent(value, position=None):
    """Return a share as a text such as "0.1 %"."""
    return f"{100 * value:.12g} %"


def share(value):
    """Return a prevalence as a text such as "1 in 1,000", or "20 %" from 5 % on."""
    if value >= CROWDED or value <= 0:
        return f"{100 * value:.3g} %"
    return f"1 in {float(f'{1 / value:.3g}'):,.0f}"


def mark_prevalence(ax, word, prevalence, dashes):
    """Mark a prevalence on the x axis, and return the line; None for None."""
    if prevalence is None:
        return None
    line = ax.axvline(prevalence, color=COLOURS["grey"], ls=dashes, lw=1.2)
    line.set_label(f"{word} {share(prevalence)}")
    return line


def set_probability_axis(ax, which, scale, limits):
    """Set an axis of probabilities: its scale, its limits, and ticks in percent.

    Parameters
    ----------
    ax : matplotlib Axes
    which : "x" or "y"
    scale : {"linear", "log", "log-odds"}
    limits : tuple (low, high)
        The ends, in (0, 1) for log-odds.
    """
    axis = getattr(ax, f"{which}axis")
    names = {"log-odds": "logit", "log": "log", "linear": "linear"}
    getattr(ax, f"set_{which}scale")(names[scale])
    getattr(ax, f"set_{which}lim")(*limits)
    axis.set_minor_locator(_ticker().NullLocator())
    if scale == "linear":
        axis.set_major_locator(_ticker().MaxNLocator(5))
    else:
        axis.set_major_locator(_ticker().FixedLocator(_ticks(ax, which, scale, limits)))
    axis.set_major_formatter(percent)


def set_ratio_axis(ax, scale, limits):
    """Set an x axis of scores or of ratios, with plain numbers at its ticks."""
    ax.set_xscale(scale)
    ax.set_xlim(*limits)
    if scale == "log":
        inches = ax.get_window_extent().width / ax.figure.dpi
        set_plain_log_ticks(ax.xaxis, max(3, int(inches)))


def set_plain_log_ticks(axis, most):
    """Set ticks of a logarithmic axis, with plain numbers."""
    low, high = axis.get_view_interval()
    subs = (1.0,) if high > 100 * low else (1.0, 2.0, 5.0)
    axis.set_major_locator(_ticker().LogLocator(subs=subs, numticks=most))
    axis.set_minor_locator(_ticker().NullLocator())
    axis.set_major_formatter(_plain)


def _plain(value, position=None):
    return f"{value:g}".replace("e-0", "e-")


def _ticker():
    from matplotlib import ticker

    return ticker


def _ticks(ax, which, scale, limits):
    """Return as many round probabilities as there is room for."""
    low, high = limits
    tables = {"log": (DECADES, FINE), "log-odds": (COARSE, FINE_ODDS)}[scale]
    for table in tables:
        ticks = table[(table >= low * (1 - 1e-9)) & (table <= high * (1 + 1e-9))]
        if len(ticks) >= 3:
            break
    extent = ax.get_window_extent()
    inches = (extent.width if which == "x" else extent.height) / ax.figure.dpi
    start, end = places_on(scale, np.array(limits))
    places = (places_on(scale, ticks) - start) / (end - start) * inches
    room = [_room(tick) if which == "x" else ROOM for tick in ticks]
    return ticks[_apart(places, [_digits(tick) for tick in ticks], room)]


def _room(tick):
    """Return the inches that a tick's label needs beside others."""
    return 0.08 * len(percent(tick)) + 0.12


def _apart(places, digits, room):
    """Return which places to keep so that they lie apart: the roundest first."""
    kept = []
    middle = np.mean(places) if len(places) else 0
    for number in np.lexsort((np.abs(places - middle), digits)):
        if all(
            abs(places[number] - places[k]) >= (room[number] + room[k]) / 2
            for k in kept
        ):
            kept.append(number)
    return sorted(kept)


def _digits(tick):
    """Return how many digits a tick has that tell anything."""
    rest = f"{min(tick, 1 - tick):.3e}"
    return len(rest.partition("e")[0].strip("0.").replace(".", "")) + (
        rest[0] not in "15"
    )
