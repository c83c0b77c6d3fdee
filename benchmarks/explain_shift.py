"""How often the intervals of a fall's parts cover what is true.

``python -m benchmarks.explain_shift`` prints, for shifts of one kind each and for both
sizes of A and B, the share of runs whose interval contains 0 where the part is 0, and
the mean of each part. It takes a few minutes.

Scores are log-odds of two normal classes. The cut is the best on A, at A's prior. Only
the prevalence moves (to a quarter of it), only the scores' offset (by 0.8), or only the
ranking (1.6 standard deviations between the classes become 1.0, shifted so that the cut
in use is still the best).
"""

import argparse
import time

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from sklimb.diagnostics import explain_shift_from_predictions
from sklimb.thresholds import metric_function

PRIOR = 0.2
DISTANCE, WORSE = 1.6, 1.0
OFFSET = 0.8
SIZES = [(500, 500), (500, 50)]  # positives on A, on B
ZERO = {
    "prevalence": ("threshold", "rest"),
    "offset": ("prevalence", "rest"),
    "ranking": ("prevalence", "threshold"),
}


def best_cut(metric, distance):
    """Return the log-odds of the best cut of two normal classes."""
    cuts = np.linspace(-4, 4, 8001)
    hit, false = norm.sf(cuts - distance / 2), norm.sf(cuts + distance / 2)
    counts = PRIOR * hit, (1 - PRIOR) * false
    values = metric_function(metric)(*counts, PRIOR - counts[0], 1 - PRIOR - counts[1])
    return cuts[np.argmax(values)]


def rows(random, n_positive, prior, distance=DISTANCE, offset=0.0):
    """Draw labels and scores; the number of positives is random too."""
    y = random.random(round(n_positive / prior)) < prior
    x = random.standard_normal(len(y)) + np.where(y, distance / 2, -distance / 2)
    return y, expit(x + offset)


def moved(random, kind, metric, n_positive):
    """Draw the rows of B."""
    if kind == "prevalence":
        return rows(random, n_positive, PRIOR / 4)
    if kind == "offset":
        return rows(random, n_positive, PRIOR, offset=OFFSET)
    back = best_cut(metric, DISTANCE) - best_cut(metric, WORSE)
    return rows(random, n_positive, PRIOR, WORSE, back)


def simulate(kind, metric, sizes, n_runs):
    """Return how often each part's interval has 0, and the parts' means."""
    cut = expit(best_cut(metric, DISTANCE))
    covers, means = [], []
    for run in range(n_runs):
        random = np.random.default_rng(run)
        a = rows(random, sizes[0], PRIOR)
        b = moved(random, kind, metric, sizes[1])
        found = explain_shift_from_predictions(
            *a, *b, cut, scoring=metric, n_resamples=200, random_state=run
        )
        parts = found.parts.values()
        covers.append([part.low <= 0 <= part.high for part in parts])
        means.append([part.estimate for part in parts])
    return np.mean(covers, axis=0), np.mean(means, axis=0)


def main():
    """Print a line for each kind of shift, metric and sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    n_runs = parser.parse_args().runs
    names = ("prevalence", "threshold", "rest")
    print(f"{n_runs} runs; * marks parts that are 0")
    for kind, zero in ZERO.items():
        for metric in ("balanced_accuracy", "f1"):
            for sizes in SIZES:
                start = time.perf_counter()
                covers, means = simulate(kind, metric, sizes, n_runs)
                seconds = (time.perf_counter() - start) / n_runs
                shown = ", ".join(
                    f"{name}{'*' if name in zero else ''} "
                    f"{100 * cover:.1f} % (mean {mean:.3f})"
                    for name, cover, mean in zip(names, covers, means, strict=True)
                )
                print(
                    f"{kind}, {metric}, {sizes[0]} against {sizes[1]}: {shown}; "
                    f"{seconds:.2f} s each",
                    flush=True,
                )


if __name__ == "__main__":
    main()
