"""Checked access to the fields of foreign records. A problem names the field and the value."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.usage import Request

MOST = 10**12
"""Of any amount: sums of it stay exact in the floats of tables."""
_AT_MOST = " and at most 10^12"

_INPUT_NAMES = ("api_input_tokens", "input_tokens", "prompt_tokens")
_OUTPUT_NAMES = ("api_output_tokens", "output_tokens", "completion_tokens")
_CACHE_NAMES = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic's API counts these apart from its `input_tokens`."""
_DETAIL_NAMES = ("output_tokens_details", "completion_tokens_details")


def flag(value: Any, name: str) -> bool:
    """A truth value: true/false, 0/1, or the strings "True"/"False" that some logs hold."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise RolloutError(f"{name} is {brief(value)}; expected true or false")


def count(value: Any, name: str) -> int:
    """A whole number >= 0; raises RolloutError if it is none."""
    if type(value) is int and 0 <= value <= MOST:
        return int(value)
    if not isinstance(value, float) or not value.is_integer() or not 0 <= value <= MOST:
        raise RolloutError(f"{name} is {brief(value)}; expected a whole number >= 0{_AT_MOST}")
    return int(value)


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


def mapping(value: Any, name: str) -> dict[str, Any]:
    """An object."""
    if isinstance(value, dict):
        return value
    raise RolloutError(f"{name} is {brief(value)}; expected an object")


def sequence(value: Any, name: str) -> Sequence[Any]:
    """A list; null is an empty one."""
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    raise RolloutError(f"{name} is {brief(value)}; expected a list")


def counts(usage: Mapping[str, Any]) -> tuple[int, int] | None:
    """(input, output) tokens under any of their usual names; None if both are missing.

    Raises:
        RolloutError: one of the two is missing, negative or no whole number.
    """
    read, written = _first_count(usage, _INPUT_NAMES), _first_count(usage, _OUTPUT_NAMES)
    if read is not None and "prompt_tokens" not in usage and "input_tokens" in usage:
        read += sum(_first_count(usage, (name,)) or 0 for name in _CACHE_NAMES)
    if read is None and written is None:
        return None
    if read is None or written is None:
        missing = _INPUT_NAMES if read is None else _OUTPUT_NAMES
        raise RolloutError(f"has no {' or '.join(missing)}; expected a whole number >= 0")
    return read, written


def _first_count(usage: Mapping[str, Any], names: Sequence[str]) -> int | None:
    for name in names:
        value = usage.get(name)
        if value is not None:
            return count(value, name)
    return None


def reasoning(usage: Mapping[str, Any]) -> int | None:
    """Reasoning tokens from the details of a usage object; None where it has no breakdown."""
    for name in _DETAIL_NAMES:
        details = usage.get(name)
        if isinstance(details, dict) and details.get("reasoning_tokens") is not None:
            return count(details["reasoning_tokens"], f"{name}.reasoning_tokens")
    return None


def request(usage: Mapping[str, Any]) -> Request | None:
    """The counts of a usage object as an API returns it; None if it has none."""
    tokens = counts(usage)
    if tokens is None:
        return None
    return Request(*tokens, visible_tokens=tokens[1] - (reasoning(usage) or 0))


def brief(value: Any) -> str:
    """A value as an error message shows it: JSON, at most 60 characters."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value))
    return text if len(text) <= 60 else text[:57] + "..."
