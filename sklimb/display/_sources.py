"""What displays are made from: labels, scores, fitted classifiers."""

from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklimb._ledger import prior_away_from_rows, prior_holder, target_prior_of
from sklimb._out_of_fold import OutOfFold
from sklimb._outputs import (
    check_has_probabilities,
    class_scores,
    has_probabilities,
    probabilities,
)
from sklimb._validation import (
    as_labels,
    check_labels,
    check_pos_label,
    check_prior,
    check_sample_weight,
)
from sklimb.priors import weights_to_prior
from sklimb.thresholds._checks import check_classes

__all__ = [
    "Labelled",
    "OneAgainstRest",
    "Predicted",
    "check_rows_given",
    "classes_in",
    "decisions_of",
    "estimator_name",
    "given_prior",
    "labelled",
    "labels_of",
    "marked_priors",
    "measured_at",
    "numbers_of_predictions",
    "one_against_rest",
    "out_of_fold_of",
    "probabilities_of",
    "scores_of",
    "tuned_inside",
]


class Labelled(NamedTuple):
    """Labels as numbers of their classes."""

    classes: np.ndarray
    class_numbers: np.ndarray
    sample_weight: np.ndarray | None


def classes_in(y_true, labels=None):
    """Return labels as an array, and the classes.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
    labels : array-like of shape (n_classes,), default=None
        The classes, in the order of the scores' columns; None for those of
        ``y_true``.

    Raises
    ------
    ValueError
        If ``y_true`` is no classification target, or has labels not in ``labels``.
    """
    if labels is None:
        return check_labels(y_true)
    y_true = np.asarray(y_true)
    labels = np.asarray(labels)
    check_classes(labels)
    unknown = np.setdiff1d(y_true, labels)
    if len(unknown):
        raise ValueError(
            f"`y_true` has the labels {as_labels(unknown)}, which are not among "
            f"`labels`={as_labels(labels)}. Give all classes, in the order of the "
            "scores' columns."
        )
    return y_true, labels


def labelled(y_true, sample_weight=None, labels=None):
    """Return :class:`Labelled` rows, or say what is wrong with them."""
    y_true, classes = classes_in(y_true, labels)
    numbers = numbers_of_predictions(classes, y_true)
    weight = check_sample_weight(sample_weight, len(y_true))
    return Labelled(classes, numbers, weight)


def labels_of(y_true, y_pred, labels):
    """Return the classes: those given, or the sorted labels."""
    if labels is not None:
        return labels
    return np.unique(np.concatenate([np.asarray(y_true), np.asarray(y_pred)]))


def numbers_of_predictions(classes, y_pred):
    """Return predicted labels as numbers of their classes.

    Raises
    ------
    ValueError
        If one is no class, as of a row that was rejected.
    """
    y_pred, classes = np.asarray(y_pred), np.asarray(classes)
    unknown = np.setdiff1d(y_pred, classes)
    if len(unknown):
        raise ValueError(
            f"`y_pred` has the labels {as_labels(unknown)}, which are not among the "
            f"classes {as_labels(classes)}. Leave these rows out, for instance those "
            "that were rejected."
        )
    order = np.argsort(classes)
    return order[np.searchsorted(classes[order], y_pred)]


def out_of_fold_of(rows, y_score, fold=None):
    """Return rows with their scores as if out of fold.

    Parameters
    ----------
    rows : Labelled
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
    fold : array-like of shape (n_rows,), default=None
        Which fold each row is of; any labels. None for a single one.

    Raises
    ------
    ValueError
        If shapes differ, or scores are not finite.
    """
    scores = np.asarray(y_score, dtype=np.float64)
    n_rows, n_classes = len(rows.class_numbers), len(rows.classes)
    wanted = [(n_rows, n_classes)] + [(n_rows,)] * (n_classes == 2)
    if scores.shape not in wanted:
        raise ValueError(
            f"`y_score` has shape {scores.shape}; expected "
            f"{' or '.join(map(str, reversed(wanted)))}: {n_rows} rows of the classes "
            f"{as_labels(rows.classes)}."
        )
    if not np.isfinite(scores).all():
        raise ValueError("`y_score` has nan or infinite values. Remove these rows.")
    numbers = _fold_numbers(fold, n_rows)
    _check_both_classes(rows, numbers)
    return OutOfFold(
        scores=scores,
        class_numbers=rows.class_numbers,
        sample_weight=rows.sample_weight,
        fold=numbers,
        rows=np.arange(n_rows),
        target_priors=[None] * (int(numbers.max()) + 1),
    )


def _fold_numbers(fold, n_rows):
    if fold is None:
        return np.zeros(n_rows, dtype=int)
    fold = np.asarray(fold)
    if fold.shape != (n_rows,):
        raise ValueError(
            f"`fold` has shape {fold.shape}; expected ({n_rows},), a fold's number for "
            "each row."
        )
    return np.unique(fold, return_inverse=True)[1]


def _check_both_classes(rows, fold):
    """Raise where a fold of two classes has rows of one of them only."""
    n_classes = len(rows.classes)
    counts = np.bincount(fold * n_classes + rows.class_numbers)
    counts.resize(int(fold.max()) + 1, n_classes)
    lacking = np.flatnonzero((counts == 0).any(axis=1))
    if n_classes == 2 and len(counts) > 1 and len(lacking):
        raise ValueError(
            f"`fold` has folds with rows of one class only, {as_labels(lacking)}, "
            "which have no score of their own. Give folds with rows of both, or leave "
            "`fold` out."
        )


def tuned_inside(estimator):
    """Return the fitted classifier inside that tuned a threshold, or None."""
    return prior_holder(estimator, "_tuning")


