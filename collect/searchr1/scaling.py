"""Test-time scaling of the plain agent: several attempts within one budget, and a majority.

Sequential attempts are one conversation: each sees what was tried before it, and may spend all that
is left. Parallel attempts know nothing of each other, and have equal shares of every budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from collect.play import Played
from collect.searchr1.prompt_parts import read_prompt_parts
from collect.searchr1.scaled_rollout import (
    Conversation,
    ProposedAnswer,
    ScaledRollout,
    majority,
)
from collect.searchr1.search_actions import Finish

PROMPTS = Path(__file__).with_name("scaling_prompts.txt")


@dataclass(frozen=True)
class ScalingOptions:
    """The options of the scaling of a plain agent."""

    attempts: int
    """The most attempts."""
    turns: int
    """The most turns of an attempt."""
    shows_status: bool
    """Whether each message ends with what is left of the budget."""


class _Attempt(NamedTuple):
    """Result of an attempt."""

    answer: str | None
    unread: str = ""
    """The next message to the agent, where the attempt ended before it."""


def play_sequential(rollout: ScaledRollout, options: ScalingOptions) -> Played:
    """Play one attempt after another, in one conversation."""
    prompts = read_prompt_parts(PROMPTS)
    conversation = Conversation("attempts", rollout.environment.system)
    opening = rollout.environment.start()
    proposals: list[ProposedAnswer] = []
    text, number = opening, 0
    while number < options.attempts and not _is_enough(rollout):
        number += 1
        attempt = _attempt(rollout, options, conversation, text, number)
        if attempt.answer is None:
            again = prompts.text("unanswered", question=opening)
            text = f"{attempt.unread}\n\n{again}".strip()
        else:
            proposals.append(ProposedAnswer(attempt.answer, number))
            text = prompts.text("again", answer=attempt.answer, question=opening)
    return _played(rollout, "sequential", options, proposals, number)


def play_parallel(rollout: ScaledRollout, options: ScalingOptions) -> Played:
    """Play attempts that know nothing of each other."""
    opening = rollout.environment.start()
    proposals: list[ProposedAnswer] = []
    number = 0
    while number < options.attempts:
        rollout.budget.grant_share(number, options.attempts)
        if _is_enough(rollout):
            break
        number += 1
        conversation = Conversation(f"attempt-{number}", rollout.environment.system)
        attempt = _attempt(rollout, options, conversation, opening, number)
        if attempt.answer is not None:
            proposals.append(ProposedAnswer(attempt.answer, number))
    return _played(rollout, "parallel", options, proposals, number)


Scaling = Callable[[ScaledRollout, ScalingOptions], Played]
SCALINGS: dict[str, Scaling] = {"sequential": play_sequential, "parallel": play_parallel}
"""Functions that play a rollout, by the strategy's name."""


def _is_enough(rollout: ScaledRollout) -> bool:
    """Return whether no further attempt begins: it could ask nothing, or search for nothing."""
    return bool(rollout.turns) and (rollout.is_over or not rollout.budget.has_search)


def _attempt(
    rollout: ScaledRollout,
    options: ScalingOptions,
    conversation: Conversation,
    text: str,
    number: int,
) -> _Attempt:
    """Play one attempt from a user message on."""
    is_warned = False
    for _ in range(options.turns):
        if rollout.is_over:
            break
        if options.shows_status and rollout.budget.status:
            text = f"{text}\n\n{rollout.budget.status}"
        rollout.ask(conversation, text)
        acted = rollout.act(attempt=number)
        if acted.outcome == "over budget":
            break
        if isinstance(acted.action, Finish):
            return _Attempt(acted.action.answer)
        text = acted.text
        if acted.outcome == "no search left":
            text = read_prompt_parts(PROMPTS).text("spent")
            if is_warned:
                break
            is_warned = True
    return _Attempt(None, text)


def _played(
    rollout: ScaledRollout,
    strategy: str,
    options: ScalingOptions,
    proposals: list[ProposedAnswer],
    attempts: int,
) -> Played:
    answer = majority(proposals)
    facts = {
        "name": strategy,
        "attempts": attempts,
        "ended_by": "attempts" if attempts == options.attempts else "budget",
        "proposals": [
            {"answer": proposal.answer, "attempt": proposal.attempt} for proposal in proposals
        ],
        "chosen_by": "nothing to choose from" if answer is None else "majority",
    }
    return rollout.played(answer, facts)
