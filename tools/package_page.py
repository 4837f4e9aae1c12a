"""The project's page on PyPI: README.md, whose links lead to the code of its version.

The build asks for it (`tool.hatch.metadata.hooks.custom` in pyproject.toml), as a package index
shows a text and has none of the files beside it.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>(?![a-z]+:|#)[^)\s]+)\)")
"""A link of Markdown to a file of the repository."""


class PackagePage(MetadataHookInterface):
    """The part of the metadata that the build makes of README.md."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the text of the page to the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_addresses(text, metadata["urls"]["Repository"], metadata["version"]),
        }


def with_addresses(text: str, repository: str, version: str) -> str:
    """Return a text in which each link to a file leads to that file of a version.

    Args:
        text: Markdown.
        repository: the repository's address on GitHub.
        version: the version, without the v of its tag.

    >>> with_addresses("[a](b.md#c), ![d](e.png), [f](#g)", "https://host/repo", "1.2")
    '[a](https://host/repo/blob/v1.2/b.md#c), ![d](https://host/repo/raw/v1.2/e.png), [f](#g)'
    """

    def address(link: re.Match[str]) -> str:
        view = "raw" if link["image"] else "blob"
        return f"{link['image']}[{link['text']}]({repository}/{view}/v{version}/{link['path']})"

    return _LINK.sub(address, text)