def check_rows_given(X, y, caller):
    """Raise where rows are needed, and are not given.

    Raises
    ------
    ValueError
        Naming what is missing.
    """
    missing = [name for name, part in (("X", X), ("y", y)) if part is None]
    if missing:
        raise ValueError(
            f"{caller} needs rows: `{'` and `'.join(missing)}` "
            f"{'is' if len(missing) == 1 else 'are'} None. Give rows with labels that "
            "the estimator was not trained on."
        )


def scores_of(estimator, X):
    """Return what a fitted classifier gives, and whether these are probabilities."""
    check_is_fitted(estimator)
    return class_scores(estimator, X), has_probabilities(estimator)


class Predicted(NamedTuple):
    """Labels, and what a classifier says of their rows."""

    y_true: np.ndarray
    predicted: np.ndarray
    sample_weight: np.ndarray | None
    classes: np.ndarray


def probabilities_of(estimator, X, y, sample_weight, caller):
    """Return labels with probabilities: of rows given, or out of fold.

    Raises
    ------
    ValueError
        If rows are needed and not given.
    TypeError
        If there are no probabilities.
    """
    check_is_fitted(estimator)
    check_has_probabilities(estimator, "draw")
    classes = np.asarray(estimator.classes_)
    tuned = tuned_inside(estimator)
    if X is None and y is None and tuned is not None:
        rows = tuned._tuning.rows
        y_true = classes[rows.class_numbers]
        return Predicted(y_true, rows.scores, rows.sample_weight, classes)
    check_rows_given(X, y, caller)
    return Predicted(np.asarray(y), probabilities(estimator, X), sample_weight, classes)


def decisions_of(estimator, X, y, sample_weight, caller):
    """Return labels with predicted labels: of rows given, or out of fold.

    Raises
    ------
    ValueError
        If rows are needed and not given.
    """
    check_is_fitted(estimator)
    classes = np.asarray(estimator.classes_)
    tuned = tuned_inside(estimator)
    if X is None and y is None and tuned is not None:
        rows, tuning = tuned._tuning.rows, tuned._tuning
        y_true, y_pred = classes[rows.class_numbers], classes[tuning.decide(rows)]
        return Predicted(y_true, y_pred, rows.sample_weight, classes)
    check_rows_given(X, y, caller)
    return Predicted(np.asarray(y), estimator.predict(X), sample_weight, classes)


def marked_priors(estimator, training_prior, target_prior):
    """Return the training and the target prior: as given, or as a classifier knows.

    Either may be None; a target that is the training prior is.
    """
    holder = prior_holder(estimator, "empirical_prior_")
    if training_prior is None and holder is not None:
        training_prior = holder.empirical_prior_
    if target_prior is not None:
        return training_prior, target_prior
    target = target_prior_of(estimator)
    same = target is not None and np.array_equal(target, training_prior)
    return training_prior, None if same else target


def measured_at(estimator, target_prior):
    """Return the prior to measure a classifier's probabilities at, None for the rows'.

    That which was given, else that which the classifier was corrected to.
    """
    return prior_away_from_rows(estimator) if target_prior is None else target_prior


class OneAgainstRest(NamedTuple):
    """One class's rows and probabilities, as functions of two classes take them.

    Attributes
    ----------
    is_positive : ndarray of shape (n_rows,), bool
    proba : ndarray of shape (n_rows,)
    options : dict
        ``target_prior`` and ``sample_weight``.
    label : label
    """

    is_positive: np.ndarray
    proba: np.ndarray
    options: dict
    label: object

    @property
    def prevalence(self):
        """The class's share where it is measured."""
        target = self.options["target_prior"]
        if target is not None:
            return target
        return float(
            np.average(self.is_positive, weights=self.options["sample_weight"])
        )


def one_against_rest(
    y_true, proba, *, target_prior=None, sample_weight=None, labels=None, pos_label=None
):
    """Return :class:`OneAgainstRest`; of two classes these two.

    Raises
    ------
    ValueError
        If shapes differ, or something is not valid.
    """
    rows = labelled(y_true, sample_weight, labels)
    number, n_classes = check_pos_label(pos_label, rows.classes), len(rows.classes)
    proba = np.asarray(proba, dtype=np.float64)
    n_rows = len(rows.class_numbers)
    if proba.shape != (n_rows, n_classes) and (n_classes > 2 or proba.ndim != 1):
        raise ValueError(
            f"`y_proba` has shape {proba.shape}; expected ({n_rows}, {n_classes}), a "
            f"column for each of the classes {as_labels(rows.classes)}"
            f"{', or one of the positive class' if n_classes == 2 else ''}."
        )
    own = proba[:, number] if proba.ndim == 2 else proba
    prior = given_prior(target_prior, rows.classes, pos_label)
    options = {"target_prior": None, "sample_weight": rows.sample_weight}
    if prior is not None and n_classes == 2:
        options["target_prior"] = float(prior[number])
    elif prior is not None:  # among the rest, too, classes have shares of their own
        options["sample_weight"] = weights_to_prior(
            rows.class_numbers, rows.sample_weight, prior
        )
    label = as_labels(rows.classes)[number]
    return OneAgainstRest(rows.class_numbers == number, own, options, label)


def estimator_name(estimator):
    """Return the name of a classifier's class, in a pipeline of its last step's."""
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return type(estimator).__name__


def given_prior(prior, classes, pos_label=None):
    """Return a target prior as an array, None for None."""
    if prior is None:
        return None
    named = {"name": "target_prior", "pos_label": pos_label}
    return check_prior(prior, classes, allow_zero=False, **named)
