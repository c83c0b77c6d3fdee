"""Out-of-fold probabilities that are out of fold for their calibration too."""

import numpy as np
import pytest
from scipy.special import log_softmax

from sklimb._out_of_fold import OutOfFold
from sklimb.calibrating import cross_fitted
from sklimb.calibration import fit_calibration


def out_of_fold(rows, fold):
    random = np.random.default_rng(0)
    return OutOfFold(
        scores=log_softmax(random.normal(size=(len(rows), 2)), axis=1),
        class_numbers=(np.asarray(rows) % 10 == 0).astype(int),
        sample_weight=random.random(len(rows)),
        fold=np.asarray(fold),
        rows=np.asarray(rows),
        target_priors=[[0.9, 0.1]] * (max(fold) + 1),
    )


FOLDS = out_of_fold(range(100), np.arange(100) // 25)
HOLD_OUT = out_of_fold(range(100), np.zeros(100, dtype=int))
OVERLAP = out_of_fold([*range(60), *range(40, 100)], np.arange(120) // 60)


@pytest.mark.parametrize("scored", [FOLDS, HOLD_OUT, OVERLAP])
def test_no_row_has_a_part_in_its_own_calibration(scored):
    parts = scored.dealt().fold
    for part in set(parts):
        own = parts == part
        assert not set(scored.rows[own]) & set(scored.rows[~own])
        fitted = fit_calibration(
            scored.scores[~own],
            scored.class_numbers[~own],
            sample_weight=scored.sample_weight[~own],
        )
        np.testing.assert_array_equal(
            cross_fitted(scored, "bias_corrected_temperature").scores[own],
            np.exp(fitted.apply(scored.scores[own])),
        )


def test_parts_are_the_folds_or_fifths_of_each_class():
    np.testing.assert_array_equal(FOLDS.dealt().fold, FOLDS.fold)
    for scored in (HOLD_OUT, OVERLAP):
        _, first = np.unique(scored.rows, return_index=True)
        parts, numbers = scored.dealt().fold[first], scored.class_numbers[first]
        np.testing.assert_array_equal(np.bincount(parts[numbers == 0]), [18] * 5)
        np.testing.assert_array_equal(np.bincount(parts[numbers == 1]), [2] * 5)
