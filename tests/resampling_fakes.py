"""Classifiers and samplers that show what reached them."""

from dataclasses import replace

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin

from sklimb._training_data import TrainingData, by_training_data


class FakeNetwork(ClassifierMixin, BaseEstimator):
    """Takes training data by row numbers, and holds rows out, as a network does."""

    _takes_groups = True
    _takes_batches = True
    _keeps_prior_ledger = True

    def __init__(self, validation_fraction=0.0, batches=None):
        self.validation_fraction = validation_fraction
        self.batches = batches

    @by_training_data
    def fit(self, X, y, sample_weight=None, **params):
        return self._fit_data(TrainingData.check(X, y, sample_weight, params))

    def _fit_data(self, data):
        if data.validation is None:
            groups = data.fit_params.get("groups")
            parts = self._split_validation(data.class_numbers, groups)
            self.groups_ = groups
            if parts is not None:
                training, held_out = (data.take(rows) for rows in parts)
                data = replace(training, validation=held_out)
        self.data_ = data
        self.classes_ = data.classes
        self.training_prior_ = data.empirical_prior
        return self

    def _split_validation(self, class_numbers, groups=None):
        if not self.validation_fraction:
            return None
        step = round(1 / self.validation_fraction)
        units = np.arange(len(class_numbers)) if groups is None else groups
        held_out = units % step == 0
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def predict_proba(self, X):
        positive = expit(X[:, 0])
        return np.column_stack([1 - positive, positive])

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


class FakeBatches(BaseEstimator):
    """Has the names of balanced mini-batches, and none of Keras."""

    _sets_batches = True

    def __init__(self, prior="uniform", augment=None):
        self.prior = prior
        self.augment = augment


class FirstRows:
    """A user's sampler without parameters: twice the first rows of each class."""

    def __init__(self, n_rows=20):
        self.n_rows = n_rows

    def __repr__(self):
        return f"FirstRows({self.n_rows})"

    def fit_resample(self, X, y):
        rows = [np.flatnonzero(y == label)[: self.n_rows] for label in np.unique(y)]
        rows = np.tile(np.concatenate(rows), 2)
        self.seen_ = X
        return X[rows], y[rows]
