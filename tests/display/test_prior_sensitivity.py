import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression

from sklimb import ImbalanceAwareClassifier
from sklimb.display import PriorSensitivityDisplay
from sklimb.metrics import bootstrap_interval, score_at_prior
from tests.data import imbalanced
from tests.display.pictures import assert_legend_above, assert_readable

X, y = imbalanced(2000)
model = LogisticRegression().fit(X, y)
proba = model.predict_proba(X)
y_pred = (proba[:, 1] > 0.2).astype(int)
THREE = np.digitize(X[:, 0], [-1, 1])
PREVALENCES = [0.001, 0.01, 0.1, 0.4]
COSTS = [[0, 1], [15, 0]]


def test_the_numbers_are_those_of_score_at_prior():
    metrics = ["precision", "f1", "matthews_corrcoef", "cost"]
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    display = PriorSensitivityDisplay.from_predictions(
        y,
        y_pred,
        metrics=metrics,
        cost_matrix=COSTS,
        prevalences=PREVALENCES,
        sample_weight=weight,
    )
    for metric in metrics:
        costs = COSTS if metric == "cost" else None
        expected = [
            score_at_prior(
                metric, y, y_pred, p, sample_weight=weight, cost_matrix=costs
            )
            for p in PREVALENCES
        ]
        np.testing.assert_allclose(display.scores[metric], expected)


def test_bands_are_those_of_the_bootstrap_by_rates():
    display = PriorSensitivityDisplay.from_predictions(
        y, y_pred, prevalences=PREVALENCES
    )
    for metric in ("precision", "f1"):
        for k, p in enumerate(PREVALENCES):
            found = bootstrap_interval(
                metric, y, y_pred, target_prior=p, n_resamples=4000
            )
            ends = display.low[metric][k], display.high[metric][k]
            np.testing.assert_allclose(ends, found[1:], atol=0.02)


def test_bands_of_many_classes_are_those_of_the_metrics_too():
    random = np.random.default_rng(0)
    y_true = np.arange(160) % 8
    y_pred = np.where(random.random(160) < 0.8, y_true, random.integers(8, size=160))
    display = PriorSensitivityDisplay.from_predictions(
        y_true, y_pred, metrics=["f1_macro"], prevalences=[1 / 8, 1 / 4]
    )
    found = bootstrap_interval("f1_macro", y_true, y_pred, n_resamples=4000)
    ends = display.low["f1_macro"][0], display.high["f1_macro"][0]
    np.testing.assert_allclose(ends, found[1:], atol=0.02)


def test_the_positive_class_may_be_the_first():
    names = np.array(["yes", "zero"])
    display = PriorSensitivityDisplay.from_predictions(
        names[1 - y], names[1 - y_pred], pos_label="yes", prevalences=PREVALENCES
    )
    same = PriorSensitivityDisplay.from_predictions(y, y_pred, prevalences=PREVALENCES)
    np.testing.assert_allclose(display.scores["f1"], same.scores["f1"])
    assert display.rows_prevalence == pytest.approx(y.mean())
    assert display.training_prevalence is None
    assert "these rows" in display.training_line_.get_label()


def test_one_class_of_several_moves_and_the_others_keep_their_proportions():
    predicted = LogisticRegression().fit(X, THREE).predict(X)
    display = PriorSensitivityDisplay.from_predictions(
        THREE,
        predicted,
        metrics=["f1_macro", "f1"],
        pos_label=2,
        prevalences=PREVALENCES,
    )
    shares = np.bincount(THREE) / len(THREE)
    for k, p in enumerate(PREVALENCES):
        prior = np.append(shares[:2] / shares[:2].sum() * (1 - p), p)
        expected = score_at_prior("f1_macro", THREE, predicted, prior)
        assert display.scores["f1_macro"][k] == pytest.approx(expected)
        weight = (prior / shares)[THREE]
        of_2 = score_at_prior(
            "f1", THREE == 2, predicted == 2, None, sample_weight=weight
        )
        assert display.scores["f1"][k] == pytest.approx(of_2)


def test_training_and_target_are_those_of_the_classifier():
    aware = ImbalanceAwareClassifier(
        LogisticRegression(), scoring="f1", target_prior=0.01
    ).fit(X, y)
    display = PriorSensitivityDisplay.from_estimator(aware)
    assert display.training_prevalence == pytest.approx(y.mean())
    assert display.target_prevalence == pytest.approx(0.01)
    assert display.target_line_ is not None
    rows = aware.estimator_.out_of_fold_
    decided = rows.scores[:, 1] >= aware.estimator_.best_threshold_
    at = display.prevalences == display.target_prevalence
    expected = score_at_prior("f1", rows.class_numbers, decided.astype(int), 0.01)
    np.testing.assert_allclose(display.scores["f1"][at], expected)
    plain = PriorSensitivityDisplay.from_estimator(model, X, y)
    assert plain.target_line_ is None


