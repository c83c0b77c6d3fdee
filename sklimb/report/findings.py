"""What the diagnostics find without any more fits."""

from collections.abc import Mapping
from dataclasses import replace

from sklimb._ledger import innermost, prior_holder
from sklimb.diagnostics import (
    Finding,
    find_leakage,
    label_noise,
    overfitting,
    ranked,
)
from sklimb.report.errors import one_line
from sklimb.report.numbers import figure, percent
from sklimb.report.page import fragment
from sklimb.report.projection import confusion_of, projected

__all__ = ["findings"]

# Rows are numbered within the training part, which nobody sees.
ROWS_ELSEWHERE = (
    "Run sklimb diagnose, which names such rows. If their labels are right, the model "
    "lacks what tells them."
)
# A smaller fall of precision is not worth a line.
NOTICEABLE = 0.01


def findings(comparison, chosen):
    """Return what to look at, the greatest effect first.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    markupsafe.Markup
    """
    parts = {
        "columns that give the answer away": _leaks(comparison),
        "repeated rows": [],  # by the same
        "labels that look wrong": _wrong_labels(chosen),
        "over-fitting": _overfitting(chosen),
        "the prevalence": _prevalence(comparison, chosen),
    }
    found = [finding for part in parts.values() for finding in part or ()]
    return fragment(
        "findings.html",
        findings=ranked(found),
        looked_at=[name for name, part in parts.items() if part is not None],
    )


def _leaks(comparison):
    options, dataset = comparison.options, comparison.dataset
    leakage = find_leakage(
        dataset.raw, dataset.y, cv=options.cv, random_state=options.seed
    )
    return leakage.findings


def _wrong_labels(chosen):
    """Return findings of rows out of fold, or None where there are none."""
    holder = prior_holder(chosen.estimator, "out_of_fold_")
    if holder is None or holder.out_of_fold_.scores.ndim != 2:
        return None
    rows = holder.out_of_fold_
    noise = label_noise(rows.scores, chosen.estimator.classes_[rows.class_numbers])
    return [replace(finding, remedy=ROWS_ELSEWHERE) for finding in noise.findings]


def _overfitting(chosen):
    """Return findings of a network's history, or None where there is none."""
    network = innermost(chosen.estimator)
    if not isinstance(getattr(network, "history_", None), Mapping):
        return None
    return overfitting(network).findings


def _prevalence(comparison, chosen):
    """Return what another prevalence does to precision, or None without one."""
    options = comparison.options
    if options.positive is None or options.target_prior is None:
        return None
    place, confusion = options.positive_class, confusion_of(comparison, chosen)
    in_data = comparison.dataset.prevalence
    there = projected(confusion, comparison.prior, place).precision
    here = projected(confusion, comparison.shares_in_data, place).precision
    if not abs(here - there) > NOTICEABLE:
        return []
    name = one_line(repr(options.positive), 40)
    return [
        Finding(
            "prevalence",
            "prevalence",
            f"{percent(comparison.prevalence)} of the rows are {name} where the model "
            f"is used, and {percent(in_data)} in the data: with the same decisions "
            f"precision is {figure(there)} there, and {figure(here)} here.",
            "Judge the model by the figures of this report, which are those of there.",
            abs(here - there),
        )
    ]
