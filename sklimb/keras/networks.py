"""Small networks for tables, as the command line trains them."""

import keras

__all__ = ["dense_network", "early_stopping"]


def dense_network(
    meta, hidden=(64, 64), dropout=0.2, learning_rate=2e-3, input_scale=1.0
):
    """Build a network of dense layers.

    Parameters
    ----------
    meta : dict
        With ``n_features_in_``, and ``n_classes_`` where there are more than two,
        as :class:`KerasClassifier` gives it.
    hidden : sequence of int, default=(64, 64)
        Units of each hidden layer, with ReLU.
    dropout : float, default=0.2
        Share of the units that each step leaves out, after each hidden layer.
    learning_rate : float, default=2e-3
        Adam's.
    input_scale : float, default=1.0
        What inputs are multiplied by.

    Returns
    -------
    keras.Model
        Compiled; one sigmoid unit for two classes, else a softmax of all.
    """
    model = keras.Sequential([keras.layers.Input((meta["n_features_in_"],))])
    if input_scale != 1:
        model.add(keras.layers.Rescaling(input_scale))
    for units in hidden:
        model.add(keras.layers.Dense(units, activation="relu"))
        if dropout:
            model.add(keras.layers.Dropout(dropout))
    n_classes = meta.get("n_classes_", 2)
    if n_classes > 2:
        model.add(keras.layers.Dense(n_classes, activation="softmax"))
        loss = "sparse_categorical_crossentropy"
    else:
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        loss = "binary_crossentropy"
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    return model


def early_stopping(validation_fraction=0.1, patience=6):
    """Return parameters of a classifier that stops when ``val_loss`` no longer falls.

    Parameters
    ----------
    validation_fraction : float, default=0.1
        Share of the rows to validate with.
    patience : int, default=6
        Epochs to wait; then the best epoch's weights are taken.

    Returns
    -------
    dict
        For :class:`KerasClassifier`.
    """
    return {
        "validation_fraction": validation_fraction,
        "callbacks": keras.callbacks.EarlyStopping,
        "callbacks__monitor": "val_loss",
        "callbacks__patience": patience,
        "callbacks__restore_best_weights": True,
    }
