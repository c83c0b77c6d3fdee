"""Fits and folds that many estimators have in common.

Whether two fits are one is told by what they are made from: the innermost
estimator's parameters, the rows and their weights. So no list is needed of the
parameters that act only after training.
"""

import copy
import io
import pickle
import traceback
import weakref
from collections import Counter
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from sklimb._compat import (
    has_scikit_learns_scorers,
    routing_enabled,
    score_by,
    take_rows_of_params,
)
from sklimb._fitting import Transformers
from sklimb._outputs import KnownRows, known_rows
from sklimb._rows import num_rows
from sklimb._steps import Needs, fit_all
from sklimb._training_data import takes_training_data

__all__ = ["SharedFits", "SharedFold"]

# ValueError is what a value raises that contains itself.
_NO_PICKLE = (
    pickle.PicklingError,
    AttributeError,
    RecursionError,
    TypeError,
    ValueError,
)


class SharedFits:
    """Fit what is needed, and keep it for whoever needs the same.

    Parameters
    ----------
    fit : callable, default=fit_all
        From :class:`Needs` to what each gave.

    Attributes
    ----------
    several : set of int
        Addresses of what more than one has asked for; it lives as long as this.
    """

    def __init__(self, fit=fit_all):
        self.several = set()
        self._fit = fit
        self._keys = _Keys()
        self._found = {}
        self._asked = Counter()

    @property
    def n_fits(self):
        """How many classifiers were fitted; transformers don't count."""
        needs = [need for need, _ in self._found.values()]
        return sum(not isinstance(need.estimator, Transformers) for need in needs)

    @property
    def has_replicas(self):
        """Whether networks were trained together."""
        found = (outcome for _, outcome in self._found.values())
        return any(getattr(outcome, "_is_replica", False) for outcome in found)

    def __call__(self, needs):
        """Return what each need gave; those alike give the same object."""
        keys = [self._keys.of_fit(*need) for need in needs.each]
        new = {}
        for key, need in zip(keys, needs.each, strict=True):
            if key not in self._found:
                new.setdefault(key, need)
        if new:
            outcomes = self._fit(Needs(list(new.values()), needs.n_jobs))
            # The data are kept as well, since keys name them by their address.
            pairs = zip(new.values(), outcomes, strict=True)
            self._found |= zip(new, pairs, strict=True)
        asked = [self._found[key][1] for key in keys]
        self._asked.update(map(id, asked))
        self.several |= {id(one) for one in asked if self._asked[id(one)] > 1}
        return asked


class _Keys:
    """Tell values apart by short keys."""

    def __init__(self):
        self._of_arrays = {}

    def of_fit(self, estimator, data):
        """Return a key that only the same fit has."""
        params = sorted(estimator.get_params(deep=False).items())
        try:
            return self._digest((type(estimator), params, self._parts(data)))
        except _NO_PICKLE:
            return f"{id(estimator)}, like no other"

    def _parts(self, data):
        if data is None:
            return None
        own = data.rows, data.y, data.classes, data.sample_weight, dict(data.params)
        return id(data.source), *own, self._parts(data.validation)

    def _digest(self, value):
        file = io.BytesIO()
        pickler = _Pickler(file, self._of_array)
        pickler.dump(value)
        return blake2b(file.getbuffer()).hexdigest()

    def _of_array(self, array):
        # Folds and labels come again and again.
        known, digest = self._of_arrays.get(id(array), (None, None))
        if known is None or known() is not array:
            digest = _digest_of_array(array)
            self._of_arrays[id(array)] = weakref.ref(array), digest
        return digest


def _digest_of_array(array):
    if array.dtype.hasobject:
        return blake2b(pickle.dumps(array.tolist())).hexdigest()
    content = blake2b(np.ascontiguousarray(array).data).hexdigest()
    return array.dtype.str, array.shape, content


class _Pickler(pickle.Pickler):
    """Writes arrays by their content and code by its address."""

    def __init__(self, file, of_array):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.fast = True  # equal values are written alike, whether one object or two
        self._of_array = of_array

    def persistent_id(self, obj):
        if isinstance(obj, np.ndarray):
            return self._of_array(obj)
        if isinstance(obj, MetadataRequest):  # knows its owner, and so contains itself
            return str(obj)
        # Two functions may have one name, and a Keras model is a template.
        is_code = isinstance(obj, FunctionType | BuiltinFunctionType | type)
        return id(obj) if is_code or hasattr(obj, "stateless_call") else None


class SharedFold:
    """The rows of one split, which many are fitted to and scored on.

    Parameters
    ----------
    data : TrainingData
    train, test : ndarray
        Row numbers.
    shared : SharedFits
        What fits them.

    Attributes
    ----------
    train, test : TrainingData
    """

    def __init__(self, data, train, test, shared):
        self.train = data.take(train)
        self.test = data.take(test)
        self._n_rows = num_rows(data.source)
        self._shared = shared
        self._rows = {}
        self._texts = {}

    def text_of(self, error):
        """Return an error's text, made once: all who raise it add to its traceback."""
        if id(error) not in self._texts:
            text = "".join(traceback.format_exception(error))
            self._texts[id(error)] = error, text
        return self._texts[id(error)][1]

    def score(self, estimator, name, scorer, params, error_score):
        """Return the scores of one part, "test" or "train".

        Parameters
        ----------
        estimator : fitted classifier
        name : str
        scorer : callable
        params : mapping
            Of the scorer, for all rows.
        error_score : "raise" or float

        Returns
        -------
        float or dict of float
        """
        part = getattr(self, name)
        params = take_rows_of_params(self._n_rows, params, part.rows)
        rows = self._rows_for(name)
        if _can_be_taken_apart(estimator, scorer):
            transformed = self._rows_for(name, estimator)
            if transformed is not None:
                rows, estimator = transformed, estimator.steps[-1][1]
        with known_rows(rows):
            return score_by(scorer, estimator, rows.X, part.y, params, error_score)

    def _rows_for(self, name, pipeline=None):
        """Return one part's rows, once for all with the same fitted transformers."""
        steps = () if pipeline is None else pipeline.steps[:-1]
        key = name, *(id(step) for _, step in steps)
        if key not in self._rows:
            X = getattr(self, name).X
            X = X if pipeline is None else _transformed(pipeline, X)
            self._rows[key] = None if X is None else KnownRows(X, self._shared.several)
        return self._rows[key]


def _can_be_taken_apart(estimator, scorer):
    return (
        isinstance(estimator, Pipeline)
        and len(estimator.steps) > 1
        and takes_training_data(estimator.steps[-1][1])
        and has_scikit_learns_scorers(scorer)
        and not routing_enabled()
    )


def _transformed(pipeline, X):
    """Return what the last step is given to predict, or None where that fails."""
    front = copy.copy(pipeline)  # its samplers have no part in it
    front.steps = [*pipeline.steps[:-1], ("last", "passthrough")]
    try:
        return front.transform(X)
    except Exception:  # whole, it fails in the scorer, as it should
        return None
