"""Checked access to the fields of foreign records. A problem names the field and the value."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.usage_fields import MOST, brief, stated_price
from bagen_data.usage_fields import whole_number as count

__all__ = [
    "agreed_flag",
    "amount",
    "brief",
    "count",
    "flag",
    "identity",
    "mapping",
    "quantity",
    "sequence",
    "single_values",
    "stated_price",
    "text",
    "turn_amounts",
]
_AT_MOST = " and at most 10^12"


def flag(value: Any, name: str) -> bool:
    """A truth value: true/false, 0/1, or the strings "True"/"False" that some logs hold."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise RolloutError(f"{name} is {brief(value)}; expected true or false")


def agreed_flag(flags: Mapping[str, Any]) -> bool | None:
    """Return the truth value that fields state together; None where all of them are null.

    Raises:
        RolloutError: one is not a truth value, or two differ.

    >>> agreed_flag({"metadata.success": None, "success": "False"})
    False
    """
    stated = {name: flag(value, name) for name, value in flags.items() if value is not None}
    if len(set(stated.values())) > 1:
        both = " and ".join(f"{brief(value)} as {name}" for name, value in stated.items())
        raise RolloutError(f"states {both}; expected the same outcome")
    return next(iter(stated.values()), None)


def amount(value: Any, name: str) -> int:
    """A number, rounded to whole units as `round` does; raises RolloutError if it is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not -MOST <= value <= MOST:
        raise RolloutError(f"{name} is {brief(value)}; expected a finite number{_AT_MOST}")
    whole: int = round(value)
    return whole


def quantity(value: Any, name: str) -> float:
    """A number >= 0, as it is; raises RolloutError if it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= MOST:
        raise RolloutError(f"{name} is {brief(value)}; expected a number >= 0{_AT_MOST}")
    return float(value) if isinstance(value, float) else int(value)


def turn_amounts(record: Mapping[str, Any], known: Collection[str]) -> Mapping[str, Any] | None:
    """Return what a turn states beside its layout's own fields; None if that is nothing.

    These are the object `financials` or `amounts`, else all single values under other names.
    """
    for name in ("financials", "amounts"):
        if record.get(name):
            return mapping(record[name], name)
    values = {
        name: value
        for name, value in record.items()
        if name not in known and isinstance(value, str | int | float)
    }
    return values or None


def single_values(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers, truth values and texts that a record states beside its structure."""
    return {name: value for name, value in record.items() if isinstance(value, str | int | float)}


def identity(*values: Any) -> str:
    """Return the first id as text; empty where all are null or empty. 0 is an id.

    >>> identity(None, 0), identity("", "a"), identity(None)
    ('0', 'a', '')
    """
    return next((str(value) for value in values if value not in (None, "")), "")


def text(value: Any, name: str) -> str:
    """A message's text: a string, null for none, or a list of text parts."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(part, dict | str) for part in value):
        return "\n".join(filter(None, (_part_text(part, name) for part in value)))
    raise RolloutError(f"{name} is {brief(value)}; expected a string or a list of text parts")


def _part_text(part: Mapping[str, Any] | str, name: str) -> str:
    if isinstance(part, str):
        return part
    if "text" not in part:
        kind = brief(part.get("type"))
        raise RolloutError(f"{name} has a part of type {kind} without text; expected text parts")
    return text(part["text"], f"{name}[].text")


def mapping(value: Any, *place: str) -> dict[str, Any]:
    """Return a value that is an object.

    Args:
        value: the value.
        place: parts of its name, which are put together only for an error.
    """
    if isinstance(value, dict):
        return value
    raise RolloutError(f"{''.join(place)} is {brief(value)}; expected an object")


def sequence(value: Any, *place: str) -> Sequence[Any]:
    """Return a value that is a list; null is an empty one.

    Args:
        value: the value.
        place: parts of its name, which are put together only for an error.
    """
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    raise RolloutError(f"{''.join(place)} is {brief(value)}; expected a list")
