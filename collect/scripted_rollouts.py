"""Rollouts of scripted agents."""

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

from collect.agents import ScriptedAgent
from collect.dialogue_layout import record
from collect.environment import Game
from collect.play import play
from collect.token_count import token_count

SCRIPTED = "scripted"
"""`--agent scripted`, or `scripted/NAME`."""


@dataclass(frozen=True)
class Scripted:
    """Plays rollouts by number."""

    game: Game[Any]
    seed: int
    script: str | None = None
    """The name of the script; whichever if None."""
    tokenizer: str | None = None
    """Whose tokens usage is counted in; words and marks if None."""

    def __call__(self, number: int) -> dict[str, Any]:
        """The rollout of that number."""
        counting = token_count(self.tokenizer)
        count = cache(counting.count)
        environment = self.game.environment(self.seed, number)
        rng = random.Random(f"agent {self.game.task} {self.seed} {number}")
        agent = ScriptedAgent(self.game.script(self.script, environment, rng), count)
        played = play(environment, agent, self.game.rules, count)
        return record(number, played, counting.name)
