"""How all pictures look: colours, axes, legends.

matplotlib is loaded when something is drawn, not before.
"""

from contextlib import contextmanager
from textwrap import fill
from weakref import WeakKeyDictionary

import numpy as np

from sklimb.display._loading import loaded
from sklimb.display._svg import svg_of

__all__ = [
    "COLOURS",
    "DASHES",
    "FIGURE_SIZE",
    "MARKERS",
    "axes_beneath",
    "axes_for",
    "divided",
    "drawing",
    "hatch_where",
    "legend_above",
    "name_axes",
    "next_look",
    "panels_for",
    "put_beneath",
    "shortened",
    "svg_of",
]

# Okabe and Ito's, which the colour-blind can tell apart, the darkest first; and a
# grey for what is not data.
COLOURS = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "grey": "#5F6368",
}
# Beside the colours, so that none is told by its colour alone.
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 3))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]

# What was put beneath which axes.
_beneath = WeakKeyDictionary()

FIGURE_SIZE = (5.0, 3.6)  # inches
FONT_SIZE = 9  # points
LONGEST_LABEL = 32  # characters
INCHES_PER_CHARACTER = 0.072  # of this size, on average

STYLE = {
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "legend.fontsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # labels come from data
}


# How many curves our displays have drawn into axes.
_curves_in = WeakKeyDictionary()


def next_look(ax):
    """Return how the next curve in an axes looks, unlike those before it.

    Returns
    -------
    dict
        ``color``, ``linestyle``, ``marker``, and the curve's ``number``.
    """
    number = _curves_in.get(ax, 0)
    _curves_in[ax] = number + 1
    colours = list(COLOURS.values())[: len(DASHES)]
    return {
        "color": colours[number % len(colours)],
        "linestyle": DASHES[number % len(DASHES)],
        "marker": MARKERS[number % len(MARKERS)],
        "number": number,
    }


@contextmanager
def drawing(display, axes):
    """Draw in our style meanwhile, for a display's ``plot``.

    Parameters
    ----------
    display : Display
        Given ``ax_`` and ``figure_``.
    axes : callable
        Makes the axes, one or an array.

    Yields
    ------
    matplotlib Axes or array of them
    """
    mpl = loaded("matplotlib", f"{type(display).__name__}.plot")
    with mpl.rc_context(STYLE):
        display.ax_ = axes()
        every = np.ravel(np.asarray(display.ax_, dtype=object))
        display.figure_ = every[0].figure
        yield display.ax_
        for ax in every:
            for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
                label.set_parse_math(False)  # ticks of given axes are older


