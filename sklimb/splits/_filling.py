"""How many rows of each class a part gets, and which ones."""

import numpy as np

__all__ = ["fill", "matched", "part_quotas", "spread"]


def part_quotas(n_of_class, shares, sizes):
    """Return how many rows of each class each part gets.

    All parts are shrunk alike until no class is short; rows that rounding leaves go
    where most are lacking, as far as shares allow.

    Parameters
    ----------
    n_of_class : ndarray of shape (n_classes,), int
    shares : ndarray of shape (n_parts, n_classes)
        Each part's class shares.
    sizes : ndarray of shape (n_parts,)
        The parts' shares of the rows.

    Returns
    -------
    ndarray of shape (n_parts, n_classes), int
        Each within a row of the part's shares.
    """
    n_rows = n_of_class.sum()
    wanted = sizes @ shares * n_rows
    scale = min(1.0, np.min(n_of_class[wanted > 0] / wanted[wanted > 0]))
    totals = whole = scale * sizes * n_rows
    while True:
        quotas = np.array(
            [
                _apportioned(int(n + 1e-9), share)
                for n, share in zip(totals, shares, strict=True)
            ]
        )
        left = n_of_class - quotas.sum(axis=0)
        if (left >= 0).all():
            return _topped_up(quotas, whole, shares, left)
        totals = np.maximum(totals - sizes, 0)


def _apportioned(total, shares):
    """Return whole numbers of a sum as near to the shares as can be."""
    exact = total * shares
    counts = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def _topped_up(quotas, totals, shares, left):
    """Return quotas with rows added to the parts that lack most, one by one."""
    while True:
        lacking = totals - quotas.sum(axis=1)
        for p in np.argsort(-lacking, kind="stable"):
            k = _class_to_add(quotas[p], shares[p], left)
            if lacking[p] > 1e-9 and k is not None:
                quotas[p, k] += 1
                left[k] -= 1
                break
        else:
            return quotas


def _class_to_add(quotas, shares, left):
    """Return the class to add a row of, if all stay within a row of their shares."""
    lacking = (quotas.sum() + 1) * shares - quotas
    k = int(np.argmax(np.where(left > 0, lacking, -np.inf)))
    lacking[k] -= 1
    return k if left[k] > 0 and abs(lacking).max() <= 1 else None


def fill(numbers, units, quotas, random):
    """Return the part of each row; rows of one unit are in one part.

    Units of several rows go first, the largest ahead, each to the part that lacks
    its rows most; rows of their own then fill up what is open.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        The rows' class numbers.
    units : ndarray of shape (n_rows,), int, or None
    quotas : ndarray of shape (n_parts, n_classes)
        Rows of each class in each part; about as many as there are in all.
    random : numpy.random.RandomState

    Returns
    -------
    ndarray of shape (n_rows,), int
    """
    part = np.empty(len(numbers), dtype=np.intp)
    open_ = quotas.astype(np.float64)
    alone = np.ones(len(numbers), dtype=bool)
    if units is not None:
        alone = np.bincount(units)[units] == 1
        part[~alone] = _place_units(numbers[~alone], units[~alone], open_, random)
    for k in range(quotas.shape[1]):
        rows = random.permutation(np.flatnonzero(alone & (numbers == k)))
        part[rows] = np.repeat(
            np.arange(len(quotas)), _shared_out(len(rows), open_[:, k])
        )
    return part


def _place_units(numbers, units, open_, random):
    """Return the part of each row of larger units; ``open_`` falls accordingly."""
    if len(numbers) == 0:
        return numbers
    units = np.unique(units, return_inverse=True)[1]
    counts = np.zeros((units.max() + 1, open_.shape[1]))
    np.add.at(counts, (units, numbers), 1)
    worth = 1 / np.maximum(open_.sum(axis=0), 1)  # a row of a rare class is dearer
    whole = np.maximum(open_ @ worth, 1e-12)
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    part_of = np.empty(len(counts), dtype=np.intp)
    for unit in order:
        room = np.maximum(open_, 0)
        fits = np.minimum(room, counts[unit])
        gain = (2 * fits - counts[unit]) @ worth
        # Where it fits into several, the one that is least full.
        tie = 1e-6 * (counts[unit] @ worth) * (room @ worth) / whole
        part_of[unit] = np.argmax(gain + tie)
        open_[part_of[unit]] -= counts[unit]
    return part_of[units]


def _shared_out(n_rows, open_):
    """Return how many of the rows each part takes, in proportion to its room."""
    room = np.maximum(open_, 0)
    if room.sum() == 0:
        room = np.ones(len(room))
    return _apportioned(n_rows, room / room.sum())


def matched(numbers, prior, random=None, most=np.inf):
    """Return places of the most rows that have class shares of a prior.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
    prior : ndarray of shape (n_classes,)
    random : numpy.random.RandomState, default=None
        Which rows stay; None for evenly spaced ones.
    most : int, default=inf
        How many may stay.

    Returns
    -------
    ndarray of int
        Sorted. Each class within a row of its share.
    """
    counts = np.bincount(numbers, minlength=len(prior))
    total = min(most, np.min(counts[prior > 0] / prior[prior > 0]))
    quotas = np.minimum(np.rint(total * prior).astype(int), counts)
    kept = [
        spread(np.flatnonzero(numbers == k), quota, random)
        for k, quota in enumerate(quotas)
    ]
    return np.sort(np.concatenate(kept))


def spread(rows, n_kept, random):
    """Return some of the rows, drawn, or evenly spaced."""
    if random is not None:
        return random.permutation(rows)[:n_kept]
    return rows[((np.arange(n_kept) + 0.5) * len(rows) / max(n_kept, 1)).astype(int)]
