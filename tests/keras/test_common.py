"""scikit-learn's common checks."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklimb.keras import KerasClassifier
from tests.keras.networks import logistic

MINI_BATCHES = (
    "A row of weight 2 is in one mini-batch, a row that is there twice in two."
)
EXPECTED_FAILURES = {
    "check_mixin_order": "SciKeras names BaseEstimator before ClassifierMixin.",
    "check_estimator_tags_renamed": "SciKeras still has the tags of sklearn < 1.6.",
    "check_sample_weight_equivalence_on_dense_data": MINI_BATCHES,
    "check_sample_weight_equivalence_on_sparse_data": MINI_BATCHES,
}

CHECKS = list(
    estimator_checks_generator(
        KerasClassifier(logistic, epochs=20, batch_size=16),
        expected_failed_checks=EXPECTED_FAILURES,
        mark="xfail",
    )
)


def name_of(check):
    # Not the estimator: the address in its repr differs between xdist's workers.
    return check.func.__name__ if hasattr(check, "func") else "KerasClassifier"


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=name_of)
def test_keeps_scikit_learns_contract(estimator, check):
    check(estimator)
