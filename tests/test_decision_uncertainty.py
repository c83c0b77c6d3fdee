"""How much a tuned threshold and its score can be trusted."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)

from sklimb import OptimalThresholdClassifierCV, PriorCorrectedClassifier
from sklimb.exceptions import FewPositivesWarning, InfeasibleConstraintError
from sklimb.thresholds import metric_function, optimal_threshold, threshold_interval
from tests.data import imbalanced

X, y = imbalanced(900)
LOGISTIC = LogisticRegression()
SOME = X[:450], y[:450]  # a scorer of one's own takes a millisecond a cut
FOLDS = list(StratifiedKFold(5).split(X, y))
FEW = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")
SELECTIONS = ["exact", "expected", "bagged", "combined", "one_standard_error"]


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


class Itself(ClassifierMixin, BaseEstimator):
    """Takes the only column for the positive class's probability."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def noise(seed, n_rows=120, shift=0.0):
    """Draw scores of 20 positives in 120 that say as much as ``shift``."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [n_rows - n_rows // 6, n_rows // 6])
    scores = norm.cdf(random.normal(size=n_rows) + shift * labels)
    order = random.permutation(n_rows)
    return scores[order, None], labels[order]


# --- the score of rows that did not choose ---


@FEW
@pytest.mark.parametrize(
    "cv", [5, "prefit", 0.5, RepeatedStratifiedKFold(n_splits=2, n_repeats=2)]
)
def test_where_scores_are_noise_the_best_score_is_chance_and_the_apparent_one_above(cv):
    best, apparent = [], []
    for seed in range(80):
        rows, labels = noise(seed)
        estimator = Itself().fit(rows, labels) if cv == "prefit" else Itself()
        model = tuned(estimator, cv=cv, aggregation="pooled", random_state=seed)
        model.fit(rows, labels)
        best.append(model.best_score_)
        apparent.append(model.apparent_score_)
    error = np.std(best) / np.sqrt(len(best))
    assert abs(np.mean(best) - 0.5) < 3 * error + 0.005
    assert np.mean(apparent) > 0.54


@FEW
def test_the_best_score_estimates_that_of_new_rows():
    # Of new rows at the threshold that all folds chose; four choose nearly the same.
    best, true = [], []
    for seed in range(80):
        rows, labels = noise(seed, shift=1.5)
        model = tuned(Itself(), aggregation="pooled").fit(rows, labels)
        cut = norm.ppf(model.best_threshold_)
        best.append(model.best_score_)
        true.append((norm.cdf(cut) + norm.sf(cut - 1.5)) / 2)
    gap = np.subtract(best, true)
    assert abs(gap.mean()) < 3 * gap.std() / np.sqrt(len(gap)) + 0.005


@pytest.mark.parametrize("selection", ["exact", "expected"])
@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_the_best_score_is_each_folds_at_a_threshold_that_the_others_chose(
    aggregation, selection
):
    parameters = {"scoring": "f1", "aggregation": aggregation, "selection": selection}
    model = tuned(**parameters).fit(X, y)
    scores = model.out_of_fold_.scores[np.argsort(model.out_of_fold_.rows), 1]
    decided, by_hand = np.empty(len(y)), []
    for k, (_, test) in enumerate(FOLDS):
        others = [fold for j, (_, fold) in enumerate(FOLDS) if j != k]
        rows = np.concatenate(others)
        place = np.cumsum([0, *map(len, others)])
        cv = [(np.arange(len(rows)), np.arange(*ends)) for ends in pairwise(place)]
        chosen = tuned(Itself(), cv=cv, **parameters).fit(scores[rows, None], y[rows])
        decided[test] = scores[test] >= chosen.best_threshold_
        by_hand.append(metrics.f1_score(y[test], decided[test]))
    pooled = metrics.f1_score(y, decided)
    expected = pooled if aggregation == "pooled" else np.mean(by_hand)
    assert model.best_score_ == pytest.approx(expected)


@FEW
@pytest.mark.parametrize("cv", ["prefit", 0.4])
def test_one_set_of_rows_is_dealt_to_five_parts(cv):
    fitted = LogisticRegression().fit(X, y)
    model = tuned(fitted, cv=cv, scoring="f1", random_state=0).fit(X, y)
    rows = model.out_of_fold_
    dealt = rows.dealt()
    assert model.fold_thresholds_.shape == (1,) and dealt.n_folds == 5
    counts = np.array([np.bincount(rows.class_numbers[p]) for p in dealt.parts()])
    assert (np.ptp(counts, axis=0) <= 1).all()
    by_hand = []
    for part in dealt.parts():
        folds = [np.flatnonzero(dealt.fold[~part] == k) for k in range(5)]
        cv = [(np.arange((~part).sum()), fold) for fold in folds if len(fold)]
        chosen = tuned(Itself(), cv=cv, scoring="f1")
        chosen.fit(rows.scores[~part, 1:], rows.class_numbers[~part])
        decided = rows.scores[part, 1] >= chosen.best_threshold_
        by_hand.append(metrics.f1_score(rows.class_numbers[part], decided))
    assert model.best_score_ == pytest.approx(np.mean(by_hand))


def test_groups_and_repeated_rows_stay_in_one_part():
    groups = np.arange(len(y)) // 3
    fitted = LogisticRegression().fit(X, y)
    dealt = tuned(fitted, cv="prefit").fit(X, y, groups=groups).out_of_fold_.dealt()
    parts_of_groups = {(g, k) for g, k in zip(groups, dealt.fold, strict=True)}
    assert len(parts_of_groups) == len(np.unique(groups))
    repeats = RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0)
    dealt = tuned(cv=repeats).fit(X, y).out_of_fold_.dealt()
    assert len({*zip(dealt.rows, dealt.fold, strict=True)}) == len(y)


def test_the_best_score_is_that_at_the_target_prior_and_moves_with_it():
    model = tuned(PriorCorrectedClassifier(LOGISTIC), scoring="precision")
    before = model.fit(X, y).best_score_
    assert model.set_target_prior(0.01).best_score_ < before


@FEW
def test_the_best_score_leaves_out_folds_whose_others_keep_no_limits():
    # Only the first fold's rows can be told apart: without them nothing can.
    rows, labels = noise(0, 200)
    folds = list(StratifiedKFold(2).split(rows, labels))
    first = folds[0][1]
    rows[first, 0] = np.where(labels[first], 0.9, 0.1) + 0.05 * rows[first, 0]
    limits = {"precision": (0.6, None), "recall": (0.45, None)}
    model = tuned(Itself(), cv=folds, constraints=limits).fit(rows, labels)
    second = (
        rows[folds[1][1], 0]
        >= optimal_threshold(labels[first], rows[first, 0]).threshold
    )
    expected = metrics.balanced_accuracy_score(labels[folds[1][1]], second)
    assert model.best_score_ == pytest.approx(expected)
    with pytest.raises(InfeasibleConstraintError):
        tuned(Itself(), cv=2, constraints=limits).fit(
            rows[folds[1][1]], labels[folds[1][1]]
        )


# --- the thresholds of folds ---


def test_a_fold_of_one_class_has_no_threshold_of_its_own():
    test = FOLDS[0][1]
    cv = [(FOLDS[0][0], test[y[test] == 0]), *FOLDS[1:]]
    model = tuned(cv=cv, aggregation="pooled").fit(X, y)
    assert np.isnan(model.fold_thresholds_).tolist() == [True] + [False] * 4


# --- the range of stability ---


@pytest.mark.parametrize("scoring", ["f1", "balanced_accuracy", "mcc"])
@pytest.mark.parametrize("pos_label", [0, 1])
def test_the_interval_is_that_of_the_pooled_rows_and_has_the_threshold(
    scoring, pos_label
):
    model = tuned(scoring=scoring, pos_label=pos_label).fit(X, y)
    rows = model.out_of_fold_
    expected = threshold_interval(
        rows.class_numbers == pos_label,
        rows.scores[:, pos_label],
        metric_function(scoring),
    )
    assert model.threshold_interval_ == expected
    assert expected[0] < model.best_threshold_ < expected[1]


def test_the_interval_repeats_with_the_seed():
    first, second, third = (
        tuned(scoring="f1", random_state=seed).fit(X, y).threshold_interval_
        for seed in (1, 1, 2)
    )
    assert first == second != third


def test_rows_that_come_in_groups_make_the_interval_wider():
    fitted = LogisticRegression().fit(X, y)
    rows, labels, groups = (np.repeat(a, 5, axis=0) for a in (X, y, np.arange(len(y))))
    alone = tuned(fitted, cv="prefit", scoring="f1").fit(rows, labels)
    grouped = tuned(fitted, cv="prefit", scoring="f1")
    grouped.fit(rows, labels, groups=groups)
    once = tuned(fitted, cv="prefit", scoring="f1").fit(X, y)
    assert width(grouped) > 1.3 * width(alone)
    assert width(grouped) == pytest.approx(width(once), rel=0.3)


def width(model):
    low, high = model.threshold_interval_
    return high - low


def test_groups_of_folds_are_drawn_whole():
    groups = np.random.default_rng(0).integers(0, 30, len(y))
    model = tuned(cv=GroupKFold(3), scoring="f1").fit(X, y, groups=groups)
    rows = model.out_of_fold_
    np.testing.assert_array_equal(rows.groups, groups[rows.rows])
    expected = threshold_interval(
        rows.class_numbers == 1,
        rows.scores[:, 1],
        metric_function("f1"),
        group=rows.groups,
    )
    assert model.threshold_interval_ == expected


def own_f1(y_true, y_pred, sample_weight=None):
    return metrics.f1_score(y_true, y_pred, sample_weight=sample_weight)


def test_the_interval_of_a_scorer_that_is_no_metric_of_the_table_is_not_known():
    some = np.arange(len(y)) < 400
    with pytest.warns(FewPositivesWarning, match="a rough guess. Look"):
        model = tuned(scoring=make_scorer(own_f1), cv=2).fit(X[some], y[some])
    assert np.isnan(model.threshold_interval_).all()
    known = tuned(scoring=make_scorer(metrics.f1_score)).fit(X, y)
    assert (
        known.threshold_interval_ == tuned(scoring="f1").fit(X, y).threshold_interval_
    )


def test_few_positives_are_warned_of_with_the_interval():
    some = np.arange(len(y)) < 400
    with pytest.warns(FewPositivesWarning) as told:
        model = tuned(scoring="f1").fit(X[some], y[some])
    low, high = model.threshold_interval_
    (warning,) = told
    assert f"stable within {low:.4g} and {high:.4g}" in str(warning.message)
    assert f"rests on {y[some].sum()} rows" in str(warning.message)


# --- which cut to take ---


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_no_selection_is_above_the_exact_optimum_nor_far_below(selection, aggregation):
    parameters = {"scoring": "f1", "aggregation": aggregation}
    exact = tuned(**parameters).fit(X, y)
    model = tuned(selection=selection, **parameters).fit(X, y)
    assert model.apparent_score_ <= exact.apparent_score_
    assert model.apparent_score_ > exact.apparent_score_ - 0.05
    low, high = exact.threshold_interval_
    assert low < model.best_threshold_ < high
    again = tuned(selection=selection, **parameters).fit(X, y)
    assert again.best_threshold_ == model.best_threshold_


@FEW
def test_averaged_cuts_vary_less_than_the_exact_one():
    spread = {}
    for selection in SELECTIONS:
        cuts = []
        for seed in range(30):
            rows, labels = noise(seed, shift=1.5)
            fitted = Itself().fit(rows, labels)
            model = tuned(fitted, cv="prefit", selection=selection).fit(rows, labels)
            cuts.append(norm.ppf(model.best_threshold_))
        spread[selection] = np.std(cuts)
    for selection in ("expected", "bagged", "combined"):
        assert spread[selection] < 0.9 * spread["exact"]


def test_auto_is_the_best_on_average_that_the_scoring_is_fast_enough_for():
    of_name = [
        tuned(scoring="f1", selection=selection).fit(X, y).best_threshold_
        for selection in ("auto", "combined")
    ]
    of_scorer = [
        tuned(scoring=make_scorer(own_f1), selection=selection, cv=2).fit(*SOME)
        for selection in ("auto", "exact")
    ]
    assert of_name[0] == of_name[1]
    assert of_scorer[0].best_threshold_ == of_scorer[1].best_threshold_


@pytest.mark.parametrize("selection", ["bagged", "combined"])
def test_resampling_selections_refuse_a_scorer_of_ones_own(selection):
    with pytest.raises(ValueError, match=f"`selection`='{selection}' measures every"):
        tuned(scoring=make_scorer(own_f1), selection=selection).fit(X, y)


@pytest.mark.parametrize("selection", ["expected", "one_standard_error"])
def test_other_selections_take_a_scorer_that_takes_weights(selection):
    parameters = {"selection": selection, "cv": 2, "aggregation": "pooled"}
    by_scorer = tuned(scoring=make_scorer(own_f1), **parameters)
    by_scorer.fit(*SOME)
    by_name = tuned(scoring="f1", **parameters).fit(*SOME)
    assert by_scorer.best_threshold_ == pytest.approx(by_name.best_threshold_)


def unweighted_f1(y_true, y_pred):
    return metrics.f1_score(y_true, y_pred)


@pytest.mark.parametrize(
    "parameters",
    [
        {"selection": "expected"},
        {"selection": "one_standard_error"},
        {"target_prior": 0.5},
    ],
    ids=str,
)
def test_a_scorer_without_weights_chooses_exactly_or_says_why_not(parameters):
    model = tuned(scoring=make_scorer(unweighted_f1), cv=2, **parameters)
    with pytest.raises(ValueError, match=r"rows of unequal weight.*='exact'"):
        model.fit(*SOME)
    three = np.digitize(X[:, 0], [-0.5, 1.0])
    with pytest.raises(ValueError, match="rows of unequal weight"):
        tuned(scoring=make_scorer(unweighted_f1), cv=2).fit(X, three)


@pytest.mark.parametrize(
    "name", ["best_score_", "fold_thresholds_", "threshold_interval_"]
)
def test_before_fit_there_is_nothing_to_tell(name):
    assert not hasattr(tuned(), name)
