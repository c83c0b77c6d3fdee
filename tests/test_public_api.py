"""What is public is documented, truly, and nothing else leaks."""

import importlib
import inspect
import re

import pytest

import sklimb

MODULES = [
    "sklimb",
    "sklimb.exceptions",
    "sklimb.priors",
    "sklimb.thresholds",
    "sklimb.calibration",
    "sklimb.metrics",
    "sklimb.splits",
    "sklimb.display",
    "sklimb.diagnostics",
    "sklimb.weighting",
    "sklimb.keras",
]
# Meta-estimators do not own these parameters; the inner fit does.
FREE = {"self", "params", "kwargs", "parameters"}


def _public_objects():
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            item = getattr(module, name)
            if not inspect.ismodule(item):
                yield pytest.param(item, id=f"{module_name}.{name}")


PUBLIC = list(_public_objects())


def sections(docstring):
    """Return numpydoc sections as a mapping from title to text."""
    parts = re.split(r"\n([A-Z][\w ]+)\n-{3,}\n", "\n" + inspect.cleandoc(docstring))
    return dict(zip(["Summary", *parts[1::2]], [parts[0], *parts[2::2]], strict=True))


def documented(docstring):
    """Return the names of the Parameters section."""
    text = sections(docstring).get("Parameters", "")
    lines = re.findall(r"^(\*{0,2}\w[\w, *]*)(?: :.*)?$", text, flags=re.MULTILINE)
    return {name.strip("* ") for line in lines for name in line.split(",")}


def parameters(function):
    return set(inspect.signature(function).parameters) - FREE


def check_documents(function, docstring, name):
    wanted = parameters(function)
    told = documented(docstring) - FREE
    assert wanted <= told, f"{name} does not document {sorted(wanted - told)}"
    assert told <= wanted, f"{name} documents {sorted(told - wanted)}, which it has not"


def own_methods(cls):
    for name, method in vars(cls).items():
        if not name.startswith("_") and inspect.isfunction(method):
            yield name, method


@pytest.mark.parametrize("item", PUBLIC)
def test_every_public_name_says_what_it_is(item):
    assert inspect.getdoc(item)
    if inspect.isclass(item) and issubclass(item, BaseException):
        return
    if inspect.isclass(item):
        for name, method in own_methods(item):
            assert inspect.getdoc(method), f"{item.__name__}.{name}"


@pytest.mark.parametrize("item", PUBLIC)
def test_the_parameters_section_is_the_signature(item):
    if inspect.isfunction(item):
        check_documents(item, item.__doc__, item.__name__)
    elif inspect.isclass(item) and hasattr(item, "get_params"):
        check_documents(item.__init__, item.__doc__, item.__name__)
        for name, method in own_methods(item):
            if "Parameters" in sections(method.__doc__):
                check_documents(method, method.__doc__, f"{item.__name__}.{name}")


@pytest.mark.parametrize("item", PUBLIC)
def test_functions_and_estimators_show_an_example(item):
    if inspect.isfunction(item) or hasattr(item, "get_params"):
        if item.__name__ == "metric_names":
            return  # a list without arguments
        assert ">>>" in item.__doc__, item.__name__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sklimb.nothing


def test_keras_is_there_without_an_import_of_its_own():
    assert sklimb.keras.KerasClassifier.__name__ == "KerasClassifier"
