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
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from bagen_data.errors import InputError
from bagen_data.schema import WAREHOUSE, Estimate, Interval, InvalidReason, Verdict

_THINK_END, _OPEN, _CLOSE = b"</think>", b"<answer>", b"</answer>"
_WAREHOUSE = tuple(resource.name for resource in WAREHOUSE)

_NUMBER = rb"[0-9]+(?:\.[0-9]+)?"
_ENDLESS = rb"(?i:[+-]?(?:inf(?:inity)?|nan))"
_BOUND = _NUMBER + b"|" + _ENDLESS
_INTERVAL = rb"\[\s*(%b)\s*,\s*(%b)\s*\]" % (_BOUND, _BOUND)
_LABEL = rb"[a-z][a-z0-9_]*"

_SCALAR = re.compile(
    rb"(?:%b\s*:\s*)?(?:%b|\[\s*(?:%b)\s*\])" % (_LABEL, _BOUND, _BOUND), re.IGNORECASE
)
_BARE = re.compile(_INTERVAL)
_LABELLED = re.compile(rb"(%b)\s*:\s*%b" % (_LABEL, _INTERVAL))
_SEPARATOR = re.compile(rb"\s*,\s*")
_SPACE = b" \t\n\r\f\v"

Reading = tuple[Verdict, InvalidReason | Literal[""], dict[str, tuple[float, float]]]


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
    verdict, reason, bounds = read(text.encode("utf-8", "surrogatepass"), resources)
    intervals = {
        name: Interval(_plain_number(low), _plain_number(high))
        for name, (low, high) in bounds.items()
    }
    return Estimate(verdict, intervals, reason)


def read(text: bytes, resources: Sequence[str] | None) -> Reading:
    """What `parse` makes an estimate of, from UTF-8: the grammar is ASCII, so bytes will do."""
    content = _answer_content(text)
    if content is None:
        return _invalid("no_answer")
    if content.lower() == b"impossible":
        return "infeasible", "", {}
    bare = _BARE.fullmatch(content)
    if resources is None:
        resources = ("tokens",) if bare else _WAREHOUSE
    if bare:
        if len(resources) > 1:
            return _invalid("missing_resource")
        return _checked({resources[0]: bare.groups()})
    if _SCALAR.fullmatch(content):
        return _invalid("scalar")
    return _read_labelled(content, resources)


def answer_in(text: str) -> str | None:
    """What the last whole answer after the last thought encloses, stripped; None without one.

    It need not be an estimate: agents answer their environments in the same tags.

    >>> answer_in("<think><answer>Up</answer>?</think> No: <answer> Down </answer>")
    'Down'
    >>> answer_in("Down")
    """
    content = _answer_content(text.encode("utf-8", "surrogatepass"))
    return None if content is None else content.decode("utf-8", "surrogatepass").strip()


def check_resource_name(name: str) -> None:
    """A resource is called by a label of the grammar.

    Raises:
        InputError: this is not one.
    """
    if not re.fullmatch(_LABEL, name.encode("utf-8", "surrogatepass")):
        raise InputError(
            f"resource {name!r}: expected a lower-case letter, then letters, digits and _"
        )


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


def grammar(resources: Sequence[str], variant: Literal["think", "no_think"]) -> str:
    """The answer grammar as a regular expression, for decoders that can be held to one.

    Numbers have at most twelve digits before the point and six after it, so that a number ends.

    Args:
        resources: what the answer must name, in this order.
        variant: `think` begins with a `<think>`, which holds no `<`; `no_think` has none.

    >>> bool(re.fullmatch(grammar(["tokens"], "no_think"), "<answer>[600, 900.5]</answer>"))
    True
    """
    number = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?"
    interval = rf"\[{number}, {number}\]"
    labelled = ", ".join(f"{name}:{interval}" for name in resources)
    think = "<think>[^<]+</think> " if variant == "think" else ""
    return f"{think}<answer>({interval if len(resources) == 1 else labelled}|impossible)</answer>"


def plain(amount: float) -> str:
    """A finite number in plain decimals: no exponent, no separator, whole numbers without a point.

    >>> plain(1721.0), plain(0.1), plain(1e-7)
    ('1721', '0.1', '0.0000001')
    """
    if isinstance(amount, int) or amount.is_integer():
        return str(int(amount))
    return format(Decimal(repr(float(amount))), "f")


def readable(amount: float) -> str:
    """A finite number as tables show it: separated thousands, and at most six decimals.

    >>> readable(21711.0), readable(0.1 + 0.2)
    ('21,711', '0.3')
    """
    return f"{amount:,.6f}".rstrip("0").rstrip(".")


def _read_labelled(content: bytes, resources: Sequence[str]) -> Reading:
    pairs = _labelled(content)
    bounds = dict(pairs)
    if not pairs or len(bounds) < len(pairs):
        return _invalid("malformed")
    if not bounds.keys() <= set(resources):
        return _invalid("unknown_resource")
    if len(resources) == 1:
        return _invalid("malformed")
    if len(bounds) < len(resources):
        return _invalid("missing_resource")
    return _checked({name: bounds[name] for name in resources})


def _answer_content(text: bytes) -> bytes | None:
    """What the last `<answer>...</answer>` after the last `</think>` encloses."""
    folded = text.lower()  # of bytes: ASCII letters only
    start = max(0, folded.rfind(_THINK_END))
    last_close = folded.rfind(_CLOSE, start)
    opening = folded.rfind(_OPEN, start, max(last_close, 0))
    if opening < 0:
        return None
    closing = folded.find(_CLOSE, opening)
    return text[opening + len(_OPEN) : closing].strip(_SPACE)


def _labelled(content: bytes) -> list[tuple[str, tuple[bytes, bytes]]]:
    """(label, (low, high)) pairs; nothing at all if the content is not a list of them."""
    pairs = []
    position = 0
    while match := _LABELLED.match(content, position):
        pairs.append((match[1].decode(), (match[2], match[3])))
        if match.end() == len(content):
            return pairs
        separator = _SEPARATOR.match(content, match.end())
        if not separator:
            break
        position = separator.end()
    return []


def _checked(texts: Mapping[str, Sequence[bytes]]) -> Reading:
    bounds = {name: (float(low), float(high)) for name, (low, high) in texts.items()}
    if not all(math.isfinite(bound) for pair in bounds.values() for bound in pair):
        return _invalid("not_finite")
    if any(low > high for low, high in bounds.values()):
        return _invalid("reversed")
    return "feasible", "", bounds


def _plain_number(value: float) -> float:
    """The same number, as an int where it is a whole one that a float holds exactly."""
    return int(value) if value.is_integer() and value < 2**53 else value


def _invalid(reason: InvalidReason) -> Reading:
    return "invalid", reason, {}
