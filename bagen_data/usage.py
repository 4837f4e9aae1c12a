"""From the token counts a log gives to what each turn freshly spent.

A request's input repeats the whole history, so summing logged inputs counts early messages many
times over. *Fresh* usage leaves the replayed history out:

    visible_output_k = output_k - reasoning_k           reasoning tokens are not replayed
    fresh_input_1    = input_1
    fresh_input_k    = max(0, input_k - (input_{k-1} + visible_output_{k-1}))
    fresh_k          = fresh_input_k + output_k

Formulas: section 4 of the benchmark's specification (the BAGEN paper, 2026, section 3.4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bagen_data.errors import RolloutError

Convention = Literal["request", "turn"]
"""What a log's input counts mean: `request` includes the replayed history, `turn` does not."""
UsageChoice = Literal["auto", "request", "turn"]
"""A convention, or `auto`: decide where a rollout's counts are unanimous."""

_WORDS_AND_MARKS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Request:
    """The counts a log gives for one turn, in tokens."""

    input_tokens: int
    output_tokens: int
    """All generated tokens, reasoning included."""
    visible_tokens: int
    """The part of the output that later requests replay: output without reasoning."""

    def __post_init__(self) -> None:
        if self.input_tokens < 0:
            raise RolloutError(f"input tokens are {self.input_tokens}; expected >= 0")
        if not 0 <= self.visible_tokens <= self.output_tokens:
            raise RolloutError(
                f"visible output is {self.visible_tokens} of {self.output_tokens} output tokens; "
                "expected 0 <= output - reasoning <= output"
            )


def words_and_marks(text: str) -> int:
    """How long a text is where there is no tokenizer: each word and each mark counts one.

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


def detect_convention(requests: Sequence[Request]) -> Convention:
    """The convention a rollout's counts follow, if they are unanimous.

    `request` if every turn's input is at least the previous input plus visible output; `turn` if
    no turn's is. One turn alone fits both and is read as `request`.

    Raises:
        RolloutError: some turns fit and some do not; the message names the first of the fewer.

    >>> detect_convention([Request(30, 50, 50), Request(90, 10, 10)])
    'request'
    >>> detect_convention([Request(30, 50, 50), Request(12, 10, 10)])
    'turn'
    """
    fits = [
        now.input_tokens >= before.input_tokens + before.visible_tokens
        for before, now in pairwise(requests)
    ]
    if all(fits):
        return "request"
    if not any(fits):
        return "turn"
    odd = sum(fits) * 2 < len(fits)
    turn = fits.index(odd) + 2
    before, now = requests[turn - 2], requests[turn - 1]
    raise RolloutError(
        f"turn {turn}: input of {now.input_tokens} tokens after {before.input_tokens} + "
        f"{before.visible_tokens} fits {'request' if odd else 'turn'} counts, but most other turns "
        "fit the other convention; declare it with --usage request or --usage turn"
    )


def fresh_usage(requests: Sequence[Request], convention: Convention) -> list[tuple[int, int]]:
    """(fresh input, output) of each turn, in tokens.

    >>> fresh_usage([Request(30, 50, 40), Request(90, 10, 10)], "request")
    [(30, 50), (20, 10)]
    >>> fresh_usage([Request(30, 50, 40), Request(20, 10, 10)], "turn")
    [(30, 50), (20, 10)]
    """
    replayed = 0
    fresh = []
    for request in requests:
        fresh.append((max(0, request.input_tokens - replayed), request.output_tokens))
        if convention == "request":
            replayed = request.input_tokens + request.visible_tokens
    return fresh
