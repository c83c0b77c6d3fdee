"""Optimizers that train many copies of a network as they train one."""

import pytest
from keras import optimizers

from tests.keras.test_replicas import assert_equal_to_fit, network

OPTIMIZERS = {
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "sgd": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "nadam": lambda: optimizers.Nadam(0.01),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "adamax": lambda: optimizers.Adamax(0.01),
    "ftrl": lambda: optimizers.Ftrl(0.05),
    "adagrad": lambda: optimizers.Adagrad(0.05),
    "lion": lambda: optimizers.Lion(0.01),
    "clipvalue": lambda: optimizers.Adam(0.01, clipvalue=0.01),
    "clipnorm": lambda: optimizers.Adam(0.01, clipnorm=0.01),
    "global_clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.05),
    "schedule": lambda: optimizers.Adam(
        optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    ),
    "ema": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "lamb": lambda: optimizers.Lamb(0.01),
    "adafactor": lambda: optimizers.Adafactor(0.05),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_replica_equals_keras_fit(name):
    assert_equal_to_fit(lambda: network("dense", OPTIMIZERS[name]()))
