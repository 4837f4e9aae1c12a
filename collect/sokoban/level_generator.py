"""Levels by reverse play: from the solved state backwards, so that each can be solved."""

import random

from collect.sokoban.level import STEPS, Cell, Level, moved
from collect.sokoban.level_solver import Board, State, board, played_back

DEPTH = 30
"""Moves that reverse play goes back: what ten turns of three actions can do."""
LEAST = 4
"""Least number of moves of the shortest solution of a level."""
_FLOOR_SHARE = 0.7
"""Largest share of the cells within the outer wall that become floor."""


def generate(rng: random.Random, rows: int, columns: int, boxes: int) -> Level:
    """Return a level whose shortest solution has `LEAST` to `DEPTH` moves, as hard as it comes.

    Args:
        rng: the generator of all that is drawn.
        rows: the number of rows with the outer wall, at least 5.
        columns: the number of columns with the outer wall, at least 5.
        boxes: the number of boxes, and of targets.
    """
    while True:
        floor = _carved(rng, rows, columns)
        if len(floor) < 2 * boxes + 2:
            continue
        plan = board(floor)
        targets = rng.sample(range(len(plan.cells)), boxes)
        mask = sum(1 << target for target in targets)
        start = _start(rng, plan, mask)
        if start:
            player, there = start
            return Level(
                rows, columns, floor, plan.boxes(mask), plan.boxes(there), plan.cells[player]
            )


def _start(rng: random.Random, plan: Board, targets: int) -> State | None:
    """Return a state with no box on a target; None if none is hard enough.

    The number of moves that it takes is drawn first, so that all numbers are met.
    """
    layers = played_back(plan, targets, DEPTH)
    apart = [[state for state in layer if not state[1] & targets] for layer in layers]
    hard_enough = [layer for layer in apart[LEAST:] if layer]
    return rng.choice(rng.choice(hard_enough)) if hard_enough else None


def _carved(rng: random.Random, rows: int, columns: int) -> frozenset[Cell]:
    """Return connected floor: a walk that turns now and then."""
    inside = (rows - 2) * (columns - 2)
    cell = rng.randrange(1, rows - 1), rng.randrange(1, columns - 1)
    floor, move = {cell}, rng.choice(list(STEPS))
    for _ in range(4 * inside):
        if len(floor) >= _FLOOR_SHARE * inside:
            break
        if rng.random() < 0.4:
            move = rng.choice(list(STEPS))
        row, column = moved(cell, move)
        if 0 < row < rows - 1 and 0 < column < columns - 1:
            cell = row, column
            floor.add(cell)
    return frozenset(floor)
