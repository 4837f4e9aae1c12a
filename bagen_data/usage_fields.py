"""The fields of a usage object: which counts a mapping has read, and what is left over."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.usage import Request

MOST = 10**12
"""The most tokens of one count: sums of it stay exact in the floats of tables."""
MODALITIES = ("audio", "text", "image", "video", "document", "file")
"""What providers break a count down into: parts of it, never more."""

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
        self._usage = usage
        self._known: set[str] = set()
        self._known_objects: tuple[str, ...] = ()

    def has(self, *paths: str) -> bool:
        """Return whether a value stands under one of the paths."""
        return any(self._value(path) is not None for path in paths)

    def count(self, *paths: str) -> int:
        """Return the count that stands under any of the paths, else 0; all become known.

        Raises:
            RolloutError: two paths hold counts that differ, and neither is 0.
        """
        counts = {path: number for path in paths if (number := self._count(path))}
        if len(set(counts.values())) > 1:
            stated = ", ".join(f"{path} = {number}" for path, number in counts.items())
            raise RolloutError(f"usage has {stated}; expected the same number under both names")
        return next(iter(counts.values()), 0)

    def needed(self, *paths: str) -> int:
        """Return the count that stands under any of the paths; all become known.

        Raises:
            RolloutError: no path has one, or two hold counts that differ.
        """
        if not self.has(*paths):
            raise RolloutError(
                f"usage has no {' or '.join(paths)}; expected a whole number >= 0, "
                f"and it holds {', '.join(map(str, self._usage)) or 'nothing'}"
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
        self._known.update(f"{path}.{part}_tokens" for path in paths for part in MODALITIES)

    def ignore(self, *paths: str) -> None:
        """Name counts that are part of others, or count no tokens of the model."""
        self._known.update(paths)

    def ignore_below(self, *paths: str) -> None:
        """Name objects whose counts are all repeated elsewhere in the usage object."""
        self._known_objects += tuple(f"{path}." for path in paths)

    def refuse_unknown(self, shape: str) -> None:
        """Refuse counts that nobody has read.

        Raises:
            RolloutError: one is not 0.
        """
        for path, value in counting_fields(self._usage):
            is_known = path in self._known or path.startswith(self._known_objects)
            if value and not is_known:
                raise RolloutError(
                    f"usage has {path} = {brief(value)}, which {shape} usage is not known to "
                    "count; expected known counts only, as it may be part of the others or not"
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
        details = self._usage.get("cost_details")
        if self._usage.get("is_byok") is True:
            upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
            fee = self._usage.get("cost")
            return _dollars(fee) + _dollars(upstream) if _is_cost(fee, upstream) else None
        cost = self._usage.get("cost")
        whole = cost.get("total_cost") if isinstance(cost, Mapping) else cost
        stated = (self._usage.get("cost_usd"), whole, self._usage.get("total_cost"))
        return next((_dollars(number) for number in stated if _is_cost(number)), None)

    def _count(self, path: str) -> int | None:
        self._known.add(path)
        value = self._value(path)
        return None if value is None else whole_number(value, path)

    def _value(self, path: str) -> Any:
        value: Any = self._usage
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


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


def counting_fields(value: Any, path: str = "", counts: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the numbers below a value whose path names tokens, lists left out.

    >>> list(counting_fields({"input_tokens": 5, "cache": {"read": 3}, "input_tokens_cost": 0.1}))
    [('input_tokens', 5), ('cache.read', 3)]
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = str(key)
            if not _NOT_COUNTING.search(name):
                is_count = counts or _COUNTING.search(name) is not None
                yield from counting_fields(inner, f"{path}.{name}" if path else name, is_count)
    elif counts and (type(value) in (int, float) or _is_number_text(value)):
        yield path, value


def _is_number_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip().isdecimal()
