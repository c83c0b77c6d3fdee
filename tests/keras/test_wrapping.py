"""Meta-estimators around every kind of Keras wrapper, in scikit-learn's tools."""

import numpy as np
import pytest
import scikeras.wrappers
from keras import Input, Sequential, layers
from keras.wrappers import SKLearnClassifier
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import (
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
)
from sklimb.keras import KerasClassifier
from sklimb.priors import correct_log_proba
from tests.data import imbalanced

X, y = imbalanced(900)
NAMES = np.array(["no", "yes"])


def network(n_outputs, activation, hidden=4):
    model = Sequential(
        [
            Input((X.shape[1],)),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(n_outputs, activation=activation),
        ]
    )
    loss = "binary_crossentropy" if n_outputs == 1 else "categorical_crossentropy"
    model.compile("adam", loss)
    return model


def one_sigmoid(hidden=4):
    return network(1, "sigmoid", hidden)


def two_softmaxes(X, y):
    return network(2, "softmax")


WRAPPERS = {
    "sklimb": KerasClassifier(one_sigmoid, epochs=2, batch_size=50, random_state=0),
    "scikeras": scikeras.wrappers.KerasClassifier(
        one_sigmoid, epochs=2, batch_size=50, verbose=0, random_state=0
    ),
    "keras": SKLearnClassifier(two_softmaxes),
}


def fit_params(name):
    # A clone of Keras's own wrapper loses its fit_kwargs.
    return {"epochs": 2, "batch_size": 50, "verbose": 0} if name == "keras" else {}


@pytest.mark.parametrize("labels", [np.array([0, 1]), NAMES], ids=["0/1", "strings"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_the_whole_line_works_around_every_wrapper(name, labels):
    flat = ImbalanceAwareClassifier(WRAPPERS[name], class_weight="balanced", cv=2)
    flat.fit(X, labels[y], **fit_params(name))
    proba = flat.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(flat.decision_rule_["training_prior"], [0.5, 0.5])
    positive = proba[:, 1] >= flat.decision_rule_["threshold"]
    np.testing.assert_array_equal(flat.predict(X), labels[positive.astype(int)])


def test_the_threshold_around_a_bare_scikeras_classifier_uses_stratified_folds():
    order = np.argsort(y, kind="stable")
    model = OptimalThresholdClassifierCV(WRAPPERS["scikeras"], cv=2)
    model.fit(X[order], y[order])
    folds, labels = model.out_of_fold_.fold, model.out_of_fold_.class_numbers
    shares = [labels[folds == k].mean() for k in (0, 1)]
    np.testing.assert_allclose(shares, y.mean(), atol=0.01)


def test_correction_starts_from_logits_where_probabilities_saturate():
    flat = PriorCorrectedClassifier(WRAPPERS["sklimb"], target_prior=1e-6)
    flat.fit(X, y)
    far = X * 1e4  # float32 probabilities are 0 and 1 out there
    logits = flat.estimator_.decision_function(far)
    log_proba = -np.logaddexp(0, np.column_stack([logits, -logits]))
    expected = correct_log_proba(log_proba, y.mean(), 1e-6)
    np.testing.assert_allclose(flat.predict_log_proba(far), expected, rtol=1e-5)
    assert len(np.unique(flat.decision_function(far))) > 850


def test_a_class_weight_of_the_network_keeps_the_ledger():
    balanced = KerasClassifier(one_sigmoid, class_weight="balanced", random_state=0)
    corrected = PriorCorrectedClassifier(balanced).fit(X, y)
    np.testing.assert_allclose(corrected.source_prior_, [0.5, 0.5])
    with pytest.raises(ValueError, match="two levels"):
        ClassWeightedClassifier(balanced).fit(X, y)


def test_a_pipeline_with_all_layers_can_be_searched():
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("clf", ImbalanceAwareClassifier(WRAPPERS["sklimb"])),
        ]
    )
    search = GridSearchCV(
        pipeline,
        {
            "clf__class_weight": [None, "balanced", {0: 1, 1: 20}],
            "clf__threshold": [0.1, 0.3, 0.5],
            "clf__estimator__model__hidden": [2, 4],
        },
        scoring="average_precision",
        cv=2,
    ).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (18,)
    assert np.isfinite(scores).all()


def test_cross_validation_by_a_scorer_of_ones_own():
    flat = ImbalanceAwareClassifier(WRAPPERS["sklimb"], cv=2)
    scorer = make_scorer(fbeta_score, beta=2)
    assert np.isfinite(cross_val_score(flat, X, y, cv=2, scoring=scorer)).all()


def test_random_state_outside_makes_the_network_repeatable():
    open_seed = KerasClassifier(one_sigmoid, epochs=2, batch_size=50)
    flat = ImbalanceAwareClassifier(open_seed, cv=2, random_state=3)
    a = flat.fit(X, y).predict_proba(X)
    b = flat.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(a, b)


def test_any_number_of_jobs_gives_the_same_bits():
    one = ImbalanceAwareClassifier(WRAPPERS["sklimb"], cv=2, n_jobs=1).fit(X, y)
    two = ImbalanceAwareClassifier(WRAPPERS["sklimb"], cv=2, n_jobs=2).fit(X, y)
    assert one.decision_rule_ == two.decision_rule_
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_what_keras_own_wrapper_calls_decision_function_is_not_taken_for_one():
    weighted = ClassWeightedClassifier(WRAPPERS["keras"])
    weighted.fit(X, y, **fit_params("keras"))
    assert not hasattr(weighted, "decision_function")
    assert weighted.predict_proba(X).shape == (len(X), 2)
