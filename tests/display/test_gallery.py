import re

import pytest

from sklimb import display
from tests.test_public_api import check_documents, own_methods, sections
from tools import gallery

DISPLAYS = [name for name in display.__all__ if name.endswith("Display")]
LARGEST = 100_000  # bytes


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    return folder, gallery.build(folder)


def test_the_gallery_is_built_wide_and_narrow(built):
    folder, written = built
    names = [s.name for s in gallery.sections(gallery.PAGE.read_text()) if s.name]
    assert len(names) >= len(DISPLAYS)
    assert written == [f"{name}{end}.svg" for name in names for end in ("", "_narrow")]
    for name in written:
        text = (folder / name).read_text()
        assert text.startswith('<svg role="img"')
        assert len(text) < LARGEST


def test_every_display_stands_on_the_page():
    page = gallery.PAGE.read_text()
    made = " ".join(s.code for s in gallery.sections(page) if s.name)
    for name in DISPLAYS:
        assert f"{name}.from_" in made


def test_what_the_page_shows_is_there_and_small(built):
    page = gallery.PAGE.read_text()
    shown = re.findall(r'(?:src|srcset)="(gallery/\w+\.svg)"', page)
    assert sorted(path.removeprefix("gallery/") for path in shown) == sorted(built[1])
    for path in shown:
        assert 0 < (gallery.PAGE.parent / path).stat().st_size < LARGEST


def test_the_report_is_shown_wide_and_narrow_in_small_files():
    page = gallery.PAGE.read_text()
    shown = re.findall(r'(?:src|srcset)="(gallery/\w+\.png)"', page)
    assert shown == ["gallery/report_narrow.png", "gallery/report.png"]
    for path in shown:
        assert 0 < (gallery.PAGE.parent / path).stat().st_size < LARGEST


@pytest.mark.parametrize("name", DISPLAYS)
def test_docstrings_name_the_parameters(name):
    item = getattr(display, name)
    check_documents(item.__init__, item.__doc__, name)
    assert ">>>" in item.__doc__
    makers = [
        (key, getattr(item, key))
        for key, value in vars(item).items()
        if isinstance(value, classmethod)
    ]
    assert makers
    for key, method in [*makers, *own_methods(item)]:
        if "Parameters" in sections(method.__doc__):
            check_documents(method, method.__doc__, f"{name}.{key}")
