import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression, Perceptron

from sklimb import ClassWeightedClassifier, ImbalanceAwareClassifier
from sklimb.display import ReliabilityDisplay
from sklimb.metrics import expected_calibration_error, reliability_curve
from sklimb.priors import correct_proba
from tests.data import imbalanced
from tests.display.pictures import assert_legend_above, assert_readable

X, y = imbalanced(3000)
model = LogisticRegression().fit(X, y)
proba = model.predict_proba(X)
THREE = np.digitize(X[:, 0], [-1, 1])
of_three = LogisticRegression().fit(X, THREE)


def assert_shows(display, curve):
    for name, values in curve._asdict().items():
        np.testing.assert_array_equal(getattr(display, name), values)


def test_the_numbers_are_those_of_the_reliability_curve():
    display = ReliabilityDisplay.from_estimator(model, X, y, n_bins=7)
    assert_shows(display, reliability_curve(y, proba, n_bins=7))
    expected = expected_calibration_error(y, proba)
    assert display.calibration_error == pytest.approx(expected)
    assert display.name == "LogisticRegression"


def test_predictions_draw_the_same_as_the_estimator():
    same = ReliabilityDisplay.from_predictions(y, proba[:, 1])
    assert_shows(same, reliability_curve(y, proba))


@pytest.mark.parametrize("label", [0, 1])
def test_a_class_a_prior_and_weights_are_handed_on(label):
    names = np.array(["no", "yes"])[y]
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    options = {"target_prior": {"yes": 0.02}, "sample_weight": weight}
    display = ReliabilityDisplay.from_predictions(
        names, proba, pos_label=["no", "yes"][label], **options
    )
    curve = reliability_curve(names, proba, pos_label=["no", "yes"][label], **options)
    for name, values in curve._asdict().items():
        np.testing.assert_allclose(getattr(display, name), values)


def test_one_class_of_several_is_looked_at_against_the_rest():
    display = ReliabilityDisplay.from_estimator(of_three, X, THREE, pos_label=0)
    of_0 = of_three.predict_proba(X)[:, 0]
    assert_shows(display, reliability_curve(THREE == 0, of_0))
    assert display.label == 0


def test_several_classes_are_measured_at_the_prior():
    prior = np.array([0.1, 0.3, 0.6])
    display = ReliabilityDisplay.from_estimator(
        of_three, X, THREE, pos_label=0, target_prior=prior
    )
    weight = (prior / np.bincount(THREE) * len(THREE))[THREE]
    curve = reliability_curve(
        THREE == 0, of_three.predict_proba(X)[:, 0], sample_weight=weight
    )
    np.testing.assert_allclose(display.observed, curve.observed)


def test_rows_out_of_fold_are_taken_where_a_threshold_was_tuned():
    aware = ImbalanceAwareClassifier(LogisticRegression()).fit(X, y)
    rows = aware.estimator_.out_of_fold_
    display = ReliabilityDisplay.from_estimator(aware)
    assert_shows(display, reliability_curve(rows.class_numbers, rows.scores))


def test_a_corrected_classifier_is_measured_where_it_was_corrected_to():
    aware = ImbalanceAwareClassifier(LogisticRegression(), target_prior=0.01).fit(X, y)
    display = ReliabilityDisplay.from_estimator(aware, X, y)
    expected = reliability_curve(y, aware.predict_proba(X), target_prior=0.01)
    assert_shows(display, expected)
    assert "at 1 in 100" in display.ax_.get_ylabel()
    as_they_are = ReliabilityDisplay.from_predictions(y, aware.predict_proba(X))
    assert display.calibration_error < as_they_are.calibration_error


def test_probabilities_that_crowd_at_0_stand_on_a_logarithmic_scale():
    assert (
        ReliabilityDisplay.from_predictions(y, proba[:, 1] / 30).ax_.get_xscale()
        == "log"
    )
    even = ReliabilityDisplay.from_predictions(y, proba[:, 1] ** 0.2)
    assert even.ax_.get_xscale() == "linear"
    assert even.plot(scale="log-odds").ax_.get_yscale() == "logit"


