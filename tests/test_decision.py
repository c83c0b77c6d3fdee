"""The cross-validated threshold: exact, out of fold, at the deployment prior."""

import warnings

import joblib
import numpy as np
import pytest
from sklearn import config_context, metrics
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklimb import (
    ClassWeightedClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.exceptions import (
    ConstantScoresWarning,
    FewPositivesWarning,
    StalePriorError,
)
from sklimb.thresholds import confusion_counts, metric_function, optimal_threshold
from tests.data import imbalanced

X, y = imbalanced()
SOME = X[:500], y[:500]
LOGISTIC = LogisticRegression()
FOLDS = list(StratifiedKFold(5).split(X, y))


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


def fold_scores(model, metric, threshold):
    """Score a threshold on each fold the slow way."""
    for train, test in FOLDS:
        proba = clone(model).fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        yield metric(y[test], (proba >= threshold).astype(int))


def test_apparent_score_is_the_mean_over_folds_and_no_cut_is_better():
    model = tuned(scoring="f1", store_cv_results=True).fit(X, y)
    by_hand = list(fold_scores(LOGISTIC, metrics.f1_score, model.best_threshold_))
    assert model.apparent_score_ == pytest.approx(np.mean(by_hand))
    assert model.best_score_std_ == pytest.approx(np.std(by_hand))
    for threshold in np.linspace(0.05, 0.6, 23):
        by_hand = list(fold_scores(LOGISTIC, metrics.f1_score, threshold))
        assert np.mean(by_hand) <= model.apparent_score_ + 1e-12


def test_fold_thresholds_are_each_folds_own_optimum():
    model = tuned(scoring="f1").fit(X, y)
    for (train, test), threshold in zip(FOLDS, model.fold_thresholds_, strict=True):
        proba = clone(LOGISTIC).fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        assert threshold == optimal_threshold(y[test], proba, "f1").threshold


def test_pooled_aggregation_maximises_the_score_of_all_rows():
    model = tuned(scoring="f1", aggregation="pooled").fit(X, y)
    proba = cross_val_predict(LOGISTIC, X, y, cv=FOLDS, method="predict_proba")[:, 1]
    assert (model.best_threshold_, model.apparent_score_) == pytest.approx(
        optimal_threshold(y, proba, "f1")
    )


@pytest.mark.parametrize("scoring", ["f1", "balanced_accuracy", "matthews_corrcoef"])
def test_score_is_never_below_sklearns_tuned_threshold(scoring):
    theirs = TunedThresholdClassifierCV(LOGISTIC, scoring=scoring, cv=5).fit(X, y)
    ours = tuned(scoring=scoring).fit(X, y)
    at_theirs = [
        metric_function(scoring)(*confusion_at(theirs.best_threshold_, *fold))
        for fold in FOLDS
    ]
    assert ours.apparent_score_ >= np.mean(at_theirs) - 1e-12


def confusion_at(threshold, train, test):
    proba = clone(LOGISTIC).fit(X[train], y[train]).predict_proba(X[test])[:, 1]
    counts = confusion_counts(y[test], proba)
    cut = np.count_nonzero(counts.scores >= threshold)
    return [count[cut] for count in counts[:4]]


def own_f1(y_true, y_pred):
    return metrics.f1_score(y_true, y_pred)


def scorer_by_hand(estimator, X, y):
    return metrics.f1_score(y, estimator.predict(X))


@pytest.mark.parametrize(
    "scorer",
    [make_scorer(metrics.f1_score), make_scorer(own_f1), scorer_by_hand],
    ids=["weighted", "without weights", "callable"],
)
def test_any_label_based_scorer_gives_the_same_as_the_name(scorer):
    by_name = tuned(scoring="f1").fit(*SOME)
    by_scorer = tuned(scoring=scorer).fit(*SOME)
    assert by_scorer.best_threshold_ == by_name.best_threshold_
    assert by_scorer.best_score_ == pytest.approx(by_name.best_score_)


def test_scorer_names_without_a_fast_path_work():
    model = tuned(scoring="f1_micro").fit(*SOME)
    assert model.best_threshold_ == tuned(scoring="accuracy").fit(*SOME).best_threshold_


def test_a_negated_scorer_is_maximised():
    loss = make_scorer(metrics.zero_one_loss, greater_is_better=False)
    model = tuned(scoring=loss).fit(*SOME)
    assert model.best_threshold_ == tuned(scoring="accuracy").fit(*SOME).best_threshold_


def test_predict_compares_probabilities_with_the_threshold():
    model = tuned(scoring="f1").fit(X, y)
    expected = model.predict_proba(X)[:, 1] >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X) == 1, expected)
    np.testing.assert_array_equal(model.decision_function(X) > 0, expected)


