"""Problems of a tracker: each kind is reported once, and none stops the agent."""

import logging
from contextlib import suppress

_LOG = logging.getLogger("bagen")


class Problems:
    """Problems so far, each reported once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def report(self, kind: str, text: str) -> None:
        """Log a problem, unless one of its kind was reported before."""
        if kind in self._texts:
            return
        self._texts[kind] = text
        with suppress(Exception):  # a handler of somebody's own that raises
            _LOG.warning("%s", text)

    def texts(self) -> tuple[str, ...]:
        """Return the texts in the order of their reports."""
        return tuple(self._texts.values())

    def copy(self) -> "Problems":
        """Return the same problems, to go on with apart."""
        same = Problems()
        same._texts = dict(self._texts)
        return same


def said(error: BaseException) -> str:
    """Return what an error says, whatever its own text does."""
    with suppress(Exception):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__
