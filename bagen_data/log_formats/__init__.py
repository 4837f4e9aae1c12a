"""Log formats, one file each: every module here reads the logs of one format into `Log`s.

A format is a module `bagen_data/log_formats/<name>.py` with

    LAYOUT = "an object with 'turns'"                 what a record of it is, for messages
    def recognises(record) -> bool                    by what the record holds, never by file names
    def read(record, facts) -> Log                    raises RolloutError naming turn and field
    GENERAL = True                                    optional: asked only if no other recognises it
    KEYS = frozenset({"turns", ...})                  optional: to name the format that is nearest

`READS` says what a record is, and is "value" where it is not given:

    "value"   one JSON object: a file, an item of a file's list, or a line
    "lines"   a JSONL file whose lines together are a session; `recognises` is asked of each of the
              first lines, and `read` gets all lines as an iterator of `bagen_data.logs.lines.Line`
    "file"    a file that is not JSON; `recognises` and `read` get its path, and SUFFIXES names how
              such files end

`read` may return several rollouts instead of one: an iterator of `NamedLog`. An optional
`belongs(value)` recognises JSON files beside the logs, and lines of JSONL files, that are not
rollouts themselves. An optional `owns(paths)` returns files that are not read at all, because other
files of the family tell the same: an agent's own log beside the trajectory it was converted to.

A format of sessions whose subagents have files of their own has `session_file(lines, path)`, which
returns by a file's first lines whose work it holds, so that a follower of a session knows
the files to look at.

Nothing registers a format: the file does. At most one format may recognise a record, general ones
apart. A module whose name begins with `_` is not a format.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from bagen_data.errors import InputError, RolloutError
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog, SessionFile

Kind = Literal["value", "lines", "file"]
"""The kinds of a format's records."""


class LogFormat(Protocol):
    """A module of this folder."""

    LAYOUT: str

    def recognises(self, record: Any) -> bool:
        """Return whether a record is of this format."""

    def read(self, record: Any, facts: FamilyFacts) -> Log | Iterator[NamedLog]:
        """Read one record; raises RolloutError naming the turn and the field."""


@cache
def known_formats() -> dict[str, LogFormat]:
    """Return the log formats by name, sorted.

    Raises:
        InputError: a module cannot be imported, or is not a format.
    """
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return {name: _load(name) for name in names}


@cache
def formats_reading(kind: Kind) -> dict[str, LogFormat]:
    """Return the log formats whose records are of a kind, by name.

    Raises:
        InputError: a module cannot be imported, or is not a format.
    """
    return {
        name: module
        for name, module in known_formats().items()
        if getattr(module, "READS", "value") == kind
    }


def _load(name: str) -> LogFormat:
    where = f"bagen_data/log_formats/{name}.py"
    try:
        module = import_module(f"{__name__}.{name}")
    except Exception as error:  # whatever a user's own module raises
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


def read_record(record: Any, facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read one JSON value in the format that recognises it.

    Args:
        record: a decoded JSON value.
        facts: what the record's family knows beside its records.

    Raises:
        RolloutError: no format recognises the record, several do, or a field cannot be used.
    """
    return known_formats()[value_format(record)].read(record, facts)


def value_format(record: Any) -> str:
    """Return the name of the format of a JSON value.

    Raises:
        RolloutError: no format recognises the value, or several do.
    """
    if not isinstance(record, dict):
        raise RolloutError(
            f"is {_JSON_TYPES[type(record)]}, not a rollout; expected an object, or a list of "
            "objects; remove it"
        )
    names = recognising("value", record)
    if len(names) == 1:
        return names[0]
    if names:
        raise RolloutError(
            f"is a record of several formats: {', '.join(names)}; let only one of them recognise it"
        )
    raise RolloutError(_unknown(record))


def recognising(kind: Kind, record: Any) -> list[str]:
    """Return the names of the formats that recognise a record; general ones only if no other does.

    Args:
        kind: what the record is.
        record: a decoded JSON value, one of a file's first lines, or a path.
    """
    formats = formats_reading(kind)
    names = [name for name, module in formats.items() if module.recognises(record)]
    if len(names) < 2:
        return names
    return [name for name in names if not getattr(formats[name], "GENERAL", False)] or names


def belonging(value: Any) -> frozenset[str]:
    """Return the formats to whose rollouts a JSON value belongs without being one itself."""
    return frozenset([name for name, belongs in _companion_tests() if belongs(value)])


@cache
def _companion_tests() -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    """Return the `belongs` of each format that has one, with the format's name."""
    modules = known_formats().items()
    return tuple((name, module.belongs) for name, module in modules if hasattr(module, "belongs"))


def owned_files(paths: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the files of a family that its other files stand for, and the format that says so.

    Args:
        paths: all files of the family, relative to its folder.
    """
    owned: dict[str, frozenset[str]] = {}
    for name, module in known_formats().items():
        owns = getattr(module, "owns", None)
        if owns is not None:
            owned.update(dict.fromkeys(owns(paths), frozenset({name})))
    return owned


def session_of(head: Sequence[Line], path: str) -> SessionFile | None:
    """Return the session whose work a JSONL file holds; None where it holds none, or does not say.

    Args:
        head: the first lines of the file.
        path: the file, relative to the folder of logs.
    """
    for module in formats_reading("lines").values():
        look = getattr(module, "session_file", None)
        session: SessionFile | None = look and look(iter(head), path)
        if session is not None:
            return session
    return None


def known_suffixes() -> tuple[str, ...]:
    """Return how files end that may hold rollouts."""
    own = (suffix for module in known_formats().values() for suffix in _suffixes(module))
    return (".json", ".jsonl", *own)


def _suffixes(module: LogFormat) -> tuple[str, ...]:
    suffixes: tuple[str, ...] = getattr(module, "SUFFIXES", ())
    return suffixes


def _unknown(record: Mapping[str, Any]) -> str:
    """Say that no format recognises a record, and which one is nearest."""
    layouts = "; ".join(f"{module.LAYOUT} ({name})" for name, module in known_formats().items())
    present = [name[:_KEY_LENGTH] for name in sorted(map(str, record))]
    listed = ", ".join([*present[:_SHOWN_KEYS], *(["..."] if len(present) > _SHOWN_KEYS else ())])
    text = "is of no known format"
    keys = {name: _keys(module) for name, module in known_formats().items()}
    nearest = max(keys, key=lambda name: len(keys[name] & record.keys()))
    if len(keys[nearest] & record.keys()) >= _NEAR:
        missing = ", ".join(sorted(keys[nearest] - record.keys()))
        text += f", and looks like {nearest}, but has no {missing}"
    return f"{text}; its keys are: {listed or 'none'}; remove it, or give one of: {layouts}"


def _keys(module: LogFormat) -> frozenset[str]:
    keys: frozenset[str] = getattr(module, "KEYS", frozenset())
    return keys


_NEAR = 2
"""Keys that a record must share with a format to be called near to it."""
_SHOWN_KEYS = 8
_KEY_LENGTH = 40
_JSON_TYPES: Mapping[type, str] = {
    bool: "true or false",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
    type(None): "null",
}
"""Names of decoded JSON values that are not objects, for messages."""
