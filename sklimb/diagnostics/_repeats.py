"""Rows that occur again, exactly or nearly."""

import re
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from sklimb.diagnostics._separation import auc, out_of_fold_rates

__all__ = [
    "NearRepeats",
    "Repeats",
    "find_near_repeats",
    "find_repeats",
    "in_other_folds",
    "memory_auc",
]

# Neighbours that tell how near rows lie here, and how much nearer a copy is: by
# chance one row in 10,000 would be, whatever the dimension of the data.
NEIGHBOURS = 10
BY_CHANCE = 1e-4
MUCH_NEARER = 0.1
# What is affordable: products of pairs of rows, with what finding the nearest takes
# beside them, and rows looked at.
MOST_PRODUCTS, BESIDE = 2e10, 30
MOST_QUERIES = 4000
MOST_TEXTS = 4000
MOST_CELLS = 2.5e7  # of distances at once
# Texts with so much of their character n-grams in common say the same.
ALIKE = 0.9
MISSING = np.uint64(0x7FF8000000000000)


@dataclass(frozen=True)
class Repeats:
    """Rows that are exact copies of an earlier one, the label included.

    Attributes
    ----------
    n_repeats : int
        Rows that repeat an earlier row with its label.
    n_conflicting : int
        Rows with another label than most of those with their features.
    n_across : int
        Rows that have a copy of their features in another fold of a random
        stratified split.
    copies : ndarray of shape (n_rows,), int
        Number of each row's distinct features.
    """

    n_repeats: int
    n_conflicting: int
    n_across: int
    copies: np.ndarray


@dataclass(frozen=True)
class NearRepeats:
    """Rows that nearly are copies of another one, which has other features.

    Attributes
    ----------
    n_looked_at : int
        Rows whose neighbours were looked for.
    pairs : ndarray of shape (n_pairs, 2), int
        Such a row, and the one that it resembles.
    n_across : int
        Pairs with rows in two folds of a random stratified split.
    """

    n_looked_at: int
    pairs: np.ndarray
    n_across: int


