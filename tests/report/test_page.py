"""A page as text: what is escaped, what is inside, and that it asks for nothing."""

import base64
import hashlib
import re
from argparse import Namespace
from html.parser import HTMLParser

import pytest

from sklimb.report import InputError
from sklimb.report.invocation import invocation
from sklimb.report.page import Section, check_can_render, fragment, render_page

EVIL = "<script>alert(1)</script>"


def _page(**changed):
    notes = Section("notes", "Notes & more", fragment("notes.html", notes=[EVIL]))
    values = {"versions": {"python": "3"}, "command": f"sklimb '{EVIL}'", **changed}
    return render_page(f"of {EVIL}", f"lead {EVIL}", [notes], **values)


def test_every_text_is_escaped():
    page = _page()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5


def test_headings_are_in_order_and_each_section_is_linked():
    page = _page()
    assert [int(n) for n in re.findall(r"<h(\d)", page)] == [1, 2, 2]
    assert '<a href="#notes">Notes &amp; more</a>' in page
    assert '<section id="notes" aria-labelledby="notes-heading">' in page


def test_the_policy_allows_our_script_alone():
    script = 'document.title = "a < b";'
    page = _page(script=script)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"<script>{script}</script>" in page
    assert f"script-src 'sha256-{digest}'" in page
    assert "script-src" not in _page()


class _References(HTMLParser):
    """What a page would ask of others."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "action", "srcset", "data"):
                self.found.append(value)


def test_a_page_refers_to_itself_alone():
    page = _page()
    parser = _References()
    parser.feed(page)
    assert parser.found
    assert all(reference.startswith("#") for reference in parser.found)
    assert "url(" not in page
    assert "@import" not in page


def test_a_missing_package_is_named_before_any_work(monkeypatch):
    monkeypatch.setattr("sklimb.report.page._NEEDED", ("jinja2", "not_there"))
    with pytest.raises(InputError, match=r"needs not_there, .*'sklimb\[report\]'"):
        check_can_render()


def test_an_invocation_can_be_given_to_a_shell_again():
    arguments = Namespace(
        data="my data.csv",
        positive="-1",
        target_prior=None,
        cost_fn=0.1,
        require=["recall>=0.9", "precision[$x]>=0.1"],
        run=print,
    )
    assert invocation("compare", arguments) == (
        "sklimb compare 'my data.csv' --positive=-1 --cost-fn 0.1 "
        "--require 'recall>=0.9' --require 'precision[$x]>=0.1'"
    )
