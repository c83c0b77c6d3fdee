"""The comparison of strategies that ``sklimb compare`` and ``sklimb demo`` show.

The modules need the extra ``report`` (pandas, pyarrow, rich); this one doesn't.
"""

from sklimb.report.errors import InputError

__all__ = ["InputError"]
