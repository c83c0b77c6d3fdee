"""What lies behind KerasClassifier: from rows to a trained network, and back."""

import copy
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from sklearn.utils.validation import check_is_fitted

from sklimb._base import as_seed
from sklimb._compat import routed_parameters
from sklimb._ledger import shown, warn_if_balanced_twice
from sklimb._seeds import layer_seed
from sklimb._validation import as_labels
from sklimb.exceptions import NonFiniteModelError
from sklimb.keras._internals import copy_of_model, isolated, with_metrics_by_weight
from sklimb.keras.batches import BalancedPlan, check_all_classes, check_batches
from sklimb.keras.checked import CheckedInputs
from sklimb.keras.feed import Feed, FitTask, PlainPlan, gathered
from sklimb.keras.logits import Prediction
from sklimb.keras.pool import RestingNetwork, default_pool, lease
from sklimb.keras.prediction import as_batch, number_of_rows
from sklimb.keras.rows import Rows, split_validation, validation_weights
from sklimb.keras.targets import (
    check_units,
    encode_targets,
    loss_name,
    single_loss,
    weights_of_classes,
)
from sklimb.keras.training import (
    REMEDY,
    fit_quietly,
    leaves_model_alone,
)
from sklimb.priors import class_numbers

__all__ = ["NetworkEstimator"]

# Predicted after each fit, to find out whether the network gives probabilities.
SAMPLE_ROWS = 1024


