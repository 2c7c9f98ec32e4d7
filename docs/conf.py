"""Sphinx configuration: ``make docs`` builds everything without a network."""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from api_reference import methods, write_pages  # noqa: E402
from markdown import write_changelog  # noqa: E402

import skfed  # noqa: E402

project = "skfed"
copyright = "the skfed developers"
author = "the skfed developers"
version = release = skfed.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/**/*.ipynb"]
default_role = "literal"
add_function_parentheses = False

# pages made from tables before sphinx looks for sources
# (autosummary would miss new ones in a build that starts from an earlier one)
autosummary_generate = write_pages(DOCS / "generated")
write_changelog(DOCS.parent / "CHANGELOG.md", DOCS / "generated")

autosummary_context = {"own_methods": methods()}
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the class template lists skfed's own methods

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skfed",),
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "skfed"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "skfed"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "install": [], "quickstart": [], "changelog": []}


def escape_shapes(app, what, name, obj, options, lines):
    """Escape shapes such as (n_quantiles_, d), which reST reads as hyperlinks."""
    for i, line in enumerate(lines):
        if "``" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"(?<=\w)_(?=[,)])", r"\_", line)


def setup(app):
    """Run after numpydoc, which connects with the default priority of 500."""
    app.connect("autodoc-process-docstring", escape_shapes, priority=900)
