"""Several networks as one, which averages their probabilities."""

import keras
import tensorflow as tf

__all__ = ["averaged"]


def averaged(models, average):
    """Return a network that gives the logits of an average of probabilities.

    From logits to logits, so that it is exact where probabilities saturate.

    Parameters
    ----------
    models : list of keras.Model
        Of the same inputs. Their outputs are log-odds of the second class, shape
        (n_rows, 1), or log-probabilities, shape (n_rows, n_classes).
    average : {"proba", "log_proba"}
        As for :class:`sklimb.NetworkEnsembleClassifier`.

    Returns
    -------
    keras.Model
        Not compiled. Its outputs are of the same kind, log-probabilities up to a
        constant for each row.

    Examples
    --------
    >>> import keras
    >>> from sklimb.keras.averaging import averaged
    >>> inputs = keras.layers.Input((1,))
    >>> models = [keras.Model(inputs, factor * inputs) for factor in (1, 3)]
    >>> round(averaged(models, "log_proba")(keras.ops.ones((1, 1))).numpy().item(), 2)
    2.0
    """
    inputs = tf.nest.map_structure(_like, models[0].input)
    outputs = [
        # A model has its layers by their names, and the copies' are all the same.
        keras.Model(model.input, model.output, name=f"member_{number}")(inputs)
        for number, model in enumerate(models)
    ]
    outputs = keras.ops.stack(outputs)
    mean = _mean_of_logs if average == "log_proba" else _log_of_mean
    return keras.Model(inputs, mean(outputs), name="ensemble")


def _like(tensor):
    return keras.layers.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)


def _mean_of_logs(outputs):
    return keras.ops.mean(outputs, axis=0)


def _log_of_mean(outputs):
    members = (0,)  # Keras before 3.9 takes no single axis here
    if outputs.shape[-1] > 1:
        return keras.ops.logsumexp(outputs, axis=members)
    positive, negative = (
        keras.ops.logsumexp(keras.ops.log_sigmoid(sign * outputs), axis=members)
        for sign in (1, -1)
    )
    return positive - negative
