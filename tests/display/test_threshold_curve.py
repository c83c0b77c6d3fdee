import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier, OptimalThresholdClassifierCV
from sklimb.display import ThresholdCurveDisplay
from sklimb.display._threshold_axis import thinned
from sklimb.thresholds import confusion_counts, metric_function
from sklimb.thresholds._multiclass_rows import choose_classes
from tests.data import imbalanced
from tests.display.pictures import assert_legend_above, assert_readable

X, y = imbalanced()
L = LogisticRegression()
TUNED = OptimalThresholdClassifierCV(L, scoring="f1", store_cv_results=True).fit(X, y)
LIMITED = OptimalThresholdClassifierCV(
    L, scoring="f1", constraints={"recall": (0.8, None)}
).fit(X, y)
proba = L.fit(X, y).predict_proba(X)[:, 1]
THREE = np.digitize(X[:, 0], [-1, 1])
OF_THREE = OptimalThresholdClassifierCV(L, scoring="f1_macro").fit(X, THREE)


def score_at(display, threshold):
    place = np.searchsorted(display.thresholds, threshold)
    near = slice(max(place - 1, 0), place + 1)
    return display.scores[near]


def test_the_curve_is_the_metric_at_every_cut():
    display = ThresholdCurveDisplay.from_predictions(y, proba, scoring="f1")
    counts = confusion_counts(y, proba)
    expected = metric_function("f1")(*counts[:4])[::-1]
    np.testing.assert_array_equal(display.scores, expected)
    for k in (10, 500, 1400):
        predicted = proba >= display.thresholds[k]
        assert display.scores[k] == pytest.approx(f1_score(y, predicted))


def test_a_tuned_classifier_is_drawn_on_its_rows_out_of_fold():
    display = ThresholdCurveDisplay.from_estimator(TUNED)
    np.testing.assert_array_equal(display.scores, TUNED.cv_results_["scores"])
    np.testing.assert_array_equal(display.fold_scores, TUNED.cv_results_["fold_scores"])
    assert display.threshold == TUNED.best_threshold_
    assert display.interval == TUNED.threshold_interval_
    assert display.scores.max() == pytest.approx(TUNED.apparent_score_)


def test_cv_results_draw_the_same_curve():
    display = ThresholdCurveDisplay.from_cv_results(TUNED.cv_results_, scoring="f1")
    same = ThresholdCurveDisplay.from_estimator(TUNED)
    np.testing.assert_array_equal(
        display.line_.get_ydata(), ThresholdCurveDisplay.plot(same).line_.get_ydata()
    )
    best = TUNED.cv_results_["scores"].argmax()
    assert display.threshold == TUNED.cv_results_["thresholds"][best]


@pytest.mark.parametrize("nest", ["pipeline", "search", "aware"])
def test_the_tuned_classifier_is_found_inside(nest):
    aware = ImbalanceAwareClassifier(L, scoring="f1")
    model = {
        "pipeline": make_pipeline(StandardScaler(), aware),
        "search": GridSearchCV(aware, {"class_weight": [None, "balanced"]}, cv=2),
        "aware": aware,
    }[nest].fit(X, y)
    display = ThresholdCurveDisplay.from_estimator(model)
    inside = {
        "pipeline": lambda: model[-1].estimator_,
        "search": lambda: model.best_estimator_.estimator_,
        "aware": lambda: model.estimator_,
    }[nest]()
    assert display.threshold == inside.best_threshold_
    assert len(display.fold_scores) == 5


def test_any_classifier_is_drawn_on_rows():
    display = ThresholdCurveDisplay.from_estimator(L, X, y, scoring="balanced_accuracy")
    k = 700
    predicted = proba >= display.thresholds[k]
    assert display.scores[k] == pytest.approx(balanced_accuracy_score(y, predicted))
    assert display.threshold is None
    assert display.chosen_line_ is None


def test_a_classifier_without_probabilities_is_drawn_on_its_decision_function():
    display = ThresholdCurveDisplay.from_estimator(Perceptron().fit(X, y), X, y)
    assert display.unit == "score"
    assert display.ax_.get_xscale() == "linear"


def test_hatching_is_where_the_constraint_breaks():
    display = ThresholdCurveDisplay.from_estimator(LIMITED)
    rows = LIMITED.out_of_fold_
    for k in range(0, len(display.thresholds), 150):
        called = rows.scores[:, 1] >= display.thresholds[k]
        recall = called[rows.class_numbers == 1].mean()
        assert display.is_broken[k] == (recall < 0.8)
    assert len(display.broken_) == 1
    assert not display.is_broken[np.searchsorted(display.thresholds, display.threshold)]


def test_what_cannot_be_kept_is_hatched_everywhere():
    display = ThresholdCurveDisplay.from_predictions(
        y, np.random.default_rng(0).random(len(y)), constraints={"precision": (1, None)}
    )
    assert display.is_broken.all()
    assert display.threshold is None


