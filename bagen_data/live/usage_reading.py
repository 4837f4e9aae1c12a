"""Usage as agent loops have it: mappings, objects of SDKs, and lists of them, as requests.

An object becomes a mapping by its own `model_dump` or `to_dict`, its dataclass fields, else its
public attributes. The meaning of the mapping is decided where logs are read, in `usage_objects`.
"""

import dataclasses
import numbers
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_objects import provider_usage

_DEEPEST = 6
"""Levels of objects in a usage object; those of SDKs have three."""
_MOST_VALUES = 1_000
"""Values of a usage object."""
_MOST_REQUESTS = 10_000
"""Requests of one turn."""
_HOLDERS = ("usage", "usage_metadata", "usageMetadata")
"""Fields of whole responses that hold their usage."""


def usage_requests(usage: Any) -> tuple[Request, ...]:
    """Return the requests of a usage object, or of a list with one or more for each request.

    Returns:
        No request for an empty list: nothing was asked.

    Raises:
        RolloutError: a usage object is not known, or states nothing.

    >>> [each.input_tokens for each in usage_requests({"input_tokens": 30, "output_tokens": 50})]
    [30]
    """
    if isinstance(usage, list | tuple) and not _is_named_tuple(usage):
        if len(usage) > _MOST_REQUESTS:
            raise RolloutError(
                f"usage is a list of {len(usage)} objects; expected at most {_MOST_REQUESTS}"
            )
        return tuple(request for each in usage for request in _of_mapping(_plain_mapping(each)))
    return _of_mapping(_plain_mapping(usage))


def _of_mapping(usage: dict[str, Any]) -> tuple[Request, ...]:
    held = [usage[name] for name in _HOLDERS if isinstance(usage.get(name), dict)]
    requests = provider_usage(held[0] if len(held) == 1 else usage)
    if not requests:
        raise RolloutError(
            "usage states no counts of tokens; expected a provider's usage object, and it holds "
            f"{', '.join([*usage][:8]) or 'nothing'}"
        )
    return requests


def plain(value: Any, levels: int = _DEEPEST, most_values: int = _MOST_VALUES) -> Any:
    """Return a value of an SDK as JSON has it: objects as dicts, sequences as lists.

    Args:
        value: the value.
        levels: levels that objects may be nested in it.
        most_values: number of values that it may hold.

    Raises:
        RolloutError: the value is nested too deeply, or holds too much.
    """
    return _JsonConverter(levels, most_values).of(value, levels)


def _plain_mapping(value: Any) -> dict[str, Any]:
    usage = plain(value)
    if not isinstance(usage, dict):
        raise RolloutError(
            f"usage is of type {type(value).__name__}; expected a mapping, the usage object of an "
            "SDK, or a list of them"
        )
    return usage


_SINGLE = frozenset({int, str, bool, float, type(None)})
"""Types of values that stay as they are."""


class _JsonConverter:
    """Converts a value to JSON's types, within limits."""

    def __init__(self, levels: int, most_values: int) -> None:
        self._values = 0
        self._levels = levels
        self._most_values = most_values

    def of(self, value: Any, levels: int) -> Any:
        """Return a value in JSON's types, of that many levels at most."""
        kind = type(value)
        if kind in _SINGLE:
            return value
        self._values += 1
        if levels < 0 or self._values > self._most_values:
            raise RolloutError(
                f"{kind.__name__} objects stand in more than {self._levels} levels, or more than "
                f"{self._most_values} values; expected the usage of a response, or its message"
            )
        if kind is dict:
            return self._fields(value.items(), levels)
        if isinstance(value, Enum):
            return self.of(value.value, levels - 1)
        if isinstance(value, str | bytes | numbers.Number):
            return _single(value)
        if isinstance(value, list | tuple | set | frozenset) and not _is_named_tuple(value):
            return [self.of(each, levels - 1) for each in value]
        fields = value.items() if isinstance(value, Mapping) else _attributes(value)
        return self._fields(fields, levels)

    def _fields(self, fields: Iterable[tuple[Any, Any]], levels: int) -> dict[str, Any]:
        converted = {}
        for name, value in fields:
            is_single = type(value) in _SINGLE
            converted[str(name)] = value if is_single else self.of(value, levels - 1)
        self._values += len(converted)
        return converted


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_asdict")


def _single(value: Any) -> Any:
    """Return a text, or a number of NumPy or a decimal, as Python's own."""
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, str | bytes):
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)


_DUMPS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("model_dump", {"warnings": False}),
    ("model_dump", {}),
    ("to_dict", {}),
    ("_asdict", {}),
)
"""Methods that return an object's fields, and their arguments: pydantic's first."""


def _attributes(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the fields of an object of an SDK."""
    for name, options in _DUMPS:
        method = getattr(type(value), name, None)
        if callable(method):
            with suppress(TypeError):  # a method of the same name with other arguments
                fields = method(value, **options)
                if isinstance(fields, Mapping):
                    return fields.items()
    if dataclasses.is_dataclass(value):
        return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return _public(value)


def _public(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public attributes of an object that are no methods."""
    for name in dir(value):
        if not name.startswith("_"):
            attribute = getattr(value, name)
            if not callable(attribute):
                yield name, attribute
