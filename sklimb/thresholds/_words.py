"""A decision rule in plain words."""

__all__ = ["rule_in_words"]

LONGEST_LABEL = 30


def rule_in_words(rule, decided_on="probability"):
    """Return a sentence or two that say how a row is decided.

    Parameters
    ----------
    rule : dict
        What :meth:`ThresholdRule.to_dict` gives, or a ``decision_rule_``.
    decided_on : str, default="probability"
        What a single threshold is compared with.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.thresholds import ThresholdRule
    >>> from sklimb.thresholds._words import rule_in_words
    >>> rule_in_words(ThresholdRule([0, 1], threshold=0.25).to_dict())
    'It calls a row positive (1) where its probability is at least 0.25.'
    """
    rejection = _rejection(rule)
    choice = _choice(rule, decided_on)
    return f"{choice} {rejection}" if rejection else choice


def _choice(rule, decided_on):
    threshold = rule["threshold"]
    if threshold is None and rule["cost_matrix"] is not None:
        return "It takes the class of the least expected cost."
    if threshold is None:
        return "It takes the class of the greatest probability."
    if not isinstance(threshold, list):
        return (
            f"It calls a row positive ({_label(rule['pos_label'])}) where its "
            f"{decided_on} is at least {_number(threshold)}."
        )
    each = ", ".join(
        f"{_number(value)} for {_label(label)}"
        for label, value in zip(rule["classes"], threshold, strict=True)
    )
    return (
        f"It takes the class whose probability over its threshold ({each}) is greatest."
    )


def _rejection(rule):
    if rule["reject_cost"] is None:
        return None
    if rule["cost_matrix"] is None:
        rows = f"whose greatest probability is below {1 - rule['reject_cost']:.3g}"
    else:
        rows = f"whose least expected cost is above {rule['reject_cost']:.3g}"
    return f"It leaves rows {rows} undecided ({_label(rule['reject_label'])})."


def _label(label):
    shown = " ".join(repr(label).split())
    if len(shown) <= LONGEST_LABEL:
        return shown
    return shown[: LONGEST_LABEL - 1] + "…"


def _number(threshold):
    # Of two classes a threshold above all probabilities is "never".
    return threshold if isinstance(threshold, str) else f"{threshold:.3g}"
