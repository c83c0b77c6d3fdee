"""A confusion matrix as counted, and where the classes have other shares."""

import numpy as np

from sklimb._validation import as_labels, check_pos_label
from sklimb.display._base import Display
from sklimb.display._cells import (
    draw_cells,
    label_cells,
    slant_where_tight,
    write_beside,
)
from sklimb.display._names import class_name
from sklimb.display._scales import percent, share
from sklimb.display._sources import (
    decisions_of,
    given_prior,
    labelled,
    labels_of,
    measured_at,
    numbers_of_predictions,
)
from sklimb.display._style import FIGURE_SIZE, drawing, panels_for
from sklimb.metrics import project_confusion_matrix

__all__ = ["ConfusionMatrixAtPriorDisplay"]

PANELS = ("both", "counted", "projected")
# Inches that a panel needs for its cells, and for a character of a class's name.
CELL, CHARACTER = 0.5, 0.08
SEVERAL = 5  # classes, whose rates are told in two digits
LONGEST_NAME = 12


class ConfusionMatrixAtPriorDisplay(Display):
    """A confusion matrix beside the one expected at the target prior.

    Made by :meth:`from_estimator` or :meth:`from_predictions`. Recalls stay, precisions
    move. Shades are shares of the true class, and so are the same in both.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Rows true, columns predicted.
    projected : ndarray of shape (n_classes, n_classes), default=None
        The same at the target prior, as
        :func:`sklimb.metrics.project_confusion_matrix` gives it.
    labels : sequence of labels, default=None
        The classes; None for 0, 1, ...
    target_prior : ndarray of shape (n_classes,), default=None
    pos_label : label, default=None
        Of two classes the one whose prevalence is told; None for the last.

    Attributes
    ----------
    text_ : list of ndarray of shape (n_classes, n_classes)
        For each panel the numbers, as matplotlib Text.
    ax_ : matplotlib Axes, or ndarray of two
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.metrics.project_confusion_matrix : The numbers.

    Examples
    --------
    >>> from sklimb.display import ConfusionMatrixAtPriorDisplay
    >>> y_true = [1] * 100 + [0] * 200
    >>> y_pred = [1] * 97 + [0] * 3 + [1] * 3 + [0] * 197
    >>> display = ConfusionMatrixAtPriorDisplay.from_predictions(
    ...     y_true, y_pred, target_prior=1 / 101
    ... )
    >>> display.projected.round(2)
    array([[2.9257e+02, 4.4600e+00],
           [9.0000e-02, 2.8800e+00]])
    """

    def __init__(
        self,
        *,
        confusion_matrix,
        projected=None,
        labels=None,
        target_prior=None,
        pos_label=None,
    ):
        self.confusion_matrix = confusion_matrix
        self.projected = projected
        self.labels = labels
        self.target_prior = target_prior
        self.pos_label = pos_label

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        target_prior=None,
        sample_weight=None,
        pos_label=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the decisions of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
        X : array-like, frame or sparse matrix of n_rows rows, default=None
            Rows that it was not trained on; None for the rows out of fold of one that
            tuned a threshold.
        y : array-like of shape (n_rows,), default=None
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution to project to; None for the one that the classifier
            was corrected to. Where it was to none but its rows', nothing is projected.
        sample_weight : array-like of shape (n_rows,), default=None
        pos_label : label, default=None
            The class that a float is the prevalence of; None for ``classes_[-1]``.
        ax : matplotlib Axes or array-like of two, default=None
            None for a new figure; one is divided.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        ConfusionMatrixAtPriorDisplay

        Raises
        ------
        ValueError
            If rows are needed and not given, or something is not valid.
        """
        found = decisions_of(
            estimator, X, y, sample_weight, f"{cls.__name__}.from_estimator"
        )
        return cls.from_predictions(
            found.y_true,
            found.predicted,
            target_prior=measured_at(estimator, target_prior),
            sample_weight=found.sample_weight,
            labels=found.classes,
            pos_label=pos_label,
            ax=ax,
            **plot_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        target_prior=None,
        sample_weight=None,
        labels=None,
        pos_label=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw predicted labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_rows,)
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution to project to; None for the matrix as counted alone.
        labels : array-like of shape (n_classes,), default=None
            All classes; None for the sorted labels of ``y_true`` and ``y_pred``.
        sample_weight, pos_label, ax, **plot_kwargs
            As of :meth:`from_estimator`.

        Returns
        -------
        ConfusionMatrixAtPriorDisplay

        Raises
        ------
        ValueError
            If something is not valid, or a class has a share but no rows.
        """
        rows = labelled(y_true, sample_weight, labels_of(y_true, y_pred, labels))
        predicted = numbers_of_predictions(rows.classes, y_pred)
        n_classes = len(rows.classes)
        matrix = np.bincount(
            rows.class_numbers * n_classes + predicted,
            rows.sample_weight,
            n_classes**2,
        ).reshape(n_classes, n_classes)
        prior = given_prior(target_prior, rows.classes, pos_label)
        projected = None
        if prior is not None:
            projected = project_confusion_matrix(matrix, prior)
        display = cls(
            confusion_matrix=matrix,
            projected=projected,
            labels=as_labels(rows.classes),
            target_prior=prior,
            pos_label=pos_label,
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, panels="both", per=10_000):
        """Draw the matrices.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of two, default=None
            None for a new figure; one is divided.
        panels : {"both", "counted", "projected"}, default="both"
            "both" is the one as counted alone where no prior was given.
        per : float, default=10_000
            The total of the projected matrix.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is nothing projected, or axes are too many or too few.
        """
        shown = self._shown(panels)
        with drawing(self, self._panels(ax, len(shown))):
            self.text_ = []
            for axes, panel in zip(np.ravel(self.ax_), shown, strict=True):
                self.text_.append(self._draw(axes, *self._panel(panel, per)))
            self._label()
            self._leave_out_what_overlaps()
        return self

    def _shown(self, panels):
        if panels not in PANELS:
            raise ValueError(f"`panels`={panels!r} is not known; give one of {PANELS}.")
        if panels == "both":
            return ["counted"] if self.projected is None else ["counted", "projected"]
        if panels == "projected" and self.projected is None:
            raise ValueError(
                "`panels`='projected' needs a matrix at a target prior. Give "
                "`target_prior`."
            )
        return [panels]

    def _panels(self, ax, n_panels):
        """Return a function that makes the axes, one above the other where narrow."""

        def make():
            n_classes, names = len(self.confusion_matrix), self._names()
            longest = CHARACTER * max(map(len, names))
            beside = max(longest, CHARACTER * len("precision")) + 0.3
            beside += n_panels * max(longest, CELL) * (n_classes + 1)
            stacked = beside > (FIGURE_SIZE[0] if ax is None else _width(ax))
            grid = (n_panels, 1) if stacked else (1, n_panels)
            axes = panels_for(ax, *grid, size=_size(n_classes, grid))
            return axes if n_panels > 1 else axes[0]

        return make

    def _panel(self, panel, per):
        """Return a panel's matrix and its title."""
        if panel == "projected":
            matrix = self.projected * (per / self.projected.sum())
            return matrix, f"{self._said_prior()}, per {per:,.0f}"
        matrix = np.asarray(self.confusion_matrix, dtype=np.float64)
        return matrix, f"as counted, {_number(matrix.sum())} rows"

    def _said_prior(self):
        if len(self.target_prior) > 2:
            return "at target prior"
        labels = np.asarray(self._names(as_is=True))
        number = check_pos_label(self.pos_label, labels)
        return f"at {share(self.target_prior[number])}"

    def _names(self, as_is=False):
        n_classes = len(self.confusion_matrix)
        labels = range(n_classes) if self.labels is None else self.labels
        return list(labels) if as_is else [class_name(k, LONGEST_NAME) for k in labels]

    def _draw(self, ax, matrix, title):
        n_classes = len(matrix)
        true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
        shades = _ratio(matrix, true[:, None])
        texts = [[_number(value) for value in row] for row in matrix]
        _, artists = draw_cells(ax, shades, texts, 0, 1)
        ax.set_xlim(0, n_classes + 1)
        ax.set_ylim(n_classes + 1, 0)
        digits = 3 if n_classes < SEVERAL else 2
        for k in range(n_classes):
            hits = matrix[k, k]
            write_beside(ax, k, n_classes, _rate(hits, true[k], digits))
            write_beside(ax, n_classes, k, _rate(hits, predicted[k], digits))
        write_beside(ax, n_classes, n_classes, "recall")
        ax.set_title(title, loc="left")
        return artists

    def _label(self):
        """Name the classes once for panels that stand in one row, or one column."""
        panels, names = np.ravel(self.ax_), self._names()
        beside = len(panels) > 1 and _same_row(*panels)
        for number, ax in enumerate(panels):
            label_cells(ax, names, [*names, "precision"])
            if beside and number:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel("true")
            if not beside and number + 1 < len(panels):
                ax.tick_params(labelbottom=False)
            else:
                ax.set_xlabel("predicted")

    def _leave_out_what_overlaps(self):
        """Leave only shades and recalls where numbers are wider than their cells."""
        n_classes = len(self.confusion_matrix)
        self.figure_.draw_without_rendering()  # lays out
        for ax in np.ravel(self.ax_):
            slant_where_tight(ax, n_classes + 1)
        self.figure_.draw_without_rendering()
        for ax, texts in zip(np.ravel(self.ax_), self.text_, strict=True):
            room = ax.get_window_extent().width / (n_classes + 1)
            if all(text.get_window_extent().width <= room for text in texts.flat):
                continue
            for text in ax.texts:
                column, row = text.get_position()
                text.set_visible(column > n_classes and row < n_classes)
                text.set(x=n_classes + 0.2, ha="left")
            ax.get_yticklabels()[-1].set_visible(False)
            ax.set_title("shade: share of true class", loc="left")

    def _columns(self):
        names = self._names(as_is=True)
        n_classes = len(names)
        columns = {
            "true": [name for name in names for _ in names],
            "predicted": names * n_classes,
            "counted": np.ravel(self.confusion_matrix),
        }
        if self.projected is not None:
            columns["projected"] = np.ravel(self.projected)
        return columns


def _width(ax):
    """Return the width of given axes with their labels, in inches."""
    axes = np.ravel(np.asarray(ax, dtype=object))
    return sum(one.get_position().width for one in axes) * (
        axes[0].figure.get_figwidth() / 0.775
    )


def _size(n_classes, grid):
    n_rows, n_columns = grid
    cell = 0.62 if n_classes < SEVERAL else 0.46
    width = n_columns * (cell * (n_classes + 1) + 0.8)
    height = n_rows * (0.4 * (n_classes + 1) + 1.1)
    return max(width, 3.4 if n_rows * n_columns == 1 else 5.0), max(height, 2.6)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _number(value):
    """Return a count or a weight as a short text."""
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= 0.01 else "< 0.01"


def _rate(hits, whole, digits):
    return percent(float(f"{hits / whole:.{digits}g}")) if whole > 0 else "none"


def _same_row(first, second):
    return abs(first.get_position().y0 - second.get_position().y0) < 0.01
