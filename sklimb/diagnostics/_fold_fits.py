"""Predictions out of fold, and of production by the same models."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from sklimb._outputs import class_scores, has_probabilities
from sklimb._rows import num_rows, take_rows
from sklimb.diagnostics._separation import auc
from sklimb.diagnostics._shift_checks import cut_between
from sklimb.thresholds._rule import column_of_positives
from sklimb.thresholds._scale import log_odds_of

__all__ = ["FoldFits", "fit_folds", "some_rows"]


@dataclass(frozen=True)
class FoldFits:
    """Models of folds, and what they say of the rows left out of each.

    Attributes
    ----------
    X : rows that were used
    y : ndarray of shape (n_rows,), int
        Class numbers.
    groups : ndarray of shape (n_rows,), or None
    classes : ndarray of shape (n_classes,)
    models : list of fitted classifiers
    fold : ndarray of shape (n_rows,), int
        Whose model left the row out.
    scores : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or values of the decision function.
    predicted : ndarray of shape (n_rows,), int
    """

    X: object
    y: np.ndarray
    groups: np.ndarray | None
    classes: np.ndarray
    models: list
    fold: np.ndarray
    scores: np.ndarray
    predicted: np.ndarray

    @property
    def has_probabilities(self):
        """Tell whether scores are probabilities."""
        return has_probabilities(self.models[0])

    @property
    def auc(self):
        """Area under the ROC curve out of fold, the mean over folds and classes."""
        numbers = range(len(self.classes)) if len(self.classes) > 2 else [1]
        areas = []
        for number in range(len(self.models)):
            own = self.fold == number
            for k in numbers:
                positive = self.y[own] == k
                if positive.any() and not positive.all():
                    areas.append(
                        auc(column_of_positives(self.scores[own], k), positive)
                    )
        return float(np.mean(areas))

    def said_of(self, X, number, fold):
        """Return what the models say of other rows, each one of some of them.

        Parameters
        ----------
        X : rows
        number : int
            The positive class's.
        fold : ndarray of shape (n_rows,), int
            Whose model to ask.

        Returns
        -------
        margin : ndarray of shape (n_rows,)
            Of the positive class's score over the model's cut, on the log-odds scale.
        predicted : ndarray of shape (n_rows,), int
        """
        margin, said = np.empty(num_rows(X)), np.empty(num_rows(X), dtype=np.intp)
        for k, model in enumerate(self.models):
            rows = np.flatnonzero(fold == k)
            if len(rows) == 0:
                continue
            part = take_rows(X, rows)
            said[rows] = np.searchsorted(self.classes, model.predict(part))
            if len(self.classes) == 2:
                score = column_of_positives(_aligned(model, part, self.classes), number)
                margin[rows] = _over_cut(score, said[rows] == number, model)
        return margin, said


def _over_cut(score, called, model):
    cut = cut_between(score, called, model)
    forth, _ = log_odds_of(np.append(score, np.clip(cut, 0, 1)))
    margin = forth(score) - forth(np.array([cut]))[0]
    # Where the scale is cut off, the decision still holds.
    return np.where(called, np.maximum(margin, 0), np.minimum(margin, -1e-12))


def some_rows(y, most, random_state):
    """Return all rows, or a stratified part, in their order."""
    if len(y) <= most:
        return np.arange(len(y))
    stratify = y if np.bincount(y).min() >= 2 else None
    rows = np.arange(len(y))
    part, _ = train_test_split(
        rows, train_size=most, stratify=stratify, random_state=random_state
    )
    return np.sort(part)


def fit_folds(estimator, X, y, classes, groups, cv, random_state):
    """Fit an estimator to folds.

    Parameters
    ----------
    estimator : classifier
    X : n_rows rows
    y : ndarray of shape (n_rows,), int
        Class numbers.
    classes : ndarray of shape (n_classes,)
    groups : ndarray of shape (n_rows,), or None
    cv, random_state : int

    Returns
    -------
    FoldFits
    """
    counts = np.bincount(y, minlength=len(classes))
    n_folds = max(2, min(cv, int(counts.min())))
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    split = splitter(n_folds, shuffle=True, random_state=random_state)
    fold, models = np.empty(len(y), dtype=np.intp), []
    scores, predicted = None, np.empty(len(y), dtype=np.intp)
    for number, (train, test) in enumerate(split.split(np.zeros(len(y)), y, groups)):
        model = clone(estimator).fit(take_rows(X, train), classes[y[train]])
        part = take_rows(X, test)
        said = _aligned(model, part, classes)
        if scores is None:
            scores = np.zeros((len(y), *said.shape[1:]))
        scores[test], fold[test] = said, number
        predicted[test] = np.searchsorted(classes, model.predict(part))
        models.append(model)
    return FoldFits(X, y, groups, classes, models, fold, scores, predicted)


def _aligned(model, X, classes):
    """Return scores with a column for each class, also those a fold lacked."""
    scores = class_scores(model, X)
    if scores.ndim == 1 or scores.shape[1] == len(classes):
        return scores
    filled = np.zeros((len(scores), len(classes)))
    filled[:, np.searchsorted(classes, model.classes_)] = scores
    return filled
