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
