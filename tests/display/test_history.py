from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import ImbalanceAwareClassifier
from sklimb.display import HistoryDisplay
from tests.data import imbalanced
from tests.display.pictures import assert_legend_above, assert_readable

epochs = np.arange(40)
HISTORY = {
    "loss": 0.7 * np.exp(-epochs / 8),
    "recall": 1 - np.exp(-epochs / 5),
    "val_loss": 0.6 * np.exp(-epochs / 8) + 1e-4 * epochs**2,
    "val_recall": 0.9 - np.exp(-epochs / 5),
}


class WithHistory(ClassifierMixin, BaseEstimator):
    """A network as far as a history is concerned."""

    def fit(self, X, y, sample_weight=None):
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_, self.n_features_in_ = self.inner_.classes_, X.shape[1]
        self.history_ = {"loss": [0.7, 0.5], "val_loss": [0.6, 0.65]}
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)

    def predict(self, X):
        return self.inner_.predict(X)


def test_lines_are_the_history():
    display = HistoryDisplay.from_history(HISTORY)
    assert set(display.lines_) == set(HISTORY)
    for name, values in HISTORY.items():
        np.testing.assert_array_equal(display.lines_[name].get_ydata(), values)
        np.testing.assert_array_equal(display.lines_[name].get_xdata(), epochs + 1)


def test_the_best_epoch_is_of_the_validation_loss():
    display = HistoryDisplay.from_history(HISTORY)
    assert display.best_epoch == HISTORY["val_loss"].argmin() + 1
    assert display.best_lines_[0].get_xdata()[0] == display.best_epoch
    assert HistoryDisplay.from_history({"loss": [3, 1, 2]}).best_epoch == 2
    assert HistoryDisplay.from_history({"accuracy": [3, 1]}).best_epoch is None
    assert HistoryDisplay.from_history({"loss": [np.nan, 2]}).best_epoch == 2


def test_what_keras_returns_is_a_history():
    returned = SimpleNamespace(history=HISTORY)
    display = HistoryDisplay.from_history(returned)
    np.testing.assert_array_equal(display.history["loss"], HISTORY["loss"])


def test_the_history_is_found_inside():
    X, y = imbalanced()
    model = make_pipeline(StandardScaler(), ImbalanceAwareClassifier(WithHistory()))
    display = HistoryDisplay.from_estimator(model.fit(X, y))
    np.testing.assert_array_equal(display.history["loss"], [0.7, 0.5])


def test_panels_are_the_metrics_that_were_asked_for():
    assert len(HistoryDisplay.from_history(HISTORY).ax_) == 2
    one = HistoryDisplay.from_history(HISTORY, metrics="recall")
    assert one.ax_.get_ylabel() == "recall"
    assert set(one.lines_) == {"recall", "val_recall"}
    many = {**HISTORY, "a": [1.0] * 40, "b": [1.0] * 40, "lr": [1.0] * 40}
    assert len(HistoryDisplay.from_history(many).ax_) == 3


def test_a_loss_that_falls_far_is_on_a_logarithmic_axis():
    far = {"loss": 10.0 ** -np.arange(5)}
    assert HistoryDisplay.from_history(far).ax_.get_yscale() == "log"
    assert (
        HistoryDisplay.from_history(far, y_scale="linear").ax_.get_yscale() == "linear"
    )
    assert HistoryDisplay.from_history({"loss": [3, 2]}).ax_.get_yscale() == "linear"


@pytest.mark.parametrize("size", [(5, 3.6), (3.4, 4)])
@pytest.mark.parametrize("n_epochs", [1, 3, 40])
def test_it_is_readable(size, n_epochs):
    ax = plt.subplots(figsize=size, layout="constrained")[1]
    history = {name: values[:n_epochs] for name, values in HISTORY.items()}
    display = HistoryDisplay.from_history(history, ax=ax)
    assert display.figure_ is ax.figure
    assert_readable(display.figure_)
    assert_legend_above(display.ax_[0])


def test_the_frame_is_tidy():
    frame = HistoryDisplay.from_history(HISTORY).to_frame()
    assert list(frame) == ["epoch", "metric", "rows", "value"]
    own = frame[(frame["metric"] == "recall") & (frame["rows"] == "validation")]
    np.testing.assert_array_equal(own["value"], HISTORY["val_recall"])


def test_bad_input_is_a_clear_error():
    X, y = imbalanced()
    with pytest.raises(ValueError, match="has no `history_`"):
        HistoryDisplay.from_estimator(LogisticRegression().fit(X, y))
    with pytest.raises(ValueError, match="is not a history"):
        HistoryDisplay.from_history([0.3])
    with pytest.raises(ValueError, match="'loss' of shape"):
        HistoryDisplay.from_history({"loss": []})
    with pytest.raises(ValueError, match="must name some of"):
        HistoryDisplay.from_history(HISTORY, metrics=["auc"])
    with pytest.raises(ValueError, match="`y_scale`='logit'"):
        HistoryDisplay.from_history(HISTORY, y_scale="logit")
