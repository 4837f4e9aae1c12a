"""Read JSON and refuse an object that has a key twice: readers keep its last value in silence."""

import json
from collections import Counter
from typing import Any

_SHOWN = 80
"""Characters of a key and of a path that an error shows."""


class RepeatedKeyError(ValueError):
    """An object has a key twice; the message names the key and the object's path."""


class _Repeating(dict[str, Any]):
    """An object that was written with a key twice."""

    key = ""


def parse_json(text: str | bytes) -> Any:
    """Return a JSON value as `json.loads` does.

    Raises:
        RepeatedKeyError: an object has a key twice.
        ValueError: the text is not JSON.
        RecursionError: it is nested too deeply.

    >>> parse_json('{"turns": [{"n": 5, "n": 7}]}')
    Traceback (most recent call last):
    bagen_data.unique_keys.RepeatedKeyError: holds the key 'n' twice in turns[0]; expected each \
key once
    """
    repeating: list[_Repeating] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        marked = _Repeating(content)
        marked.key = next(
            key for key, times in Counter(key for key, _ in pairs).items() if times > 1
        )
        repeating.append(marked)
        return marked

    value = json.loads(text, object_pairs_hook=unique)
    if repeating:
        raise RepeatedKeyError(_problem(value))
    return value


def _problem(value: Any) -> str:
    """Name the first object of a value that has a key twice, and the key.

    One inside a value that a repeated key lost is not in it any more; the object that has this key
    twice is.
    """
    waiting = [("", value)]
    for path, part in waiting:
        if isinstance(part, _Repeating):
            where = f" in {_cut(path.lstrip('.'))}" if path else ""
            return f"holds the key {_cut(part.key)!a} twice{where}; expected each key once"
        if isinstance(part, dict):
            waiting += [(f"{path}.{name}", each) for name, each in part.items()]
        elif isinstance(part, list):
            waiting += [(f"{path}[{place}]", each) for place, each in enumerate(part)]
    raise AssertionError("a value without a repeated key has no problem")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
