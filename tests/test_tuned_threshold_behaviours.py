"""What TunedThresholdClassifierCV of scikit-learn does, the optimal one does too."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    get_scorer,
    make_scorer,
)
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklimb import OptimalThresholdClassifierCV
from sklimb.exceptions import ConstantScoresWarning
from tests.data import imbalanced

X, y = imbalanced(800)
LOGISTIC = LogisticRegression()
NAMED = np.array(["cancer", "healthy"], dtype=object)[1 - y]
WEIGHT = np.random.default_rng(0).random(len(y)) + 0.1
FEW = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


def test_the_curve_of_scores_is_the_mean_over_folds_at_any_threshold():
    model = tuned(scoring="f1", store_cv_results=True).fit(X, y)
    rows, results = model.out_of_fold_, model.cv_results_
    for threshold in np.linspace(0.01, 0.9, 12):
        decided = rows.scores[:, 1] >= threshold
        by_hand = [
            f1_score(rows.class_numbers[part], decided[part], zero_division=0)
            for part in rows.parts()
        ]
        cut = np.count_nonzero(rows.scores[:, 1] < threshold)
        assert results["scores"][cut] == pytest.approx(np.mean(by_hand))
        np.testing.assert_allclose(results["fold_scores"][:, cut], by_hand)


def test_every_threshold_is_a_candidate_without_a_grid():
    results = tuned(store_cv_results=True).fit(X, y).cv_results_
    assert len(results["thresholds"]) == len(X) + 1
    assert (np.diff(results["thresholds"]) > 0).all()


@pytest.mark.parametrize("store", [True, False])
def test_results_are_kept_where_they_are_asked_for(store):
    model = tuned(store_cv_results=store).fit(X, y)
    assert hasattr(model, "cv_results_") == store


def test_a_fit_without_results_takes_the_old_ones_away():
    model = tuned(store_cv_results=True).fit(X, y)
    assert not hasattr(
        model.set_params(store_cv_results=False).fit(X, y), "cv_results_"
    )


def test_the_tuned_score_is_above_that_of_the_default_cut():
    model = tuned().fit(X, y)
    tuned_score = balanced_accuracy_score(y, model.predict(X))
    assert tuned_score > balanced_accuracy_score(y, model.estimator_.predict(X)) + 0.05


def test_a_metric_with_a_parameter_is_that_metric():
    of_beta = {
        beta: tuned(scoring=make_scorer(fbeta_score, beta=beta), cv=2).fit(X, y)
        for beta in (1, 2)
    }
    by_name = tuned(scoring="f1", cv=2).fit(X, y).best_threshold_
    assert of_beta[1].best_threshold_ == by_name
    assert of_beta[2].best_threshold_ < by_name
    f2 = tuned(scoring="f2", cv=2).fit(X, y)
    assert of_beta[2].best_threshold_ == f2.best_threshold_


@pytest.mark.parametrize(
    "scoring",
    [make_scorer(balanced_accuracy_score), make_scorer(f1_score, pos_label="cancer")],
    ids=str,
)
def test_string_targets_and_their_positive_label_are_managed(scoring):
    model = tuned(scoring=scoring, pos_label="cancer").fit(X, NAMED)
    np.testing.assert_array_equal(model.classes_, ["cancer", "healthy"])
    assert set(model.predict(X)) == {"cancer", "healthy"}
    positive = model.predict_proba(X)[:, 0] >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X) == "cancer", positive)


def test_a_scorers_positive_label_counts_whatever_pos_label_is():
    # The label that a scorer is about is in the scorer; the threshold is pos_label's.
    scorer = make_scorer(f1_score, pos_label="cancer")
    of_cancer = tuned(scoring=scorer, pos_label="cancer", cv=2).fit(X, NAMED)
    of_healthy = tuned(scoring=scorer, cv=2).fit(X, NAMED)
    assert of_cancer.apparent_score_ == pytest.approx(of_healthy.apparent_score_)
    np.testing.assert_array_equal(of_cancer.predict(X), of_healthy.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [LOGISTIC, LinearSVC(), GradientBoostingClassifier(n_estimators=3)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_it_has_the_response_methods_of_its_estimator(estimator):
    model = tuned(estimator)
    for fitted in (False, True):
        for method in ("predict_proba", "predict_log_proba", "decision_function"):
            assert hasattr(model, method) == hasattr(estimator, method)
        if not fitted:
            model.fit(X, y)
    for method in ("predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            expected = getattr(model.estimator_, method)(X)
            np.testing.assert_allclose(getattr(model, method)(X), expected)


def test_probabilities_decide_where_there_are_some_else_decision_values():
    by_proba, by_values = tuned().fit(X, y), tuned(LinearSVC()).fit(X, y)
    np.testing.assert_array_equal(
        by_proba.predict(X) == 1,
        by_proba.predict_proba(X)[:, 1] >= by_proba.best_threshold_,
    )
    values = by_values.estimator_.decision_function(X)
    np.testing.assert_array_equal(
        by_values.predict(X) == 1, values >= by_values.best_threshold_
    )
    for model in (by_proba, by_values):  # the sign is the decision, unlike theirs
        np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X))


def test_several_classes_work_and_several_labels_a_row_are_refused():
    three = np.digitize(X[:, 0], [-0.5, 1.0])
    with pytest.raises(ValueError, match="Only binary"):
        TunedThresholdClassifierCV(LOGISTIC).fit(X, three)
    assert set(tuned().fit(X, three).predict(X)) == {0, 1, 2}
    with pytest.raises(ValueError, match="several labels a row"):
        tuned().fit(*make_multilabel_classification(random_state=0))


def test_prefit_needs_a_fitted_estimator_and_keeps_it_whatever_refit_says():
    with pytest.raises(NotFittedError):
        tuned(cv="prefit").fit(X, y)
    fitted = LogisticRegression().fit(X, y)
    coef = fitted.coef_.copy()
    for refit in (True, False):
        model = tuned(fitted, cv="prefit", refit=refit).fit(X, y)
        assert model.estimator_ is fitted
    np.testing.assert_array_equal(fitted.coef_, coef)


def test_several_folds_need_a_refit():
    with pytest.raises(ValueError, match="`refit`=False"):
        tuned(cv=10, refit=False).fit(X, y)


@FEW
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("routing", [False, True])
def test_refit_fits_on_all_rows_and_one_split_without_it_on_its_training_rows(
    weight, routing
):
    half = np.arange(len(y)) < len(y) // 2
    split = [(np.flatnonzero(half), np.flatnonzero(~half))]
    with config_context(enable_metadata_routing=routing):
        whole = tuned(cv=split).fit(X, y, sample_weight=weight)
        part = tuned(cv=split, refit=False).fit(X, y, sample_weight=weight)
    for model, rows in ((whole, slice(None)), (part, half)):
        own = None if weight is None else weight[rows]
        expected = clone(LOGISTIC).fit(X[rows], y[rows], sample_weight=own)
        assert model.estimator_ is not LOGISTIC
        np.testing.assert_allclose(model.estimator_.coef_, expected.coef_)
    assert whole.best_threshold_ == part.best_threshold_


@FEW
def test_a_float_cv_is_a_stratified_hold_out():
    model = tuned(cv=0.3, refit=False, random_state=0)
    split = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    ((train, test),) = split.split(X, y)
    model.fit(X, y)
    expected = clone(LOGISTIC).fit(X[train], y[train])
    np.testing.assert_allclose(model.estimator_.coef_, expected.coef_)
    np.testing.assert_array_equal(model.out_of_fold_.rows, test)
    model.set_params(refit=True).fit(X, y)
    np.testing.assert_allclose(model.estimator_.coef_, clone(LOGISTIC).fit(X, y).coef_)


class TakesParameters(ClassifierMixin, BaseEstimator):
    """Wants a value of ``a`` for each row, and is a logistic regression."""

    def fit(self, X, y, a=None):
        assert len(a) == len(y)
        np.testing.assert_array_equal(a, X[:, 0])
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


@pytest.mark.parametrize("as_type", [list, np.asarray])
@pytest.mark.parametrize("routing", [False, True])
def test_fit_parameters_are_cut_by_folds_and_reach_the_estimator(as_type, routing):
    with config_context(enable_metadata_routing=routing):
        estimator = TakesParameters()
        if routing:
            estimator.set_fit_request(a=True)
        tuned(estimator).fit(X, y, a=as_type(X[:, 0]))


@FEW
@pytest.mark.parametrize("routing", [False, True])
def test_rows_of_weight_0_in_folds_are_rows_removed(routing):
    weight = np.zeros(len(y))
    weight[::2] = 1
    with config_context(enable_metadata_routing=routing):
        zeroed = tuned(cv=2).fit(X, y, sample_weight=weight)
    removed = tuned(cv=2)
    removed.fit(X[::2], y[::2])
    np.testing.assert_allclose(
        zeroed.estimator_.coef_, removed.estimator_.coef_, rtol=1e-3
    )
    np.testing.assert_allclose(zeroed.best_threshold_, removed.best_threshold_, 1e-3)


def test_weights_count_in_the_score_and_not_only_in_the_fit():
    fitted = LogisticRegression().fit(X, y)
    plain = tuned(fitted, cv="prefit", scoring="f1").fit(X, y)
    weighted = tuned(fitted, cv="prefit", scoring="f1")
    weighted.fit(X, y, sample_weight=WEIGHT)
    score = f1_score(y, weighted.predict(X), sample_weight=WEIGHT)
    assert weighted.apparent_score_ == pytest.approx(score)
    assert score >= f1_score(y, plain.predict(X), sample_weight=WEIGHT)


def test_scorers_by_name_and_by_object_are_the_same_with_routing():
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("f1").set_score_request(sample_weight=True)
        by_object = tuned(scoring=scorer).fit(X, y, sample_weight=WEIGHT)
    by_name = tuned(scoring="f1").fit(X, y, sample_weight=WEIGHT)
    assert by_object.best_threshold_ == by_name.best_threshold_


def test_a_constant_predictor_is_an_error():
    constant = DummyClassifier(strategy="constant", constant=1)
    with (
        pytest.warns(ConstantScoresWarning),
        pytest.raises(ValueError, match="every row of a fold the same score"),
    ):
        tuned(constant).fit(X, y)


@FEW
def test_it_works_inside_and_around_pipelines_and_searches():
    inside = make_pipeline(StandardScaler(), tuned(cv=2))
    around = tuned(make_pipeline(StandardScaler(), LOGISTIC), cv=2)
    np.testing.assert_array_equal(
        inside.fit(X, y).predict(X)[:5], around.fit(X, y).predict(X)[:5]
    )
    search = GridSearchCV(
        around,
        {"estimator__logisticregression__C": [0.1, 10], "scoring": ["f1", "mcc"]},
        cv=StratifiedKFold(2),
        scoring="f1",
    )
    assert search.fit(X, y).best_params_["scoring"] in ("f1", "mcc")
    assert cross_val_score(around, X, y, cv=2, scoring="f1").mean() > 0.4


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_n_jobs_changes_nothing(n_jobs):
    with joblib.parallel_backend("threading"):
        model = tuned(n_jobs=n_jobs).fit(X, y)
    assert model.best_threshold_ == tuned().fit(X, y).best_threshold_
