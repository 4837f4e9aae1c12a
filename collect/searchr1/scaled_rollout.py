"""A rollout in which a model is asked in several conversations: each request is a turn."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

from collect.agents import Message, Reply
from collect.environment import Environment, Observation
from collect.play import Ending, Played, PlayedTurn
from collect.searchr1.judging import normalised
from collect.searchr1.scaled_budget import SharedBudget
from collect.searchr1.search_actions import Finish, Illegal, Search, parse

Ask = Callable[[Sequence[Message], int], Reply]
"""From the messages of a request, and the most tokens of its response, to the response."""
Request = Literal["act", "verify", "judge"]
"""The purpose of a request."""
ActionOutcome = Literal["executed", "no search left", "over budget"]
"""What became of an action; a response that takes the rollout over its budget is not used."""


class AskedEnvironment(Environment, Protocol):
    """An environment of one question."""

    @property
    def question(self) -> Any:
        """The question, with its `text`."""


@dataclass
class Conversation:
    """Messages that grow, and are replayed in every request."""

    context: str
    """Its name in the log."""
    system: str
    messages: list[Message] = field(default_factory=list)
    """After the system message, in order; the last one is the model's."""


class Acted(NamedTuple):
    """What came of a response."""

    action: Search | Finish | Illegal
    text: str
    """What the environment says of it; empty of an answer, and of what was not executed."""
    outcome: ActionOutcome


@dataclass(frozen=True)
class Proposal:
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
            budget: of this rollout.
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
        """Whether the budget allows no further request; the first one is always made."""
        return bool(self.turns) and self.budget.is_used_up

    def ask(self, conversation: Conversation, user: str, most: float | None = None) -> Reply:
        """Ask the model, and add both messages to the conversation.

        Args:
            conversation: the conversation.
            user: the next user message.
            most: the most tokens of the response, if fewer than usual.
        """
        system: Message = {"role": "system", "content": conversation.system}
        message: Message = {"role": "user", "content": user}
        tokens = self._response_tokens if most is None else min(self._response_tokens, most)
        reply = self._ask([system, *conversation.messages, message], max(1, int(tokens)))
        usage = reply.usage or _usage(reply)
        self.budget.spend(user, reply.text, usage, conversation.context)
        conversation.messages += [message, {"role": "assistant", "content": reply.text}]
        return reply

    def act(self, conversation: Conversation, reply: Reply, **facts: Any) -> Acted:
        """Execute the action of a response if it is a search, and record the turn.

        Args:
            conversation: the conversation, whose last message is the response.
            reply: the response.
            facts: more about the turn, for its log.
        """
        action = parse(reply.text)
        outcome: ActionOutcome = "executed"
        observation = Observation("")
        if self.budget.is_exceeded:
            outcome = "over budget"
        elif isinstance(action, Finish):
            observation = Observation("", actions=(f"propose[{action.answer}]",))
        elif isinstance(action, Search) and not self.budget.has_search:
            outcome = "no search left"
        else:
            if isinstance(action, Search):
                self.budget.count_search()
            observation = self.environment.step(reply.text)
        self.record(conversation, reply, "act", observation, outcome=outcome, **facts)
        return Acted(action, observation.text, outcome)

    def record(
        self,
        conversation: Conversation,
        reply: Reply,
        request: Request,
        observation: Observation,
        **facts: Any,
    ) -> None:
        """Keep a turn.

        Args:
            conversation: the conversation, whose last message is the response.
            reply: the response.
            request: the purpose of the request.
            observation: what came of the response.
            facts: more about the turn, for its log.
        """
        *before, user, _ = conversation.messages
        system: Message = {"role": "system", "content": conversation.system}
        logged = {
            **observation.logged,
            "context": conversation.context,
            "strategy": {"request": request, **facts},
        }
        new = (user,) if before else (system, user)
        seen = replace(observation, logged=logged)
        self.turns.append(PlayedTurn(new, reply, seen, is_cut=False))

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


def majority(proposals: Sequence[Proposal]) -> str | None:
    """Return the answer that most attempts gave, of equal ones the first; None of no attempts.

    Answers are counted as normalised, and the first of those that are alike is returned.

    >>> majority([Proposal("1844", 1), Proposal("the Mosk", 2), Proposal("Mosk.", 3)])
    'the Mosk'
    """
    counts = Counter(normalised(proposal.answer) for proposal in proposals)
    if not counts:
        return None
    most = max(counts.values())
    return next(each.answer for each in proposals if counts[normalised(each.answer)] == most)


def _usage(reply: Reply) -> dict[str, int]:
    """Return a usage object of a response whose usage is simulated."""
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