def test_pos_label_and_string_labels_turn_the_classes_round():
    named = np.array(["negative", "positive"])[y]
    numbers = tuned(scoring="f1").fit(X, y)
    strings = tuned(scoring="f1", pos_label="positive").fit(X, named)
    assert strings.best_threshold_ == numbers.best_threshold_
    np.testing.assert_array_equal(
        strings.predict(X) == "positive", numbers.predict(X) == 1
    )
    other = tuned(scoring="f1", pos_label="negative").fit(X, named)
    expected = tuned(scoring="f1").fit(X, 1 - y)
    assert other.best_score_ == pytest.approx(expected.best_score_)
    np.testing.assert_array_equal(
        other.decision_function(X) > 0, other.predict(X) == "positive"
    )


def test_decision_values_serve_where_there_are_no_probabilities():
    model = tuned(LinearSVC(), scoring="f1").fit(X, y)
    expected = model.estimator_.decision_function(X) >= model.best_threshold_
    np.testing.assert_array_equal(model.predict(X) == 1, expected)
    np.testing.assert_array_equal(model.decision_function(X) > 0, expected)
    assert not hasattr(model, "predict_proba")
    turned = tuned(LinearSVC(), scoring="f1", pos_label=0).fit(X, y)
    assert turned.best_score_ > 0.9


