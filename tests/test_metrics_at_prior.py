"""A metric at a prior is the metric with importance weights."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from sklimb.metrics import score_at_prior
from sklimb.priors import weights_to_prior

PREVALENCES = [0.3, 0.01, 1.0]
PRIOR = np.array([0.5, 0.05, 0.45])
ZERO = {"zero_division": 0}


def _two(n_rows=300, seed=0, decimals=2):
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < 0.2).astype(int)
    proba = np.round(1 / (1 + np.exp(1 - 2 * y - random.normal(size=n_rows))), decimals)
    return y, proba, random.integers(0, 3, size=n_rows) * 0.7


def _several(n_rows=300, seed=0):
    random = np.random.default_rng(seed)
    y = random.choice(3, size=n_rows, p=[0.7, 0.2, 0.1])
    proba = softmax(random.normal(size=(n_rows, 3)) + 1.5 * np.eye(3)[y], axis=1)
    return y, proba, random.integers(0, 3, size=n_rows) * 0.7


def _scored(function, **options):
    def score(y, predicted, weight):
        return function(y, predicted, sample_weight=weight, **options)

    return score


def _jaccard(average):
    return _scored(sk.jaccard_score, average=average, **ZERO)


def _recalls(y, predicted, weight):
    return sk.recall_score(y, predicted, average=None, sample_weight=weight, **ZERO)


def _cost(matrix):
    def cost(y, predicted, weight):
        return -np.average(np.asarray(matrix)[y, predicted], weights=weight)

    return cost


AVERAGED = {
    f"{name}_{average}": _scored(function, average=average, **ZERO)
    for name, function in {
        "f1": sk.f1_score,
        "precision": sk.precision_score,
        "jaccard": sk.jaccard_score,
    }.items()
    for average in ("macro", "weighted")
}
OF_ANY = {
    **AVERAGED,
    "accuracy": _scored(sk.accuracy_score),
    "recall_weighted": _scored(sk.recall_score, average="weighted", **ZERO),
    "cohen_kappa": _scored(sk.cohen_kappa_score),
    "matthews_corrcoef": _scored(sk.matthews_corrcoef),
}
OF_CLASSES_WITH_A_SHARE = {
    "balanced_accuracy": _scored(sk.balanced_accuracy_score),
    "recall_macro": _scored(sk.recall_score, average="macro", **ZERO),
    "geometric_mean": lambda *a: np.exp(np.mean(np.log(_recalls(*a)))),
    "minimum_recall": lambda *a: _recalls(*a).min(),
}
OF_TWO = {
    "f1": _scored(sk.f1_score, **ZERO),
    "f2": _scored(sk.fbeta_score, beta=2, **ZERO),
    "f0.5": _scored(sk.fbeta_score, beta=0.5, **ZERO),
    "jaccard": _scored(sk.jaccard_score, **ZERO),
    "precision": _scored(sk.precision_score, **ZERO),
    "recall": _scored(sk.recall_score, **ZERO),
}
OF_LABELS_OF_TWO = {**OF_ANY, **OF_TWO}


@pytest.mark.parametrize("prevalence", PREVALENCES)
@pytest.mark.parametrize("name", OF_LABELS_OF_TWO)
def test_a_metric_of_labels_is_scikit_learns_with_importance_weights(name, prevalence):
    y, proba, weight = _two()
    predicted = (proba >= 0.4).astype(int)
    found = score_at_prior(name, y, predicted, prevalence, sample_weight=weight)
    importance = weights_to_prior(y, weight, [1 - prevalence, prevalence])
    expected = OF_LABELS_OF_TWO[name](y, predicted, importance)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", OF_CLASSES_WITH_A_SHARE)
def test_a_mean_of_recalls_is_the_same_at_every_prior(name):
    y, proba, weight = _two()
    predicted = (proba >= 0.4).astype(int)
    expected = OF_CLASSES_WITH_A_SHARE[name](y, predicted, weight)
    for prevalence in (None, 0.3, 0.01):
        found = score_at_prior(name, y, predicted, prevalence, sample_weight=weight)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", {**OF_ANY, **OF_CLASSES_WITH_A_SHARE})
def test_a_metric_of_several_classes_is_scikit_learns(name):
    y, proba, weight = _several()
    predicted = proba.argmax(axis=1)
    found = score_at_prior(name, y, predicted, PRIOR, sample_weight=weight)
    expected = {**OF_ANY, **OF_CLASSES_WITH_A_SHARE}[name](
        y, predicted, weights_to_prior(y, weight, PRIOR)
    )
    assert found == pytest.approx(expected)


OF_PROBA = {
    "log_loss": _scored(sk.log_loss),
    "brier": _scored(sk.brier_score_loss),
    "neg_log_loss": lambda *a: -_scored(sk.log_loss)(*a),
    "neg_brier_score": lambda *a: -_scored(sk.brier_score_loss)(*a),
    "average_precision": _scored(sk.average_precision_score),
}


@pytest.mark.parametrize("prevalence", [0.3, 0.01])
@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("name", [*OF_PROBA, "roc_auc"])
def test_a_metric_of_probabilities_is_scikit_learns(name, decimals, prevalence):
    y, proba, weight = _two(decimals=decimals)
    importance = weights_to_prior(y, weight, [1 - prevalence, prevalence])
    function = {**OF_PROBA, "roc_auc": _scored(sk.roc_auc_score)}[name]
    expected = function(y, proba, importance)
    for given in (proba, np.column_stack([1 - proba, proba])):
        found = score_at_prior(name, y, given, prevalence, sample_weight=weight)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", [*OF_PROBA, "roc_auc"])
def test_a_metric_of_probabilities_of_several_classes_is_scikit_learns(name):
    y, proba, weight = _several()
    roc_auc = _scored(sk.roc_auc_score, multi_class="ovr")
    function = {**OF_PROBA, "roc_auc": roc_auc}[name]
    expected = function(y, proba, weights_to_prior(y, weight, PRIOR))
    found = score_at_prior(name, y, proba, PRIOR, sample_weight=weight)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("metric", [sk.accuracy_score, sk.hamming_loss])
def test_a_function_gets_the_importance_weights(metric):
    y, proba, weight = _several()
    predicted = proba.argmax(axis=1)
    expected = metric(y, predicted, sample_weight=weights_to_prior(y, weight, PRIOR))
    found = score_at_prior(metric, y, predicted, PRIOR, sample_weight=weight)
    assert found == pytest.approx(expected)


def test_cost_is_minus_the_mean_cost():
    y, proba, _ = _two()
    predicted, costs = (proba >= 0.4).astype(int), [[0, 2], [30, -1]]
    found = score_at_prior("cost", y, predicted, 0.01, cost_matrix=costs)
    expected = _cost(costs)(y, predicted, weights_to_prior(y, None, [0.99, 0.01]))
    assert found == pytest.approx(expected)
    y, proba, _ = _several()
    predicted, costs = proba.argmax(axis=1), np.arange(9.0).reshape(3, 3)
    found = score_at_prior("cost", y, predicted, PRIOR, cost_matrix=costs)
    expected = _cost(costs)(y, predicted, weights_to_prior(y, None, PRIOR))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", ["f1", "log_loss", "brier", "average_precision"])
def test_rows_resampled_to_the_prior_have_the_metric_up_to_noise(name):
    random = np.random.default_rng(1)
    y, proba, _ = _two(40_000, decimals=8)
    positives, negatives = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    drawn = np.concatenate(
        [random.choice(positives, 4_000), random.choice(negatives, 196_000)]
    )
    given = (proba >= 0.6).astype(int) if name == "f1" else proba
    of_drawn = score_at_prior(name, y[drawn], given[drawn], None)
    assert score_at_prior(name, y, given, 0.02) == pytest.approx(of_drawn, rel=0.05)


@pytest.mark.parametrize("name", ["precision", "log_loss", "roc_auc"])
def test_the_rows_own_prior_changes_nothing(name):
    y, proba, _ = _two()
    given = (proba >= 0.4).astype(int) if name == "precision" else proba
    own = score_at_prior(name, y, given, None)
    assert own == pytest.approx(score_at_prior(name, y, given, y.mean()))


@pytest.mark.parametrize("name", ["f1", "precision", "log_loss", "average_precision"])
def test_either_class_can_be_the_positive_one(name):
    y, proba, _ = _two()
    labels = np.where(y == 1, "a", "b")
    given = np.where(proba >= 0.4, "a", "b") if name in ("f1", "precision") else proba
    found = score_at_prior(name, labels, given, 0.01, pos_label="a")
    given = (proba >= 0.4).astype(int) if name in ("f1", "precision") else proba
    assert found == pytest.approx(score_at_prior(name, y, given, 0.01))


@pytest.mark.parametrize("name", ["f1_macro", "log_loss", "roc_auc"])
def test_a_row_of_weight_0_is_a_row_removed(name):
    y, proba, weight = _several()
    given = proba.argmax(axis=1) if name == "f1_macro" else proba.copy()
    kept = weight > 0
    if name != "f1_macro":
        given[~kept] = np.nan
    found = score_at_prior(name, y, given, PRIOR, sample_weight=weight)
    removed = score_at_prior(
        name, y[kept], given[kept], PRIOR, sample_weight=weight[kept]
    )
    assert found == removed


def test_classes_in_another_order_give_the_same():
    y, proba, _ = _several()
    order = [2, 0, 1]
    for name, given in (("f1_macro", proba.argmax(axis=1)), ("log_loss", proba)):
        columns = given[:, order] if given.ndim == 2 else given
        found = score_at_prior(name, y, columns, PRIOR[order], labels=order)
        assert found == pytest.approx(score_at_prior(name, y, given, PRIOR))


def test_a_class_without_a_share_needs_no_rows():
    y, predicted = [0, 0, 1, 1], [0, 2, 1, 1]
    found = score_at_prior("accuracy", y, predicted, {0: 0.5, 1: 0.5, 2: 0})
    assert found == 0.75


def test_short_names_are_the_same_metric():
    y, proba, _ = _two()
    predicted = (proba >= 0.4).astype(int)
    for short, name in (("mcc", "matthews_corrcoef"), ("sensitivity", "recall")):
        found = score_at_prior(short, y, predicted, 0.1)
        assert found == score_at_prior(name, y, predicted, 0.1)


def test_series_and_frames_are_rows_too():
    y, proba, weight = _two()
    predicted = (proba >= 0.4).astype(int)
    names = np.array(["other", "rare"])
    found = score_at_prior(
        "f1",
        pd.Series(names[y], dtype="category"),
        pl.Series(names[predicted]),
        {"rare": 0.02},
        sample_weight=pd.Series(weight),
        pos_label="rare",
    )
    expected = score_at_prior("f1", y, predicted, 0.02, sample_weight=weight)
    assert found == expected
    columns = pd.DataFrame({"other": 1 - proba, "rare": proba})
    found = score_at_prior("log_loss", pd.Series(names[y]), columns, {"rare": 0.02})
    assert found == pytest.approx(score_at_prior("log_loss", y, proba, 0.02))


def test_true_and_false_are_labels():
    y, proba, _ = _two()
    found = score_at_prior("f1", y == 1, proba >= 0.4, 0.02)
    assert found == score_at_prior("f1", y, (proba >= 0.4).astype(int), 0.02)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "log_loss", "f1"])
def test_a_prior_of_0_or_1_needs_no_rows_of_the_other_class(name):
    y, given = np.ones(4, dtype=int), np.array([0.9, 0.8, 0.3, 0.7])
    given = (given > 0.5).astype(int) if name == "f1" else given
    if name == "roc_auc":
        assert np.isnan(score_at_prior(name, y, given, 1.0, labels=[0, 1]))
    else:
        assert np.isfinite(score_at_prior(name, y, given, 1.0, labels=[0, 1]))
