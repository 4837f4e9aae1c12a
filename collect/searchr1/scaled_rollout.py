"""A rollout in which a model is asked in several conversations: each request is a turn."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

from bagen_data.logs.turn_readers import token_turns
from bagen_data.schema import Turn
from bagen_data.usage import words_and_marks
from collect.agents import Message, Reply
from collect.counted_turns import counted_turns
from collect.dialogue_layout import record
from collect.environment import Environment, Observation
from collect.play import Ending, Played, PlayedTurn
from collect.searchr1.judging import normalised
from collect.searchr1.scaled_budget import SharedBudget
from collect.searchr1.search_actions import Finish, Illegal, Search, parse
from collect.searchr1.search_environment import SEARCH

Ask = Callable[[Sequence[Message], int], Reply]
"""Function from the messages of a request, and the most tokens of its response, to the response."""
Request = Literal["act", "verify", "judge"]
"""The purpose of a request."""
ActionOutcome = Literal["executed", "proposed", "no search left", "over budget"]
"""Fate of an action; a response that takes the rollout over its budget is not used."""

NOTHING_SEEN = Observation("")
"""The result of a response that the environment does not see."""


class AskedEnvironment(Environment, Protocol):
    """An environment of one question."""

    @property
    def question(self) -> Any:
        """The question, with its `text`."""


@dataclass
class Conversation:
    """Messages that grow, and are replayed in every request."""

    context: str
    """Name of the conversation in the log."""
    system: str
    messages: list[Message] = field(default_factory=list)
    """Messages after the system message, in order; the last one is the model's."""


class Acted(NamedTuple):
    """The result of a response."""

    action: Search | Finish | Illegal
    text: str
    """Text of the environment; empty for an answer, and for an action that was not executed."""
    outcome: ActionOutcome


@dataclass(frozen=True)
class ProposedAnswer:
    """An answer that an attempt gave."""

    answer: str
    attempt: int
    """Number of the attempt, from 1."""


class ScaledRollout:
    """The turns of one rollout so far, and the budgets that they share."""

    def __init__(
        self, environment: AskedEnvironment, ask: Ask, response_tokens: int, budget: SharedBudget
    ) -> None:
        """Begin a rollout.

        Args:
            environment: a fresh one.
            ask: asks the model.
            response_tokens: the most tokens of a response.
            budget: the budget of this rollout.
        """
        self.environment = environment
        self.budget = budget
        self.turns: list[PlayedTurn] = []
        self._ask = ask
        self._response_tokens = response_tokens

    @property
    def question(self) -> str:
        """The text of the question."""
        return str(self.environment.question.text)

    @property
    def is_over(self) -> bool:
        """Return whether the budget allows no further request; the first one is always made."""
        return bool(self.turns) and self.budget.is_used_up

    def ask(self, conversation: Conversation, user: str, most: float | None = None) -> Reply:
        """Ask the model, add both messages to the conversation, and begin a turn with them.

        Args:
            conversation: the conversation.
            user: the next user message.
            most: the most tokens of the response, if fewer than usual.
        """
        system: Message = {"role": "system", "content": conversation.system}
        message: Message = {"role": "user", "content": user}
        tokens = self._response_tokens if most is None else min(self._response_tokens, most)
        reply = self._ask([system, *conversation.messages, message], max(1, int(tokens)))
        is_first = not conversation.messages
        conversation.messages += [message, {"role": "assistant", "content": reply.text}]
        seen = Observation("", logged={"context": conversation.context})
        new = (system, message) if is_first else (message,)
        self.turns.append(PlayedTurn(new, reply, seen, is_cut=False))
        if self.budget.limits:
            self.budget.begin_turn(self._counted())
        return reply

    def _counted(self) -> Turn:
        """Return the last turn with its fresh tokens."""
        played = Played(self.environment.instance_id, tuple(self.turns), {})
        return counted_turns(record(0, played, None), token_turns, words_and_marks)[-1]

    def act(self, **facts: Any) -> Acted:
        """Execute the action of the last response if it is a search; its turn is over.

        Args:
            facts: more about the turn, for its log.
        """
        response = self.turns[-1].reply.text
        action = parse(response)
        outcome: ActionOutcome = "executed"
        observation = NOTHING_SEEN
        if self.budget.is_exceeded:
            outcome = "over budget"
        elif isinstance(action, Finish):
            outcome = "proposed"
            facts["answer"] = action.answer
        elif isinstance(action, Search) and not self.budget.has_search:
            outcome = "no search left"
        else:
            observation = self.environment.step(response)
        self.complete("act", observation, outcome=outcome, **facts)
        return Acted(action, observation.text, outcome)

    def complete(
        self, request: Request, observation: Observation = NOTHING_SEEN, **facts: Any
    ) -> None:
        """Keep what came of the last response; its turn is over.

        Args:
            request: the purpose of the request.
            observation: the result of the response.
            facts: more about the turn, for its log.
        """
        searches = sum(action.startswith(f"{SEARCH}[") for action in observation.actions)
        self.budget.complete_turn(searches)
        last = self.turns[-1]
        strategy = {"request": request, **facts}
        logged = {**observation.logged, **last.observation.logged, "strategy": strategy}
        self.turns[-1] = replace(last, observation=replace(observation, logged=logged))

    def played(self, answer: str | None, facts: Mapping[str, Any]) -> Played:
        """Give the final answer, which costs no request, and return the rollout.

        Args:
            answer: the final answer; None without one.
            facts: what the rollout's log says of the strategy.
        """
        if answer is not None:
            last = self.turns[-1]
            final = self.environment.step(f"<answer>{Finish(answer)}</answer>")
            seen = replace(
                final,
                actions=(*last.observation.actions, *final.actions),
                logged=last.observation.logged,
            )
            self.turns[-1] = replace(last, observation=seen)
        outcome = {**self.environment.outcome(), "strategy": dict(facts)}
        ending = Ending(self.budget.used) if self.budget.limits else None
        return Played(self.environment.instance_id, tuple(self.turns), outcome, ending)


def majority(proposals: Sequence[ProposedAnswer]) -> str | None:
    """Return the answer that most attempts gave, of equal ones the first; None of no attempts.

    Answers are counted as normalised, and the first of those that are alike is returned.

    >>> said = ["1844", "the Mosk", "Mosk."]
    >>> majority([ProposedAnswer(answer, number) for number, answer in enumerate(said, 1)])
    'the Mosk'
    """
    counts = Counter(normalised(proposal.answer) for proposal in proposals)
    if not counts:
        return None
    most = max(counts.values())
    return next(each.answer for each in proposals if counts[normalised(each.answer)] == most)
