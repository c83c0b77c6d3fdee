"""What was found, and the form that all results share."""

from dataclasses import asdict, dataclass

__all__ = ["Finding", "Result", "frame_of", "ranked"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    kind : str
        ``"leakage-column"``, ``"row-number"``, ``"id-column"``, ``"group-column"``,
        ``"shared-groups"``, ``"repeated-rows"``, ``"near-repeats"``,
        ``"constant-column"``, ``"over-fitting"``, ``"label-noise"``,
        ``"few-positives"``, ``"few-test-rows"``, ``"prevalence"``, ``"threshold"`` or
        ``"ranking"``.
    subject : str
        What it is about, by name: a column, ``"rows"``, ``"labels"`` ...
    sentence : str
        What was seen, in plain words.
    remedy : str
        What to do, a sentence; empty where nothing needs to be done.
    effect : float
        How much of the score it explains, or may fake. All kinds are on one scale:
        0 is nothing, 1 is all of the way from chance to a perfect score.

    Examples
    --------
    >>> from sklimb.diagnostics import Finding
    >>> print(Finding("constant-column", "x", "'x' is constant.", "Leave it out.", 0.0))
    'x' is constant. Leave it out.
    """

    kind: str
    subject: str
    sentence: str
    remedy: str
    effect: float

    def __str__(self):
        return f"{self.sentence} {self.remedy}".strip()


def ranked(findings):
    """Return findings in the order of their effects, the greatest first.

    Parameters
    ----------
    findings : iterable of Finding

    Returns
    -------
    list of Finding
        Those of one effect in the order that they came in.

    Examples
    --------
    >>> from sklimb.diagnostics import Finding, ranked
    >>> small = Finding("constant-column", "x23", "x23 is constant.", "", 0.0)
    >>> great = Finding("leakage-column", "duration", "It separates.", "Drop it.", 0.6)
    >>> [finding.subject for finding in ranked([small, great])]
    ['duration', 'x23']
    """
    return sorted(findings, key=lambda finding: -finding.effect)


class Result:
    """What every result has; it prints as its sentence.

    A subclass has ``findings`` and ``sentence``, draws itself by ``_draw(ax)`` and
    tells its rows by ``_rows()``.
    """

    def __str__(self):
        return self.sentence

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where; None for a figure of its own.

        Returns
        -------
        Picture
            With ``ax_`` and ``figure_``.
        """
        from sklimb.diagnostics._pictures import Picture

        return Picture(self._draw).plot(ax)

    def to_frame(self):
        """Return the numbers as a table.

        Returns
        -------
        DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return frame_of(self._rows())

    def _rows(self):
        return [asdict(finding) for finding in self.findings]


def frame_of(rows):
    """Return dicts as a pandas frame.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "`to_frame` needs pandas, which is not installed. Run: pip install "
            "'sklimb[report]'"
        ) from error
    return pd.DataFrame(rows)
