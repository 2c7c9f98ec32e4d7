import importlib
import inspect
import re

import pytest
from numpydoc.validate import validate

from skfed.testing import all_estimators, public_classes, public_modules

ALLOWED = {
    "ES01",  # no extended summary: a short one may say it all
    "SA01",  # no See Also
    "EX01",  # no example for a method; the test below asks one of every class
    "RT02",  # "self : object", the named form of scikit-learn's Returns sections
}


def public_names():
    """Full names of public objects, each once, under the deepest module that has it."""
    found = {}
    for module_name in public_modules():
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isroutine(value) or inspect.isclass(value):
                found[value] = f"{module_name}.{name}"
    return found


def own_members(cls):
    """Public methods and properties of a class that are written in skfed."""
    for name, member in inspect.getmembers(cls):
        function = inspect.unwrap(getattr(member, "fget", member))
        written_here = getattr(function, "__module__", "") or ""
        is_part = inspect.isroutine(member) or isinstance(member, property)
        if is_part and not name.startswith("_") and written_here.startswith("skfed."):
            yield name


def documented():
    for value, full_name in public_names().items():
        yield full_name
        if inspect.isclass(value):
            yield from (f"{full_name}.{name}" for name in own_members(value))


@pytest.mark.parametrize("full_name", sorted(documented()))
def test_numpydoc_finds_no_errors(full_name):
    errors = validate(full_name)["errors"]
    assert [error for error in errors if error[0] not in ALLOWED] == []


def test_collection_finds_inherited_methods_and_properties():
    names = set(documented())
    assert "skfed.alignment.UnionAligner.fit" in names
    assert "skfed.estimators.FederatedClassifier.ledger_" in names
    assert "skfed.metrics.compare" in names
    assert "skfed.estimators.FederatedClassifier.set_callbacks" not in names


@pytest.mark.parametrize("name, cls", all_estimators())
def test_estimator_says_what_leaves_the_client(name, cls):
    assert re.search(r"[Ww]hat leaves (the|a) client", inspect.getdoc(cls)), (
        f"the docstring of {name} lacks 'What leaves the client' in its Notes"
    )


@pytest.mark.parametrize(
    "name, cls",
    # exceptions are raised for the user; an abstract class cannot be made
    [
        (name, cls)
        for name, cls in public_classes()
        if not issubclass(cls, Exception) and not inspect.isabstract(cls)
    ],
)
def test_class_has_an_example(name, cls):
    assert ">>> " in cls.__doc__, f"{name} has no Examples section"
    assert re.search(rf">>> .*\b{name}\b", cls.__doc__), f"no example uses {name}"


@pytest.mark.parametrize("module_name", public_modules())
def test_module_has_a_docstring(module_name):
    assert importlib.import_module(module_name).__doc__
