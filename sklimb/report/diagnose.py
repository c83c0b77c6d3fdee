"""``sklimb diagnose``: from checked arguments to printed findings."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from sklimb.diagnostics import diagnose
from sklimb.report.columns import find_columns
from sklimb.report.data import Dataset, as_table, load
from sklimb.report.diagnosis_files import write
from sklimb.report.diagnosis_words import show
from sklimb.report.errors import InputError, did_you_mean, one_line, sentences_of
from sklimb.report.files import check_folder
from sklimb.report.invocation import invocation
from sklimb.report.labels import listed_labels
from sklimb.report.models import described, find_model
from sklimb.report.priors import parse_prior
from sklimb.report.reading import read
from sklimb.report.terminal import output, progress_bar

__all__ = ["run_diagnose"]


@dataclass(frozen=True)
class _Rows:
    """What the diagnostics look at.

    Attributes
    ----------
    dataset : Dataset
        Its columns are those of the model.
    raw : DataFrame or ndarray
        The same rows as read, but for the target and the groups.
    groups : ndarray or None
    """

    dataset: Dataset
    raw: Any
    groups: Any


def run_diagnose(arguments):
    """Diagnose a file, print what was found, and write it where that is asked for.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``data``, ``target``, ``positive``, ``target_prior``, ``groups``,
        ``production``, ``cv``, ``model``, ``seed`` and ``out``.

    Raises
    ------
    InputError
        If an argument or the data are not usable.
    """
    folder = None if arguments.out is None else check_folder(arguments.out)
    with progress_bar() as progress:
        progress.strategy("reading")
        rows = _read(arguments)
        build, flat = find_model(arguments.model)
        rows = replace(rows, dataset=rows.dataset.flat()) if flat else rows
        production = _read_production(arguments, rows)
        progress.strategy("looking for leaks, fitting folds")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            diagnosis = _diagnosed(arguments, rows, production, build, flat)
        diagnosis.notes.extend(sentences_of(caught))
        files = []
        if folder is not None:
            progress.strategy("the report")
            command = invocation("diagnose", arguments)
            files = write(folder, diagnosis, rows.dataset, command, arguments.model)
    show(output(), diagnosis, rows.dataset, files)


def _read(arguments):
    dataset = load(arguments.data, arguments.target, arguments.positive)
    _check_two_rows(dataset)
    raw = dataset.raw
    if arguments.groups is None:
        return _Rows(dataset, raw, None)
    groups = _groups(arguments)
    if isinstance(raw, np.ndarray):
        return _Rows(dataset, raw, groups)
    raw = raw.drop(columns=arguments.groups)
    columns = find_columns(raw)
    notes = [dataset.notes[0], *columns.notes()]
    dataset = replace(dataset, X=columns.clean(raw), columns=columns, notes=notes)
    return _Rows(dataset, raw, groups)


def _check_two_rows(dataset):
    few = [label for label, count in dataset.counts.items() if count < 2]
    if few:
        raise InputError(
            f"--target: only one row of {listed_labels(few)}, which can't be in "
            "training and in a test. Gather more, or leave it out."
        )


def _groups(arguments):
    if arguments.groups == arguments.target:
        raise InputError(
            f"--groups: {arguments.groups!r} is the target. Give the column that says "
            "which rows belong together."
        )
    try:
        groups = read(arguments.data, arguments.groups)[1]
    except InputError as error:
        raise _from_option(error, "--groups", "--target") from None
    missing = int(groups.isna().sum())
    if missing:
        raise InputError(
            f"--groups: {missing} of {len(groups)} rows have no {arguments.groups!r}. "
            "Give each a value of its own."
        )
    groups = groups.astype(str).to_numpy(dtype=object)
    if len(np.unique(groups)) < arguments.cv:
        raise InputError(
            f"--groups: {arguments.groups!r} has {len(np.unique(groups))} different "
            f"values, too few for {arguments.cv} folds. Use --cv with fewer."
        )
    return groups


def _from_option(error, option, *others):
    text = str(error)
    for other in others:
        text = text.replace(f"{other}:", f"{option}:")
    return InputError(text)


def _read_production(arguments, rows):
    """Return rows and labels of production as the model takes them, or None."""
    if arguments.production is None:
        return None
    path, dataset = arguments.production, rows.dataset
    try:
        there = load(path, arguments.target, arguments.positive)
    except InputError as error:
        others = ("DATA", "--target", "--positive")
        raise _from_option(error, "--production", *others) from None
    unknown = [label for label in there.classes if label not in dataset.classes]
    if unknown:
        raise InputError(
            f"--production: its target has {listed_labels(unknown)}, which DATA's has "
            f"not; that has {listed_labels(list(dataset.classes))}."
        )
    return _as_columns(there.raw, rows), there.y


def _as_columns(raw, rows):
    columns = rows.dataset.columns
    if isinstance(raw, np.ndarray) != isinstance(rows.raw, np.ndarray):
        raise InputError(
            "--production: DATA and it must both be tables, or both .npz files."
        )
    if isinstance(raw, np.ndarray):
        if raw.shape[1:] != rows.raw.shape[1:]:
            raise InputError(
                f"--production: its rows have the shape {raw.shape[1:]}, and DATA's "
                f"{rows.raw.shape[1:]}."
            )
        return raw if columns is None else columns.clean(as_table(raw))
    missing = [name for name in rows.raw.columns if name not in raw.columns]
    if missing:
        raise InputError(
            f"--production: it has no column {one_line(missing[0], 40)!r}, which DATA "
            f"has.{did_you_mean(missing[0], raw.columns)}"
        )
    try:
        return columns.clean(raw[list(rows.raw.columns)])
    except (TypeError, ValueError) as error:
        raise InputError(
            f"--production: its columns are of other types than DATA's: "
            f"{described(error)}"
        ) from error


def _diagnosed(arguments, rows, production, build, flat):
    dataset = rows.dataset
    positive, prior = dataset.positive, arguments.target_prior
    labels = list(dataset.classes)
    X_production, y_production = production or (None, None)
    steps = [("model", build(dataset.y))]
    if dataset.columns is not None:
        steps.insert(0, ("columns", dataset.columns.transformer()))
    # What our own models can't take is a ValueError; the rest would be a bug.
    bad_model = ValueError if flat else Exception
    try:
        return diagnose(
            Pipeline(steps),
            dataset.X,
            dataset.y,
            groups=rows.groups,
            X_production=X_production,
            y_production=y_production,
            X_raw=rows.raw,
            target_prior=None
            if prior is None
            else parse_prior(prior, labels, positive),
            pos_label=positive,
            cv=arguments.cv,
            random_state=arguments.seed,
        )
    except InputError:
        raise
    except bad_model as error:
        raise InputError(f"--model: it failed: {described(error)}") from error
