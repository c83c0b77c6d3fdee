"""Wrong labels, over-fitting, too few positives, and all diagnostics together."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import cross_val_predict

from sklimb import ImbalanceAwareClassifier
from sklimb.diagnostics import (
    diagnose,
    find_leakage,
    label_noise,
    learning_curve_by_positives,
    overfitting,
    ranked,
)

MODEL = LogisticRegression()


def table(n_rows=1500, prior=0.2, distance=1.5, seed=0):
    random = np.random.default_rng(seed)
    y = (random.random(n_rows) < prior).astype(int)
    return random.standard_normal((n_rows, 2)) + distance * y[:, None], y


def flipped(prior, distance, share=0.05, n_rows=5000):
    """Return out-of-fold probabilities, labels with wrong ones, and which are wrong."""
    X, y = table(n_rows, prior, distance)
    wrong = np.random.default_rng(1).random(n_rows) < share
    given = np.where(wrong, 1 - y, y)
    proba = cross_val_predict(MODEL, X, given, method="predict_proba")
    return proba, given, wrong


# Label noise


@pytest.mark.parametrize("prior", [0.5, 0.1])
def test_most_flipped_labels_are_found_and_most_found_are_flipped(prior):
    proba, given, wrong = flipped(prior, 3.0)
    found = label_noise(proba, given).rows
    assert wrong[found].mean() > 0.8  # precision
    assert len(found) > 0.7 * wrong.sum()


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("distance", [1.0, 2.0, 3.0])
def test_no_wrong_label_is_seen_where_there_is_none(prior, distance):
    proba, given, _ = flipped(prior, distance, share=0)
    noise = label_noise(proba, given)
    assert len(noise.rows) == 0
    assert noise.findings == []


def test_the_joint_distribution_has_the_given_labels_shares():
    proba, given, _ = flipped(0.1, 2.0)
    joint = label_noise(proba, given).joint
    assert joint.sum() == pytest.approx(1)
    assert joint.sum(axis=1) == pytest.approx([np.mean(given == 0), given.mean()])


def test_the_surest_wrong_label_comes_first():
    proba, given, _ = flipped(0.5, 3.0)
    noise = label_noise(proba, given)
    assert (np.diff(noise.suspicion[noise.rows]) <= 0).all()
    assert (noise.likely_labels == 1 - given[noise.rows]).all()


def test_permuted_classes_and_rows_find_the_same_labels():
    proba, given, _ = flipped(0.1, 3.0, n_rows=3000)
    names = np.array(["zebra", "ant"])[given]  # the order of classes turns
    order = np.random.default_rng(0).permutation(len(given))
    turned = label_noise(proba[order][:, ::-1], names[order])
    assert set(order[turned.rows]) == set(label_noise(proba, given).rows)


def test_one_column_of_probabilities_will_do():
    proba, given, _ = flipped(0.5, 3.0, n_rows=2000)
    one, two = label_noise(proba[:, 1], given), label_noise(proba, given)
    assert np.array_equal(one.rows, two.rows)


# Over-fitting


def history(rise=0.2, noise=0.0):
    train = np.linspace(0.7, 0.1, 30)
    val = np.append(np.linspace(0.7, 0.4, 12), np.linspace(0.4, 0.4 + rise, 18))
    return {
        "loss": train,
        "val_loss": val + noise * np.random.default_rng(0).standard_normal(30),
    }


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_training_and_validation_part_where_validation_is_best(noise):
    found = overfitting(history(noise=noise))
    assert found.best_epoch in (11, 12, 13, 14)
    assert found.parts_at == found.best_epoch + 1
    assert found.lost == pytest.approx(0.2 / 0.3, abs=0.1)
    assert found.findings[0].effect == pytest.approx(0.2 / 0.7, abs=0.05)  # smoothed


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_validation_loss_that_stays_is_no_over_fitting(noise):
    found = overfitting(history(rise=0.0, noise=noise))
    assert (found.parts_at, found.lost, found.findings) == (None, 0.0, [])


class Stopped(LogisticRegression):
    """A classifier that took the best epoch's weights, told as SciKeras is."""

    history_ = history()

    def __init__(self, callbacks__restore_best_weights=True):
        self.callbacks__restore_best_weights = callbacks__restore_best_weights


def test_restored_weights_have_no_effect():
    assert overfitting(Stopped()).restored
    assert overfitting(Stopped()).findings[0].effect == 0
    assert not overfitting(Stopped(False)).restored


def test_without_validation_nothing_is_claimed():
    found = overfitting({"loss": [0.7, 0.5]})
    assert found.best_epoch is None
    assert "no validation loss" in found.sentence


class Fitted(LogisticRegression):
    """A classifier that looks as if it had trained for epochs."""

    history_ = history()


def test_the_history_of_a_classifier_inside_others_is_found():
    X, y = table(300)
    model = ImbalanceAwareClassifier(Fitted(), random_state=0).fit(X, y)
    assert overfitting(model).parts_at == overfitting(history()).parts_at


# Learning curve


def test_a_curve_grows_with_positives_and_keeps_the_rest():
    X, y = table(3000, 0.05, 0.7)
    curve = learning_curve_by_positives(MODEL, X, y)
    assert (np.diff(curve.n_positives) > 0).all()
    assert (curve.n_rows - curve.n_positives == curve.n_rows[0] - 16).all() or (
        np.ptp(curve.n_rows - curve.n_positives) <= 1
    )
    assert curve.gain >= 0
    assert curve.gain_low <= curve.gain_high


