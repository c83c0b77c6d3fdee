"""Comparisons made by hand, without any fit."""

from types import SimpleNamespace

import numpy as np

from sklimb.report.data import Dataset
from sklimb.report.measures import COLUMNS, Estimate, column_of_aim
from sklimb.report.outcomes import Comparison, Outcome
from sklimb.report.strategies import Options, Strategy


def outcome(name, *, prior=0.1, threshold=0.25, spread=0.05, **values):
    """Return a strategy with given values, 0.5 for the others."""
    random = np.random.default_rng(0)  # the same resamples for all: paired
    noise = random.normal(scale=spread, size=500)
    given = {column.key: values.get(column.key, 0.5) for column in COLUMNS}
    estimates = {
        key: Estimate(value, np.clip(value + noise, 0, None))
        for key, value in given.items()
    }
    rule = {
        "classes": ["no", "yes"],
        "pos_label": "yes",
        "target_prior": [1 - prior, prior],
        "threshold": threshold,
    }
    return Outcome(
        strategy=Strategy(name, f"the meaning of {name}", lambda options: {}),
        estimator=SimpleNamespace(decision_rule_=rule),
        estimates=estimates,
        seconds=1.5,
    )


def comparison(*outcomes, prevalence=0.1):
    """Return a comparison of outcomes."""
    y = np.array(["no"] * 90 + ["yes"] * 10, dtype=object)
    return Comparison(
        dataset=Dataset("t.csv", None, y, "yes", None),
        options=Options(positive="yes", classes=("no", "yes")),
        prior=np.array([1 - prevalence, prevalence]),
        n_train=75,
        n_test=25,
        test_positives=3,
        aim=column_of_aim("balanced_accuracy"),
        measures=list(COLUMNS),
        outcomes=list(outcomes),
    )
