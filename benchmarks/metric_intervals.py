"""How often intervals of metrics hold the population's, and what debiasing removes.

Test sets are drawn of known class-conditional rates or scores. 95 % should be covered.

    python -m benchmarks.metric_intervals [runs [resamples]]
"""

import sys
from itertools import product

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binom, norm

from benchmarks._timing import best_of, print_table
from sklimb.metrics import (
    bootstrap_interval,
    expected_calibration_error,
    rate_interval,
    score_at_prior,
)
from sklimb.thresholds import multiclass_metric

RECALLS = (0.3, 0.6, 0.8, 0.95)
PRECISIONS = (0.3, 0.7, 0.9)
POSITIVES = (10, 50, 200)
# Prevalence in the test set, and where the metric is measured.
PLACES = [(0.5, 0.5), (0.1, 0.1), (0.01, 0.01), (0.1, 0.01), (0.5, 0.01)]


def f1_of_population(recall, false, prior):
    """Return F1 of known rates."""
    return 2 * prior * recall / (prior * recall + (1 - prior) * false + prior)


def percent_held(draw, truth, n_runs, seed, **options):
    """Return how often the interval of a drawn test set holds the truth."""
    random, held = np.random.default_rng(seed), 0
    for _ in range(n_runs):
        found = bootstrap_interval(*draw(random), random_state=random, **options)
        held += found.low <= truth + 1e-12 and truth <= found.high + 1e-12
    return 100 * held / n_runs


def f1_cases(own, prior):
    """Yield recalls and false positive rates of such precisions at the prior."""
    for recall, precision in product(RECALLS, PRECISIONS):
        false = recall * prior * (1 - precision) / (precision * (1 - prior))
        if false < 1:
            yield recall, false


def f1_coverages(n_positives, own, prior, method, n_runs, n_resamples):
    """Return the percents of all cases."""
    n_negatives = round(n_positives * (1 - own) / own)
    y = np.repeat([1, 0], [n_positives, n_negatives])
    held = []
    for seed, (recall, false) in enumerate(f1_cases(own, prior)):
        hits = np.repeat([recall, false], [n_positives, n_negatives])

        def draw(random, hits=hits):
            return "f1", y, (random.random(len(y)) < hits).astype(int)

        held.append(
            percent_held(
                draw,
                f1_of_population(recall, false, prior),
                n_runs,
                seed,
                target_prior=prior,
                n_resamples=n_resamples,
                method=method,
            )
        )
    return held


def range_of(held):
    """Return the mean of percents, and their range."""
    return f"{np.mean(held):.1f} ({min(held):.1f} to {max(held):.1f})"


