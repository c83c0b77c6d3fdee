"""Programs that were traced once run again for jobs of the same kind."""

import keras
import pytest
import tensorflow as tf

from sklimb._training_data import TrainingData
from sklimb.keras import KerasClassifier
from sklimb.keras.replica_cache import ProgramCache
from sklimb.keras.replica_fit import fit_replicas
from tests.keras.networks import imbalanced, logistic

DATA = tf.zeros((6, 2)), tf.zeros((6, 1))


def network(units=1):
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(units)])
    model.compile("sgd", "mse")
    return model


def lent(programs, model, n_replicas=2, data=DATA):
    with programs.lent(model, n_replicas, data) as found:
        return found


def test_networks_alike_but_for_values_share_a_program():
    programs = ProgramCache()
    first = lent(programs, network())
    assert lent(programs, network()) is first
    assert lent(programs, network(), data=(tf.ones((9, 2)), tf.ones((9, 1)))) is first


def test_other_structures_numbers_and_kinds_of_data_do_not():
    programs = ProgramCache()
    doubles = tf.zeros((6, 2), tf.float64), DATA[1]
    found = [
        lent(programs, network()),
        lent(programs, network(2), data=(DATA[0], tf.zeros((6, 2)))),
        lent(programs, network(), n_replicas=3),
        lent(programs, network(), data=doubles),
    ]
    assert len(set(map(id, found))) == len(programs) == 4


def test_a_program_that_runs_is_nobody_elses():
    programs, model = ProgramCache(), network()
    with programs.lent(model, 2, DATA) as one, programs.lent(model, 2, DATA) as other:
        assert one is not other


def test_the_oldest_are_forgotten():
    programs = ProgramCache(most_programs=1)
    first = lent(programs, network())
    lent(programs, network(), n_replicas=1)
    assert len(programs) == 1
    assert lent(programs, network()) is not first


def test_a_program_that_failed_is_not_used_again():
    programs = ProgramCache()
    with pytest.raises(RuntimeError), programs.lent(network(), 2, DATA):
        raise RuntimeError
    assert len(programs) == 0


def test_the_users_model_is_never_lent():
    programs, model = ProgramCache(), network()
    assert lent(programs, model).model is not model


def test_few_steps_are_left_to_fit():
    X, y = imbalanced()
    data = TrainingData.check(X, y)

    def reasons(epochs):
        estimators = [
            KerasClassifier(logistic, epochs=epochs, random_state=0) for _ in range(2)
        ]
        return [fit.reason for fit in fit_replicas(estimators, [data] * 2)]

    few = "20 steps in all are trained faster than a program is traced"
    assert reasons(epochs=1) == [few] * 2
    assert reasons(epochs=70) == [None] * 2
