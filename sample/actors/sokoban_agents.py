"""Scripted players: a solver that errs, and says more or less while it does."""

import random

from collect.agents import Script
from collect.sokoban.level import STEPS, Level
from collect.sokoban.level_solver import solve
from collect.sokoban.sokoban_environment import MOVES, SokobanEnvironment

ERROR_RATES = {"careful": (0.0, 0.08), "hasty": (0.15, 0.35), "lost": (0.5, 0.8)}
"""Range from which each player's chance of a wrong move is drawn."""
NAMES = tuple(ERROR_RATES)
_MALFORMED = 0.3
"""Chance that a whole answer cannot be read, as a share of the error rate."""
_MOST_SENTENCES = 9
_REMARKS = (
    "The box must not end in a corner, so I look at the walls around it first.",
    "I count the cells between the box and the target before I choose.",
    "Pushing is only possible from the opposite side, and I have to get there.",
    "If I push now, the cell behind the box has to be free.",
    "I keep away from the wall, since a box there cannot come back.",
    "One more step would be enough to stand behind the box.",
    "There are two ways around, and the shorter one is free.",
    "I check the coordinates again, because a slip would cost a turn.",
    "The last moves went as I meant them to.",
    "It may be wise to move in small steps and to look at the state in between.",
)


def script(
    name: str | None,
    environment: SokobanEnvironment,
    rng: random.Random,
    error_rate: float | None = None,
) -> Script:
    """Return a player of a level.

    Args:
        name: the name of the player; drawn if None.
        environment: what it plays. It looks at the state there, not at the text.
        rng: the generator of all that is drawn.
        error_rate: its chance of a wrong move; drawn from the player's range if None.
    """
    low, high = ERROR_RATES[name or rng.choice(NAMES)]
    drawn = low + (high - low) * rng.random()
    rate = drawn if error_rate is None else error_rate
    pace = 1 + rng.randrange(MOVES)
    sentences = rng.randrange(_MOST_SENTENCES + 1)

    def respond(_: str) -> str:
        moves = _moves(environment.level, rng, rate, pace)
        thought = " ".join(
            [_seen(environment.level), *rng.sample(_REMARKS, min(sentences, len(_REMARKS)))]
        )
        if rng.random() < _MALFORMED * rate:
            return f"<think>{thought}</think> I go {' and '.join(moves).lower()}."
        return f"<think>{thought}</think> <answer>{' || '.join(moves)}</answer>"

    return respond


def _moves(level: Level, rng: random.Random, error_rate: float, pace: int) -> list[str]:
    """Return the next moves of a solution, each wrong at the error rate; any if none is left."""
    plan = solve(level) or [rng.choice(list(STEPS)) for _ in range(pace)]
    moves = []
    for move in plan[:pace]:
        is_wrong = rng.random() < error_rate
        moves.append(rng.choice(list(STEPS)) if is_wrong else move)
        if is_wrong:
            break
    return moves


def _seen(level: Level) -> str:
    left = level.boxes - level.targets
    box = min(left) if left else min(level.boxes)
    return f"I stand at {level.player}, and the box at {box} has to get to {min(level.targets)}."
