r"""Read JSON with orjson, and refuse an object that has a key twice, at little cost.

orjson keeps the last value of a repeated key, so a value that lost one has fewer strings than its
text. The strings are counted by their quotation marks, without those that follow a backslash. The
mark that opens a string follows none. A mark inside a string follows one always, or is written as
`\u0022`. The mark that closes a string follows one only where the string ends with a backslash,
which orjson writes as `\\`, and others as that or as `\u005c`. So each string counts in the value,
written anew, as much as in its text or less, and each string of the text counts one or two: where
both counts are the same, nothing was lost. Any other text is parsed once more by the slower reader,
which sees every key.
"""

from typing import Any

import numpy as np
import orjson

from bagen_data.unique_keys import parse_json

_QUOTE = ord('"')
_BACKSLASH = ord("\\")


def load_json(text: bytes) -> Any:
    """Return a JSON value as `orjson.loads` does.

    Raises:
        RepeatedKeyError: an object has a key twice.
        orjson.JSONDecodeError: the text is not JSON.
        ValueError: what is not sure to have each key once is nested too deeply.

    >>> load_json(b'{"input_tokens": 5}')
    {'input_tokens': 5}
    """
    value = orjson.loads(text)
    refuse_repeated_keys(text, value)
    return value


def load_lenient_json(text: bytes) -> Any:
    """Return a JSON value as `json.loads` does, with NaN, numbers of any size and lone surrogates.

    Raises:
        RepeatedKeyError: an object has a key twice.
        UnicodeDecodeError: the text is not UTF-8, with or without a byte order mark.
        json.JSONDecodeError: the text is not JSON.
        ValueError: it holds a number of too many digits, or is nested too deeply.
        RecursionError: it is nested too deeply.
    """
    try:
        return load_json(text)
    except orjson.JSONDecodeError:
        return parse_json(text.decode("utf-8-sig"))


def refuse_repeated_keys(text: bytes, value: Any) -> None:
    """Refuse a text with an object that has a key twice.

    Args:
        text: JSON.
        value: the value that a reader made of it.

    Raises:
        RepeatedKeyError: an object has a key twice.
        ValueError: what is not sure to have each key once is nested too deeply.
    """
    if _has_every_string(text, value):
        return
    try:
        parse_json(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def _has_every_string(text: bytes, value: Any) -> bool:
    """Return whether a value is sure to hold every string of its text."""
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, lone surrogates, deep nesting
        return False
    return _quotes(text) == _quotes(written)


def _quotes(text: bytes) -> int:
    """Return how many quotation marks do not follow a backslash."""
    characters = np.frombuffer(text, np.uint8)
    is_counted = characters == _QUOTE
    is_counted[1:] &= characters[:-1] != _BACKSLASH
    return int(np.count_nonzero(is_counted))
