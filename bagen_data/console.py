"""The consoles of messages and of results. Rich's emoji names stay off: `file:100:` is a place."""

from typing import Any

from rich.console import Console

STDERR = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
"""Messages go to stderr; results to stdout or to files."""


def stdout_console(**options: Any) -> Console:
    """Return a console of results that prints texts as they are.

    Args:
        options: of Rich's `Console`.
    """
    return Console(highlight=False, emoji=False, **options)
