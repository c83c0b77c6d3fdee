"""``diagnosis.html``: what was found, for people."""

import warnings

from sklimb.display import svg_of
from sklimb.display._style import STYLE
from sklimb.report.diagnosis_words import SCALE, kind_of
from sklimb.report.errors import one_line
from sklimb.report.numbers import short
from sklimb.report.page import Section, fragment, render_page
from sklimb.report.versions import versions

__all__ = ["diagnosis_page"]

# Not wider than a phone, so that letters are large enough there.
SIZE = (4.4, 3.4)  # inches
HEADINGS = {
    "shift": "Why production is worse",
    "leakage": "Columns by themselves",
    "label_noise": "Wrong labels",
    "learning_curve": "More positives",
    "overfitting": "Training",
}


def diagnosis_page(diagnosis, dataset, command):
    """Return a diagnosis as an HTML document.

    Parameters
    ----------
    diagnosis : Diagnosis
    dataset : Dataset
    command : str
        The command line.

    Returns
    -------
    str
    """
    results = diagnosis.results
    sections = [Section("findings", "What was found", _findings(diagnosis))]
    sections += [
        Section(name.replace("_", "-"), heading, _result(heading, results[name]))
        for name, heading in HEADINGS.items()
        if name in results
    ]
    notes = [*dataset.notes, *diagnosis.notes]
    sections.append(Section("notes", "Notes", fragment("notes.html", notes=notes)))
    return render_page(
        f"Diagnosis of {one_line(dataset.name, 80)}",
        _lead(diagnosis),
        sections,
        versions=versions(),
        command=command,
    )


def _lead(diagnosis):
    how = f"{diagnosis.n_rows:,} rows, AUC {short(diagnosis.auc)} out of fold."
    if not diagnosis.findings:
        return f"Nothing was found. {how}"
    first = diagnosis.findings[0]
    return f"{first.sentence} {first.remedy} {how}"


def _findings(diagnosis):
    findings = [
        {
            "kind": kind_of(finding),
            "effect": f"{finding.effect:.2f}",
            "width": round(100 * min(finding.effect, 1)),
            "sentence": finding.sentence,
            "remedy": finding.remedy,
        }
        for finding in diagnosis.findings
    ]
    return fragment("diagnosis.html", findings=findings, scale=SCALE)


def _result(heading, result):
    from markupsafe import Markup

    with warnings.catch_warnings():
        # Of names in other scripts; the page's own text has them.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        picture = result.plot(_axes())
        # Title and description are escaped by it; letters are drawn as paths.
        svg = svg_of(picture, title=heading, description=result.sentence)
    pictures = [{"svg": Markup(svg), "title": heading}]
    return fragment("pictures.html", words=result.sentence, pictures=pictures)


def _axes():
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Not of pyplot, which keeps figures and may open windows.
    with mpl.rc_context(STYLE):
        return Figure(figsize=SIZE, layout="constrained").subplots()