def test_a_threshold_chosen_anew_is_at_least_as_good():
    display = PriorSensitivityDisplay.from_predictions(
        y, y_pred, y_proba=proba, retune="f1", prevalences=PREVALENCES
    )
    assert (display.retuned["f1"] >= display.scores["f1"] - 1e-12).all()
    cuts = np.unique(proba[:, 1])[::40]
    by_hand = [
        score_at_prior("f1", y, (proba[:, 1] >= cut).astype(int), 0.01) for cut in cuts
    ]
    assert display.retuned["f1"][1] >= max(by_hand) - 1e-12


def test_costs_stand_beneath_in_axes_of_their_own():
    display = PriorSensitivityDisplay.from_predictions(
        y, y_pred, metrics=["f1", "cost"], cost_matrix=COSTS
    )
    assert display.cost_ax_ is not display.ax_
    drawn = display.lines_["cost"].get_ydata()
    np.testing.assert_allclose(drawn, -display.scores["cost"])
    alone = PriorSensitivityDisplay.from_predictions(
        y, y_pred, metrics="cost", cost_matrix=COSTS
    )
    assert alone.cost_ax_ is alone.ax_


@pytest.mark.parametrize("width", [5, 3.4])
@pytest.mark.parametrize("metrics", [["precision", "f1"], ["f1", "recall", "cost"]])
def test_it_is_readable(width, metrics):
    ax = plt.subplots(figsize=(width, 3.4), layout="constrained")[1]
    display = PriorSensitivityDisplay.from_predictions(
        y, y_pred, metrics=metrics, cost_matrix=COSTS, target_prior=0.001, ax=ax
    )
    assert display.ax_ is ax
    assert_readable(display.figure_)
    assert_legend_above(ax)


def test_every_line_is_within_the_picture(axes):
    for pred, name in ((1 - y_pred, "worse"), (y_pred, "better")):
        display = PriorSensitivityDisplay.from_predictions(
            y,
            pred,
            metrics=["f1", "recall", "matthews_corrcoef"],
            name=name,
            ax=axes,
        )
        low, high = axes.get_ylim()
        for line in display.lines_.values():
            assert low <= line.get_ydata().min() <= line.get_ydata().max() <= high


def test_a_single_positive_is_drawn():
    one = np.zeros(1000, dtype=int)
    one[0] = 1
    display = PriorSensitivityDisplay.from_predictions(one, one)
    assert display.high["f1"].max() <= 1
    assert_readable(display.figure_)


def test_the_frame_is_tidy():
    display = PriorSensitivityDisplay.from_predictions(
        y, y_pred, prevalences=PREVALENCES, y_proba=proba, retune="f1"
    )
    frame = display.to_frame()
    assert list(frame) == ["prevalence", "metric", "score", "low", "high", "retuned"]
    assert len(frame) == 2 * len(PREVALENCES)
    without = PriorSensitivityDisplay.from_predictions(y, y_pred, level=None)
    assert list(without.to_frame()) == ["prevalence", "metric", "score"]


def draw(**options):
    return PriorSensitivityDisplay.from_predictions(y, y_pred, **options)


ERRORS = {
    "prevalences": (lambda: draw(prevalences=[0, 0.5]), "above 0 and below 1"),
    "scale": (lambda: draw(scale="logit"), "`scale`='logit' is not known"),
    "no metric": (lambda: draw(metrics=[]), "`metrics` is empty"),
    "of a ranking": (lambda: draw(metrics=["roc_auc"]), "not a metric of decisions"),
    "unknown": (lambda: draw(metrics=["f1_makro"]), "f1_macro"),
    "no costs": (lambda: draw(metrics=["cost"]), "needs `cost_matrix`"),
    "retune": (lambda: draw(retune="f1"), "`retune` needs `y_proba`"),
    "rejected": (
        lambda: PriorSensitivityDisplay.from_predictions(
            y, np.where(y_pred, -1, 0), labels=[0, 1]
        ),
        "those that were rejected",
    ),
    "no rows of a class": (
        lambda: PriorSensitivityDisplay.from_predictions(y * 0, y_pred),
        r"no rows of \[1\]",
    ),
    "no rows": (
        lambda: PriorSensitivityDisplay.from_estimator(model),
        "needs rows",
    ),
}


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
