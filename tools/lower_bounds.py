"""Print every dependency of pyproject.toml pinned to its lower bound.

``make test-oldest`` installs the result, so that the floors are declared in
one place and stood on.
"""

import re
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10: pip carries the same parser
    from pip._vendor import tomli as tomllib

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lower_bounds(extras):
    """Return the core and the extras' requirements, ``>=`` turned into ``==``."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    groups = [project["dependencies"]]
    groups += [project["optional-dependencies"][extra] for extra in extras]
    requirements = [r for group in groups for r in group if not r.startswith("sklimb")]
    return [
        re.sub(r"^([\w.-]+)>=", r"\1==", requirement) for requirement in requirements
    ]


if __name__ == "__main__":
    print("\n".join(lower_bounds(sys.argv[1:])))
