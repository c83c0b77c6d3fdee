import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression, Perceptron

from sklimb import OptimalThresholdClassifierCV
from sklimb.display import DecisionCurveDisplay
from sklimb.metrics import net_benefit
from tests.data import imbalanced
from tests.display.pictures import assert_legend_above, assert_readable

X, y = imbalanced(2000)
model = LogisticRegression().fit(X, y)
proba = model.predict_proba(X)[:, 1]
CUTS = [0.01, 0.1, 0.3]


def test_the_numbers_are_net_benefits():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    display = DecisionCurveDisplay.from_predictions(
        y, proba, thresholds=CUTS, target_prior=0.02, sample_weight=weight
    )
    expected = net_benefit(y, proba, CUTS, 0.02, sample_weight=weight)
    np.testing.assert_allclose(display.net_benefit, expected)
    assert display.prevalence == pytest.approx(0.02)


def test_acting_on_all_is_a_model_that_always_says_yes():
    display = DecisionCurveDisplay.from_predictions(y, proba, thresholds=CUTS)
    expected = net_benefit(y, np.ones(len(y)), CUTS)
    np.testing.assert_allclose(display.treat_all, expected)
    np.testing.assert_allclose(display.all_line_.get_ydata(), expected)


def test_the_positive_class_may_be_the_first():
    names = np.array(["yes", "zero"])[1 - y]
    display = DecisionCurveDisplay.from_predictions(
        names, proba, thresholds=CUTS, pos_label="yes"
    )
    np.testing.assert_allclose(display.net_benefit, net_benefit(y, proba, CUTS))


def test_one_class_of_several_is_acted_on():
    labels = np.digitize(X[:, 0], [-1, 1])
    of_three = LogisticRegression().fit(X, labels)
    display = DecisionCurveDisplay.from_estimator(
        of_three, X, labels, pos_label=0, thresholds=CUTS
    )
    expected = net_benefit(labels == 0, of_three.predict_proba(X)[:, 0], CUTS)
    np.testing.assert_allclose(display.net_benefit, expected)


def test_rows_out_of_fold_are_taken_where_a_threshold_was_tuned():
    tuned = OptimalThresholdClassifierCV(LogisticRegression()).fit(X, y)
    rows = tuned.out_of_fold_
    display = DecisionCurveDisplay.from_estimator(tuned, thresholds=CUTS)
    expected = net_benefit(rows.class_numbers, rows.scores, CUTS)
    np.testing.assert_allclose(display.net_benefit, expected)


def test_a_rare_class_stands_on_a_logarithmic_axis():
    rare = DecisionCurveDisplay.from_predictions(y, proba, target_prior=0.001)
    assert rare.ax_.get_xscale() == "log"
    assert rare.thresholds[0] == pytest.approx(0.0001)
    often = DecisionCurveDisplay.from_predictions(y, proba)
    assert often.ax_.get_xscale() == "linear"


def test_models_share_axes(axes):
    first = DecisionCurveDisplay.from_estimator(model, X, y, ax=axes)
    second = DecisionCurveDisplay.from_predictions(y, proba**2, name="2", ax=axes)
    assert second.all_line_ is None and second.ax_ is axes
    assert first.line_.get_linestyle() != second.line_.get_linestyle()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[0] == "LogisticRegression" and labels[-1] == "2"


@pytest.mark.parametrize("width", [5, 3.4])
@pytest.mark.parametrize("prevalence", [0.3, 0.001])
def test_it_is_readable(width, prevalence):
    ax = plt.subplots(figsize=(width, 3.4), layout="constrained")[1]
    display = DecisionCurveDisplay.from_predictions(
        y, proba, target_prior=prevalence, name="a model of a $long$ name_", ax=ax
    )
    assert_readable(display.figure_)
    assert_legend_above(ax)


def test_the_frame_is_tidy():
    frame = DecisionCurveDisplay.from_predictions(y, proba, thresholds=CUTS).to_frame()
    assert list(frame) == ["threshold", "acts_on", "net_benefit"]
    assert frame["acts_on"].unique().tolist() == ["model", "all", "none"]


def test_bad_input_is_a_clear_error():
    with pytest.raises(ValueError, match="above 0 and below 1"):
        DecisionCurveDisplay.from_predictions(y, proba, thresholds=[0, 0.5])
    with pytest.raises(ValueError, match="`scale`='logit'"):
        DecisionCurveDisplay.from_predictions(y, proba, scale="logit")
    with pytest.raises(ValueError, match="needs rows"):
        DecisionCurveDisplay.from_estimator(model)
    with pytest.raises(TypeError, match="no predict_proba"):
        DecisionCurveDisplay.from_estimator(Perceptron().fit(X, y), X, y)
