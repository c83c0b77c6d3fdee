import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from sklimb import (
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.thresholds import ThresholdRule, rule_in_words

X, y = make_classification(600, weights=[0.9], random_state=0)


def view_of(estimator):
    """Return what stands below scikit-learn's diagram."""
    return estimator._repr_html_().partition('<table class="sklimb-rule"')[2]


def test_what_is_not_fitted_has_only_scikit_learns_diagram():
    aware = ImbalanceAwareClassifier(LogisticRegression())
    assert "sk-container" in aware._repr_html_()
    assert view_of(aware) == ""


def test_a_fitted_one_shows_priors_and_the_rule():
    aware = ImbalanceAwareClassifier(
        LogisticRegression(),
        class_weight="balanced",
        target_prior=0.01,
        scoring="f1",
        constraints={"recall": (0.5, None)},
        random_state=0,
    ).fit(X, y)
    view = view_of(aware)
    threshold = aware.decision_rule_["threshold"]
    low, high = aware.estimator_.threshold_interval_
    for said in (
        "Corrected from</th>",
        "0: 50 %, 1: 50 %",
        "0: 99 %, 1: 1 %",
        f"It calls a row positive (1) where its probability is at least "
        f"{threshold:.3g}.",
        f"{low:.3g} to {high:.3g}",
        "f1, within {&#x27;recall&#x27;: (0.5, None)}",
        f"{aware.estimator_.best_score_:.3g}</td>",
    ):
        assert said in view


def test_a_layer_without_a_decision_shows_its_priors_only():
    view = view_of(ClassWeightedClassifier(LogisticRegression()).fit(X, y))
    assert "Probabilities at" in view
    assert "Decision" not in view


def test_labels_are_escaped():
    labels = [("<script>alert(1)</script>", "b")[value] for value in y]
    view = view_of(ImbalanceAwareClassifier(LogisticRegression()).fit(X, labels))
    assert "<script>" not in view
    assert "&lt;script&gt;" in view


def test_a_stale_threshold_says_so():
    corrected = PriorCorrectedClassifier(LogisticRegression())
    tuned = OptimalThresholdClassifierCV(corrected).fit(X, y)
    tuned.estimator_.set_target_prior(0.3)
    assert "The threshold was chosen at the target prior" in view_of(tuned)


def test_decision_values_are_not_called_probabilities():
    tuned = OptimalThresholdClassifierCV(LinearSVC()).fit(X, y)
    assert "its decision value is at least" in view_of(tuned)


def test_costs_of_rows_are_named_as_the_aim():
    cost = [[0, 1] if value == 0 else [5, 0] for value in y]
    tuned = OptimalThresholdClassifierCV(LogisticRegression())
    assert "the least cost" in view_of(tuned.fit(X, y, sample_cost=cost))


def test_of_many_classes_the_most_frequent_are_shown():
    labels = (y + 2 * (X[:, 0] > 0)) * 10 + (abs(X[:, 1] * 1000).astype(int) % 5)
    view = view_of(ClassWeightedClassifier(LogisticRegression()).fit(X, labels))
    assert " and 10 rarer</td>" in view


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (ThresholdRule([0, 1]), "It takes the class of the greatest probability."),
        (
            ThresholdRule(["a", "b"], threshold=0.25),
            "It calls a row positive ('b') where its probability is at least 0.25.",
        ),
        (
            ThresholdRule([0, 1, 2], threshold=[0.5, 1, float("inf")]),
            "It takes the class whose probability over its threshold (0.5 for 0, 1 for "
            "1, never for 2) is greatest.",
        ),
        (
            ThresholdRule([0, 1], cost_matrix=[[0, 1], [5, 0]]),
            "It takes the class of the least expected cost.",
        ),
        (
            ThresholdRule([0, 1], reject_cost=0.2, reject_label=-1),
            "It takes the class of the greatest probability. It leaves rows whose "
            "greatest probability is below 0.8 undecided (-1).",
        ),
        (
            ThresholdRule(
                [0, 1], cost_matrix=[[0, 1], [5, 0]], reject_cost=0.2, reject_label="?"
            ),
            "It takes the class of the least expected cost. It leaves rows whose least "
            "expected cost is above 0.2 undecided ('?').",
        ),
    ],
)
def test_a_rule_in_words(rule, words):
    assert rule_in_words(rule.to_dict()) == words
