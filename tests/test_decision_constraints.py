"""Limits that the tuned threshold keeps, out of fold and with a confidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer

from sklimb import OptimalThresholdClassifierCV, PriorCorrectedClassifier
from sklimb.exceptions import InfeasibleConstraintError
from tests.data import imbalanced

X, y = imbalanced(900)
LOGISTIC = LogisticRegression()
WEIGHT = np.random.default_rng(0).random(len(y)) + 0.2
FEW = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")


def tuned(estimator=LOGISTIC, **parameters):
    return OptimalThresholdClassifierCV(estimator, **parameters)


class Itself(ClassifierMixin, BaseEstimator):
    """Takes the only column for the positive class's probability."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


METRICS = {
    "recall": lambda y, decided, w: np.average(decided[y == 1], weights=w[y == 1]),
    "specificity": lambda y, decided, w: np.average(
        ~decided[y == 0], weights=w[y == 0]
    ),
    "alert_rate": lambda y, decided, w: np.average(decided, weights=w),
    "precision": lambda y, decided, w: metrics.precision_score(
        y, decided, sample_weight=w, zero_division=0
    ),
    "f1": lambda y, decided, w: metrics.f1_score(
        y, decided, sample_weight=w, zero_division=0
    ),
    "accuracy": lambda y, decided, w: np.average(y == decided, weights=w),
}


def brute_force(labels, proba, weight, scoring, constraints):
    """Return the best score of all cuts that keep the constraints, or None."""
    found = []
    for cut in np.append(np.unique(proba), 2):
        decided = proba >= cut
        kept = all(
            low - 1e-9 <= METRICS[name](labels, decided, weight) <= high + 1e-9
            for name, (low, high) in constraints.items()
        )
        if kept:
            found.append(METRICS[scoring](labels, decided, weight))
    return max(found, default=None)


def check_cut(labels, proba, weight, scoring, constraints, prior=None):
    """Compare the tuned cut of given probabilities with brute force."""
    model = tuned(
        Itself(),
        cv=[(np.arange(len(labels)),) * 2],
        scoring=scoring,
        constraints={
            name: tuple(None if np.isinf(end) else end for end in limits)
            for name, limits in constraints.items()
        },
        target_prior=prior,
    )
    counted = np.ones(len(labels)) if weight is None else weight
    if prior is not None:
        shares = np.bincount(labels, counted)
        counted = counted * (np.array([1 - prior, prior]) / shares)[labels]
    best = brute_force(labels, proba, counted, scoring, constraints)
    if best is None:
        with pytest.raises(InfeasibleConstraintError):
            model.fit(proba[:, None], labels, sample_weight=weight)
        return
    model.fit(proba[:, None], labels, sample_weight=weight)
    decided = model.predict(proba[:, None]) == 1
    for name, (low, high) in constraints.items():
        assert low - 1e-9 <= METRICS[name](labels, decided, counted) <= high + 1e-9
    assert METRICS[scoring](labels, decided, counted) == pytest.approx(best)
    assert model.apparent_score_ == pytest.approx(best)


def ends(name):
    share = st.floats(0.1, 0.95).map(lambda end: round(end, 2))
    if name == "alert_rate":
        return share.map(lambda high: (-np.inf, high))
    return share.map(lambda low: (low, np.inf))


LIMITS = st.lists(
    st.sampled_from(["recall", "specificity", "alert_rate", "precision"]),
    min_size=1,
    max_size=3,
    unique=True,
).flatmap(lambda names: st.fixed_dictionaries({name: ends(name) for name in names}))


@FEW
@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    limits=LIMITS,
    scoring=st.sampled_from(["f1", "accuracy"]),
    weighted=st.booleans(),
    prior=st.sampled_from([None, 0.1, 0.5]),
)
def test_the_cut_is_the_best_of_those_that_keep_the_limits(
    seed, limits, scoring, weighted, prior
):
    random = np.random.default_rng(seed)
    labels = (random.random(40) < 0.3).astype(int)
    labels[:2] = [0, 1]
    proba = (norm.cdf(random.normal(size=40) + labels)).round(random.integers(1, 4))
    proba[:2] = [0.2, 0.7]
    weight = random.integers(1, 4, 40).astype(float) if weighted else None
    check_cut(labels, proba, weight, scoring, limits, prior)


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("prior", [None, 0.3])
def test_limits_hold_on_all_rows_out_of_fold(prior, weight, aggregation):
    limits = {"recall": (0.7, None), "alert_rate": (None, 0.5)}
    model = tuned(
        scoring="precision",
        constraints=limits,
        target_prior=prior,
        aggregation=aggregation,
    ).fit(X, y, sample_weight=weight)
    rows = model.out_of_fold_
    target = prior and np.array([1 - prior, prior])
    counted = rows.weights_at(target, by_fold=aggregation == "mean")
    counted = np.ones(len(y)) if counted is None else counted
    decided = rows.scores[:, 1] >= model.best_threshold_
    labels = rows.class_numbers
    assert METRICS["recall"](labels, decided, counted) >= 0.7 - 1e-9
    assert METRICS["alert_rate"](labels, decided, counted) <= 0.5 + 1e-9


