"""How a fitted estimator decides, as a table for notebooks."""

from html import escape

import numpy as np

from sklimb._ledger import prior_holder
from sklimb._outputs import has_probabilities
from sklimb.exceptions import StalePriorError
from sklimb.thresholds import rule_in_words

__all__ = ["rule_view"]

# Of several classes; the table is no place for a hundred.
MOST_CLASSES = 10
STYLE = "border-collapse:collapse;margin:.5em 0;font:13px/1.5 sans-serif;max-width:60em"
CELL = "text-align:left;vertical-align:top;padding:.15em 1em .15em 0;font-weight:"


def rule_view(estimator):
    """Return priors and the decision of a fitted meta-estimator as an HTML table.

    Parameters
    ----------
    estimator : meta-estimator

    Returns
    -------
    str
        Empty where it is not fitted.
    """
    if not hasattr(estimator, "estimator_"):
        return ""
    lines = "".join(
        f'<tr><th scope="row" style="{CELL}600">{escape(name)}</th>'
        f'<td style="{CELL}400">{escape(text)}</td></tr>'
        for name, text in _facts(estimator)
    )
    return f'<table class="sklimb-rule" style="{STYLE}">{lines}</table>'


def _facts(estimator):
    """Yield what there is to say, as (name, text)."""
    classes = estimator.classes_
    yield "Rows to fit", _shares(classes, estimator.empirical_prior_)
    corrector = prior_holder(estimator, "source_prior_")
    if corrector is not None:
        yield "Corrected from", _shares(classes, corrector.source_prior_)
    # A ledger that can't be read is an AttributeError.
    prior = getattr(estimator, "training_prior_", None)
    if prior is not None:
        yield "Probabilities at", _shares(classes, prior)
    if hasattr(estimator, "_rule"):
        yield from _decision(estimator)


def _decision(estimator):
    try:
        rule = estimator._rule().to_dict()
    except StalePriorError as error:
        yield "Decision", str(error)
        return
    decided_on = "probability" if has_probabilities(estimator) else "decision value"
    yield "Decision", rule_in_words(rule, decided_on)
    # The flat class holds what tunes.
    for tuned in (estimator, estimator.estimator_):
        if hasattr(tuned, "threshold_interval_"):
            yield from _tuning(tuned)


def _tuning(tuned):
    interval = tuned.threshold_interval_
    if np.isfinite(interval).all():
        low, high = interval
        yield "Other rows would give", f"{low:.3g} to {high:.3g}, in 95 % of resamples"
    yield "Chosen by", _aim(tuned)
    yield "Score out of fold", f"{tuned.best_score_:.3g}"


def _aim(tuned):
    by_costs = tuned.cost_matrix is not None or tuned.out_of_fold_.costs is not None
    aim = "the least cost" if by_costs else str(tuned.scoring)
    return f"{aim}, within {tuned.constraints}" if tuned.constraints else aim


def _shares(classes, prior):
    most = np.argsort(-prior, kind="stable")[:MOST_CLASSES]
    shown = [f"{classes[k]}: {100 * prior[k]:.3g} %" for k in sorted(most)]
    rest = len(classes) - len(shown)
    return ", ".join(shown) + (f" and {rest} rarer" if rest else "")
