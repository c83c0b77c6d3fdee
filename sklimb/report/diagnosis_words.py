"""A diagnosis in the terminal."""

from textwrap import wrap

from rich.text import Text

from sklimb.report.errors import one_line
from sklimb.report.numbers import short

__all__ = ["SCALE", "kind_of", "show"]

SCALE = (
    "The effect goes from 0, nothing, to 1, all of the way from chance to a perfect "
    "score."
)
INDENT = 8
WIDEST = 100  # columns that are read with ease
BAR = 10


def kind_of(finding):
    """Return a finding's kind in words, and what it is about where that says more.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    str
    """
    kind = finding.kind.replace("-", " ")
    if finding.subject in (finding.kind, "rows", "labels", "groups", "training"):
        return kind
    subject = one_line(finding.subject, 40)
    is_class = finding.kind in ("few-positives", "few-test-rows")
    return f"{kind}: class {subject}" if is_class else f"{kind}: {subject}"


def show(console, diagnosis, dataset, files):
    """Print a diagnosis, the greatest effect first.

    Parameters
    ----------
    console : rich.console.Console
    diagnosis : Diagnosis
    dataset : Dataset
    files : list of Path
        What was written.
    """
    whole = not console.is_terminal  # a pipe gets each text as one line
    head = (
        f"{one_line(dataset.name, 80)}: {diagnosis.n_rows:,} rows, AUC "
        f"{short(diagnosis.auc)} out of fold."
    )
    for line in (head, *dataset.notes, *diagnosis.notes):
        console.print(line, soft_wrap=whole)
    console.print()
    for finding in diagnosis.findings:
        _show_finding(console, finding, whole)
    if diagnosis.findings:
        console.print(SCALE, soft_wrap=whole)
    else:
        console.print("Nothing was found.", style="bold")
    for path in files:
        console.print(f"Written: {path}", soft_wrap=whole)


def _show_finding(console, finding, whole):
    filled = round(BAR * min(finding.effect, 1))
    title = Text(f"{finding.effect:5.2f}   ", style="bold")
    title.append("#" * filled, style="bold")
    title.append("." * (BAR - filled) + "  ", style="dim")
    title.append(kind_of(finding), style="bold")
    console.print(title, soft_wrap=True)
    for text, style in ((finding.sentence, ""), (finding.remedy, "italic")):
        for line in _lines(one_line(text, 1000), console.width, whole):
            console.print(" " * INDENT + line, style=style, soft_wrap=True)
    console.print()


def _lines(text, width, whole):
    if whole:
        return [text] if text else []
    return wrap(text, min(width, WIDEST) - INDENT - 1)