def out_of_fold_rate(model, label):
    rows = model.out_of_fold_
    numbers = model.rule_.numbers(rows.scores)
    return (numbers == label)[rows.class_numbers == label].mean()


def test_limits_by_class_are_of_that_class():
    named = np.array(["ham", "spam"])[y]
    limits = {"recall": {"ham": (0.95, None)}}
    by_class = tuned(constraints=limits).fit(X, named)
    by_name = tuned(constraints={"specificity": (0.95, None)}).fit(X, named)
    assert by_class.best_threshold_ == by_name.best_threshold_
    assert out_of_fold_rate(by_class, 0) >= 0.95
    other = tuned(constraints={"recall": (0.95, None)}, pos_label="ham").fit(X, named)
    assert other.best_threshold_ == pytest.approx(1 - by_class.best_threshold_)


def test_a_limit_that_holds_anyway_changes_nothing():
    free = tuned(scoring="f1").fit(X, y)
    limited = tuned(scoring="f1", constraints={"recall": (0.1, None)}).fit(X, y)
    assert limited.best_threshold_ == free.best_threshold_
    assert limited.best_score_ == free.best_score_


def test_costs_and_scorers_are_limited_as_metrics_are():
    limits = {"alert_rate": (None, 0.08)}
    costs = np.array([[0.0, 1.0], [20.0, 0.0]])
    scorer = make_scorer(metrics.f1_score, zero_division=1)
    for parameters, fit in (
        ({"cost_matrix": costs}, {}),
        ({}, {"sample_cost": costs[y]}),
        ({"scoring": scorer}, {}),
    ):
        model = tuned(constraints=limits, **parameters).fit(X, y, **fit)
        alerts = model.out_of_fold_.scores[:, 1] >= model.best_threshold_
        assert 0.06 < alerts.mean() <= 0.08


def test_limits_move_with_the_target_prior():
    limits = {"precision": (0.5, None)}
    moved = tuned(PriorCorrectedClassifier(LOGISTIC), constraints=limits).fit(X, y)
    moved.set_target_prior(0.05)
    corrected = PriorCorrectedClassifier(LOGISTIC, target_prior=0.05)
    fitted = tuned(corrected, constraints=limits).fit(X, y)
    assert moved.best_threshold_ == pytest.approx(fitted.best_threshold_, rel=1e-6)


def test_limits_that_a_prior_makes_unreachable_change_nothing():
    model = tuned(constraints={"f1": (0.4, None)}).fit(X, y)
    before = model.predict(X)
    with pytest.raises(InfeasibleConstraintError):
        model.set_target_prior(1e-6)
    np.testing.assert_array_equal(model.predict(X), before)


def test_what_cannot_be_kept_names_what_comes_nearest():
    limits = {"recall": (0.9, None), "precision": (0.8, None)}
    with pytest.raises(InfeasibleConstraintError, match="`constraints`") as caught:
        tuned(constraints=limits, aggregation="pooled").fit(X, y)
    error = caught.value
    rows = tuned().fit(X, y).out_of_fold_
    decided = rows.scores[:, 1] >= error.threshold
    labels, ones = rows.class_numbers, np.ones(len(y))
    assert error.constraint in limits
    nearest = METRICS[error.constraint](labels, decided, ones)
    assert error.best_value == pytest.approx(nearest)
    assert nearest < limits[error.constraint][0]
    (other,) = set(limits) - {error.constraint}
    assert METRICS[other](labels, decided, ones) >= limits[other][0]


