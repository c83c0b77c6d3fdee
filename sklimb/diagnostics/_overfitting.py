"""Where training and validation part."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sklimb._ledger import innermost
from sklimb._validation import is_number
from sklimb.diagnostics._findings import Finding, Result

__all__ = ["Overfitting", "overfitting"]

WINDOW = 5  # epochs, at most
# Of what validation had gained: less is nothing to talk of.
NOTICEABLE = 0.05
# Standard deviations of the epochs' noise that a rise has to exceed.
SURE = 2.0
REMEDY = (
    "Stop at the best epoch (EarlyStopping with restore_best_weights), or train a "
    "smaller network, with dropout or weight decay."
)


@dataclass(frozen=True)
class Overfitting(Result):
    """What :func:`overfitting` found.

    Attributes
    ----------
    loss, val_loss : ndarray of shape (n_epochs,)
        Validation's is empty where there is none.
    best_epoch : int or None
        From 1 on: the epoch with the least smoothed validation loss.
    parts_at : int or None
        The epoch from which validation rises while training falls; None where it
        doesn't.
    lost : float
        How much of what the validation loss had gained since the first epoch is lost
        again at the last one, from 0 to 1.
    gap : float
        Validation loss less training loss at the last epoch, smoothed.
    restored : bool
        Whether a callback restored the best epoch's weights.
    findings : list of Finding
    sentence : str
    """

    loss: np.ndarray
    val_loss: np.ndarray
    best_epoch: int | None
    parts_at: int | None
    lost: float
    gap: float
    restored: bool
    findings: list
    sentence: str

    def _rows(self):
        n_epochs = len(self.loss)
        val_loss = self.val_loss if len(self.val_loss) else np.full(n_epochs, np.nan)
        columns = zip(range(1, n_epochs + 1), self.loss, val_loss, strict=True)
        return [
            {"epoch": epoch, "loss": loss, "val_loss": val}
            for epoch, loss, val in columns
        ]

    def _draw(self, ax):
        from sklimb.diagnostics._pictures import draw_history

        draw_history(ax, self)


def overfitting(history):
    """Tell where the validation loss rises while the training loss falls.

    Losses are smoothed by a running mean of up to five epochs. A rise counts where
    it exceeds twice the noise of the epochs and 5 % of what validation had gained.

    Parameters
    ----------
    history : Keras History, mapping of lists, or fitted estimator
        With ``loss`` and ``val_loss`` for each epoch; an estimator has them in its
        ``history_``, or the one inside of it has.

    Returns
    -------
    Overfitting

    Raises
    ------
    TypeError
        If there is no history in what was given.
    ValueError
        If it has no ``loss``, or the lengths differ.

    Examples
    --------
    >>> from sklimb.diagnostics import overfitting
    >>> train = [0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1]
    >>> validation = [0.7, 0.55, 0.5, 0.48, 0.5, 0.55, 0.6, 0.66]
    >>> found = overfitting({"loss": train, "val_loss": validation})
    >>> found.best_epoch, found.parts_at
    (4, 5)
    """
    epochs, restored = _epochs_of(history)
    loss, val_loss = _losses(epochs)
    if len(val_loss) < 2:
        return _without_validation(loss, val_loss, restored)
    smooth, train = _smoothed(val_loss), _smoothed(loss)
    best = int(np.argmin(smooth))
    # The first epoch gains most, which smoothing would hide.
    gained = max(val_loss[0], smooth[0]) - smooth[best]
    rise = smooth[-1] - smooth[best]
    noise = _noise(val_loss)
    parts = rise > max(SURE * noise, NOTICEABLE * gained) and train[-1] < train[best]
    lost = float(np.clip(rise / (gained + 1e-12), 0, 1)) if parts else 0.0
    findings, sentence = _said(best, smooth, val_loss[0], lost, restored)
    return Overfitting(
        loss=loss,
        val_loss=val_loss,
        best_epoch=best + 1,
        parts_at=best + 2 if parts else None,
        lost=lost,
        gap=float(smooth[-1] - train[-1]),
        restored=restored,
        findings=findings,
        sentence=sentence,
    )


def _epochs_of(history):
    """Return the losses by name, and whether the best weights were restored."""
    if isinstance(history, Mapping):
        return history, False
    if isinstance(getattr(history, "history", None), Mapping):
        callbacks = getattr(getattr(history, "model", None), "callbacks", None) or []
        return history.history, _restores(callbacks)
    network = innermost(history) if hasattr(history, "fit") else history
    if isinstance(getattr(network, "history_", None), Mapping):
        return network.history_, _restores_by_parameters(network)
    raise TypeError(
        f"`history`={type(history).__name__} has no history of epochs. Give what "
        "Keras' fit returns, a mapping with 'loss' and 'val_loss', or a fitted "
        "sklimb.keras.KerasClassifier."
    )


def _restores(callbacks):
    return any(
        getattr(callback, "restore_best_weights", False) is True
        for callback in callbacks
    )


def _restores_by_parameters(network):
    """Tell whether a classifier's callbacks, or parameters for them, say so."""
    callbacks = getattr(network, "callbacks", None)
    if isinstance(callbacks, dict):
        callbacks = callbacks.values()
    elif not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    routed = [
        value is True
        for name, value in network.get_params(deep=False).items()
        if name.endswith("__restore_best_weights")
    ]
    return any(routed) or _restores(callbacks)


