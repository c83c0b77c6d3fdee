"""What a classifier with a threshold does: ask its rule, and name the class."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklimb._base import BaseImbalanceClassifier, inner_has
from sklimb._outputs import class_scores, has_probabilities, log_probabilities
from sklimb._steps import fitted
from sklimb._training_data import by_training_data
from sklimb._validation import as_labels, check_pos_label, check_threshold, is_number
from sklimb.exceptions import BinaryOnlyError
from sklimb.thresholds._rule import ThresholdRule
from sklimb.thresholds._unreachable import warn_of_unreachable_classes

__all__ = [
    "BaseThresholdClassifier",
    "FixedThresholdClassifier",
    "SampleCostMixin",
    "check_fits_rule",
    "check_two_classes",
]


def check_two_classes(
    classes,
    remedy="For several classes, use the class of the greatest probability: "
    "PriorCorrectedClassifier, or `threshold`=None.",
):
    """Raise where there are more than two classes.

    Raises
    ------
    BinaryOnlyError
        For three or more.
    """
    if len(classes) > 2:
        # scikit-learn's own checks look for the first sentence.
        raise BinaryOnlyError(
            f"Only binary classification is supported. `y` has {len(classes)} classes, "
            f"{as_labels(classes)}. {remedy}"
        )


def check_fits_rule(estimator, rule):
    """Raise where an estimator's scores are not what a rule decides on.

    Raises
    ------
    TypeError
        If it has no probabilities and the rule needs them.
    """
    if rule.needs_probabilities and not has_probabilities(estimator):
        raise TypeError(
            f"`estimator`={type(estimator).__name__} has no predict_proba, which "
            "costs, `reject_cost` and a threshold for each class need. Wrap a "
            "classifier that has it (SVC: probability=True), or give one threshold."
        )


class BaseThresholdClassifier(BaseImbalanceClassifier):
    """Predict what a rule decides on the wrapped classifier's scores.

    A subclass has ``pos_label`` and says the rule by ``_rule()``.
    """

    _passes_probabilities = True

    def predict(self, X):
        """Predict what the rule decides.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self, "estimator_")
        rule = self._rule()
        numbers = rule.numbers(class_scores(self.estimator_, X))
        return rule.labels(numbers, self.classes_)

    @available_if(inner_has("decision_function"))
    def decision_function(self, X):
        """Return values that agree with ``predict``, as everywhere in scikit-learn.

        Two classes: log-odds of ``classes_[1]`` beyond those of the threshold,
        above 0 for ``classes_[1]``; without probabilities the wrapped decision
        function less the threshold. More: the greatest is of the class that is
        predicted. Rejection leaves them as they are.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), float64
        """
        check_is_fitted(self, "estimator_")
        rule = self._rule()
        if has_probabilities(self.estimator_):
            return rule.log_scores(log_probabilities(self.estimator_, X))
        sign = 1 if rule.pos_label == rule.classes[1] else -1
        return self.estimator_.decision_function(X) - sign * rule.threshold

    def _positive_label(self, classes):
        """Return the positive class's label, None where there are more than two."""
        number = check_pos_label(self.pos_label, classes)
        return as_labels(classes)[number] if len(classes) == 2 else None

    def _is_binary_only(self):
        return False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self._is_binary_only():
            tags.classifier_tags.multi_class = False
        return tags


class SampleCostMixin:
    """``fit`` takes what each decision costs for each row."""

    @by_training_data
    def fit(self, X, y, sample_weight=None, sample_cost=None, **params):
        """Fit to training data.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of n_rows rows
            Whatever the wrapped estimator takes.
        y : array-like of shape (n_rows,)
            Labels of any type.
        sample_weight : array-like of shape (n_rows,), default=None
            How much each row counts; a row of weight 0 is a row removed.
        sample_cost : array-like of shape (n_rows, n_classes), default=None
            What it costs to predict each class for the row. The threshold then
            has the least cost out of fold.
        **params : dict
            Parameters of the wrapped estimator's ``fit``; ``groups`` goes to
            the splitter where there is one, and to a network that holds out
            validation rows. With metadata routing enabled, whatever was
            requested.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter, the labels, weights or costs are not valid.
        """
        if sample_cost is not None:
            params["sample_cost"] = sample_cost
        return super().fit(X, y, sample_weight, **params)


