"""Bad input: a clear error, and nothing half-fitted."""

import numpy as np
import polars as pl
import pytest
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import TomekLinks
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from sklimb.priors import correct_log_proba, correct_proba, empirical_prior
from sklimb.thresholds import confusion_counts, optimal_threshold
from tests.data import imbalanced
from tests.resampling_fakes import FakeBatches, FakeNetwork

X, y = imbalanced(600)
THREE = np.digitize(X[:, 0], [-0.5, 0.8])
ONES = np.ones(len(y))
L = LogisticRegression()
HALVES = [[0.5, 0.5]]


def weighted(class_weight, labels=y, weight=None, inner=L, **parameters):
    model = ClassWeightedClassifier(inner, class_weight=class_weight, **parameters)
    return lambda: model.fit(X, labels, sample_weight=weight)


def corrected(labels=y, inner=L, **parameters):
    return lambda: PriorCorrectedClassifier(inner, **parameters).fit(X, labels)


def sampled(sampler="over", rows=X, labels=y, inner=L, fit=None, **parameters):
    model = ResampledClassifier(inner, sampler=sampler, **parameters)
    return lambda: model.fit(rows, labels, **(fit or {}))


def tuned(labels=y, weight=None, inner=L, **parameters):
    model = OptimalThresholdClassifierCV(inner, **parameters)
    return lambda: model.fit(X, labels, sample_weight=weight)


def flat(labels=y, inner=L, **parameters):
    return lambda: ImbalanceAwareClassifier(inner, **parameters).fit(X, labels)


def with_one(value):
    weight = ONES.copy()
    weight[3] = value
    return weight


FEW = np.where(np.cumsum(y) <= 3, y, 0)


