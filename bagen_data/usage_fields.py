"""The fields of a usage object: which counts a mapping has read, and what is left over."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from bagen_data.errors import RolloutError
from bagen_data.usage import Request

MOST = 10**12
"""The most tokens of one count: sums of it stay exact in the floats of tables."""
MODALITIES = ("audio", "text", "image", "video", "document", "file")
"""Modalities that providers break a count down into: parts of it, never more."""

MOST_PRICE = 1_000_000
"""The highest price of a request in dollars, far above any that was paid."""

_COSTS = ("cost_usd", "cost", "total_cost")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
"""Texts that are a number."""
_PARTS = frozenset(f"{modality}_tokens" for modality in MODALITIES)
_COUNTING = re.compile("token|cache|reasoning|thinking|thought", re.IGNORECASE)
"""Names of fields whose numbers count tokens, and those of all fields below them."""
_COUNT = re.compile(r"\w(tokens?(_?details)?|token_?count)$", re.IGNORECASE)
"""Names of fields that hold nothing but counts of tokens."""
_NOT_COUNTING = re.compile(
    r"cost|price|usd|discount|duration|seconds?$|time$|_ms$|rate$|speed|per_second", re.IGNORECASE
)
"""Names of fields whose numbers are money, time or speed."""


Answer = TypeVar("Answer")


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


class Roles:
    """The roles of the counts of a usage object, two or more.

    Args:
        paths: for each role, the paths under which its count may stand.
    """

    def __init__(self, *paths: tuple[str, ...]) -> None:
        self.paths = paths


class _RolePlaces(NamedTuple):
    """Places of the counts of roles in usage objects of one layout."""

    by_role: tuple[tuple[tuple[str, int], ...], ...]
    """Paths of each role that hold a value, and the places of their values."""
    others: tuple[tuple[str, int], ...]
    """Paths of numbers that count tokens and have none of the roles, and their places."""
    plain: Callable[[Sequence[Any]], tuple[int, ...]] | None
    """Takes the values and a 0 behind them, and returns the number of each role, that 0 where it
    has none; None where a role has several numbers, or one that is not an integer, or where texts
    may count."""


class _Layout:
    """Places of values in usage objects that have the same keys and types of values.

    Args:
        structure: the type of each value, those of inner objects after those around them; then the
            keys of the object, and those of each object in it in the order of their values.
    """

    def __init__(self, structure: tuple[tuple[Any, ...], ...]) -> None:
        kinds, *objects = structure
        self._kinds = kinds
        inner = [place for place, kind in enumerate(kinds) if issubclass(kind, dict)]
        self._inner = tuple(zip(inner, objects[1:], strict=True))
        """The place of each object in a usage object, and the object's keys."""
        self.names = frozenset(
            name for name, kind in zip(objects[0], kinds, strict=False) if kind is not type(None)
        )
        """Keys of the usage object itself whose values are not null."""
        self.numbers: list[tuple[str, int]] = []
        """Paths that count tokens and hold a number, and the places of their values."""
        self.others: list[tuple[str, int]] = []
        """Paths that count tokens and hold a text, a truth value or a list, which may count."""
        self.answers: dict[Callable[[UsageFields], Any], Any] = {}
        """Answers to questions that depend on the layout alone."""
        self._places: dict[str, int] = {}
        """The place of each value that is not null, by its path."""
        self._present: dict[tuple[str, ...], tuple[tuple[str, int], ...]] = {}
        self._roles: dict[Roles, _RolePlaces] = {}
        waiting = [("", False, True)]
        first = 0
        for (prefix, counts, may_count), names in zip(waiting, objects, strict=True):
            for place, name in enumerate(names, first):
                kind = kinds[place]
                path = f"{prefix}{name}"
                is_count, is_money_or_time = _meaning(str(name))
                may = may_count and not is_money_or_time
                if kind is not type(None):
                    self._places[path] = place
                if issubclass(kind, dict):
                    waiting.append((f"{path}.", counts or is_count, may))
                elif may and (counts or is_count):
                    self.numbers += [(path, place)] if kind in (int, float) else []
                    self.others += [(path, place)] if issubclass(kind, str | bool | list) else []
            first += len(names)
        self.counted = frozenset(path for path, _ in self.numbers)

    def values_of(self, usage: Mapping[str, Any]) -> list[Any] | None:
        """Return the values of a usage object with the layout's keys; None if it has another one.

        Args:
            usage: the object, of whose own keys it is known that they are the layout's.
        """
        values = [*usage.values()]
        for place, names in self._inner:
            value = values[place]
            if not isinstance(value, dict) or tuple(value) != names:
                return None
            values += value.values()
        return values if tuple(map(type, values)) == self._kinds else None

    def find(self, paths: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
        """Return those of the paths that hold a value, and the places of their values."""
        present = self._present.get(paths)
        if present is None:
            places = self._places
            present = tuple((path, places[path]) for path in paths if path in places)
            self._present[paths] = present
        return present

    def find_roles(self, roles: Roles) -> _RolePlaces:
        """Return where the counts of the roles stand, and the counts that have none of them."""
        places = self._roles.get(roles)
        if places is None:
            known = {path for paths in roles.paths for path in paths}
            by_role = tuple(map(self.find, roles.paths))
            is_plain = not self.others and all(
                len(present) <= 1 and all(self._kinds[place] is int for _, place in present)
                for present in by_role
            )
            firsts = [present[0][1] if present else -1 for present in by_role]
            places = self._roles[roles] = _RolePlaces(
                by_role,
                tuple((path, place) for path, place in self.numbers if path not in known),
                itemgetter(*firsts) if is_plain else None,
            )
        return places


_MOST_CACHED = 100
"""Values of a usage object whose layout is kept: the next object is likely to have it, too."""
_MOST_KEPT = 256
"""Layouts that are kept."""
_kept_layout = lru_cache(_MOST_KEPT)(_Layout)
_latest_layouts: dict[tuple[str, ...], _Layout] = {}
"""The layout of the latest usage object with some keys, by the keys."""


def _laid_out(usage: Mapping[str, Any]) -> tuple[_Layout, list[Any]]:
    """Return the layout of a usage object, and the values in the order of the layout."""
    keys = tuple(usage)
    latest = _latest_layouts.get(keys)
    if latest is not None:
        values = latest.values_of(usage)
        if values is not None:
            return latest, values
    values = [*usage.values()]
    objects = [keys]
    for value in values:  # which grows by the values of each object in it
        if isinstance(value, dict):
            objects.append(tuple(value))
            values += value.values()
    structure = (tuple(map(type, values)), *objects)
    if len(values) > _MOST_CACHED:
        return _Layout(structure), values
    if len(_latest_layouts) >= _MOST_KEPT:
        _latest_layouts.clear()
    layout = _latest_layouts[keys] = _kept_layout(structure)
    return layout, values


class UsageFields:
    """A usage object's counts, and which of them a mapping has read.

    Args:
        usage: the object; null values count nothing.
    """

    def __init__(self, usage: Mapping[str, Any]) -> None:
        self.usage = usage
        self._layout, values = _laid_out(usage)
        self._values = [*values, 0]
        """The values where the layout has them, and behind them the count of what is not there."""
        self._unread_counts: dict[str, Any] | None = None

    @property
    def _unread(self) -> dict[str, Any]:
        """Counts that no mapping has read yet."""
        if self._unread_counts is None:
            values = self._values
            numbers = self._layout.numbers
            self._unread_counts = {path: values[at] for path, at in numbers if values[at]}
            self._unread_counts.update(self._counting_others())
        return self._unread_counts

    @classmethod
    def of(cls, usage: "Mapping[str, Any] | UsageFields") -> "UsageFields":
        """Return the fields of a usage object; fields stay as they are."""
        return usage if isinstance(usage, UsageFields) else cls(usage)

    @property
    def names(self) -> frozenset[str]:
        """The keys of the usage object whose values are not null."""
        return self._layout.names

    def of_layout(self, ask: "Callable[[UsageFields], Answer]") -> Answer:
        """Return the answer to a question that names, and types of values, decide alone.

        Args:
            ask: the question, which is asked once of all usage objects with the same of both.
        """
        answers = self._layout.answers
        if ask not in answers:
            answers[ask] = ask(self)
        answer: Answer = answers[ask]
        return answer

    def counted(self) -> frozenset[str]:
        """Return the paths that name tokens and hold a number, or what may stand for one.

        >>> usage = {"input_tokens": 5, "cache": {"read": "3"}, "input_tokens_cost": 0.1}
        >>> sorted(UsageFields(usage).counted())
        ['cache.read', 'input_tokens']
        """
        if not self._layout.others:
            return self._layout.counted
        return self._layout.counted.union(path for path, _ in self._counting_others())

    def _counting_others(self) -> list[tuple[str, Any]]:
        """Return what may count among the texts, truth values and lists that name tokens."""
        others = ((path, self._values[place]) for path, place in self._layout.others)
        return [(path, value) for path, value in others if _may_count(path, value)]

    def has(self, *paths: str) -> bool:
        """Return whether a value stands under one of the paths."""
        return bool(self._layout.find(paths))

    def count(self, *paths: str) -> int:
        """Return the count that stands under any of the paths, else 0; all become known.

        Raises:
            RolloutError: two paths hold counts that differ, and neither is 0.
        """
        stated, name = 0, ""
        for path, place in self._layout.find(paths):
            self._unread.pop(path, None)
            number = whole_number(self._values[place], path)
            if stated and number and number != stated:
                raise RolloutError(
                    f"usage has {name} = {stated}, {path} = {number}; expected the same number "
                    "under both names"
                )
            stated, name = (number, path) if number else (stated, name)
        return stated

    def counts(self, roles: Roles) -> tuple[int, ...]:
        """Return the count of each role, as `count` of its paths does.

        Raises:
            RolloutError: two paths of a role hold counts that differ, and neither is 0.
        """
        by_role, others, plain = self._layout.find_roles(roles)
        if plain is not None and self._unread_counts is None:
            values = self._values
            numbers = plain(values)
            if min(numbers) >= 0 and max(numbers) <= MOST:
                self._unread_counts = {path: values[at] for path, at in others if values[at]}
                return numbers
        return tuple([self.count(*(path for path, _ in present)) for present in by_role])

    def whole_or_parts(self, whole: int, paths: Sequence[str]) -> int:
        """Return a count that parts break down; where it is 0, the sum of the parts.

        Args:
            whole: the count, 0 if it is not stated.
            paths: the paths of its parts, which become known.

        Raises:
            RolloutError: both are stated, and they differ.
        """
        parts = sum(self.count(path) for path in paths)
        if whole and parts and whole != parts:
            raise RolloutError(
                f"usage has {' + '.join(paths)} = {parts}; expected {whole}, the count that they "
                "are parts of"
            )
        return whole or parts

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

    def has_unread(self) -> bool:
        """Return whether a mapping has left counts over."""
        return bool(self._unread)

    def parts(self, whole: int, *paths: str) -> None:
        """Name objects whose counts break another count down by modality.

        Raises:
            RolloutError: a part is more than the whole.
        """
        names = (unread.rpartition(".") for unread in self._unread)
        parts = [f"{path}.{part}" for path, _, part in names if path in paths and part in _PARTS]
        self.ignore_part(whole, *parts)

    def ignore_part(self, whole: int, *paths: str) -> None:
        """Name counts that are part of another.

        Raises:
            RolloutError: a part is more than the whole.
        """
        for path in paths:
            part = whole_number(self._unread.pop(path, 0), path)
            if part > whole:
                raise RolloutError(
                    f"usage has {path} = {part}; expected at most {whole}, the count that it is "
                    "part of"
                )

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

    def request(self, shape: str, counts: Counts, total: str, stated: int | None = None) -> Request:
        """Return the request, once all counts are known and the total agrees.

        Args:
            shape: the usage object's kind.
            counts: the normal form.
            total: the path of the stated total.
            stated: the count there; it is read if None.

        Raises:
            RolloutError: a count is left over, or the total is another.
        """
        read, written, reasoning, cached, cache_write = counts
        if stated is None:
            stated = self.count(total)
        if self._unread:
            self.refuse_unknown(shape)
        if stated != read + written and self.has(total):
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
        provider's price stands beside it. A price of 0 gives way to another: clients write it where
        they know none.

        Raises:
            RolloutError: a price is not an amount of dollars, or two differ.
        """
        present = self._layout.find(_COSTS)
        if not present:
            return None
        details = self.usage.get("cost_details")
        if self.usage.get("is_byok") is True:
            upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
            fee = stated_price(self.usage.get("cost"), "cost")
            charged = stated_price(upstream, "cost_details.upstream_inference_cost")
            return None if fee is None or charged is None else fee + charged
        stated: dict[str, float] = {}
        for name, place in present:
            value = self._values[place]
            whole = value.get("total_cost") if isinstance(value, Mapping) else value
            price = stated_price(whole, name)
            if price is not None:
                stated[name] = price
        known = {name: price for name, price in stated.items() if price} or stated
        if len(known) > 1 and not _is_close(min(known.values()), max(known.values())):
            both = ", ".join(f"{name} = {price}" for name, price in known.items())
            raise RolloutError(
                f"usage has {both}; expected one price of the request; leave out what is another"
            )
        return next(iter(known.values()), None)


def reasoning_apart(total: int, read: int, written: int, reasoning: int) -> int:
    """Return the reasoning that the stated total shows to be no part of the output.

    xAI and some gateways count so, and Inspect and LangChain pass on what they state.
    """
    return reasoning if total == read + written + reasoning else 0


def _may_count(path: str, value: Any) -> bool:
    """Return whether a text, a truth value or a list under a name of tokens may be a count.

    Gemini's lists of parts by modality repeat other counts.
    """
    is_count = _COUNT.search(path) is not None
    if isinstance(value, str):
        text = value.strip().replace(",", "")
        holds_digit = is_count and re.search(r"\d", text) is not None
        return holds_digit or _NUMBER.fullmatch(text) is not None
    if isinstance(value, list):
        return is_count and any(map(_is_or_holds_number, value))
    return is_count and value is True


def _is_or_holds_number(value: Any) -> bool:
    values = value.values() if isinstance(value, Mapping) and "modality" not in value else (value,)
    return any(type(each) in (int, float) and each for each in values)


def _is_close(low: float, high: float) -> bool:
    """Return whether two prices are the same but for rounding."""
    return math.isclose(low, high, rel_tol=1e-3, abs_tol=1e-6)


def stated_price(value: Any, name: str) -> float | None:
    """Return a price in dollars; None where the value states none.

    Raises:
        RolloutError: it is a number that is not a price, or a text that is a number.

    >>> stated_price(0.5, "cost"), stated_price(None, "cost"), stated_price("unknown", "cost")
    (0.5, None, None)
    """
    is_number = type(value) in (int, float)
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    if is_text or (is_number and not 0 <= value <= MOST_PRICE):
        raise RolloutError(
            f"{name} is {brief(value)}; expected a number of US dollars, 0 to {MOST_PRICE}, or "
            "null where the price is unknown"
        )
    return float(value) if is_number else None


def whole_number(value: Any, name: str) -> int:
    """Return a whole number of tokens, 0 to 10^12.

    Raises:
        RolloutError: the value is not one.

    >>> whole_number(412.0, "input_tokens")
    412
    """
    if type(value) is int and 0 <= value <= MOST:
        return value
    if type(value) is not float or not value.is_integer() or not 0 <= value <= MOST:
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


@lru_cache(maxsize=4096)
def _meaning(name: str) -> tuple[bool, bool]:
    """Return whether a field's name speaks of tokens, and whether it speaks of money or time."""
    return _COUNTING.search(name) is not None, _NOT_COUNTING.search(name) is not None
