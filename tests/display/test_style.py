import re
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from sklimb import display as public
from sklimb.display import ReliabilityDisplay, svg_of
from sklimb.display._cells import blues, contrast, text_colour
from sklimb.display._names import at_prior, class_name, metric_label
from sklimb.display._scales import chosen_scale, even_edges, percent, share
from sklimb.display._style import (
    COLOURS,
    DASHES,
    FIGURE_SIZE,
    name_axes,
    next_look,
    panels_for,
    shortened,
)

DRAWN = {"title": "A <b>", "description": "What & where"}


@pytest.fixture
def proba():
    return np.random.default_rng(0).random(300)


@pytest.fixture
def y_true(proba):
    return np.random.default_rng(1).random(300) < proba


def test_long_names_of_axes_are_on_several_lines():
    ax = Figure(figsize=(3.4, 3)).subplots()
    name_axes(ax, "a word " * 12, "short")
    assert ax.get_xlabel().count("\n") == 2
    assert ax.get_ylabel() == "short"


def test_the_same_picture_is_the_same_text(y_true, proba):
    texts = [
        svg_of(ReliabilityDisplay.from_predictions(y_true, proba), **DRAWN)
        for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_a_picture_says_what_it_is_and_runs_nothing(y_true, proba):
    text = svg_of(ReliabilityDisplay.from_predictions(y_true, proba), **DRAWN)
    assert text.startswith('<svg role="img" aria-labelledby="')
    assert ">A &lt;b&gt;</title>" in text
    assert ">What &amp; where</desc>" in text
    for forbidden in ("<script", "<style", "<metadata", "http://matplotlib", "<?xml"):
        assert forbidden not in text
    named = re.search(r'aria-labelledby="(\S+) (\S+)"', text).groups()
    assert all(f'id="{name}"' in text for name in named)


def test_pictures_in_one_page_share_no_ids(y_true, proba):
    texts = [
        svg_of(
            ReliabilityDisplay.from_predictions(y_true, p),
            title=title,
            description="",
        )
        for title, p in (("one", proba), ("two", proba**2))
    ]
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in texts]
    assert not set(ids[0]) & set(ids[1])
    for text, own in zip(texts, ids, strict=True):
        assert len(own) == len(set(own))
        used = re.findall(r'(?:url\(#|href="#)([^)"]+)', text)
        assert used and set(used) <= set(own)


def test_what_is_not_drawn_has_no_text():
    with pytest.raises(ValueError, match="Call its plot"):
        svg_of("nothing", **DRAWN)


def test_an_empty_figure_is_a_picture():
    assert svg_of(Figure(), **DRAWN).rstrip().endswith("</svg>")


def test_texts_in_cells_stand_out():
    cmap = blues()
    assert (
        min(contrast(text_colour(cmap(x)), cmap(x)) for x in np.linspace(0, 1, 99))
        > 4.5
    )


def test_lines_stand_out_from_white():
    for name in ("blue", "vermillion", "green", "grey"):
        assert contrast(COLOURS[name], "white") >= 3
    assert contrast(COLOURS["grey"], "white") >= 4.5  # of texts


def test_no_two_lines_look_alike():
    ax = Figure().subplots()
    looks = [next_look(ax) for _ in range(7)]
    assert len({str(look["color"]) for look in looks}) == 7
    assert len({str(look["linestyle"]) for look in looks}) == len(DASHES)
    assert next_look(Figure().subplots())["number"] == 0


@pytest.mark.parametrize(
    "value, said",
    [(0.01, "1 in 100"), (1 / 101, "1 in 101"), (0.2, "20 %"), (1e-4, "1 in 10,000")],
)
def test_prevalences_are_said_in_words(value, said):
    assert share(value) == said


@pytest.mark.parametrize(
    "value, said",
    [(0.001, "0.1 %"), (0.5, "50 %"), (0.9999, "99.99 %"), (1e-6, "0.0001 %")],
)
def test_ticks_are_percent(value, said):
    assert percent(value) == said


def test_values_in_a_corner_ask_for_another_scale():
    assert chosen_scale("auto", np.linspace(0, 1, 9)) == "linear"
    assert chosen_scale("auto", np.full(9, 0.01)) == "log-odds"
    assert chosen_scale("auto", np.full(9, 0.99)) == "log-odds"
    assert chosen_scale("auto", np.array([-3.0, 0, 4])) == "linear"
    assert chosen_scale("linear", np.full(9, 0.01)) == "linear"


@pytest.mark.parametrize("scale", ["linear", "log", "log-odds"])
def test_even_edges_go_from_end_to_end(scale):
    edges = even_edges(scale, (0.001, 0.9), 10)
    np.testing.assert_allclose(edges[[0, -1]], [0.001, 0.9])
    assert (np.diff(edges) > 0).all()


def test_long_labels_keep_their_ends():
    text = shortened("a" * 30 + "\n" + "b" * 30)
    assert len(text) == 32
    assert text.startswith("aaa") and text.endswith("bbb")
    assert shortened("short\n label") == "short label"


def test_names_are_as_people_read_them():
    assert metric_label("f0.5") == "F0.5"
    assert metric_label("average_precision") == "average precision"
    assert class_name("yes") == "'yes'" and class_name(np.int64(3)) == "3"
    assert at_prior(None) == ""
    assert at_prior(np.full(3, 1 / 3)) == "at equal classes"
    assert at_prior(np.array([0.2, 0.3, 0.5])) == "at the target prior"


def test_one_axes_is_divided_and_others_are_counted():
    ax = plt.subplots()[1]
    assert len(panels_for(ax, 2, 1)) == 2
    assert not ax.axison
    with pytest.raises(ValueError, match="has 3 axes, and there are 2 panels"):
        panels_for(plt.subplots(1, 3)[1], 2, 1)
    with pytest.raises(ValueError, match="stands in no grid"):
        panels_for(plt.figure().add_axes([0, 0, 1, 1]), 2, 1)
    assert tuple(panels_for(None, 1, 2)[0].figure.get_size_inches()) == FIGURE_SIZE


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch, y_true, proba):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r"ReliabilityDisplay.plot needs matplotlib.*\[report"
    ):
        ReliabilityDisplay.from_predictions(y_true, proba)


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch, y_true, proba):
    display = ReliabilityDisplay.from_predictions(y_true, proba)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_frame needs pandas.*\[report"):
        display.to_frame()


def test_all_displays_are_public():
    names = [name for name in public.__all__ if name.endswith("Display")]
    assert len(names) == 7
    for name in names:
        assert callable(getattr(public, name).plot)
        assert callable(getattr(public, name).to_frame)
