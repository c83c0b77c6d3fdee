"""How training went, epoch by epoch."""

from collections.abc import Mapping

import numpy as np

from sklimb._ledger import innermost
from sklimb.display._base import Display
from sklimb.display._names import metric_label
from sklimb.display._scales import set_plain_log_ticks
from sklimb.display._style import (
    COLOURS,
    DASHES,
    FIGURE_SIZE,
    drawing,
    legend_above,
    panels_for,
    shortened,
)

__all__ = ["HistoryDisplay"]

VALIDATION = "val_"
MARKERS_ON_LINE = 12
NOT_METRICS = ("lr", "learning_rate")


class HistoryDisplay(Display):
    """Losses and metrics against the epoch, on training and validation rows.

    Made by :meth:`from_estimator` or :meth:`from_history`.

    Parameters
    ----------
    history : dict of str to ndarray of shape (n_epochs,)
        ``"loss"``, ``"val_loss"``, and metrics likewise.
    metrics : sequence of str, default=None
        What is drawn, each in a panel, without ``"val_"``; None for the loss and up to
        two others.

    Attributes
    ----------
    best_epoch : int
        Counted from 1: where the validation loss is the least, without one the loss.
    lines_ : dict of Line2D
        By the names of the history.
    best_lines_ : list of Line2D
        The best epoch, in each panel.
    ax_ : matplotlib Axes, or ndarray of them
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.keras.KerasClassifier : Its ``history_`` is drawn.

    Examples
    --------
    >>> from sklimb.display import HistoryDisplay
    >>> history = {"loss": [0.7, 0.4, 0.3], "val_loss": [0.7, 0.5, 0.6]}
    >>> HistoryDisplay.from_history(history).best_epoch
    2
    """

    def __init__(self, *, history, metrics=None):
        self.history = history
        self.metrics = metrics

    @classmethod
    def from_estimator(cls, estimator, *, metrics=None, ax=None, **plot_kwargs):
        """Draw the training of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
            With ``history_``, or with such a one inside.
        metrics : sequence of str, default=None
            As of the class.
        ax : matplotlib Axes or array-like of them, default=None
            None for a new figure; one is divided.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        HistoryDisplay

        Raises
        ------
        ValueError
            If nothing inside has a history.
        """
        found = getattr(innermost(estimator), "history_", None)
        if found:
            return cls.from_history(found, metrics=metrics, ax=ax, **plot_kwargs)
        raise ValueError(
            f"`estimator`={type(estimator).__name__} has no `history_`, nor has "
            "anything inside. Give a fitted sklimb.keras.KerasClassifier, or what "
            "holds one; or the history itself to from_history."
        )

    @classmethod
    def from_history(cls, history, *, metrics=None, ax=None, **plot_kwargs):
        """Draw a history.

        Parameters
        ----------
        history : dict or keras.callbacks.History
            Lists by name, a number for each epoch.
        metrics, ax, **plot_kwargs
            As of :meth:`from_estimator`.

        Returns
        -------
        HistoryDisplay

        Raises
        ------
        ValueError
            If it is no such history, or lacks a metric.
        """
        checked = _checked_history(history)
        display = cls(history=checked, metrics=_checked_metrics(metrics, checked))
        return display.plot(ax=ax, **plot_kwargs)

    @property
    def best_epoch(self):
        """The epoch, from 1, of the least validation loss, without one of the loss."""
        for name in ("val_loss", "loss"):
            values = self.history.get(name)
            if values is not None and np.isfinite(values).any():
                return int(np.nanargmin(values)) + 1
        return None

    def plot(self, ax=None, *, y_scale="auto"):
        """Draw a panel for each metric.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of them, default=None
            None for a new figure; one is divided.
        y_scale : {"auto", "linear", "log"}, default="auto"
            Of the loss: "auto" is logarithmic where it falls to less than a tenth.

        Returns
        -------
        self
        """
        if y_scale not in ("auto", "linear", "log"):
            raise ValueError(
                f"`y_scale`={y_scale!r} is not known; give 'auto', 'linear' or 'log'."
            )
        metrics = _checked_metrics(self.metrics, self.history)
        n_panels = len(metrics)
        height = FIGURE_SIZE[1] + max(0, n_panels - 2)

        def panels():
            size = FIGURE_SIZE[0], height
            axes = panels_for(ax, n_panels, 1, size=size, sharex=True)
            return axes if n_panels > 1 else axes[0]

        with drawing(self, panels):
            self.lines_, self.best_lines_ = {}, []
            every = np.ravel(np.asarray(self.ax_, dtype=object))
            for axes, metric in zip(every, metrics, strict=True):
                self._draw(axes, metric)
                self._mark_best(axes)
            if "loss" in metrics and self._falls_far(y_scale):
                of_loss = every[metrics.index("loss")]
                of_loss.set_yscale("log")
                set_plain_log_ticks(of_loss.yaxis, 4)
            self._set_epochs(every)
            legend_above(every[0])
        return self

    def _draw(self, ax, metric):
        looks = {
            metric: ("training", COLOURS["blue"], DASHES[0], "o"),
            VALIDATION + metric: ("validation", COLOURS["vermillion"], DASHES[1], "s"),
        }
        for name, (label, colour, dashes, marker) in looks.items():
            if name not in self.history:
                continue
            values = self.history[name]
            self.lines_[name] = ax.plot(
                np.arange(1, len(values) + 1),
                values,
                color=colour,
                linestyle=dashes,
                linewidth=1.5,
                marker=marker,
                markersize=4,
                markevery=-(-len(values) // MARKERS_ON_LINE),
                label=label,
            )[0]
        ax.set_ylabel(shortened(metric_label(metric), 24))

    def _mark_best(self, ax):
        epoch = self.best_epoch
        if epoch is None:
            return
        line = ax.axvline(epoch, color=COLOURS["grey"], ls=":", lw=1.2, zorder=0)
        line.set_label(f"least loss, epoch {epoch}")
        self.best_lines_.append(line)

    def _falls_far(self, y_scale):
        if y_scale != "auto":
            return y_scale == "log"
        values = np.concatenate(
            [v for k, v in self.history.items() if k in ("loss", "val_loss")]
        )
        values = values[np.isfinite(values)]
        return len(values) > 0 and 0 < values.min() < values.max() / 10

    def _set_epochs(self, axes):
        from matplotlib.ticker import MaxNLocator

        n_epochs = max(map(len, self.history.values()))
        for number, ax in enumerate(axes):
            is_last = number + 1 == len(axes)
            ax.set_xlim(0.5, n_epochs + 0.5)
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
            ax.tick_params(labelbottom=is_last)
        axes[-1].set_xlabel("epoch")

    def _columns(self):
        names = list(self.history)
        lengths = [len(self.history[name]) for name in names]
        return {
            "epoch": np.concatenate([np.arange(1, n + 1) for n in lengths]),
            "metric": np.repeat([n.removeprefix(VALIDATION) for n in names], lengths),
            "rows": np.repeat(
                [
                    "validation" if n.startswith(VALIDATION) else "training"
                    for n in names
                ],
                lengths,
            ),
            "value": np.concatenate([self.history[name] for name in names]),
        }


def _checked_history(history):
    """Return a history as a dict of arrays."""
    history = getattr(history, "history", history)
    if not isinstance(history, Mapping) or not history:
        raise ValueError(
            f"`history`={history!r} is not a history. Give a dict such as {{'loss': "
            "[0.7, 0.5]}, or what Keras's fit returns."
        )
    arrays = {
        name: np.asarray(values, dtype=np.float64) for name, values in history.items()
    }
    odd = [
        name for name, values in arrays.items() if values.ndim != 1 or not len(values)
    ]
    if odd:
        raise ValueError(
            f"`history` has {odd[0]!r} of shape {arrays[odd[0]].shape}; expected one "
            "number for each epoch."
        )
    return arrays


def _checked_metrics(metrics, history):
    names = list(dict.fromkeys(name.removeprefix(VALIDATION) for name in history))
    if metrics is None:
        others = [name for name in names if name not in ("loss", *NOT_METRICS)]
        return ["loss"] * ("loss" in names) + others[:2]
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    unknown = [name for name in metrics if name not in names]
    if unknown or not metrics:
        raise ValueError(
            f"`metrics`={metrics} must name some of {names}, which the history has."
        )
    return metrics
