import os
import sys

import pytest

from sklimb.report.terminal import import_quietly

TALKS = "import os; os.write(2, b'a library talks\\n')\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package, and what to import it by."""

    def make(name, code):
        (tmp_path / f"{name}.py").write_text(code)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return make


def test_what_a_library_says_while_it_is_imported_is_not_shown(package, capfd):
    import_quietly(package("talks_at_import", TALKS))
    assert "talks_at_import" in sys.modules
    os.write(2, b"and from then on all is\n")
    assert capfd.readouterr().err == "and from then on all is\n"


def test_an_import_that_fails_is_told_with_all_that_was_said(package, capfd):
    with pytest.raises(ImportError, match="no luck"):
        import_quietly(package("fails", TALKS + "raise ImportError('no luck')"))
    assert capfd.readouterr().err == "a library talks\n"
