"""Draw the pictures of docs/gallery.md, by running the code that stands there.

Run ``python -m tools.gallery [FOLDER]``; they go to docs/gallery, or to the folder.
Each section makes the picture of its name, wide and narrow.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

from sklimb.display import svg_of
from sklimb.display._base import Display
from sklimb.display._style import STYLE

PAGE = Path(__file__).parents[1] / "docs" / "gallery.md"
NARROW = 3.4  # inches, a phone held upright
NARROW_HEIGHTS = {"confusion_at_prior": 4.2, "history": 4.0}
HEIGHT = 3.4


class Section(NamedTuple):
    """A section of the page: code, and the picture that it makes."""

    title: str
    code: str
    name: str | None
    description: str | None


def sections(text):
    """Return the page's sections, the introduction first."""
    found = []
    for part in re.split(r"^## ", text, flags=re.M):
        code = "\n".join(re.findall(r"^```python\n(.*?)^```", part, re.M | re.S))
        image = re.search(r'<img src="gallery/(\w+)\.svg" alt="([^"]+)">', part)
        name, description = image.groups() if image else (None, None)
        found.append(Section(part.partition("\n")[0], code, name, description))
    return found


def displays_made(names, code):
    """Run code, and return the displays that it gave new names to, in order."""
    before = set(names)
    exec(compile(code, PAGE.name, "exec"), names)
    return [
        value
        for name, value in names.items()
        if name not in before and isinstance(value, Display)
    ]


def redrawn(displays, height):
    """Draw displays that share axes again, narrowly, and return the figure."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(NARROW, height), layout="constrained")
    with mpl.rc_context(STYLE):
        ax = figure.subplots()
    ax.tick_params(labelsize=STYLE["font.size"])
    for display in displays:
        display.plot(ax=ax)
    return figure


def build(folder):
    """Write all pictures into a folder, and return their names."""
    from matplotlib import pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names, written = {"__name__": "gallery"}, []
    for section in sections(PAGE.read_text()):
        displays = displays_made(names, section.code)
        if section.name is None:
            continue
        wide = displays[0].figure_
        narrow = redrawn(displays, NARROW_HEIGHTS.get(section.name, HEIGHT))
        for suffix, figure in (("", wide), ("_narrow", narrow)):
            words = {"title": section.title, "description": section.description}
            path = folder / f"{section.name}{suffix}.svg"
            path.write_text(svg_of(figure, **words))
            written.append(path.name)
        plt.close("all")
    return written


if __name__ == "__main__":
    for written in build(sys.argv[1] if len(sys.argv) > 1 else PAGE.parent / "gallery"):
        print(written)
