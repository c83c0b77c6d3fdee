"""The command line that made a result."""

import shlex

__all__ = ["invocation"]


def invocation(command, arguments):
    """Return a command line that does the same again.

    Parameters
    ----------
    command : str
        Such as "compare".
    arguments : argparse.Namespace
        With ``data``; every other name is an option's. None is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> from argparse import Namespace
    >>> from sklimb.report.invocation import invocation
    >>> invocation("compare", Namespace(data="a b.csv", cv=5, require=["recall>=0.9"]))
    "sklimb compare 'a b.csv' --cv 5 --require 'recall>=0.9'"
    """
    words = ["sklimb", command, arguments.data]
    for name, value in vars(arguments).items():
        if name in ("data", "run") or value is None:
            continue
        option = "--" + name.replace("_", "-")
        for each in value if isinstance(value, list) else [value]:
            words += _given(option, each)
    return shlex.join(words)


def _given(option, value):
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    # A value such as -1 would be taken for an option.
    return [f"{option}={text}"] if text.startswith("-") else [option, text]
