"""How often thresholds certified to keep a constraint break it, and what they cost.

Scores are normal, the classes ``distance`` apart, so that every threshold's true
metrics are known. "best f1 breaks" is the share of runs whose certified cut with the
greatest F1 breaks the constraint, "any breaks" the share in which any certified
threshold does, at the middle or an end of its gap: no choice can do worse.
"f1 given up" is what the certified cut lacks, on the rows, against the best cut that
merely keeps the constraint on them.

    python -m benchmarks.constraints [runs]
"""

import sys

import numpy as np
from scipy.special import ndtr

from benchmarks._timing import print_table
from sklimb.exceptions import InfeasibleConstraintError
from sklimb.thresholds import counts_of_positives, metric_function
from sklimb.thresholds._confidence import certified
from sklimb.thresholds._constraints import (
    check_constraints,
    constraint_curves,
    constraint_function,
    feasible,
)
from sklimb.thresholds._preset_tests import lower_bound

CONFIDENCE = 0.95
RARE = np.array([0.98, 0.02])
SETTINGS = [
    ({"recall": (0.9, None)}, None),
    ({"specificity": (0.95, None)}, None),
    ({"alert_rate": (None, 0.05)}, None),
    ({"alert_rate": (None, 0.05)}, RARE),
    ({"recall": (0.7, None), "alert_rate": (None, 0.2)}, None),
    ({"precision": (0.5, None)}, None),
    ({"precision": (0.3, None)}, RARE),
    ({"f1": (0.5, None)}, None),
    ({"balanced_accuracy": (0.8, None)}, None),
    ({"matthews_corrcoef": (0.4, None)}, None),
]
SIZES = [(50, 950), (200, 3_800)]
DISTANCES = (1.5, 2.0, 2.5)


def draw(random, n_positive, n_negative, distance, stratified):
    """Draw labels and scores; ``stratified`` fixes the numbers of both classes."""
    n_rows = n_positive + n_negative
    positive = np.arange(n_rows) < n_positive
    if not stratified:
        positive = random.random(n_rows) < n_positive / n_rows
    return positive, random.normal(size=n_rows) + distance * positive


def breaks(constraints, threshold, distance, share):
    """Tell at which thresholds the truth is outside a limit."""
    recall, fpr = share * ndtr(distance - threshold), (1 - share) * ndtr(-threshold)
    counts = recall, fpr, share - recall, 1 - share - fpr
    values = [constraint_function(each)(*counts) for each in constraints]
    pairs = zip(values, constraints, strict=True)
    return np.any([(v < each.low) | (v > each.high) for v, each in pairs], axis=0)


def gaps(scores):
    """Return upper ends, middles and lower ends of the cuts' gaps."""
    upper, lower = np.append(scores[0] + 1, scores), np.append(scores, scores[-1] - 1)
    return np.stack([upper, (upper + lower) / 2, np.nextafter(lower, np.inf)])


def one_run(random, constraints, prior, size, distance, stratified=True):
    """Return: certified, best F1 breaks, any breaks, F1 given up (nan if not)."""
    positive, score = draw(random, *size, distance, stratified)
    try:
        cuts = certified(positive, score, constraints, CONFIDENCE, prior)
    except InfeasibleConstraintError:
        return 0, 0, 0, np.nan
    counts = counts_of_positives(positive, score)
    share = size[0] / sum(size) if prior is None else prior[1]
    broken = breaks(constraints, gaps(counts.scores), distance, share) & cuts
    weight = None
    if prior is not None:
        own = positive.mean()
        weight = np.where(positive, prior[1] / own, prior[0] / (1 - own))
    f1 = metric_function("f1")(*counts[:4])
    exact = feasible(
        constraint_curves(positive, score, weight, constraints), constraints
    )
    best = np.argmax(np.where(cuts, f1, -1))
    given_up = np.max(f1[exact], initial=f1[best]) - f1[best]
    return 1, broken[1, best], broken.any(), given_up


def percent(n_runs, limits, prior, size, distance, stratified=True):
    """Return the means over runs, the first three in percent."""
    constraints, random = check_constraints(limits, [0, 1]), np.random.default_rng(0)
    setting = (constraints, prior, size, distance, stratified)
    runs = np.array([one_run(random, *setting) for _ in range(n_runs)], dtype=float)
    given_up = runs[~np.isnan(runs[:, 3]), 3]
    means = [f"{100 * mean:.1f}" for mean in runs[:, :3].mean(axis=0)]
    return [*means, f"{given_up.mean():.3f}" if len(given_up) else "-"]


def said(limits, prior):
    text = ", ".join(
        f"{name} >= {low}" if high is None else f"{name} <= {high}"
        for name, (low, high) in limits.items()
    )
    return text if prior is None else f"{text} at {prior[1]:g}"


def table(n_runs, settings, stratified=True):
    """Print a line for each constraint, size and distance."""
    lines = []
    for limits, prior in settings:
        for size in SIZES:
            for distance in DISTANCES:
                found = percent(n_runs, limits, prior, size, distance, stratified)
                lines.append([said(limits, prior), size[0], distance, *found])
    head = ["constraint", "positives", "distance", "certified %"]
    print_table([*head, "best f1 breaks %", "any breaks %", "f1 given up"], lines)


def naive_run(random, low, size, distance):
    """Tell whether a bound on precision at every cut would be broken by best F1."""
    positive, score = draw(random, *size, distance, stratified=False)
    counts = counts_of_positives(positive, score)
    rows = np.maximum(counts.tp + counts.fp, 1)
    cuts = lower_bound(counts.tp, rows, 1 - CONFIDENCE) >= low
    constraints = check_constraints({"precision": (low, None)}, [0, 1])
    share = size[0] / sum(size)
    broken = breaks(constraints, gaps(counts.scores)[1], distance, share) & cuts
    f1 = np.where(cuts, metric_function("f1")(*counts[:4]), -1)
    return broken[np.argmax(f1)], broken.any()


def naive_table(n_runs):
    """Print how often a bound at every cut fails, for precision."""
    lines = []
    for size in SIZES:
        for distance in (0.0, 1.0, *DISTANCES):
            random, low = np.random.default_rng(0), 0.5 if distance else 0.05
            runs = [naive_run(random, low, size, distance) for _ in range(n_runs)]
            shares = 100 * np.mean(runs, axis=0)
            lines.append([low, size[0], distance, *(f"{s:.1f}" for s in shares)])
    head = ["precision >=", "positives", "distance", "best f1 breaks %"]
    print_table([*head, "any breaks %"], lines)


def main():
    """Print all tables."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{n_runs:,} runs, confidence {CONFIDENCE:.0%}, 5 % positives")
    print("\nNumbers of both classes fixed:")
    table(n_runs, SETTINGS)
    print("\nRows drawn at random, their own share of positives:")
    table(n_runs, [each for each in SETTINGS if each[1] is None], stratified=False)
    print("\nFor comparison, a bound on precision at every cut:")
    naive_table(n_runs)


if __name__ == "__main__":
    main()
