"""Fresh usage of each turn, from the token counts that a log gives.

A request's input repeats the whole history, so summing logged inputs counts early messages many
times over. *Fresh* usage leaves the replayed history out:

    visible_output_k = output_k - reasoning_k           reasoning tokens are not replayed
    fresh_input_1    = input_1                          the first request of a context
    fresh_input_k    = max(0, input_k - (input_{k-1} + visible_output_{k-1}))
    fresh_k          = fresh_input_k + output_k         k-1: the request before it in its context

Formulas: section 4 of the benchmark's specification (the BAGEN paper, 2026, section 3.4).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bagen_data.errors import RolloutError

Convention = Literal["request", "turn"]
"""The meaning of a log's input counts: `request` includes the replayed history, `turn` does not."""
CONVENTIONS: frozenset[Convention] = frozenset(get_args(Convention))
UsageChoice = Literal["auto", "request", "turn"]
"""A convention, or `auto`: decide it for a family whose counts are unanimous."""

BRANCH = " > "
"""Stands in a context's name between another context and its own name: it begins with what the
other one replayed at that point, as a rewound or forked conversation does."""

_WORDS_AND_MARKS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Request:
    """A request to a model in normal form, in tokens."""

    input_tokens: int
    """Everything the model was given, from a cache or not."""
    output_tokens: int
    """Everything it generated, reasoning included."""
    visible_tokens: int
    """The part of the output that later requests replay: output without reasoning."""
    context: str = ""
    """The growing conversation that the request belongs to; a compaction or a subagent begins
    another. `BRANCH` in its name makes it a branch of another."""
    shape: str = ""
    """The kind of usage object that the counts come from."""
    cached_tokens: int = 0
    """The part of the input that a cache served."""
    cache_write_tokens: int = 0
    """The part of the input that was written to a cache."""
    cost_usd: float | None = None
    """The price that the log states; None where it states none."""
    model: str = ""
    """The model that answered; empty where the log does not name it."""

    def __post_init__(self) -> None:
        if self.input_tokens < 0:
            raise RolloutError(f"input tokens are {self.input_tokens}; expected >= 0")
        if not 0 <= self.visible_tokens <= self.output_tokens:
            raise RolloutError(
                f"visible output is {self.visible_tokens} of {self.output_tokens} output tokens; "
                "expected 0 <= output - reasoning <= output"
            )


def words_and_marks(text: str) -> int:
    """Return the length of a text where there is no tokenizer: each word and each mark counts one.

    >>> words_and_marks("Push it up, twice.")
    6
    """
    return len(_WORDS_AND_MARKS.findall(text))


def visible_share(raw: str, parsed: str, output_tokens: int) -> int:
    """Visible output where a log has no reasoning breakdown but both texts of a response.

    The share is the parsed text's length over the raw text's, in words and marks, at most 1.

    >>> visible_share("<think>a b c</think> go left", "go left", 120)
    20
    """
    raw_length = words_and_marks(raw)
    if raw_length == 0:
        return output_tokens
    share = words_and_marks(parsed) / raw_length
    return round(output_tokens * min(1.0, share))


def fitting_conventions(requests: Sequence[Request]) -> frozenset[Convention]:
    """Return the conventions that bare counts of one rollout fit.

    They fit `request` if every input is at least the previous input of its context plus visible
    output, and `turn` if no input is. One request alone fits both; a mixture fits none.

    >>> sorted(fitting_conventions([Request(30, 50, 50), Request(90, 10, 10)]))
    ['request']
    >>> sorted(fitting_conventions([Request(30, 50, 50), Request(12, 10, 10)]))
    ['turn']
    """
    fits = []
    replayed: dict[str, int] = {}
    for request in requests:
        if request.context in replayed:
            fits.append(request.input_tokens >= replayed[request.context])
        replayed[request.context] = request.input_tokens + request.visible_tokens
    conventions: tuple[tuple[Convention, bool], ...] = (
        ("request", all(fits)),
        ("turn", not any(fits)),
    )
    return frozenset(name for name, is_fitting in conventions if is_fitting)


class ReplayedHistory:
    """The history that the next request of each context replays, in tokens.

    >>> replayed = ReplayedHistory()
    >>> replayed.growth([Request(100, 10, 10)]), replayed.growth([Request(130, 10, 10)])
    ([100], [20])
    """

    def __init__(self) -> None:
        self._replayed: dict[str, int] = {}

    def growth(self, requests: Sequence[Request]) -> list[int]:
        """Return what each input holds beyond the history, as `input_growth`, and keep its own."""
        replayed = self._replayed
        growth = []
        for request in requests:
            context, read = request.context, request.input_tokens
            known = replayed[context] if context in replayed else _history(replayed, context)
            growth.append(read - known)
            replayed[context] = read + request.visible_tokens
        return growth

    def copy(self) -> "ReplayedHistory":
        """Return the same history, to go on with apart."""
        same = ReplayedHistory()
        same._replayed = dict(self._replayed)
        return same


def input_growth(requests: Sequence[Request]) -> list[int]:
    """Return what each request's input holds beyond the replayed history of its context, in tokens.

    It is negative where an input is shorter than the history before it.

    >>> input_growth([Request(100, 10, 10), Request(150, 10, 10, context=" > rewound"),
    ...     Request(130, 10, 10)])
    [100, 40, 20]
    """
    return ReplayedHistory().growth(requests)


def _history(replayed: Mapping[str, int], context: str) -> int:
    """Return what a context replays by now; a branch begins with what its trunk replays."""
    while context not in replayed and BRANCH in context:
        context = context.rpartition(BRANCH)[0]
    return replayed.get(context, 0)


def fresh_usage(
    requests: Sequence[Request], convention: Convention, growth: Sequence[int] | None = None
) -> list[tuple[int, int]]:
    """Return the fresh input and the output of each request, in tokens.

    Args:
        requests: the requests.
        convention: the meaning of their inputs.
        growth: the result of `input_growth` of the requests; it is asked if None.

    >>> fresh_usage([Request(30, 50, 40), Request(90, 10, 10)], "request")
    [(30, 50), (20, 10)]
    >>> fresh_usage([Request(30, 50, 40), Request(20, 10, 10)], "turn")
    [(30, 50), (20, 10)]
    >>> fresh_usage([Request(30, 5, 5), Request(20, 5, 5, context="subagent")], "request")
    [(30, 5), (20, 5)]
    """
    if convention == "turn":
        return [(request.input_tokens, request.output_tokens) for request in requests]
    grown = input_growth(requests) if growth is None else growth
    return [
        (more if more > 0 else 0, request.output_tokens)
        for more, request in zip(grown, requests, strict=True)
    ]
