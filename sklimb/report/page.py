"""A report as one HTML file that works offline, on a phone and on paper.

All of a page is in the file: styles, script and pictures. What came from the data
is escaped by the templates, and the page's own policy (Content-Security-Policy)
forbids every script but ours and every request.
"""

import base64
import hashlib
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from sklimb.report.errors import InputError

__all__ = ["Section", "check_can_render", "fragment", "render_page", "source_of"]

_NEEDED = ("jinja2", "matplotlib")


class Section(NamedTuple):
    """A part of a page.

    Attributes
    ----------
    anchor : str
        The ``id`` to link to: letters, digits and hyphens.
    heading : str
    html : markupsafe.Markup
        As :func:`fragment` gives it: safe to show as it is.
    """

    anchor: str
    heading: str
    html: str


def check_can_render():
    """See that pages can be made, before any work.

    Raises
    ------
    InputError
        If a package is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f"--out: the report needs {' and '.join(missing)}, not installed here. "
            "Run: pip install 'sklimb[report]'"
        )


def render_page(title, lead, sections, *, versions, command, script=""):
    """Return a page as HTML.

    Parameters
    ----------
    title : str
    lead : str or markupsafe.Markup
        What matters most, right below the title.
    sections : iterable of Section
    versions : mapping of str to str
        Package to version.
    command : str
        The command line that made the page.
    script : str, default=""
        JavaScript of ours, with nothing of the data in it; "" for none.

    Returns
    -------
    str
        A whole HTML document; plain texts are escaped, ``Markup`` is not.

    Examples
    --------
    >>> from sklimb.report.page import Section, fragment, render_page
    >>> notes = Section("notes", "Notes", fragment("notes.html", notes=["a < b"]))
    >>> page = render_page("<T>", "Use it.", [notes], versions={}, command="sklimb")
    >>> "<title>&lt;T&gt;</title>" in page, "<li>a &lt; b</li>" in page
    (True, True)
    """
    return fragment(
        "page.html",
        title=title,
        lead=lead,
        sections=list(sections),
        versions=dict(versions),
        command=command,
        script=script,
        script_hash=_hash(script),
    )


def fragment(template, **values):
    """Return a template with its values, all texts among them escaped.

    Parameters
    ----------
    template : str
        A file in ``templates``.
    **values : object
        By the names that the template has for them.

    Returns
    -------
    markupsafe.Markup
    """
    from markupsafe import Markup

    return Markup(_environment().get_template(template).render(**values))


def source_of(name):
    """Return a file of ``templates`` as it is, such as a script.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    environment = _environment()
    return environment.loader.get_source(environment, name)[0]


@cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("sklimb.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _hash(script):
    """Return what a policy allows a script by."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
