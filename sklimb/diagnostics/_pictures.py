"""What results look like."""

import numpy as np

__all__ = ["Picture", "draw_columns"]

BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#5F6368"
MOST_BARS = 15


class Picture:
    """A result as drawn, in the form of scikit-learn's displays.

    Parameters
    ----------
    draw : callable
        Draws on the axes it is given.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(self, draw):
        self.draw = draw

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where; None for a figure of its own.

        Returns
        -------
        self
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
        self.draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def shortened(name, longest=24):
    """Return a name as it fits beside an axis, none of it taken for mathematics."""
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    text = text if len(text) <= longest else text[: longest - 3] + "..."
    return text.replace("$", r"\$")


def draw_columns(ax, checks):
    """Draw each column's own AUC, the best on top.

    Parameters
    ----------
    ax : matplotlib Axes
    checks : list of ColumnCheck
    """
    checks = sorted(checks, key=lambda check: -check.auc)[:MOST_BARS]
    places = np.arange(len(checks))[::-1]
    for place, check in zip(places, checks, strict=True):
        colour = VERMILLION if check.is_leak else BLUE
        ax.plot([0.5, check.auc], [place, place], color=colour, linewidth=2)
        marker = "D" if check.is_leak else "o"
        ax.plot(check.auc, place, marker, color=colour)
        if check.is_leak:
            ax.annotate(
                "a leak?",
                (check.auc, place),
                xytext=(-8, 4),
                textcoords="offset points",
                color=VERMILLION,
                ha="right",
            )
    ax.set_yticks(places, [shortened(check.name) for check in checks])
    ax.set_xlim(0.48, 1.02)
    ax.set_xlabel("AUC of the column alone (0.5: chance)")