def test_the_best_allowed_cut_is_marked():
    display = ThresholdCurveDisplay.from_predictions(
        y, proba, scoring="precision", constraints={"recall": (0.8, None)}
    )
    allowed = np.where(display.is_broken, -1, display.scores)
    assert allowed.max() in score_at(display, display.threshold)


def test_folds_are_drawn_and_averaged():
    fold = np.arange(len(y)) % 3
    display = ThresholdCurveDisplay.from_predictions(y, proba, scoring="f1", fold=fold)
    k = 1300
    called = proba >= display.thresholds[k]
    by_fold = [f1_score(y[fold == f], called[fold == f]) for f in range(3)]
    np.testing.assert_allclose(display.fold_scores[:, k], by_fold)
    assert display.scores[k] == pytest.approx(np.mean(by_fold))
    assert len(display.fold_lines_) == 3


def test_the_metric_is_measured_at_the_target_prior():
    display = ThresholdCurveDisplay.from_predictions(
        y, proba, scoring="f1", target_prior=0.01
    )
    k = 1200
    weight = np.where(y == 1, 0.01 / y.mean(), 0.99 / (1 - y.mean()))
    expected = f1_score(y, proba >= display.thresholds[k], sample_weight=weight)
    assert display.scores[k] == pytest.approx(expected)
    assert "at prevalence 1 in 100" in display.ax_.get_ylabel()


def test_a_row_of_weight_2_is_a_row_twice():
    weight = np.where(X[:, 2] > 0, 2, 1)
    rows = np.repeat(np.arange(len(y)), weight)
    weighted = ThresholdCurveDisplay.from_predictions(y, proba, sample_weight=weight)
    repeated = ThresholdCurveDisplay.from_predictions(y[rows], proba[rows])
    np.testing.assert_allclose(weighted.scores, repeated.scores)


def test_scores_of_the_first_class_mirror_those_of_the_second():
    names = np.where(y == 1, "yes", "no")
    second = ThresholdCurveDisplay.from_predictions(names, proba)
    first = ThresholdCurveDisplay.from_predictions(names, 1 - proba, pos_label="no")
    np.testing.assert_allclose(first.scores, second.scores[::-1])
    assert "'no'" in first.ax_.get_xlabel()


def test_one_class_moves_while_the_others_are_held():
    display = ThresholdCurveDisplay.from_estimator(OF_THREE, pos_label=1)
    rows, held = OF_THREE.out_of_fold_, OF_THREE.best_threshold_.copy()
    assert display.threshold == held[1]
    for k in range(50, len(display.thresholds), 300):
        held[1] = display.thresholds[k]
        predicted = choose_classes(rows.scores, held)
        by_fold = [
            f1_score(rows.class_numbers[own], predicted[own], average="macro")
            for own in rows.parts()
        ]
        assert display.scores[k] == pytest.approx(np.mean(by_fold))
        np.testing.assert_allclose(display.fold_scores[:, k], by_fold)
    assert display.scores.max() == pytest.approx(OF_THREE.apparent_score_)
    assert display.ax_.get_xscale() == "log"


def test_limits_of_several_classes_are_hatched():
    display = ThresholdCurveDisplay.from_estimator(
        OF_THREE, pos_label=2, constraints={"recall": {2: (0.5, None)}}
    )
    rows, held = OF_THREE.out_of_fold_, OF_THREE.best_threshold_.copy()
    for k in range(0, len(display.thresholds), 200):
        held[2] = display.thresholds[k]
        predicted = choose_classes(rows.scores, held)
        recall = (predicted == 2)[rows.class_numbers == 2].mean()
        assert display.is_broken[k] == (recall < 0.5)


def test_a_million_rows_are_few_points_and_the_optimum_stays():
    random = np.random.default_rng(0)
    many = random.random(10**6) < 0.01
    score = random.normal(size=10**6) + 2 * many
    display = ThresholdCurveDisplay.from_predictions(many, score, scoring="f1")
    drawn = display.line_.get_ydata()
    assert len(drawn) <= 2000
    assert drawn.max() == display.scores.max()


def test_thinning_keeps_ends_and_extremes():
    values = np.random.default_rng(0).normal(size=10_000)
    kept = thinned(np.linspace(0, 1, 10_000), values, 20)
    assert len(kept) <= 80
    assert {0, 9999, values.argmin(), values.argmax()} <= set(kept)
    assert (np.diff(kept) > 0).all()


def test_thresholds_that_crowd_at_0_stand_on_log_odds():
    rare = ThresholdCurveDisplay.from_predictions(y, proba / 20)
    assert rare.ax_.get_xscale() == "logit"
    labels = [text.get_text() for text in rare.ax_.get_xticklabels()]
    assert len(labels) >= 2
    assert all(label.endswith(" %") for label in labels)
    even = ThresholdCurveDisplay.from_predictions(y, proba**0.2)
    assert even.ax_.get_xscale() == "linear"
    even.plot(x_scale="log-odds")
    assert even.ax_.get_xscale() == "logit"


