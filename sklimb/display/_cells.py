"""Tables drawn as coloured cells with numbers that stand out."""

import numpy as np

from sklimb.display._style import COLOURS

__all__ = [
    "blues",
    "contrast",
    "draw_cells",
    "label_cells",
    "slant_where_tight",
    "text_colour",
    "write_beside",
]

LIGHT, DARK = "#FFFFFF", "#000000"


def blues():
    """Return the colours from white to the darkest blue, as a matplotlib colormap."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(
        "sklimb", ["#F7FBFF", COLOURS["sky"], COLOURS["blue"], "#00406B"]
    )


def contrast(first, second):
    """Return the contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted([_luminance(first), _luminance(second)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def text_colour(background):
    """Return black or white, whichever stands out more."""
    return max((DARK, LIGHT), key=lambda colour: contrast(colour, background))


def draw_cells(ax, values, texts, low, high):
    """Draw cells of values between two ends, with texts; nan is hatched.

    Parameters
    ----------
    ax : matplotlib Axes
    values : ndarray of shape (n_rows, n_columns)
        The first row stands at the top.
    texts : list of list of str, or None
    low, high : float

    Returns
    -------
    mesh : matplotlib QuadMesh
    texts : ndarray of shape (n_rows, n_columns)
        The texts as artists; None where there are none.
    """
    cmap = blues()
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=cmap,
        vmin=low,
        vmax=high if high > low else low + 1,
        edgecolors="white",
        linewidth=1,
    )
    artists = np.full(values.shape, None, dtype=object)
    for row, column in np.ndindex(values.shape):
        if np.isnan(values[row, column]):
            _hatch_cell(ax, row, column)
        elif texts is not None:
            colour = text_colour(cmap(mesh.norm(values[row, column])))
            artists[row, column] = _write(
                ax, row, column, texts[row][column], color=colour
            )
    ax.set_xlim(0, values.shape[1])
    ax.set_ylim(values.shape[0], 0)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return mesh, artists


def _hatch_cell(ax, row, column):
    from matplotlib.patches import Rectangle

    grey = COLOURS["grey"]
    cell = Rectangle((column, row), 1, 1, facecolor="none", edgecolor=grey, linewidth=0)
    cell.set_hatch("////")
    ax.add_patch(cell)


def _write(ax, row, column, text, **settings):
    return ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", **settings)


def write_beside(ax, row, column, text):
    """Write a text in a cell of its own, beside the others."""
    return _write(ax, row, column, text, color=COLOURS["grey"])


def label_cells(ax, columns, rows):
    """Name columns and rows.

    Parameters
    ----------
    ax : matplotlib Axes
    columns, rows : list of str
    """
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)


def slant_where_tight(ax, n_columns):
    """Slant the names of columns that are wider than these, once laid out.

    Parameters
    ----------
    ax : matplotlib Axes
    n_columns : int
        That share the width, those without a name as well.
    """
    room = 0.95 * ax.get_window_extent().width / n_columns
    labels = ax.get_xticklabels()
    if any(label.get_window_extent().width > room for label in labels):
        for label in labels:
            label.set(rotation=35, ha="right", rotation_mode="anchor")
