"""Pictures, in scikit-learn's form.

``from_estimator``, ``from_predictions`` and ``from_cv_results`` compute, ``plot``
draws with matplotlib, and ``to_frame`` gives the numbers as a pandas frame.
"""

from sklimb.display._style import svg_of
from sklimb.display._threshold_curve import ThresholdCurveDisplay

__all__ = ["ThresholdCurveDisplay", "svg_of"]
