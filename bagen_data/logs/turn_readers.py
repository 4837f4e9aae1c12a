"""Readers of logged turns: they say which turns are dropped, and what each one spent.

A task's `TurnReader` says what a turn spent of each resource. Ready ones:

    token_turns                fresh tokens, from the log's counts or counted with a tokenizer
    turn_count("turns")        one a turn
    logged_amounts("steps")    a number that the log states with each turn
    together(a, b)             the resources of several readers
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.schema import Amounts, Turn
from bagen_data.usage import (
    CONVENTIONS,
    Convention,
    UsageChoice,
    fitting_conventions,
    fresh_usage,
    input_growth,
)
from bagen_data.usage_lists import refuse_mixture
from bagen_data.usage_objects import BARE

NO_OUTPUT = "(no output)"
"""Shown where nothing was said before an assistant message: chat APIs refuse empty messages."""
NO_RESPONSE = "(no response)"
"""Shown where a response held reasoning alone, or nothing that could be parsed."""

_REWARD = re.compile(r"\(reward:[^()]*\)\s*")


class Tokenizer(Protocol):
    """Counts content tokens."""

    name: str
    sha256: str
    """Hash of the tokenizer's definition."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without chat-template or special tokens."""


@dataclass(frozen=True)
class Counting:
    """The way that tokens are counted."""

    convention: UsageChoice = "auto"
    """Meaning of bare input counts; `auto` reads them as `request` and says what they fit."""
    tokenizer: Tokenizer | None = None
    """Tokenizer for rollouts whose log gives no counts."""


class Accounts(NamedTuple):
    """A rollout's turns with their usage."""

    turns: tuple[Turn, ...]
    initial_state: Amounts
    source: str
    """Source of the amounts: a convention, `tokenizer`, or a reader's own word."""
    fits: frozenset[Convention] = CONVENTIONS
    """Conventions that the rollout's bare counts fit; all where none was to be decided."""
    clipped_turns: int = 0
    """Turns with an input shorter than the history that it replays."""


@dataclass(frozen=True)
class TurnReader:
    """Reads what each turn of a rollout spent.

    Raises:
        ValueError: it supplies nothing.
    """

    resources: frozenset[str]
    """Names of the resources it supplies."""
    read: Callable[[Log, Sequence[LoggedTurn], Counting], Accounts]
    """Takes the whole log and the turns of it that are kept, one or more.

    Raises RolloutError where a turn lacks an amount.
    """

    def __post_init__(self) -> None:
        if not self.resources:
            raise ValueError("a turn reader supplies no resource; expected one or more")


def without_reward(text: str) -> str:
    """Remove a reward annotation at the end of an observation: it gives the outcome away.

    >>> without_reward("######  (reward: 1.0)")
    '######'
    """
    if not text.rstrip().endswith(")"):
        return text
    start = text.rfind("(reward:")
    if start < 0 or not _REWARD.fullmatch(text, start):
        return text
    return text[:start].rstrip()


def kept_turns(log: Log, context_limit: int | None) -> list[LoggedTurn]:
    """Return the turns before the context limit cut the rollout off, without the empty ones."""
    kept = []
    for turn in log.turns:
        if turn.cut_off or _is_over(turn, context_limit):
            break
        if turn.assistant.strip() or _reasoned(turn) or turn.unparsed:
            user = without_reward(turn.user)
            kept.append(turn if user is turn.user else turn._replace(user=user))
    return kept


def _reasoned(turn: LoggedTurn) -> bool:
    """Return whether a response holds reasoning: its text, or tokens that are counted as such."""
    own = (turn.requests or ())[-1:]
    return bool(turn.reasoning.strip()) or any(
        request.output_tokens > request.visible_tokens for request in own
    )


def _is_over(turn: LoggedTurn, context_limit: int | None) -> bool:
    if context_limit is None or not turn.requests or turn.success or turn.acted:
        return False
    if turn.requests[-1].context:
        return False  # the agent decides what its requests hold
    return turn.requests[-1].input_tokens + turn.requests[-1].output_tokens > context_limit


def turn_count(resource: str = "turns") -> TurnReader:
    """Return a reader for which each turn costs one of `resource`."""
    _refuse_tokens(resource)

    def read(_log: Log, kept: Sequence[LoggedTurn], _counting: Counting) -> Accounts:
        return accounts_of(kept, [{resource: 1}] * len(kept), "turn count")

    return TurnReader(frozenset({resource}), read)


def logged_amounts(*resources: str) -> TurnReader:
    """Return a reader of numbers that the log states with each turn, under the resources' names.

    The numbers are whole or not, >= 0; formats say where they stand (`LoggedTurn.amounts`). A turn
    that is skipped because it is empty may not have spent any: nothing could take it over.

    Raises:
        ValueError: `tokens` is among them, which `token_turns` reads.
    """
    _refuse_tokens(*resources)

    def read(log: Log, kept: Sequence[LoggedTurn], _counting: Counting) -> Accounts:
        numbers = {turn.number for turn in kept}
        for turn in log.turns[: kept[-1].number]:
            spent = [name for name in resources if (turn.amounts or {}).get(name)]
            if spent and turn.number not in numbers:
                raise RolloutError(
                    f"turn {turn.number} has no response and states {spent[0]} "
                    f"{(turn.amounts or {})[spent[0]]}; empty turns are skipped, so count it to "
                    "another turn, or remove the rollout"
                )
        usages = [{name: _logged_amount(turn, name) for name in resources} for turn in kept]
        return accounts_of(kept, usages, "logged amounts")

    return TurnReader(frozenset(resources), read)


