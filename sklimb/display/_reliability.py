"""Whether rows of probability p come true with frequency p."""

import numpy as np

from sklimb.display._base import Display
from sklimb.display._names import class_name
from sklimb.display._reliability_axes import histogram_axes, limits_of
from sklimb.display._scales import (
    chosen_scale,
    even_edges,
    percent,
    scale_of,
    set_probability_axis,
    share,
)
from sklimb.display._sources import (
    estimator_name,
    measured_at,
    one_against_rest,
    probabilities_of,
)
from sklimb.display._style import (
    COLOURS,
    axes_for,
    drawing,
    legend_above,
    name_axes,
    next_look,
    shortened,
)
from sklimb.metrics import expected_calibration_error, reliability_curve

__all__ = ["ReliabilityDisplay"]

HISTOGRAM_BINS = 30
NEAR_1 = 0.3


class ReliabilityDisplay(Display):
    """Observed frequencies against predicted probabilities, with bands.

    Made by :meth:`from_estimator` or :meth:`from_predictions`. Beneath, how many rows
    have which probability; what lies beyond the picture stands at its edge. Of several
    classes one is looked at, against the rest.

    Parameters
    ----------
    predicted, observed, low, high : ndarray of shape (n_bins,)
        Mean probability, share of positives, and its interval, in each bin.
    n_rows : ndarray of shape (n_bins,)
    proba : ndarray of shape (n_rows,)
        The probabilities, for the histogram.
    sample_weight : ndarray of shape (n_rows,), default=None
    calibration_error : float, default=None
        Root mean squared gap, its noise taken out.
    label : label, default=None
        The class that is looked at.
    prevalence : float, default=None
        Where it was measured, if not on the rows as they are.
    level : float, default=0.95
        Of the bands.
    name : str, default=None
        The classifier, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
    none_observed_, all_observed_ : Line2D or None
        Bins without a positive, or of positives alone, on scales that have no 0 and
        no 1.
    band_ : matplotlib artist
    diagonal_ : Line2D or None
        Where predictions are right; None in axes that have it.
    histogram_ : matplotlib artist
    histogram_ax_ : matplotlib Axes
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.metrics.reliability_curve : The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.display import ReliabilityDisplay
    >>> random = np.random.default_rng(0)
    >>> proba = random.uniform(size=1000)
    >>> y_true = random.uniform(size=1000) < proba ** 2
    >>> display = ReliabilityDisplay.from_predictions(y_true, proba)
    >>> round(display.calibration_error, 2)
    0.17
    """

    def __init__(
        self,
        *,
        predicted,
        observed,
        low,
        high,
        n_rows,
        proba,
        sample_weight=None,
        calibration_error=None,
        label=None,
        prevalence=None,
        level=0.95,
        name=None,
    ):
        self.predicted = predicted
        self.observed = observed
        self.low = low
        self.high = high
        self.n_rows = n_rows
        self.proba = proba
        self.sample_weight = sample_weight
        self.calibration_error = calibration_error
        self.label = label
        self.prevalence = prevalence
        self.level = level
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        sample_weight=None,
        n_bins=10,
        level=0.95,
        target_prior=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw a fitted classifier's reliability.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba``.
        X : array-like, frame or sparse matrix of n_rows rows, default=None
            Rows that it was not trained on; None for the rows out of fold of one that
            tuned a threshold.
        y : array-like of shape (n_rows,), default=None
        sample_weight : array-like of shape (n_rows,), default=None
        n_bins : int, default=10
            Bins of equal mass.
        level : float, default=0.95
            Of the bands, each by itself.
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution that it is measured at; None for the one that the
            classifier was corrected to, where it was, else the rows as they are.
            Probabilities are taken as they are.
        pos_label : label, default=None
            The class that is looked at; None for ``classes_[-1]``.
        name : str, default=None
            For the legend; None for the class of the estimator.
        ax : matplotlib Axes, default=None
            None for a new figure.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        TypeError
            If the classifier has no probabilities.
        ValueError
            If rows are needed and not given, or something is not valid.
        """
        found = probabilities_of(
            estimator, X, y, sample_weight, "ReliabilityDisplay.from_estimator"
        )
        return cls.from_predictions(
            found.y_true,
            found.predicted,
            sample_weight=found.sample_weight,
            n_bins=n_bins,
            level=level,
            target_prior=measured_at(estimator, target_prior),
            labels=found.classes,
            pos_label=pos_label,
            name=estimator_name(estimator) if name is None else name,
            ax=ax,
            **plot_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        sample_weight=None,
        n_bins=10,
        level=0.95,
        target_prior=None,
        labels=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the reliability of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
        y_proba : array-like of shape (n_rows,) or (n_rows, n_classes)
            Probabilities of the positive class, or a column for each class.
        sample_weight, n_bins, level, ax, **plot_kwargs
            As of :meth:`from_estimator`.
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution that it is measured at; None for the rows as they
            are.
        labels : array-like of shape (n_classes,), default=None
            The classes in the order of the columns; None for those of ``y_true``.
        pos_label : label, default=None
            The class that is looked at; None for the last.
        name : str, default=None
            For the legend.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            If shapes differ, or something is not valid.
        """
        rows = one_against_rest(
            y_true,
            y_proba,
            target_prior=target_prior,
            sample_weight=sample_weight,
            labels=labels,
            pos_label=pos_label,
        )
        two = rows.is_positive, rows.proba
        curve = reliability_curve(*two, n_bins=n_bins, level=level, **rows.options)
        display = cls(
            **curve._asdict(),
            proba=rows.proba,
            sample_weight=rows.options["sample_weight"],
            calibration_error=expected_calibration_error(*two, **rows.options),
            label=rows.label,
            prevalence=None if target_prior is None else rows.prevalence,
            level=level,
            name=name,
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, name=None, scale="auto", curve_kwargs=None):
        """Draw the curve, and the histogram beneath.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None for a new figure; those of another display to compare.
        name : str, default=None
            As of the class.
        scale : {"auto", "linear", "log", "log-odds"}, default="auto"
            Of both axes. "auto" is linear, but logarithmic where half of the bins lie
            below 5 %, and log-odds where others lie high as well.
        curve_kwargs : dict, default=None
            For the curve, as matplotlib's ``plot`` takes them.

        Returns
        -------
        self
        """
        with drawing(self, lambda: axes_for(ax)) as ax:
            look = next_look(ax)
            limits = self._set_axes(scale, is_first=look["number"] == 0)
            self.diagonal_ = None if look["number"] else self._draw_diagonal()
            self._draw_curve(look, limits, name, curve_kwargs or {})
            self._draw_histogram(look, limits)
            if look["number"] == 0:
                self._name_axes()
            legend_above(ax)
        return self

    def _set_axes(self, scale, is_first):
        """Set the scales and limits of both axes, and return the limits."""
        crowded = "log-odds" if self.predicted.max() > NEAR_1 else "log"
        scale = chosen_scale(scale, self.predicted, crowded)
        if not is_first:  # the axes belong to the first
            scale = scale_of(self.ax_)
        low, high = limits_of(self, scale)
        if not is_first:
            ends = self.ax_.get_xlim()
            low, high = min(low, ends[0]), max(high, ends[1])
        for which in "xy":
            set_probability_axis(self.ax_, which, scale, (low, high))
        return low, high

    def _draw_diagonal(self):
        grey, ends = COLOURS["grey"], [0, 1]
        line = self.ax_.plot(ends, ends, ":", color=grey, linewidth=1.2)[0]
        line.set_transform(self.ax_.transAxes)  # straight on every scale
        line.set_label("as predicted")
        return line

    def _draw_curve(self, look, limits, name, curve_kwargs):
        x = self.predicted.clip(*limits)
        inside = [each.clip(*limits) for each in (self.observed, self.low, self.high)]
        settings = {
            "color": look["color"],
            "linestyle": look["linestyle"],
            "marker": look["marker"],
            "markersize": 4,
            "linewidth": 1.4,
            "clip_on": False,
            "label": self._label(name),
            **curve_kwargs,
        }
        low, high = limits
        is_0 = (self.observed < low) & (low > 0)
        is_1 = (self.observed > high) & (high < 1)
        y = np.where(is_0 | is_1, np.nan, inside[0])
        self.line_ = self.ax_.plot(x, y, **settings)[0]
        self.none_observed_ = self._draw_beyond(x[is_0], low, 11, settings["color"])
        self.all_observed_ = self._draw_beyond(x[is_1], high, 10, settings["color"])
        self.band_ = self.ax_.fill_between(
            x, *inside[1:], color=look["color"], alpha=0.18, linewidth=0
        )

    def _name_axes(self):
        label = class_name(self.label)
        at = "" if self.prevalence is None else f"\nat {share(self.prevalence)}"
        name_axes(self.ax_, y=f"observed share of {label}{at}")
        name_axes(self.histogram_ax_, f"predicted probability of {label}", "rows")

    def _draw_beyond(self, x, edge, caret, colour):
        """Point from an edge of the picture at what lies beyond."""
        if len(x) == 0:
            return None
        y, style = np.full(len(x), edge), {"linestyle": "none", "clip_on": False}
        return self.ax_.plot(x, y, color=colour, marker=caret, markersize=5, **style)[0]

    def _label(self, name):
        name = self.name if name is None else name
        error = self.calibration_error
        said = [] if name is None else [shortened(name, 24)]
        if error is not None:
            gap = f"RMS gap {percent(float(f'{error:.2g}'))}"
            said.append(gap if error else "gap within noise")
        return ", ".join(said) or None

    def _draw_histogram(self, look, limits):
        ax = self.histogram_ax_ = histogram_axes(self.ax_)
        edges = even_edges(scale_of(ax), limits, HISTOGRAM_BINS)
        weight = self.sample_weight
        inside = self.proba.clip(edges[0], edges[-1])
        counts, _ = np.histogram(inside, edges, weights=weight)
        shares = counts / (len(self.proba) if weight is None else weight.sum())
        self.histogram_ = ax.stairs(
            shares,
            edges,
            color=look["color"],
            linestyle=look["linestyle"],
            fill=look["number"] == 0,
            alpha=0.4 if look["number"] == 0 else 1,
        )
        top = ax.get_ylim()[1] if look["number"] else 0
        ax.set_ylim(0, max(top, 1.1 * shares.max()))

    def _columns(self):
        return {
            "predicted": self.predicted,
            "observed": self.observed,
            "low": self.low,
            "high": self.high,
            "n_rows": self.n_rows,
        }
