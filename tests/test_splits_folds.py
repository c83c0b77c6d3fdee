"""Folds at a prior: scikit-learn's folds, their test rows cut down."""

import numpy as np
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)

from sklimb.metrics import make_prior_scorer, score_at_prior
from sklimb.splits import PriorMatchedGroupKFold, PriorMatchedKFold
from sklimb.splits._units import equal_rows
from tests.data import imbalanced

X, y = imbalanced(900)
GROUPS = np.random.default_rng(0).integers(120, size=len(y))
THREE = np.digitize(X[:, 0], [-0.5, 1.0])
CHECKED = settings(max_examples=50, deadline=None)


@CHECKED
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(80, 800),
    target=st.floats(0.02, 0.9),
    n_splits=st.integers(2, 6),
    grouped=st.booleans(),
)
def test_test_rows_have_the_prior_and_no_row_of_training(
    seed, n_rows, target, n_splits, grouped
):
    random = np.random.default_rng(seed)
    labels = (random.random(n_rows) < 0.3).astype(int)
    groups = random.integers(n_rows // 4, size=n_rows)
    kind = PriorMatchedGroupKFold if grouped else PriorMatchedKFold
    folds = kind(n_splits, target_prior=target, shuffle=True, random_state=seed)
    try:
        parts = list(folds.split(labels, labels, groups if grouped else None))
    except ValueError as error:
        assert "can't hold the class" in str(error)
        assume(False)
    for train, test in parts:
        assert not set(train) & set(test)
        assert abs(labels[test].sum() - target * len(test)) <= 1 + 1e-9
        if grouped:
            assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_are_scikit_learns(shuffle):
    seed = 3 if shuffle else None
    options = {"shuffle": shuffle, "random_state": seed}
    for ours, theirs in (
        (PriorMatchedKFold(4, target_prior=0.02, **options), StratifiedKFold),
        (PriorMatchedGroupKFold(4, target_prior=0.02, **options), StratifiedGroupKFold),
    ):
        groups = None if theirs is StratifiedKFold else GROUPS
        expected = theirs(4, **options).split(X, y, groups)
        for (train, test), (own, whole) in zip(
            ours.split(X, y, groups), expected, strict=True
        ):
            np.testing.assert_array_equal(train, own)
            assert set(test) < set(whole)
            negatives = np.sum(y[whole] == 0)
            assert np.sum(y[test] == 0) >= negatives - 1  # as many as can be


def test_a_more_frequent_class_in_deployment_leaves_out_negatives():
    for _, test in PriorMatchedKFold(3, target_prior=0.5).split(X, y):
        assert abs(y[test].mean() - 0.5) < 0.02
        assert abs(y[test].sum() - y.sum() / 3) <= 1


def test_weights_keep_all_test_rows_and_match_the_prior():
    folds = PriorMatchedKFold(3, target_prior=0.02, method="weights")
    for (train, test), (own, whole) in zip(
        folds.split(X, y), StratifiedKFold(3).split(X, y), strict=True
    ):
        np.testing.assert_array_equal(train, own)
        np.testing.assert_array_equal(test, whole)
        weight = folds.test_weight(y[test])
        assert weight.mean() == pytest.approx(1)
        assert np.average(y[test], weights=weight) == pytest.approx(0.02)


def test_weights_are_what_a_scorer_at_the_prior_takes():
    folds = PriorMatchedKFold(3, target_prior=0.02, method="weights")
    scorer = make_prior_scorer("precision", 0.02)
    found = cross_val_score(LogisticRegression(), X, y, cv=folds, scoring=scorer)
    for (train, test), score in zip(folds.split(X, y), found, strict=True):
        predicted = LogisticRegression().fit(X[train], y[train]).predict(X[test])
        weight = folds.test_weight(y[test])
        again = score_at_prior(
            "precision", y[test], predicted, None, sample_weight=weight
        )
        assert score == pytest.approx(again)


def test_subsampled_folds_score_as_the_weights_do_up_to_noise():
    rows, labels = imbalanced(20_000)
    folds = PriorMatchedKFold(target_prior=0.05, shuffle=True, random_state=0)
    model = LogisticRegression()
    of_rows = cross_val_score(model, rows, labels, cv=folds, scoring="precision")
    scorer = make_prior_scorer("precision", 0.05)
    by_weight = cross_val_score(model, rows, labels, scoring=scorer)
    assert of_rows.mean() == pytest.approx(by_weight.mean(), abs=0.05)


@pytest.mark.parametrize("kind", [PriorMatchedKFold, PriorMatchedGroupKFold])
def test_several_classes_have_their_shares(kind):
    prior = np.array([0.7, 0.25, 0.05])
    groups = GROUPS if kind is PriorMatchedGroupKFold else None
    for _, test in kind(3, target_prior=prior).split(X, THREE, groups):
        counts = np.bincount(THREE[test], minlength=3)
        assert (abs(counts - prior * len(test)) <= 1).all()


@pytest.mark.parametrize("kind", [PriorMatchedKFold, PriorMatchedGroupKFold])
def test_equal_rows_are_in_one_fold_on_request(kind):
    rows = np.repeat(X[:300], 3, axis=0)
    labels = np.repeat(y[:300], 3)
    groups = np.arange(900) if kind is PriorMatchedGroupKFold else None
    same = equal_rows(rows)
    folds = kind(3, target_prior=0.05, duplicates="together")
    seen = []
    for train, test in folds.split(rows, labels, groups):
        assert not set(same[train]) & set(same[test])
        seen.extend(test)
        assert len(train) == pytest.approx(600, abs=12)
        assert labels[train].mean() == pytest.approx(labels.mean(), abs=0.02)
    assert len(set(seen)) == len(seen)
    torn = [
        set(same[train]) & set(same[test])
        for train, test in kind(
            3, target_prior=0.05, shuffle=True, random_state=0
        ).split(rows, labels, groups)
    ]
    assert all(torn)


def test_they_serve_scikit_learns_searches():
    folds = PriorMatchedKFold(3, target_prior=0.05)
    grid = {"class_weight": [None, "balanced"]}
    search = GridSearchCV(LogisticRegression(), grid, cv=folds, scoring="precision")
    assert search.fit(X, y).best_params_ == {"class_weight": None}
    assert search.n_splits_ == 3


def test_groups_are_routed():
    folds = PriorMatchedGroupKFold(3, target_prior=0.05)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            LogisticRegression(), X, y, cv=folds, params={"groups": GROUPS}
        )
    assert len(routed) == 3 and np.isfinite(routed).all()


def test_folds_are_seeded_and_say_what_they_are():
    folds = PriorMatchedKFold(3, target_prior=0.05, shuffle=True, random_state=0)
    first, again = (np.concatenate([t for _, t in folds.split(X, y)]) for _ in "ab")
    np.testing.assert_array_equal(first, again)
    assert folds.get_n_splits() == 3
    shown = " ".join(repr(PriorMatchedGroupKFold(target_prior=0.05)).split())
    assert shown == (
        "PriorMatchedGroupKFold(duplicates=None, method='subsample', n_splits=5, "
        "pos_label=None, random_state=None, shuffle=False, target_prior=0.05)"
    )
