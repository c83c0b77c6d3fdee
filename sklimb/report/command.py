"""``sklimb compare``: from checked arguments to a printed table."""

from sklearn.metrics import get_scorer_names

from sklimb._objectives import CountMetric
from sklimb._scoring import resolve_scoring
from sklimb.report.aims import COST
from sklimb.report.compare import compare
from sklimb.report.data import load
from sklimb.report.errors import InputError, did_you_mean
from sklimb.report.files import check_folder, write
from sklimb.report.heading import heading
from sklimb.report.invocation import invocation
from sklimb.report.outcomes import Origin
from sklimb.report.priors import parse_prior
from sklimb.report.requirements import check_requirements
from sklimb.report.several import names_for_several
from sklimb.report.strategies import Costs, Options
from sklimb.report.table import comparison_table, infeasible_table, shown_measures
from sklimb.report.terminal import output, progress_bar
from sklimb.report.verdict import judge
from sklimb.thresholds import metric_function, metric_names

__all__ = ["run_compare"]

DEFAULT_SCORING = "balanced_accuracy"


def run_compare(arguments):
    """Compare strategies on a file, and say which one to use.

    Parameters
    ----------
    arguments : argparse.Namespace
        ``data``, ``target``, ``positive``, ``target_prior``, ``scoring``,
        ``cost_fp``, ``cost_fn``, ``require``, ``cv``, ``model``, ``seed`` and
        ``out``.

    Raises
    ------
    InputError
        If an argument or the data are not usable.
    """
    folder = None if arguments.out is None else check_folder(arguments.out)
    with progress_bar() as progress:
        dataset = load(arguments.data, arguments.target, arguments.positive)
        options = _options(arguments, dataset)
        comparison = compare(dataset, arguments.model, options, progress)
        verdict = judge(comparison)
        files = []
        if folder is not None:
            progress.strategy("the report")
            origin = Origin(arguments.model, invocation("compare", arguments))
            files = write(folder, comparison, verdict, origin)
    _show(comparison, verdict, files)


def _options(arguments, dataset):
    """Return the arguments as options, checked against the target's classes."""
    classes, positive = dataset.classes, dataset.positive
    labels, prior = list(classes), arguments.target_prior
    costs = _costs(arguments, len(classes))
    return Options(
        positive=positive,
        classes=classes,
        target_prior=None if prior is None else parse_prior(prior, labels, positive),
        scoring=_scoring(arguments.scoring, len(classes), costs),
        costs=costs,
        requirements=check_requirements(arguments.require, labels, positive),
        cv=arguments.cv,
        seed=arguments.seed,
    )


def _costs(arguments, n_classes):
    given = arguments.cost_fp, arguments.cost_fn
    if given == (None, None):
        return None
    if n_classes > 2:
        option = "--cost-fp" if arguments.cost_fp is not None else "--cost-fn"
        raise InputError(
            f"{option}: false positives and negatives are errors of two classes, and "
            f"the target has {n_classes}. Leave it out, or give a column that is one "
            "class against the rest."
        )
    return Costs(*(1.0 if cost is None else cost for cost in given))


def _scoring(name, n_classes, costs):
    """Return what thresholds maximise, by name."""
    if costs is not None:
        if name not in (None, COST):
            raise InputError(
                f"--scoring: {name!r} and costs are two aims, and a threshold has one. "
                "Leave out --scoring, or --cost-fp and --cost-fn."
            )
        return COST
    if name == COST:
        raise InputError("--scoring: 'cost' needs --cost-fp, --cost-fn or both.")
    if name is None:
        return DEFAULT_SCORING
    check = _check_scoring if n_classes == 2 else _check_scoring_of_several
    check(name)
    return name


def _check_scoring_of_several(name):
    known = names_for_several()
    if name in known:
        return
    hint = did_you_mean(name, known)
    if f"{name}_macro" in known:
        hint = f" Did you mean '{name}_macro'?"
    raise InputError(
        f"--scoring: {name!r} is no metric of several classes.{hint} Use one of "
        f"{', '.join(known)}."
    )


def _check_scoring(name):
    if not _is_metric(name) and name not in get_scorer_names():
        raise InputError(
            f"--scoring: {name!r} is not known.{did_you_mean(name, metric_names())} "
            f"Use one of {', '.join(metric_names())}, 'f2', 'f0.5', ..."
        )
    try:
        metric = resolve_scoring(name, [0, 1], 1)
    except ValueError as error:
        raise InputError(f"--scoring: {error}") from None
    if not isinstance(metric, CountMetric):
        raise InputError(
            f"--scoring: {name!r} can't be measured at another prior. Use a metric of "
            "the confusion matrix, such as balanced_accuracy, f1, f2, "
            "matthews_corrcoef."
        )


def _is_metric(name):
    try:
        metric_function(name)
    except ValueError:
        return False
    return True


def _show(comparison, verdict, files):
    console = output()
    whole = not console.is_terminal  # a pipe gets each text as one line
    for line in (*heading(comparison), *comparison.notes):
        console.print(line, soft_wrap=whole)
    console.print()
    console.print(comparison_table(comparison, console.width))
    console.print()
    if comparison.infeasible:
        console.print(infeasible_table(comparison))
        console.print()
    for line in _legend(comparison, console.width):
        console.print(line, soft_wrap=whole)
    for path in files:
        console.print(f"Written: {path}", soft_wrap=whole)
    console.print(verdict.words, style="bold", soft_wrap=whole)


def _legend(comparison, width):
    yield "* best in its column; below each value, its 95 % interval"
    if comparison.options.requirements:
        yield "! outside of what is required"
    hidden = comparison.measures[len(shown_measures(comparison, width)) :]
    if hidden:
        titles = ", ".join(measure.title for measure in hidden)
        yield f"Not shown in {width} columns: {titles} (see --out)."
