"""How often intervals of a best threshold hold the population's, and their time.

Scores of each class are normal with a variance of 1, given as probabilities. The
population's best cut is that of their known law. 95 % should be covered: from 90 to
99 % is what an interval of stability is taken for.

    python -m benchmarks.threshold_interval [runs [resamples]]
"""

import sys

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from benchmarks._timing import best_of, print_table
from sklimb.thresholds._metrics import metric_function
from sklimb.thresholds._resampling import bootstrap_cuts, threshold_interval

METRICS = ("balanced_accuracy", "f1")
DISTANCES = (1.0, 2.0, 3.0)
PREVALENCES = (0.05, 0.2)
N_ROWS = (1_000, 5_000)
LEVELS = (0.8, 0.95)


def draw(random, n_rows, prevalence, distance):
    """Draw which rows are positive and their true probabilities."""
    positive = random.random(n_rows) < prevalence
    x = random.normal(size=n_rows) + distance * positive
    return positive, expit(distance * (x - distance / 2) + logit(prevalence))


def best_of_population(metric, prevalence, distance):
    """Return the probability where the metric of the known law is greatest."""
    x = np.linspace(-6, distance + 6, 200_001)
    tp = prevalence * norm.sf(x - distance)
    fp = (1 - prevalence) * norm.sf(x)
    value = metric(tp, fp, prevalence - tp, 1 - prevalence - fp)
    return expit(distance * (x[np.argmax(value)] - distance / 2) + logit(prevalence))


def percents_held(name, n_rows, prevalence, distance, n_runs, n_resamples):
    """Return how often intervals of each level hold the truth, and the last's width."""
    metric = metric_function(name)
    truth = best_of_population(metric, prevalence, distance)
    tails = [(1 - level) / 2 for level in LEVELS]
    held, widths = [], []
    for run in range(n_runs):
        random = np.random.default_rng([run, n_rows, round(100 * prevalence)])
        rows = draw(random, n_rows, prevalence, distance)
        drawn = bootstrap_cuts(*rows, metric, smooth=True, n_resamples=n_resamples)
        low, high = np.quantile(drawn.cuts, [tails, [1 - t for t in tails]])
        held.append((low <= truth) & (truth <= high))
        widths.append(high[-1] - low[-1])
    return 100 * np.mean(held, axis=0), np.mean(widths)


def coverage_table(n_runs, n_resamples):
    """Print the coverage of each case."""
    lines = []
    for name in METRICS:
        for prevalence in PREVALENCES:
            for distance in DISTANCES:
                for n_rows in N_ROWS:
                    case = (name, n_rows, prevalence, distance)
                    held, width = percents_held(*case, n_runs, n_resamples)
                    shown = [f"{share:.1f}" for share in held]
                    lines.append([*case, *shown, f"{width:.3f}"])
                    print(*lines[-1], file=sys.stderr)
    head = ["metric", "rows", "prevalence", "distance"]
    print_table([*head, *(f"{level:.0%} holds" for level in LEVELS), "width"], lines)


def timing_table():
    """Print the seconds of an interval of 1,000 resamples."""
    metric, lines = metric_function("f1"), []
    for n_rows in (10_000, 100_000, 1_000_000):
        random = np.random.default_rng(0)
        rows = draw(random, n_rows, 0.05, 2.0)
        group = random.integers(n_rows // 5, size=n_rows)
        settings = [{}, {"weight": 0.5 + random.random(n_rows)}, {"group": group}]
        seconds = [
            best_of(lambda s=s, r=rows: threshold_interval(*r, metric, **s), 2)
            for s in settings
        ]
        lines.append([f"{n_rows:,}", *(f"{second:.2f}" for second in seconds)])
    print_table(["rows", "plain (s)", "weighted (s)", "groups of 5 (s)"], lines)


def main():
    """Print both tables."""
    n_runs, n_resamples = [*map(int, sys.argv[1:]), *(1_000, 300)[len(sys.argv) - 1 :]]
    print("An interval of 1,000 resamples:")
    timing_table()
    print(f"\nShare of {n_runs:,} runs, {n_resamples:,} resamples each:")
    coverage_table(n_runs, n_resamples)


if __name__ == "__main__":
    main()
