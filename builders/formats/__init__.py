"""Log formats, one file each: every module here reads the records of one format into a `Log`.

A format is a module `builders/formats/<name>.py` with

    LAYOUT = "an object with 'turns'"                 what a record of it is, for messages
    def recognises(record) -> bool                    by what the record holds, never by file names
    def read(record, facts) -> Log                    raises RolloutError naming turn and field

Nothing registers it: the file does. At most one format may recognise a record.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from bagen_data.errors import RolloutError
from builders.logs.rollout_log import FamilyFacts, Log


class LogFormat(Protocol):
    """A module of this folder."""

    LAYOUT: str

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is of this format."""

    def read(self, record: Mapping[str, Any], facts: FamilyFacts) -> Log:
        """Read one record; raises RolloutError naming the turn and the field."""


@cache
def known_formats() -> dict[str, LogFormat]:
    """Return the log formats by name, sorted."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return {name: cast("LogFormat", import_module(f"{__name__}.{name}")) for name in names}


def read_record(record: Any, facts: FamilyFacts) -> Log:
    """Read one record in the format that recognises it.

    Args:
        record: a decoded JSON value.
        facts: what the record's family knows beside its records.

    Raises:
        RolloutError: no format recognises the record, several do, or a field cannot be used.
    """
    if not isinstance(record, dict):
        raise RolloutError(f"expected an object, found {type(record).__name__}")
    formats = {
        name: module for name, module in known_formats().items() if module.recognises(record)
    }
    if len(formats) == 1:
        return next(iter(formats.values())).read(record, facts)
    if formats:
        raise RolloutError(f"is a record of several formats: {', '.join(formats)}")
    layouts = "; ".join(f"{module.LAYOUT} ({name})" for name, module in known_formats().items())
    raise RolloutError(f"expected {layouts}; found keys {sorted(map(str, record))[:8]}")