def find_repeats(columns, y, folds):
    """Return exact repeats.

    Parameters
    ----------
    columns : list of Column
    y, folds : ndarray of shape (n_rows,), int

    Returns
    -------
    Repeats
    """
    copies = np.unique(_hashes(columns), return_inverse=True)[1].ravel()
    labelled = copies * (y.max() + 1) + y
    cells, sizes = np.unique(labelled, return_counts=True)
    most = np.zeros(copies.max() + 1, dtype=np.intp)
    np.maximum.at(most, cells // (y.max() + 1), sizes)
    return Repeats(
        n_repeats=len(y) - len(cells),
        n_conflicting=int(len(y) - most.sum()),
        n_across=int(np.count_nonzero(in_other_folds(copies, folds))),
        copies=copies,
    )


def in_other_folds(codes, folds):
    """Tell which rows have a row of the same code in another fold."""
    cells = codes * (folds.max() + 1) + folds
    n_folds = np.bincount(np.unique(cells) // (folds.max() + 1))
    return n_folds[codes] > 1


def _hashes(columns):
    """Return 64 bits for each row; equal for equal rows."""
    seeds = np.random.default_rng(0).integers(2**63, size=len(columns))
    total = np.zeros(len(columns[0].values), dtype=np.uint64)
    for column, seed in zip(columns, seeds.astype(np.uint64), strict=True):
        bits = (column.values + 0.0).view(np.uint64)  # -0.0 is 0.0
        total += _mixed(np.where(column.is_missing, MISSING, bits) ^ seed)
    return total


def _mixed(bits):
    """Return well mixed bits (splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def memory_auc(codes, y, folds):
    """Return the AUC of remembering the labels of rows with the same code.

    Parameters
    ----------
    codes, y, folds : ndarray of shape (n_rows,), int

    Returns
    -------
    float
        The mean over classes; 0.5 where no code occurs in two folds.
    """
    numbers = range(y.max() + 1) if y.max() > 1 else [1]
    areas = [auc(out_of_fold_rates(codes, y == k, folds), y == k) for k in numbers]
    return max(0.5, float(np.mean(areas)))


def find_near_repeats(columns, copies, folds, random_state=0):
    """Return rows that nearly are copies of another.

    Parameters
    ----------
    columns : list of Column
    copies, folds : ndarray of shape (n_rows,), int
        ``copies`` as :class:`Repeats` has them: exact ones count once.
    random_state : int

    Returns
    -------
    NearRepeats
    """
    distinct = np.unique(copies, return_index=True)[1]
    texts = [column for column in columns if column.kind == "text"]
    if texts:
        queries, pairs = _near_texts(texts, distinct, random_state)
    else:
        queries, pairs = _near_numbers(columns, distinct, random_state)
    across = np.count_nonzero(folds[pairs[:, 0]] != folds[pairs[:, 1]])
    return NearRepeats(queries, pairs, int(across))


def _near_numbers(columns, distinct, random_state):
    points = _scaled(columns, distinct)
    n_points, n_features = points.shape
    if n_points <= NEIGHBOURS + 1 or n_features == 0:
        return 0, np.empty((0, 2), dtype=np.intp)
    affordable = int(MOST_PRODUCTS / (n_points * (n_features + BESIDE)))
    n_queries = min(n_points, MOST_QUERIES, max(affordable, 100))
    random = np.random.default_rng(random_state)
    queries = np.sort(random.choice(n_points, n_queries, replace=False))
    distances, neighbours = _nearest(points, queries)
    is_copy = distances[:, 0] < _nearer(distances) * distances[:, -1]
    pairs = np.column_stack([queries, neighbours[:, 0]])[is_copy]
    return n_queries, distinct[pairs]


def _scaled(columns, rows):
    """Return rows as points: columns of one spread, categories as far apart as 1."""
    parts = []
    for column in columns:
        values = column.values[rows]
        missing = np.isnan(values)
        if column.kind == "category":
            parts.append(_corners(column.codes[rows]))
            continue
        if missing.all():
            continue
        values = np.where(missing, values[~missing].mean(), values)
        spread = values.std()
        if spread > 0:
            parts.append((values / spread)[:, None])
            if missing.any():
                parts.append(missing[:, None] * 1.0)
    if not parts:
        return np.empty((len(rows), 0))
    return np.hstack([part - part.mean(axis=0) for part in parts])


def _corners(codes):
    """Return points for categories, each about as far from the others."""
    n_axes = min(codes.max() + 1, 8)
    random = np.random.default_rng(0)
    return random.standard_normal((codes.max() + 1, n_axes))[codes] / np.sqrt(n_axes)


def _nearest(points, queries):
    """Return distances to the nearest others, and which they are, nearest first."""
    single = points.astype(np.float32)
    squares = np.einsum("ij,ij->i", single, single)
    found = []
    for part in _chunks(queries, len(points)):
        distances = squares - 2 * single[part] @ single.T
        distances[np.arange(len(part)), part] = np.inf
        near = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        found.append(near)
    neighbours = np.concatenate(found)
    # Near ones differ by less than single precision tells.
    gaps = points[neighbours] - points[queries][:, None, :]
    distances = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
    order = np.argsort(distances, axis=1)
    take = (np.arange(len(queries))[:, None], order)
    return distances[take], neighbours[take]


def _chunks(queries, n_points):
    """Return parts of the queries, whose distances to all points fit into memory."""
    size = max(1, int(MOST_CELLS / n_points))
    return [queries[k : k + size] for k in range(0, len(queries), size)]


def _nearer(distances):
    """Return the share of the farthest distance that chance hardly ever undercuts.

    With k neighbours in D dimensions, P(d1 < r dk) is about (k - 1) r^D.
    """
    inner = distances[(distances[:, 0] > 0)]
    if len(inner) == 0:
        return MUCH_NEARER
    # Levina & Bickel 2004, over all rows at once.
    logs = np.log(inner[:, -1:] / inner[:, :-1]).clip(max=5)
    dimension = max(1.0, 1 / logs.mean())
    return min(MUCH_NEARER, (BY_CHANCE / (NEIGHBOURS - 1)) ** (1 / dimension))


def _near_texts(columns, distinct, random_state):
    texts = [" ".join(column.texts[row] for column in columns) for row in distinct]
    texts = np.array([_plain(text) for text in texts], dtype=object)
    counts = HashingVectorizer(
        analyzer="char", ngram_range=(5, 5), n_features=2**18, alternate_sign=False
    ).transform(texts)
    random = np.random.default_rng(random_state)
    queries = np.sort(
        random.choice(len(texts), min(len(texts), MOST_TEXTS), replace=False)
    )
    pairs = [np.empty((0, 2), dtype=np.intp)]
    for part in _chunks(queries, len(texts)):
        alike = (counts[part] @ counts.T).tocoo()
        far = (alike.data < ALIKE) | (part[alike.row] == alike.col)
        pairs.append(np.column_stack([part[alike.row], alike.col])[~far])
    pairs = np.concatenate(pairs)
    first = np.unique(pairs[:, 0], return_index=True)[1]
    return len(queries), distinct[pairs[first]]


def _plain(text):
    """Return a text without case, punctuation and what its numbers are."""
    return re.sub(r"[\W_]+", " ", re.sub(r"\d", "0", text.lower())).strip()
