"""Comparisons made by hand, without any fit."""

from types import SimpleNamespace

import numpy as np

from sklimb.report.aims import aim_of, measures_of
from sklimb.report.data import Dataset
from sklimb.report.measures import COLUMNS, Estimate, Predictions
from sklimb.report.outcomes import Comparison, Infeasible, Outcome
from sklimb.report.strategies import Options, Strategy

# Of 22 negative test rows, one of them called positive, and of 3 positive ones.
LOG_ODDS = np.array([-2.0] * 21 + [0.5] + [-1.0, 1.0, 3.0])


def strategy(name, tuned=True):
    """Return a strategy that is never fitted."""
    threshold = "tune" if tuned else 0.5
    return Strategy(
        name, f"the meaning of {name}", lambda options: {"threshold": threshold}
    )


def outcome(name, *, prior=0.1, threshold=0.25, spread=0.05, tuned=True, **values):
    """Return a strategy with given values, 0.5 for the others."""
    random = np.random.default_rng(0)  # the same resamples for all: paired
    noise = random.normal(scale=spread, size=500)
    given = {column.key: 0.5 for column in COLUMNS} | values
    estimates = {
        key: Estimate(value, np.clip(value + noise, 0, None))
        for key, value in given.items()
    }
    rule = {
        "classes": ["no", "yes"],
        "pos_label": "yes",
        "target_prior": [1 - prior, prior],
        "threshold": threshold,
        "cost_matrix": None,
        "reject_cost": None,
    }
    return Outcome(
        strategy=strategy(name, tuned),
        estimator=SimpleNamespace(decision_rule_=rule),
        predictions=Predictions(LOG_ODDS >= 0, LOG_ODDS),
        estimates=estimates,
        seconds=1.5,
    )


def comparison(*outcomes, prevalence=0.1, infeasible=(), **settings):
    """Return a comparison of outcomes; ``infeasible`` are names."""
    y = np.array(["no"] * 90 + ["yes"] * 10, dtype=object)
    options = Options(positive="yes", classes=("no", "yes"), **settings)
    why = "recall >= 0.9 comes no nearer than .850"
    return Comparison(
        dataset=Dataset("t.csv", None, y, "yes", None),
        options=options,
        prior=np.array([1 - prevalence, prevalence]),
        n_train=75,
        y_test=np.array(["no"] * 22 + ["yes"] * 3, dtype=object),
        test_positives=3,
        aim=aim_of(options),
        measures=list(measures_of(options)),
        outcomes=list(outcomes),
        infeasible=[Infeasible(strategy(name), why, 1.0) for name in infeasible],
    )
