"""A key that an object holds twice is refused, by the fast reader and the slow one alike."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.fast_json import load_json, load_lenient_json
from bagen_data.unique_keys import RepeatedKeyError, parse_json

# Quotation marks, escapes and few keys, so that objects often hold a key twice.
texts = st.text('ab":,{}\\\nä\u2028', max_size=4)
whole = st.integers(-(2**63), 2**64 - 1)  # orjson reads larger ones as floats
scalars = st.none() | st.booleans() | whole | texts


def _object(entries: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key} : {value}" for key, value in entries) + "}"


def _plain(text: str) -> str:
    return orjson.dumps(text).decode()


def _escaped(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or json.dumps(c)[1:-1] for c in text) + '"'


_ESCAPES = {'"': "\\u0022", "\\": "\\u005c"}


keys = (
    texts.map(json.dumps)
    | texts.map(_escaped)
    | texts.map(lambda text: orjson.dumps(text).decode())
)
written = st.recursive(
    scalars.map(json.dumps) | texts.map(_escaped),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda values: "[" + ",\n".join(values) + "]")
        | st.lists(st.tuples(keys, inner), max_size=4).map(_object)
    ),
    max_leaves=15,
)


def _repeats(text: str) -> bool:
    seen = []

    def note(entries: list[tuple[str, Any]]) -> None:
        seen.append(len(dict(entries)) < len(entries))

    json.loads(text, object_pairs_hook=note)
    return any(seen)


@given(written)
def test_both_readers_refuse_what_repeats_a_key_and_nothing_else(text: str) -> None:
    for read in (load_json, load_lenient_json, parse_json):
        if _repeats(text):
            with pytest.raises(RepeatedKeyError, match="holds the key"):
                read(text.encode())
        else:
            assert read(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 1}', "holds the key 'a' twice; expected each key once"),
        (r'{"a": 1, "\u0061": 2}', "holds the key 'a' twice; expected"),
        ('{"m": [{"usage": {"n": 1, "n": 2}}]}', r"holds the key 'n' twice in m\[0\]\.usage;"),
        ('{"m": {"n": 1, "n": 2}, "m": 3}', "holds the key 'm' twice; expected"),
        (r'{"a": "", "a": "", "b": "\u0022\u0022\u0022\u0022"}', "holds the key 'a' twice"),
        (r'{"\\": "\\", "\\": "\\", "b": "\u005c\u0022"}', r"holds the key '\\\\' twice"),
        ('{"a": NaN, "b": {"c": 1e400, "c": -Infinity}}', "holds the key 'c' twice in b;"),
        ('{"a": 123456789012345678901234567890, "a": 1}', "holds the key 'a' twice;"),
        (r'{"a": "\ud800", "a": 1}', "holds the key 'a' twice;"),
        ('\ufeff{"a": 1, "a": 1}', "holds the key 'a' twice;"),
    ],
)
def test_the_message_names_the_key_and_its_object(text: str, message: str) -> None:
    with pytest.raises(RepeatedKeyError, match=message):
        load_lenient_json(text.encode())


def test_deep_nesting_is_read_or_refused_and_never_breaks() -> None:
    for depth in (200, 300, 600, 900, 5_000):
        for text in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
            try:
                load_json(text.encode())
            except ValueError as error:
                assert not isinstance(error, RepeatedKeyError)  # noqa: PT017  either is right