def f1_table(n_runs, n_resamples):
    """Print the coverage of intervals of F1."""
    lines = []
    for n_positives, (own, prior) in product(POSITIVES, PLACES):
        cells = [
            range_of(f1_coverages(n_positives, own, prior, method, *sizes))
            for method, sizes in (
                ("auto", (n_runs, n_resamples)),
                ("bootstrap", (max(n_runs // 4, 1), n_resamples)),
            )
        ]
        lines.append([n_positives, own, prior, *cells])
        print(*lines[-1], file=sys.stderr)
    head = ["positives", "prevalence", "measured at", "rates", "bootstrap"]
    print_table(head, lines)


def rates_of_several(n_classes, accuracy, even):
    """Return a matrix of rates: errors of one kind mostly, or of all alike."""
    errors = np.ones((n_classes, n_classes))
    if not even:
        errors = 0.25 * np.roll(np.eye(n_classes), 2, 1)
        errors += np.roll(np.eye(n_classes), 1, 1)
    np.fill_diagonal(errors, 0)
    errors *= (1 - accuracy) / errors.sum(axis=1, keepdims=True)
    return errors + accuracy * np.eye(n_classes)


def several_table(n_runs, n_resamples):
    """Print the coverage of metrics of several classes, the rarest of ten rows."""
    lines, metrics = [], ("f1_macro", "balanced_accuracy", "matthews_corrcoef")
    for n_classes, accuracy in product((3, 5, 10), (0.6, 0.9)):
        sizes = np.r_[10, 30, np.full(n_classes - 2, 100)]
        y, cells = np.repeat(np.arange(n_classes), sizes), []
        for method, metric in product(("auto", "bootstrap"), metrics):
            held = []
            for even, prior in product((True, False), (None, "uniform")):
                rates = rates_of_several(n_classes, accuracy, even)
                shares = sizes / sizes.sum() if prior is None else 1 / n_classes
                confusion = rates * np.broadcast_to(shares, n_classes)[:, None]
                metric_of = multiclass_metric(metric, n_classes).of_confusion
                below = rates.cumsum(axis=1)[y][:, :-1]

                def draw(random, y=y, below=below, metric=metric):
                    return metric, y, (random.random((len(y), 1)) > below).sum(axis=1)

                options = {"target_prior": prior, "method": method}
                options["labels"] = np.arange(n_classes)
                options["n_resamples"] = n_resamples
                held.append(
                    percent_held(draw, metric_of(confusion), n_runs, 0, **options)
                )
            cells.append(f"{np.mean(held):.1f} (from {min(held):.1f})")
        lines.append([n_classes, accuracy, *cells])
        print(*lines[-1], file=sys.stderr)
    titles = [f"{m}, {way}" for way, m in product(("rates", "bootstrap"), metrics)]
    print_table(["classes", "accuracy", *titles], lines)


def scored(random, n_positives, own, distance=2.0):
    """Draw labels and true probabilities: normal scores of variance 1."""
    n_negatives = round(n_positives * (1 - own) / own)
    y = np.repeat([1, 0], [n_positives, n_negatives])
    x = random.normal(size=len(y)) + distance * y
    return y, expit(distance * (x - distance / 2) + logit(own))


def scores_of_population(metric, own, prior, distance=2.0):
    """Return the metric of a million evenly spread rows of the known law."""
    x = norm.ppf((np.arange(500_000) + 0.5) / 500_000)
    x, y = np.concatenate([x, x + distance]), np.repeat([0, 1], 500_000)
    proba = expit(distance * (x - distance / 2) + logit(own))
    return score_at_prior(metric, y, proba, prior)


def scores_table(n_runs, n_resamples):
    """Print the coverage of metrics of probabilities."""
    lines = []
    for metric in ("average_precision", "roc_auc", "log_loss", "brier"):
        for own, prior in ((0.1, 0.1), (0.1, 0.01)):
            truth, cells = scores_of_population(metric, own, prior), []
            for n_positives in POSITIVES:

                def draw(random, n=n_positives, own=own, metric=metric):
                    return metric, *scored(random, n, own)

                options = {"target_prior": prior, "n_resamples": n_resamples}
                cells.append(f"{percent_held(draw, truth, n_runs, 0, **options):.1f}")
            lines.append([metric, own, prior, *cells])
            print(*lines[-1], file=sys.stderr)
    titles = [f"{n} positives" for n in POSITIVES]
    print_table(["metric", "prevalence", "measured at", *titles], lines)


def groups_table(n_runs, n_resamples):
    """Print the coverage of F1 where rows of a group are right or wrong together."""
    lines = []
    for n_groups in (20, 50, 200):
        y = np.repeat(np.arange(n_groups * 10) % 10 == 0, 5).astype(int)
        groups = np.repeat(np.arange(n_groups * 10), 5)
        truth = f1_of_population(0.8, 0.02, 0.1)

        def draw(random, y=y):
            of_group = np.where(y[::5] == 1, 0.8, 0.02)
            # Of one group all rows have one rate, drawn around the class's.
            rate = random.beta(2 * of_group, 2 * (1 - of_group))
            return "f1", y, (random.random(len(y)) < np.repeat(rate, 5)).astype(int)

        cells = [
            percent_held(draw, truth, n_runs, 0, n_resamples=n_resamples, groups=own)
            for own in (groups, None)
        ]
        lines.append([n_groups, *(f"{cell:.1f}" for cell in cells)])
        print(*lines[-1], file=sys.stderr)
    print_table(["groups of positives", "by group", "as if rows were single"], lines)


def rates_table():
    """Print the least coverage of intervals of a rate, over all rates."""
    lines = []
    for n in (10, 50, 200, 1000):
        hits = np.arange(n + 1)
        cells = []
        for method in ("clopper_pearson", "wilson", "jeffreys"):
            _, low, high = rate_interval(hits, n, method=method)
            ends = np.concatenate([low, high, np.linspace(0, 1, 5001)])
            rates = np.concatenate([ends - 1e-9, ends + 1e-9]).clip(0, 1)
            coverage = [
                binom.pmf(hits, n, rate) @ ((low <= rate) & (rate <= high))
                for rate in rates
            ]
            even = coverage[2 * (n + 1) : 2 * (n + 1) + 5001]
            cells.append(f"{100 * min(coverage):.2f} ({100 * np.mean(even):.2f})")
        lines.append([n, *cells])
    print_table(["rows", "clopper_pearson", "wilson", "jeffreys"], lines)


def calibration_table(n_runs):
    """Print what is found of perfect probabilities, and of ones twice too sure."""
    lines = []
    for sureness, n_rows in product((1.0, 2.0), (200, 1_000, 10_000)):
        found = []
        for seed in range(n_runs):
            random = np.random.default_rng(seed)
            proba = random.beta(0.5, 1.5, size=n_rows).clip(1e-9, 1 - 1e-9)
            y = random.random(n_rows) < expit(logit(proba) / sureness)
            both = [
                expected_calibration_error(y, proba, debiased=d) for d in (True, False)
            ]
            found.append(both)
        lines.append([sureness, n_rows, *(f"{m:.4f}" for m in np.mean(found, axis=0))])
    print_table(["log-odds times", "rows", "debiased", "plain"], lines)


def timing_table():
    """Print the seconds of an interval of 1,000 resamples."""
    lines = []
    for n_rows in (10_000, 100_000):
        random = np.random.default_rng(0)
        y, proba = scored(random, n_rows // 10, 0.1)
        called = (proba > 0.5).astype(int)
        groups = random.integers(n_rows // 5, size=len(y))
        calls = [
            lambda y=y, c=called: bootstrap_interval("f1", y, c),
            lambda y=y, c=called, g=groups: bootstrap_interval("f1", y, c, groups=g),
            lambda y=y, p=proba: bootstrap_interval("log_loss", y, p),
            lambda y=y, p=proba: bootstrap_interval("average_precision", y, p),
        ]
        lines.append([f"{n_rows:,}", *(f"{best_of(call, 2):.3f}" for call in calls)])
    titles = ["F1", "F1, groups of 5", "log-loss", "average precision"]
    print_table(["rows", *(f"{title} (s)" for title in titles)], lines)


def main():
    """Print all tables."""
    sizes = [*map(int, sys.argv[1:]), *(2_000, 1_000)[len(sys.argv) - 1 :]]
    n_runs, n_resamples = sizes
    print("An interval of 1,000 resamples:")
    timing_table()
    print("\nRates, least coverage over all rates in % (mean):")
    rates_table()
    print(f"\nF1, mean (range) over {len(RECALLS) * len(PRECISIONS)} cases in %:")
    f1_table(n_runs, n_resamples)
    print("\nSeveral classes, mean (least) over 4 cases in %:")
    several_table(max(n_runs // 4, 1), n_resamples)
    print("\nOf probabilities, by the bootstrap, in %:")
    scores_table(max(n_runs // 4, 1), n_resamples)
    print("\nF1 by groups of 5 rows, in %:")
    groups_table(max(n_runs // 4, 1), n_resamples)
    print("\nCalibration error, mean:")
    calibration_table(max(n_runs // 10, 1))


if __name__ == "__main__":
    main()
