"""What the diagnostics find in a comparison's data, without any more fits."""

from sklimb.diagnostics import find_leakage, ranked
from sklimb.report.page import fragment

__all__ = ["findings"]


def findings(comparison, chosen, table):
    """Return what to look at, the greatest effect first.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome
    table : DataFrame or ndarray of n_rows rows
        As read.

    Returns
    -------
    markupsafe.Markup
    """
    options = comparison.options
    leakage = find_leakage(
        table, comparison.dataset.y, cv=options.cv, random_state=options.seed
    )
    return fragment(
        "findings.html",
        findings=ranked(leakage.findings),
        looked_at=["columns that give the answer away", "repeated rows"],
    )