class LabelsOnly(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return self


BALANCED = LogisticRegression(class_weight="balanced")
WEIGHTED = {"sample_weight": ONES + y}
TEXTS = np.where(X > 0, "a", "b").astype(object)
AIMED = SMOTE(sampling_strategy={0: 511, 1: 300})


class Returns:
    """A user's sampler that returns what it is told to."""

    def __init__(self, change):
        self.change = change

    def fit_resample(self, X, y):
        return self.change(X, y)


LOST = Returns(lambda X, y: (X[y == 0], y[y == 0]))
UNKNOWN = Returns(lambda X, y: (X, y + 5))
WIDER = Returns(lambda X, y: (np.hstack([X, X]), y))
FROZEN = FrozenEstimator(LogisticRegression().fit(X, y))

ERRORS = {
    # class weights
    "unknown string": (weighted("auto"), ValueError, "'auto' is unknown. Use"),
    "n-length array": (weighted(ONES), ValueError, "`sample_weight`.*did you mean"),
    "label not in y": (weighted({0: 1, 2: 3}), ValueError, r"labels \[2\].*not in `y`"),
    "label of another type": (weighted({"1": 3}), ValueError, "with their type"),
    "both levels": (weighted("balanced", inner=BALANCED), ValueError, "two levels"),
    "negative weight": (weighted({1: -1}), ValueError, "positive and finite"),
    "nan weight": (weighted({1: np.nan}), ValueError, "positive and finite"),
    "infinite weight": (weighted({1: np.inf}), ValueError, "positive and finite"),
    "zero weight": (weighted({1: 0}), ValueError, "remove its rows instead"),
    "text as weight": (weighted({1: "big"}), ValueError, "positive and finite"),
    "share of 0": (weighted(0.0), ValueError, "between 0 and 1"),
    "share of 1": (weighted(1.0), ValueError, "between 0 and 1"),
    "share of three": (weighted(0.3, THREE), ValueError, "for two classes"),
    "no beta": (weighted("effective_number"), ValueError, "needs `beta`"),
    "beta of 1": (weighted("effective_number", beta=1.0), ValueError, "'beta'"),
    "negative strength": (weighted("balanced", strength=-1), ValueError, "'strength'"),
    "callable without a mapping": (weighted(lambda y: ONES), ValueError, "a mapping"),
    # resampling
    "no sampler": (sampled(None), ValueError, "`sampler`=None.*`estimator` itself"),
    "misspelt sampler": (sampled("ovr"), ValueError, "Did you mean 'over'"),
    "long name": (sampled("oversample"), ValueError, "Did you mean 'over'"),
    "number": (sampled(3), ValueError, "`sampler`=3 is not known. Use 'over'"),
    "sampler class": (sampled(SMOTE), ValueError, r"is the class SMOTE.*SMOTE\(\)"),
    "sampler, flat": (flat(sampler="upper"), ValueError, "`sampler`='upper' is not"),
    "share 0": (sampled(sampling_prior=0.0), ValueError, "`sampling_prior` is 0"),
    "shares": (sampled(sampling_prior=[1, 1]), ValueError, "must sum to 1"),
    "share name": (sampled(sampling_prior="equal"), ValueError, "'equal' is not a"),
    "no row left": (
        sampled("under", sampling_prior=0.999),
        ValueError,
        "class 0 a share of 0.001, which is none of the 89.*sampler='over'",
    ),
    "frozen": (sampled(inner=FROZEN), ValueError, "frozen.*Freeze the whole"),
    "no batches": (sampled("batches"), ValueError, "LogisticRegression has none. Use"),
    "no batches, object": (sampled(FakeBatches()), ValueError, "`sampler`=FakeBatches"),
    "batches twice": (
        sampled(FakeBatches(), inner=FakeNetwork(batches=FakeBatches())),
        ValueError,
        "two levels: `sampler`=FakeBatches here and `batches`=FakeBatches of FakeNet",
    ),
    "two shares": (
        sampled(FakeBatches(0.2), inner=FakeNetwork(), sampling_prior=0.3),
        ValueError,
        "`sampling_prior`=0.3 and `prior`=0.2 of `sampler`=FakeBatches differ",
    ),
    "cleaning to a share": (
        sampled(TomekLinks(), sampling_prior=0.3),
        ValueError,
        "`sampling_prior`=0.3 can't be reached by TomekLinks",
    ),
    "users' sampler to a share": (
        sampled(LOST, sampling_prior=0.3),
        ValueError,
        "can't be reached by Returns",
    ),
    "two aims": (
        sampled(AIMED, sampling_prior=0.3),
        ValueError,
        "`sampling_prior`=0.3 and `sampling_strategy`={0: 511, 1: 300} of SMOTE",
    ),
    "two aims inside": (
        sampled(SMOTEENN(smote=AIMED), sampling_prior=0.3),
        ValueError,
        "`smote__sampling_strategy`=",
    ),
    "class lost": (sampled(LOST), ValueError, r"left no rows of the classes \[1\]"),
    "label made up": (sampled(UNKNOWN), ValueError, r"labels \[5, 6\].*Mend its fit"),
    "columns made up": (
        sampled(WIDER),
        ValueError,
        r"\(3,\) into rows of shape \(6,\)",
    ),
    "texts": (sampled(SMOTE(), TEXTS), ValueError, "`X` has texts. Use SMOTENC"),
    "texts, fixed": (
        sampled(SMOTE(), TEXTS.astype("U1")),
        ValueError,
        "has texts. Use SMOTENC",
    ),
    "images": (
        sampled(SMOTE(), X.reshape(-1, 3, 1)),
        ValueError,
        "dim 3.*rows of numbers only. Use sampler='over', or.*`augment`",
    ),
    "several inputs": (
        sampled(RandomOverSampler(), {"a": X}),
        ValueError,
        "rows of numbers only. Use sampler='over'",
    ),
    "few neighbours": (
        sampled(SMOTE(), labels=FEW),
        ValueError,
        "The class 1 has 3 rows, fewer than.*`k_neighbors`.*sampler='over'",
    ),
    "polars": (
        sampled(SMOTE(), pl.DataFrame(X, schema=["a", "b", "c"])),
        ValueError,
        r"polars frames. Give a pandas frame",
    ),
    "sampler's own": (
        sampled(SMOTE(sampling_strategy={1: 5})),
        ValueError,
        "^With over-sampling methods",
    ),
    "groups of new rows": (
        sampled(SMOTE(), inner=FakeNetwork(), fit={"groups": y}),
        ValueError,
        "`groups` has a value for each row.*`sampler`=SMOTE makes new rows",
    ),
    "weights of sparse rows": (
        sampled(SMOTE(), csr_matrix(X), fit=WEIGHTED),
        ValueError,
        "`sample_weight` can't follow the rows of a sparse `X` through `sampler`=SMOTE",
    ),
    "held out too deep": (
        sampled(inner=GridSearchCV(FakeNetwork(0.2), {"batches": [None]})),
        ValueError,
        "a GridSearchCV can't hand these rows on",
    ),
    "ledger under a sampler": (
        flat(inner=BALANCED, sampler="over"),
        ValueError,
        "Give `training_prior`",
    ),
    "both levels around a sampler": (
        flat(inner=BALANCED, sampler="over", class_weight="balanced"),
        ValueError,
        "two levels",
    ),
    "ledger under weights": (
        corrected(
            inner=ClassWeightedClassifier(
                BalancedBaggingClassifier(n_estimators=2), class_weight=None
            )
        ),
        ValueError,
        "`sampling_strategy`='auto' of BalancedBaggingClassifier",
    ),
    # rows and labels
    "negative row weight": (
        weighted({}, weight=with_one(-1)),
        ValueError,
        "-1.0 in row 3",
    ),
    "nan row weight": (tuned(weight=with_one(np.nan)), ValueError, "nan in row 3"),
    "infinite row weight": (tuned(weight=with_one(np.inf)), ValueError, "inf in row 3"),
    "zero for a class": (tuned(weight=1.0 - y), ValueError, r"zero for every.*\[1\]"),
    "weights too short": (tuned(weight=ONES[1:]), ValueError, r"\(600,\)"),
    "one class": (tuned(np.zeros_like(y)), ValueError, "one class only"),
    "three, fixed": (flat(THREE, threshold=0.5), NotImplementedError, "3 classes"),
    "multilabel": (
        corrected(np.column_stack([y, 1 - y])),
        ValueError,
        "several labels",
    ),
    "missing label": (corrected([None, *y[1:]]), ValueError, "NaN, None"),
    "numbers for labels": (corrected(X[:, 0]), ValueError, "continuous"),
    "labels too short": (corrected(y[1:]), ValueError, "inconsistent numbers"),
    # priors
    "sum": (corrected(target_prior=[0.5, 0.6]), ValueError, "sum to 1.*1.1"),
    "negative": (corrected(target_prior=[1.1, -0.1]), ValueError, r"in \[0, 1\]"),
    "nan prior": (corrected(target_prior=[np.nan, 1]), ValueError, r"in \[0, 1\]"),
    "length": (corrected(target_prior=[0.2, 0.3, 0.5]), ValueError, r"\(2,\)"),
    "unknown label": (corrected(target_prior={7: 0.1}), ValueError, r"labels \[7\]"),
    "two missing": (corrected(THREE, target_prior={0: 0.1}), ValueError, r"\[1, 2\]"),
    "mapping sums up": (corrected(target_prior={0: 1.4}), ValueError, r"in \[0, 1\]"),
    "float of three": (corrected(THREE, target_prior=0.1), ValueError, "two classes"),
    "float above 1": (corrected(target_prior=1.5), ValueError, r"in \[0, 1\]"),
    "unknown name": (corrected(target_prior="natural"), ValueError, "'natural' is not"),
    "adapt": (corrected(target_prior="adapt"), ValueError, "'adapt' is not a prior"),
    "a bool": (corrected(target_prior=True), ValueError, "has shape"),
    "training prior 0": (
        corrected(training_prior=[1, 0]),
        ValueError,
        "neither corrected",
    ),
    "tuned at 0": (tuned(target_prior=0.0), ValueError, "`target_prior` is 0"),
    "tuned at 0, flat": (flat(target_prior=0.0), ValueError, "`target_prior` is 0"),
    "ledger": (corrected(inner=BALANCED), ValueError, "Give `training_prior`"),
    "ledger, flat": (flat(inner=BALANCED), ValueError, "Give `training_prior`"),
    # decisions
    "threshold above 1": (flat(threshold=1.2), ValueError, r"in \[0, 1\]"),
    "negative threshold": (flat(threshold=-0.1), ValueError, r"in \[0, 1\]"),
    "nan threshold": (flat(threshold=np.nan), ValueError, r"in \[0, 1\]"),
    "calibration": (flat(calibration="temprature"), ValueError, "mean 'temperature'"),
    "calibration: True": (flat(calibration=True), ValueError, "`calibration`=True is"),
    "threshold name": (flat(threshold="best"), ValueError, "must be 'tune'"),
    "pos_label": (tuned(pos_label="yes"), ValueError, r"among the classes \[0, 1\]"),
    "pos_label, flat": (flat(pos_label=2), ValueError, "`pos_label`=2"),
    "roc_auc": (tuned(scoring="roc_auc"), ValueError, "needs no threshold"),
    "precision-recall": (
        tuned(scoring="average_precision"),
        ValueError,
        "needs no threshold",
    ),
    "log-loss": (flat(scoring="neg_log_loss"), ValueError, "needs no threshold"),
    "misspelt": (tuned(scoring="balanced_acuracy"), ValueError, "'balanced_accuracy'"),
    "several scorings": (tuned(scoring=["f1"]), ValueError, "one metric"),
    "aggregation": (tuned(aggregation="median"), ValueError, "'aggregation'"),
    "folds": (tuned(FEW), ValueError, "5 folds and the class 1 has 3 rows"),
    "refit=False": (tuned(refit=False), ValueError, "5 folds there are several"),
    "prefit unfitted": (tuned(cv="prefit"), NotFittedError, "not fitted"),
    "prefit in the flat one": (flat(cv="prefit"), ValueError, "'cv'"),
    "no scores": (tuned(inner=LabelsOnly()), TypeError, "neither predict_proba"),
    "target inside a calibration": (
        lambda: CalibratedLogitsClassifierCV(
            PriorCorrectedClassifier(L, target_prior=0.01)
        ).fit(X, y),
        ValueError,
        "around CalibratedLogitsClassifierCV",
    ),
    "misspelt calibration": (
        lambda: CalibratedLogitsClassifierCV(L, method="vectors").fit(X, y),
        ValueError,
        "`method`='vectors' is not known.*'vector'",
    ),
    "no probabilities": (corrected(inner=LinearSVC()), TypeError, "no predict_proba"),
    "flat without": (flat(inner=Perceptron()), TypeError, "no predict_proba"),
    "not an estimator": (tuned(inner="logistic"), ValueError, "'estimator'"),
    # arrays
    "proba above 1": (
        lambda: correct_proba([[2.0, -1]], 0.5, 0.5),
        ValueError,
        "logits",
    ),
    "proba nan": (lambda: correct_proba([[np.nan, 1]], 0.5, 0.5), ValueError, "nan"),
    "proba 1-D": (
        lambda: correct_proba([0.5], 0.5, 0.5),
        ValueError,
        "column for each",
    ),
    "log 1-D": (lambda: correct_log_proba([0.5], 0.5, 0.5), ValueError, "`log_proba`"),
    "source 0": (
        lambda: correct_proba(HALVES, 0.0, 0.5),
        ValueError,
        "neither corrected",
    ),
    "label unknown": (
        lambda: empirical_prior([0, 5], classes=[0, 1]),
        ValueError,
        "label",
    ),
    "no weight": (lambda: empirical_prior([0, 1], [0, 0]), ValueError, "every row"),
    "metric": (
        lambda: optimal_threshold(y, X[:, 0], "f1_makro"),
        ValueError,
        "f1_macro",
    ),
    "nan score": (lambda: confusion_counts([0, 1], [0, np.nan]), ValueError, "nan"),
    "score shape": (lambda: confusion_counts([0, 1], [[0], [1]]), ValueError, "shape"),
    "cut of three": (lambda: confusion_counts(THREE, X[:, 0]), ValueError, "3 classes"),
}


@pytest.mark.parametrize("call, exception, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@pytest.mark.parametrize(
    "model",
    [
        ClassWeightedClassifier(L, class_weight="auto"),
        ResampledClassifier(L, sampler="auto"),
        PriorCorrectedClassifier(BALANCED),
        CalibratedLogitsClassifierCV(L, method="isotonic"),
        OptimalThresholdClassifierCV(L, scoring="roc_auc"),
        ImbalanceAwareClassifier(L, threshold=2.0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_failed_fit_leaves_nothing_behind(model):
    before = set(vars(model))
    with pytest.raises(ValueError):
        model.fit(X, y)
    assert set(vars(model)) == before
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize(
    "model",
    [
        PriorCorrectedClassifier(L),
        OptimalThresholdClassifierCV(L),
        ImbalanceAwareClassifier(L),
    ],
    ids=lambda model: type(model).__name__,
)
def test_setting_the_target_prior_needs_a_fit(model):
    with pytest.raises(NotFittedError):
        model.set_target_prior(0.1)
