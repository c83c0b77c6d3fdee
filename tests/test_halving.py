"""Successive halving over epochs."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier, ImbalanceSearchCV
from sklimb._halving import epochs_name, halved, rungs


@given(st.integers(1, 500), st.integers(1, 300), st.integers(2, 5))
def test_the_last_have_all_epochs_and_each_rung_costs_at_most_the_first(n, epochs, f):
    plan = rungs(n, epochs, f)
    assert plan[0].n_candidates == n
    assert plan[-1].epochs == epochs
    assert plan[0].epochs >= 1
    for before, after in itertools.pairwise(plan):
        assert after.n_candidates == -(-before.n_candidates // f)
        assert before.epochs == after.epochs // f


def test_the_best_of_each_rung_go_on():
    asked = []

    def results_of(candidates):
        asked.append([(each["a"], each["epochs"]) for each in candidates])
        return [each["a"] for each in candidates]

    candidates = [{"a": a} for a in (5, 1, 9, 7, 3, 8, 2, 6, 4)]
    tried, results, more = halved(
        candidates, rungs(9, 9), "epochs", results_of, lambda _, found: np.array(found)
    )
    assert asked[1:] == [[(9, 3), (7, 3), (8, 3)], [(9, 9)]]
    assert [each["a"] for each in tried] == results
    assert more["iter"] == [0] * 9 + [1] * 3 + [2]
    assert more["n_resources"] == [1] * 9 + [3] * 3 + [9]


def test_a_score_that_is_nan_is_the_least():
    candidates = [{"a": a} for a in range(3)]
    scores = np.array([np.nan, 0.1, np.nan])
    tried, *_ = halved(
        candidates,
        rungs(3, 3),
        "epochs",
        lambda found: found,
        lambda found, _: scores[: len(found)],
    )
    assert tried[-1]["a"] == 1


class Network(LogisticRegression):
    """Has epochs, as a network does."""

    _fit_together = None

    def __init__(self, epochs=9):
        super().__init__()
        self.epochs = epochs


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (Network(), "epochs"),
        (ImbalanceAwareClassifier(Network()), "estimator__epochs"),
        (
            make_pipeline(StandardScaler(), ImbalanceAwareClassifier(Network())),
            "imbalanceawareclassifier__estimator__epochs",
        ),
    ],
)
def test_the_epochs_are_those_of_the_network_inside(estimator, name):
    assert epochs_name(estimator) == name


def test_without_a_network_it_is_an_error():
    search = ImbalanceSearchCV(LogisticRegression(), {"C": [1, 2]}, halving=True)
    with pytest.raises(ValueError, match="there are 0 in LogisticRegression"):
        search.fit(np.arange(20.0)[:, None], np.tile([0, 1], 10))
