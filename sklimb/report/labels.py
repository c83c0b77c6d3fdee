"""A target's labels, as people type and read them."""

from sklimb.report.errors import InputError, did_you_mean, one_line

__all__ = ["find_label", "listed_labels"]


def find_label(given, labels, option):
    """Return the label that a text stands for.

    Parameters
    ----------
    given : str
    labels : list
        The target's.
    option : str
        Where the text was given, for errors.

    Returns
    -------
    label

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> from sklimb.report.labels import find_label
    >>> find_label("1.0", [0, 1], "--positive")
    1
    """
    for label in labels:
        if str(label) == given or _as_number(label) == _as_number(given):
            return label
    hint = did_you_mean(given, map(str, labels))
    raise InputError(
        f"{option}: {given!r} is no label of the target; it has "
        f"{listed_labels(labels)}.{hint}"
    )


def _as_number(text):
    try:
        return float(text)
    except ValueError:
        return text


def listed_labels(labels, most=12):
    """Return labels as people list them, the first few of many.

    Parameters
    ----------
    labels : list
    most : int, default=12

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.labels import listed_labels
    >>> listed_labels(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    shown = [one_line(repr(label), 40) for label in labels[:most]]
    if len(labels) > most:
        shown.append(f"{len(labels) - most} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)