def test_a_cut_near_0_stands_on_log_odds_unless_asked_otherwise():
    score = np.linspace(0.01, 0.99, len(y))
    display = ThresholdCurveDisplay.from_predictions(y, score, threshold=0.02)
    assert display.ax_.get_xscale() == "logit"
    display.plot(x_scale="linear")
    assert display.ax_.get_xscale() == "linear"


def test_hatching_that_ends_at_1_is_drawn_on_log_odds():
    score = np.append(proba[:-1] / 20, 1.0)  # the last cut is 1
    display = ThresholdCurveDisplay.from_predictions(
        y, score, constraints={"recall": (0.8, None)}, x_scale="log-odds"
    )
    region = display.broken_[-1]
    assert display.is_broken[-1]
    assert region.get_x() + region.get_width() == pytest.approx(
        display.ax_.get_xlim()[1]
    )


def test_the_axis_of_one_class_of_several_ends_near_its_threshold():
    sure = np.array([[1.0, 1e-200, 1e-200], [1e-200, 1.0, 1e-200], [0.2, 0.2, 0.6]])
    display = ThresholdCurveDisplay.from_predictions(
        THREE, sure[THREE], threshold=[1.0, 1.0, 1.0], pos_label=2
    )
    low, high = display.ax_.get_xlim()
    assert 1e-9 < low < 1 < high < 1e9


def test_it_is_drawn_into_given_axes(axes):
    display = ThresholdCurveDisplay.from_estimator(TUNED, ax=axes)
    assert display.ax_ is axes
    assert display.figure_ is axes.figure


def test_several_share_axes_and_differ_by_more_than_colour(axes):
    first = ThresholdCurveDisplay.from_estimator(TUNED, name="one", ax=axes)
    second = ThresholdCurveDisplay.from_estimator(LIMITED, name="two", ax=axes)
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_linestyle() != second.line_.get_linestyle()


def test_it_is_readable():
    display = ThresholdCurveDisplay.from_estimator(LIMITED)
    assert tuple(display.figure_.get_size_inches()) == (5, 3.6)
    assert_readable(display.figure_)
    assert_legend_above(display.ax_)


def test_labels_are_no_mathematics():
    names = np.where(y == 1, "$cost_of$ x", "other_")
    display = ThresholdCurveDisplay.from_predictions(
        names, proba, pos_label="$cost_of$ x"
    )
    assert "$cost_of$" in display.ax_.get_xlabel()
    assert not display.ax_.xaxis.label.get_parse_math()


@pytest.mark.parametrize("score", [np.zeros(len(y)), np.full(len(y), 0.3)])
def test_constant_scores_are_drawn(score):
    display = ThresholdCurveDisplay.from_predictions(y, score)
    assert len(display.scores) == 2
    assert_readable(display.figure_)


def test_the_frame_has_every_cut_of_every_curve():
    display = ThresholdCurveDisplay.from_estimator(LIMITED)
    frame = display.to_frame()
    assert len(frame) == 6 * len(display.thresholds)
    of_all = frame[frame["fold"] == "all"]
    np.testing.assert_array_equal(of_all["score"], display.scores)
    np.testing.assert_array_equal(of_all["breaks_constraints"], display.is_broken)


ERRORS = {
    "no rows": (
        lambda: ThresholdCurveDisplay.from_estimator(L),
        "`X` and `y` are None",
    ),
    "no labels": (lambda: ThresholdCurveDisplay.from_estimator(L, X), "`y` is None"),
    "other class": (
        lambda: ThresholdCurveDisplay.from_estimator(TUNED, pos_label=0),
        "not the class that the threshold was tuned for",
    ),
    "scale": (
        lambda: ThresholdCurveDisplay.from_estimator(TUNED, x_scale="logit"),
        "`x_scale`='logit' is not known",
    ),
    "shape": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba[:3]),
        "`y_score` has shape",
    ),
    "nan": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba * np.nan),
        "nan or infinite",
    ),
    "fold": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba, fold=[0]),
        "`fold` has shape",
    ),
    "one-class folds": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba, fold=y),
        r"rows of one class only, \[0, 1\]",
    ),
    "several cv_results": (
        lambda: ThresholdCurveDisplay.from_cv_results({"thresholds": []}),
        "use from_estimator",
    ),
    "two thresholds": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba, threshold=[0.1, 0.2]),
        "must be one number",
    ),
    "thresholds": (
        lambda: ThresholdCurveDisplay.from_predictions(
            THREE, np.full((len(y), 3), 1 / 3), scoring="f1_macro", threshold=[1, 0, 1]
        ),
        "above 0 for each of the 3 classes",
    ),
    "only class": (
        lambda: ThresholdCurveDisplay.from_predictions(
            THREE,
            np.full((len(y), 3), 1 / 3),
            scoring="f1_macro",
            threshold=[np.inf, np.inf, 1],
        ),
        "no other class",
    ),
    "labels": (
        lambda: ThresholdCurveDisplay.from_predictions(y, proba, labels=[0, 2]),
        "not among `labels`",
    ),
}


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
