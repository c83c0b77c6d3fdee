"""What a search found, by two of its parameters."""

from numbers import Real

import numpy as np

from sklimb._validation import is_number
from sklimb.display._base import Display
from sklimb.display._cells import draw_cells, label_cells, slant_where_tight
from sklimb.display._style import COLOURS, axes_for, drawing, shortened

__all__ = ["SearchHeatmapDisplay"]

SCORES = ("mean_test_", "mean_train_", "split")
LONGEST_NAME = 16


class SearchHeatmapDisplay(Display):
    """A search's scores by two of its parameters, the others at their best.

    Made by :meth:`from_cv_results`.

    Parameters
    ----------
    scores : ndarray of shape (n_y_values, n_x_values)
        nan where there is none.
    x_values, y_values : list
        The parameters' values.
    x, y : str
        The parameters' names.
    score : str, default="mean_test_score"
        What is shown.
    others : tuple of str, default=()
        The parameters that are at their best in each cell.

    Attributes
    ----------
    mesh_ : matplotlib QuadMesh
    text_ : ndarray of matplotlib Text
        None for cells without a score, and where numbers don't fit.
    best_ : matplotlib Rectangle or None
        Around the best cell.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklimb.ImbalanceSearchCV : Where networks are trained once for all thresholds.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklimb import ImbalanceAwareClassifier
    >>> from sklimb.display import SearchHeatmapDisplay
    >>> X, y = make_classification(600, weights=[0.9], random_state=0)
    >>> grid = {"class_weight": [None, "balanced"], "threshold": [0.1, 0.3, 0.5]}
    >>> aware = ImbalanceAwareClassifier(LogisticRegression())
    >>> search = GridSearchCV(aware, grid, scoring="f1").fit(X, y)
    >>> display = SearchHeatmapDisplay.from_cv_results(search.cv_results_)
    >>> display.y_values, display.x_values
    ([None, 'balanced'], [0.1, 0.3, 0.5])
    """

    def __init__(
        self, *, scores, x_values, y_values, x, y, score="mean_test_score", others=()
    ):
        self.scores = scores
        self.x_values = x_values
        self.y_values = y_values
        self.x = x
        self.y = y
        self.score = score
        self.others = others

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        x=None,
        y=None,
        score="mean_test_score",
        ax=None,
        **plot_kwargs,
    ):
        """Draw what a search found.

        Parameters
        ----------
        cv_results : dict or pandas.DataFrame
            ``cv_results_`` of a :class:`~sklimb.ImbalanceSearchCV`, or of a search of
            scikit-learn.
        x, y : str, default=None
            Two parameters. None where the search has just two: the one with more
            values is x.
        score : str, default="mean_test_score"
            A column of scores, the greatest of which is the best.
        ax : matplotlib Axes, default=None
            None for a new figure.
        **plot_kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        SearchHeatmapDisplay

        Raises
        ------
        ValueError
            If a parameter or the score is not in the results, or which two parameters
            to take is not known.
        """
        values = np.asarray(_column(cv_results, score), dtype=np.float64)
        parameters = _parameters(cv_results)
        x, y = _chosen(parameters, x, y)
        x_values, x_places = _levels(parameters[x])
        y_values, y_places = _levels(parameters[y])
        scores = np.full((len(y_values), len(x_values)), np.nan)
        np.fmax.at(scores, (y_places, x_places), values)
        display = cls(
            scores=scores,
            x_values=x_values,
            y_values=y_values,
            x=x,
            y=y,
            score=score,
            others=tuple(name for name in parameters if name not in (x, y)),
        )
        return display.plot(ax=ax, **plot_kwargs)

    def plot(self, ax=None, *, values_format=".3f"):
        """Draw the cells.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None for a new figure.
        values_format : str, default=".3f"
            Of the numbers in the cells.

        Returns
        -------
        self
        """
        with drawing(self, lambda: axes_for(ax)) as ax:
            known = self.scores[np.isfinite(self.scores)]
            low, high = (known.min(), known.max()) if len(known) else (0, 1)
            texts = [[format(value, values_format) for value in r] for r in self.scores]
            self.mesh_, self.text_ = draw_cells(ax, self.scores, texts, low, high)
            names = [
                [_shown(value) for value in each]
                for each in (self.x_values, self.y_values)
            ]
            label_cells(ax, *names)
            ax.set(xlabel=_short_name(self.x), ylabel=_short_name(self.y))
            ax.set_title(self._title(), loc="left")
            self.best_ = self._mark_best() if len(known) else None
            self._leave_out_what_overlaps()
        return self

    def _title(self):
        said = "best outlined"
        if np.isnan(self.scores).any():
            said += ", none hatched"
        return f"{self.score.replace('_', ' ')}\n({said})"

    def _mark_best(self):
        from matplotlib.patches import Rectangle

        row, column = np.unravel_index(np.nanargmax(self.scores), self.scores.shape)
        cell = Rectangle(
            (column, row),
            1,
            1,
            fill=False,
            edgecolor=COLOURS["vermillion"],
            linewidth=2.5,
            clip_on=False,
        )
        return self.ax_.add_patch(cell)

    def _leave_out_what_overlaps(self):
        """Tell the numbers by a colour bar where they are wider than their cells."""
        self.figure_.draw_without_rendering()  # lays out
        slant_where_tight(self.ax_, self.scores.shape[1])
        self.figure_.draw_without_rendering()
        room = self.ax_.get_window_extent()
        n_rows, n_columns = self.scores.shape
        widths = [text.get_window_extent() for text in self.text_.flat if text]
        if all(
            box.width <= room.width / n_columns and box.height <= room.height / n_rows
            for box in widths
        ):
            return
        for text in filter(None, self.text_.flat):
            text.remove()
        self.text_ = np.full(self.scores.shape, None)
        bar = self.figure_.colorbar(self.mesh_, ax=self.ax_)
        bar.outline.set_visible(False)
        _thin_labels(self.ax_)

    def _columns(self):
        rows, columns = np.indices(self.scores.shape)
        return {
            self.y: [self.y_values[k] for k in rows.ravel()],
            self.x: [self.x_values[k] for k in columns.ravel()],
            self.score: self.scores.ravel(),
        }


