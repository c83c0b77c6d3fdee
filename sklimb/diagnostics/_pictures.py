"""What results look like."""

import numpy as np

from sklimb.display import HistoryDisplay
from sklimb.display._scales import set_plain_log_ticks
from sklimb.display._style import (
    COLOURS,
    DASHES,
    axes_for,
    drawing,
    legend_above,
    shortened,
)

__all__ = [
    "Picture",
    "draw_columns",
    "draw_findings",
    "draw_history",
    "draw_learning_curve",
    "draw_noise",
    "draw_shift",
]

MOST_BARS = 15
NAME = 22  # characters of names beside an axis
DENSITY = 40  # bins


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
        with drawing(self, lambda: axes_for(ax)) as axes:
            self.draw(axes)
        return self


def _name(label):
    """Return a name from the data as it can be drawn."""
    text = "".join(c if c.isprintable() else "?" for c in str(label))
    return shortened(text, NAME)


def draw_columns(ax, checks):
    """Draw each column's own AUC, the best on top.

    Parameters
    ----------
    ax : matplotlib Axes
    checks : list of ColumnCheck
    """
    checks = sorted(checks, key=lambda check: -check.auc)[:MOST_BARS]
    places = np.arange(len(checks))[::-1]
    for kind, label, colour, marker in (
        (False, "columns", "blue", "o"),
        (True, "leaks?", "vermillion", "D"),
    ):
        own = [
            (p, c.auc) for p, c in zip(places, checks, strict=True) if c.is_leak is kind
        ]
        if not own:
            continue
        at, values = np.transpose(own)
        ax.hlines(at, 0.5, values, color=COLOURS[colour], linewidth=2)
        ax.plot(values, at, marker, color=COLOURS[colour], label=label)
    ax.set_yticks(places, [_name(check.name) for check in checks])
    ax.set(xlim=(0.48, 1.02), xlabel="AUC of the column alone (0.5: chance)")
    legend_above(ax)


def draw_findings(ax, findings):
    """Draw the effects of findings, the greatest on top.

    Parameters
    ----------
    ax : matplotlib Axes
    findings : list of Finding
        Ranked.
    """
    shown = findings[:MOST_BARS]
    places = np.arange(len(shown))[::-1]
    effects = [finding.effect for finding in shown]
    names = [_named(finding) for finding in shown]
    ax.barh(places, effects, height=0.55, color=COLOURS["blue"])
    for place, effect in zip(places, effects, strict=True):
        ax.annotate(
            f" {effect:.2f}",
            (effect, place),
            va="center",
        )
    ax.set_yticks(places, names)
    ax.set_xlim(0, max([*effects, 0.1]) * 1.2)
    ax.set_xlabel("Effect (1: from chance to a perfect score)")
    if not shown:
        ax.text(0.5, 0.5, "Nothing was found.", transform=ax.transAxes, ha="center")


def _named(finding):
    kind = finding.kind.replace("-", " ")
    if finding.subject in (finding.kind, "rows", "labels", "groups", "training"):
        return kind
    return f"{_name(finding.subject)}\n{kind}"


def draw_history(ax, result):
    """Draw the losses, and where they part.

    Parameters
    ----------
    ax : matplotlib Axes
    result : Overfitting
    """
    losses = {"loss": result.loss.tolist()}
    if len(result.val_loss):
        losses["val_loss"] = result.val_loss.tolist()
    HistoryDisplay.from_history(losses, metrics=["loss"], ax=ax)
    if result.parts_at is not None:
        ax.axvspan(
            result.parts_at - 0.5,
            len(result.loss) + 0.5,
            facecolor=COLOURS["orange"],
            alpha=0.2,
            label="validation rises",
        )
        legend_above(ax)


def draw_learning_curve(ax, result):
    """Draw scores by number of positives, and what twice as many may give.

    Parameters
    ----------
    ax : matplotlib Axes
    result : LearningCurve
    """
    n, scores = result.n_positives, result.scores
    means = scores.mean(axis=1)
    errors = scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    ax.errorbar(
        n, means, errors, fmt="o-", color=COLOURS["blue"], capsize=3, label="measured"
    )
    last = means[-1]
    ax.plot(
        [n[-1], 2 * n[-1]],
        [last, last + result.gain],
        linestyle=DASHES[1],
        color=COLOURS["vermillion"],
        label="extrapolated",
    )
    low, high = result.gain - result.gain_low, result.gain_high - result.gain
    ax.errorbar(
        [2 * n[-1]],
        [last + result.gain],
        [[max(low, 0)], [max(high, 0)]],
        fmt="D",
        color=COLOURS["vermillion"],
        capsize=3,
    )
    ax.set_xscale("log")
    ticks = [*n.tolist(), 2 * int(n[-1])]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    label = _name(result.pos_label)
    ax.set(xlabel=f"Rows of {label} in training", ylabel=result.scoring)
    legend_above(ax)


def draw_noise(ax, result):
    """Draw how far rows speak for another label, and those that are likely wrong.

    Parameters
    ----------
    ax : matplotlib Axes
    result : LabelNoise
    """
    wrong = np.isin(result.looked_at, result.rows)
    edges = np.histogram_bin_edges(result.suspicion, DENSITY)
    for own, label, colour, hatch in (
        (~wrong, "other labels", "sky", None),
        (wrong, "look wrong", "vermillion", "//"),
    ):
        if own.any():
            ax.hist(
                result.suspicion[own],
                edges,
                label=label,
                facecolor=COLOURS[colour],
                edgecolor="white",
                hatch=hatch,
            )
    ax.set_yscale("log")
    set_plain_log_ticks(ax.yaxis, 6)
    ax.set(xlabel="Log-odds for another label", ylabel="Rows")
    legend_above(ax)


def draw_shift(ax, result):
    """Draw the parts of a fall, with their intervals.

    Parameters
    ----------
    ax : matplotlib Axes
    result : ShiftExplanation
    """
    names = {"prevalence": "prevalence", "threshold": "threshold", "rest": "ranking"}
    if result.threshold is None:
        names["rest"] = "the rest"
    parts = {names[name]: part for name, part in result.parts.items()}
    parts["fall"] = result.fall
    places = np.arange(len(parts))[::-1]
    colours = [COLOURS["blue"]] * (len(parts) - 1) + [COLOURS["grey"]]
    values = np.array([part.estimate for part in parts.values()])
    ends = np.array([[p.estimate - p.low, p.high - p.estimate] for p in parts.values()])
    ax.barh(places, values, height=0.55, color=colours)
    ax.errorbar(values, places, xerr=ends.T, fmt="none", ecolor="black", capsize=3)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(places, list(parts))
    a, b = result.sides
    ax.set_xlabel(f"Fall of {result.scoring} from {a} to {b}")
