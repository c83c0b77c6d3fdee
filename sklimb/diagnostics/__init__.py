"""Why production is worse than validation.

Each function returns a result with numbers, a sentence, findings and a picture. All
findings have their effect on one scale, from 0, nothing, to 1, all of the way from
chance to a perfect score; :func:`ranked` orders them.
"""

from sklimb.diagnostics._findings import Finding, ranked
from sklimb.diagnostics._leakage import Leakage, find_leakage

__all__ = ["Finding", "Leakage", "find_leakage", "ranked"]
