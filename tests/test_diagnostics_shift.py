"""A fall is split into parts that add up, and each cause is found as what it is."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier, OptimalThresholdClassifierCV
from sklimb.diagnostics import explain_shift, explain_shift_from_predictions
from sklimb.metrics import score_at_prior

QUICK = {"n_resamples": 200, "random_state": 0}


def rows(seed, n_positive=150, prior=0.2, distance=1.8, offset=0.0):
    random = np.random.default_rng(seed)
    y = (random.random(round(n_positive / prior)) < prior).astype(int)
    x = random.standard_normal(len(y)) + distance * (y - 0.5)
    return y, expit(x + offset)


def table(seed, n_rows=1500, prior=0.2, distance=1.5, offset=0.0):
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < prior).astype(int)
    return random.standard_normal((n_rows, 2)) + distance * y[:, None] + offset, y


def kinds(found):
    return [finding.kind for finding in found.findings]


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1", "precision", "mcc"])
@pytest.mark.parametrize("change", [{"prior": 0.05}, {"offset": 1.0}, {"distance": 1}])
def test_parts_add_up_to_the_fall(scoring, change):
    a, b = (
        rows(0),
        rows(1, 40, **change) if "prior" not in change else rows(1, 40, 0.05),
    )
    found = explain_shift_from_predictions(*a, *b, scoring=scoring, **QUICK)
    total = sum(part.estimate for part in found.parts.values())
    assert total == pytest.approx(found.score_a - found.score_b, abs=1e-12)
    assert found.fall.estimate == pytest.approx(total, abs=1e-12)


def test_scores_are_those_of_the_metrics():
    (y_a, s_a), (y_b, s_b) = rows(0), rows(1, 60, 0.05)
    found = explain_shift_from_predictions(y_a, s_a, y_b, s_b, scoring="f1", **QUICK)
    called = [(s >= 0.5).astype(int) for s in (s_a, s_b)]
    at_b = score_at_prior("f1", y_a, called[0], float(y_b.mean()))
    assert found.score_a_at_b == pytest.approx(at_b, abs=1e-12)
    assert found.score_b == pytest.approx(
        score_at_prior("f1", y_b, called[1], float(y_b.mean())), abs=1e-12
    )


def test_parts_are_what_their_definition_says():
    found = explain_shift_from_predictions(*rows(0), *rows(1, 50), **QUICK)
    regrets = found.best_b - found.score_b, found.best_a_at_b - found.score_a_at_b
    assert found.threshold.estimate == pytest.approx(regrets[0] - regrets[1])
    assert found.rest.estimate == pytest.approx(found.best_a_at_b - found.best_b)


def test_only_the_prevalence_moved():
    found = explain_shift_from_predictions(
        *rows(0, 400), *rows(1, 200, 0.02), scoring="f1", **QUICK
    )
    assert kinds(found) == ["prevalence"]
    assert found.findings[0].effect == pytest.approx(found.prevalence.estimate)


def test_only_the_offset_moved():
    found = explain_shift_from_predictions(
        *rows(0, 400), *rows(1, 400, offset=1.5), **QUICK
    )
    assert kinds(found) == ["threshold"]


def test_only_the_ranking_worsened():
    found = explain_shift_from_predictions(
        *rows(0, 400), *rows(1, 400, distance=0.8), **QUICK
    )
    assert kinds(found) == ["ranking"]


def test_the_same_rows_on_both_sides_explain_nothing():
    found = explain_shift_from_predictions(*rows(0), *rows(0), scoring="f1", **QUICK)
    assert found.fall.estimate == 0
    assert found.prevalence.estimate == 0
    assert kinds(found) == []


def test_a_metric_of_rates_has_no_part_of_the_prevalence():
    found = explain_shift_from_predictions(*rows(0), *rows(1, 40, 0.05), **QUICK)
    assert found.prevalence == (0, 0, 0)


def test_permuted_rows_change_nothing_but_by_chance():
    (y_a, s_a), b = rows(0), rows(1, 40, 0.05)
    order = np.random.default_rng(0).permutation(len(y_a))
    one = explain_shift_from_predictions(y_a, s_a, *b, scoring="f1", **QUICK)
    other = explain_shift_from_predictions(
        y_a[order], s_a[order], *b, scoring="f1", **QUICK
    )
    assert one.fall.estimate == pytest.approx(other.fall.estimate, abs=1e-12)
    assert one.prevalence.estimate == pytest.approx(other.prevalence.estimate)
    assert one.rest.estimate == pytest.approx(other.rest.estimate, abs=0.02)


def test_two_runs_of_one_seed_are_equal():
    a, b = rows(0), rows(1, 40)
    one, other = (explain_shift_from_predictions(*a, *b, **QUICK) for _ in range(2))
    assert one.parts == other.parts


def test_swapped_classes_with_the_other_positive_are_the_same():
    (y_a, s_a), (y_b, s_b) = rows(0), rows(1, 40, offset=1.0)
    names = np.array(["z", "a"])  # the positive class is the lesser label
    one = explain_shift_from_predictions(y_a, s_a, y_b, s_b, scoring="f1", **QUICK)
    other = explain_shift_from_predictions(
        *(names[y_a], s_a, names[y_b], s_b), scoring="f1", pos_label="a", **QUICK
    )
    assert one.parts == other.parts
    assert np.allclose(one.prior_a[::-1], other.prior_a)


def test_groups_widen_the_intervals():
    (y_a, s_a), (y_b, s_b) = rows(0), rows(1, 60)
    copies = [np.repeat(values, 4) for values in (y_b, s_b)]
    group = np.repeat(np.arange(len(y_b)), 4)
    alone = explain_shift_from_predictions(y_a, s_a, *copies, **QUICK)
    grouped = explain_shift_from_predictions(y_a, s_a, *copies, groups_b=group, **QUICK)
    assert np.diff(grouped.fall[1:]) > 1.3 * np.diff(alone.fall[1:])


THRESHOLDS = {
    "plain": LogisticRegression(),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "scikit-learn's": TunedThresholdClassifierCV(LogisticRegression(), scoring="f1"),
    "ours": OptimalThresholdClassifierCV(LogisticRegression(), scoring="f1"),
    "flat": ImbalanceAwareClassifier(LogisticRegression(), random_state=0),
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_cut_in_use_is_the_estimators_own(name):
    model = THRESHOLDS[name].fit(*table(0))
    (X_a, y_a), (X_b, y_b) = table(1), table(2, offset=0.5)
    found = explain_shift(model, X_a, y_a, X_b, y_b, scoring="accuracy", **QUICK)
    assert found.score_a == pytest.approx(model.score(X_a, y_a), abs=1e-12)
    assert found.score_b == pytest.approx(np.mean(model.predict(X_b) == y_b), abs=1e-12)
    assert found.classes.tolist() == [0, 1]


def test_the_metric_is_the_estimators_own():
    model = OptimalThresholdClassifierCV(LogisticRegression(), scoring="f2")
    found = explain_shift(model.fit(*table(0)), *table(1), *table(2), **QUICK)
    assert found.scoring == "f2"


def several(seed, n_rows=1500, prior=(0.7, 0.2, 0.1)):
    random = np.random.default_rng(seed)
    y = random.choice(3, n_rows, p=prior)
    return random.standard_normal((n_rows, 3)) + 1.5 * np.eye(3)[y], y


def test_several_classes_have_two_parts_that_add_up():
    model = LogisticRegression().fit(*several(0))
    found = explain_shift(
        *(model, *several(1), *several(2, prior=(0.2, 0.2, 0.6))),
        scoring="accuracy",
        **QUICK,
    )
    assert found.threshold is None
    total = found.prevalence.estimate + found.rest.estimate
    assert total == pytest.approx(found.score_a - found.score_b, abs=1e-12)
    assert kinds(found) == ["prevalence"]


def test_one_class_of_several_has_all_parts():
    model = LogisticRegression().fit(*several(0))
    (X_a, y_a), (X_b, y_b) = several(1), several(2, prior=(0.1, 0.1, 0.8))
    found = explain_shift(
        model, X_a, y_a, X_b, y_b, pos_label=2, scoring="recall", **QUICK
    )
    said = model.predict(X_b)[y_b == 2]
    assert found.score_b == pytest.approx(np.mean(said == 2), abs=1e-12)
    total = sum(part.estimate for part in found.parts.values())
    assert total == pytest.approx(found.score_a - found.score_b, abs=1e-12)


def test_results_become_tables_and_pictures():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    found = explain_shift_from_predictions(*rows(0), *rows(1, 40), **QUICK)
    assert found.to_frame()["part"].tolist() == [
        *("prevalence", "threshold", "rest", "fall")
    ]
    picture = found.plot()
    assert picture.figure_ is picture.ax_.figure
    assert "balanced_accuracy" in picture.ax_.get_xlabel()
