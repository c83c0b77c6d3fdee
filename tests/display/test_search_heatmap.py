import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sklimb import ImbalanceAwareClassifier
from sklimb.display import SearchHeatmapDisplay
from tests.data import imbalanced
from tests.display.pictures import assert_readable

RESULTS = {
    "param_weight": np.repeat(np.array([None, "balanced"], dtype=object), 6),
    "param_cut": np.tile(np.repeat([0.5, 0.1, 0.2], 2), 2),
    "param_C": np.tile([1, 10], 6),
    "mean_test_score": np.arange(12) / 10,
    "mean_fit_time": np.ones(12),
}


def draw(**options):
    return SearchHeatmapDisplay.from_cv_results(RESULTS, **options)


def test_other_parameters_are_at_their_best():
    display = draw(x="cut", y="weight")
    assert display.x_values == [0.1, 0.2, 0.5]
    assert display.y_values == [None, "balanced"]
    np.testing.assert_array_equal(display.scores, [[0.3, 0.5, 0.1], [0.9, 1.1, 0.7]])
    assert display.others == ("C",)


def test_the_best_cell_is_outlined():
    display = draw(x="cut", y="weight")
    assert display.best_.get_xy() == (1, 1)


def test_a_search_of_two_parameters_needs_no_names():
    X, y = imbalanced(600)
    grid = {"class_weight": [None, "balanced", {0: 1, 1: 3}], "threshold": [0.1, 0.5]}
    aware = ImbalanceAwareClassifier(LogisticRegression())
    search = GridSearchCV(aware, grid, scoring="f1", cv=2).fit(X, y)
    for results in (search.cv_results_, pd.DataFrame(search.cv_results_)):
        display = SearchHeatmapDisplay.from_cv_results(results)
        assert (display.x, display.y) == ("class_weight", "threshold")
        np.testing.assert_array_equal(
            display.scores, search.cv_results_["mean_test_score"].reshape(3, 2).T
        )
        assert display.x_values == [None, "balanced", {0: 1, 1: 3}]


def test_cells_without_a_score_are_hatched():
    results = {key: values[:-3] for key, values in RESULTS.items()}
    results["mean_test_score"] = results["mean_test_score"].copy()
    results["mean_test_score"][:2] = np.nan
    display = SearchHeatmapDisplay.from_cv_results(results, x="cut", y="weight")
    hatched = {
        patch.get_xy() for patch in display.ax_.patches if patch.get_hatch() is not None
    }
    assert hatched == {(2, 0), (1, 1)}
    assert display.text_[0, 2] is None
    assert "none hatched" in display.ax_.get_title("left")


def test_all_failed_is_drawn():
    results = {**RESULTS, "mean_test_score": np.full(12, np.nan)}
    display = SearchHeatmapDisplay.from_cv_results(results, x="cut", y="weight")
    assert display.best_ is None


def test_parameters_that_some_candidates_lack_have_a_level():
    cut = np.ma.masked_array([0.1, 0.2, 0.0], mask=[False, False, True])
    results = {
        "param_cut": cut,
        "param_kind": ["a", "a", "b"],
        "mean_test_score": [0.1, 0.2, 0.3],
    }
    display = SearchHeatmapDisplay.from_cv_results(results)
    assert np.isfinite(display.scores).sum() == 3


@pytest.mark.parametrize("width", [5, 3.4])
@pytest.mark.parametrize("n_values", [3, 25])
def test_it_is_readable(width, n_values):
    ax = plt.subplots(figsize=(width, 3.4), layout="constrained")[1]
    results = {
        "param_clf__C": np.repeat(np.geomspace(1e-4, 1e4, n_values), 4),
        "param_clf__$kind_of$": np.tile(
            ["a", "b", "a long name of a kind", "d"], n_values
        ),
        "mean_test_score": np.random.default_rng(0).random(4 * n_values),
    }
    display = SearchHeatmapDisplay.from_cv_results(results, ax=ax)
    assert display.ax_ is ax
    assert_readable(display.figure_)
    fits = display.text_[0, 0] is not None
    assert fits == (n_values == 3)


def test_the_frame_has_a_row_for_each_cell():
    frame = draw(x="cut", y="weight").to_frame()
    assert list(frame) == ["weight", "cut", "mean_test_score"]
    assert len(frame) == 6


ERRORS = {
    "three": ({}, "which two of them"),
    "unknown x": ({"x": "c", "y": "C"}, "`x`='c' is not among"),
    "twice": ({"x": "C", "y": "param_C"}, "both 'C'"),
    "score": ({"x": "C", "y": "cut", "score": "mean_fit_time"}, "`score`='mean_fit"),
}


@pytest.mark.parametrize("options, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(options, message):
    with pytest.raises(ValueError, match=message):
        draw(**options)
