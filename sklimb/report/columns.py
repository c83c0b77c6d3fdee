"""Find out what the columns of a table are, and make numbers of them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklimb.report.errors import InputError, one_line

__all__ = ["Columns", "find_columns"]

# Levels of a category: rarer ones, and those beyond the most frequent, share one.
MOST_LEVELS = 30
RAREST_LEVEL = 5
# Above this share of different values a text names its row.
MOST_DIFFERENT = 0.5
MISSING = "(missing)"
# Of a free text: the most frequent ones count. A sign or an emoji is a word.
MOST_WORDS = 10_000
WORD = r"(?u)\w+|[^\w\s]"


@dataclass(frozen=True)
class Columns:
    """The columns that a model learns from, by kind, and the others, with reasons.

    Attributes
    ----------
    numeric, categorical, text : list of str
        ``text`` is free text.
    has_missing : bool
        Whether a numeric column lacks values.
    left_out : dict of str to str
        Column to reason.
    grouped : dict of str to int
        Categorical column to its number of levels, where some share one.
    """

    numeric: list = field(default_factory=list)
    categorical: list = field(default_factory=list)
    text: list = field(default_factory=list)
    has_missing: bool = False
    left_out: dict = field(default_factory=dict)
    grouped: dict = field(default_factory=dict)

    def clean(self, table):
        """Return the used columns as floats and as texts, missing numbers as nan.

        Parameters
        ----------
        table : DataFrame

        Returns
        -------
        DataFrame
        """
        numeric = table[self.numeric].astype(np.float64)
        parts = [numeric.mask(np.isinf(numeric))]
        for name in (*self.categorical, *self.text):
            missing = "" if name in self.text else MISSING
            text = table[name].astype(object)
            parts.append(text.map(str).where(text.notna(), missing).astype(object))
        return pd.concat(parts, axis=1)

    def transformer(self):
        """Return what makes numbers of :meth:`clean` rows.

        Numbers are imputed and scaled, categories one-hot, the words of texts
        weighed by TF-IDF; with texts its output is sparse.

        Returns
        -------
        ColumnTransformer
        """
        steps = [StandardScaler()]
        if self.has_missing:
            # A column may lack all its values in a fold.
            imputer = SimpleImputer(
                strategy="median", add_indicator=True, keep_empty_features=True
            )
            steps.insert(0, imputer)
        one_hot = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=RAREST_LEVEL,
            max_categories=MOST_LEVELS,
            sparse_output=False,
            dtype=np.float32,
        )
        return ColumnTransformer(
            [
                ("numeric", make_pipeline(*steps), self.numeric),
                ("categorical", one_hot, self.categorical),
                *((f"text{k}", _words(), name) for k, name in enumerate(self.text)),
            ],
            sparse_threshold=1 if self.text else 0,
        )

    def notes(self):
        """Return what a user has to know of the columns, a sentence each.

        Returns
        -------
        list of str
        """
        notes = []
        for reason in dict.fromkeys(self.left_out.values()):
            names = [name for name, why in self.left_out.items() if why == reason]
            notes.append(f"Not used: {_listed(names)} ({reason}).")
        for name in self.text:
            notes.append(
                f"{one_line(name, 40)} is free text: its words count, by TF-IDF, the "
                f"{MOST_WORDS} most frequent at most."
            )
        for name, levels in self.grouped.items():
            notes.append(
                f"{one_line(name, 40)} has {levels} levels: the {MOST_LEVELS - 1} most "
                "frequent count, the others as one."
            )
        return notes


def _words():
    return TfidfVectorizer(
        token_pattern=WORD,
        max_features=MOST_WORDS,
        sublinear_tf=True,
        dtype=np.float32,
    )


def _listed(names, most=8):
    shown = [one_line(name, 40) for name in names[:most]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def find_columns(table):
    """Sort the columns of a table: numbers, categories, texts, and those of no use.

    Parameters
    ----------
    table : DataFrame
        With column names of type str.

    Returns
    -------
    Columns

    Raises
    ------
    InputError
        If nothing is left to learn from.
    """
    kinds = {name: _kind(table[name]) for name in table.columns}
    of_kind = {
        kind: [name for name, found in kinds.items() if found == kind]
        for kind in ("numeric", "categorical", "text")
    }
    left_out = {name: kind for name, kind in kinds.items() if kind not in of_kind}
    if not any(of_kind.values()):
        reasons = [f"{one_line(name, 40)}: {why}" for name, why in left_out.items()]
        raise InputError(
            f"DATA: no column is left to learn from ({'; '.join(reasons[:8]) or 'none'}"
            "). Give columns of numbers, categories or texts."
        )
    levels = {name: table[name].nunique() for name in of_kind["categorical"]}
    numbers = table[of_kind["numeric"]].astype(np.float64).to_numpy()
    return Columns(
        numeric=of_kind["numeric"],
        categorical=of_kind["categorical"],
        text=of_kind["text"],
        has_missing=not np.isfinite(numbers).all(),
        left_out=left_out,
        grouped={name: n for name, n in levels.items() if n > MOST_LEVELS},
    )


def _kind(column):
    """Return "numeric", "categorical", "text", or why the column is not used."""
    if column.isna().all():
        return "all values missing"
    inferred = types.infer_dtype(column, skipna=True)
    if inferred.startswith(("date", "time", "period", "interval")):
        return "dates and times are not supported yet"
    if inferred == "complex":
        return "complex numbers"
    is_number = types.is_bool_dtype(column.dtype) or types.is_numeric_dtype(
        column.dtype
    )
    if is_number or inferred == "decimal":
        return _kind_of_numbers(column)
    return _kind_of_texts(column)


def _kind_of_numbers(column):
    present = column.dropna()
    if present.nunique() == 1 and len(present) == len(column):
        return "constant"
    if types.is_integer_dtype(column.dtype) and len(present) > 1:
        steps = np.diff(np.sort(present.to_numpy()))
        if (steps == 1).all() and not types.is_bool_dtype(column.dtype):
            return "numbers its rows"
    return "numeric"


def _kind_of_texts(column):
    present = column.dropna()
    try:
        different = present.nunique()
    except TypeError:
        return "lists and the like are not supported"
    if different == 1 and len(present) == len(column):
        return "constant"
    if different > MOST_LEVELS and different > MOST_DIFFERENT * len(present):
        if present.astype(str).str.contains(r"\s\S+\s").mean() > MOST_DIFFERENT:
            return "text"
        return "nearly every row has a value of its own, as an id has"
    return "categorical"
