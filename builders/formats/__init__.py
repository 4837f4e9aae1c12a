"""Log formats, one file each: every module here reads the records of one format into a `Log`.

A format is a module `builders/formats/<name>.py` with

    LAYOUT = "an object with 'turns'"                 what a record of it is, for messages
    def recognises(record) -> bool                    by what the record holds, never by file names
    def read(record, facts) -> Log                    raises RolloutError naming turn and field
    GENERAL = True                                    optional: asked only if no other recognises it

Nothing registers it: the file does. At most one format may recognise a record, general ones apart.
A module whose name begins with `_` is not a format.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from bagen_data.errors import InputError, RolloutError
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
    """Return the log formats by name, sorted.

    Raises:
        InputError: a module cannot be imported, or is not a format.
    """
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return {name: _load(name) for name in names}


def _load(name: str) -> LogFormat:
    where = f"builders/formats/{name}.py"
    try:
        module = import_module(f"{__name__}.{name}")
    except Exception as error:  # whatever a module of somebody's own raises
        raise InputError(
            f"{where}: cannot be imported: {type(error).__name__}: {error}; correct or remove it"
        ) from error
    missing = [each for each in ("LAYOUT", "recognises", "read") if not hasattr(module, each)]
    if missing:
        raise InputError(
            f"{where}: has no {', '.join(missing)}; a log format has LAYOUT, recognises and read, "
            "and a module that is not a format has a name with _ before it"
        )
    return cast("LogFormat", module)


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
    special = [name for name in formats if not getattr(formats[name], "GENERAL", False)]
    names = special or list(formats)
    if len(names) == 1:
        return formats[names[0]].read(record, facts)
    if names:
        raise RolloutError(
            f"is a record of several formats: {', '.join(names)}; let only one of them recognise it"
        )
    layouts = "; ".join(f"{module.LAYOUT} ({name})" for name, module in known_formats().items())
    raise RolloutError(f"expected {layouts}; found keys {sorted(map(str, record))[:8]}")
