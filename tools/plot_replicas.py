"""Draw the table of docs/replicas.md, as docs/replicas.svg.

Run ``python tools/plot_replicas.py`` after the table has changed.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

DOCS = Path(__file__).parents[1] / "docs"
# Places of columns in the table, with colours that the colour-blind can tell apart.
STEPS = {"one thread": (2, "#0072B2", "o"), "default threads": (5, "#D55E00", "s")}
MEMORY = -1
GREY = "#555555"


def table():
    """Return the rows of the table, as lists of text."""
    lines = (DOCS / "replicas.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| replicas |"))
    rows = [line.strip("|").split("|") for line in lines[start + 2 :]]
    return [
        [cell.strip() for cell in row] for row in rows[: lines[start:].index("") - 2]
    ]


def draw(rows):
    """Return the figure."""
    copies = [int(row[0]) for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for name, (column, colour, marker) in STEPS.items():
        cost = [float(row[column]) / n for row, n in zip(rows, copies, strict=True)]
        left.plot(copies, cost, color=colour, marker=marker, label=name)
    left.set(ylabel="ms a step and replica", yscale="log", title="Time")
    left.legend(frameon=False)
    right.plot(copies, [float(row[MEMORY]) for row in rows], color=GREY, marker="o")
    right.set(ylabel="MB", ylim=0, title="Memory")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="replicas in a program")
        axes.set_xticks(copies, map(str, copies))
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yticks([0.05, 0.1, 0.2, 0.4], ["0.05", "0.1", "0.2", "0.4"])
    return figure


if __name__ == "__main__":
    mpl.rcParams |= {"svg.hashsalt": "sklimb", "font.size": 9}
    draw(table()).savefig(DOCS / "replicas.svg", metadata={"Date": None})
