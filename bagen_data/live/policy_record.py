"""Fields of policies: what they may hold, and how a file holds them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.errors import InputError
from bagen_data.steady_files import HeldFile
from bagen_data.tables import to_json
from bagen_data.unique_keys import RepeatedKeyError, parse_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT = 1
"""Format of a policy's file."""
NEAREST = 1e-9
"""Probabilities that must not be 0 or 1 are as far from both as this."""

_LARGEST = 1 << 16
"""Bytes that a policy's file may have."""
_LONGEST_TEXT = 1_000
"""Characters of a text."""


def read_record(path: Path | str) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        InputError: the file cannot be read, is too long, or is not a JSON object with each key
            once.
    """
    try:
        content = HeldFile(Path(path), largest=_LARGEST).read()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    try:
        record = parse_json(content)
    except RepeatedKeyError as error:
        raise InputError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise InputError("is not JSON") from error
    if not isinstance(record, dict):
        raise InputError("is not a JSON object")
    return record


def record_text(kind: str, policy: "DataclassInstance") -> str:
    """Return the JSON text of the fields of a policy."""
    return to_json({"format": FORMAT, "kind": kind, **asdict(policy)}, indent=1) + "\n"


def field_values(kind: "type[DataclassInstance]", record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each field of a class, from an object that has exactly these fields.

    Raises:
        InputError: naming the field.
    """
    known = {each.name: each.type for each in fields(kind)}
    for unknown in sorted(record.keys() - known.keys()):
        raise InputError(f"has the field {shown(unknown)}; expected only {', '.join(known)}")
    for missing in sorted(known.keys() - record.keys()):
        raise InputError(f"{missing} is missing")
    return {name: _value(name, record[name], expected) for name, expected in known.items()}


def _value(name: str, value: Any, expected: Any) -> Any:
    if expected is int:
        if type(value) is int:
            return value
        raise InputError(f"{name} is {shown(value)}; expected a whole number")
    if expected in {float, float | None}:
        if value is None and expected is not float:
            return None
        if type(value) in {int, float}:
            return _as_float(name, value)
        raise InputError(f"{name} is {shown(value)}; expected a number")
    if isinstance(value, str):
        return value
    raise InputError(f"{name} is {shown(value)}; expected a text")


def _as_float(name: str, value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"{name} is too large") from error


def check_probability(name: str, value: float) -> None:
    """Refuse a value that is not a probability, 0 .. 1.

    Raises:
        InputError: naming the field.
    """
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}; expected a probability, 0 to 1")


def check_inner_probability(name: str, value: float) -> None:
    """Refuse a value that is not between 0 and 1, or nearer to one of them than `NEAREST`.

    Raises:
        InputError: naming the field.
    """
    if not NEAREST <= value <= 1 - NEAREST:
        raise InputError(
            f"{name} is {value}; expected more than 0 and less than 1, at least {NEAREST} from both"
        )


def check_amount(name: str, value: float) -> None:
    """Refuse a value that is not a finite number from 0 on.

    Raises:
        InputError: naming the field.
    """
    if not 0 <= value < math.inf:
        raise InputError(f"{name} is {value}; expected a finite number from 0 on")


def check_count(name: str, value: int) -> None:
    """Refuse a number below 1.

    Raises:
        InputError: naming the field.
    """
    if value < 1:
        raise InputError(f"{name} is {value}; expected a whole number from 1 on")


def check_text(name: str, value: str) -> None:
    """Refuse a text that a terminal cannot show on a line.

    Raises:
        InputError: naming the field.
    """
    if not value.isprintable() or len(value) > _LONGEST_TEXT:
        raise InputError(
            f"{name} is {shown(value)}; expected printable text of at most "
            f"{_LONGEST_TEXT:,} characters"
        )


def shown(value: Any) -> str:
    """Return a value as an error shows it, cut and in ASCII."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
