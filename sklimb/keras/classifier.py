"""A Keras network as a scikit-learn classifier."""

import copy

from sklearn.base import BaseEstimator

from sklimb._compat import classifier_tags, routed_parameters
from sklimb._training_data import by_training_data
from sklimb.keras.network import NetworkEstimator
from sklimb.keras.together import fit_together

__all__ = ["KerasClassifier"]


class KerasClassifier(NetworkEstimator):
    """A Keras network as a scikit-learn classifier; drop-in for SciKeras's.

    Parameters
    ----------
    model : callable or keras.Model
        A function that returns a model, compiled or not; its parameters are
        set as ``model__name``, and one called ``meta`` gets a dict with
        ``n_features_in_``, ``n_classes_`` and the like. Or a model object: a
        template, of which ``fit`` trains a copy.
    batches : BalancedBatches, default=None
        What each mini-batch is made of; None for rows as they come.
    validation_fraction : float, default=0.0
        Share of each class that is held out at random, before any weighting or
        resampling, and measured after each epoch: ``val_loss`` and so on. With
        ``groups``, whole groups.
    validation_weight : None, array-like, mapping, float or "uniform", default=None
        The class distribution that ``val_loss`` and all ``val_`` metrics are
        measured at, by weights of the rows held out (metrics then count
        training rows by their weight, too); None for rows as they are, once
        each.
    optimizer : str, keras.Optimizer or class, default="rmsprop"
        For a model that is not compiled, as are ``loss`` and ``metrics``.
        ``optimizer__learning_rate`` sets its parameters, where it is a string
        or a class.
    loss : str, keras.Loss, class or callable, default=None
        Labels are encoded as the compiled loss takes them.
    metrics : list, default=None
        Measured while training.
    class_weight : None, "balanced" or mapping, default=None
        How much a row of each label counts in the loss, times its
        ``sample_weight``.
    batch_size : int, default=None
        Rows in a step of training; None for 32, -1 for all.
    validation_batch_size : int, default=None
        Rows at a time in validation.
    epochs : int, default=1
        How often the network sees each row.
    shuffle : bool, default=True
        Whether rows are shuffled before each epoch.
    validation_split : float, default=0.0
        Share of the rows at the end to validate with, as in SciKeras; in most
        cases ``validation_fraction`` is what you want.
    callbacks : list or dict of keras.callbacks.Callback, default=None
        Called while training.
    warm_start : bool, default=False
        Whether ``fit`` goes on with the network of the fit before.
    run_eagerly : bool, default=False
        Whether a model that is not compiled runs as plain Python.
    random_state : int, RandomState or None, default=None
        Same number, same bits.
    verbose : int, default=0
        1 for a progress bar while training.
    **parameters
        Routed parameters (``model__hidden``, ``fit__batch_size``,
        ``predict__batch_size``, ...), and unrouted ones of the model function.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    training_prior_ : ndarray of shape (n_classes,), float64
        Share of each class in the weight of all rows that the network was
        trained on: the prior that its probabilities belong to.
    history_ : dict of str to list
        Losses and metrics of each epoch.
    model_ : keras.Model
        The trained network.
    n_features_in_ : int
        Number of features; for inputs of more axes, the length of the first
        after the rows.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where ``X`` has them.

    Examples
    --------
    >>> import keras
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklimb.keras import KerasClassifier
    >>> def build(meta, hidden=16):
    ...     model = keras.Sequential(
    ...         [
    ...             keras.layers.Input((meta["n_features_in_"],)),
    ...             keras.layers.Dense(hidden, activation="relu"),
    ...             keras.layers.Dense(1, activation="sigmoid"),
    ...         ]
    ...     )
    ...     model.compile("adam", "binary_crossentropy")
    ...     return model
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> network = KerasClassifier(build, epochs=10, random_state=0)
    >>> classifier = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> classifier.score(X, y) > 0.9
    True
    >>> network.training_prior_.round(2)
    array([0.37, 0.63])
    """

    build_fn = None
    _takes_batches = True  # a sampler around it may set them
    _takes_groups = True  # for its own validation rows

    def __init__(
        self,
        model=None,
        *,
        batches=None,
        validation_fraction=0.0,
        validation_weight=None,
        optimizer="rmsprop",
        loss=None,
        metrics=None,
        class_weight=None,
        batch_size=None,
        validation_batch_size=None,
        epochs=1,
        shuffle=True,
        validation_split=0.0,
        callbacks=None,
        warm_start=False,
        run_eagerly=False,
        random_state=None,
        verbose=0,
        **parameters,
    ):
        super().__init__(
            model=model,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            class_weight=class_weight,
            batch_size=batch_size,
            validation_batch_size=validation_batch_size,
            epochs=epochs,
            shuffle=shuffle,
            validation_split=validation_split,
            callbacks=callbacks,
            warm_start=warm_start,
            run_eagerly=run_eagerly,
            random_state=random_state,
            verbose=verbose,
            **parameters,
        )
        self.batches = batches
        self.validation_fraction = validation_fraction
        self.validation_weight = validation_weight
        if "build_fn" not in parameters:  # SciKeras's old name for `model`
            del self.build_fn

    __repr__ = BaseEstimator.__repr__

    def __sklearn_clone__(self):
        # Clones share a model object: it is a template that no fit changes.
        stand_in = copy.copy(self)
        stand_in.model = None
        duplicate = super(KerasClassifier, stand_in).__sklearn_clone__()
        duplicate.model = self.model
        return duplicate

    def __sklearn_tags__(self):
        return classifier_tags(super().__sklearn_tags__())

    @by_training_data
    def fit(self, X, y, sample_weight=None, *, groups=None, **kwargs):
        """Train a network.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Numbers (also a frame, a sparse matrix or a memory-mapped file, of
            which no copy is made) or texts; for a model of several inputs a
            dict or list of these.
        y : array-like of shape (n_rows,)
            Labels of any type.
        sample_weight : array-like of shape (n_rows,), default=None
            How much each row counts. A row of weight 0 is a row removed.
        groups : array-like of shape (n_rows,), default=None
            Rows of a group stay together in ``validation_fraction``.
        **kwargs
            For ``keras.Model.fit``.

        Returns
        -------
        KerasClassifier
            Itself.

        Raises
        ------
        TypeError
            If the rows of ``X`` come only in order, as from a generator.
        ValueError
            If the rows, labels or weights are not valid, or the model doesn't
            fit them.
        NonFiniteModelError
            If a loss or a prediction is nan or infinite.
        """
        goes_on = self.warm_start and self.initialized_
        rows = self._prepare(X, y, sample_weight, goes_on)
        args = {"initial_epoch": 0} | self._fit_args(kwargs)
        return self._fit_rows(rows, args, groups=groups)

    def partial_fit(self, X, y, classes=None, sample_weight=None, **kwargs):
        """Train for one more epoch.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Numbers.
        y : array-like of shape (n_rows,)
            Labels of any type.
        classes : array-like of shape (n_classes,), default=None
            All labels, for a first call whose ``y`` lacks some.
        sample_weight : array-like of shape (n_rows,), default=None
            How much each row counts.
        **kwargs
            For ``keras.Model.fit``.

        Returns
        -------
        KerasClassifier
            Itself; ``training_prior_`` covers the rows of all calls.

        Raises
        ------
        TypeError
            If ``epochs`` or ``initial_epoch`` is given.
        ValueError, NonFiniteModelError
            As :meth:`fit`.
        """
        for name in {"epochs", "initial_epoch"} & kwargs.keys():
            raise TypeError(f"`{name}`: partial_fit always trains one more epoch.")
        rows = self._prepare(X, y, sample_weight, self.initialized_, classes)
        epoch = self.current_epoch
        args = self._fit_args(kwargs) | {"epochs": epoch + 1, "initial_epoch": epoch}
        return self._fit_rows(rows, args, adds_up=True)

    def initialize(self, X, y):
        """Build the network without training it, for one that is trained already.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Numbers.
        y : array-like of shape (n_rows,)
            Labels; their frequencies become the training prior.

        Returns
        -------
        KerasClassifier
            Itself.

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        rows = self._prepare(X, y, None, goes_on=False)
        return self._take_network(rows)

    def predict_proba(self, X, **kwargs):
        """Return each class's probability, at the training prior.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Rows like those of ``fit``.
        **kwargs
            ``batch_size``: rows at a time.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            The network's output; for logits and independent sigmoids scaled to
            sum to 1.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        NonFiniteModelError
            If a prediction is nan or infinite.
        ValueError
            If the rows aren't like those of ``fit``, or the outputs no
            probabilities.
        """
        return self._prediction(X, kwargs).proba()

    def predict_log_proba(self, X, **kwargs):
        """Return the logarithms of the probabilities, exact where they saturate.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Rows like those of ``fit``.
        **kwargs
            As :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
            From the logits.

        Raises
        ------
        NotFittedError, NonFiniteModelError, ValueError
            As :meth:`predict_proba`.
        """
        return self._prediction(X, kwargs).log_proba()

    def decision_function(self, X, **kwargs):
        """Return the logits, which keep their order where probabilities saturate.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Rows like those of ``fit``.
        **kwargs
            As :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), of the network's type
            For two classes the log-odds of the second; else what goes into the
            softmax.

        Raises
        ------
        NotFittedError, NonFiniteModelError, ValueError
            As :meth:`predict_proba`.
        """
        return self._prediction(X, kwargs).decision()

    def predict(self, X, **kwargs):
        """Return the most probable label.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Rows like those of ``fit``.
        **kwargs
            As :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        NotFittedError, NonFiniteModelError, ValueError
            As :meth:`predict_proba`.
        """
        proba = self.predict_proba(X, **kwargs)
        return self.classes_[proba.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, or what a subclass's ``scorer`` gives.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features, ...)
            Rows like those of ``fit``.
        y : array-like of shape (n_rows,)
            Their labels.
        sample_weight : array-like of shape (n_rows,), default=None
            How much each row counts.

        Returns
        -------
        float

        Raises
        ------
        NotFittedError, NonFiniteModelError, ValueError
            As :meth:`predict_proba`.
        """
        args = routed_parameters(self, "score", ())
        return self.scorer(y, self.predict(X), sample_weight=sample_weight, **args)

    _fit_together = staticmethod(fit_together)
