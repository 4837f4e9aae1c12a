"""The fields of a usage object: which counts a mapping has read, and what is left over."""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.usage import Request

MOST = 10**12
"""The most tokens of one count: sums of it stay exact in the floats of tables."""
MODALITIES = ("audio", "text", "image", "video", "document", "file")
"""Modalities that providers break a count down into: parts of it, never more."""

_COSTS = ("cost", "cost_usd", "total_cost")
_PARTS = frozenset(f"{modality}_tokens" for modality in MODALITIES)
_COUNTING = re.compile("token|cache|reasoning|thinking|thought", re.IGNORECASE)
"""Names of fields whose numbers count tokens, and those of all fields below them."""
_NOT_COUNTING = re.compile(
    r"cost|price|usd|discount|duration|seconds?$|time$|_ms$|rate$|speed|per_second", re.IGNORECASE
)
"""Names of fields whose numbers are money, time or speed."""


class Counts(NamedTuple):
    """A request's tokens in normal form."""

    read: int
    """The whole input."""
    written: int
    """The output, reasoning included."""
    reasoning: int = 0
    """The part of the output that is not replayed."""
    cached: int = 0
    """The part of the input that a cache served."""
    cache_write: int = 0
    """The part of the input that was written to a cache."""


class UsageFields:
    """A usage object's counts, and which of them a mapping has read.

    Args:
        usage: the object; null values count nothing.
    """

    def __init__(self, usage: Mapping[str, Any]) -> None:
        self.usage = usage
        self._values, self.counting = _flat(usage)
        self._unread = {path: value for path, value in self.counting if value}
        """Counts that no mapping has read yet."""

    @classmethod
    def of(cls, usage: "Mapping[str, Any] | UsageFields") -> "UsageFields":
        """Return the fields of a usage object; fields stay as they are."""
        return usage if isinstance(usage, UsageFields) else cls(usage)

    def has(self, *paths: str) -> bool:
        """Return whether a value stands under one of the paths."""
        return not self._values.keys().isdisjoint(paths)

    def count(self, *paths: str) -> int:
        """Return the count that stands under any of the paths, else 0; all become known.

        Raises:
            RolloutError: two paths hold counts that differ, and neither is 0.
        """
        stated, name = 0, ""
        for path in paths:
            if path in self._values:
                self._unread.pop(path, None)
                number = whole_number(self._values[path], path)
                if stated and number and number != stated:
                    raise RolloutError(
                        f"usage has {name} = {stated}, {path} = {number}; expected the same number "
                        "under both names"
                    )
                stated, name = (number, path) if number else (stated, name)
        return stated

    def needed(self, *paths: str) -> int:
        """Return the count that stands under any of the paths; all become known.

        Raises:
            RolloutError: no path has one, or two hold counts that differ.
        """
        if not self.has(*paths):
            raise RolloutError(
                f"usage has no {' or '.join(paths)}; expected a whole number >= 0, "
                f"and it holds {', '.join(map(str, self.usage)) or 'nothing'}"
            )
        return self.count(*paths)

    def reasoning_apart(
        self, read: int, written: int, reasoning: int, total: str = "total_tokens"
    ) -> int:
        """Return the reasoning that the stated total shows to be no part of the output.

        xAI and some gateways count so, and Inspect and LangChain pass on what they state.
        """
        return reasoning if self.count(total) == read + written + reasoning else 0

    def parts(self, *paths: str) -> None:
        """Name objects whose counts break another count down by modality."""
        for unread in [*self._unread] if self._unread else ():
            path, _, part = unread.rpartition(".")
            if path in paths and part in _PARTS:
                del self._unread[unread]

    def ignore(self, *paths: str) -> None:
        """Name counts that are part of others, or count no tokens of the model."""
        for path in paths:
            self._unread.pop(path, None)

    def ignore_below(self, *paths: str) -> None:
        """Name objects whose counts are all repeated elsewhere in the usage object."""
        below = tuple(f"{path}." for path in paths)
        for unread in [*self._unread]:
            if unread.startswith(below):
                del self._unread[unread]

    def refuse_unknown(self, shape: str) -> None:
        """Refuse counts that nobody has read.

        Raises:
            RolloutError: one is not 0.
        """
        for path, value in self._unread.items():
            raise RolloutError(
                f"usage has {path} = {brief(value)}, which {shape} usage is not known to count; "
                "expected known counts only, as it may be part of the others or not"
            )

    def request(self, shape: str, counts: Counts, total: str) -> Request:
        """Return the request, once all counts are known and the total agrees.

        Args:
            shape: the usage object's kind.
            counts: the normal form.
            total: the path of the stated total.

        Raises:
            RolloutError: a count is left over, or the total is another.
        """
        read, written, reasoning, cached, cache_write = counts
        stated = self.count(total) if self.has(total) else None
        if self._unread:
            self.refuse_unknown(shape)
        if stated is not None and stated != read + written:
            raise RolloutError(
                f"usage states a total of {stated} tokens; expected {read + written}, the "
                f"input of {read} and the output of {written} of {shape} usage"
            )
        if cached + cache_write > read:
            raise RolloutError(
                f"usage states {cached + cache_write} cached tokens; expected at most {read}, the "
                f"input of {shape} usage"
            )
        return Request(
            read,
            written,
            visible_tokens=written - reasoning,
            shape=shape,
            cached_tokens=cached,
            cache_write_tokens=cache_write,
            cost_usd=self.cost(),
        )

    def cost(self) -> float | None:
        """Return the stated price in dollars; None where there is none.

        OpenRouter's `cost` of a request with the user's own key is its fee alone, and the
        provider's price stands beside it.
        """
        if self._values.keys().isdisjoint(_COSTS):
            return None
        details = self.usage.get("cost_details")
        if self.usage.get("is_byok") is True:
            upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
            fee = self.usage.get("cost")
            return _dollars(fee) + _dollars(upstream) if _is_cost(fee, upstream) else None
        cost = self.usage.get("cost")
        whole = cost.get("total_cost") if isinstance(cost, Mapping) else cost
        stated = (self.usage.get("cost_usd"), whole, self.usage.get("total_cost"))
        return next((_dollars(number) for number in stated if _is_cost(number)), None)


