"""A module imports only from rows above its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sklimb"

# Follows the data: train, probability, decision, search, evaluation.
ROWS = [
    "exceptions",
    "_compat",
    "_files",
    "_rows",
    "_validation",
    "priors",
    "_sampling",
    "thresholds",
    "calibration",
    "metrics",
    "_ledger",
    "_outputs",
    "_training_data",
    "_fitting",
    "_steps",
    "_sharing",
    "_halving",
    "_rule_view",
    "_base",
    "_seeds",
    "keras",
    "weighting",
    "_samplers",
    "resampling",
    "_adaptation",
    "correction",
    "ensemble",
    "_objectives",
    "_scoring",
    "_fold_models",
    "_out_of_fold",
    "_aim",
    "_tuning",
    "_tuning_kinds",
    "calibrating",
    "_threshold_layer",
    "_moving",
    "decision",
    "compose",
    "search",
    "splits",
    "display",
    "diagnostics",
    "report",
    "__main__",
]


def row_of(module):
    return ROWS.index(module.split(".")[1])


def imported_modules(path):
    """Yield the sklimb modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "sklimb":
            yield from (f"sklimb.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"
)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rows_above(path):
    relative = path.relative_to(PACKAGE).with_suffix("").parts
    own = row_of("sklimb." + relative[0])
    for module in imported_modules(path):
        root, _, rest = module.partition(".")
        if root != "sklimb" or not rest:
            continue
        if rest.split(".")[0] not in ROWS:
            continue  # a public name, which stands for everything
        same_folder = len(relative) > 1 and row_of(module) == own
        assert row_of(module) < own or same_folder, f"{path.name} imports {module}"


def test_every_module_has_a_row():
    found = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES}
    assert found <= set(ROWS)


@pytest.mark.parametrize("root", ["keras", "tensorflow", "scikeras"])
def test_only_the_keras_folder_imports(root):
    for path in MODULES:
        if path.is_relative_to(PACKAGE / "keras"):
            continue
        if root == "scikeras" and path.name == "_compat.py":
            continue  # its private names, inside functions
        roots = {module.split(".")[0] for module in imported_modules(path)}
        assert root not in roots, path


def test_importing_sklimb_loads_nothing_heavy():
    # scikit-learn 1.9 itself loads pandas and rich where they are installed.
    code = (
        "import sys, sklearn.model_selection; theirs = set(sys.modules); import sklimb;"
        "heavy = {'keras', 'tensorflow', 'scikeras', 'imblearn', 'matplotlib', "
        "'pandas', 'rich'}; print(sorted(heavy & (set(sys.modules) - theirs)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
