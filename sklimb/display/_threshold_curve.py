"""A metric against the cut."""

import numpy as np

from sklimb.display._base import Display
from sklimb.display._scales import percent
from sklimb.display._sources import (
    check_rows_given,
    labelled,
    out_of_fold_of,
    scores_of,
    tuned_inside,
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
from sklimb.display._threshold_axis import (
    CutAxis,
    draw_broken,
    draw_choice,
    draw_folds,
)
from sklimb.display._threshold_source import (
    CurveSource,
    aim_of,
    chosen_by,
    curve_of_cv_results,
    known_allowed,
    like_proba,
    score_name,
)

__all__ = ["ThresholdCurveDisplay"]

# Stretches of the axis of which each keeps up to four points of the curve.
CURVE_BINS = 250


class ThresholdCurveDisplay(Display):
    """A metric against the threshold: how flat the top is, and what folds say.

    Made by :meth:`from_estimator`, :meth:`from_predictions` or
    :meth:`from_cv_results`.

    Parameters
    ----------
    thresholds : ndarray of shape (n_cuts,)
        Rising: the middle of each cut's gap between two scores.
    scores : ndarray of shape (n_cuts,)
        The metric at each cut; with folds, its mean.
    fold_scores : ndarray of shape (n_folds, n_cuts), default=None
        Each fold's metric.
    is_broken : ndarray of shape (n_cuts,), bool, default=None
        Where a constraint is broken.
    threshold : float, default=None
        The chosen cut.
    interval : tuple (low, high), default=None
        How far the chosen cut would move with other rows.
    score_name : str, default="score"
        The metric, as the axis names it.
    threshold_name : str, default="threshold"
        What the threshold is set on, as the axis names it.
    unit : {"probability", "score", "ratio"}, default="probability"
        What thresholds are: probabilities, decision values, or one class's of
        several, which compare probabilities.
    name : str, default=None
        The classifier, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    fold_lines_ : list of Line2D
    chosen_line_, interval_ : artist or None
        The chosen cut, and the band of its interval.
    broken_ : list of artists
        The hatched regions.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.OptimalThresholdClassifierCV : Chooses the cut.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklimb import OptimalThresholdClassifierCV
    >>> from sklimb.display import ThresholdCurveDisplay
    >>> X, y = make_classification(2000, weights=[0.9], random_state=0)
    >>> tuned = OptimalThresholdClassifierCV(LogisticRegression(), scoring="f1")
    >>> display = ThresholdCurveDisplay.from_estimator(tuned.fit(X, y))
    >>> display.ax_.get_ylabel()
    'F1, mean of 5 folds'
    """

    def __init__(
        self,
        *,
        thresholds,
        scores,
        fold_scores=None,
        is_broken=None,
        threshold=None,
        interval=None,
        score_name="score",
        threshold_name="threshold",
        unit="probability",
        name=None,
    ):
        self.thresholds = thresholds
        self.scores = scores
        self.fold_scores = fold_scores
        self.is_broken = is_broken
        self.threshold = threshold
        self.interval = interval
        self.score_name = score_name
        self.threshold_name = threshold_name
        self.unit = unit
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        sample_weight=None,
        scoring=None,
        target_prior=None,
        constraints=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the curve of a fitted classifier.

        Of one that tuned a threshold (:class:`~sklimb.OptimalThresholdClassifierCV`
        or :class:`~sklimb.ImbalanceAwareClassifier`; alone, last in a Pipeline, or
        the best of a search) on the rows out of fold that it was tuned on, where
        ``X`` is None.

        Parameters
        ----------
        estimator : fitted classifier
        X : array-like, frame or sparse matrix of n_rows rows, default=None
            Rows that it was not trained on.
        y : array-like of shape (n_rows,), default=None
        sample_weight : array-like of shape (n_rows,), default=None
        scoring : str or callable, default=None
            The metric, as of :class:`~sklimb.OptimalThresholdClassifierCV`; None for
            what the threshold was tuned by, else balanced accuracy.
        target_prior : array-like, mapping, float or "uniform", default=None
            The class distribution that the metric is measured at; None for the one
            that the threshold was tuned at, else the rows as they are.
        constraints : mapping, default=None
            Where they are broken is hatched; None for those of the tuning.
        pos_label : label, default=None
            Of two classes the positive one. Of more the one whose threshold moves,
            while the others are held where they are; None for ``classes_[-1]``.
        name : str, default=None
            For the legend, where several classifiers share axes.
        ax : matplotlib Axes, default=None
            None for a new figure.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        ThresholdCurveDisplay

        Raises
        ------
        ValueError
            If rows are needed and not given, or something is not valid.
        """
        tuned = tuned_inside(estimator)
        if tuned is None or X is not None:
            check_rows_given(X, y, "ThresholdCurveDisplay.from_estimator")
            scores, has_proba = scores_of(estimator, X)
            rows = out_of_fold_of(
                labelled(y, sample_weight, estimator.classes_), scores
            )
        else:
            rows = tuned._tuning.rows
            has_proba = rows.scores.ndim == 2
        aim, prior = aim_of(
            tuned, estimator.classes_, scoring, target_prior, constraints, pos_label
        )
        known = None
        if tuned is not None and X is None and constraints is None:
            known = known_allowed(tuned, target_prior)
        source = CurveSource(rows, aim, prior, has_proba, pos_label, name)
        threshold, interval = chosen_by(tuned)
        display = cls(**source.parameters(threshold, interval, known))
        return display.plot(ax=ax, **plot_kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_score,
        *,
        sample_weight=None,
        scoring="balanced_accuracy",
        target_prior=None,
        threshold=None,
        fold=None,
        constraints=None,
        labels=None,
        pos_label=None,
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw the curve of labels and scores.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
        y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
            Scores of the positive class, or a column for each class.
        sample_weight : array-like of shape (n_rows,), default=None
        scoring, target_prior, constraints, name, ax, **plot_kwargs
            As of :meth:`from_estimator`.
        threshold : float or array-like of shape (n_classes,), default=None
            The cut that is marked. None for the best one; of several classes the
            thresholds that the others are held at, None for the greatest
            probability's class.
        fold : array-like of shape (n_rows,), default=None
            Which fold each row is of: the curve is then the folds' mean.
        labels : array-like of shape (n_classes,), default=None
            The classes in the order of the columns; None for those of ``y_true``.
        pos_label : label, default=None
            As of :meth:`from_estimator`.

        Returns
        -------
        ThresholdCurveDisplay

        Raises
        ------
        ValueError
            If shapes differ, scores are not finite, or a parameter is not valid.
        """
        rows = labelled(y_true, sample_weight, labels)
        aim, prior = aim_of(
            None, rows.classes, scoring, target_prior, constraints, pos_label
        )
        scores = np.asarray(y_score, dtype=np.float64)
        if scores.ndim == 1 and aim.positive_class == 0:
            scores = -scores  # what is kept is greater for the second class
        rows = out_of_fold_of(rows, scores, fold)
        source = CurveSource(rows, aim, prior, like_proba(y_score), pos_label, name)
        if threshold is None:
            threshold = source.best()
        display = cls(**source.parameters(threshold))
        return display.plot(ax=ax, **plot_kwargs)

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        threshold=None,
        interval=None,
        scoring="score",
        name=None,
        ax=None,
        **plot_kwargs,
    ):
        """Draw what a classifier kept of its folds.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of an :class:`~sklimb.OptimalThresholdClassifierCV` with
            ``store_cv_results=True``.
        threshold : float, default=None
            The cut that is marked; None for the one of the greatest score.
        interval : tuple (low, high), default=None
            How far it would move with other rows.
        scoring : str, default="score"
            The metric's name, which the results don't tell.
        name, ax, **plot_kwargs
            As of :meth:`from_estimator`.

        Returns
        -------
        ThresholdCurveDisplay

        Raises
        ------
        ValueError
            If they are no such results, or those of several classes, which have
            no curve.
        """
        thresholds, scores, fold_scores = curve_of_cv_results(cv_results)
        if threshold is None:
            threshold = float(thresholds[np.nanargmax(scores)])
        display = cls(
            thresholds=thresholds,
            scores=scores,
            fold_scores=fold_scores if len(fold_scores) > 1 else None,
            threshold=threshold,
            interval=interval,
            score_name=score_name(scoring, len(fold_scores)),
            unit="probability" if like_proba(thresholds) else "score",
            name=name,
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, name=None, x_scale="auto", curve_kwargs=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None for a new figure.
        name : str, default=None
            As of the class.
        x_scale : {"auto", "linear", "log", "log-odds"}, default="auto"
            "auto" is log-odds where half of the thresholds lie below 5 % or above
            95 %, and logarithmic for one class of several.
        curve_kwargs : dict, default=None
            For the curve, as matplotlib's ``plot`` takes them.

        Returns
        -------
        self
        """
        with drawing(self, lambda: axes_for(ax)) as ax:
            look = next_look(ax)
            axis = CutAxis.of(self.thresholds, self.unit, self._marks(), x_scale)
            axis.set_on(ax)
            self._draw_folds(axis, look["color"])
            self.line_ = self._draw_curve(axis, look, name, curve_kwargs or {})
            colour = look["color"] if look["number"] else COLOURS["vermillion"]
            self.chosen_line_, self.interval_ = draw_choice(
                ax, self.threshold, self.interval, colour, self._said
            )
            self.broken_ = draw_broken(ax, axis, self.is_broken)
            name_axes(ax, self.threshold_name, self.score_name)
            legend_above(ax)
        return self

    def _marks(self):
        """Return what the picture must show."""
        marks = [self.threshold, *(self.interval or ())]
        marks = [mark for mark in marks if mark is not None and np.isfinite(mark)]
        # Ratios have no end, and of equally good ones the least may be anywhere.
        if marks and self.unit == "ratio":
            return marks
        return [*marks, self.thresholds[np.nanargmax(self.scores)]]

    def _draw_folds(self, axis, colour):
        folds = [] if self.fold_scores is None else self.fold_scores
        label = "each fold" if self.name is None else None
        self.fold_lines_ = draw_folds(self.ax_, axis, folds, colour, label)

    def _draw_curve(self, axis, look, name, curve_kwargs):
        name = self.name if name is None else name
        if name is None and self.fold_scores is not None:
            name = f"mean of {len(self.fold_scores)} folds"
        settings = {
            "color": look["color"],
            "linestyle": look["linestyle"],
            "linewidth": 1.8,
            "drawstyle": "steps-mid",
            "label": None if name is None else shortened(name),
            **curve_kwargs,
        }
        return self.ax_.plot(*axis.points(self.scores, CURVE_BINS), **settings)[0]

    def _said(self, threshold):
        if self.unit == "probability":
            return percent(float(f"{threshold:.3g}"))
        return f"{threshold:.3g}"

    def _columns(self):
        n_cuts = len(self.thresholds)
        folds = [] if self.fold_scores is None else list(self.fold_scores)
        curves = [self.scores, *folds]
        broken = np.zeros(n_cuts, bool) if self.is_broken is None else self.is_broken
        return {
            "threshold": np.tile(self.thresholds, len(curves)),
            "score": np.concatenate(curves),
            "fold": np.repeat(["all", *map(str, range(len(folds)))], n_cuts),
            "breaks_constraints": np.tile(broken, len(curves)),
        }
