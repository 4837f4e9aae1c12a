r"""The consoles of messages and of results, and texts of others on them.

Texts are plain where NO_COLOR is set, in a pipe and on a dumb terminal: no escape sequence at all.
Rich's emoji names stay off: `file:100:` is a place. Texts of others, such as names, paths and
what models wrote, go through `shown`: Rich takes `[red]` for a style, and a terminal obeys escape
sequences. Rich's own `escape` loses backslashes, as in `a\[b]`.
"""

import os
import re
from typing import Any, Literal

from rich.console import Console
from rich.text import Text


def _colors() -> Literal["auto"] | None:
    """Return how Rich chooses colours; with NO_COLOR no escape at all, for bold text neither."""
    return None if os.environ.get("NO_COLOR") else "auto"


STDERR = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False, color_system=_colors())
"""Messages go to stderr; results to stdout or to files."""

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that a terminal obeys, that turn a text's direction, or that cannot be written."""


def stdout_console(**options: Any) -> Console:
    """Return a console of results that prints texts as they are.

    Args:
        options: of Rich's `Console`.
    """
    return Console(**{"highlight": False, "emoji": False, "color_system": _colors(), **options})


def shown(text: str) -> Text:
    r"""Return a text for Rich to print as it stands, with escapes for what a terminal obeys.

    >>> print(shown("[red] :100: \x1b[2J"))
    [red] :100: \x1b[2J
    """
    ends = text.replace("\r\n", "\n")
    return Text(_OBEYED.sub(lambda character: ascii(character[0])[1:-1], ends))
