"""Options as the command lines of Hugging Face's parsers take them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Value = bool | int | float | str | list[Any] | dict[str, Any]
"""The value of an option."""


def flags(options: Mapping[str, Value]) -> Iterator[str]:
    """Yield options as words of a command line.

    >>> list(flags({"train_on": ["a", "b"], "balance": True, "rewards": {"interval": 1}}))
    ['--train_on', 'a', 'b', '--balance', 'true', '--rewards', '{"interval": 1}']
    """
    for name, value in options.items():
        yield f"--{name}"
        yield from map(_text, value if isinstance(value, list) else [value])


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
