"""KerasClassifier's fit: weights, validation rows, seeds, steps, going on."""

import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.base import clone

from sklimb.keras import KerasClassifier
from tests.keras.networks import X, fitted, frozen, functional, logistic, mlp, y

# Weights


def test_the_callers_arrays_stay_as_they_are():
    features, labels = X.copy(), y.copy()
    weight = np.arange(1, len(y) + 1)
    classifier = KerasClassifier(logistic, class_weight="balanced")
    classifier.fit(features, labels, weight).fit(features, labels, weight)
    np.testing.assert_array_equal(weight, np.arange(1, len(y) + 1))
    np.testing.assert_array_equal(features, X)
    np.testing.assert_array_equal(labels, y)


def test_integer_weights_are_weights():
    whole = KerasClassifier(logistic, random_state=0).fit(X, y, np.full(len(y), 2))
    floats = KerasClassifier(logistic, random_state=0).fit(X, y, np.full(len(y), 2.0))
    np.testing.assert_array_equal(whole.predict_proba(X), floats.predict_proba(X))


def test_a_row_of_weight_zero_is_a_row_removed():
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    parameters = {"random_state": 0, "class_weight": "balanced", "epochs": 3}
    parameters |= {"validation_fraction": 0.2}
    weighted = KerasClassifier(mlp, **parameters).fit(X, y, weight)
    kept = weight > 0
    removed = KerasClassifier(mlp, **parameters).fit(X[kept], y[kept], weight[kept])
    np.testing.assert_array_equal(weighted.predict_proba(X), removed.predict_proba(X))
    assert weighted.history_ == removed.history_


