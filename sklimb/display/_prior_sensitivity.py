"""What a decision is worth where the class is rarer, or more frequent."""

import numpy as np

from sklimb._validation import as_labels, check_pos_label
from sklimb.display._at_prevalences import (
    check_metrics,
    check_prevalences,
    counted,
    default_prevalences,
    retuned_scores,
    scored_rows,
)
from sklimb.display._base import Display
from sklimb.display._names import class_name, metric_label
from sklimb.display._scales import check_scale, mark_prevalence, set_probability_axis
from sklimb.display._sources import (
    decisions_of,
    given_prior,
    labelled,
    labels_of,
    marked_priors,
    numbers_of_predictions,
    probabilities_of,
)
from sklimb.display._style import (
    axes_beneath,
    axes_for,
    drawing,
    legend_above,
    name_axes,
    next_look,
    put_beneath,
    shortened,
)

__all__ = ["PriorSensitivityDisplay"]

COST = "mean cost"


class PriorSensitivityDisplay(Display):
    """Metrics of a fixed decision against the prevalence where it is used.

    Made by :meth:`from_estimator` or :meth:`from_predictions`. How each class is
    predicted stays, how many of it there are moves; of several classes the others keep
    their proportions.

    Parameters
    ----------
    prevalences : ndarray of shape (n_prevalences,)
        Rising.
    scores : dict
        For each metric an array of shape (n_prevalences,); ``"cost"`` is minus the
        mean cost.
    low, high : dict, default=None
        The ends of the bands, as ``scores``.
    retuned : dict, default=None
        As ``scores``, with the threshold chosen anew at each prevalence.
    training_prevalence, rows_prevalence, target_prevalence : float, default=None
        What is marked: where it was trained, or else that of the rows; and where it
        is used.
    label : label, default=None
        The class whose prevalence moves.
    name : str, default=None
        The classifier, for the legend.

    Attributes
    ----------
    lines_ : dict of Line2D
        By metric.
    bands_ : dict of matplotlib artists
    retuned_lines_ : dict of Line2D
    training_line_, target_line_ : Line2D or None
    ax_ : matplotlib Axes
    cost_ax_ : matplotlib Axes or None
        Beneath, where costs are shown beside metrics.
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.metrics.score_at_prior : One of the numbers.

    Examples
    --------
    >>> from sklimb.display import PriorSensitivityDisplay
    >>> y_true = [1] * 100 + [0] * 100
    >>> y_pred = [1] * 97 + [0] * 3 + [1] * 2 + [0] * 98
    >>> display = PriorSensitivityDisplay.from_predictions(
    ...     y_true, y_pred, metrics=["precision"], target_prior=1 / 101
    ... )
    >>> at = display.prevalences == 1 / 101
    >>> display.scores["precision"][at].round(3)
    array([0.327])
    """

    def __init__(
        self,
        *,
        prevalences,
        scores,
        low=None,
        high=None,
        retuned=None,
        training_prevalence=None,
        rows_prevalence=None,
        target_prevalence=None,
        label=None,
        name=None,
    ):
        self.prevalences = prevalences
        self.scores = scores
        self.low = low
        self.high = high
        self.retuned = retuned
        self.training_prevalence = training_prevalence
        self.rows_prevalence = rows_prevalence
        self.target_prevalence = target_prevalence
        self.label = label
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        metrics=("precision", "f1"),
        cost_matrix=None,
        prevalences=None,
        sample_weight=None,
        training_prior=None,
        target_prior=None,
        retune=None,
        level=0.95,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw what a fitted classifier's decisions are worth.

        Parameters
        ----------
        estimator : fitted classifier
        X : array-like, frame or sparse matrix of n_rows rows, default=None
            Rows that it was not trained on; None for the rows out of fold of one that
            tuned a threshold.
        y : array-like of shape (n_rows,), default=None
        metrics : sequence of str, default=("precision", "f1")
            Names as of :func:`sklimb.metrics.score_at_prior`, of labels. Of several
            classes those of two are of ``pos_label`` against the rest.
        cost_matrix : array-like of shape (n_classes, n_classes), default=None
            For ``"cost"``: rows true, columns predicted.
        prevalences : array-like, default=None
            In (0, 1); None for enough, from a tenth of the rarest that is marked.
        sample_weight : array-like of shape (n_rows,), default=None
        training_prior : array-like, mapping, float or "uniform", default=None
            What is marked as training; None for the classifier's
            ``empirical_prior_``. Where that is not known, the rows' shares are marked.
        target_prior : array-like, mapping, float or "uniform", default=None
            What is marked as target; None for the prior that the classifier was
            corrected to.
        retune : str, default=None
            A metric: dashed lines are then drawn for the threshold that is the best by
            it at each prevalence, on these same rows. For two classes.
        level : float or None, default=0.95
            Of the bands, from beta-distributed rates; None draws none.
        pos_label : label, default=None
            The class whose prevalence moves; None for ``classes_[-1]``.
        name : str, default=None
            For the legend, where several classifiers share axes.
        ax : matplotlib Axes, default=None
            None for a new figure.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        PriorSensitivityDisplay

        Raises
        ------
        ValueError
            If rows are needed and not given, or something is not valid.
        """
        caller = "PriorSensitivityDisplay.from_estimator"
        found = decisions_of(estimator, X, y, sample_weight, caller)
        proba = None
        if retune is not None:
            proba = probabilities_of(estimator, X, y, sample_weight, caller).predicted
        training, target = marked_priors(estimator, training_prior, target_prior)
        return cls.from_predictions(
            found.y_true,
            found.predicted,
            y_proba=proba,
            metrics=metrics,
            cost_matrix=cost_matrix,
            prevalences=prevalences,
            sample_weight=found.sample_weight,
            training_prior=training,
            target_prior=target,
            retune=retune,
            level=level,
            labels=found.classes,
            pos_label=pos_label,
            name=name,
            ax=ax,
            **plot_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        y_proba=None,
        metrics=("precision", "f1"),
        cost_matrix=None,
        prevalences=None,
        sample_weight=None,
        training_prior=None,
        target_prior=None,
        retune=None,
        level=0.95,
        labels=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw what predicted labels are worth.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_rows,)
        y_proba : array-like of shape (n_rows,) or (n_rows, 2), default=None
            Scores, for ``retune``.
        metrics, cost_matrix, prevalences, sample_weight, training_prior, \
target_prior, retune, level, pos_label, name, ax, **plot_kwargs
            As of :meth:`from_estimator`.
        labels : array-like of shape (n_classes,), default=None
            All classes; None for the sorted labels of ``y_true`` and ``y_pred``.

        Returns
        -------
        PriorSensitivityDisplay

        Raises
        ------
        ValueError
            If something is not valid.
        """
        rows = labelled(y_true, sample_weight, labels_of(y_true, y_pred, labels))
        number = check_pos_label(pos_label, rows.classes)
        priors = [
            given_prior(prior, rows.classes, pos_label)
            for prior in (training_prior, target_prior)
        ]
        predicted = numbers_of_predictions(rows.classes, y_pred)
        decisions = counted(rows, predicted, number, priors[1])
        own = float(decisions.confusion[number].sum() / decisions.confusion.sum())
        marks = [None if each is None else float(each[number]) for each in priors]
        if prevalences is None:
            prevalences = default_prevalences([own, *filter(None, marks)])
        prevalences = check_prevalences(prevalences)
        metrics = check_metrics(metrics)
        scores, low, high = decisions.tables(metrics, prevalences, cost_matrix, level)
        retuned = None
        if retune is not None:
            found = scored_rows(rows, y_proba, pos_label)
            retuned = retuned_scores(metrics, retune, prevalences, *found, cost_matrix)
        display = cls(
            prevalences=prevalences,
            scores=scores,
            low=None if level is None else low,
            high=None if level is None else high,
            retuned=retuned,
            training_prevalence=marks[0],
            rows_prevalence=own,
            target_prevalence=marks[1],
            label=as_labels(rows.classes)[number],
            name=name,
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, name=None, scale="auto"):
        """Draw the metrics.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None for a new figure.
        name : str, default=None
            As of the class.
        scale : {"auto", "log", "linear", "log-odds"}, default="auto"
            Of the prevalence; "auto" is logarithmic.

        Returns
        -------
        self
        """
        with drawing(self, lambda: axes_for(ax)) as ax:
            is_first = not ax.lines
            ends = self.prevalences[[0, -1]]
            scale = "log" if check_scale(scale) == "auto" else scale
            set_probability_axis(ax, "x", scale, ends)
            name = self.name if name is None else name
            self.cost_ax_ = self._cost_axes()
            self.lines_, self.bands_, self.retuned_lines_ = {}, {}, {}
            for metric in self.scores:
                self._draw_metric(metric, name)
            self.training_line_ = self.target_line_ = None
            if is_first:
                self._draw_marks()
            lowest = ax if self.cost_ax_ in (None, ax) else self.cost_ax_
            of_label = f"prevalence of {class_name(self.label)} where it is used"
            name_axes(lowest, of_label)
            self._scale_scores()
            legend_above(ax)
        return self

    def _cost_axes(self):
        """Return the axes of costs: none, the only ones, or those beneath."""
        if "cost" not in self.scores:
            return None
        beneath = self.ax_
        if len(self.scores) > 1:
            beneath = axes_beneath(self.ax_, COST) or put_beneath(self.ax_, COST, 0.4)
        beneath.set_ylabel(COST)
        return beneath

    def _draw_metric(self, metric, name):
        look = next_look(self.ax_)
        is_cost = metric == "cost"
        ax, sign = (self.cost_ax_, -1) if is_cost else (self.ax_, 1)
        label = COST if is_cost else metric_label(metric)
        self.lines_[metric] = ax.plot(
            self.prevalences,
            sign * self.scores[metric],
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.8,
            label=label if name is None else f"{shortened(name, 20)}, {label}",
        )[0]
        if ax is not self.ax_:  # the one legend is above
            style = {"color": look["color"], "linestyle": look["linestyle"]}
            self.ax_.plot([], [], label=label, **style)
        if self.low is not None:
            ends = [sign * each[metric] for each in (self.low, self.high)]
            self.bands_[metric] = ax.fill_between(
                self.prevalences, *ends, color=look["color"], alpha=0.18, linewidth=0
            )
        if self.retuned is not None:
            values, said = sign * self.retuned[metric], f"{label}, cut re-tuned"
            self.retuned_lines_[metric] = ax.plot(
                self.prevalences, values, ":", color=look["color"], lw=1.2, label=said
            )[0]
        if not is_cost:
            name_axes(ax, y="score" if len(self.scores) > 1 else label)

    def _scale_scores(self):
        """Show scores from 0 on, whatever was drawn before."""
        if self.ax_ is self.cost_ax_:
            return
        self.ax_.autoscale(axis="y")
        self.ax_.autoscale_view()
        low, _ = self.ax_.get_ylim()
        least = min(v.min() for k, v in self.scores.items() if k != "cost")
        self.ax_.set_ylim(bottom=min(0, least, low if least < 0 else 0))

    def _draw_marks(self):
        trained = "training", self.training_prevalence
        if self.training_prevalence is None:
            trained = "these rows", self.rows_prevalence
        for ax in dict.fromkeys([self.cost_ax_ or self.ax_, self.ax_]):
            self.training_line_ = mark_prevalence(ax, *trained, ":")
            self.target_line_ = mark_prevalence(
                ax, "target", self.target_prevalence, "-"
            )

    def _columns(self):
        n, names = len(self.prevalences), list(self.scores)
        tables = {"score": self.scores, "low": self.low, "high": self.high}
        tables["retuned"] = self.retuned
        return {
            "prevalence": np.tile(self.prevalences, len(names)),
            "metric": np.repeat(names, n),
            **{
                column: np.concatenate([table[name] for name in names])
                for column, table in tables.items()
                if table is not None
            },
        }
