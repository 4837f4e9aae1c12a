"""Prompts of the agents: text files in parts that begin with a line such as `=== system ===`."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bagen_data.errors import TemplateError
from bagen_data.prompts import fill

_HEADER = re.compile(r"^=== ([a-z]+) ===\n", re.MULTILINE)


@dataclass(frozen=True)
class PromptParts:
    """The templates of one file."""

    name: str
    parts: Mapping[str, str]
    """Templates by the name of their part, without the white space around them."""
    sha256: str
    """Hash of the file."""

    def text(self, part: str, **fields: str) -> str:
        """Return a part with its fields filled in.

        Raises:
            TemplateError: the file lacks the part, or the part does not use exactly these fields.
        """
        if part not in self.parts:
            raise TemplateError(f"{self.name}: has no part '=== {part} ==='; add it")
        return fill(self.parts[part], fields, f"{self.name}, {part} part,")


@lru_cache
def read_prompt_parts(path: Path) -> PromptParts:
    """Read a file of templates.

    Raises:
        TemplateError: text stands before the first header, or a part appears twice.
    """
    text = path.read_text("utf-8")
    before, *pieces = _HEADER.split(text)
    names, texts = pieces[::2], pieces[1::2]
    if before or len(set(names)) < len(names):
        raise TemplateError(
            f"{path.name}: has the parts {', '.join(names) or 'none'}; expected a header on its "
            "first line, and each part once"
        )
    parts = dict(zip(names, map(str.strip, texts), strict=True))
    return PromptParts(path.name, parts, hashlib.sha256(text.encode()).hexdigest())
