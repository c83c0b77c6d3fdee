"""Splits that know where the model is used.

A test set measures deployment only if it has deployment's class shares, none of the
training rows' groups and none of their copies. All rows are accounted for.
"""

from sklimb.splits._deployment import DeploymentSplit, deployment_split
from sklimb.splits._folds import PriorMatchedGroupKFold, PriorMatchedKFold

__all__ = [
    "DeploymentSplit",
    "PriorMatchedGroupKFold",
    "PriorMatchedKFold",
    "deployment_split",
]