def test_in_proportion_keeps_the_prevalence():
    X, y = table(3000, 0.1)
    curve = learning_curve_by_positives(MODEL, X, y, rest="in proportion")
    assert curve.n_positives / curve.n_rows == pytest.approx(np.full(5, 0.1), abs=0.01)


def test_a_model_that_needs_many_positives_is_told_so():
    random = np.random.default_rng(0)
    y = np.arange(1200) < 50
    X = random.standard_normal((1200, 60)) + 0.35 * y[:, None]
    findings = learning_curve_by_positives(MODEL, X, y).findings
    assert [finding.kind for finding in findings] == ["few-positives"]


def test_a_curve_at_a_target_prior_is_scored_there():
    X, y = table(3000, 0.2)
    options = {"scoring": "average_precision", "cv": 3, "n_points": 3}
    here = learning_curve_by_positives(MODEL, X, y, **options)
    there = learning_curve_by_positives(MODEL, X, y, target_prior=0.01, **options)
    assert (there.scores < here.scores).all()


# All together


def test_a_clean_table_has_no_findings():
    X, y = table(8000, 0.3)
    diagnosis = diagnose(MODEL, X, y)
    assert diagnosis.findings == []
    assert str(diagnosis).endswith("Nothing was found.")


def test_findings_are_ranked_and_all_of_them_are_told():
    X, y = table(600, 0.1)
    X = pd.DataFrame(np.column_stack([X, np.ones(600)]), columns=["a", "b", "const"])
    X["leak"] = 9 * y + X["a"]
    X, y = pd.concat([X, X[:100]]), np.append(y, y[:100])
    diagnosis = diagnose(MODEL, X, y)
    assert diagnosis.findings == ranked(diagnosis.findings)
    subjects = {finding.subject for finding in diagnosis.findings}
    assert {"leak", "rows", "const"} <= subjects
    for finding in diagnosis.findings:
        assert finding.sentence.split(" ")[0] in str(diagnosis)
    assert diagnosis.to_frame()["effect"].is_monotonic_decreasing


def test_columns_that_the_model_does_not_get_are_looked_at():
    X, y = table(500)
    raw = pd.DataFrame(X, columns=["a", "b"]).assign(constant="same")
    diagnosis = diagnose(MODEL, X, y, X_raw=raw)
    assert "constant" in {finding.subject for finding in diagnosis.findings}


def test_the_fall_to_production_is_explained():
    X, y = table(4000, 0.2)
    X_there, y_there = table(4000, 0.2, seed=1)
    diagnosis = diagnose(
        ImbalanceAwareClassifier(MODEL, random_state=0),
        *(X, y),
        X_production=X_there - 1.5,
        y_production=y_there,
    )
    assert diagnosis.findings[0].kind == "threshold"
    shift = diagnosis.results["shift"]
    total = sum(part.estimate for part in shift.parts.values())
    assert total == pytest.approx(shift.score_a - shift.score_b, abs=1e-12)
    assert "production" in diagnosis.findings[0].sentence


def test_the_same_rows_as_production_do_not_fall():
    X, y = table(2000, 0.3)
    diagnosis = diagnose(MODEL, X, y, X_production=X, y_production=y)
    kinds = {finding.kind for finding in diagnosis.findings}
    assert not kinds & {"prevalence", "threshold", "ranking"}


def test_a_rarer_target_is_a_finding():
    X, y = table(2000, 0.2)
    findings = diagnose(MODEL, X, y, target_prior=0.002).findings
    assert findings[0].kind == "prevalence"
    assert "0.002" in findings[0].sentence


def test_several_classes_are_diagnosed():
    random = np.random.default_rng(0)
    y = random.choice(["a", "b", "c"], 1500, p=[0.7, 0.2, 0.1])
    X = random.standard_normal((1500, 3)) + 1.5 * (y[:, None] == np.array(list("abc")))
    there = random.choice(1500, 800)
    diagnosis = diagnose(MODEL, X, y, X_production=X[there], y_production=y[there])
    assert diagnosis.results["shift"].threshold is None
    assert diagnosis.results["learning_curve"].pos_label == "c"


def test_groups_stay_together():
    X, y = table(800)
    groups = np.arange(800) // 4
    diagnosis = diagnose(MODEL, X, y, groups=groups)
    assert diagnosis.results["leakage"].groups.n_groups == 200


def test_a_classifier_without_probabilities_is_diagnosed():
    diagnosis = diagnose(Perceptron(), *table(600))
    assert "label_noise" not in diagnosis.results
    assert any("predict_proba" in note for note in diagnosis.notes)


def test_two_diagnoses_of_one_seed_are_equal():
    X, y = table(500, 0.1)
    assert diagnose(MODEL, X, y).findings == diagnose(MODEL, X, y).findings


def test_the_estimator_stays_as_it_is():
    model = LogisticRegression()
    diagnose(model, *table(300))
    assert not hasattr(model, "coef_")


def results():
    X, y = table(400)
    proba, given, _ = flipped(0.3, 3.0, n_rows=1000)
    yield "leakage", find_leakage(X, y)
    yield "noise", label_noise(proba, given)
    yield "over-fitting", overfitting(history())
    yield "curve", learning_curve_by_positives(MODEL, X, y, cv=3, n_points=3)
    yield "diagnosis", diagnose(MODEL, X, y)


def test_every_result_has_a_sentence_a_table_and_a_picture():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    for name, result in results():
        ax = Figure().subplots()
        picture = result.plot(ax)
        assert picture.ax_ is ax, name
        assert picture.figure_ is ax.figure
        assert ax.get_xlabel(), name
        assert result.sentence.endswith(".")
        assert isinstance(result.findings, list)
        assert isinstance(result.to_frame(), pd.DataFrame)