class Recorder(LogisticRegression):
    """Remembers which rows each fit saw, and refuses to score them."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = {tuple(row) for row in np.asarray(X)}
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        overlap = len(self.seen_ & {tuple(row) for row in np.asarray(X)})
        assert overlap in (0, len(y)), "scored rows that it trained on"
        return super().predict_proba(X)


def test_out_of_fold_scores_come_from_models_that_did_not_see_the_row():
    model = tuned(ClassWeightedClassifier(Recorder())).fit(X, y)
    rows = np.sort(model.out_of_fold_.rows)
    np.testing.assert_array_equal(rows, np.arange(len(y)))


class WeightWatcher(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        # Balanced on the rows given here alone: both classes weigh the same.
        np.testing.assert_allclose(*np.bincount(y, sample_weight))
        return super().fit(X, y, sample_weight)


def test_class_weights_are_computed_inside_each_fold():
    tuned(ClassWeightedClassifier(WeightWatcher())).fit(X, y)


def test_target_prior_equals_subsampling_to_that_prior():
    # Rates at every cut are the same, so with weights that make the sample
    # stand for 1:1, precision is that of a 1:1 sample.
    prefit = clone(LOGISTIC).fit(X, y)
    model = tuned(prefit, scoring="f1", cv="prefit", target_prior=0.5).fit(X, y)
    whole = int((1 - y).sum() // y.sum())
    negatives = np.flatnonzero(y == 0)[: whole * y.sum()]
    rows = np.append(negatives, np.flatnonzero(y == 1))
    repeats = np.where(y[rows] == 1, whole, 1)
    model_rows = tuned(prefit, scoring="f1", cv="prefit", target_prior=0.5)
    model_rows.fit(X[rows], y[rows])
    repeated = tuned(prefit, scoring="f1", cv="prefit")
    repeated.fit(np.repeat(X[rows], repeats, axis=0), np.repeat(y[rows], repeats))
    assert model_rows.apparent_score_ == pytest.approx(repeated.apparent_score_)
    assert model_rows.best_threshold_ == pytest.approx(repeated.best_threshold_)
    np.testing.assert_allclose(model.scoring_prior_, [0.5, 0.5])


def test_rates_do_not_depend_on_the_target_prior():
    a = tuned(scoring="balanced_accuracy").fit(X, y)
    b = tuned(scoring="balanced_accuracy", target_prior=0.001).fit(X, y)
    assert a.best_threshold_ == pytest.approx(b.best_threshold_)


def test_the_threshold_is_tuned_where_the_probabilities_were_corrected_to():
    corrected = PriorCorrectedClassifier(LOGISTIC, target_prior=0.01)
    inherited = tuned(corrected, scoring="f1").fit(X, y)
    said = tuned(corrected, scoring="f1", target_prior=0.01).fit(X, y)
    assert inherited.best_threshold_ == said.best_threshold_
    natural = tuned(PriorCorrectedClassifier(LOGISTIC), scoring="f1").fit(X, y)
    assert natural.scoring_prior_ is None
    plain = tuned(scoring="f1").fit(X, y)
    assert natural.apparent_score_ == pytest.approx(plain.apparent_score_, rel=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_setting_the_target_prior_equals_fitting_with_it(weighted):
    weight = np.random.default_rng(0).random(len(y)) if weighted else None
    corrected = PriorCorrectedClassifier(ClassWeightedClassifier(LOGISTIC))
    moved = tuned(corrected, scoring="f1").fit(X, y, sample_weight=weight)
    natural = moved.best_threshold_
    moved.set_target_prior(0.01)
    fitted = tuned(clone(corrected).set_params(target_prior=0.01), scoring="f1")
    fitted.fit(X, y, sample_weight=weight)
    assert moved.best_threshold_ == pytest.approx(fitted.best_threshold_, rel=1e-9)
    assert moved.best_score_ == pytest.approx(fitted.best_score_, rel=1e-9)
    np.testing.assert_array_equal(moved.predict(X), fitted.predict(X))
    moved.set_target_prior("empirical")
    assert moved.best_threshold_ == pytest.approx(natural, rel=1e-9)


def test_without_correction_inside_only_the_threshold_moves():
    model = tuned(scoring="f1").fit(X, y)
    before = model.predict_proba(X)
    model.set_target_prior(0.01)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    fitted = tuned(scoring="f1", target_prior=0.01).fit(X, y)
    assert model.best_threshold_ == fitted.best_threshold_


def test_a_prior_changed_behind_the_threshold_is_refused():
    model = tuned(PriorCorrectedClassifier(LOGISTIC)).fit(X, y)
    model.estimator_.set_target_prior(0.01)
    with pytest.raises(StalePriorError, match="`set_target_prior`"):
        model.predict(X)
    model.set_target_prior(0.01).predict(X)


def test_a_failed_set_target_prior_changes_nothing():
    model = tuned(PriorCorrectedClassifier(LOGISTIC)).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="`target_prior`"):
        model.set_target_prior(2.0)
    np.testing.assert_array_equal(model.predict(X), before)


def test_prefit_takes_the_estimator_as_it_is():
    fitted = clone(LOGISTIC).fit(X, y)
    model = tuned(fitted, cv="prefit", scoring="f1").fit(X, y)
    assert model.estimator_ is fitted
    expected = optimal_threshold(y, fitted.predict_proba(X)[:, 1], "f1")
    assert (model.best_threshold_, model.apparent_score_) == pytest.approx(expected)


def test_a_float_cv_is_one_stratified_hold_out():
    model = tuned(cv=0.25, random_state=3).fit(X, y)
    split = StratifiedShuffleSplit(1, test_size=0.25, random_state=3)
    expected = tuned(cv=split).fit(X, y)
    assert model.best_threshold_ == expected.best_threshold_
    assert len(model.fold_thresholds_) == 1


def test_refit_false_keeps_the_model_that_it_tuned_on():
    model = tuned(cv=0.25, refit=False, random_state=0, scoring="f1").fit(X, y)
    test = model.out_of_fold_.rows
    train = np.setdiff1d(np.arange(len(y)), test)
    expected = clone(LOGISTIC).fit(X[np.sort(train)], y[np.sort(train)])
    np.testing.assert_allclose(model.estimator_.coef_, expected.coef_, rtol=1e-4)
    proba = model.predict_proba(X[test])[:, 1]
    assert model.apparent_score_ == optimal_threshold(y[test], proba, "f1").score


def test_repeated_folds_score_each_row_several_times():
    model = tuned(cv=RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0))
    assert len(model.fit(X, y).out_of_fold_.rows) == 2 * len(y)
    assert len(model.fold_thresholds_) == 6


@pytest.mark.parametrize("cv", [5, StratifiedKFold(5), FOLDS])
def test_a_row_of_weight_0_is_a_row_removed(cv):
    weight = np.ones(len(y))
    if isinstance(cv, list):
        weight[FOLDS[0][1][:50]] = 0
        kept = np.flatnonzero(weight)
        place = np.cumsum(weight > 0) - 1
        cv_kept = [
            tuple(place[part[weight[part] > 0]] for part in fold) for fold in FOLDS
        ]
    else:
        weight[::7] = 0
        kept, cv_kept = np.flatnonzero(weight), cv
    zeroed = tuned(cv=cv, scoring="f1").fit(X, y, sample_weight=weight)
    removed = tuned(cv=cv_kept, scoring="f1").fit(X[kept], y[kept])
    assert zeroed.best_threshold_ == pytest.approx(removed.best_threshold_, rel=1e-4)
    np.testing.assert_array_equal(zeroed.out_of_fold_.rows, kept[removed_rows(removed)])


def removed_rows(model):
    return model.out_of_fold_.rows


def test_any_number_of_jobs_gives_the_same_bits():
    network = MLPClassifier((4,), max_iter=5, batch_size=200)
    models = []
    for n_jobs in (1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # five epochs do not converge
            with joblib.parallel_backend("threading"):
                models.append(tuned(network, n_jobs=n_jobs, random_state=0).fit(X, y))
    one, two = models
    assert one.best_threshold_ == two.best_threshold_
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_random_state_reaches_open_seeds_and_leaves_set_ones():
    network = make_pipeline(StandardScaler(), MLPClassifier((3,), max_iter=3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs do not converge
        a = tuned(network, random_state=0).fit(X, y).predict_proba(X)
        b = tuned(network, random_state=0).fit(X, y).predict_proba(X)
        seeded = clone(network).set_params(mlpclassifier__random_state=7)
        c = tuned(seeded, random_state=0).fit(X, y)
    np.testing.assert_array_equal(a, b)
    assert c.estimator_[-1].random_state == 7
    assert network[-1].random_state is None


def test_groups_reach_the_splitter_without_routing():
    groups = np.arange(len(y)) % 10
    model = tuned(cv=GroupKFold(5)).fit(X, y, groups=groups)
    by_fold = [
        set(groups[model.out_of_fold_.rows[model.out_of_fold_.fold == k]])
        for k in range(5)
    ]
    assert sum(map(len, by_fold)) == 10


def test_groups_and_weights_reach_their_places_with_routing():
    groups, weight = np.arange(len(y)) % 10, np.random.default_rng(0).random(len(y))
    expected = tuned(cv=GroupKFold(5)).fit(X, y, sample_weight=weight, groups=groups)
    with config_context(enable_metadata_routing=True):
        model = tuned(cv=GroupKFold(5)).fit(X, y, sample_weight=weight, groups=groups)
    assert model.best_threshold_ == expected.best_threshold_


class Constant(ClassifierMixin, BaseEstimator):
    """Gives the first fold's training rows one score, and learns on the others."""

    def __init__(self, constant_rows=1):
        self.constant_rows = constant_rows

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.inner_ = LogisticRegression().fit(X, y)
        self.constant_ = X[0, 0] != first_value
        return self

    def predict_proba(self, X):
        proba = self.inner_.predict_proba(X)
        return np.full_like(proba, 0.5) if self.constant_ else proba