def _logged_amount(turn: LoggedTurn, name: str) -> float:
    amounts = turn.amounts or {}
    if amounts.get(name) is None:
        known = ", ".join(sorted(map(str, amounts))) or "none"
        raise RolloutError(
            f"turn {turn.number} states no {name}; expected a number >= 0 with each turn, and its "
            f"numbers are: {known}; state it in the dialogues or messages layout, or remove the "
            "rollout"
        )
    return log_fields.quantity(amounts[name], f"turn {turn.number}: {name}")


def _refuse_tokens(*resources: str) -> None:
    if "tokens" in resources:
        raise ValueError("tokens are read and written ones, which token_turns reads; use that")


def together(*readers: TurnReader) -> TurnReader:
    """Return a reader of the resources of several readers.

    Raises:
        ValueError: two of them supply the same resource.

    >>> sorted(together(token_turns, turn_count("turns")).resources)
    ['tokens', 'turns']
    """
    names = [name for reader in readers for name in reader.resources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two turn readers supply {twice[0]}; leave out one")

    def read(log: Log, kept: Sequence[LoggedTurn], counting: Counting) -> Accounts:
        parts = [reader.read(log, kept, counting) for reader in readers]
        turns = tuple(
            Turn(
                same[0].user,
                same[0].assistant,
                _merged([turn.usage for turn in same]),
                _merged([turn.state for turn in same]),
            )
            for same in zip(*(part.turns for part in parts), strict=True)
        )
        initial_state = _merged([part.initial_state for part in parts])
        return Accounts(
            turns,
            initial_state,
            ", ".join(part.source for part in parts),
            frozenset.intersection(*(part.fits for part in parts)),
            max(part.clipped_turns for part in parts),
        )

    return TurnReader(frozenset(names), read)


def _merged(amounts: Sequence[Amounts]) -> dict[str, float]:
    return {name: amount for part in amounts for name, amount in part.items()}


def _read_tokens(log: Log, kept: Sequence[LoggedTurn], counting: Counting) -> Accounts:
    """Read fresh tokens from the log's counts, else count them with the tokenizer.

    A rollout is counted one way: if the usage of any turn is unknown, the tokenizer counts all.

    Raises:
        RolloutError: a turn's usage is unknown and there is no tokenizer, or the tokenizer cannot
            count what a turn holds.
    """
    reason = next(filter(None, map(unknown_usage, kept)), "")
    if not reason:
        return _logged_tokens(kept, counting.convention)
    for turn in kept:
        if turn.uncounted:
            raise RolloutError(
                f"{reason}; and a tokenizer cannot count {turn.uncounted} in turn {turn.number}; "
                "drop the rollout"
            )
    if counting.tokenizer is None:
        raise RolloutError(f"{reason}; give --tokenizer or drop the rollout")
    return accounts_of(kept, _counted(log, kept, counting.tokenizer), "tokenizer")


def unknown_usage(turn: LoggedTurn) -> str:
    """Return why a turn's usage is unknown; empty where it is known.

    Zeros are no usage: clients write them where a streamed response had none.
    """
    if turn.requests is None:
        return f"turn {turn.number} has no usage; expected input and output tokens >= 0"
    for request in turn.requests:
        is_empty = not request.output_tokens and request is turn.requests[-1]
        if not request.input_tokens or (is_empty and (turn.assistant or turn.reasoning).strip()):
            return (
                f"turn {turn.number} states {request.input_tokens} input and "
                f"{request.output_tokens} output tokens beside its messages, which is unknown "
                "usage; expected more than 0 of each"
            )
    return ""


def _logged_tokens(kept: Sequence[LoggedTurn], choice: UsageChoice) -> Accounts:
    requests = [request for turn in kept for request in turn.requests or ()]
    refuse_mixture(requests)
    is_bare = bool(requests) and all(request.shape == BARE for request in requests)
    convention: Convention = "turn" if is_bare and choice == "turn" else "request"
    growth = input_growth(requests)
    fresh = fresh_usage(requests, convention, growth)
    usages = []
    clipped = 0
    end = 0
    for turn in kept:
        start, end = end, end + len(turn.requests or ())
        if end - start == 1:
            usages.append(_token_usage(*fresh[start]))
            clipped += growth[start] < 0
        else:
            counts = fresh[start:end]
            usages.append(_token_usage(sum([n for n, _ in counts]), sum([n for _, n in counts])))
            clipped += min(growth[start:end], default=0) < 0
    return accounts_of(kept, usages, convention)._replace(
        fits=fitting_conventions(requests) if is_bare and choice == "auto" else CONVENTIONS,
        clipped_turns=clipped if convention == "request" else 0,
    )


token_turns = TurnReader(frozenset({"tokens"}), _read_tokens)
"""Reads fresh tokens."""


def _counted(log: Log, kept: Sequence[LoggedTurn], tokenizer: Tokenizer) -> list[Amounts]:
    texts = [text for turn in kept for text in (turn.user, turn.assistant, turn.reasoning)]
    system, *counts = tokenizer.count([log.system, *texts])
    counts[:1] = [system + count for count in counts[:1]]
    return [
        _token_usage(read, shown + reasoning)
        for read, shown, reasoning in zip(counts[::3], counts[1::3], counts[2::3], strict=True)
    ]


def _token_usage(read: int, written: int) -> dict[str, float]:
    return {"input_tokens": read, "output_tokens": written, "tokens": read + written}


def accounts_of(kept: Sequence[LoggedTurn], usages: Sequence[Amounts], source: str) -> Accounts:
    """Return the accounts of turns that spent these amounts, which come from one source."""
    turns = tuple(
        Turn(
            turn.user or NO_OUTPUT,
            turn.assistant if turn.assistant.strip() else NO_RESPONSE,
            usage,
        )
        for turn, usage in zip(kept, usages, strict=True)
    )
    return Accounts(turns, {}, source)
