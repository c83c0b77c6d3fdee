import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb.report.strategies import (
    STRATEGIES,
    STRATEGIES_FOR_SEVERAL,
    Conditions,
    Options,
    applicable,
)
from tests.resampling_fakes import FakeBatches, FakeNetwork

BATCHES, SMOTE = "balanced batches + corrected + tuned", "SMOTE + corrected + tuned"
PRIOR = {0: 0.98, 1: 0.02}


def left_out(model=None, *, positives=50, has_columns=True, n_folds=5):
    y = np.arange(1000) < positives
    model = LogisticRegression() if model is None else model
    conditions = Conditions(model, y, has_columns, n_folds)
    usable, notes = applicable(STRATEGIES, conditions)
    names = [strategy.name for strategy in usable]
    assert len(names) + len(notes) == len(STRATEGIES)
    return {s.name for s in STRATEGIES} - set(names), " ".join(notes)


def test_balanced_batches_are_for_networks():
    names, notes = left_out()
    assert names == {BATCHES}
    assert "it needs a network, and the model is a LogisticRegression." in notes
    assert left_out(FakeNetwork())[0] == set()
    assert left_out(make_pipeline(StandardScaler(), FakeNetwork()))[0] == set()


def test_a_network_that_balances_its_batches_keeps_them():
    names, notes = left_out(FakeNetwork(batches=FakeBatches()))
    assert names == {BATCHES}
    assert "composes its mini-batches itself" in notes


@pytest.mark.parametrize(
    ("positives", "n_folds", "fraction", "fits"),
    [(8, 5, 0, True), (7, 5, 0, False), (8, 5, 0.1, False), (12, 2, 0, True)],
)
def test_smote_needs_neighbours_in_each_training_part(
    positives, n_folds, fraction, fits
):
    names, notes = left_out(FakeNetwork(fraction), positives=positives, n_folds=n_folds)
    assert names == (set() if fits else {SMOTE})
    assert fits or "SMOTE needs 6 rows of the rarest class in each training" in notes


def test_smote_is_for_rows_of_numbers():
    names, notes = left_out(FakeNetwork(), has_columns=False)
    assert names == {SMOTE}
    assert "more axes" in notes


@pytest.mark.parametrize("strategy", STRATEGIES[2:], ids=lambda s: s.name)
def test_what_is_tuned_is_corrected_to_the_deployment_prior(strategy):
    built = strategy.build(FakeNetwork(), Options(positive=1, target_prior=PRIOR))
    assert built.target_prior == PRIOR
    assert built.threshold == "tune"
    assert strategy.n_fits(Options(positive=1)) == 6


@pytest.mark.parametrize("strategy", STRATEGIES_FOR_SEVERAL, ids=lambda s: s.name)
def test_no_strategy_for_several_classes_has_one_threshold(strategy):
    options = Options(positive=None, classes=("a", "b", "c"))
    built = strategy.build(FakeNetwork(), options)
    assert built.pos_label is None
    assert built.threshold == ("tune" if strategy.is_tuned(options) else None)