class FixedThresholdClassifier(BaseThresholdClassifier):
    """Decide by given thresholds or costs.

    scikit-learn's class of this name takes no ``sample_weight`` without
    metadata routing, and is for two classes.

    Parameters
    ----------
    estimator : classifier
    threshold : float, array-like, mapping, "bayes" or None
        Two classes: a float in [0, 1], the positive class where its
        probability is at least that. Any number of classes: one above 0 for
        each, as an array of shape (n_classes,) or a mapping ``{label:
        threshold}``; the class whose probability over its threshold is
        greatest, never one whose threshold is inf. ``"bayes"``: the class of
        least expected cost. None: the class of the greatest probability.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"bayes"`` and ``reject_cost``: rows are true classes, columns
        predicted ones.
    reject_cost : float, default=None
        Rows whose least expected cost is higher are given ``reject_label``;
        without ``cost_matrix`` every error costs 1. None rejects none.
    reject_label : label, default=None
        Not one of the classes.
    pos_label : label, default=None
        The positive class; None for ``classes_[1]``.

    Attributes
    ----------
    rule_ : ThresholdRule
        What decides.
    """

    _parameter_constraints = {
        **BaseImbalanceClassifier._parameter_constraints,
        "threshold": "no_validation",  # the rule tells more
        "cost_matrix": "no_validation",
        "reject_cost": "no_validation",
        "reject_label": "no_validation",
        "pos_label": "no_validation",
    }

    def __init__(
        self,
        estimator,
        *,
        threshold,
        cost_matrix=None,
        reject_cost=None,
        reject_label=None,
        pos_label=None,
    ):
        super().__init__(estimator)
        self.threshold = threshold
        self.cost_matrix = cost_matrix
        self.reject_cost = reject_cost
        self.reject_label = reject_label
        self.pos_label = pos_label

    def _fit(self, data):
        rule = self._new_rule(data.classes)
        check_fits_rule(self.estimator, rule)
        if rule.is_bayes:
            warn_of_unreachable_classes(rule.cost_matrix, data.classes)
        estimator = yield from fitted(self._new_estimator(), data)
        return {"estimator_": estimator, "rule_": rule}

    def _new_rule(self, classes):
        return ThresholdRule(
            classes,
            threshold_of_rule(self.threshold, self.cost_matrix, classes),
            self._positive_label(classes),
            self.cost_matrix,
            self.reject_cost,
            self.reject_label,
        )

    def _rule(self):
        return self.rule_

    def _is_binary_only(self):
        return is_number(self.threshold)


def threshold_of_rule(threshold, cost_matrix, classes):
    """Return a given threshold as :class:`ThresholdRule` takes it.

    Raises
    ------
    ValueError
        If it is another text than "bayes", no number in [0, 1], or doesn't go
        with the costs.
    BinaryOnlyError
        If it is one number for more than two classes.
    """
    if isinstance(threshold, str):
        if threshold != "bayes":
            raise ValueError(
                f"`threshold`={threshold!r} must be 'bayes', a number in [0, 1], one "
                "above 0 for each class, or None for the class of the greatest "
                "probability."
            )
        if cost_matrix is None:
            raise ValueError(
                "`threshold`='bayes' decides for the least expected cost, and "
                "`cost_matrix` is None. Give one row for each true class and one "
                "column for each predicted class."
            )
        return None
    if threshold is None and cost_matrix is not None:
        raise ValueError(
            "`threshold`=None predicts the class of the greatest probability, whatever "
            "`cost_matrix` says. Set `threshold`='bayes', or leave out the costs."
        )
    if is_number(threshold):
        check_threshold(threshold)
        check_two_classes(classes, "Give `threshold` one number for each class.")
    return threshold
