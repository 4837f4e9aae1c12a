"""The fields of a usage object: which counts a mapping has read, and what is left over."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.usage import Request

MOST = 10**12
"""The most tokens of one count: sums of it stay exact in the floats of tables."""
MODALITIES = ("audio", "text", "image", "video", "document", "file")
"""What providers break a count down into: parts of it, never more."""


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

    def parts(self, *paths: str) -> None:
        """Name objects whose counts break another count down by modality."""
        self._known.update(f"{path}.{part}_tokens" for path in paths for part in MODALITIES)

    def ignore(self, *paths: str) -> None:
        """Name counts that are part of others, or count no tokens of the model."""
        self._known.update(paths)

    def refuse_unknown(self, shape: str) -> None:
        """Refuse counts that nobody has read.

        Raises:
            RolloutError: one is not 0.
        """
        for path, value in counting_fields(self._usage):
            if path not in self._known and value:
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
            cost_usd=self._cost(),
        )

    def _cost(self) -> float | None:
        stated = [self._usage.get(name) for name in ("cost_usd", "cost", "total_cost")]
        numbers = [cost for cost in stated if isinstance(cost, int | float) and cost >= 0]
        return float(numbers[0]) if numbers else None

    def _count(self, path: str) -> int | None:
        self._known.add(path)
        value = self._value(path)
        return None if value is None else whole_number(value, path)

    def _value(self, path: str) -> Any:
        value: Any = self._usage
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


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
    """Yield the numbers below a value whose path names tokens, lists left out."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            names_tokens = counts or "token" in str(name).lower()
            yield from counting_fields(inner, f"{path}.{name}" if path else str(name), names_tokens)
    elif counts and type(value) in (int, float):
        yield path, value