def axes_for(ax, size=FIGURE_SIZE):
    """Return the axes to draw into: those given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
    size : tuple of float
        Width and height of a new figure, in inches.

    Returns
    -------
    matplotlib Axes
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.tick_params(labelsize=FONT_SIZE)  # of ticks that are made later
    return ax


def panels_for(ax, n_rows, n_columns, size=FIGURE_SIZE, **shared):
    """Return an array of axes: those given, parts of one given, or a new figure's.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of them, or None
    n_rows, n_columns : int
    size : tuple of float
        Width and height of a new figure, in inches.
    **shared
        ``sharex``, ``sharey`` and ratios of new axes, as ``pyplot.subplots`` takes
        them.

    Returns
    -------
    ndarray of shape (n_rows * n_columns,)

    Raises
    ------
    ValueError
        If there are more or fewer axes than panels, or one can't be divided.
    """
    n_panels = n_rows * n_columns
    if ax is None:
        from matplotlib import pyplot as plt

        figure = plt.figure(figsize=size, layout="constrained")
        return figure.subplots(n_rows, n_columns, squeeze=False, **shared).ravel()
    given = np.ravel(np.asarray(ax, dtype=object))
    if len(given) == n_panels:
        return given
    if len(given) > 1:
        raise ValueError(
            f"`ax` has {len(given)} axes, and there are {n_panels} panels to draw. "
            f"Give {n_panels}, or one that is divided."
        )
    return divided(given[0], n_rows, n_columns, **shared)


def divided(ax, n_rows, n_columns, **shared):
    """Return the parts that an axes' place is divided into; itself, it is hidden.

    Raises
    ------
    ValueError
        If the axes stands in no grid.
    """
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            f"`ax` stands in no grid, so it can't be divided into {n_rows} x "
            f"{n_columns} panels. Give axes of pyplot.subplots, or one for each panel."
        )
    ax.set_axis_off()
    parts = place.subgridspec(n_rows, n_columns)
    return parts.subplots(squeeze=False, **shared).ravel()


def put_beneath(ax, label, share=0.25):
    """Return new axes beneath others, which make room for them; they share x.

    Parameters
    ----------
    ax : matplotlib Axes
    label : str
        By which :func:`axes_beneath` finds them.
    share : float, default=0.25
        Of the height.
    """
    place = ax.get_subplotspec()
    if place is None:
        beneath = ax.inset_axes([0, -0.6, 1, 0.3], sharex=ax, label=label)
    else:
        parts = place.subgridspec(2, 1, height_ratios=[1 - share, share])
        ax.set_subplotspec(parts[0])
        beneath = ax.figure.add_subplot(parts[1], sharex=ax, label=label)
    ax.tick_params(labelbottom=False)
    beneath.tick_params(labelsize=FONT_SIZE)
    _beneath[ax] = beneath
    return beneath


def axes_beneath(ax, label):
    """Return the axes of a label that were put beneath others, or None."""
    beneath = _beneath.get(ax)
    return beneath if beneath is not None and beneath.get_label() == label else None


def shortened(label, longest=LONGEST_LABEL):
    """Return a label as text on one line, cut in its middle where it is too long."""
    text = " ".join(str(label).split())
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def name_axes(ax, x=None, y=None):
    """Name the axes, on several lines where a name is longer than the axis.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : str, default=None
        None leaves the name as it is.
    """
    box = ax.get_window_extent()
    for name, set_label, length in (
        (x, ax.set_xlabel, 1.1 * box.width),
        (y, ax.set_ylabel, 0.95 * box.height),
    ):
        if name is not None:
            most = max(int(length / ax.figure.dpi / INCHES_PER_CHARACTER), 10)
            lines = [fill(line, most) for line in name.splitlines()]
            set_label("\n".join(lines))


def legend_above(ax, handles=None):
    """Put the legend above the axes, where it covers no data.

    Parameters
    ----------
    ax : matplotlib Axes
    handles : list of artists, default=None
        None for all that have a label.
    """
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    if not handles:
        return
    # Of the axes' width before the layout; beyond it, there is room to the left.
    room = 0.93 * ax.get_window_extent().width, 1.2 * ax.get_window_extent().width
    most = 2 if len(handles) == 4 else min(len(handles), 3)
    for n_columns in range(most, 0, -1):
        width = _legend(ax, handles, n_columns).get_window_extent().width
        if width <= room[1]:
            side = "left" if width <= room[0] else "right"
            _legend(ax, handles, n_columns, side=side)
            return
    labels = [handle.get_label() for handle in handles]
    longest = max(int(max(map(len, labels)) * room[1] / width) - 1, 8)
    labels = [shortened(label, longest) for label in labels]
    _legend(ax, handles, 1, labels, "right")


def _legend(ax, handles, n_columns, labels=None, side="left"):
    return ax.legend(
        handles=handles,
        labels=labels or [handle.get_label() for handle in handles],
        ncols=n_columns,
        frameon=False,
        handlelength=2,
        columnspacing=1.2,
        labelspacing=0.3,
        loc=f"lower {side}",
        bbox_to_anchor=(0 if side == "left" else 1, 1.01),
        borderaxespad=0,
    )


def hatch_where(ax, edges, is_marked, label):
    """Hatch the ranges of x that are marked.

    Parameters
    ----------
    ax : matplotlib Axes
    edges : ndarray of shape (n + 1,)
        Rising ends of n ranges.
    is_marked : ndarray of shape (n,), bool
    label : str
        What it means, for the legend.

    Returns
    -------
    list of artists
    """
    steps = np.diff(np.concatenate([[0], is_marked, [0]]).astype(int))
    runs = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    return [
        ax.axvspan(
            edges[first],
            edges[last],
            facecolor="none",
            edgecolor=COLOURS["grey"],
            hatch="////",
            linewidth=0,
            alpha=0.55,
            zorder=0,
            label=label if number == 0 else None,
        )
        for number, (first, last) in enumerate(runs)
    ]
