"""Command line: ``sklimb compare``, ``diagnose``, ``project-matrix`` and ``demo``."""

import argparse
import importlib
import os
import sys
from math import inf

from sklimb import __version__
from sklimb.report import InputError
from sklimb.report.errors import one_line

__all__ = ["main"]

BAD_INPUT = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others here."""

    def error(self, message):
        raise InputError(f"{message}. See `{self.prog} --help`.")


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None for those of the process.

    Returns
    -------
    int
        0 on success, 2 on bad input, 130 when interrupted.
    """
    _set_up_process()
    try:
        arguments = _parser().parse_args(argv)
        _check_installed("pandas", "rich")
        arguments.run(arguments)
    except InputError as error:
        print(f"sklimb: {one_line(error, longest=800)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("sklimb: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _set_up_process():
    # Before anything imports TensorFlow, which talks a lot.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A label that the terminal's encoding lacks is no reason to fail.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _check_installed(*packages):
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise InputError(
                f"{package} is not installed. Run: pip install 'sklimb[report]'"
            ) from error


# The commands load what they need when they run, so that --help is quick.


def _compare(arguments):
    from sklimb.report.command import run_compare

    run_compare(arguments)


def _demo(arguments):
    from sklimb.report.demo import run_demo

    run_demo()


def _diagnose(arguments):
    from sklimb.report.diagnose import run_diagnose

    run_diagnose(arguments)


def _project(arguments):
    from sklimb.report.project import run_project_matrix

    run_project_matrix(arguments)


def _parser():
    parser = _Parser(
        prog="sklimb",
        description="Classifiers on imbalanced data: which strategy, which threshold?",
    )
    parser.add_argument("--version", action="version", version=f"sklimb {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_compare(commands)
    _add_diagnose(commands)
    _add_project(commands)
    demo = commands.add_parser(
        "demo",
        help="a network trained on balanced data meets the real class shares",
        description="Is it an 8? A network trained on balanced data is used where "
        "9.7 % are. Needs no file and takes about a minute.",
    )
    demo.set_defaults(run=_demo)
    return parser


def _add_compare(commands):
    compare = commands.add_parser(
        "compare",
        help="compare strategies on a table and say which one to use",
        description="Train plainly, with class weights and on resampled rows, cut "
        "at 0.5 and at a tuned threshold, and measure all on held-out rows at the "
        "prevalence where the model is used.",
    )
    compare.set_defaults(run=_compare)
    add = compare.add_argument
    _add_data(add)
    _add_aims(add)
    _add_fits(add, default_model="mlp")
    add(
        "--out",
        metavar="DIR",
        help="write report.html, comparison.csv and decision_rule.json here",
    )


def _add_diagnose(commands):
    diagnose = commands.add_parser(
        "diagnose",
        help="say why production is, or will be, worse than validation",
        description="Look for leaks, repeated rows, wrong labels, over-fitting and too "
        "few positives, and with rows of production also for what made it worse. The "
        "greatest effect comes first.",
    )
    diagnose.set_defaults(run=_diagnose)
    add = diagnose.add_argument
    _add_data(add)
    add(
        "--groups",
        metavar="COLUMN",
        help="rows of one value belong together, such as those of one patient",
    )
    add(
        "--production",
        metavar="FILE",
        help="labelled rows from where the model is used, with DATA's columns",
    )
    _add_fits(add, default_model="linear")
    add("--out", metavar="DIR", help="write diagnosis.html and diagnosis.json here")


def _add_project(commands):
    project = commands.add_parser(
        "project-matrix",
        help="move a confusion matrix to another prevalence",
        description="Recalls stay, precision moves. Needs no data: "
        'sklimb project-matrix "97 3 3 197" --prior 1:100',
    )
    project.set_defaults(run=_project)
    add = project.add_argument
    add(
        "matrix",
        metavar="MATRIX",
        help="counts row by row, rows true and columns predicted, the positive class "
        "first: 'TP FN FP TN', or n x n numbers for n classes",
    )
    add(
        "--prior",
        required=True,
        metavar="P",
        help="where the model is used: 1:100 (one positive to a hundred others), 0.01, "
        "1%%, or for several classes a share each, '0.2,0.3,0.5'",
    )


def _add_data(add):
    add("data", metavar="DATA", help="a .csv, .csv.gz, .tsv, .parquet or .npz file")
    add("--target", required=True, metavar="COLUMN", help="what to predict")
    add(
        "--positive",
        metavar="LABEL",
        help="the positive one of two classes (default: the rarer)",
    )
    add(
        "--target-prior",
        metavar="P",
        help="share of positives where the model is used, or shares of classes as in "
        "'cat=0.2,dog=0.7', a missing one taking the rest (default: as in DATA)",
    )


def _add_fits(add, default_model):
    add("--cv", type=_folds, default=5, metavar="K", help="folds (default: 5)")
    add(
        "--model",
        default=default_model,
        metavar="MODEL",
        help="mlp (a small network), linear, or module:function that returns a "
        f"classifier (default: {default_model})",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="default: 0")


def _add_aims(add):
    add(
        "--scoring",
        metavar="NAME",
        help="what the threshold maximises (default: balanced_accuracy)",
    )
    add(
        "--cost-fp",
        type=_cost,
        metavar="COST",
        help="what a false positive costs, in any unit; the threshold then has the "
        "least mean cost (default with --cost-fn: 1)",
    )
    add(
        "--cost-fn",
        type=_cost,
        metavar="COST",
        help="what a false negative costs (default with --cost-fp: 1)",
    )
    add(
        "--require",
        action="append",
        default=[],
        metavar="LIMIT",
        help="what the threshold has to keep, in quotes: 'recall>=0.9', "
        "'alert_rate<=0.02', of one class 'recall[cat]>=0.8'; may be given again",
    )


def _number(text, kind, condition, expected):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not condition(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {expected}")
    return value


def _cost(text):
    return _number(text, float, lambda cost: 0 < cost < inf, "a cost above 0")


def _folds(text):
    return _number(text, int, lambda k: k >= 2, "a whole number from 2 on")


def _seed(text):
    expected = "a whole number from 0 to 4294967295"
    return _number(text, int, lambda n: 0 <= n < 2**32, expected)


if __name__ == "__main__":
    sys.exit(main())