def test_class_weight_is_sample_weight_by_class():
    by_class = fitted(class_weight={1: 3})
    by_row = KerasClassifier(logistic, epochs=5, random_state=0)
    by_row.fit(X, y, np.where(y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    np.testing.assert_array_equal(by_class.training_prior_, by_row.training_prior_)


@pytest.mark.parametrize(
    ("class_weight", "weight", "prior"),
    [
        (None, None, [0.8, 0.2]),
        ("balanced", None, [0.5, 0.5]),
        ({0: 1, 1: 4}, None, [0.5, 0.5]),
        (None, np.where(y == 1, 2.0, 1.0), [2 / 3, 1 / 3]),
        ("balanced", np.where(y == 1, 2.0, 1.0), [0.5, 0.5]),
        ({1: 2}, np.where(y == 1, 2.0, 1.0), [0.5, 0.5]),
    ],
)
def test_training_prior_is_the_share_of_weight(class_weight, weight, prior):
    classifier = KerasClassifier(logistic, class_weight=class_weight)
    classifier.fit(X, y, weight)
    np.testing.assert_allclose(classifier.training_prior_, prior)
    assert classifier.training_prior_.dtype == np.float64


def test_class_weight_given_to_fit_counts_as_well():
    classifier = KerasClassifier(logistic).fit(X, y, class_weight={0: 1, 1: 4})
    np.testing.assert_allclose(classifier.training_prior_, [0.5, 0.5])


# Validation rows


def test_validation_fraction_holds_out_a_share_of_each_class():
    sizes = []

    class Sizes(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            sizes.append(self.params["steps"])

    rare = np.zeros(len(y), dtype=int)
    rare[-10:] = 1
    classifier = KerasClassifier(
        logistic,
        validation_fraction=0.2,
        batch_size=1,
        callbacks=[Sizes()],
        random_state=0,
    ).fit(X, rare)
    assert sizes == [240]
    np.testing.assert_allclose(classifier.training_prior_, [232 / 240, 8 / 240])
    assert "val_loss" in classifier.history_


def test_val_loss_counts_every_row_once():
    parameters = {"validation_fraction": 0.5, "epochs": 1}
    plain = fitted(frozen, **parameters)
    weighted = fitted(frozen, class_weight={1: 100}, **parameters)
    assert plain.history_["val_loss"] == weighted.history_["val_loss"]
    assert plain.history_["loss"] != weighted.history_["loss"]


def test_validation_split_takes_the_last_rows_as_in_scikeras():
    parameters = {"validation_split": 0.25}
    ours = KerasClassifier(frozen, **parameters).fit(X, y)
    theirs = SciKerasClassifier(frozen, verbose=0, **parameters).fit(X, y)
    assert ours.history_["val_loss"] == pytest.approx(theirs.history_["val_loss"])
    np.testing.assert_allclose(ours.training_prior_[1], y[:225].mean())


def test_validation_data_may_have_any_labels():
    names = np.array(["no", "yes"])[y]
    classifier = KerasClassifier(logistic).fit(X, names, validation_data=(X, names))
    assert np.isfinite(classifier.history_["val_loss"]).all()


def test_early_stopping_on_ones_metric_works_in_every_fit():
    def build(meta):
        optimizer = keras.optimizers.Adam(0.05)
        return mlp(meta, optimizer=optimizer, metrics=[keras.metrics.AUC()])

    classifier = KerasClassifier(
        build,
        epochs=30,
        validation_fraction=0.3,
        callbacks=[
            keras.callbacks.EarlyStopping(
                monitor="val_auc", mode="max", patience=1, restore_best_weights=True
            )
        ],
        random_state=0,
    )
    for _ in range(2):  # Keras alone calls the second one's metric auc_1
        assert len(clone(classifier).fit(X, y).history_["val_auc"]) < 30


# Randomness and global state


def test_the_same_random_state_gives_the_same_bits():
    one, two, other = (fitted(mlp, random_state=s) for s in (1, 1, 2))
    assert one.history_ == two.history_
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.history_ != other.history_


@pytest.mark.parametrize("op_seed", [None, 5])
def test_random_ops_in_the_model_function_give_the_same_bits_too(op_seed):
    # TensorFlow's eager random ops go on where they stopped, if nobody stops them.
    def build(meta):
        model = mlp(meta)
        first = model.layers[0]
        kernel, *others = first.get_weights()
        first.set_weights([tf.random.normal(kernel.shape, seed=op_seed), *others])
        return model

    def outside():
        return tf.random.normal((3,), seed=op_seed).numpy()

    tf.random.set_seed(1)
    expected = [outside(), outside()]
    tf.random.set_seed(1)
    found = [outside()]
    one, two = (fitted(build, random_state=1) for _ in range(2))
    found.append(outside())
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    if op_seed is None:  # kernels with seeds of their own start again, as for all
        np.testing.assert_array_equal(found, expected)


def test_a_random_state_object_is_not_used_up():
    state = np.random.RandomState(0)
    before = state.get_state()[1].copy()
    one, two = (fitted(mlp, random_state=state) for _ in range(2))
    assert one.history_ == two.history_
    np.testing.assert_array_equal(state.get_state()[1], before)


def test_a_seeded_fit_leaves_no_global_state_behind():
    code = """
import random, numpy as np, tensorflow as tf
from keras.src.random.seed_generator import global_seed_generator
from tensorflow.python.framework import config
from sklimb.keras import KerasClassifier
from tests.keras.networks import mlp, imbalanced
X, y = imbalanced()
random.seed(5); np.random.seed(5); tf.random.set_seed(5)
def draws():
    return random.random(), np.random.rand(), float(tf.random.uniform(()))
expected = draws()
random.seed(5); np.random.seed(5); tf.random.set_seed(5)
KerasClassifier(mlp, random_state=0, epochs=2).fit(X, y)
assert not config.is_op_determinism_enabled()
assert draws() == expected
state = global_seed_generator().state.numpy().tolist()
KerasClassifier(mlp, random_state=0).fit(X, y)
assert global_seed_generator().state.numpy().tolist() == state
KerasClassifier(mlp).fit(X, y)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unseeded_fits_work_where_scikeras_left_determinism_on():
    code = """
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklimb.keras import KerasClassifier
from tests.keras.networks import logistic, imbalanced
X, y = imbalanced()
SciKerasClassifier(logistic, random_state=0, verbose=0).fit(X, y)
one, two = (KerasClassifier(logistic).fit(X, y).history_ for _ in range(2))
assert one != two
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_threads_get_the_bits_of_one():
    expected = fitted(mlp, random_state=0).history_
    found = []

    def work():
        found.append(fitted(mlp, random_state=0).history_)

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads.append(threading.Thread(target=fitted, args=(mlp,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected, expected]


def test_metric_names_go_on_counting_outside():
    first = keras.metrics.AUC().name
    fitted(mlp, model__metrics=[keras.metrics.AUC(name="mine")])
    assert keras.metrics.AUC().name != first


# Steps


def history_and_weights(classifier):
    weights = classifier._lease.network.model.get_weights()
    return classifier.history_, [w.tobytes() for w in weights]


def compiled_with(steps):
    def build(meta):
        model = mlp(meta)
        model.compile("adam", "binary_crossentropy", steps_per_execution=steps)
        return model

    return build


@pytest.mark.parametrize("batch_size", [7, 32, 300])
def test_fifty_steps_a_call_change_no_bit(batch_size):
    parameters = {"batch_size": batch_size, "validation_fraction": 0.2, "epochs": 3}
    many = fitted(mlp, **parameters)
    assert many.model_.steps_per_execution == 50

    class OnBatches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    one = fitted(mlp, callbacks=[OnBatches()], **parameters)
    assert one.model_.steps_per_execution == 1
    assert history_and_weights(one) == history_and_weights(many)


def test_the_users_steps_stay():
    assert fitted(compiled_with(3)).model_.steps_per_execution == 3


def test_eager_models_take_one_step():
    classifier = fitted(
        functional, loss="binary_crossentropy", run_eagerly=True, epochs=1
    )
    assert classifier.model_.steps_per_execution == 1
    assert classifier.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize("step", ["partial_fit", "fit"])
def test_going_on_runs_all_steps_whatever_the_callbacks(step):
    seen = []

    class OnBatches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    classifier = fitted(mlp, epochs=1, batch_size=30, warm_start=True)
    for callbacks in ([OnBatches()], None):
        classifier.set_params(callbacks=callbacks)
        before = classifier._lease.network.model.optimizer.iterations.numpy()
        getattr(classifier, step)(X, y)
        after = classifier._lease.network.model.optimizer.iterations.numpy()
        assert after - before == 10
    assert seen == list(range(10))


def ignore(number, logs=None):
    pass


@pytest.mark.parametrize(
    ("callback", "steps"),
    [
        (lambda p: keras.callbacks.EarlyStopping(monitor="loss"), 50),
        (lambda p: keras.callbacks.CSVLogger(p / "log.csv"), 50),
        (lambda p: keras.callbacks.ModelCheckpoint(p / "m.keras", monitor="loss"), 50),
        (lambda p: keras.callbacks.ModelCheckpoint(p / "m.keras", save_freq=5), 1),
        (lambda p: keras.callbacks.TerminateOnNaN(), 1),
        (lambda p: keras.callbacks.LambdaCallback(on_epoch_end=ignore), 50),
        (lambda p: keras.callbacks.LambdaCallback(on_train_batch_end=ignore), 1),
    ],
    ids=str.split("stopping csv checkpoint checkpoint_by_batch nan lambda by_batch"),
)
def test_keras_callbacks_at_epochs_do_not_slow_down(callback, steps, tmp_path):
    classifier = fitted(mlp, callbacks=[callback(tmp_path)], epochs=1)
    assert classifier.model_.steps_per_execution == steps


# Going on


def test_partial_fit_adds_epochs_and_rows():
    classifier = KerasClassifier(mlp, random_state=0)
    classifier.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
    np.testing.assert_allclose(classifier.training_prior_, [1, 0])
    classifier.partial_fit(X[y == 1], y[y == 1])
    np.testing.assert_allclose(classifier.training_prior_, [0.8, 0.2])
    assert len(classifier.history_["loss"]) == 2
    assert classifier.current_epoch == 2


def test_bad_rows_do_not_harm_a_network_that_goes_on():
    classifier = fitted(mlp)
    proba = classifier.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        classifier.partial_fit(np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match=r"label .*7"):
        classifier.partial_fit(X, np.where(y == 1, 7, 0))
    np.testing.assert_array_equal(classifier.predict_proba(X), proba)


def test_warm_start_goes_on_from_the_last_weights():
    classifier = fitted(mlp, warm_start=True, epochs=3)
    last = classifier.history_["loss"][-1]
    classifier.fit(X, y)
    assert len(classifier.history_["loss"]) == 3
    assert classifier.history_["loss"][0] < last * 1.2


def test_initialize_builds_without_training():
    template = functional({"n_features_in_": 4})
    classifier = KerasClassifier(template, loss="binary_crossentropy")
    classifier.initialize(X, y)
    np.testing.assert_allclose(
        classifier.predict_proba(X)[:, 1:], template.predict(X, verbose=0), atol=1e-6
    )
