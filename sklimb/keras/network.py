"""What lies behind KerasClassifier: from rows to a trained network, and back."""

import copy
from contextlib import contextmanager

import keras
import numpy as np
import scikeras.wrappers
import tensorflow as tf
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from sklimb._compat import routed_parameters
from sklimb._validation import as_labels, check_labels, check_sample_weight
from sklimb.exceptions import NonFiniteModelError
from sklimb.keras._internals import copy_of_model, isolated
from sklimb.keras.logits import Prediction
from sklimb.keras.pool import default_pool, lease
from sklimb.keras.prediction import as_batch, first_rows, number_of_rows
from sklimb.keras.targets import (
    check_units,
    encode_targets,
    loss_name,
    single_loss,
    weights_of_classes,
)
from sklimb.keras.training import (
    REMEDY,
    Rows,
    fit_quietly,
    hold_out,
    leaves_model_alone,
)
from sklimb.priors import class_numbers

__all__ = ["NetworkEstimator"]

# Predicted after each fit, to find out whether the network gives probabilities.
SAMPLE_ROWS = 1024


class NetworkEstimator(scikeras.wrappers.KerasClassifier):
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
        return self._lease

    # Rows

    def _prepare(self, X, y, sample_weight, goes_on, classes=None):
        """Return clean rows, and set what follows from their shape and labels.

        A network that goes on training keeps what it has when they are not valid.
        """
        if goes_on:
            return self._checked(X, y, sample_weight, self.classes_, reset=False)
        self._forget()
        with self._all_or_nothing():
            rows = self._checked(X, y, sample_weight, classes, reset=True)
            self._set_metadata(rows.X, column_or_1d(y))
            return rows

    def _checked(self, X, y, sample_weight, classes, reset):
        y = _labels(y, classes)
        X = self._check_X(X, reset)
        check_consistent_length(X, y)
        weight = check_sample_weight(sample_weight, len(y))
        if weight is not None and not weight.all():
            X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        if len(y) == 0:
            raise ValueError(
                "`sample_weight` is zero for every row: there is nothing to train on."
            )
        # Labels once more: rows of weight 0 may have taken a class with them.
        self.classes_ = check_labels(y)[1] if classes is None else np.unique(classes)
        return Rows(X, class_numbers(y, self.classes_), weight)

    def _check_X(self, X, reset):
        X = validate_data(
            self, X, reset=reset, accept_sparse="csr", allow_nd=True, dtype="numeric"
        )
        if not reset and X.shape[1:] != self.X_shape_[1:]:
            raise ValueError(
                f"`X` has rows of shape {X.shape[1:]}, but the network was trained on "
                f"rows of shape {self.X_shape_[1:]}."
            )
        return X

    def _set_metadata(self, X, y):
        # What SciKeras offers to model functions as `meta`.
        self.X_shape_, self.X_dtype_ = X.shape, X.dtype
        self.y_dtype_, self.y_ndim_ = y.dtype, 1
        self.n_classes_ = len(self.classes_)
        self.n_outputs_ = self.n_outputs_expected_ = 1
        self.target_type_ = type_of_target(self.classes_)

    def _encode_features(self, X, reset=False):
        if reset:
            self.feature_encoder_ = self.feature_encoder.fit(X)
            metadata = getattr(self.feature_encoder_, "get_metadata", dict)()
            vars(self).update(metadata)
        return self.feature_encoder_.transform(X)

    def _encode_labels(self, numbers):
        loss = self._lease.network.model.loss
        return encode_targets(numbers, self.n_classes_, self._n_units, loss)

    # Fit

    def _fit_args(self, kwargs):
        args = routed_parameters(self, "fit", self._fit_kwargs)
        args = {k: v for k, v in args.items() if not k.startswith("callbacks")}
        return args | kwargs

    def _fit_rows(self, rows, args, adds_up=False):
        """Train on clean rows; whatever fails leaves nothing behind."""
        with self._all_or_nothing():
            own_weights = args.pop("class_weight", self.class_weight)
            last = args.pop("validation_split", 0.0)
            rows, held_out = hold_out(
                rows, self.validation_fraction, last, self._seed()
            )
            self._get_network(rows)
            rows.X = self._encode_features(rows.X)
            class_weights = weights_of_classes(
                own_weights, rows.numbers, rows.weight, self.classes_
            )
            args |= self._validation_args(args, held_out, class_weights, last)
            history = self._train(rows, class_weights, args)
            self._check_network(rows.X, class_weights)
            self._publish_prior(rows, class_weights, adds_up)
            self._publish_history(history, args["initial_epoch"])
        return self

    def _take_network(self, rows):
        with self._all_or_nothing():
            self._get_network(rows)
            self._publish_prior(rows, np.ones(self.n_classes_))
        return self

    @contextmanager
    def _all_or_nothing(self):
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _forget(self):
        private = ["_lease", "_n_units", "_class_mass"]
        for name in [n for n in vars(self) if n.endswith("_") or n in private]:
            del vars(self)[name]

    def _get_network(self, rows):
        if self.initialized_:
            return
        X = self._encode_features(rows.X, reset=True)
        with isolated(self._seed()):
            template = self._compiled_model()
            sample = template.predict_step((as_batch(X, slice(2)),))  # builds it
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

    def _validation_args(self, args, held_out, class_weights, weighted):
        data = args.get("validation_data")
        if held_out is not None:
            X = self._encode_features(held_out.X)
            data = X, self._encode_labels(held_out.numbers)
            # Rows of `validation_fraction` count as they are, once each.
            weight = held_out.loss_weight(class_weights) if weighted else None
            data = data if weight is None else (*data, weight)
        elif data is not None:
            X, y, *weight = data
            X = self._encode_features(self._check_X(X, reset=False))
            if np.ndim(y) == 1:
                y = self._encode_labels(class_numbers(y, self.classes_))
            data = X, y, *weight
        return {"validation_data": data}

    def _train(self, rows, class_weights, args):
        callbacks = self._callbacks("fit") + list(args.pop("callbacks", None) or [])
        if not leaves_model_alone(callbacks):
            self._lease.shown()
        for name in ("batch_size", "validation_batch_size"):
            if args.get(name) == -1:
                args[name] = len(rows.numbers)
        return fit_quietly(
            self._lease.network,
            callbacks,
            self._seed(),
            self._described(class_weights),
            x=rows.X,
            y=self._encode_labels(rows.numbers),
            sample_weight=rows.loss_weight(class_weights),
            **args,
        )

    def _callbacks(self, step):
        self._initialize_callbacks()
        callbacks = {"fit": self._fit_callbacks, "predict": self._predict_callbacks}
        del self._fit_callbacks, self._predict_callbacks
        return list(callbacks[step])

    def _seed(self):
        if isinstance(self.random_state, np.random.RandomState):
            return int(copy.deepcopy(self.random_state).randint(2**31 - 1))
        return None if self.random_state is None else int(self.random_state)

    def _described(self, class_weights):
        labels = as_labels(self.classes_)
        return f"class weights {dict(zip(labels, class_weights.tolist(), strict=True))}"

    def _check_network(self, X, class_weights):
        try:
            self._predicted(first_rows(X, SAMPLE_ROWS)).proba()
        except NonFiniteModelError as error:
            details = self._described(class_weights)
            raise NonFiniteModelError(f"{error} Trained with {details}.") from None

    def _publish_prior(self, rows, class_weights, adds_up=False):
        mass = rows.class_mass(class_weights)
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


def _labels(y, classes):
    if classes is None:
        return check_labels(y)[0]
    check_classification_targets(y)
    return column_or_1d(y, warn=True)
