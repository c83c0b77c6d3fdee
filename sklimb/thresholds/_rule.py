"""What decides: from probabilities to labels, as one value."""

from dataclasses import asdict, dataclass, fields

import numpy as np
from scipy.special import logit

from sklimb._validation import check_pos_label, is_number
from sklimb.thresholds._checks import (
    check_classes,
    check_cost_matrix,
    check_label,
    check_rejection,
    check_rule_threshold,
)
from sklimb.thresholds._costs import (
    REJECTED,
    cheapest_classes,
    is_reversed,
    threshold_of_costs,
)

__all__ = ["ThresholdRule", "column_of_positives"]

# Below every logarithm of a probability, and above a class that is never predicted.
_LOWEST_LOG = -1e300
_NEVER = "never"  # in JSON, which has no infinity


@dataclass(frozen=True, repr=False)
class ThresholdRule:
    """From probabilities to labels: thresholds, costs and the option to reject.

    Parameters
    ----------
    classes : sequence of labels
        In the order of the probabilities' columns.
    threshold : float or sequence of float, default=None
        For two classes a number: ``pos_label`` where its score is at least
        that. For any number of classes one each: the class whose probability
        over its threshold is greatest; inf is for a class that is never
        predicted. None decides by ``cost_matrix``, and without one for the
        class of the greatest probability.
    pos_label : label, default=None
        Of two classes the positive one; None for the second.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        Rows are true classes, columns predicted ones. Where ``threshold`` is
        None, the class of least expected cost is predicted.
    reject_cost : float, default=None
        Rows whose least expected cost is higher are rejected (Chow's rule).
        Without ``cost_matrix`` every error costs 1, so these are the rows
        whose greatest probability is below ``1 - reject_cost``. None rejects
        none.
    reject_label : label, default=None
        What a rejected row is given; not one of ``classes``.

    Raises
    ------
    ValueError
        If parameters are not valid, or don't go together.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning"; Chow (1970), "On
    optimum recognition error and reject tradeoff".

    Examples
    --------
    >>> from sklimb.thresholds import ThresholdRule
    >>> proba = [[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]
    >>> ThresholdRule(["no", "yes"], threshold=0.4)(proba)
    array(['no', 'yes', 'yes'], dtype='<U3')
    >>> ThresholdRule([0, 1], reject_cost=0.35, reject_label=-1)(proba)
    array([ 0, -1,  1])
    """

    classes: tuple
    threshold: float | tuple | None = None
    pos_label: object = None
    cost_matrix: tuple | None = None
    reject_cost: float | None = None
    reject_label: object = None

    def __post_init__(self):
        classes = check_classes(self.classes)
        costs = self.cost_matrix
        if costs is not None:
            costs = tuple(map(tuple, check_cost_matrix(costs, classes).tolist()))
        reject_label = check_label(self.reject_label, "reject_label")
        checked = {
            "classes": classes,
            "threshold": check_rule_threshold(self.threshold, classes),
            "pos_label": _checked_pos_label(self.pos_label, classes),
            "cost_matrix": costs,
            "reject_cost": check_rejection(
                self.reject_cost, reject_label, classes, costs is not None
            ),
            "reject_label": reject_label,
        }
        vars(self).update(checked)  # a frozen object sets no attributes

    @classmethod
    def from_dict(cls, values):
        """Return the rule that :meth:`to_dict` gave.

        Parameters
        ----------
        values : dict
            All parameters by name, as plain values.

        Returns
        -------
        ThresholdRule

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a value is not valid.
        """
        known = [field.name for field in fields(cls)]
        if not isinstance(values, dict) or set(values) != set(known):
            found = list(values) if isinstance(values, dict) else values
            raise ValueError(f"`values` has {found!r}; expected a dict with {known}.")
        threshold = values["threshold"]
        if isinstance(threshold, list):
            threshold = list(map(_number_from_json, threshold))
        else:
            threshold = _number_from_json(threshold)
        return cls(**values | {"threshold": threshold})

    def to_dict(self):
        """Return all parameters by name, as plain values that JSON can hold.

        Returns
        -------
        dict
            An infinite threshold is ``"never"``.
        """
        threshold = self.threshold
        if isinstance(threshold, tuple):
            threshold = list(map(_number_to_json, threshold))
        else:
            threshold = _number_to_json(threshold)
        costs = self.cost_matrix
        return asdict(self) | {
            "classes": list(self.classes),
            "threshold": threshold,
            "cost_matrix": None if costs is None else list(map(list, costs)),
        }

    def __call__(self, scores):
        """Return the labels decided for, shape (n_rows,).

        Parameters
        ----------
        scores : array-like of shape (n_rows, n_classes) or (n_rows,)
            As for :meth:`numbers`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Of the classes' type where that can hold ``reject_label``, or else
            of objects.
        """
        return self.labels(self.numbers(scores), _array_of(self.classes))

    def labels(self, numbers, classes):
        """Return the labels of class numbers, -1 for a row rejected.

        Parameters
        ----------
        numbers : ndarray of shape (n_rows,), int
        classes : ndarray of shape (n_classes,)
            The same labels, of any type of array.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if self.reject_cost is None:
            return classes[numbers]
        dtype = _dtype_with(classes.dtype, self.reject_label)
        # The last one is also number -1.
        every = np.empty(len(classes) + 1, dtype)
        every[:-1], every[-1] = classes, self.reject_label
        return every[numbers]

    def numbers(self, scores):
        """Return the places in ``classes`` decided for, -1 for a row rejected.

        Parameters
        ----------
        scores : array-like of shape (n_rows, n_classes) or (n_rows,)
            Probabilities. For a number as threshold also decision values of
            the second class, in one column.

        Returns
        -------
        ndarray of shape (n_rows,), int

        Raises
        ------
        ValueError
            If the shape is wrong or a score is nan.
        """
        scores = self._checked(scores)
        chosen = self._chosen(scores)
        if self.reject_cost is None:
            return chosen
        return np.where(self._is_rejected(scores), REJECTED, chosen)

    def log_scores(self, log_proba):
        """Return values whose sign, or greatest column, is the decision.

        Rejection leaves them as they are.

        Parameters
        ----------
        log_proba : ndarray of shape (n_rows, n_classes)
            Natural logarithms of probabilities.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), float64
            Two classes: above 0 for the second, log-odds beyond those of the
            threshold. More: log-probabilities, less the thresholds' logarithms;
            or minus the expected costs.
        """
        if len(self.classes) == 2 and (cut := self._cut_of_second()) is not None:
            return _beyond(log_proba[:, 1] - log_proba[:, 0], *cut)
        values = self._comparable(log_proba)
        return values if values.shape[1] > 2 else values[:, 1] - values[:, 0]

    def __repr__(self):
        rejects = ""
        if self.reject_cost is not None:
            rejects = f", {self.reject_label!r} above a cost of {self.reject_cost:.6g}"
        return f"ThresholdRule({self._principle()}{rejects}, {list(self.classes)})"

    def _principle(self):
        if isinstance(self.threshold, float):
            return f"{self.pos_label!r} from {self.threshold:.6g}"
        if self.threshold is not None:
            shown = ", ".join(f"{threshold:.6g}" for threshold in self.threshold)
            return f"greatest probability over ({shown})"
        if self.cost_matrix is not None:
            return "least expected cost"
        return "greatest probability"

    @property
    def needs_probabilities(self):
        """Tell whether decision values are not enough."""
        return self.reject_cost is not None or not isinstance(self.threshold, float)

    @property
    def is_bayes(self):
        """Tell whether costs alone decide."""
        return self.threshold is None and self.cost_matrix is not None

    def _checked(self, scores):
        scores = np.asarray(scores, dtype=np.float64)
        n_classes = len(self.classes)
        one_column = scores.ndim == 1 and not self.needs_probabilities
        if not one_column and scores.shape[1:] != (n_classes,):
            raise ValueError(
                f"`scores` has shape {scores.shape}; expected (n_rows, {n_classes}), "
                f"the probabilities of the classes {list(self.classes)}."
            )
        bad = np.isnan(scores)
        if bad.any():
            bad = bad if one_column else bad.any(axis=1)
            raise ValueError(
                f"`scores` is nan in row {int(np.argmax(bad))} ({int(bad.sum())} such "
                "rows), which no rule can decide. See where the model gives it."
            )
        return scores

    def _chosen(self, scores):
        if isinstance(self.threshold, float):
            positive = check_pos_label(self.pos_label, self.classes)
            reached = column_of_positives(scores, positive) >= self.threshold
            return np.where(reached, positive, 1 - positive)
        if self.threshold is not None:
            thresholds = np.array(self.threshold)
            # A probability of 0 is still more than never.
            quotients = np.where(np.isinf(thresholds), -1, scores / thresholds)
            return np.argmax(quotients, axis=1)
        if self.cost_matrix is not None:
            return cheapest_classes(scores, np.array(self.cost_matrix))
        return np.argmax(scores, axis=1)

    def _is_rejected(self, proba):
        if self.cost_matrix is None:
            return proba.max(axis=1) < 1 - self.reject_cost
        costs = proba @ np.array(self.cost_matrix)
        return costs.min(axis=1) > self.reject_cost

    def _cut_of_second(self):
        """Return threshold and sign of a decision between two by one, or None."""
        if isinstance(self.threshold, float):
            is_second = check_pos_label(self.pos_label, self.classes) == 1
            return self.threshold, 1 if is_second else -1
        if self.is_bayes and not is_reversed(costs := np.array(self.cost_matrix)):
            return threshold_of_costs(costs), 1
        return None

    def _comparable(self, log_proba):
        if self.is_bayes:
            return -(np.exp(log_proba) @ np.array(self.cost_matrix))
        if self.threshold is None:
            return log_proba
        return np.maximum(log_proba, _LOWEST_LOG) - np.log(self.threshold)


def _checked_pos_label(pos_label, classes):
    if len(classes) == 2:
        label = check_label(pos_label, "pos_label")
        return classes[check_pos_label(label, classes)]
    if pos_label is not None:
        raise ValueError(
            f"`pos_label`={pos_label!r} is one of two classes; there are "
            f"{len(classes)}: {list(classes)}. Leave it out."
        )
    return None


def _number_to_json(threshold):
    return _NEVER if threshold == np.inf else threshold


def _number_from_json(threshold):
    if threshold is None or is_number(threshold):
        return threshold
    if threshold == _NEVER:
        return np.inf
    raise ValueError(
        f"`threshold`={threshold!r} must be a number or {_NEVER!r}; or a list of "
        "these, one for each class."
    )


def _array_of(labels):
    array = np.array(labels)
    return array if array.tolist() == list(labels) else np.array(labels, object)


def _dtype_with(dtype, label):
    """Return a type that holds labels as they are, and one more."""
    added = np.asarray(label).dtype
    both = added.kind + dtype.kind
    # A join of any two would make text of numbers, and 1 of True.
    if both in ("UU", "ff", "if") or set(both) <= set("iu"):
        return np.result_type(dtype, added)
    return np.dtype(object)


def _beyond(log_odds, threshold, sign):
    """Return log-odds of the second class beyond those of a threshold.

    ``sign`` is 1 where the threshold is the second class's, else -1.
    """
    if threshold <= 0 or threshold > 1:  # always, or never
        never = threshold > 1
        return np.full(len(log_odds), -sign * np.inf if never else sign * np.inf)
    with np.errstate(invalid="ignore"):
        beyond = log_odds - sign * logit(threshold)
    # A probability of 1 reaches a threshold of 1.
    return np.where(np.isnan(beyond), sign * np.inf, beyond)


def column_of_positives(scores, positive_class):
    """Return the positive class's score, greater for more positive."""
    if scores.ndim == 2:
        return scores[:, positive_class]
    return scores if positive_class == 1 else -scores
