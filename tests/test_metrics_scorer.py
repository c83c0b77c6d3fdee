"""A scorer at a prior behaves as scikit-learn's own do."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import brier_score_loss, hamming_loss, log_loss, precision_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

from sklimb import (
    ImbalanceAwareClassifier,
    ImbalanceSearchCV,
    OptimalThresholdClassifierCV,
)
from sklimb.metrics import make_prior_scorer, score_at_prior
from sklimb.priors import weights_to_prior
from tests.data import imbalanced

X, y = imbalanced(600)
THREE = np.digitize(X[:, 0], [-0.5, 1.2])
L = LogisticRegression()
FOLDS = StratifiedKFold(3)


def _fold_scores(function, method, prevalence):
    """Return a function of scikit-learn's with importance weights, fold by fold."""
    given = cross_val_predict(L, X, y, cv=FOLDS, method=method)
    given = given[:, 1] if given.ndim == 2 else given
    scores = []
    for _, test in FOLDS.split(X, y):
        weight = weights_to_prior(y[test], None, [1 - prevalence, prevalence])
        scores.append(function(y[test], given[test], sample_weight=weight))
    return scores


@pytest.mark.parametrize(
    ("metric", "function", "method"),
    [
        ("precision", precision_score, "predict"),
        ("log_loss", lambda *a, **k: -log_loss(*a, **k), "predict_proba"),
        ("neg_log_loss", lambda *a, **k: -log_loss(*a, **k), "predict_proba"),
        ("brier", lambda *a, **k: -brier_score_loss(*a, **k), "predict_proba"),
        (hamming_loss, hamming_loss, "predict"),
    ],
)
def test_cross_validation_measures_each_fold_at_the_prior(metric, function, method):
    found = cross_val_score(L, X, y, cv=FOLDS, scoring=make_prior_scorer(metric, 0.01))
    np.testing.assert_allclose(found, _fold_scores(function, method, 0.01))


def test_a_ranking_reads_the_decision_function_where_that_is_all_there_is():
    scorer = make_prior_scorer("average_precision", 0.01)
    ridge = RidgeClassifier().fit(X, y)
    expected = score_at_prior("average_precision", y, ridge.decision_function(X), 0.01)
    assert scorer(ridge, X, y) == expected


def test_several_scorers_share_their_predictions():
    scoring = {
        "common": make_prior_scorer("f1", 0.5),
        "rare": make_prior_scorer("f1", 0.01),
        "loss": make_prior_scorer("log_loss", 0.01),
        "ap": "average_precision",
    }
    found = cross_validate(L, X, y, cv=FOLDS, scoring=scoring)
    assert (found["test_common"] > found["test_rare"]).all()
    alone = cross_val_score(L, X, y, cv=FOLDS, scoring=scoring["rare"])
    np.testing.assert_array_equal(found["test_rare"], alone)


def test_a_grid_search_chooses_by_it():
    grid = {"class_weight": [None, {1: 10}]}
    for prevalence, chosen in ((0.7, {1: 10}), (0.02, None)):
        scorer = make_prior_scorer("accuracy", prevalence)
        search = GridSearchCV(L, grid, scoring=scorer, cv=FOLDS).fit(X, y)
        assert search.best_params_["class_weight"] == chosen


def test_sklimbs_own_search_chooses_by_it():
    scorer = make_prior_scorer("neg_log_loss", 0.02)
    grid = {"target_prior": [0.02, 0.5]}
    flat = ImbalanceAwareClassifier(L, threshold=None)
    search = ImbalanceSearchCV(flat, grid, scoring=scorer, cv=FOLDS).fit(X, y)
    assert search.best_params_ == {"target_prior": 0.02}


def test_a_threshold_is_tuned_for_it():
    def tuned(**options):
        return OptimalThresholdClassifierCV(L, cv=FOLDS, **options).fit(X, y)

    by_scorer = tuned(scoring=make_prior_scorer("f1", 0.02))
    at_prior = tuned(scoring="f1", target_prior=0.02)
    assert by_scorer.best_threshold_ == at_prior.best_threshold_


def test_several_classes_have_columns_of_the_estimators_classes():
    labels = np.array(["high", "low", "none"])[THREE]
    prior = {"high": 0.2, "low": 0.3, "none": 0.5}
    model = L.fit(X, labels)
    for metric, given in (
        ("f1_macro", model.predict(X)),
        ("roc_auc", model.decision_function(X)),
        ("neg_brier_score", model.predict_proba(X)),
    ):
        found = make_prior_scorer(metric, prior)(model, X, labels)
        assert found == pytest.approx(score_at_prior(metric, labels, given, prior))


def test_the_positive_class_can_be_the_lesser_label():
    model = L.fit(X, 1 - y)
    flipped = make_prior_scorer("log_loss", 0.01, pos_label=0)(model, X, 1 - y)
    assert flipped == pytest.approx(
        make_prior_scorer("log_loss", 0.01)(L.fit(X, y), X, y), rel=1e-3
    )


def test_cost_is_greater_where_less():
    scorer = make_prior_scorer("cost", 0.01, cost_matrix=[[0, 1], [50, 0]])
    assert -1 < scorer(L.fit(X, y), X, y) < 0


def test_sample_weight_is_routed_on_request():
    weight = np.random.default_rng(0).integers(0, 3, size=len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_prior_scorer("precision", 0.01)
        scorer.set_score_request(sample_weight=True)
        model = LogisticRegression().set_fit_request(sample_weight=False)
        found = cross_val_score(
            model, X, y, cv=FOLDS, scoring=scorer, params={"sample_weight": weight}
        )
    predicted = cross_val_predict(L, X, y, cv=FOLDS)
    expected = [
        score_at_prior("precision", y[t], predicted[t], 0.01, sample_weight=weight[t])
        for _, t in FOLDS.split(X, y)
    ]
    np.testing.assert_array_equal(found, expected)


def test_sample_weight_can_be_given_by_hand():
    weight = np.where(X[:, 0] > 0, 1.0, 0.0)
    model, scorer = L.fit(X, y), make_prior_scorer("f1", 0.01)
    kept = weight > 0
    assert scorer(model, X, y, sample_weight=weight) == scorer(model, X[kept], y[kept])


@pytest.mark.parametrize("metric", ["precision", precision_score])
def test_it_says_what_it_is_and_pickles(metric):
    scorer = make_prior_scorer(metric, 0.01, pos_label=1)
    again = pickle.loads(pickle.dumps(scorer))
    name = "'precision'" if metric == "precision" else "precision_score"
    assert repr(again) == f"make_prior_scorer({name}, 0.01, pos_label=1)"
    model = L.fit(X, y)
    assert again(model, X, y) == scorer(model, X, y)


class _AlwaysPositive(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[-1], len(X))


def test_a_fold_that_lacks_a_class_is_nan_and_says_why():
    labels = np.array([0, 1, 0, 1, 0, 0])
    scorer = make_prior_scorer("f1", 0.01)
    rows = np.zeros((6, 1))
    with pytest.warns(UserWarning, match="no rows of the classes"):
        found = cross_val_score(
            _AlwaysPositive(), rows, labels, cv=KFold(3), scoring=scorer
        )
    np.testing.assert_array_equal(np.isnan(found), [False, False, True])
    with pytest.raises(ValueError, match="stratified folds"):
        scorer(_AlwaysPositive().fit(rows, labels), rows[4:], labels[4:])
