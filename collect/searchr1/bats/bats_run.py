"""State that the parts of the agent share in one rollout."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bagen_data.live.status_text import Level
from collect.agents import Counter as CountTokens
from collect.searchr1.bats.answer_choice import (
    CandidateAnswer,
    CheckedProposal,
    candidates,
    confirmed,
)
from collect.searchr1.bats.budget_level import BRANCHES, scarcest_level
from collect.searchr1.bats.plan import Plan
from collect.searchr1.prompt_parts import read_prompt_parts
from collect.searchr1.scaled_rollout import ScaledRollout

PROMPTS = Path(__file__).with_name("prompts.txt")
JUDGE_TOKENS = 200
"""Tokens that a judge's response is to have: so much of the budget is kept for it."""


@dataclass(frozen=True)
class BatsOptions:
    """The options of the agent."""

    attempts: int
    """The most attempts."""
    turns: int
    """The most actions of an attempt: searches, proposed answers, and responses without one."""
    count: CountTokens
    """Tokens of a text, to keep enough of the budget for the judge."""


@dataclass
class BatsRun:
    """A rollout of the agent."""

    rollout: ScaledRollout
    """The rollout, with a budget of one limit or more."""
    options: BatsOptions
    checked: list[CheckedProposal] = field(default_factory=list)
    """Proposed answers so far, in order."""
    malformed: Counter[str] = field(
        default_factory=partial(Counter, {"plan": 0, "check": 0, "summary": 0, "choice": 0})
    )
    """Parts of responses that could not be read, by kind."""

    def text(self, part: str, **fields: str) -> str:
        """Return a part of the prompts with its fields filled in."""
        return read_prompt_parts(PROMPTS).text(part, **fields)

    @property
    def level(self) -> Level:
        """Level of the scarcest budget, in a word."""
        budget = self.rollout.budget
        return scarcest_level(budget.limits, budget.used)

    @property
    def branches(self) -> int:
        """Branches of a plan that the budget allows."""
        return BRANCHES[self.level]

    def status(self, plan: Plan | None = None) -> str:
        """Return what a message says of the budget, and of the branches that it allows.

        Args:
            plan: the plan, if its open branches are to be held against the budget.
        """
        conduct = self.text(self.level.replace(" ", ""), branches=str(self.branches))
        lines = [self.rollout.budget.status, conduct]
        if plan is not None and plan.open_branches > max(1, self.branches):
            lines.append(self.text("toomany", open=str(plan.open_branches)))
        return "\n".join(lines)

    @property
    def is_over(self) -> bool:
        """Return whether nothing but a choice among confirmed answers is within the budget."""
        if self.rollout.is_over:
            return True
        choices = candidates(confirmed(self.checked))
        return len(choices) > 1 and self.left_for_judge(choices) < JUDGE_TOKENS

    def left_for_judge(self, choices: list[CandidateAnswer]) -> float:
        """Return the tokens that a judge's response may have within the budget."""
        asked = f"{self.text('judge')}\n{self.shown(choices)}"
        return self.rollout.budget.left("tokens") - self.options.count(asked)

    def shown(self, choices: list[CandidateAnswer]) -> str:
        """Return the message that shows a judge what to choose from."""
        listed = [
            self.text(
                "candidate",
                number=str(number),
                answer=choice.answer,
                attempts=choice.attempts,
                checks=choice.checks,
            )
            for number, choice in enumerate(choices, 1)
        ]
        return self.text(
            "candidates", question=self.rollout.question, candidates="\n\n".join(listed)
        )
