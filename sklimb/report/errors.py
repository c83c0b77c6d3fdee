"""What the command line says about bad input, in one line."""

import re
from difflib import get_close_matches

__all__ = ["InputError", "did_you_mean", "one_line", "sentences_of"]


class InputError(ValueError):
    """Bad input on the command line: shown as one line, with exit code 2."""


def one_line(message, longest=400):
    r"""Return a message as a single line of printable characters.

    Parameters
    ----------
    message : object
        An error, a warning or a text.
    longest : int, default=400
        Where to cut it off, in characters.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.errors import one_line
    >>> one_line("first\n   second")
    'first second'
    """
    words = " ".join(str(message).split())
    # What came from a file must not move the cursor of a terminal.
    words = "".join(c if c.isprintable() else "?" for c in words)
    return words if len(words) <= longest else words[: longest - 3] + "..."


def did_you_mean(name, known):
    """Return a hint at the nearest known name, or an empty text.

    Parameters
    ----------
    name : str
    known : iterable of str

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.errors import did_you_mean
    >>> did_you_mean("traget", ["age", "target"])
    " Did you mean 'target'?"
    """
    nearest = get_close_matches(name, [str(other) for other in known], n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def sentences_of(caught):
    """Return warnings as one sentence each, without those for developers.

    Parameters
    ----------
    caught : list of warnings.WarningMessage

    Returns
    -------
    list of str
        Equal ones once.
    """
    for_developers = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
    messages = [
        str(warning.message)
        for warning in caught
        if not issubclass(warning.category, for_developers)
    ]
    # The rest of a message tells what to do in Python, and a label may hold a
    # full stop; each strategy's threshold is stable within another range.
    sentences = [
        re.split(r"\.\s+(?=[A-Z`])|\n|, stable within", message)[0]
        for message in messages
    ]
    return [f"{one_line(s).rstrip('.:')}." for s in dict.fromkeys(sentences)]
