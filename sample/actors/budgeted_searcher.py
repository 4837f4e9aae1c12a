"""A searcher whose success depends on what is left of its budget: a test of the plumbing.

It exists to show that a status block reaches an agent, and that a stopper saves what is hopeless.
Nothing about models follows from it: it does by rule what one hopes that a model would do.

- Most of its rollouts find the answer, and then check it again and again. Where a status block says
  that the budget lasts for no more than another turn or two, it answers at once; without one it
  goes on, and is over its budget before it has answered.
- The other rollouts are lost from the start: they search for nothing in particular, at length, and
  never know the answer.
"""

import random
import re
from dataclasses import dataclass

from collect.searchr1.search_environment import SearchEnvironment
from sample.actors.searchr1_agents import Searcher

_LOST = 0.4
"""Probability that a rollout is lost."""
_MOST_CHECKS = 6
_RESERVE = 2.0
"""Least amount to be left to go on, in turns as expensive as the dearest so far."""
_LINE = re.compile(r"^(?:- )?(\w+): ([\d,]+) of ([\d,]+) used", re.MULTILINE)
"""A line of the tracker's status block."""
_RAMBLING = (
    "I wonder what else there could be to find, so I look around a little before I decide.",
    "This does not help me, but one never knows; perhaps it will become clear later on.",
    "There are many places in this country, and any of them might have to do with the question.",
    "I may have read something like it before, though I cannot say where, or what it was about.",
)
_ASIDE = ("the weather", "old songs", "people and their work", "roads", "what is worth seeing")


@dataclass(frozen=True)
class StatusLine:
    """A line of a status block."""

    used: float
    limit: float


def read_status(message: str) -> dict[str, StatusLine]:
    """Return what a status block in a message says, by resource; empty where it has none.

    >>> read_status("- search: 3 of 8 used (38%), 5 left: half")
    {'search': StatusLine(used=3.0, limit=8.0)}
    """
    return {
        name: StatusLine(*(float(number.replace(",", "")) for number in numbers))
        for name, *numbers in _LINE.findall(message)
    }


class BudgetedSearcher(Searcher):
    """Memory of a searcher that minds its budget, if a prompt states one."""

    def __init__(self, environment: SearchEnvironment, rng: random.Random) -> None:
        """Draw how the rollout goes; all that is drawn is drawn from `rng`."""
        super().__init__(environment, rng)
        self._is_lost = rng.random() < _LOST
        self._patience = 99
        self._checks = rng.randint(1, _MOST_CHECKS)
        self._carelessness = self._wandering = self._misreading = 0.0
        self._before: dict[str, StatusLine] = {}
        self._dearest: dict[str, float] = {}
        """The most that a turn spent, by resource."""

    def respond(self, message: str) -> str:
        """Return the response to a user message."""
        if self._must_answer(message):
            self._checks = self._patience = 0
        elif self._is_lost:
            thought = " ".join(self._rng.sample(_RAMBLING, 3))
            query = f"{self._rng.choice(_ASIDE)} {len(self._tried)}"
            self._tried.append(query)
            return f"<think>{thought}</think>\n<answer>search[{query}]</answer>"
        return super().respond(message)

    def _must_answer(self, message: str) -> bool:
        """Return whether a status block says that the budget is nearly used up."""
        now = read_status(message)
        for name, spent in now.items():
            before = self._before.get(name, StatusLine(0, spent.limit)).used
            self._dearest[name] = max(self._dearest.get(name, 0), spent.used - before)
        self._before = now
        return any(
            spent.limit - spent.used < _RESERVE * self._dearest[name] for name, spent in now.items()
        )
