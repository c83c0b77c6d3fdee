"""What ``--out`` writes."""

import csv
import io
import json
import tempfile
from pathlib import Path

from sklimb._files import replacing
from sklimb.report.comparison_page import comparison_page
from sklimb.report.errors import InputError
from sklimb.report.page import check_can_render
from sklimb.report.table import is_best
from sklimb.report.versions import versions

__all__ = ["check_folder", "write"]


def check_folder(out):
    """Make a folder, and see that a report can be written to it, before any work.

    Parameters
    ----------
    out : str or path-like

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If it can't.
    """
    check_can_render()
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"--out: can't write to {str(folder)!r}: {error.strerror or error}."
        ) from error
    return folder


def write(folder, comparison, verdict, origin):
    """Write ``report.html``, ``comparison.csv`` and ``decision_rule.json``.

    Parameters
    ----------
    folder : Path
    comparison : Comparison
    verdict : Verdict
    origin : Origin

    Returns
    -------
    list of Path
        The files.
    """
    rule = _rule(comparison, verdict, origin.model)
    rule_text = json.dumps(rule, indent=2, allow_nan=False) + "\n"
    return [
        _replace(folder / "comparison.csv", _table(comparison, verdict)),
        _replace(folder / "decision_rule.json", rule_text),
        # Last: it takes longest, and the results are safe if it fails.
        _replace(folder / "report.html", comparison_page(comparison, verdict, origin)),
    ]


def _replace(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return path


def _table(comparison, verdict):
    """Return a line a strategy: threshold, seconds, and each measure four times."""
    text = io.StringIO()
    rows = [_row(comparison, o, o is verdict.chosen) for o in comparison.outcomes]
    rows += [_row_of_infeasible(each) for each in comparison.infeasible]
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(comparison, outcome, chosen):
    row = {
        "strategy": outcome.name,
        "use_this": int(chosen),
        "threshold": _as_cell(outcome.estimator.decision_rule_["threshold"]),
        "fit_seconds": round(outcome.seconds, 3),
    }
    if comparison.options.requirements:
        row["keeps_requirements"] = int(outcome.keeps(comparison.options.requirements))
        row["infeasible"] = ""
    for measure in comparison.measures:
        estimate = outcome.estimates[measure.key]
        low, high = estimate.interval
        row[measure.key] = estimate.value
        row[f"{measure.key}_low"] = low
        row[f"{measure.key}_high"] = high
        row[f"{measure.key}_best"] = int(is_best(comparison, outcome, measure))
    return row


def _as_cell(threshold):
    """Return a threshold as it is, those of several classes as JSON."""
    return json.dumps(threshold) if isinstance(threshold, list) else threshold


def _row_of_infeasible(infeasible):
    return {
        "strategy": infeasible.name,
        "use_this": 0,
        "fit_seconds": round(infeasible.seconds, 3),
        "keeps_requirements": 0,
        "infeasible": infeasible.why,
    }


def _rule(comparison, verdict, model):
    options = comparison.options
    return {
        "strategy": verdict.chosen.name,
        "meaning": verdict.chosen.strategy.meaning,
        "why": verdict.words,
        "decision_rule": verdict.chosen.estimator.decision_rule_,
        "costs": None if options.costs is None else options.costs._asdict(),
        "requirements": _requirements(options.requirements, verdict.chosen),
        "data": comparison.dataset.name,
        "model": model,
        "seed": options.seed,
        "cv": options.cv,
        "training_rows": comparison.n_train,
        "test_rows": comparison.n_test,
        "versions": versions(),
    }


def _requirements(requirements, chosen):
    """Return what is required, and what the test rows say of it."""
    return [
        {
            "requirement": str(requirement),
            "test_value": chosen.estimates[requirement.key].value,
            "test_interval": list(chosen.estimates[requirement.key].interval),
            "kept": chosen.keeps([requirement]),
        }
        for requirement in requirements
    ]
