"""Many KerasClassifiers at once: as replicas, from a folder, or one by one."""

from sklearn.utils.parallel import Parallel, delayed

from sklimb.keras.checkpoints import Checkpoints, fit_and_keep
from sklimb.keras.replica_fit import fit_replicas

__all__ = ["fit_together"]


def fit_together(estimators, datas, *, n_jobs=None, checkpoint=None, **how):
    """Fit networks that are needed at once.

    Parameters
    ----------
    estimators : list of KerasClassifier
        Clones, one for each fit.
    datas : list of TrainingData
    checkpoint : str or path, default=None
        A folder that keeps what was trained, and where it is found again.
    n_jobs, **how
        As for :func:`sklimb.keras.replica_fit.fit_replicas`.

    Returns
    -------
    list of KerasClassifier, Exception or None
        Fitted, or what the fit raised; None for one that has to be fitted alone.

    Raises
    ------
    ValueError
        If there is a checkpoint, and a network has no seed.
    """
    if checkpoint is None:
        fits = fit_replicas(estimators, datas, n_jobs=n_jobs, **how)
        return list(map(_outcome, fits))
    _check_seeds(estimators, checkpoint)
    checkpoints = Checkpoints(checkpoint)
    fits = fit_replicas(
        estimators, datas, n_jobs=n_jobs, checkpoints=checkpoints, **how
    )
    outcomes = list(map(_outcome, fits))
    left = [place for place, outcome in enumerate(outcomes) if outcome is None]
    found = Parallel(n_jobs=n_jobs)(
        delayed(fit_and_keep)(estimators[p], datas[p], fits[p].key, checkpoints)
        for p in left
    )
    for place, outcome in zip(left, found, strict=True):
        outcomes[place] = outcome
    return outcomes


def _outcome(fit):
    return fit.error or fit.estimator


def _check_seeds(estimators, checkpoint):
    if any(estimator._seed() is None for estimator in estimators):
        raise ValueError(
            f"`checkpoint`={checkpoint!r} finds networks by what they are trained "
            "from, and `random_state`=None starts each one anew. Give the "
            "KerasClassifier, or what stands around it, an integer `random_state`."
        )
