"""Packages that are loaded when they are needed, and not before."""

import importlib

__all__ = ["loaded"]


def loaded(name, caller):
    """Return an optional package, or say how to get it.

    Parameters
    ----------
    name : str
    caller : str
        What needs it.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{caller} needs {name.partition('.')[0]}, which can't be imported. "
            "Install it: pip install 'sklimb[report]'."
        ) from error
