"""Every example in the docstrings, the README and the docs runs."""

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest
from matplotlib import pyplot

from sklimb.__main__ import main
from tests.data import imbalanced

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "sklimb").rglob("*.py")
    if ">>>" in path.read_text()
)


@pytest.fixture(autouse=True)
def no_picture_stays_open():
    yield
    pyplot.close("all")


def blocks(page, language):
    """Return the page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_give_what_they_show(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the data file that the pages speak of."""
    X, y = imbalanced()
    rows = [
        f"{a:.4f},{b:.4f},{c:.4f},{label}"
        for (a, b, c), label in zip(X, y, strict=True)
    ]
    (tmp_path / "data.csv").write_text("a,b,c,target\n" + "\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run_in_order(page, folder):
    names = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sklimb_commands_succeed(page, folder):
    commands = {
        line.removeprefix("$ ")
        for block in blocks(page, "console")
        for line in block.splitlines()
        if line.startswith("$ sklimb ")
    }
    for command in sorted(commands):
        assert main(shlex.split(command)[1:]) == 0, command


def test_the_readme_has_an_example_of_each_kind():
    assert blocks(ROOT / "README.md", "python")
    assert blocks(ROOT / "README.md", "console")
