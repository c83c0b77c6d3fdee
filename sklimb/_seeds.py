"""Seeds of estimators that are fitted side by side and have to differ.

A member's seed is the first one's plus a multiple of ``STRIDE``. Random layers, such
as dropout, go by what is left of a seed below it, so that networks which differ in
their initial weights and in the order of their rows can be one program: a program has
one random state for all of its replicas.
"""

from sklearn.base import clone

from sklimb._base import as_seed, with_seeds

__all__ = ["layer_seed", "members_of"]

STRIDE = 2**16
MOST = 2**32  # scikit-learn's seeds are smaller


def layer_seed(seed):
    """Return the part of a seed that random layers go by.

    Parameters
    ----------
    seed : int or None

    Returns
    -------
    int or None

    Examples
    --------
    >>> from sklimb._seeds import layer_seed
    >>> layer_seed(7), layer_seed(7 + 65536)
    (7, 7)
    """
    return None if seed is None else seed % STRIDE


def members_of(estimator, n_members, random):
    """Return clones that differ in every ``random_state`` inside, and in nothing else.

    Parameters
    ----------
    estimator : estimator
        Not changed. The first clone keeps the seeds that are set.
    n_members : int
    random : numpy.random.RandomState
        Sets those that are None.

    Returns
    -------
    list of estimator

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklimb._seeds import members_of
    >>> members = members_of(SGDClassifier(random_state=7), 3, None)
    >>> [member.random_state for member in members]
    [7, 65543, 131079]
    """
    first = with_seeds(clone(estimator), random)
    return [_moved(clone(first), number) for number in range(n_members)]


def _moved(estimator, number):
    seeds = {
        name: (as_seed(value) + number * STRIDE) % MOST
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is not None
    }
    return estimator.set_params(**seeds)
