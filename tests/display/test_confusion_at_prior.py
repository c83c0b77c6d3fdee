import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

from sklimb import ImbalanceAwareClassifier, OptimalThresholdClassifierCV
from sklimb.display import ConfusionMatrixAtPriorDisplay
from sklimb.metrics import project_confusion_matrix
from tests.data import imbalanced
from tests.display.pictures import assert_readable

X, y = imbalanced(2000)
y_true = np.repeat([1, 0], [100, 200])
y_pred = np.repeat([1, 0, 1, 0], [97, 3, 3, 197])
LONG = np.array(["a $very_long$ name of a class", "benign", "malig_nant"])
three = np.random.default_rng(0).integers(0, 3, 400)


def numbers(texts):
    return [[text.get_text() for text in row] for row in texts]


def test_the_numbers_are_counted_and_projected():
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        y_true, y_pred, target_prior=1 / 101
    )
    counted = confusion_matrix(y_true, y_pred)
    np.testing.assert_array_equal(display.confusion_matrix, counted)
    np.testing.assert_allclose(
        display.projected, project_confusion_matrix(counted, 1 / 101)
    )
    assert numbers(display.text_[0]) == [["197", "3"], ["3", "97"]]
    assert numbers(display.text_[1]) == [["9,752", "149"], ["3", "96"]]


def test_recalls_and_precisions_stand_in_the_margins():
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        y_true, y_pred, target_prior=1 / 101
    )
    for ax, precision in zip(display.ax_, ["97 %", "39.3 %"], strict=True):
        at = {text.get_position(): text.get_text() for text in ax.texts}
        assert at[2.5, 1.5] == "97 %"  # recall of 1
        assert at[1.5, 2.5] == precision


def test_weights_and_labels_are_taken():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y_true))
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        y_true, y_pred, sample_weight=weight, labels=[1, 0]
    )
    expected = confusion_matrix(y_true, y_pred, labels=[1, 0], sample_weight=weight)
    np.testing.assert_allclose(display.confusion_matrix, expected)
    assert display.labels == [1, 0]


def test_a_float_is_the_prevalence_of_the_positive_class():
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        y_true, y_pred, target_prior=0.01, pos_label=0
    )
    np.testing.assert_allclose(display.target_prior, [0.01, 0.99])
    assert "1 in 100" in display.ax_[1].get_title("left")


def test_a_tuned_classifier_is_drawn_out_of_fold_at_its_target():
    aware = ImbalanceAwareClassifier(LogisticRegression(), target_prior=0.01).fit(X, y)
    display = ConfusionMatrixAtPriorDisplay.from_estimator(aware)
    rows = aware.estimator_.out_of_fold_
    called = rows.scores[:, 1] >= aware.estimator_.best_threshold_
    expected = confusion_matrix(rows.class_numbers, called)
    np.testing.assert_array_equal(display.confusion_matrix, expected)
    np.testing.assert_allclose(display.target_prior, [0.99, 0.01])


def test_nothing_is_projected_to_the_rows_own_shares():
    aware = ImbalanceAwareClassifier(LogisticRegression()).fit(X, y)
    assert ConfusionMatrixAtPriorDisplay.from_estimator(aware).projected is None


def test_rows_that_are_given_are_predicted():
    model = LogisticRegression().fit(X, y)
    display = ConfusionMatrixAtPriorDisplay.from_estimator(model, X, y)
    expected = confusion_matrix(y, model.predict(X))
    np.testing.assert_array_equal(display.confusion_matrix, expected)
    assert display.projected is None
    assert np.ndim(display.ax_) == 0


def test_panels_go_into_axes_that_are_given(axes):
    two = plt.subplots(1, 2)[1]
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        y_true, y_pred, target_prior=0.1, ax=two
    )
    assert list(display.ax_) == list(two)
    display.plot(ax=axes)
    assert len(display.ax_) == 2 and display.figure_ is axes.figure
    display.plot(ax=axes, panels="projected")
    assert display.ax_ is axes


@pytest.mark.parametrize("width", [5, 3.4])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_readable(width, n_classes):
    ax = plt.subplots(figsize=(width, 4.2), layout="constrained")[1]
    labels = LONG[-n_classes:] if n_classes == 3 else LONG[1:]
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        labels[three % n_classes],
        labels[three[::-1] % n_classes],
        target_prior="uniform",
        ax=ax,
    )
    assert_readable(display.figure_)
    for ax, texts in zip(display.ax_, display.text_, strict=True):
        room = ax.get_window_extent().width / (n_classes + 1)
        for text in texts.flat:
            assert not text.get_visible() or text.get_window_extent().width <= room


def test_ten_classes_are_shades_where_numbers_do_not_fit():
    ten = np.random.default_rng(0).integers(0, 10, 5000)
    other = np.where(np.random.default_rng(1).random(5000) < 0.8, ten, ten[::-1])
    wide = ConfusionMatrixAtPriorDisplay.from_predictions(ten, other)
    assert_readable(wide.figure_)
    assert all(text.get_visible() for text in wide.text_[0].flat)
    ax = plt.subplots(figsize=(3.4, 4), layout="constrained")[1]
    wide.plot(ax=ax)
    assert_readable(ax.figure)
    assert not any(text.get_visible() for text in wide.text_[0].flat)


def test_a_class_that_is_never_predicted_has_no_precision():
    display = ConfusionMatrixAtPriorDisplay.from_predictions([0, 1, 1], [0, 0, 0])
    at = {text.get_position(): text.get_text() for text in display.ax_.texts}
    assert at[1.5, 2.5] == "none"


def test_the_frame_is_tidy():
    display = ConfusionMatrixAtPriorDisplay.from_predictions(
        LONG[three], LONG[three[::-1]], target_prior="uniform"
    )
    frame = display.to_frame()
    assert list(frame) == ["true", "predicted", "counted", "projected"]
    assert frame["counted"].sum() == len(three)
    row = frame[(frame["true"] == "benign") & (frame["predicted"] == "malig_nant")]
    np.testing.assert_array_equal(row["counted"], display.confusion_matrix[1, 2])


def test_bad_input_is_a_clear_error():
    display = ConfusionMatrixAtPriorDisplay.from_predictions(y_true, y_pred)
    with pytest.raises(ValueError, match="`panels`='projected' needs"):
        display.plot(panels="projected")
    with pytest.raises(ValueError, match="`panels`='left' is not known"):
        display.plot(panels="left")
    with pytest.raises(ValueError, match="needs rows"):
        ConfusionMatrixAtPriorDisplay.from_estimator(LogisticRegression().fit(X, y))
    with pytest.raises(ValueError, match="which have shares"):
        ConfusionMatrixAtPriorDisplay.from_predictions(
            [0, 0, 0], [0, 1, 0], target_prior=0.1
        )


def test_thresholds_of_several_classes_decide():
    labels = np.digitize(X[:, 0], [-1, 1])
    tuned = OptimalThresholdClassifierCV(LogisticRegression(), scoring="f1_macro")
    tuned.fit(X, labels)
    display = ConfusionMatrixAtPriorDisplay.from_estimator(tuned, X, labels)
    expected = confusion_matrix(labels, tuned.predict(X))
    np.testing.assert_array_equal(display.confusion_matrix, expected)
