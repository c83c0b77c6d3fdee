"""``report.html``: a comparison for people, from the advice to the versions."""

import json

from sklimb.report.aims import COST
from sklimb.report.errors import one_line
from sklimb.report.findings import findings
from sklimb.report.heading import heading
from sklimb.report.numbers import figure, percent, short
from sklimb.report.page import Section, fragment, render_page, source_of
from sklimb.report.pictures import reliabilities, threshold_curves
from sklimb.report.rule_code import loading_code, training_code
from sklimb.report.strategies_table import strategies_table
from sklimb.report.versions import versions
from sklimb.report.what_if import what_if
from sklimb.thresholds import rule_in_words

__all__ = ["comparison_page"]

# Measures of several classes at the top.
SHOWN = 4


def comparison_page(comparison, verdict, origin):
    """Return the report of a comparison as an HTML document.

    Parameters
    ----------
    comparison : Comparison
    verdict : Verdict
    origin : Origin

    Returns
    -------
    str
    """
    return render_page(
        f"Which strategy for {one_line(comparison.dataset.name, 80)}?",
        fragment("lead.html", verdict=verdict, facts=_facts(comparison, verdict)),
        _sections(comparison, verdict.chosen),
        versions=versions(),
        command=origin.command,
        script=source_of("what_if.js"),
    )


def _sections(comparison, chosen):
    sections = [
        Section("data", "Data, and where it is used", _data(comparison)),
        Section("strategies", "Strategies", strategies_table(comparison, chosen)),
        Section("notes", "To keep in mind", _notes(comparison)),
        Section("prevalence", "At another prevalence", what_if(comparison, chosen)),
        Section("threshold", "Threshold", threshold_curves(comparison, chosen)),
        Section("reliability", "Probabilities", reliabilities(comparison, chosen)),
        Section("findings", "What to look at", findings(comparison, chosen)),
        Section("rule", "Decision rule", _rule(chosen)),
        Section("load", "How to use it", _load(comparison, chosen)),
    ]
    return [section for section in sections if section.html]


def _facts(comparison, verdict):
    """Return what the chosen strategy reaches, the aim first."""
    aim = comparison.aim
    shown = [aim, *(m for m in comparison.measures if m.key != aim.key)][:SHOWN]
    if comparison.options.positive is not None:
        rates = [m for m in comparison.measures if m.key in ("precision", "recall")]
        shown = list({m.key: m for m in [aim, *rates]}.values())
    return [_fact(m, verdict.chosen.estimates[m.key]) for m in shown]


def _fact(measure, estimate):
    as_text = figure if measure.key == COST else short  # costs are in any unit
    low, high = map(as_text, estimate.interval)
    value = as_text(estimate.value)
    return {"title": measure.title, "value": value, "low": low, "high": high}


def _data(comparison):
    positive = comparison.options.positive
    counts = comparison.dataset.counts
    classes = [
        {
            "label": one_line(label, 40),
            "rows": rows,
            "test_rows": int((comparison.y_test == label).sum()),
            "share": percent(rows / len(comparison.dataset.y)),
            "target": percent(share),
        }
        for (label, rows), share in zip(counts.items(), comparison.prior, strict=True)
    ]
    if positive is not None and comparison.options.positive_class == 1:
        classes.reverse()
    return fragment(
        "data.html",
        lines=list(heading(comparison)),
        classes=classes,
        positive_first=positive is not None,
    )


def _notes(comparison):
    notes = comparison.notes
    return fragment("notes.html", notes=notes) if notes else ""


def _rule(chosen):
    rule = chosen.estimator.decision_rule_
    return fragment("rule.html", words=rule_in_words(rule), rule=_as_json(rule))


def _as_json(rule):
    """Return a mapping as JSON with a line for each name."""
    lines = [f"  {_dumped(name)}: {_dumped(value)}" for name, value in rule.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _dumped(value):
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def _load(comparison, chosen):
    return fragment(
        "load.html",
        load=loading_code(),
        train=training_code(chosen.strategy, comparison.options),
    )
