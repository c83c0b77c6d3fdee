"""What acting on probabilities is worth, at every trade-off."""

import numpy as np

from sklimb._validation import as_labels
from sklimb.display._base import Display
from sklimb.display._names import class_name
from sklimb.display._scales import (
    check_scale,
    even_edges,
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
from sklimb.metrics import net_benefit

__all__ = ["DecisionCurveDisplay"]

N_THRESHOLDS = 200
RARE = 0.05


class DecisionCurveDisplay(Display):
    """Net benefit against the threshold probability (Vickers and Elkin).

    Made by :meth:`from_estimator` or :meth:`from_predictions`. Whoever acts from a
    probability t on takes (1 - t) / t false alarms for one true positive. A model is of
    use at t where its curve lies above those of acting on everybody and on nobody. Of
    several classes one is looked at, against the rest.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Rising.
    net_benefit : ndarray of shape (n_thresholds,)
        In true positives per row.
    prevalence : float
        Of the class, where it is measured.
    label : label, default=None
        The class that is acted on.
    name : str, default=None
        The classifier, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
    all_line_, none_line_ : Line2D or None
        Acting on everybody, on nobody; None in axes that have them.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.metrics.net_benefit : The numbers.

    References
    ----------
    Vickers and Elkin (2006), "Decision curve analysis: a novel method for evaluating
    prediction models", Medical Decision Making 26(6).

    Examples
    --------
    >>> import numpy as np
    >>> from sklimb.display import DecisionCurveDisplay
    >>> random = np.random.default_rng(0)
    >>> proba = random.uniform(size=1000) ** 3
    >>> y_true = random.uniform(size=1000) < proba
    >>> display = DecisionCurveDisplay.from_predictions(y_true, proba)
    >>> bool((display.net_benefit[20:] > display.treat_all[20:]).all())
    True
    """

    def __init__(self, *, thresholds, net_benefit, prevalence, label=None, name=None):
        self.thresholds = thresholds
        self.net_benefit = net_benefit
        self.prevalence = prevalence
        self.label = label
        self.name = name

    @property
    def treat_all(self):
        """The net benefit of acting on everybody, ndarray of shape (n_thresholds,)."""
        odds = self.thresholds / (1 - self.thresholds)
        return self.prevalence - (1 - self.prevalence) * odds

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        thresholds=None,
        target_prior=None,
        sample_weight=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the decision curve of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba``.
        X : array-like, frame or sparse matrix of n_rows rows, default=None
            Rows that it was not trained on; None for the rows out of fold of one that
            tuned a threshold.
        y : array-like of shape (n_rows,), default=None
        thresholds : array-like, default=None
            In (0, 1); None for 200 around the prevalence.
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution that it is measured at; None for the one that the
            classifier was corrected to, where it was, else the rows as they are.
            Probabilities are taken as they are.
        sample_weight : array-like of shape (n_rows,), default=None
        pos_label : label, default=None
            The class that is acted on; None for ``classes_[-1]``.
        name : str, default=None
            For the legend; None for the class of the estimator.
        ax : matplotlib Axes, default=None
            None for a new figure; those of another display to compare.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        DecisionCurveDisplay

        Raises
        ------
        TypeError
            If the classifier has no probabilities.
        ValueError
            If rows are needed and not given, or something is not valid.
        """
        found = probabilities_of(
            estimator, X, y, sample_weight, "DecisionCurveDisplay.from_estimator"
        )
        return cls.from_predictions(
            found.y_true,
            found.predicted,
            thresholds=thresholds,
            target_prior=measured_at(estimator, target_prior),
            sample_weight=found.sample_weight,
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
        thresholds=None,
        target_prior=None,
        sample_weight=None,
        labels=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the decision curve of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
        y_proba : array-like of shape (n_rows,) or (n_rows, n_classes)
            Probabilities of the positive class, or a column for each class.
        labels : array-like of shape (n_classes,), default=None
            The classes in the order of the columns; None for those of ``y_true``.
        name : str, default=None
            For the legend.
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution that it is measured at; None for the rows as they
            are.
        thresholds, sample_weight, pos_label, ax, **plot_kwargs
            As of :meth:`from_estimator`.

        Returns
        -------
        DecisionCurveDisplay

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
        prevalence = rows.prevalence
        if thresholds is None:
            thresholds = _default_thresholds(prevalence)
        thresholds = _check_thresholds(thresholds)
        display = cls(
            thresholds=thresholds,
            net_benefit=net_benefit(
                rows.is_positive, rows.proba, thresholds, **rows.options
            ),
            prevalence=prevalence,
            label=rows.label,
            name=name,
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, name=None, scale="auto", curve_kwargs=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None for a new figure; those of another display to compare.
        name : str, default=None
            As of the class.
        scale : {"auto", "linear", "log", "log-odds"}, default="auto"
            Of the thresholds: "auto" is logarithmic for a prevalence below 5 %.
        curve_kwargs : dict, default=None
            For the curve, as matplotlib's ``plot`` takes them.

        Returns
        -------
        self
        """
        with drawing(self, lambda: axes_for(ax)) as ax:
            look = next_look(ax)
            is_first = look["number"] == 0
            self._set_x_axis(scale, is_first)
            name = self.name if name is None else name
            settings = {
                "color": look["color"],
                "linestyle": look["linestyle"],
                "linewidth": 1.8,
                "label": shortened("the model" if name is None else name),
                **(curve_kwargs or {}),
            }
            self.line_ = ax.plot(self.thresholds, self.net_benefit, **settings)[0]
            self.all_line_ = self.none_line_ = None
            if is_first:
                self._draw_without_model()
            self._set_y_axis(is_first)
            legend_above(ax)
        return self

    def _set_x_axis(self, scale, is_first):
        if check_scale(scale) == "auto":
            scale = "log" if self.prevalence < RARE else "linear"
        ends = self.thresholds[[0, -1]]
        if not is_first:  # the axes belong to the first
            scale = scale_of(self.ax_)
            low, high = self.ax_.get_xlim()
            ends = min(low, ends[0]), max(high, ends[1])
        set_probability_axis(self.ax_, "x", scale, ends)
        label = class_name(self.label)
        name = f"threshold probability of {label}"
        name_axes(self.ax_, name, "net benefit per row")

    def _draw_without_model(self):
        grey = COLOURS["grey"]
        label = f"treat all ({share(self.prevalence)})"
        self.all_line_ = self.ax_.plot(
            self.thresholds, self.treat_all, color=grey, ls="--", lw=1.2, label=label
        )[0]
        self.none_line_ = self.ax_.axhline(
            0, color=grey, linestyle=":", linewidth=1.2, label="treat none"
        )

    def _set_y_axis(self, is_first):
        """Show what is above nothing; treating all falls without end."""
        top = max(self.net_benefit.max(), self.prevalence) * 1.05
        bottom = max(-0.2 * top, self.net_benefit.min() - 0.05 * top)
        if not is_first:
            low, high = self.ax_.get_ylim()
            bottom, top = min(low, bottom), max(high, top)
        self.ax_.set_ylim(min(bottom, -0.05 * top), top)

    def _columns(self):
        n = len(self.thresholds)
        curves = {
            "model": self.net_benefit,
            "all": self.treat_all,
            "none": np.zeros(n),
        }
        return {
            "threshold": np.tile(self.thresholds, len(curves)),
            "acts_on": np.repeat(list(curves), n),
            "net_benefit": np.concatenate(list(curves.values())),
        }


def _default_thresholds(prevalence):
    if prevalence < RARE:
        return even_edges("log", (prevalence / 10, min(50 * prevalence, 0.95)), 199)
    high = min(0.99, max(0.5, 2 * prevalence))
    return np.linspace(high / N_THRESHOLDS, high, N_THRESHOLDS)


def _check_thresholds(thresholds):
    thresholds = np.unique(np.asarray(thresholds, dtype=np.float64))
    if len(thresholds) < 2 or thresholds[0] <= 0 or thresholds[-1] >= 1:
        raise ValueError(
            f"`thresholds`={as_labels(thresholds)} must be two or more numbers above 0 "
            "and below 1, such as numpy.linspace(0.01, 0.5, 50)."
        )
    return thresholds
