"""A model that answers from a list, and a rollout with it; no tokens of a real model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.usage import words_and_marks
from collect.agents import Message, Reply
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.scaled_budget import SharedBudget
from collect.searchr1.scaled_rollout import ScaledRollout
from collect.searchr1.search_environment import SearchEnvironment

RICH = {"tokens": 1e6, "search": 100}
"""A budget that lasts."""


@dataclass
class ScriptedModel:
    """Gives one answer after another, and keeps what it was asked."""

    answers: list[str]
    requests: list[list[Message]] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    """The most tokens of each response."""

    def ask(self, messages: Sequence[Message], most: int) -> Reply:
        """Give the next answer; IndexError where there is none."""
        self.requests.append(list(messages))
        self.most.append(most)
        text = self.answers[len(self.requests) - 1]
        read = sum(words_and_marks(message["content"]) for message in messages)
        return Reply(text, read, words_and_marks(text))

    @property
    def told(self) -> list[str]:
        """The last user message of each request."""
        return [str(messages[-1]["content"]) for messages in self.requests]


def begun(
    model: ScriptedModel,
    question: SearchQuestion,
    library: Library,
    limits: Mapping[str, float] | None = None,
) -> ScaledRollout:
    """A rollout without turns."""
    environment = SearchEnvironment(question, library)
    budget = SharedBudget(RICH if limits is None else limits)
    return ScaledRollout(environment, model.ask, 800, budget)


def search(query: str, plan: str = "") -> str:
    return f"{_plan(plan)}<answer>search[{query}]</answer>"


def finish(answer: str, plan: str = "") -> str:
    return f"{_plan(plan)}<answer>finish[{answer}]</answer>"


def _plan(plan: str) -> str:
    return f"<plan>\n{plan}\n</plan>\n" if plan else ""


def check(verdict: str, *findings: str, summary: str = "") -> str:
    """A check; each finding is a constraint's, such as `satisfied`."""
    lines = "\n".join(f"[{each}] constraint {n}" for n, each in enumerate(findings, 1))
    summary_block = f"\n<summary>{summary}</summary>" if summary else ""
    return f"<checks>\n{lines}\n</checks>\n<verdict>{verdict}</verdict>{summary_block}"


def actions(record: Mapping[str, Any]) -> list[str]:
    """Return the actions of a recorded rollout."""
    return [action for turn in record["turns"] for action in turn["actions"]]
