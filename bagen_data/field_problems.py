"""The faults of fields and arguments, in the words of this project instead of Pydantic's."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bagen_data.wording import numbered

_SHOWN = 80
"""Most characters of a wrong value that an error shows."""
_KINDS = ("bool", "int", "float", "str", "list[str]")
"""Names of the kinds of a decoding parameter, each of which refuses a value of another kind."""

_CHOICES = re.compile(r" is not one of (.+?)\.?$", re.DOTALL)
"""The words of Typer for a value that is not one of an option's choices."""

_Words = Callable[[Mapping[str, Any]], str]
"""A function that says what was expected, given the facts of a fault."""
_EXPECTED: Mapping[str, _Words] = {
    "string_too_short": lambda facts: (
        f"text of {numbered(facts['min_length'], 'character')} or more"
    ),
    "string_too_long": lambda facts: f"at most {facts['max_length']:,} characters",
    "greater_than_equal": lambda facts: f"a number from {_plain(facts['ge'])} on",
    "less_than_equal": lambda facts: f"at most {_plain(facts['le'])}",
    "literal_error": lambda facts: str(facts["expected"]),
    "finite_number": lambda _: "a finite number",
    "missing": lambda _: "a value",
}
"""Expected values by the type of Pydantic's error, where the type alone decides."""
_EXPECTED_BY_BEGINNING = {
    "bool_": "true or false",
    "int_": "a whole number",
    "float_": "a number",
    "string_": "text",
    "date_": "a day as YYYY-MM-DD, such as 2026-11-21",
    "url_": "an address such as https://example.org/page",
    "list_": "a list",
    "dict_": "keys with values",
    "model_": "keys with values",
    "mapping_": "keys with values",
}
"""Expected values by how the type of Pydantic's error begins."""


def problems(error: ValidationError) -> Iterator[str]:
    r"""Yield a line for each field that is wrong: its name, what was found, and what was expected.

    >>> from bagen_data.submissions import Prediction
    >>> try:
    ...     Prediction.model_validate({"sample_id": 5, "response": "", "cost_usd": -1})
    ... except ValidationError as error:
    ...     print(*problems(error), sep="\n")
    sample_id: found 5; expected text: put it in quotes
    cost_usd: found -1; expected a number from 0 on
    """
    seen: set[str] = set()
    for detail in error.errors(include_url=False):
        place = detail["loc"]
        is_of_kind = len(place) > 1 and place[-1] in _KINDS
        name = ".".join(map(str, place[:-1] if is_of_kind else place))[:_SHOWN]
        if name in seen and is_of_kind:
            continue
        seen.add(name)
        words = _parameter(detail) if is_of_kind else _fault(detail)
        yield f"{name}: {words}" if name else words


def argument_problem(error: ValidationError) -> str:
    """Return an argument of a command that is wrong, and what was expected: `0: expected ...`."""
    detail = error.errors(include_url=False)[0]
    value, message = detail["input"], detail["msg"].removeprefix("Value error, ")
    choices = _CHOICES.search(message)
    if choices:
        return f"{value}: expected one of {choices[1].replace(chr(39), '')}"
    if detail["type"] == "value_error":
        return f"{value}: {message}"
    return f"{value}: expected {_expected(detail)}"


def _fault(detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "unknown key; leave it out"
    if kind == "missing":
        return "is missing"
    if kind in ("value_error", "refused"):
        return f"found {_shown(value)}; {detail['msg'].removeprefix('Value error, ')}"
    if kind == "string_type" and isinstance(value, int | float):
        return f"found {_shown(value)}; expected text: put it in quotes"
    return f"found {_shown(value)}; expected {_expected(detail)}"


def _expected(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind in _EXPECTED:
        return _EXPECTED[kind](detail.get("ctx", {}))
    return next(
        (words for start, words in _EXPECTED_BY_BEGINNING.items() if kind.startswith(start)),
        "another value",
    )


def _parameter(detail: ErrorDetails) -> str:
    value = _shown(detail["input"])
    return f"found {value}; expected true, false, a finite number, text or a list of texts"


def _plain(bound: float) -> str:
    """Return a bound without the decimals of a whole number."""
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:,}"


def _shown(value: Any) -> str:
    """Return a value as files write it, cut where it is long."""
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else json.dumps(value)
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
