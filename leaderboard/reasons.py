"""The reasons for which a submission is refused, as pages and comments show them."""

from collections.abc import Iterator
from pathlib import Path

_LONGEST = 2_000
"""Most characters of a reason."""


def reasons_of(text: str, folder: Path) -> Iterator[str]:
    """Yield the lines of an error, with paths as the submitter knows them.

    Args:
        text: the error.
        folder: the path of the submission's folder on this machine.
    """
    text = text.replace(f"{folder}/", "").replace(str(folder), folder.name)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    yield from map(visible, text.splitlines())


def visible(text: str) -> str:
    r"""Return a text with escapes for characters that turn text, move a cursor or are not Unicode.

    >>> print(visible("Ünï \u202e"))
    Ünï \u202e
    """
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)
