"""Bad input to metrics and splits: a clear error."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from sklimb.metrics import (
    bootstrap_interval,
    expected_calibration_error,
    make_prior_scorer,
    net_benefit,
    per_class_accuracy,
    precision_recall_curve_at_prior,
    project_confusion_matrix,
    rate_interval,
    reliability_curve,
    rows_needed,
    score_at_prior,
)
from sklimb.splits import PriorMatchedGroupKFold, PriorMatchedKFold, deployment_split

Y = np.array([0, 0, 0, 1, 1])
P = np.array([0.1, 0.2, 0.6, 0.7, 0.4])
LABELS = (P >= 0.5).astype(int)
THREE = np.array([0, 1, 2, 1, 0])
MATRIX = [[97, 3], [3, 197]]
MANY = np.repeat([0, 1], [90, 10])


def scored(metric="f1", y=Y, given=LABELS, prior=0.1, **options):
    return lambda: score_at_prior(metric, y, given, prior, **options)


def interval(metric="f1", given=LABELS, **options):
    return lambda: bootstrap_interval(metric, Y, given, **options)


def parts(y=MANY, groups=None, target_prior=0.1, **options):
    rows = np.zeros((len(y), 1))
    return lambda: deployment_split(
        rows, y, groups, target_prior=target_prior, **options
    )


def folds(y=MANY, groups=None, kind=PriorMatchedKFold, target_prior=0.1, **options):
    rows = np.zeros((len(y), 1))
    return lambda: list(
        kind(**{"target_prior": target_prior, **options}).split(rows, y, groups)
    )


ERRORS = {
    # names
    "misspelt": (scored("f1_makro"), "`metric`='f1_makro' is not known. Did you mean"),
    "of two": (scored("f1", THREE, THREE, None), "is a metric of two classes.*are 3"),
    "several": (scored(["f1", "recall"]), "must be one metric's name, or one func"),
    "no costs": (scored("cost"), "`metric`='cost' needs `cost_matrix`"),
    "costs for f1": (scored(cost_matrix=[[0, 1], [1, 0]]), "nothing else takes it"),
    "cost shape": (scored("cost", cost_matrix=[[0, 1]]), "`cost_matrix` has shape"),
    "no weights": (
        scored(lambda y, p: 0.0),
        r"can't be called as metric\(y_true, y_pred, sample_weight=...\)",
    ),
    "not a number": (scored(confusion_matrix), "can't be called as"),
    # labels, probabilities, weights
    "probabilities for labels": (
        scored(given=P),
        "`y_pred_or_proba` has 0.1, which is no label.*by a threshold",
    ),
    "columns for labels": (
        scored(given=np.column_stack([1 - P, P])),
        "expected one label a row. Predict labels first",
    ),
    "logits": (scored("log_loss", given=P * 9), "must lie in .0, 1.*not logits"),
    "nan proba": (scored("brier", given=P * np.nan), "`y_pred_or_proba` must lie in"),
    "nan score": (scored("roc_auc", given=P * np.inf), "nan or infinite"),
    "columns": (scored("log_loss", THREE, P, None), "expected .n_rows, 3."),
    "column sums": (
        scored("log_loss", given=np.column_stack([P, P])),
        "must sum to 1; got a row",
    ),
    "score columns": (
        scored("roc_auc", THREE, P, None),
        r"`y_pred_or_proba` has shape \(5,\); expected \(5, 3\)",
    ),
    "other rows": (scored(given=LABELS[:3]), "has shape .3,., and `y_true` has 5 rows"),
    "missing label": (scored(y=[0, None, 1, 1, 0]), "`y_true` has missing values"),
    "one class": (scored(y=Y * 0, given=Y * 0), "`y_true` has one class only, .0."),
    "unknown label": (
        scored(given=LABELS + 1, labels=[0, 1]),
        r"`y_pred_or_proba` has the labels \[2\], which are not among",
    ),
    "labels twice": (scored(labels=[0, 1, 1]), "`labels` has a label twice"),
    "weights": (scored(sample_weight=[-1, 1, 1, 1, 1]), "`sample_weight` must be"),
    "no weight": (scored(sample_weight=np.zeros(5)), "no rows of a weight above 0"),
    "positive": (scored(pos_label="x"), "`pos_label`='x' is not among"),
    # priors
    "prior": (scored(prior=1.5), "`target_prior` must lie in"),
    "prior length": (scored(prior=[0.5, 0.3, 0.2]), "`target_prior` has shape"),
    "class without rows": (
        scored("f1_macro", prior=[0.5, 0.3, 0.2], labels=[0, 1, 2]),
        r"no rows of the classes \[2\], which have shares of \{2: 0.2\}",
    ),
    # intervals
    "level": (interval(level=95), "`level`=95 must be a number between 0 and 1"),
    "resamples": (interval(n_resamples=0.5), "`n_resamples`=0.5 must be a whole"),
    "method": (interval(method="bca"), "`method`='bca' must be one of auto, rates"),
    "rates of losses": (
        interval("log_loss", P, method="rates"),
        "`method`='rates' is for metrics of labels",
    ),
    "rates of groups": (interval(method="rates", groups=Y), "not with `groups`"),
    "groups": (interval(groups=[1, 2]), "`groups` has shape .2,., and `y_true` has 5"),
    # rates
    "more hits": (lambda: rate_interval(5, 3), "`n_hits`=5 of `n_rows`=3"),
    "rate method": (lambda: rate_interval(1, 3, method="wald"), "must be one of clopp"),
    "rate level": (lambda: rate_interval(1, 3, 1.0), "`level`=1.0 must be"),
    "recall": (lambda: rows_needed(1.2, 0.1, 0.1), "`recall`=1.2 must be"),
    "half width": (lambda: rows_needed(0.9, 0.6, 0.1), "`half_width`=0.6 must be"),
    "prevalence": (lambda: rows_needed(0.9, 0.1, 0), "`prior`=0 must be a number ab"),
    "assurance": (lambda: rows_needed(0.9, 0.1, 0.1, assurance=1), "`assurance`=1"),
    "too many": (lambda: rows_needed(0.9, 1e-9, 0.1), "`half_width`=1e-09 would take"),
    "accuracy": (lambda: per_class_accuracy(Y, P), "`y_pred` has 0.1, which is no"),
    # matrices and curves
    "no square": (
        lambda: project_confusion_matrix([[1, 2, 3], [4, 5, 6]], 0.1),
        "`confusion_matrix` has shape .2, 3.; expected",
    ),
    "negative": (
        lambda: project_confusion_matrix([[1, -2], [4, 5]], 0.1),
        "not negative; got values from -2 to 5",
    ),
    "empty row": (
        lambda: project_confusion_matrix([[1, 2], [0, 0]], 0.1),
        "no rows of the classes .1., which have shares of .0.1.",
    ),
    "matrix labels": (
        lambda: project_confusion_matrix(MATRIX, 0.1, labels=["a"]),
        "`labels` has shape .1,.; expected .2,.",
    ),
    "threshold 1": (lambda: net_benefit(Y, P, 1.0), "`threshold` must lie in .0, 1."),
    "benefit of three": (
        lambda: net_benefit(THREE, P, 0.5),
        "3 classes, .*one class against the rest",
    ),
    "curve of three": (
        lambda: precision_recall_curve_at_prior(THREE, P),
        "`y_true` has 3 classes",
    ),
    # calibration
    "bins": (lambda: reliability_curve(Y, P, n_bins=0), "`n_bins`=0 must be a whole"),
    "bins as text": (lambda: reliability_curve(Y, P, n_bins="ten"), "`n_bins`='ten'"),
    "no share": (
        lambda: reliability_curve(Y, P, target_prior=0.0),
        "`target_prior` is 0 for the classes .1., whose rows then don't count",
    ),
    "norm": (lambda: expected_calibration_error(Y, P, norm="l3"), "`norm`='l3'"),
    "l1 debiased": (
        lambda: expected_calibration_error(Y, P, norm="l1"),
        "'l1' with debiased=False",
    ),
    "reliability of three": (
        lambda: reliability_curve(THREE, np.eye(3)[THREE]),
        "3 classes, .*one class against the rest",
    ),
    # scorers
    "scorer": (lambda: make_prior_scorer("f1_makro", 0.1), "Did you mean 'f1_macro'"),
    "scorer cost": (lambda: make_prior_scorer("cost", 0.1), "needs `cost_matrix`"),
    # splits
    "sizes": (parts(sizes=(0.5, 0.5)), "`sizes`=.0.5, 0.5. must be four shares"),
    "sizes above 1": (parts(sizes=(0.5, 0.5, 0.5, 0)), "at most 1 in all"),
    "sizes 0": (parts(sizes=(0, 0, 0, 0)), "`sizes` are all 0"),
    "groups of parts": (parts(groups=[1, 2]), "`groups` has shape .2,.; expected"),
    "duplicates": (parts(duplicates="drop"), "`duplicates`='drop' must be 'together'"),
    "too rare": (
        parts(target_prior=0.001),
        "dev_b would have no row of the class 1: it has .* rows, and the class a share "
        "of 0.001. Give that part a larger share in `sizes`",
    ),
    "one group": (
        parts(groups=np.zeros(100)),
        "would have no row of the class 0 with such groups",
    ),
    "prior of parts": (parts(target_prior=2), "`target_prior` must lie in"),
    "one class of parts": (parts(y=np.zeros(10)), "`y` has one class only"),
    "too rare a fold": (
        folds(target_prior=0.001),
        "fold 0 can't hold the class 1 at its share of 0.001.*method='weights'",
    ),
    "fold method": (folds(method="drop"), "`method`='drop' must be one of subsample"),
    "fold duplicates": (folds(duplicates=True), "`duplicates`=True must be"),
    "seed without shuffle": (folds(random_state=0), "has no effect since shuffle is"),
    "no groups": (
        folds(kind=PriorMatchedGroupKFold),
        "`groups` is None, and PriorMatchedGroupKFold keeps groups together",
    ),
    "more folds than rows": (
        folds(y=np.repeat([0, 1], [4, 3]), n_splits=5, duplicates="together"),
        "`n_splits`=5 is more than any class has rows",
    ),
    "test rows lack a class": (
        lambda: PriorMatchedKFold(target_prior=0.1).test_weight([0, 0]),
        "`y_true` has one class only",
    ),
}


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_groups_that_lack_a_class_in_most_resamples_are_an_error():
    # Of eight groups, one has all rows of the class 1 and one all of the class 2.
    y = np.repeat([0, 1, 2], [8, 9, 10])
    groups = np.concatenate([np.arange(8), np.full(9, 0), np.full(10, 1)])
    with pytest.raises(ValueError, match=r"`groups`: .* resamples lack a class"):
        bootstrap_interval("accuracy", y, y, groups=groups)
