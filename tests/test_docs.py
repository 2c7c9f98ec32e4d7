"""The documentation's pages run, and its API table holds every public name."""

import doctest
import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path

import pytest

from skfed.testing import public_modules

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(DOCS).as_posix()
    for path in [*DOCS.glob("*.rst"), *DOCS.glob("user_guide/*.rst")]
    if ">>> " in path.read_text("utf-8")
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def load(name):
    """Import a module of the documentation from its file."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page, monkeypatch):
    # a page is a module of its own, so that classes defined on it can be pickled
    module = types.ModuleType("page_" + re.sub(r"\W", "_", page))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = (DOCS / page).read_text("utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, page, str(DOCS / page), 0)
    test.globs = vars(module)
    report = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    failed, tried = runner.run(test, out=report.append, clear_globs=False)
    assert not failed, "".join(report)
    assert tried


def test_every_public_name_has_an_api_page():
    listed = set(load("api_reference").names())
    home = {}  # where a name is listed; a class may be public in two modules
    for full in listed:
        module, _, name = full.rpartition(".")
        home.setdefault(getattr(importlib.import_module(module), name), full)
    missing = {
        f"{module}.{name}"
        for module in public_modules()
        for name in getattr(importlib.import_module(module), "__all__", ())
        if callable(value := getattr(importlib.import_module(module), name))
        and value not in home
    }
    assert not missing, f"add to docs/api_reference.py: {sorted(missing)}"


def test_api_pages_show_inherited_methods_of_skfed_only():
    methods = load("api_reference").methods()
    assert {"fit", "predict", "predict_proba", "score"} <= set(
        methods["skfed.FederatedClassifier"]
    )
    assert "set_callbacks" not in methods["skfed.FederatedClassifier"]


def test_markdown_becomes_rst():
    to_rst = load("markdown").to_rst
    text = "# Title\n\n## [Unreleased]\n\n- `fit` and [site](https://a.b/c).\n"
    assert to_rst(text) == (
        "Title\n=====\n\nUnreleased\n----------\n\n"
        "- ``fit`` and `site <https://a.b/c>`__.\n"
    )


def test_examples_are_in_the_gallery_form():
    for path in sorted((ROOT / "examples").glob("plot_*.py")):
        text = path.read_text("utf-8")
        title, underline = re.match(r'"""\n(.+)\n(=+)\n', text).groups()
        assert len(title) == len(underline), path.name
        assert text.count("plt.show()") == 1, f"{path.name} ends with one figure"
        assert text.rstrip().endswith("plt.show()"), path.name
