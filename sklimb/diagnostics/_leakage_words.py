"""What was found of columns and rows, in words."""

from dataclasses import replace

import numpy as np

from sklimb.diagnostics._findings import Finding, ranked

__all__ = [
    "condensed",
    "findings_of_columns",
    "findings_of_rows",
    "listed",
    "number",
    "quoted",
    "summary",
]

LONGEST_NAME = 50
# Fewer near copies among the rows looked at may be chance.
WORTH_TELLING = 0.002
MOST_SUBJECTS = 3
# Columns of one kind, such as constant pixels, that are told one by one.
MOST_OF_KIND = 6


def quoted(name):
    """Return a name in quotes, on one line, cut where it is long."""
    text = str(name)
    text = text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."
    return repr(text)


def number(count):
    """Return a count with separators."""
    return f"{count:,}"


def listed(names, most=MOST_SUBJECTS):
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quoted(name) for name in names[:most]) + more


def area(value):
    """Return an AUC, with as many figures as it takes to tell it from 1."""
    return f"{value:.2f}" if value < 0.985 else f"{value:.3f}"


def share(part, whole):
    """Return a share in percent."""
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return "less than 0.1 %"
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def findings_of_columns(checks, classes):
    """Yield what was found of columns.

    Parameters
    ----------
    checks : list of ColumnCheck
    classes : ndarray of shape (n_classes,)

    Yields
    ------
    Finding
    """
    for check in checks:
        if check.is_leak:
            yield _leak(check, classes)
        elif "group" in check.traits:
            yield _group_column(check)
        elif "rising" in check.traits:
            yield _row_number(check)
        elif "id" in check.traits:
            yield _id(check)
        elif "constant" in check.traits:
            yield _constant(check)


def _gini(auc):
    return float(max(0.0, 2 * auc - 1))


def _leak(check, classes):
    return Finding(
        "leakage-column",
        check.name,
        f"{_how(check, classes)} {_against_others(check)}{_rising_too(check)}",
        "Is it known when you decide? If it is written down after the outcome, or made "
        "from it, leave it out.",
        _effect_of_column(check),
    )


def _how(check, classes):
    found = check.separation
    what = quoted(check.name)
    if found.how == "missing":
        what = f"Whether {what} is missing"
    which = "tells the classes apart"
    if len(classes) > 2:
        which = f"tells {quoted(classes[found.class_number])} from the other classes"
    return f"{what} alone {which} with an AUC of {area(found.auc)}."


def _against_others(check):
    if check.others == 0.5:
        return "There is nothing else to learn from."
    return (
        f"All columns together reach {area(check.together)}, without it "
        f"{area(check.others)}."
    )


def _rising_too(check):
    return " Its values rise from row to row." if "rising" in check.traits else ""


def _effect_of_column(check):
    """Return how much the score of all columns falls without this one."""
    if check.separation is None:
        return 0.0
    together = np.fmax(check.together, check.separation.mean * check.is_leak)
    return float(max(0.0, 2 * (together - check.others)))


def _row_number(check):
    return Finding(
        "row-number",
        check.name,
        f"{quoted(check.name)} rises from row to row, as a row number or a time does; "
        f"alone it tells the classes apart with an AUC of {area(check.auc)}.",
        "Leave it out if it numbers rows. If it is a time, test on later rows.",
        _effect_of_column(check),
    )


def _id(check):
    return Finding(
        "id-column",
        check.name,
        f"{quoted(check.name)} has a value of its own in nearly every row, as an id "
        f"has; alone it tells the classes apart with an AUC of {area(check.auc)}.",
        "Leave it out: a new row has a new one.",
        _effect_of_column(check),
    )


def _group_column(check):
    return Finding(
        "group-column",
        check.name,
        f"{quoted(check.name)} identifies the groups: rows of one value are of one "
        f"group; alone it tells the classes apart with an AUC of {area(check.auc)}.",
        "Leave it out, unless rows to come are of the same groups.",
        _effect_of_column(check),
    )


def _constant(check):
    return Finding(
        "constant-column",
        check.name,
        f"{quoted(check.name)} is constant: it says nothing here.",
        "Leave it out, or see whether it was read as it should be.",
        0.0,
    )


