"""The documentation's site: README.md is its first page, and links to code lead to GitHub.

`docs/conf.py` calls these functions. A page of `docs/` links to other files of the repository as
GitHub shows them (`../CONTRIBUTING.md`); the site has only `docs/`, so these become addresses.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(?P<start>!?\[[^\]]*\]\()(?P<path>(?![a-z]+:|#|<)[^)\s]+)(?P<end>\))")
"""A link of Markdown to a file of the repository."""
ACCESSIBLE = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    '<div class="content-icon-container">': (
        '<div class="content-icon-container" role="region" aria-label="This page">'
    ),
    '<div id="search-results">': (
        '<h1>Search</h1>\n<div role="region" aria-label="Results" id="search-results">'
    ),
    '<th class="head"><p></p></th>': "<td></td>",
    '<th class="head text-right"><p></p></th>': "<td></td>",
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    "<pre>": '<pre tabindex="0">',
}
"""HTML of the theme that screen readers or keyboards cannot use, and the HTML in its place.

Headings have no level and landmarks no name, an empty cell is a heading, and a table or block
of code that scrolls cannot be reached without a mouse.
"""


def home() -> str:
    """Return README.md as a page of `docs/`.

    >>> home().splitlines()[0]
    '# BAGEN: does an LLM agent know what it is about to spend?'
    """
    text = (REPO / "README.md").read_text(encoding="utf-8")

    def moved(link: re.Match[str]) -> str:
        path = link["path"]
        inside = path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"
        return f"{link['start']}{inside}{link['end']}"

    return _LINK.sub(moved, text)


def with_addresses(text: str, page: str, repository: str) -> str:
    """Return a text in which each link that leaves `docs/` leads to the repository.

    Args:
        text: Markdown.
        page: the page's path in `docs/`.
        repository: the repository's address on GitHub.

    >>> with_addresses("[a](../A.md#b), [c](d.md)", "e.md", "https://host/repo")
    '[a](https://host/repo/blob/main/A.md#b), [c](d.md)'
    """

    def address(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link["path"]))
        if path.startswith("docs/"):
            return link[0]
        return f"{link['start']}{repository}/blob/main/{path}{link['end']}"

    return _LINK.sub(address, text)


def accessible(page: str) -> str:
    """Return a page of the theme's HTML that keyboards and screen readers can use.

    A page that is one already stays as it is: a build writes only pages that changed.

    >>> accessible("<pre><span></span>bagen demo</pre>")
    '<pre tabindex="0"><span></span>bagen demo</pre>'
    """
    for original, better in ACCESSIBLE.items():
        page = page.replace(original, better)
    return page


def make_accessible(app: Any, error: Exception | None) -> None:
    """Make each written page accessible, at the end of a build that did not fail."""
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(accessible(path.read_text(encoding="utf-8")), encoding="utf-8")


class Whole:
    """Docstrings of fields and constants as they are written.

    Sphinx's napoleon takes what stands before a colon for a type: `Turns left out: cut off by the
    limit` would be shown as `cut off by the limit`, of the type `Turns left out`.
    """

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def keep(
        self, _app: Any, what: str, name: str, _obj: Any, _options: Any, lines: list[str]
    ) -> None:
        """Remember the lines of a field or constant, before napoleon reads them."""
        if what in {"attribute", "data"}:
            self._lines[name] = list(lines)

    def restore(
        self, _app: Any, _what: str, name: str, _obj: Any, _options: Any, lines: list[str]
    ) -> None:
        """Put the lines back, after napoleon has read them."""
        lines[:] = self._lines.pop(name, lines)


def without_bare_parameters(_app: Any, _domain: str, kind: str, content: Any) -> None:
    """Remove the parameters of a class that repeat its fields and say nothing but their types."""
    if kind not in {"class", "exception"}:
        return
    shown = {
        signature["fullname"].rpartition(".")[2]
        for member in content
        if member.tagname == "desc"
        for signature in member.findall(lambda node: node.tagname == "desc_signature")
    }
    for fields in [node for node in content if node.tagname == "field_list"]:
        repeated = {
            name
            for field in fields
            for word, _, name in [field[0].astext().partition(" ")]
            if word == "param" and name in shown and not field[1].astext()
        }
        for field in list(fields):
            if field[0].astext().partition(" ")[2] in repeated:
                fields.remove(field)
        if not len(fields):
            content.remove(fields)