def _is_cost(*values: Any) -> bool:
    return all(
        type(value) in (int, float) and math.isfinite(value) and value >= 0 for value in values
    )


def _dollars(cost: Any) -> float:
    return float(cost)


def whole_number(value: Any, name: str) -> int:
    """Return a whole number of tokens, 0 to 10^12.

    Raises:
        RolloutError: the value is not one.

    >>> whole_number(412.0, "input_tokens")
    412
    """
    if type(value) is int and 0 <= value <= MOST:
        return value
    is_number = type(value) in (int, float) and float(value).is_integer()
    if not is_number or not 0 <= value <= MOST:
        raise RolloutError(
            f"{name} is {brief(value)}; expected a whole number >= 0 and at most 10^12"
        )
    return int(value)


def brief(value: Any) -> str:
    """Return a value as an error message shows it: JSON, at most 60 characters.

    >>> brief(None)
    'null'
    """
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value))
    return text if len(text) <= 60 else text[:57] + "..."


def counting_fields(usage: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the numbers of a usage object whose path names tokens, lists left out.

    >>> counting_fields({"input_tokens": 5, "cache": {"read": 3}, "input_tokens_cost": 0.1})
    [('input_tokens', 5), ('cache.read', 3)]
    """
    return _flat(usage)[1]


def _flat(usage: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return a usage object's values by path, null ones left out, and its counts of tokens."""
    values: dict[str, Any] = {}
    counting: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Mapping[str, Any], bool, bool]] = [("", usage, False, True)]
    for prefix, part, counts, may_count in waiting:
        for key, value in part.items():
            if value is None:
                continue
            name = str(key)
            values[prefix + name] = value
            is_count, is_money_or_time = _meaning(name)
            may = may_count and not is_money_or_time
            if isinstance(value, dict):
                waiting.append((f"{prefix}{name}.", value, counts or is_count, may))
            elif may and (counts or is_count) and _is_number(value):
                counting.append((prefix + name, value))
    return values, counting


@lru_cache(maxsize=4096)
def _meaning(name: str) -> tuple[bool, bool]:
    """Return whether a field's name speaks of tokens, and whether it speaks of money or time."""
    return _COUNTING.search(name) is not None, _NOT_COUNTING.search(name) is not None


def _is_number(value: Any) -> bool:
    """Return whether a value is a number, also one that is written as text."""
    return type(value) in (int, float) or (isinstance(value, str) and value.strip().isdecimal())