def findings_of_rows(repeats, near, groups, aucs, n_rows):
    """Yield what was found of rows.

    Parameters
    ----------
    repeats : Repeats
    near : NearRepeats
    groups : SharedGroups or None
    aucs : tuple of float
        Of remembering copies, and near copies.
    n_rows : int

    Yields
    ------
    Finding
    """
    if repeats.n_repeats or repeats.n_across:
        yield _repeated(repeats, aucs[0], n_rows)
    if len(near.pairs) > WORTH_TELLING * max(near.n_looked_at, 1):
        yield _nearly_repeated(near, aucs[1])
    if groups is not None and groups.n_shared:
        yield _shared(groups, n_rows)


def _repeated(repeats, auc, n_rows):
    conflicting = ""
    if repeats.n_conflicting:
        conflicting = (
            f" {number(repeats.n_conflicting)} have another label than most of their "
            "copies."
        )
    return Finding(
        "repeated-rows",
        "rows",
        f"{number(repeats.n_repeats)} of {number(n_rows)} rows repeat an earlier row "
        f"with its label. In a random split {share(repeats.n_across, n_rows)} of the "
        f"test rows have a copy in training; remembering those gives an AUC of "
        f"{area(auc)}.{conflicting}",
        "Keep one of each, or keep copies on one side of a split, "
        "unless rows to come repeat as often.",
        _gini(auc),
    )


def _nearly_repeated(near, auc):
    n_near, n_looked_at = len(near.pairs), near.n_looked_at
    row = int(near.pairs[0, 0]), int(near.pairs[0, 1])
    return Finding(
        "near-repeats",
        "rows",
        f"{number(n_near)} of {number(n_looked_at)} rows looked at "
        f"({share(n_near, n_looked_at)}) are nearly copies of another row, as row "
        f"{row[0]} is of row {row[1]}; remembering those gives an AUC of {area(auc)}.",
        "See what makes them alike, and give rows of one origin a group.",
        _gini(auc),
    )


def _shared(groups, n_rows):
    return Finding(
        "shared-groups",
        "groups",
        f"A random split has rows of {number(groups.n_shared)} of "
        f"{number(groups.n_groups)} groups on both sides, for "
        f"{share(groups.n_rows, n_rows)} of the rows; remembering a group's labels "
        f"gives an AUC of {area(groups.auc)}.",
        "Split by group, with GroupKFold or StratifiedGroupKFold.",
        _gini(groups.auc),
    )


SUMMARY = {
    "leakage-column": ("looks like a leak", "look like leaks"),
    "row-number": ("rises like a row number", "rise like row numbers"),
    "id-column": ("looks like an id", "look like ids"),
    "group-column": ("identifies the groups", "identify the groups"),
    "constant-column": ("is constant", "are constant"),
    "repeated-rows": "rows are repeated",
    "near-repeats": "rows are nearly repeated",
    "shared-groups": "groups are on both sides of a random split",
}


def summary(findings, n_columns, n_rows):
    """Return a sentence on all of it."""
    columns = "column" if n_columns == 1 else "columns"
    looked_at = f"{number(n_columns)} {columns} and {number(n_rows)} rows looked at"
    parts = []
    for kind, words in SUMMARY.items():
        subjects = [finding.subject for finding in findings if finding.kind == kind]
        if subjects and isinstance(words, str):
            parts.append(words)
        elif subjects:
            parts.append(f"{listed(subjects)} {words[len(subjects) > 1]}")
    if not parts:
        return f"Nothing leaks, as far as can be seen: {looked_at}."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]} ({looked_at})."


def condensed(findings):
    """Return findings, the many columns of one kind as one.

    Parameters
    ----------
    findings : list of Finding
        Ranked.

    Returns
    -------
    list of Finding
    """
    kinds = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return ranked(each for own in kinds.values() for each in _few_of_kind(own))


def _few_of_kind(findings):
    if len(findings) <= MOST_OF_KIND:
        return findings
    first, rest = findings[: MOST_OF_KIND - 1], findings[MOST_OF_KIND - 1 :]
    names = [finding.subject for finding in rest]
    sentence = f"{len(rest)} more columns are of that kind: {listed(names)}."
    subject = f"{len(rest)} more columns"
    return [*first, replace(rest[0], subject=subject, sentence=sentence)]
