"""Pictures as text, to stand in a page."""

import hashlib
import re
from html import escape
from io import StringIO

from sklimb.display._loading import loaded

__all__ = ["svg_of"]


def svg_of(picture, *, title, description):
    """Return a picture as the text of an SVG element, to stand in a page or a file.

    The same picture gives the same text, and its ids are its own, so that several
    can stand in one page. There are no scripts, and text is drawn as paths: it looks
    the same wherever it is seen.

    Parameters
    ----------
    picture : display that was plotted, or matplotlib Figure
    title : str
        Its name, for those who don't see it.
    description : str
        What is to be seen, in a sentence or two.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a display was not plotted yet.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sklimb.display import svg_of
    >>> figure = Figure(figsize=(2, 1))
    >>> svg_of(figure, title="Nothing", description="An empty picture.")[:23]
    '<svg role="img" aria-la'
    """
    mpl = loaded("matplotlib", "svg_of")
    figure = getattr(picture, "figure_", picture)
    if not hasattr(figure, "savefig"):
        raise ValueError(
            f"`picture`={picture!r} has nothing drawn. Call its plot() first, or give "
            "a matplotlib Figure."
        )
    file = StringIO()
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    with mpl.rc_context({"svg.hashsalt": "sklimb", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata=nothing)
    return _named(_bare(file.getvalue()), title, description)


def _bare(text):
    """Return the svg element by itself, without a style sheet for the whole page."""
    text = text[text.index("<svg") :].strip()
    return re.sub(r"\s*<style type=\"text/css\">.*?</style>", "", text, flags=re.S)


def _named(text, title, description):
    """Return the element with a title, a description, and ids of its own."""
    digest = hashlib.sha256(f"{title}{description}{text}".encode()).hexdigest()
    own = f"s{digest[:8]}"
    text = re.sub(r'\bid="', f'id="{own}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{own}-", text)
    opening = (
        f'<svg role="img" aria-labelledby="{own}-title {own}-desc" '
        'style="max-width:100%;height:auto;stroke-linejoin:round;stroke-linecap:butt" '
    )
    words = (
        f'<title id="{own}-title">{escape(title)}</title>\n'
        f'<desc id="{own}-desc">{escape(description)}</desc>\n'
    )
    head, _, rest = text.partition(">")
    return f"{opening}{head.removeprefix('<svg').strip()}>\n{words}{rest.strip()}\n"
