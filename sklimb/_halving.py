"""Successive halving: many candidates for few epochs, the best of them for more."""

from typing import NamedTuple

import numpy as np

__all__ = ["Rung", "epochs_name", "halved", "rungs"]

FACTOR = 3


class Rung(NamedTuple):
    """How many candidates are trained, and for how many epochs."""

    n_candidates: int
    epochs: int


def rungs(n_candidates, epochs, factor=FACTOR):
    """Return what is trained for how long, up to all epochs.

    Each time, one candidate of ``factor`` is kept for as many times more epochs.

    Parameters
    ----------
    n_candidates, epochs : int
    factor : int, default=3

    Returns
    -------
    list of Rung

    Examples
    --------
    >>> from sklimb._halving import rungs
    >>> [tuple(rung) for rung in rungs(20, 30)]
    [(20, 3), (7, 10), (3, 30)]
    """
    steps = 0
    while factor ** (steps + 1) <= min(n_candidates, epochs):
        steps += 1
    found = []
    for step in range(steps, -1, -1):
        found.append(Rung(n_candidates, epochs // factor**step))
        n_candidates = -(-n_candidates // factor)
    return found


def epochs_name(estimator):
    """Return the parameter that sets the epochs of the network inside.

    Raises
    ------
    ValueError
        If there is no network, or several.
    """
    params = {"": estimator, **estimator.get_params()}
    prefixes = [name for name, v in params.items() if hasattr(v, "_fit_together")]
    if len(prefixes) != 1:
        raise ValueError(
            f"`halving` shortens the training of a network, and there are "
            f"{len(prefixes)} in {type(estimator).__name__}. Leave it out, or search "
            "one sklimb.keras.KerasClassifier."
        )
    return "__".join(filter(None, [prefixes[0], "epochs"]))


def halved(candidates, rungs, name, results_of, scores_of):
    """Fit candidates for more and more epochs, each time fewer of them.

    Parameters
    ----------
    candidates : list of dict
    rungs : list of Rung
    name : str
        Of the parameter that sets the epochs.
    results_of : callable
        From candidates to a result for each of their fits.
    scores_of : callable
        From candidates and their results to a score for each; nan is the least.

    Returns
    -------
    candidates : list of dict
        Of all rungs, with the epochs.
    results : list
    more : dict of str to list
        The rung and the epochs of each candidate, as ``HalvingGridSearchCV`` has
        them.
    """
    tried, results, more = [], [], {"iter": [], "n_resources": []}
    for number, rung in enumerate(rungs):
        candidates = [{**candidate, name: rung.epochs} for candidate in candidates]
        found = results_of(candidates)
        tried += candidates
        results += found
        more["iter"] += [number] * len(candidates)
        more["n_resources"] += [rung.epochs] * len(candidates)
        if rung is not rungs[-1]:
            n_kept = rungs[number + 1].n_candidates
            candidates = _best(candidates, scores_of(candidates, found), n_kept)
    return tried, results, more


def _best(candidates, scores, n):
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    return [candidates[place] for place in np.sort(order[:n])]
