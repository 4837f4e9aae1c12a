"""Sokoban as text: at most three moves a turn, and the state after them."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bagen_data.answers import answer_in
from collect.environment import Observation, Rules
from collect.sokoban.level import STEPS, Level

RULES = Rules(turns=10, history_tokens=2_500)
"""Limits of a rollout.

The history is cut at the context limit that a build of the task has (a test compares them).
"""
MOVES = 3
"""Most moves of a turn."""

SYSTEM = f"""You play Sokoban. Push every box (X) onto a target (O).

Symbols: # wall, _ floor, O target, X box, P you, √ box on a target, S you on a target.
Coordinates are (row, column) from (0, 0) at the top left; Up lowers the row, Left the column.
You push a box by walking into it, one box at a time, and only if the cell behind it is free. You
cannot pull: a box in a corner that is no target is lost for good.

You have {RULES.turns} turns. In each, think briefly, then give one to {MOVES} moves, done in order:
<think> ... </think> <answer>Up || Right || Right</answer>
The moves are Up, Down, Left and Right. An answer without a legal move costs its turn."""

_SEPARATOR = re.compile(r"\s*(?:\|\||[,;\s])\s*")
_EXPECTED = "expected <answer>Up || Left</answer> with moves of Up, Down, Left and Right"


class SokobanEnvironment:
    """A level, played once."""

    system = SYSTEM

    def __init__(self, level: Level) -> None:
        """Take a level that is not solved."""
        self.level = level
        self.instance_id = "level-" + hashlib.sha256(level.text().encode()).hexdigest()[:16]

    def start(self) -> str:
        """Return the level as text."""
        return self.level.text()

    def step(self, response: str) -> Observation:
        """Do the first three moves of an answer; a word that is not a move stops them."""
        moves, problem = parse_moves(response)
        done: list[str] = []
        for move in moves:
            after = self.level.after(move)
            done.append(move if after != self.level else f"{move} (blocked)")
            self.level = after
            if after.is_solved:
                break
        lines = [f"Moves done: {', '.join(done) or 'none'}.", *([problem] if problem else [])]
        if self.level.is_solved:
            lines.append("Solved: every box is on a target.")
        text = "\n".join((*lines, self.level.text()))
        is_solved = self.level.is_solved
        return Observation(text, tuple(moves[: len(done)]), done=is_solved, success=is_solved)

    def calls(self, _response: str) -> Mapping[str, int]:
        """Return no calls: the task has no tools."""
        return {}

    def outcome(self) -> Mapping[str, Any]:
        """Return the final state: where the boxes ended."""
        return {"final_state": self.level.text()}


def parse_moves(response: str) -> tuple[list[str], str]:
    """Return the moves of a response that are to be done, and what is wrong with it, if anything.

    >>> parse_moves("<answer>up || Left</answer>")
    (['Up', 'Left'], '')
    >>> parse_moves("<answer>Up || Jump || Left</answer>")[0]
    ['Up']
    """
    answer = answer_in(response)
    if answer is None:
        return [], f"Your response has no answer: {_EXPECTED}."
    moves: list[str] = []
    for word in filter(None, _SEPARATOR.split(answer)):
        if len(moves) == MOVES:
            return moves, f"Only the first {MOVES} moves of an answer are done."
        if word.capitalize() not in STEPS:
            return moves, f"{word[:20]!r} is no move: {_EXPECTED}."
        moves.append(word.capitalize())
    return moves, "" if moves else f"Your answer is empty: {_EXPECTED}."
