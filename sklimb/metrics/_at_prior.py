"""Any metric, measured where the classes have other shares than in the rows."""

import numpy as np

from sklimb.metrics._measures import measure_named, reads_labels
from sklimb.metrics._rows import labelled_rows

__all__ = ["prepared", "score_at_prior", "weights_of"]

NAME = "y_pred_or_proba"


def score_at_prior(
    metric,
    y_true,
    y_pred_or_proba,
    target_prior,
    *,
    sample_weight=None,
    pos_label=None,
    labels=None,
    cost_matrix=None,
):
    """Measure predictions as if the classes had other shares.

    How a class is predicted stays, how many of it there are changes: each class's
    rows weigh as much as its share, which equals the metric with these
    ``sample_weight`` in scikit-learn.

    Probabilities are taken as given. Those that belong to the training prior score
    badly elsewhere, in log-loss and Brier score, until they are corrected: by
    :class:`sklimb.PriorCorrectedClassifier`, or
    :func:`sklimb.priors.correct_proba`.

    Parameters
    ----------
    metric : str or callable
        - Of labels: a name of :func:`sklimb.thresholds.metric_names`, ``"f2"``,
          ``"f0.5"``, ...; for any number of classes those that scikit-learn averages
          (``"f1_macro"``, ``"recall_weighted"``, ...), ``"accuracy"``,
          ``"balanced_accuracy"``, ``"cohen_kappa"``, ``"matthews_corrcoef"``,
          ``"geometric_mean"``, ``"minimum_recall"``; ``"cost"``: minus the mean
          cost.
        - Of probabilities: ``"log_loss"``, ``"brier"``, or with the sign turned
          ``"neg_log_loss"``, ``"neg_brier_score"``.
        - Of a ranking: ``"average_precision"``, ``"roc_auc"``; of several classes the
          mean of each against the rest.
        - A function ``metric(y_true, y_pred, sample_weight=...)``, as those of
          :mod:`sklearn.metrics`.
    y_true : array-like of shape (n_rows,)
        Labels.
    y_pred_or_proba : array-like of shape (n_rows,) or (n_rows, n_classes)
        What the metric reads: labels; probabilities or, for a ranking, any scores, of
        the positive class, or of all classes in sorted order.
    target_prior : array-like, mapping, float, "uniform" or None
        The classes' shares; a float is the positive class's prevalence. None for the
        rows' own.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts within its class; rows of weight 0 are left out.
    pos_label : label, default=None
        The positive class; None for the greater label.
    labels : array-like of shape (n_classes,), default=None
        All classes, in the order of ``target_prior`` and of columns; None for the
        sorted labels of ``y_true`` and, where labels are predicted, of those.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        For ``"cost"``: rows true, columns predicted.

    Returns
    -------
    float
        0 where it is undefined, such as the precision of no alarm; nan for a ranking
        of rows of one class only.

    Raises
    ------
    ValueError
        If something is not valid, or a class has a share but no rows.

    Examples
    --------
    Balanced rows, and the same classifier where one row in 101 is positive:

    >>> from sklimb.metrics import score_at_prior
    >>> y_true = [1] * 100 + [0] * 100
    >>> y_pred = [1] * 97 + [0] * 3 + [1] * 2 + [0] * 98
    >>> round(score_at_prior("precision", y_true, y_pred, None), 3)
    0.98
    >>> round(score_at_prior("precision", y_true, y_pred, 1 / 101), 3)
    0.327

    Probabilities of a balanced training, before and after they are corrected:

    >>> import numpy as np
    >>> from sklimb.priors import correct_proba
    >>> proba = np.array([[0.1, 0.9]] * 90 + [[0.9, 0.1]] * 10)
    >>> proba, y = np.concatenate([proba, proba[:, ::-1]]), [1] * 100 + [0] * 100
    >>> round(score_at_prior("log_loss", y, proba, 0.01), 3)
    0.325
    >>> corrected = correct_proba(proba, 0.5, 0.01)
    >>> round(score_at_prior("log_loss", y, corrected, 0.01), 3)
    0.039
    """
    _, rows, of_weights = prepared(
        metric,
        y_true,
        y_pred_or_proba,
        target_prior,
        sample_weight=sample_weight,
        pos_label=pos_label,
        labels=labels,
        cost_matrix=cost_matrix,
    )
    return float(of_weights(weights_of(rows))[0])


def prepared(
    metric, y_true, predicted, target_prior, *, labels=None, cost_matrix=None, **options
):
    """Return a measure, rows at the prior, and the measure as a function of weights.

    Parameters
    ----------
    metric, y_true, target_prior, labels, cost_matrix
        As for :func:`score_at_prior`.
    predicted : array-like
    **options : object
        ``sample_weight`` and ``pos_label``.

    Returns
    -------
    measure : OfLabels, OfProba, OfScores or OfFunction
    rows : LabelledRows
    of_weights : callable
        Of a list of arrays of shape (n, size), one a class.
    """
    y_pred = predicted if reads_labels(metric) else None
    rows = labelled_rows(
        y_true, target_prior, labels=labels, y_pred=y_pred, name=NAME, **options
    )
    measure = measure_named(
        metric, rows.n_classes, rows.positive, cost_matrix, rows.classes
    )
    read = {
        "labels": rows.predicted,
        "proba": rows.proba,
        "scores": rows.scores,
        "anything": rows.of,
    }[measure.reads]
    return measure, rows, measure.on(rows, read(predicted, NAME))


def weights_of(rows):
    """Return the weights of the rows of each class, as one resample."""
    weight = np.ones(len(rows.numbers)) if rows.weight is None else rows.weight
    return [weight[own][None] for own in rows.of_class]
