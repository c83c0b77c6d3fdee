"""Which versions made a result."""

import platform
from importlib import metadata

__all__ = ["versions"]

_PACKAGES = ("sklimb", "numpy", "scikit-learn", "keras", "tensorflow")


def versions():
    """Return the versions of what results depend on.

    Returns
    -------
    dict of str to str
        Package to version, Python first.

    Examples
    --------
    >>> from sklimb.report.versions import versions
    >>> list(versions())[:2]
    ['python', 'sklimb']
    """
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # tensorflow-cpu has another name
            continue
    return found