def test_the_interval_is_that_of_the_limited_threshold():
    free = tuned(scoring="f1").fit(X, y)
    for limits in ({"recall": (0.9, None)}, {"alert_rate": (None, 0.03)}):
        model = tuned(scoring="f1", constraints=limits).fit(X, y)
        low, high = model.threshold_interval_
        assert low < model.best_threshold_ < high
        assert not low < free.best_threshold_ < high
    costs = np.column_stack([5.0 * y, 1 - y])
    by_row = tuned(constraints={"recall": (0.9, None)}).fit(X, y, sample_cost=costs)
    assert np.isnan(by_row.threshold_interval_).all()


# --- with a confidence ---


def test_a_confidence_is_stricter_than_none():
    limits = {"recall": (0.75, None)}
    thresholds = [
        tuned(constraints=limits, constraint_confidence=confidence, scoring="precision")
        .fit(X, y)
        .best_threshold_
        for confidence in (None, 0.5, 0.8, 0.95, 0.99)
    ]
    assert (np.diff(thresholds) < 0).all()


def test_a_limit_is_broken_on_new_rows_as_rarely_as_said():
    # Recall is 0.9 at the threshold norm.cdf(1 - 1.2816).
    random = np.random.default_rng(0)
    broken = {None: 0, 0.9: 0}
    for _ in range(100):
        labels = np.repeat([0, 1], [60, 60])
        proba = norm.cdf(random.normal(size=120) + labels)[:, None]
        for confidence in broken:
            model = tuned(
                Itself().fit(proba, labels),
                cv="prefit",
                scoring="precision",
                constraints={"recall": (0.9, None)},
                constraint_confidence=confidence,
            ).fit(proba, labels)
            recall = norm.sf(norm.ppf(model.best_threshold_) - 1)
            broken[confidence] += recall < 0.9
    assert broken[None] > 30
    assert broken[0.9] <= 18  # a binomial of 100 and 0.1 exceeds it in 0.5 % of cases


def test_weights_that_vary_within_a_class_are_refused_with_a_confidence():
    limited = {"constraints": {"recall": (0.6, None)}, "constraint_confidence": 0.9}
    with pytest.raises(ValueError, match="varies within a class"):
        tuned(**limited).fit(X, y, sample_weight=WEIGHT)
    tuned(**limited).fit(X, y, sample_weight=1.0 + y)


@pytest.mark.parametrize("name", ["precision", "alert_rate"])
def test_weights_equal_within_classes_are_certified_as_the_prior_they_stand_for(name):
    limit = (None, 0.5) if name == "alert_rate" else (0.45, None)
    limited = {
        "constraints": {name: limit},
        "constraint_confidence": 0.9,
        "aggregation": "pooled",
        "cv": "prefit",
    }
    fitted = LogisticRegression().fit(X, y)
    positives = y.mean()
    weighted = tuned(fitted, **limited).fit(X, y, sample_weight=1.0 + 2 * y)
    prior = 3 * positives / (1 + 2 * positives)
    at_prior = tuned(fitted, target_prior=prior, **limited).fit(X, y)
    assert weighted.best_threshold_ == at_prior.best_threshold_


@FEW
def test_recall_of_90_percent_needs_29_positives():
    labels = np.repeat([0, 1], [200, 28])
    proba = np.linspace(0, 1, 228)[:, None]
    fitted = Itself().fit(proba, labels)
    limited = {"constraints": {"recall": (0.9, None)}, "constraint_confidence": 0.95}
    with pytest.raises(InfeasibleConstraintError, match="at least 29 rows of its") as e:
        tuned(fitted, cv="prefit", **limited).fit(proba, labels)
    assert e.value.constraint == "recall" and e.value.best_value < 0.9
    labels[199] = 1
    tuned(fitted, cv="prefit", **limited).fit(proba, labels)


def test_the_interval_of_certified_thresholds_is_not_known():
    model = tuned(constraints={"recall": (0.6, None)}, constraint_confidence=0.9)
    assert np.isnan(model.fit(X, y).threshold_interval_).all()


@pytest.mark.parametrize(
    "selection", ["exact", "expected", "bagged", "combined", "one_standard_error"]
)
@pytest.mark.parametrize("confidence", [None, 0.9])
def test_every_selection_stays_within_the_limits(selection, confidence):
    limits = {"recall": (0.75, None)}
    model = tuned(
        scoring="precision",
        constraints=limits,
        constraint_confidence=confidence,
        selection=selection,
    ).fit(X, y)
    assert out_of_fold_rate(model, 1) >= 0.75
