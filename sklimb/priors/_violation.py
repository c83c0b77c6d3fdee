"""Test whether rows without labels are a mixture of the classes as they were."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.stats import chi2

from sklimb.priors._problem import check_problem

__all__ = ["LabelShiftTest", "label_shift_test"]

QUANTILES = 5  # of each of two classes' scores


@dataclass(frozen=True)
class LabelShiftTest:
    """Whether label shift fits, as :func:`label_shift_test` returns it.

    Attributes
    ----------
    statistic : float
        The least chi-square distance between the unlabelled rows' predictions
        and a mixture of the classes'.
    p_value : float
        How often chance alone gives such a distance; nan where the predictions
        take too few values to tell.
    df : int
        Degrees of freedom: cells less classes.
    prior_ : ndarray of shape (n_classes,)
        The mixture nearest to the rows.
    """

    statistic: float
    p_value: float
    df: int
    prior_: np.ndarray


def label_shift_test(
    proba,
    training_prior,
    source,
    *,
    sample_weight=None,
    model_weight=None,
    classes=None,
    pos_label=None,
):
    """Test whether any class distribution explains the predictions of new rows.

    Under label shift the classes' shares change, but not what rows of each class
    look like, so predictions are distributed as a mixture of the classes' own.
    Where they are not, rows themselves have changed, and no prior mends that.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes), or (n_models, n_rows, n_classes)
        Probabilities of the unlabelled rows. Models that were trained on other
        rows predict otherwise, so give those of every model that made a part of
        ``source``: of all folds, rather than of a model of all rows.
    training_prior : array-like, mapping, float or "uniform"
        The prior that ``proba`` belongs to.
    source : tuple (proba, y)
        Out-of-fold probabilities and labels of the rows that the classifier was
        trained on.
    model_weight : array-like of shape (n_models,), default=None
        How much of ``source`` each model made; None for equal parts.
    sample_weight, classes, pos_label
        As for :func:`estimate_prior`.

    Returns
    -------
    LabelShiftTest

    Raises
    ------
    ValueError
        As :func:`estimate_prior`.

    Notes
    -----
    A minimum chi-square test on cells: for two classes between the quantiles of
    each class's scores, about ten; for more, by the class predicted and whether
    its probability is above the median there. Both samples' errors are in the
    covariance, ``Cov(g) + sum_c q_c² Cov(F_c)``; with the source's histogram
    taken as known, few positives would raise false alarms more often than not.
    Of several models' predictions of a row the cells are averaged, which has the
    same mean as the pooled folds; averaged probabilities have not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.priors import label_shift_test
    >>> random = np.random.default_rng(0)
    >>> def rows(prevalence, n_rows, moved=0.0):
    ...     y = (random.random(n_rows) < prevalence).astype(int)
    ...     x = random.normal(size=n_rows) + 2 * y + moved
    ...     positive = 1 / (1 + np.exp(2 - 2 * x))
    ...     return np.column_stack([1 - positive, positive]), y
    >>> source = rows(0.5, 1000)
    >>> label_shift_test(rows(0.1, 2000)[0], 0.5, source).p_value > 0.05
    True
    >>> label_shift_test(rows(0.1, 2000, moved=0.5)[0], 0.5, source).p_value < 0.01
    True
    """
    problems = [
        check_problem(rows, training_prior, source, sample_weight, classes, pos_label)
        for rows in _of_each_model(proba)
    ]
    source_proba, numbers = problems[0].source
    n_classes = len(problems[0].training)
    cells = _cells(source_proba, numbers, n_classes)
    shapes = [
        _mean_and_error(cells(source_proba[numbers == number]))
        for number in range(n_classes)
    ]
    blocks = [problem.rows.blocks() for problem in problems]
    share = _shares(model_weight, len(problems))
    found = _mean_and_error(*_mean_cells(cells, blocks, share))
    return _nearest_mixture(found, shapes)


def _of_each_model(proba):
    several = isinstance(proba, list | tuple | np.ndarray) and len(proba) > 0
    return proba if several and np.ndim(proba[0]) == 2 else [proba]


def _shares(model_weight, n_models):
    if model_weight is None:
        return np.full(n_models, 1 / n_models)
    weight = np.asarray(model_weight, dtype=np.float64)
    # Written so that nan fails.
    if weight.shape == (n_models,) and weight.min() >= 0 and 0 < weight.sum() < np.inf:
        return weight / weight.sum()
    raise ValueError(
        f"`model_weight`={model_weight!r} must be {n_models} numbers of at least 0, "
        "not all 0: the share of `source` that each model made."
    )


def _mean_cells(cells, blocks, share):
    """Return every row's cells, averaged over the models, and the rows' weights."""
    means, weights = [], []
    for parts in zip(*blocks, strict=True):
        weights.append(parts[0][1])
        means.append(
            sum(s * cells(block) for s, (block, _) in zip(share, parts, strict=True))
        )
    return np.concatenate(means), np.concatenate(weights)


def _cells(proba, numbers, n_classes):
    """Return a function from probabilities to a one-hot row of cells each."""
    if n_classes == 2:
        return _between_quantiles(proba[:, 1], numbers)
    return _by_prediction(proba, n_classes)


def _between_quantiles(score, numbers):
    levels = np.linspace(0, 1, QUANTILES + 1)[1:-1]
    edges = [np.quantile(score[numbers == number], levels) for number in (0, 1)]
    edges = np.unique(np.concatenate(edges))

    def cells(proba):
        return np.eye(len(edges) + 1)[np.searchsorted(edges, proba[:, 1])]

    return cells


def _by_prediction(proba, n_classes):
    predicted, height = proba.argmax(axis=1), proba.max(axis=1)
    medians = np.array(
        [
            np.median(height[predicted == number]) if (predicted == number).any() else 1
            for number in range(n_classes)
        ]
    )

    def cells(proba):
        number = proba.argmax(axis=1)
        above = proba.max(axis=1) > medians[number]
        return np.eye(2 * n_classes)[2 * number + above]

    return cells


def _mean_and_error(cells, weight=None):
    """Return the weighted mean of rows and the covariance of that mean."""
    share = np.full(len(cells), 1 / len(cells))
    if weight is not None:
        share = weight / weight.sum()
    mean = share @ cells
    centred = (cells - mean) * share[:, None]
    return mean, centred.T @ centred


def _nearest_mixture(found, shapes):
    means, errors = map(np.array, zip(*shapes, strict=True))
    # The last cell follows from the others, and one without rows tells nothing.
    kept = np.flatnonzero(found[0] + means.sum(axis=0) > 0)[:-1]
    df = len(kept) + 1 - len(means)
    if df < 1:
        return LabelShiftTest(0.0, np.nan, 0, np.full(len(means), np.nan))

    def distance(prior):
        rest = (found[0] - prior @ means)[kept]
        error = found[1] + np.tensordot(prior**2, errors, axes=1)
        return rest @ np.linalg.pinv(error[np.ix_(kept, kept)], hermitian=True) @ rest

    prior = _least(distance, len(means))
    statistic = float(distance(prior))
    return LabelShiftTest(statistic, float(chi2.sf(statistic, df)), df, prior)


def _least(distance, n_classes):
    starts = [
        np.full(n_classes, 1 / n_classes),
        *(np.eye(n_classes) * 0.9 + 0.1 / n_classes),
    ]
    best = min(starts, key=distance)
    solution = minimize(
        distance,
        best,
        method="SLSQP",
        bounds=[(0, 1)] * n_classes,
        constraints={"type": "eq", "fun": lambda prior: prior.sum() - 1},
    )
    return np.clip(solution.x, 0, 1) / np.clip(solution.x, 0, 1).sum()
