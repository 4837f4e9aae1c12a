"""Rollouts of scripted agents."""

import random
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from bagen_data.usage import words_and_marks
from builders.collect.agents import Counter, ScriptedAgent
from builders.collect.dialogues import record
from builders.collect.environment import Game
from builders.collect.play import play
from builders.tokenizer import HubTokenizer

SCRIPTED = "scripted"
"""`--agent scripted`, or `scripted/NAME`."""
WORDS_AND_MARKS = "words and marks"
"""How usage is counted where no tokenizer is given."""


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
        count = cache(counter(self.tokenizer))
        environment = self.game.environment(self.seed, number)
        rng = random.Random(f"agent {self.game.task} {self.seed} {number}")
        agent = ScriptedAgent(self.game.script(self.script, environment, rng), count)
        played = play(environment, agent, self.game.rules, count)
        return record(number, played, self.tokenizer or WORDS_AND_MARKS)


@lru_cache(1)
def counter(tokenizer: str | None) -> Counter:
    """Counts tokens of a text, with a tokenizer or without.

    Raises:
        WrongUsageError: there is no such tokenizer.
    """
    if tokenizer is None:
        return words_and_marks
    found = HubTokenizer(tokenizer)
    return lambda text: found.count([text])[0]
