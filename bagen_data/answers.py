"""The answer grammar: the only parser and the only writer of answers there is.

    [<think> ... </think>] <answer>[low, high]</answer>
    [<think> ... </think>] <answer>time_weeks:[l, h], warehouse_item_weeks:[l, h], ...</answer>
    [<think> ... </think>] <answer>impossible</answer>

Parsing is strict and repairs nothing. Text up to the last `</think>` is ignored; of what follows,
the last `<answer>...</answer>` counts and its whole content must have one of the forms. Tags and
`impossible` match in any case. A number is ASCII digits with at most one decimal point between
digits: no separator, sign, exponent or unit. Time is linear in the length of the text.
"""

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from bagen_data.schema import WAREHOUSE, Estimate, Interval, InvalidReason

_FLAGS = re.ASCII | re.IGNORECASE
"""ASCII, or a long s would count as the s of `answer`."""
_THINK_END = re.compile(r"</think>", _FLAGS)
_OPEN = re.compile(r"<answer>", _FLAGS)
_CLOSE = re.compile(r"</answer>", _FLAGS)

_WAREHOUSE = tuple(resource.name for resource in WAREHOUSE)

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_ENDLESS = r"(?i:[+-]?(?:inf(?:inity)?|nan))"
_BOUND = rf"{_NUMBER}|{_ENDLESS}"
_INTERVAL = rf"\[\s*({_BOUND})\s*,\s*({_BOUND})\s*\]"
_LABEL = r"[a-z][a-z0-9_]*"

_SCALAR = re.compile(rf"(?:({_LABEL})\s*:\s*)?(?:{_BOUND}|\[\s*(?:{_BOUND})\s*\])", _FLAGS)
_BARE = re.compile(_INTERVAL, _FLAGS)
_LABELLED = re.compile(rf"({_LABEL})\s*:\s*{_INTERVAL}", re.ASCII)
_SEPARATOR = re.compile(r"\s*,\s*", re.ASCII)
_SPACE = " \t\n\r\f\v"


def parse(text: str, resources: Sequence[str] | None = None) -> Estimate:
    """Read an answer.

    Args:
        text: a response, of any length and content.
        resources: the resources the answer must name. One resource is answered with a bare
            interval, several with one labelled interval each. Left out, a bare interval is one of
            `tokens` and a labelled answer must name the three warehouse resources.

    Returns:
        An `Estimate`; never raises for a text, however strange: what is not an answer is invalid,
        with one reason.

    Raises:
        ValueError: `resources` is empty, or one string instead of a list of names.

    >>> parse("<think>20 turns?</think> <answer>[1200, 1500]</answer>").intervals
    {'tokens': Interval(low=1200, high=1500)}
    >>> parse("<answer>Impossible</answer>").verdict
    'infeasible'
    >>> parse("<answer>[1,200, 1,500]</answer>").reason
    'malformed'
    >>> parse("<think><answer>[0, 9]</answer></think> done").reason
    'no_answer'
    """
    if isinstance(resources, str) or (resources is not None and not resources):
        raise ValueError(f"resources is {resources!r}; expected a list of at least one name")
    content = _answer_content(text)
    if content is None:
        return _invalid("no_answer")
    content = content.strip(_SPACE)
    if content.lower() == "impossible":
        return Estimate("infeasible")
    bare = _BARE.fullmatch(content)
    if resources is None:
        resources = ("tokens",) if bare else _WAREHOUSE
    if bare:
        if len(resources) > 1:
            return _invalid("missing_resource")
        return _estimate({resources[0]: bare.groups()})
    if _SCALAR.fullmatch(content):
        return _invalid("scalar")
    return _parse_labelled(content, resources)


def render(estimate: Estimate) -> str:
    """Write an answer, such that `parse(render(estimate), resources) == estimate`.

    Raises:
        ValueError: the estimate is invalid, so there is nothing to write.

    >>> render(Estimate("feasible", {"tokens": Interval(0.5, 1e21)}))
    '<answer>[0.5, 1000000000000000000000]</answer>'
    >>> render(Estimate("infeasible"))
    '<answer>impossible</answer>'
    """
    if estimate.verdict == "invalid":
        raise ValueError(f"an invalid estimate ({estimate.reason}) has no answer to render")
    if estimate.verdict == "infeasible":
        return "<answer>impossible</answer>"
    intervals = {
        name: f"[{plain(interval.low)}, {plain(interval.high)}]"
        for name, interval in estimate.intervals.items()
    }
    if len(intervals) == 1:
        return f"<answer>{next(iter(intervals.values()))}</answer>"
    return f"<answer>{', '.join(f'{name}:{text}' for name, text in intervals.items())}</answer>"


def plain(amount: float) -> str:
    """A finite number in plain decimals: no exponent, no separator, whole numbers without a point.

    >>> plain(1721.0), plain(0.1), plain(1e-7)
    ('1721', '0.1', '0.0000001')
    """
    if isinstance(amount, int) or amount.is_integer():
        return str(int(amount))
    return format(Decimal(repr(float(amount))), "f")


def _parse_labelled(content: str, resources: Sequence[str]) -> Estimate:
    pairs = list(_labelled(content))
    bounds = dict(pairs)
    if not pairs or len(bounds) < len(pairs):
        return _invalid("malformed")
    if not bounds.keys() <= set(resources):
        return _invalid("unknown_resource")
    if len(resources) == 1:
        return _invalid("malformed")
    if len(bounds) < len(resources):
        return _invalid("missing_resource")
    return _estimate({name: bounds[name] for name in resources})


def _answer_content(text: str) -> str | None:
    """What the last `<answer>...</answer>` after the last `</think>` encloses."""
    start = _last_end(_THINK_END, text, 0, len(text))
    last_close = _last_start(_CLOSE, text, start)
    if last_close < 0:
        return None
    opening = _last_end(_OPEN, text, start, last_close, missing=-1)
    if opening < 0:
        return None
    closing = _CLOSE.search(text, opening)
    return text[opening : closing.start()] if closing else None


def _last_end(pattern: re.Pattern[str], text: str, start: int, end: int, missing: int = 0) -> int:
    last = missing
    for match in pattern.finditer(text, start, end):
        last = match.end()
    return last


def _last_start(pattern: re.Pattern[str], text: str, start: int) -> int:
    last = -1
    for match in pattern.finditer(text, start):
        last = match.start()
    return last


def _labelled(content: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(label, (low, high)) pairs; nothing at all if the content is not a list of them."""
    pairs = []
    position = 0
    while True:
        match = _LABELLED.match(content, position)
        if not match:
            return
        pairs.append((match[1], (match[2], match[3])))
        if match.end() == len(content):
            break
        separator = _SEPARATOR.match(content, match.end())
        if not separator:
            return
        position = separator.end()
    yield from pairs


def _estimate(bounds: dict[str, tuple[str, ...]]) -> Estimate:
    numbers = {name: (_number(low), _number(high)) for name, (low, high) in bounds.items()}
    if not all(math.isfinite(bound) for pair in numbers.values() for bound in pair):
        return _invalid("not_finite")
    if any(low > high for low, high in numbers.values()):
        return _invalid("reversed")
    return Estimate("feasible", {name: Interval(*pair) for name, pair in numbers.items()})


def _number(text: str) -> float:
    """The number, as an int where it is written as one that a float holds exactly."""
    value = float(text)
    return int(value) if "." not in text and value < 2**53 else value


def _invalid(reason: InvalidReason) -> Estimate:
    return Estimate("invalid", reason=reason)
