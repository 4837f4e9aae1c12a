"""Rollouts of scripted agents."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from collect.agents import ScriptedAgent
from collect.dialogue_layout import record
from collect.environment import Game
from collect.play import play
from collect.run_budget import RunBudget
from collect.scripted_agents import find_scripted_agents
from collect.token_count import token_count


@dataclass(frozen=True)
class Scripted:
    """Player of rollouts by number, with scripted agents."""

    game: Game
    seed: int
    name: str | None = None
    """Name of the scripted agent; any of the task's if None."""
    tokenizer: str | None = None
    """Tokenizer that counts usage; words and marks if None."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the scripted agent."""
    budget: RunBudget | None = None
    """The limits of the rollout; None where it has no budget."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Play the rollout of a number."""
        counting = token_count(self.tokenizer)
        count = cache(counting.count)
        environment = self.game.environment(self.seed, number)
        rng = random.Random(f"agent {self.game.task} {self.seed} {number}")
        script = find_scripted_agents(self.game.task).script
        agent = ScriptedAgent(script(self.name, environment, rng, **self.options), count)
        guard = self.budget.guard(self.game.task, environment, count) if self.budget else None
        played = play(environment, agent, self.game.rules, count, guard)
        return record(number, played, counting.name)
