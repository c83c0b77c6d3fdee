"""Pictures of a comparison's chosen strategy."""

import warnings
from textwrap import fill

import numpy as np
from scipy.special import expit

from sklimb.display import (
    PriorSensitivityDisplay,
    ReliabilityDisplay,
    ThresholdCurveDisplay,
    svg_of,
)
from sklimb.display._style import STYLE
from sklimb.report.aims import COST
from sklimb.report.errors import one_line
from sklimb.report.page import fragment
from sklimb.report.projection import predicted_labels

__all__ = [
    "prevalence_curves",
    "probabilities",
    "reliabilities",
    "threshold_curves",
]

# Not wider than a phone, so that letters are large enough there.
SIZE = (4.2, 3.2)  # inches
# Axes' names on one line, in characters.
LONGEST_BELOW, LONGEST_BESIDE = 46, 34
# Of several classes the rarest ones have pictures of their own.
MOST_CLASSES = 3


def threshold_curves(comparison, chosen):
    """Return the aim against the threshold: out of fold, where that was tuned.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    markupsafe.Markup
    """
    tuned = chosen.strategy.is_tuned(comparison.options)
    draw = _tuned_curve if tuned else _curve_of_test_rows
    title = "How much the threshold of {} matters"
    words = _words_of_tuned if tuned else _words_of_untuned
    labels = _labels_shown(comparison)
    return _pictures(
        title, words(chosen), _curve_in_words, draw, comparison, chosen, labels
    )


def prevalence_curves(comparison, chosen):
    """Return what decisions are worth against the prevalence.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    markupsafe.Markup
    """
    title = "What decisions are worth where {} is rarer or more frequent"
    words = f"{chosen.name!r}, with 95 % bands: decisions and recalls stay."
    draw, labels = _prevalence_curve, _labels_shown(comparison)[:1]
    return _pictures(
        title, words, _prevalences_in_words, draw, comparison, chosen, labels
    )


def _prevalence_curve(comparison, chosen, label, ax):
    options = comparison.options
    target = None if options.target_prior is None else comparison.prior
    return PriorSensitivityDisplay.from_predictions(
        comparison.y_test,
        predicted_labels(comparison, chosen),
        cost_matrix=options.cost_matrix,
        metrics=("precision", "f1", "cost")[: 2 if options.costs is None else 3],
        target_prior=target,
        labels=list(options.classes),
        pos_label=label,
        ax=ax,
    )


def _prevalences_in_words(display):
    low, high = display.prevalences[[0, -1]]
    worth = display.scores["precision"][[0, -1]]
    return (
        f"From a prevalence of {low:.3g} to {high:.3g} precision goes from "
        f"{worth[0]:.3g} to {worth[1]:.3g}."
    )


def reliabilities(comparison, chosen):
    """Return what probabilities are worth on the test rows.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    markupsafe.Markup
    """
    title, words = "What probabilities of {} are worth", _words_of_reliability(chosen)
    labels = _labels_shown(comparison)
    return _pictures(
        title, words, _reliability_in_words, _reliability, comparison, chosen, labels
    )


def _labels_shown(comparison):
    """Return the positive class, or the rarest ones of several."""
    if comparison.options.positive is not None:
        return [comparison.options.positive]
    rarest = np.argsort(comparison.prior, kind="stable")[:MOST_CLASSES]
    return [comparison.dataset.classes[place] for place in rarest]


def _axes():
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Not of pyplot, which keeps figures and may open windows.
    with mpl.rc_context(STYLE):
        return Figure(figsize=SIZE, layout="constrained").subplots()


def _tuned_curve(comparison, chosen, label, ax):
    return ThresholdCurveDisplay.from_estimator(
        chosen.estimator, pos_label=label, ax=ax
    )


def _curve_of_test_rows(comparison, chosen, label, ax):
    options, rule = comparison.options, chosen.estimator.decision_rule_
    # A metric of costs is no name that could be given here.
    scoring = "balanced_accuracy" if options.scoring == COST else options.scoring
    return ThresholdCurveDisplay.from_predictions(
        comparison.y_test,
        probabilities(comparison, chosen),
        scoring=scoring,
        threshold=rule["threshold"],
        target_prior=comparison.prior,
        labels=list(options.classes),
        pos_label=label,
        ax=ax,
    )


def probabilities(comparison, outcome):
    """Return a strategy's probabilities of the test rows.

    Parameters
    ----------
    comparison : Comparison
    outcome : Outcome

    Returns
    -------
    ndarray of shape (n_test, n_classes)
        In the order of the classes.
    """
    predictions = outcome.predictions
    if comparison.options.positive is None:
        return np.exp(predictions.log_proba)
    columns = [expit(-predictions.log_odds), expit(predictions.log_odds)]
    positive_last = comparison.options.positive_class == 1
    return np.column_stack(columns if positive_last else columns[::-1])


def _pictures(title, words, described, draw, comparison, chosen, labels):
    """Return a picture for each class, with words above them."""
    pictures = [
        _picture(
            title.format(one_line(label, 40)),
            described,
            *(draw, comparison, chosen, label),
        )
        for label in labels
    ]
    return fragment("pictures.html", words=words, pictures=pictures)


def _picture(title, words, draw, comparison, chosen, label):
    """Return a picture as SVG, named and described for those who don't see it."""
    from markupsafe import Markup

    with warnings.catch_warnings():
        # Of labels in other scripts; the page's own text has them.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        display = draw(comparison, chosen, label, _axes())
        for ax in display.figure_.axes:
            ax.set_xlabel(fill(ax.get_xlabel(), LONGEST_BELOW))
            ax.set_ylabel(fill(ax.get_ylabel(), LONGEST_BESIDE))
        # Title and description are escaped by it; letters are drawn as paths.
        svg = svg_of(display, title=title, description=words(display))
    return {"svg": Markup(svg), "title": title}


def _curve_in_words(display):
    best = float(np.nanmax(display.scores))
    words = f"The {display.score_name} is at most {best:.3g}"
    if display.threshold is None:
        return f"{words}."
    words += f". The threshold in use is marked at {display.threshold:.3g}"
    if display.interval is not None:
        low, high = display.interval
        words += f", its 95 % interval from {low:.3g} to {high:.3g}"
    return f"{words}."


def _words_of_tuned(chosen):
    return (
        f"{chosen.name!r} on rows out of fold of the training part, which is where its "
        "threshold was chosen. The flatter the top, the less the threshold matters."
    )


def _words_of_untuned(chosen):
    return (
        f"{chosen.name!r} has a threshold that was not tuned, so this is its curve on "
        "the test rows: a better threshold that is picked here would flatter itself."
    )


def _reliability(comparison, chosen, label, ax):
    return ReliabilityDisplay.from_predictions(
        comparison.y_test,
        probabilities(comparison, chosen),
        target_prior=comparison.prior,
        labels=list(comparison.options.classes),
        pos_label=label,
        ax=ax,
    )


def _reliability_in_words(display):
    low, high = display.predicted.min(), display.predicted.max()
    return (
        f"Observed shares in {len(display.predicted)} groups of rows, whose mean "
        f"probabilities go from {low:.3g} to {high:.3g}. The calibration error is "
        f"{display.calibration_error:.3g}."
    )


def _words_of_reliability(chosen):
    return (
        f"{chosen.name!r} on the test rows, at the prevalence where the model is used. "
        "On the diagonal, of rows with a probability of 0.2 a fifth come true."
    )
