"""What :func:`diagnose` looks at with fitted models, a step each."""

import numpy as np

from sklimb._ledger import innermost
from sklimb._validation import check_prior
from sklimb.diagnostics._findings import Finding
from sklimb.diagnostics._label_noise import noise_of
from sklimb.diagnostics._leakage_words import number, quoted
from sklimb.diagnostics._learning_curve import learning_curve_by_positives
from sklimb.diagnostics._overfitting import overfitting
from sklimb.diagnostics._shift import explain_several, explain_two
from sklimb.metrics import rate_interval, rows_needed, score_at_prior
from sklimb.thresholds._rule import column_of_positives

__all__ = [
    "curve_step",
    "few_test_rows",
    "history_step",
    "noise_step",
    "prevalence_at_target",
    "shift_step",
]

FEWEST_POSITIVES = 12
CURVE_FOLDS = 3
CURVE_POINTS = 4
# A recall that is known worse than to this, either way.
WIDE = 0.05
LEVEL, RESAMPLES = 0.95, 1000


def noise_step(fits, rows, notes):
    """Return wrong labels, by row numbers of all rows; None without probabilities."""
    if not fits.has_probabilities:
        notes.append("Labels were not checked: the estimator has no predict_proba.")
        return None
    return noise_of(fits.scores, fits.y, fits.classes, rows)


def history_step(fits):
    """Return the over-fitting of the first fold's network, None without a history."""
    model = innermost(fits.models[0])
    if getattr(model, "history_", None) is None:
        return None
    return overfitting(model)


def curve_step(estimator, fits, positive, random_state, notes):
    """Return the learning curve, None where positives are too few to draw one."""
    n_positive = np.count_nonzero(fits.y == positive)
    if n_positive < FEWEST_POSITIVES:
        notes.append(
            f"No learning curve: {quoted(fits.classes[positive])} has {n_positive} "
            f"rows, and it takes {FEWEST_POSITIVES}."
        )
        return None
    scoring = None
    if len(fits.classes) > 2 and not fits.has_probabilities:
        scoring = "balanced_accuracy"
    return learning_curve_by_positives(
        estimator,
        fits.X,
        fits.classes[fits.y],
        groups=fits.groups,
        scoring=scoring,
        cv=CURVE_FOLDS,
        n_points=CURVE_POINTS,
        pos_label=fits.classes[positive],
        random_state=random_state,
    )


def few_test_rows(fits, positive):
    """Yield a finding where the recall of a class is known only roughly."""
    own = fits.y == positive
    n_rows, n_hits = int(own.sum()), int(np.sum(fits.predicted[own] == positive))
    recall, low, high = map(float, rate_interval(n_hits, n_rows))
    half = (high - low) / 2
    if half <= WIDE:
        return
    needed = rows_needed(recall, WIDE, n_rows / len(fits.y))
    label = quoted(fits.classes[positive])
    yield Finding(
        "few-test-rows",
        str(fits.classes[positive]),
        f"The recall of {label} is {recall:.2f} on {number(n_rows)} rows of it, with a "
        f"95 % interval from {low:.2f} to {high:.2f}: luck alone moves it that far.",
        f"To know it to {WIDE:.2f} either way, test on {number(needed.positives)} rows "
        "of that class.",
        half,
    )


def prevalence_at_target(fits, target_prior, positive):
    """Yield a finding where average precision is lower at the target prior."""
    classes = fits.classes
    label = None if len(classes) > 2 else classes[positive]
    prior = check_prior(target_prior, classes, pos_label=label, name="target_prior")
    scores, options = fits.scores, {"labels": np.arange(len(classes))}
    if len(classes) == 2:
        scores = column_of_positives(scores, positive)
        options = {"pos_label": positive}
    own, there = (
        score_at_prior("average_precision", fits.y, scores, p, **options)
        for p in (None, prior)
    )
    if own <= there:
        return
    yield Finding(
        "prevalence",
        "prevalence",
        f"{_moved(fits.y, prior, positive)}: the same ranking has an average precision "
        f"of {there:.2f} there instead of {own:.2f}.",
        "Measure and tune at that prior: `target_prior` of the classifiers, "
        "sklimb.metrics.score_at_prior.",
        float(own - there),
    )


def _moved(y, prior, positive):
    if len(prior) > 2:
        return "The classes have other shares where the model is used"
    return (
        f"{np.mean(y == positive):.3g} of the rows are positive here, and "
        f"{prior[positive]:.3g} where the model is used"
    )


def shift_step(fits, production, positive, scoring, random_state):
    """Return why the metric falls from rows out of fold to production, or None.

    Each model of a fold tells of its part of production, so that the same models are
    on both sides.
    """
    if production is None:
        return None
    X, y, groups = production
    options = {
        "scoring": scoring,
        "groups_a": fits.groups,
        "groups_b": groups,
        "level": LEVEL,
        "n_resamples": RESAMPLES,
        "random_state": random_state,
        "sides": ("these rows", "production"),
    }
    fold = np.random.default_rng(random_state).permutation(len(y)) % len(fits.models)
    margin_b, said_b = fits.said_of(X, positive, fold)
    classes = np.arange(len(fits.classes))
    if len(classes) > 2:
        said = [fits.predicted, said_b]
        return explain_several([fits.y, y], said, classes, **options)
    margin_a, _ = fits.said_of(fits.X, positive, fits.fold)
    margins = [margin_a, margin_b]
    return explain_two([fits.y, y], margins, 0.0, classes, positive, **options)