def _column(cv_results, score):
    names = [name for name in cv_results if name.startswith(SCORES)]
    if score not in names:
        raise ValueError(
            f"`score`={score!r} is not among the scores of `cv_results`: {names}. Give "
            "one of them."
        )
    return cv_results[score]


def _parameters(cv_results):
    """Return the parameters' columns by name."""
    return {
        name.removeprefix("param_"): list(cv_results[name])
        for name in cv_results
        if name.startswith("param_")
    }


def _chosen(parameters, x, y):
    """Return the names of the two parameters."""
    given = [name and name.removeprefix("param_") for name in (x, y)]
    for place, name in zip("xy", given, strict=True):
        if name is not None and name not in parameters:
            raise ValueError(
                f"`{place}`={name!r} is not among the parameters of `cv_results`: "
                f"{sorted(parameters)}. Give one of them."
            )
    if given[0] is not None and given[0] == given[1]:
        raise ValueError(f"`x` and `y` are both {given[0]!r}. Give two parameters.")
    free = sorted(
        (name for name in parameters if name not in given),
        key=lambda name: len(_levels(parameters[name])[0]),
    )
    if given.count(None) != len(free) and None in given:
        raise ValueError(
            f"`cv_results` has the parameters {sorted(parameters)}. Say by `x` and `y` "
            "which two of them to draw."
        )
    return tuple(free.pop() if name is None else name for name in given)


def _levels(values):
    """Return the distinct values, numbers rising, and each one's place."""
    keys = [_key(value) for value in values]
    first = {}
    for key, value in zip(keys, values, strict=True):
        first.setdefault(key, value)
    numeric = all(is_number(v) or v is None for v in first.values())
    order = list(first)
    if numeric:
        order.sort(key=lambda k: -np.inf if first[k] is None else float(first[k]))
    place = {key: number for number, key in enumerate(order)}
    return [_plain(first[key]) for key in order], [place[key] for key in keys]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _key(value):
    value = _plain(value)
    if value is np.ma.masked or (isinstance(value, float) and np.isnan(value)):
        return "-"
    is_plain = value is None or isinstance(value, Real | str)
    return (type(value).__name__, value) if is_plain else repr(value)


def _shown(value):
    if value is np.ma.masked:
        return "-"
    if is_number(value):
        rounded = float(f"{value:.3g}")
        return f"{rounded:g}".replace("e-0", "e-").replace("e+0", "e")
    is_plain = value is None or isinstance(value, str | bool | dict | list | tuple)
    text = str(value) if is_plain else type(value).__name__
    return shortened(text, LONGEST_NAME)


def _short_name(parameter):
    """Return a parameter's own name, without those of what it is in."""
    return shortened(parameter.rpartition("__")[2])


def _thin_labels(ax):
    """Name only as many rows and columns as there is room for."""
    for axis, most in ((ax.xaxis, 12), (ax.yaxis, 12)):
        labels = axis.get_ticklabels()
        step = -(-len(labels) // most)
        for number, label in enumerate(labels):
            label.set_visible(number % step == 0)