first_value = X[0, 0]


def test_constant_scores_warn_and_skip_the_fold():
    # Only fold 0 trains without row 0.
    with pytest.warns(ConstantScoresWarning, match="Fold 0"):
        model = tuned(Constant()).fit(X, y)
    assert np.isnan(model.fold_thresholds_).tolist() == [True] + [False] * 4
    assert 0.7 < model.best_score_ < 1


def test_constant_scores_in_every_fold_are_an_error():
    with (
        pytest.warns(ConstantScoresWarning),
        pytest.raises(ValueError, match="same score"),
    ):
        tuned(DummyClassifier()).fit(X, y)


def test_few_positives_are_warned_about():
    few = np.flatnonzero(y)[40:]
    rows = np.setdiff1d(np.arange(len(y)), few)
    with pytest.warns(FewPositivesWarning, match="40 rows of the positive class 1"):
        tuned().fit(X[rows], y[rows])


def test_cv_results_hold_every_cut_and_every_fold():
    model = tuned(scoring="f1", store_cv_results=True).fit(X, y)
    results = model.cv_results_
    assert results["scores"].shape == results["thresholds"].shape == (len(y) + 1,)
    assert results["fold_scores"].shape == (5, len(y) + 1)
    assert (np.diff(results["thresholds"]) >= 0).all()
    np.testing.assert_allclose(results["fold_scores"].mean(axis=0), results["scores"])
    assert results["scores"].max() == pytest.approx(model.apparent_score_)


def test_metrics_of_both_classes_need_both_in_a_fold_unless_pooled():
    rows = np.arange(len(y))
    negatives = np.flatnonzero(y == 0)[:300]
    one_class_folds = [*FOLDS[:2], (np.setdiff1d(rows, negatives), negatives)]
    with pytest.raises(ValueError, match="one class only"):
        tuned(cv=one_class_folds).fit(X, y)
    tuned(cv=one_class_folds, aggregation="pooled").fit(X, y)
