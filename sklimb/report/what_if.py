"""The part of a report where the prevalence moves: a slider, and tables for paper."""

import numpy as np

from sklimb.metrics import rate_interval
from sklimb.report.errors import one_line
from sklimb.report.numbers import figure, percent
from sklimb.report.page import fragment
from sklimb.report.pictures import prevalence_curves
from sklimb.report.projection import (
    ODDS,
    PER,
    confusion_of,
    projected,
    shares_shown,
    with_share,
)

__all__ = ["what_if"]

# The slider's logarithm begins at 1:100,000.
LEAST = -5
# It ends at 1 : 1, or at this many to 1 where a class has more than half.
GREATEST_ODDS = 1000


def what_if(comparison, chosen):
    """Return what the decisions come to at other prevalences.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome
        The strategy to begin with.

    Returns
    -------
    markupsafe.Markup
    """
    two = comparison.options.positive is not None
    numbers = numbers_of(comparison, chosen)
    greatest = "1:1" if numbers["greatest"] == 0 else f"{GREATEST_ODDS:,}:1"
    classes = _classes(comparison)
    return fragment(
        "what_if.html",
        numbers=numbers,
        strategies=[outcome.name for outcome in comparison.outcomes],
        classes=classes,
        movable=[] if two else classes,
        share_title=_share_title(comparison),
        greatest_odds=greatest,
        ticks=_ticks(numbers["greatest"]),
        figures=_figures(two),
        curves=prevalence_curves(comparison, chosen),
        tables=_tables(comparison, chosen, numbers["place"]),
    )


def numbers_of(comparison, chosen):
    """Return what the script calculates with: numbers alone, no text of the data.

    Parameters
    ----------
    comparison : Comparison
    chosen : Outcome

    Returns
    -------
    dict
        Plain values that JSON can hold.
    """
    options, outcomes = comparison.options, comparison.outcomes
    two = options.positive is not None
    place = options.positive_class if two else int(comparison.prior.argmin())
    shares = np.array([comparison.prior, comparison.shares_in_data])
    greatest = shares[:, place].max() if two else shares.max()
    return {
        "per": PER,
        "prior": comparison.prior.tolist(),
        "place": place,
        "confusions": [confusion_of(comparison, o).tolist() for o in outcomes],
        "chosen": [outcome is chosen for outcome in outcomes].index(True),
        "least": LEAST,
        "greatest": 0 if greatest <= 0.5 else float(np.log10(GREATEST_ODDS)),
        "costs": list(options.costs or (1, 1)) if two else None,
    }


def _ticks(greatest):
    """Return what stands below the slider, at equal distances."""
    powers = range(LEAST, round(greatest) + 1, 1 if greatest == 0 else 2)
    return [f"1:{10**-p:,}" if p <= 0 else f"{10**p:,}:1" for p in powers]


def _classes(comparison):
    """Return the classes as a matrix shows them, the positive one first."""
    labels = comparison.dataset.classes
    classes = [
        {"place": place, "label": one_line(label, 40)}
        for place, label in enumerate(labels)
    ]
    if comparison.options.positive is None:
        return classes
    return classes[:: 1 if comparison.options.positive_class == 0 else -1]


def _share_title(comparison):
    positive = comparison.options.positive
    if positive is None:
        return "Prevalence: its share of all rows"
    return (
        f"Prevalence: share of class {one_line(positive, 40)} where the model is used"
    )


def _figures(two):
    titles = {"precision": "precision", "recall": "recall", "f1": "F1"}
    titles["alarms"] = "alarms in 10,000 rows"
    if two:
        titles["cost"] = "cost per row"
    else:
        titles["wrong"] = "share of wrong decisions"
    return [{"id": f"figure-{key}", "title": title} for key, title in titles.items()]


def _tables(comparison, chosen, place):
    if comparison.options.positive is None:
        return [_of_classes(comparison, chosen)]
    return [
        _of_chosen(comparison, chosen, place),
        _of_precisions(comparison, place),
    ]


def _projected(comparison, outcome, place, share):
    prior = with_share(comparison.prior, place, share)
    confusion = confusion_of(comparison, outcome)
    return projected(confusion, prior, place, comparison.options.costs)


def _of_chosen(comparison, chosen, place):
    titles = ["share", "precision", "recall", "F1", "alarms", "false alarms", "missed"]
    if comparison.options.costs is not None:
        titles.append("cost per row")
    rows = []
    for share in shares_shown(comparison, place):
        found = _projected(comparison, chosen, place, share.value)
        cells = [
            found.precision,
            found.recall,
            found.f1,
            found.alarms,
            found.alarms - found.hits,
            found.missed,
        ]
        if found.costs is not None:
            cells.append(found.cost)
        rows.append((share.name, [percent(share.value), *map(figure, cells)]))
    return {
        "caption": f"{chosen.name!r} at a few prevalences; counts are of 10,000 rows",
        "corner": "prevalence",
        "titles": titles,
        "rows": rows,
    }


def _of_precisions(comparison, place):
    shares = shares_shown(comparison, place)
    return {
        "caption": "Precision of every strategy at the same prevalences",
        "corner": "strategy",
        "titles": [share.name for share in shares],
        "rows": [
            (
                outcome.name,
                [
                    figure(
                        _projected(comparison, outcome, place, share.value).precision
                    )
                    for share in shares
                ],
            )
            for outcome in comparison.outcomes
        ],
    }


def _of_classes(comparison, chosen):
    confusion = confusion_of(comparison, chosen)
    rows = []
    for place, label in enumerate(comparison.dataset.classes):
        own = float(comparison.prior[place])
        recall = rate_interval(confusion[place, place], confusion[place].sum())
        precisions = [
            _projected(comparison, chosen, place, share).precision
            for share in (own, *(1 / (1 + n) for n in ODDS))
        ]
        cells = [percent(own), _with_ends(recall), *map(figure, precisions)]
        rows.append((one_line(label, 40), cells))
    return {
        "caption": f"{chosen.name!r}: precision of a class as its share moves, the "
        "others in proportion",
        "corner": "class",
        "titles": [
            "share",
            "recall (95 % interval)",
            "precision at that share",
            *(f"at 1:{n}" for n in ODDS),
        ],
        "rows": rows,
    }


def _with_ends(interval):
    value, low, high = map(figure, interval)
    return f"{value} ({low} to {high})"
