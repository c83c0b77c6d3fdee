"""A decision rule in plain words."""

from sklimb.report.errors import one_line

__all__ = ["rule_in_words"]


def rule_in_words(rule):
    """Return a sentence that says how a row is decided.

    Parameters
    ----------
    rule : dict
        A ``decision_rule_``.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.rule_words import rule_in_words
    >>> rule_in_words({"classes": [0, 1], "threshold": 0.25, "pos_label": 1})
    'It calls a row positive (1) where its probability is at least 0.25.'
    """
    threshold = rule["threshold"]
    if threshold is None:
        return "It takes the class of the greatest probability."
    if not isinstance(threshold, list):
        return (
            f"It calls a row positive ({rule['pos_label']!r}) where its probability is "
            f"at least {_number(threshold)}."
        )
    each = ", ".join(
        f"{_number(value)} for {one_line(repr(label), 30)}"
        for label, value in zip(rule["classes"], threshold, strict=True)
    )
    return (
        f"It takes the class whose probability over its threshold ({each}) is greatest."
    )


def _number(threshold):
    # Of two classes a threshold above all probabilities is "never".
    return threshold if isinstance(threshold, str) else f"{threshold:.3g}"
