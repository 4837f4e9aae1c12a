"""From logged turns to turns with usage: what is dropped, and how tokens are counted."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bagen_data.errors import RolloutError
from bagen_data.schema import Amounts, Turn
from bagen_data.usage import UsageChoice, detect_convention, fresh_usage
from builders.logs.rollout_log import Log, LoggedTurn

NO_OUTPUT = "(no output)"
"""Shown where nothing was said before an assistant message: chat APIs refuse empty messages."""

_REWARD = re.compile(r"\(reward:[^()]*\)\s*")


class Tokenizer(Protocol):
    """Counts content tokens."""

    name: str
    sha256: str
    """Of its definition."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without chat-template or special tokens."""


@dataclass(frozen=True)
class Counting:
    """How tokens are counted."""

    convention: UsageChoice = "auto"
    """What the input counts of logs mean; `auto` decides where a rollout is unanimous."""
    tokenizer: Tokenizer | None = None
    """For rollouts whose log gives no counts."""


class Accounts(NamedTuple):
    """A rollout's turns with their usage."""

    turns: tuple[Turn, ...]
    initial_state: Amounts
    source: str
    """Where the amounts come from: a convention, `tokenizer`, or a task's own word."""


TurnReader = Callable[[Log, Sequence[LoggedTurn], Counting], Accounts]
"""Takes the whole log and those of its turns that are kept."""


def without_reward(text: str) -> str:
    """Remove a reward annotation at the end of an observation: it gives the outcome away.

    >>> without_reward("######  (reward: 1.0)")
    '######'
    """
    start = text.rfind("(reward:")
    if start < 0 or not _REWARD.fullmatch(text, start):
        return text
    return text[:start].rstrip()


def kept_turns(log: Log, context_limit: int | None) -> list[LoggedTurn]:
    """The turns before the context limit cut the rollout off, without the empty ones."""
    kept = []
    for turn in log.turns:
        if turn.cut_off or _over(turn, context_limit):
            break
        if turn.assistant.strip():
            user = without_reward(turn.user)
            kept.append(turn if user is turn.user else turn._replace(user=user))
    return kept


def _over(turn: LoggedTurn, context_limit: int | None) -> bool:
    if context_limit is None or turn.request is None or turn.success or turn.acted:
        return False
    return turn.request.input_tokens + turn.request.output_tokens > context_limit


def token_turns(log: Log, kept: Sequence[LoggedTurn], counting: Counting) -> Accounts:
    """Fresh tokens from the log's counts, else counted with the tokenizer.

    A rollout is counted one way: if any turn has no counts, the tokenizer counts all of them.

    Raises:
        RolloutError: a turn has no counts and there is no tokenizer, or the counts mix conventions.
    """
    requests = [turn.request for turn in kept if turn.request is not None]
    if len(requests) == len(kept):
        found = counting.convention
        convention = detect_convention(requests) if found == "auto" else found
        usage = fresh_usage(requests, convention)
        return Accounts(_token_accounts(kept, usage), {}, convention)
    if counting.tokenizer is None:
        number = next(turn.number for turn in kept if turn.request is None)
        raise RolloutError(
            f"turn {number} has no usage; expected input and output tokens >= 0; "
            "give --tokenizer or drop the rollout"
        )
    usage = _counted(log, kept, counting.tokenizer)
    return Accounts(_token_accounts(kept, usage), {}, "tokenizer")


def _counted(log: Log, kept: Sequence[LoggedTurn], tokenizer: Tokenizer) -> list[tuple[int, int]]:
    texts = [text for turn in kept for text in (turn.user, turn.assistant)]
    system, *counts = tokenizer.count([log.system, *texts])
    counts[:1] = [system + count for count in counts[:1]]
    return list(zip(counts[::2], counts[1::2], strict=True))


def _token_accounts(
    kept: Sequence[LoggedTurn], usage: Sequence[tuple[int, int]]
) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            turn.user or NO_OUTPUT,
            turn.assistant,
            {"input_tokens": read, "output_tokens": written, "tokens": read + written},
        )
        for turn, (read, written) in zip(kept, usage, strict=True)
    )
