"""What tests of pictures look at."""

import numpy as np
from matplotlib.text import Text


def all_text(figure):
    """Return all visible texts of a figure."""
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip()
    ]


def boxes(texts):
    return [text.get_window_extent() for text in texts]


def assert_readable(figure):
    """Check that no text is clipped, small, or taken for mathematics."""
    figure.draw_without_rendering()
    page = figure.bbox
    for text in drawn_text(figure):
        box = text.get_window_extent()
        inside = (
            box.x0 >= page.x0 - 1
            and box.x1 <= page.x1 + 1
            and box.y0 >= page.y0 - 1
            and box.y1 <= page.y1 + 1
        )
        assert inside, f"{text.get_text()!r} is clipped"
        assert text.get_fontsize() >= 9, text.get_text()


def drawn_text(figure):
    """Return the texts that are in the picture: not those of ticks beyond limits."""
    found = []
    for ax in figure.axes:
        if not ax.axison:
            continue
        found += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            found += [
                tick.label1
                for tick in ticks
                if tick.label1.get_visible()
                and low - 1e-9 <= tick.get_loc() <= high + 1e-9
            ]
        if ax.get_legend() is not None:
            found += ax.get_legend().get_texts()
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def assert_legend_above(ax):
    """Check that the legend covers no data."""
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert legend.y0 >= ax.get_window_extent().y1 - 1


def steps_at(thresholds, scores, places):
    """Return a step curve's values, by the nearest threshold."""
    nearest = np.abs(np.subtract.outer(places, thresholds)).argmin(axis=1)
    return np.asarray(scores)[nearest]