@pytest.mark.parametrize("prevalence", [1e-6, 1 - 1e-6])
def test_any_prevalence_is_drawn(prevalence):
    there = correct_proba(proba, y.mean(), prevalence)
    display = ReliabilityDisplay.from_predictions(y, there, target_prior=prevalence)
    low, high = display.ax_.get_xlim()
    assert (low <= display.predicted).any() and (display.predicted <= high).any()
    assert_readable(display.figure_)


def test_bins_without_a_positive_are_marked_where_there_is_no_0():
    display = ReliabilityDisplay.from_predictions(
        y * (proba[:, 1] > 0.1), proba[:, 1], scale="log"
    )
    assert (display.observed == 0).sum() == len(display.none_observed_.get_xdata())
    assert np.isnan(display.line_.get_ydata()).sum() == (display.observed == 0).sum()


def test_bins_of_positives_alone_are_marked_where_there_is_no_1():
    display = ReliabilityDisplay.from_predictions(
        np.where(proba[:, 1] > 0.3, 1, y), proba[:, 1] ** 0.3, scale="log-odds"
    )
    assert (display.observed == 1).sum() == len(display.all_observed_.get_xdata())


def test_the_gap_is_named_and_noise_is_called_noise():
    random = np.random.default_rng(0)
    p = random.uniform(size=1000)
    right = ReliabilityDisplay.from_predictions(random.random(1000) < p, p)
    assert right.calibration_error == 0
    assert right.line_.get_label() == "gap within noise"
    wrong = ReliabilityDisplay.from_predictions(random.random(1000) < p**3, p)
    assert wrong.line_.get_label().startswith("RMS gap ")


def test_several_share_axes_and_a_histogram(axes):
    first = ReliabilityDisplay.from_estimator(model, X, y, ax=axes)
    weighted = ClassWeightedClassifier(LogisticRegression()).fit(X, y)
    second = ReliabilityDisplay.from_estimator(weighted, X, y, ax=axes)
    assert second.ax_ is first.ax_ is axes
    assert second.histogram_ax_ is first.histogram_ax_
    assert second.diagonal_ is None
    assert first.line_.get_marker() != second.line_.get_marker()
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_xlim()[1] >= second.predicted.max()
    assert_readable(axes.figure)


@pytest.mark.parametrize("width", [5, 3.4])
@pytest.mark.parametrize("scale", ["linear", "log", "log-odds"])
def test_it_is_readable(width, scale):
    ax = plt.subplots(figsize=(width, 3.4), layout="constrained")[1]
    display = ReliabilityDisplay.from_estimator(model, X, y, ax=ax, scale=scale)
    assert_readable(display.figure_)
    assert_legend_above(ax)


def test_the_histogram_counts_rows():
    display = ReliabilityDisplay.from_estimator(model, X, y, scale="linear")
    shares = display.histogram_.get_data().values
    assert shares.sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("positives", [1, 2])
def test_a_single_positive_is_drawn(positives):
    one = np.zeros(2000, dtype=int)
    one[:positives] = 1
    score = np.random.default_rng(0).uniform(1e-5, 1e-3, 2000)
    assert_readable(ReliabilityDisplay.from_predictions(one, score).figure_)


def test_constant_probabilities_are_one_point():
    display = ReliabilityDisplay.from_predictions(y, np.full(len(y), 0.1))
    assert len(display.predicted) == 1
    assert_readable(display.figure_)


def test_the_frame_has_a_row_for_each_bin():
    display = ReliabilityDisplay.from_estimator(model, X, y)
    frame = display.to_frame()
    assert list(frame) == ["predicted", "observed", "low", "high", "n_rows"]
    assert frame["n_rows"].sum() == len(y)


def test_bad_input_is_a_clear_error():
    with pytest.raises(TypeError, match="no predict_proba"):
        ReliabilityDisplay.from_estimator(Perceptron().fit(X, y), X, y)
    with pytest.raises(ValueError, match="needs rows"):
        ReliabilityDisplay.from_estimator(model)
    with pytest.raises(ValueError, match="`y_proba` has shape"):
        ReliabilityDisplay.from_predictions(THREE, proba)
    with pytest.raises(ValueError, match="`scale`='logit'"):
        ReliabilityDisplay.from_estimator(model, X, y, scale="logit")
