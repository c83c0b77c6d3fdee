"""Bad input of the diagnostics: symptom, value received, remedy."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklimb.diagnostics import (
    diagnose,
    explain_shift,
    explain_shift_from_predictions,
    find_leakage,
    label_noise,
    learning_curve_by_positives,
    overfitting,
)

RANDOM = np.random.default_rng(0)
Y = np.arange(60) % 4 == 0
X = RANDOM.standard_normal((60, 2)) + Y[:, None]
SCORE = RANDOM.random(60)
L = LogisticRegression()
FITTED = LogisticRegression().fit(X, Y)


class Erratic(LogisticRegression):
    """Decides by another feature than it scores by."""

    def predict(self, X):
        """Return decisions that are no cut of the probabilities."""
        return self.classes_[(X[:, 1] - 3 * X[:, 0] > 0).astype(int)]


ERRATIC = Erratic().fit(X, Y)


def shift(*args, **options):
    given = args or (Y, SCORE, Y, SCORE)
    return lambda: explain_shift_from_predictions(*given, **options)


ERRORS = {
    "lengths of rows": (lambda: find_leakage(X, Y[:50]), "60 rows and `y` 50"),
    "one class": (lambda: find_leakage(X, np.ones(60)), "one class only"),
    "no columns": (lambda: find_leakage(X[:, :0], Y), "`X` has no columns"),
    "folds": (lambda: find_leakage(X, Y, cv=1), "`cv`=1 must be a whole number"),
    "groups": (lambda: find_leakage(X, Y, Y[:9]), r"`groups` has shape \(9,\)"),
    "scoring": (shift(scoring="roc_auc"), "`scoring`='roc_auc' is no metric"),
    "level": (shift(level=95), "`level`=95 must lie between 0 and 1"),
    "resamples": (shift(n_resamples=3), "`n_resamples`=3 .* from 100 on"),
    "threshold": (shift(threshold="x"), "`threshold`='x' must be a finite number"),
    "scores": (shift(Y, SCORE[:9], Y, SCORE), r"`score_a` has shape \(9,\)"),
    "nan scores": (shift(Y, SCORE, Y, SCORE * np.nan), "`score_b` has nan"),
    "groups of B": (shift(groups_b=[1, 2]), r"`groups_b` has shape \(2,\)"),
    "three classes": (
        shift(np.arange(60) % 3, SCORE, Y, SCORE),
        "one score decides between two",
    ),
    "few positives": (
        shift(Y, SCORE, np.arange(60) < 2, SCORE),
        "`y_b` has 2 positives and 58 others",
    ),
    "no cut": (
        lambda: explain_shift(ERRATIC, X, Y, X, Y),
        "`estimator`=Erratic .* no cut of its scores",
    ),
    "positive label": (
        lambda: explain_shift(FITTED, X, Y, X, Y, pos_label=7),
        "`pos_label`=7 is not among",
    ),
    "probabilities": (
        lambda: label_noise(np.ones((60, 3)), Y),
        r"`oof_proba` has shape \(60, 3\)",
    ),
    "negative ones": (lambda: label_noise(-np.ones((60, 2)), Y), "not negative"),
    "unknown labels": (
        lambda: label_noise(np.ones((60, 2)), Y * 1, classes=[1, 2]),
        r"`y` has the labels \[0\]",
    ),
    "no loss": (lambda: overfitting({"accuracy": [1]}), "no 'loss'"),
    "other lengths": (
        lambda: overfitting({"loss": [1, 2], "val_loss": [1]}),
        "2 epochs of 'loss' and 1",
    ),
    "no epochs": (lambda: overfitting({"loss": []}), "no epochs"),
    "loss of nan": (lambda: overfitting({"loss": [1, np.nan]}), "not finite"),
    "points": (
        lambda: learning_curve_by_positives(L, X, Y, n_points=2),
        "`n_points`=2 must be a whole number from 3 on",
    ),
    "rest": (
        lambda: learning_curve_by_positives(L, X, Y, rest="some"),
        "`rest`='some' is not known",
    ),
    "positives of a curve": (
        lambda: learning_curve_by_positives(L, X, np.arange(60) < 5),
        "5 positives: too few",
    ),
    "one row": (lambda: diagnose(L, X, np.arange(60) < 1), "one row of the class"),
    "scoring of all": (
        lambda: diagnose(L, X, Y, scoring="roc_auc"),
        "`scoring`='roc_auc' is no metric",
    ),
    "half a production": (
        lambda: diagnose(L, X, Y, X_production=X),
        "`y_production` is None",
    ),
    "labels of production": (
        lambda: diagnose(L, X, Y, X_production=X, y_production=np.arange(60)),
        "`y_production` has the labels",
    ),
    "rows of production": (
        lambda: diagnose(L, X, Y, X_production=X, y_production=Y[:9]),
        "60 rows and `y_production` 9",
    ),
}


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_bad_input_is_a_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_has_no_history_is_a_type_error():
    with pytest.raises(TypeError, match="has no history of epochs"):
        overfitting(FITTED)
