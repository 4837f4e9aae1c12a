"""Settings of the documentation's site; `make docs` builds it into `out/docs`."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bagen_data.published import CODE_PAGE
from bagen_data.versions import __version__
from tools.docs_site import (
    Whole,
    home,
    make_accessible,
    with_addresses,
    without_bare_parameters,
)

project = "BAGEN"
author = "The BAGEN authors"
copyright = "2026, the BAGEN authors"  # noqa: A001
release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
html_theme = "furo"
html_title = "BAGEN"
html_theme_options = {
    "source_repository": CODE_PAGE,
    "source_branch": "main",
    "source_directory": "docs/",
}
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
default_role = "code"  # docstrings are Markdown-like: `name`
autoclass_content = "both"  # of a class and of its __init__
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}
suppress_warnings = ["myst.header"]  # pages begin as README.md does on GitHub
linkcheck_anchors = False


def _read(_: Any, name: str, source: list[str]) -> None:
    """Put README.md in the place of the first page, and addresses in the place of links to code."""
    if name == "index":
        source[0] = f"{home()}\n{source[0]}"
    source[0] = with_addresses(source[0], f"{name}.md", CODE_PAGE)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    whole = Whole()
    app.connect("autodoc-process-docstring", whole.keep, priority=400)  # before napoleon's, 500
    app.connect("autodoc-process-docstring", whole.restore, priority=600)
    app.connect("build-finished", make_accessible)
    app.connect("object-description-transform", without_bare_parameters, priority=900)