class NetworkEstimator(CheckedInputs):
    """The steps that all kinds of fit and of prediction share.

    Fit: prepare the rows, hold some out, get a compiled network, train it,
    check it, publish.
    """

    # SciKeras's model building reads it; here seeds are set around that.
    _random_state = None
    _keeps_prior_ledger = True  # publishes training_prior_

    @property
    def model_(self):
        """The trained network; once looked at, it is never trained for others."""
        return self._held().shown()

    @property
    def initialized_(self):
        """Whether there is a network to predict with."""
        return "_lease" in vars(self)

    def __sklearn_is_fitted__(self):
        return self.initialized_

    def _held(self):
        check_is_fitted(self)
        if self._rests:
            with isolated(self._seed()):  # as it was when the pool got the network
                self._lease = self._lease.awake()
        return self._lease

    @property
    def _rests(self):
        return isinstance(vars(self).get("_lease"), RestingNetwork)

    def _rest(self):
        """Keep the network's values alone until it is used again."""
        if not self._rests:
            self._lease = self._lease.rested()

    # Rows

    def _encode_labels(self, numbers):
        loss = self._lease.network.model.loss
        return encode_targets(numbers, self.n_classes_, self._n_units, loss)

    # Fit

    def _fit_args(self, kwargs):
        args = routed_parameters(self, "fit", self._fit_kwargs)
        args = {k: v for k, v in args.items() if not k.startswith("callbacks")}
        return args | kwargs

    def _fit_data(self, data):
        """Fit on row numbers of a meta-estimator's :class:`TrainingData`."""
        return self._fit_rows(*self._taken(data))

    def _taken(self, data):
        """Return clean rows, arguments of ``fit``, groups, and rows held out."""
        goes_on = self.warm_start and self.initialized_
        rows = self._prepare(
            data.source, data.y, data.sample_weight, goes_on, index=data.rows
        )
        params = dict(data.fit_params)
        groups = params.pop("groups", None)
        args = {"initial_epoch": 0} | self._fit_args(params)
        return rows, args, groups, data.validation

    def _fit_rows(self, rows, args, groups=None, held_out=None, adds_up=False):
        """Train on clean rows; whatever fails leaves nothing behind."""
        with self._all_or_nothing():
            task = self._task(rows, args, groups, held_out)
            self._finish(task, self._train(task), adds_up)
        return self

    def _task(self, rows, args, groups=None, held_out=None):
        """Get a network, and return what it is to be trained with."""
        own_weights = args.pop("class_weight", self.class_weight)
        last = args.pop("validation_split", 0.0)
        if held_out is None:
            rows, held_out = self._hold_out(rows, last, groups)
        else:
            held_out = self._held_out_elsewhere(held_out)
        self._get_network(rows)
        rows = self._encoded(rows)
        class_weights = weights_of_classes(
            own_weights, rows.numbers, rows.weight, self.classes_
        )
        size, validation_size = _batch_sizes(args, len(rows.numbers))
        plan = self._plan(rows, size, args)
        validation = self._validation(
            args, validation_size, held_out, class_weights, last
        )
        callbacks = self._callbacks("fit") + list(args.pop("callbacks", None) or [])
        return FitTask(rows, class_weights, plan, validation, callbacks, args)

    def _finish(self, task, history, adds_up=False):
        """Check the trained network, and publish what its training gave."""
        self._check_network(task.rows, task.class_weights)
        mass = self._mass(task.rows, task.class_weights, task.plan)
        self._publish_prior(mass, adds_up)
        self._publish_history(history, task.args["initial_epoch"])

    def _split_validation(self, numbers, groups=None, last=None):
        """Return the rows to train on and to validate with, or None for no split."""
        if last is None:
            last = self._fit_args({}).get("validation_split", 0.0)
        fraction = self.validation_fraction
        return split_validation(numbers, fraction, last, groups, self._seed())

    def _hold_out(self, rows, last, groups):
        parts = self._split_validation(rows.numbers, groups, last)
        return (rows, None) if parts is None else tuple(map(rows.take, parts))

    def _held_out_elsewhere(self, data):
        X = self._check_X(data.source, reset=False)
        return Rows(X, class_numbers(data.y, self.classes_), index=data.rows)

    def _plan(self, rows, batch_size, args):
        """Decide which rows each batch of each epoch takes."""
        shuffle = args.pop("shuffle", True)
        seed = self._seed()
        if seed is None:  # np.random.seed and keras.utils.set_random_seed count
            seed = np.random.randint(2**31)  # noqa: NPY002
        random = np.random.default_rng([seed, args["initial_epoch"]])
        if self.batches is None:
            return PlainPlan(len(rows.numbers), batch_size, shuffle, random)
        prior = check_batches(self.batches, self.classes_, batch_size)
        check_all_classes(rows.numbers, self.classes_)
        marks = None if self.batches.augment is None else self.batches.augment_rows
        return BalancedPlan(rows.numbers, prior, batch_size, marks, random)

    def _take_network(self, rows):
        with self._all_or_nothing():
            self._get_network(rows)
            self._publish_prior(rows.class_mass(np.ones(self.n_classes_)))
        return self

    @contextmanager
    def _all_or_nothing(self):
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _forget(self):
        private = ["_lease", "_n_units", "_class_mass", "_is_replica"]
        for name in [n for n in vars(self) if n.endswith("_") or n in private]:
            del vars(self)[name]

    def _get_network(self, rows):
        if self.initialized_:
            self._held().to_change()
            return
        self._fit_feature_encoder(rows)
        places = np.arange(min(len(rows.numbers), 2))
        two_rows = gathered(self._encoded(rows.take(places)), places)
        with isolated(self._seed()):
            template = self._compiled_model()
            sample = template.predict_step((as_batch(two_rows),))  # builds it
            shapes = [output.shape for output in tf.nest.flatten(sample)]
            self._n_units = check_units(shapes, self.classes_)
            self._lease = lease(template, default_pool)

    def _compiled_model(self):
        """Return what the model function builds, or a copy of the model object."""
        model = self._build_keras_model()
        if model is self.model:
            model = copy_of_model(model)
        if not isinstance(model, keras.Model):
            raise TypeError(
                f"`model` returned a {type(model).__name__}; it must return a "
                "keras.Model."
            )
        if not model.compiled:
            model.compile(**self._get_compile_kwargs())
        self._check_compiled(model)
        if self.validation_weight is not None:
            with_metrics_by_weight(model)
        return model

    def _check_compiled(self, model):
        if not model.loss or model.optimizer is None:
            raise ValueError(
                "`loss`=None, and `model` is not compiled with one. Give `loss`, or "
                "compile the model."
            )
        if self.loss is not None and loss_name(self.loss) != loss_name(model.loss):
            raise ValueError(
                f"`loss`={self.loss!r}, but `model` is compiled with {model.loss!r}. "
                "Leave one of them out."
            )

    def _get_compile_kwargs(self):
        kwargs = super()._get_compile_kwargs()
        # Keras ties an optimizer and metrics to one model; the user's stay untied.
        for name in ("optimizer", "metrics"):
            kwargs[name] = copy.deepcopy(kwargs[name])
        for name in ("loss", "metrics"):
            kwargs[name] = tf.nest.map_structure(_name_of_kerass_own, kwargs[name])
        return kwargs

    def _validation(self, args, batch_size, held_out, class_weights, weighted):
        """Return what Keras validates with: a feed, the user's arrays, or None."""
        data = args.pop("validation_data", None)
        if held_out is not None and data is not None:
            raise ValueError(
                "`validation_data` is given, and `validation_fraction` or "
                "`validation_split` holds out rows as well. Give one of them."
            )
        if held_out is not None:
            rows = self._encoded(held_out)
            weight = self._validation_row_weights(rows, class_weights, weighted)
            size = len(rows.numbers) if batch_size == -1 else batch_size
            plan = PlainPlan(len(rows.numbers), size)
            return Feed(rows, self._encode_labels(rows.numbers), weight, plan)
        if self.validation_weight is not None:
            raise ValueError(
                f"`validation_weight`={self.validation_weight!r} weights rows that "
                "were held out, but none were: `validation_data` is measured as it "
                "is. Give `validation_fraction`, or leave `validation_weight` out."
            )
        if not isinstance(data, tuple | list):
            return data
        X, y, *weight = data
        X = self._encode_features(self._check_X(X, reset=False))
        if np.ndim(y) == 1:
            y = self._encode_labels(class_numbers(y, self.classes_))
        args["validation_batch_size"] = len(y) if batch_size == -1 else batch_size
        return X, y, *weight

    def _validation_row_weights(self, rows, class_weights, weighted):
        if self.validation_weight is not None:
            return validation_weights(
                rows.numbers, self.validation_weight, self.classes_
            )
        # Rows of `validation_fraction` count as they are, once each.
        return rows.loss_weight(class_weights) if weighted else None

    def _train(self, task):
        if not leaves_model_alone(task.callbacks):
            self._lease.shown()
        training = Feed(
            task.rows,
            self._encode_labels(task.rows.numbers),
            task.weight,
            task.plan,
            getattr(self.batches, "augment", None),
        )
        return fit_quietly(
            self._lease.network,
            training,
            task.validation,
            task.callbacks,
            self._seed(),
            self._described(task.class_weights),
            **task.args,
        )

    def _callbacks(self, step):
        self._initialize_callbacks()
        callbacks = {"fit": self._fit_callbacks, "predict": self._predict_callbacks}
        del self._fit_callbacks, self._predict_callbacks
        return list(callbacks[step])

    def _seed(self):
        return as_seed(self.random_state)

    def _layer_seed(self):
        """Return what networks in one program share where layers draw at random."""
        return layer_seed(self._seed())

    def _described(self, class_weights):
        labels = as_labels(self.classes_)
        return f"class weights {dict(zip(labels, class_weights.tolist(), strict=True))}"

    def _check_network(self, rows, class_weights):
        places = np.arange(min(len(rows.numbers), SAMPLE_ROWS))
        try:
            self._predicted(gathered(rows, places)).proba()
        except NonFiniteModelError as error:
            details = self._described(class_weights)
            raise NonFiniteModelError(f"{error} Trained with {details}.") from None

    def _mass(self, rows, class_weights, plan):
        """Return each class's weight in what the network saw, shape (n_classes,)."""
        weighted = rows.class_mass(class_weights)
        if self.batches is None:
            return weighted
        mass = plan.mass(weighted)
        as_given = rows.class_mass(np.ones(self.n_classes_))
        shares = (values / values.sum() for values in (as_given, weighted, mass))
        how = f"`class_weight`={shown(self.class_weight)} and `batches`"
        warn_if_balanced_twice(*shares, how)
        return mass

    def _publish_prior(self, mass, adds_up=False):
        if adds_up:
            mass = mass + getattr(self, "_class_mass", 0.0)
        self._class_mass = mass
        self.training_prior_ = mass / mass.sum()

    def _publish_history(self, history, initial_epoch):
        past = getattr(self, "history_", {}) if initial_epoch else {}
        self.history_ = {
            name: past.get(name, []) + values for name, values in history.items()
        }

    # Predict

    def _prediction(self, X, kwargs):
        self._held()
        X = self._encode_features(self._check_X(X, reset=False))
        args = routed_parameters(self, "predict", ()) | kwargs
        args.pop("verbose", None)  # there is no progress bar to hide
        if unknown := sorted(args.keys() - {"batch_size"}):
            raise TypeError(
                f"`predict__{unknown[0]}`={args[unknown[0]]!r} has no effect: rows are "
                "predicted by a forward pass without callbacks or steps. Leave it "
                "out; `predict__batch_size` is the rows at a time."
            )
        return self._predicted(X, **args)

    def _predicted(self, X, batch_size=None):
        network = self._lease.network
        if batch_size == -1:
            batch_size = number_of_rows(X)
        outputs, logits = network.forward(X, batch_size)
        if not np.isfinite(outputs).all():
            raise NonFiniteModelError(
                "`model` predicts values that are not finite for "
                f"{int((~np.isfinite(outputs)).any(axis=1).sum())} of {len(outputs)} "
                f"rows. {REMEDY}"
            )
        loss = single_loss(network.model.loss)
        from_logits = getattr(loss, "from_logits", False)
        return Prediction.from_network(outputs, logits, from_logits, loss_name(loss))


def _name_of_kerass_own(function):
    # SciKeras turns names into functions, and in a compiled model's config one of
    # Keras's looks like one of the user's.
    name = getattr(function, "__name__", None)
    by_name = {**vars(keras.losses), **vars(keras.metrics)}
    return name if by_name.get(name) is function else function


def _batch_sizes(args, n_rows):
    """Take the batch sizes of training and validation out of ``args``.

    -1 is all rows; how many that is in validation isn't known here.
    """
    size = int(args.pop("batch_size", None) or 32)
    validation_size = int(args.pop("validation_batch_size", None) or size)
    return (n_rows if size == -1 else size), validation_size
