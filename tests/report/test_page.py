"""A page as text: what is escaped, what is inside, and that it asks for nothing."""

import base64
import hashlib
import json
import re
from argparse import Namespace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklimb.report import InputError
from sklimb.report.invocation import invocation
from sklimb.report.page import Section, check_can_render, fragment, render_page
from tests.data import imbalanced
from tests.report.evil import FILE, IMAGE, SCRIPT, write_reports

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


class _Page(HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evil")
    write_reports(folder)
    return folder


@pytest.fixture(params=["two", "several"])
def path(request, folder):
    return folder / request.param / "report.html"


def test_names_from_the_data_are_text_wherever_they_appear(path):
    page = _Page(path)
    kinds = [script.get("type") for script in page.all("script")]
    assert kinds == ["application/json", None]
    assert not page.all("img")
    assert not page.all("b")
    assert not any(name.startswith("on") for _, found in page.tags for name in found)
    assert IMAGE in page.text


def test_file_columns_and_labels_are_named_as_they_are(folder):
    text = _Page(folder / "two" / "report.html").text
    assert f"Which strategy for {FILE}?" in text
    assert f"Not used: {SCRIPT} again (constant)." in text
    findings = text[text.index("What has the greatest effect") :]
    assert f"{SCRIPT} again" in findings
    assert f"called {IMAGE}" in text


def test_a_report_is_whole_small_and_asks_for_nothing(path):
    page = _Page(path)
    references = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "srcset", "data", "style")
    ]
    assert not any("//" in str(reference) for reference in references)
    assert path.stat().st_size < 500_000


def test_ids_are_unique_and_what_refers_to_them_finds_them(path):
    page = _Page(path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert set((attributes.get(name) or "").split()) <= set(ids), tag
    anchors = {a["href"][1:] for a in page.all("a")}
    assert anchors <= set(ids)


def test_pictures_have_a_name_and_a_description(path):
    pictures = _Page(path).all("svg")
    assert len(pictures) >= 2
    for picture in pictures:
        assert picture["role"] == "img"
        assert len(picture["aria-labelledby"].split()) == 2


def test_parts_that_were_asked_for_are_there(path):
    headings = re.findall(r"<h2[^>]*>([^<]*)</h2>", path.read_text(encoding="utf-8"))
    assert headings == [
        "Data, and where it is used",
        "Strategies",
        "To keep in mind",
        "At another prevalence",
        "Threshold",
        "Probabilities",
        "What to look at",
        "Decision rule",
        "How to use it",
        "How this was made",
    ]


def _code_after(page, label):
    """Return the text of the block that has a label."""
    found = re.search(rf'aria-label="{label}"><code>(.*?)</code>', page, re.S)
    return unescape(found[1])


def test_the_rule_is_loaded_by_the_code_that_is_shown(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    code = _code_after(path.read_text(encoding="utf-8"), "Python: load the rule")
    rule = json.loads(Path("decision_rule.json").read_text())["decision_rule"]
    proba = np.random.default_rng(0).dirichlet(np.ones(len(rule["classes"])), 50)
    names = {"proba": proba}
    exec(code, names)
    assert (names["decide"](proba) == names["labels"]).all()
    assert set(names["labels"]) <= set(rule["classes"])
    assert names["decide"].to_dict().items() <= rule.items()


def test_the_strategy_is_trained_by_the_code_that_is_shown(folder):
    page = (folder / "several" / "report.html").read_text(encoding="utf-8")
    X, y = imbalanced(600)
    y = np.where(X[:, 2] > 1, 2, y)
    names = {"classifier": LogisticRegression(), "X": X, "y": y}
    exec(_code_after(page, "Python: train the strategy"), names)
    assert len(names["model"].decision_rule_["threshold"]) == 3
