"""Where output goes: results to stdout, progress to stderr."""

import importlib
import os
import sys
import tempfile
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from sklimb.report.table import NARROW

__all__ = ["FitProgress", "NoProgress", "import_quietly", "output", "progress_bar"]

STDERR = 2


def output():
    """Return the console for results.

    Returns
    -------
    rich.console.Console
    """
    # Text from the data must not be taken for rich's markup.
    options = {"markup": False, "highlight": False, "emoji": False}
    console = Console(**options)
    # A narrower terminal wraps lines, which is better than to lose columns.
    return console if console.width >= NARROW else Console(width=NARROW, **options)


def import_quietly(package):
    """Import a package whose libraries talk to stderr, past ``sys.stderr``.

    Parameters
    ----------
    package : str

    Raises
    ------
    ImportError
        As the import does; what was said meanwhile is said then.
    """
    if package in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), STDERR)
        try:
            importlib.import_module(package)
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, STDERR)
            os.close(kept)


class NoProgress:
    """Progress that nobody watches."""

    def start(self, n_fits):
        """Say how many fits there will be."""

    def strategy(self, name):
        """Say what is done from now on."""

    def fit(self):
        """Say that a fit begins."""


class FitProgress:
    """A progress bar that counts fits.

    Parameters
    ----------
    bar : rich.progress.Progress
    """

    def __init__(self, bar):
        self._bar = bar
        self._task = bar.add_task("reading", total=None)
        self._begun = 0

    def start(self, n_fits):
        """Say how many fits there will be.

        Parameters
        ----------
        n_fits : int
        """
        self._bar.update(self._task, total=n_fits)

    def strategy(self, name):
        """Say what is done from now on; all fits begun so far are done.

        Parameters
        ----------
        name : str
        """
        self._bar.update(self._task, description=name, completed=self._begun)

    @property
    def fit(self):
        """A function to call when a fit begins; clones share it."""

        def fit():
            self._bar.update(self._task, completed=self._begun)
            self._begun += 1

        return fit


@contextmanager
def progress_bar():
    """Show a progress bar on stderr, where that is a terminal.

    Yields
    ------
    FitProgress or NoProgress
    """
    console = Console(stderr=True, markup=False, emoji=False)
    if not console.is_terminal:
        yield NoProgress()
        return
    with RichProgress(
        TextColumn("{task.description:<36}", markup=False),
        BarColumn(bar_width=min(40, max(10, console.width - 64))),
        MofNCompleteColumn(),
        TextColumn("fits", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        yield FitProgress(bar)
