"""The documentation's site: README.md is its first page, and links to code lead to GitHub.

`docs/conf.py` calls these functions. A page of `docs/` links to other files of the repository as
GitHub shows them (`../CONTRIBUTING.md`); the site has only `docs/`, so these become addresses.
"""

import posixpath
import re
from pathlib import Path

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
