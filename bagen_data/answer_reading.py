"""Read an answer's bytes: the parser of `bagen_data.answers`, whose docstring has the grammar."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from bagen_data.schema import (
    FINISH_THRESHOLD,
    QUANTILE_LEVELS,
    WAREHOUSE,
    InvalidReason,
    Question,
    Verdict,
)

_THINK_END, _OPEN, _CLOSE = b"</think>", b"<answer>", b"</answer>"
_WAREHOUSE = tuple(resource.name for resource in WAREHOUSE)
PROBABILITIES = ("finish", "success")
"""Labels of a forecast that no resource may have."""

_NUMBER = rb"[0-9]+(?:\.[0-9]+)?"
_ENDLESS = rb"(?i:[+-]?(?:inf(?:inity)?|nan))"
_AMOUNT = b"(?:" + _NUMBER + b"|" + _ENDLESS + b")"
_INTERVAL = rb"\[\s*%b\s*,\s*%b\s*\]" % (_AMOUNT, _AMOUNT)
_QUANTILES = rb"\[\s*%b\s*\]" % rb"\s*,\s*".join([_AMOUNT] * len(QUANTILE_LEVELS))
LABEL = rb"[a-z][a-z0-9_]*"

_SCALAR = re.compile(
    rb"(?:%b\s*:\s*)?(?:%b|\[\s*%b\s*\])" % (LABEL, _AMOUNT, _AMOUNT), re.IGNORECASE
)
_BARE: Mapping[Question, re.Pattern[bytes]] = {
    "interval": re.compile(_INTERVAL),
    "point": re.compile(_AMOUNT),
}
_LABELLED: Mapping[Question, re.Pattern[bytes]] = {
    "interval": re.compile(rb"(%b)\s*:\s*(%b)" % (LABEL, _INTERVAL)),
    "point": re.compile(rb"(%b)\s*:\s*(%b)" % (LABEL, _AMOUNT)),
    "forecast": re.compile(rb"(%b)\s*=\s*(%b|%b)" % (LABEL, _AMOUNT, _QUANTILES)),
}
_AMOUNTS = re.compile(_AMOUNT)
_SEPARATOR = re.compile(rb"\s*,\s*")
_SPACE = b" \t\n\r\f\v"


class AnswerNumbers(NamedTuple):
    """An answer in plain numbers, as columns take it."""

    verdict: Verdict
    reason: InvalidReason | Literal[""] = ""
    bounds: Mapping[str, tuple[float, float]] = {}
    """Bounds (low, high) by resource; empty unless the verdict is `feasible`."""
    finish: float = math.nan
    success: float = math.nan
    quantiles: Mapping[str, tuple[float, ...]] = {}
    """Quantiles by resource of a valid forecast; else empty, and the probabilities are NaN."""


def read(
    text: bytes, resources: Sequence[str] | None, question: Question = "interval"
) -> AnswerNumbers:
    """Read what `answers.parse` makes an estimate of, from UTF-8: the grammar is ASCII."""
    content = answer_content(text)
    if content is None:
        return _invalid("no_answer")
    if question == "forecast":
        return _read_forecast(content, resources or ("tokens",))
    if content.lower() == b"impossible":
        return AnswerNumbers("infeasible")
    return _read_amounts(content, resources, question)


def _read_amounts(
    content: bytes, resources: Sequence[str] | None, question: Question
) -> AnswerNumbers:
    is_bare = _BARE[question].fullmatch(content) is not None
    if resources is None:
        resources = ("tokens",) if is_bare else _WAREHOUSE
    if is_bare:
        if len(resources) > 1:
            return _invalid("missing_resource")
        return _checked({resources[0]: content})
    if question == "interval" and _SCALAR.fullmatch(content):
        return _invalid("scalar")
    return _read_labelled(content, resources, question)


def _read_labelled(content: bytes, resources: Sequence[str], question: Question) -> AnswerNumbers:
    pairs = _labelled(content, question)
    texts = dict(pairs)
    if not pairs or len(texts) < len(pairs):
        return _invalid("malformed")
    if not texts.keys() <= set(resources):
        return _invalid("unknown_resource")
    if len(resources) == 1:
        return _invalid("malformed")
    if len(texts) < len(resources):
        return _invalid("missing_resource")
    return _checked({name: texts[name] for name in resources})


def _read_forecast(content: bytes, resources: Sequence[str]) -> AnswerNumbers:
    if _SCALAR.fullmatch(content):
        return _invalid("scalar")
    pairs = _labelled(content, "forecast")
    amounts = {name: _amounts(text) for name, text in pairs}
    if len(amounts) < len(pairs):
        return _invalid("malformed")
    reason = _wrong_labels(amounts, resources) or _wrong_values(amounts)
    if reason:
        return _invalid(reason)
    (finish,), (success,) = (amounts[name] for name in PROBABILITIES)
    quantiles = {name: amounts[name] for name in resources}
    if finish < FINISH_THRESHOLD:
        return AnswerNumbers("infeasible", "", {}, finish, success, quantiles)
    ends = {name: (values[0], values[-1]) for name, values in quantiles.items()}
    return AnswerNumbers("feasible", "", ends, finish, success, quantiles)


def _wrong_labels(
    amounts: Mapping[str, tuple[float, ...]], resources: Sequence[str]
) -> InvalidReason | None:
    """Why a forecast does not give two probabilities, and five numbers for each resource."""
    sizes = dict.fromkeys(PROBABILITIES, 1) | dict.fromkeys(resources, len(QUANTILE_LEVELS))
    if not amounts.keys() <= sizes.keys():
        return "unknown_resource"
    if not amounts.keys() >= set(PROBABILITIES):
        return "malformed"
    if any(len(values) != sizes[name] for name, values in amounts.items()):
        return "malformed"
    return "missing_resource" if len(amounts) < len(sizes) else None


def _wrong_values(amounts: Mapping[str, tuple[float, ...]]) -> InvalidReason | None:
    """Why the numbers of a forecast cannot be."""
    if not all(math.isfinite(value) for values in amounts.values() for value in values):
        return "not_finite"
    finish, success = (amounts[name][0] for name in PROBABILITIES)
    if not finish <= success <= 1:
        return "incoherent"
    falls = any(low > high for values in amounts.values() for low, high in pairwise(values))
    return "unordered" if falls else None


def answer_content(text: bytes) -> bytes | None:
    """Return the content of the last `<answer>...</answer>` after the last `</think>`."""
    folded = text.lower()  # of bytes: ASCII letters only
    start = max(0, folded.rfind(_THINK_END))
    last_close = folded.rfind(_CLOSE, start)
    opening = folded.rfind(_OPEN, start, max(last_close, 0))
    if opening < 0:
        return None
    closing = folded.find(_CLOSE, opening)
    return text[opening + len(_OPEN) : closing].strip(_SPACE)


def _labelled(content: bytes, question: Question) -> list[tuple[str, bytes]]:
    """(label, text of its numbers) pairs; nothing at all if the content is not a list of them."""
    pairs = []
    position = 0
    while match := _LABELLED[question].match(content, position):
        pairs.append((match[1].decode(), match[2]))
        if match.end() == len(content):
            return pairs
        separator = _SEPARATOR.match(content, match.end())
        if not separator:
            break
        position = separator.end()
    return []


def _amounts(text: bytes) -> tuple[float, ...]:
    """The numbers of an interval, a point or a list of quantiles."""
    return tuple(map(float, _AMOUNTS.findall(text)))


def _checked(texts: Mapping[str, bytes]) -> AnswerNumbers:
    """Intervals, or points as intervals, if their numbers can be."""
    amounts = {name: _amounts(text) for name, text in texts.items()}
    bounds = {name: (each[0], each[-1]) for name, each in amounts.items()}
    if not all(math.isfinite(bound) for pair in bounds.values() for bound in pair):
        return _invalid("not_finite")
    if any(low > high for low, high in bounds.values()):
        return _invalid("reversed")
    return AnswerNumbers("feasible", "", bounds)


def _invalid(reason: InvalidReason) -> AnswerNumbers:
    return AnswerNumbers("invalid", reason)