def _losses(epochs):
    if "loss" not in epochs:
        raise ValueError(
            f"`history` has no 'loss'; it has {sorted(map(str, epochs))}. Give the "
            "losses of each epoch."
        )
    loss = np.asarray(epochs["loss"], dtype=np.float64)
    val_loss = np.asarray(epochs.get("val_loss", ()), dtype=np.float64)
    if len(val_loss) not in (0, len(loss)):
        raise ValueError(
            f"`history` has {len(loss)} epochs of 'loss' and {len(val_loss)} of "
            "'val_loss'; expected one each."
        )
    if not all(map(is_number, loss.tolist())) or not len(loss):
        raise ValueError("`history` has no epochs; fit first.")
    if not (np.isfinite(loss).all() and np.isfinite(val_loss).all()):
        raise ValueError(
            "`history` has losses that are not finite, so training failed before it "
            "could over-fit. Lower the learning rate."
        )
    return loss, val_loss


def _smoothed(values):
    """Return a running mean, over fewer epochs at the ends and of few epochs."""
    half = min(WINDOW // 2, len(values) // 10)
    return np.array(
        [values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))]
    )


def _noise(values):
    """Return the epochs' standard deviation, by how the steps between them differ."""
    bends = np.abs(np.diff(values, 2))
    return 1.4826 * np.median(bends) / np.sqrt(6) if len(bends) else 0.0


def _without_validation(loss, val_loss, restored):
    nan = float("nan")
    sentence = (
        "There is no validation loss, so over-fitting can't be seen; give "
        "`validation_fraction` or validation data."
    )
    return Overfitting(loss, val_loss, None, None, 0.0, nan, restored, [], sentence)


def _said(best, smooth, first, lost, restored):
    """Return findings and a sentence.

    The effect is the rise over the first epoch's loss, which stands for that of chance:
    how much of the way from chance to a loss of 0 is lost.
    """
    n_epochs = len(smooth)
    if not lost and best + 1 >= n_epochs - 1:
        return [], f"Validation follows training through all {n_epochs} epochs."
    if not lost:
        return [], (
            f"Validation is best at epoch {best + 1} of {n_epochs}, and doesn't "
            "clearly rise after it."
        )
    sentence = (
        f"From epoch {best + 1} on the validation loss rises while the training loss "
        f"falls: {smooth[best]:.3g} there, {smooth[-1]:.3g} at epoch {n_epochs}, which "
        f"loses {100 * lost:.0f} % of what it had gained."
    )
    if restored:
        sentence += " The weights of the best epoch were restored."
        return [Finding("over-fitting", "training", sentence, "", 0.0)], sentence
    effect = float(np.clip((smooth[-1] - smooth[best]) / first, 0, 1))
    return [Finding("over-fitting", "training", sentence, REMEDY, effect)], sentence
