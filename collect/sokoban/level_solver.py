"""Search in a level's states, forwards to solve it and backwards to make one.

States are (player, boxes) by number of cell: small integers and bit masks, so that tens of
thousands of states take a fraction of a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from collect.sokoban.level import STEPS, Cell, Level, moved

State = tuple[int, int]
"""The player's cell, and a bit for each cell with a box."""
WALL = -1


@dataclass(frozen=True)
class Board:
    """The floor of a level, with its cells numbered."""

    cells: tuple[Cell, ...]
    """Cells in the order of their numbers."""
    next: tuple[dict[str, int], ...]
    """Number of the next cell by direction, or `WALL`, for each cell."""

    def mask(self, cells: frozenset[Cell]) -> int:
        """Return a mask with a bit for each of the cells."""
        return sum(1 << self.cells.index(cell) for cell in cells)

    def boxes(self, mask: int) -> frozenset[Cell]:
        """Return the cells of a mask."""
        return frozenset(cell for n, cell in enumerate(self.cells) if mask >> n & 1)


def board(floor: frozenset[Cell]) -> Board:
    """Number the cells of a floor."""
    cells = tuple(sorted(floor))
    number = {cell: n for n, cell in enumerate(cells)}
    steps = tuple({move: number.get(moved(cell, move), WALL) for move in STEPS} for cell in cells)
    return Board(cells, steps)


def solve(level: Level) -> list[str] | None:
    """Return a shortest solution in moves; None if there is none."""
    plan = board(level.floor)
    goal = plan.mask(level.targets)
    start = plan.cells.index(level.player), plan.mask(level.boxes)
    came: dict[State, tuple[State, str] | None] = {start: None}
    edge = [start]
    while edge:
        for state in edge:
            if state[1] == goal:
                return _way(came, state)
        ahead = []
        for state in edge:
            for move, then in _pushes(plan, state):
                if then not in came:
                    came[then] = (state, move)
                    ahead.append(then)
        edge = ahead
    return None


def _way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    moves = []
    while (step := came[state]) is not None:
        state, move = step
        moves.append(move)
    return moves[::-1]


def _pushes(plan: Board, state: State) -> Iterator[tuple[str, State]]:
    """Yield each move that changes a state, with the state after it."""
    player, boxes = state
    for move, ahead in plan.next[player].items():
        if ahead == WALL:
            continue
        if boxes >> ahead & 1:
            beyond = plan.next[ahead][move]
            if beyond != WALL and not boxes >> beyond & 1:
                yield move, (ahead, boxes ^ (1 << ahead) ^ (1 << beyond))
        else:
            yield move, (ahead, boxes)


def played_back(plan: Board, targets: int, most: int) -> list[list[State]]:
    """Return the states from which a level can be solved, by the moves of the shortest solution.

    Play begins where every box is on a target and goes backwards: the player steps back, and may
    pull the box that is before it.

    Args:
        plan: the floor.
        targets: a mask with a bit for each target.
        most: moves back.
    """
    edge = [(player, targets) for player in range(len(plan.cells)) if not targets >> player & 1]
    seen, layers = set(edge), [edge]
    for _ in range(most):
        ahead = []
        for state in layers[-1]:
            for before in _pulls(plan, state):
                if before not in seen:
                    seen.add(before)
                    ahead.append(before)
        if not ahead:
            break
        layers.append(ahead)
    return layers


_BACK = {"Up": "Down", "Down": "Up", "Left": "Right", "Right": "Left"}


def _pulls(plan: Board, state: State) -> Iterator[State]:
    """Yield the states from which a move leads to the given one."""
    player, boxes = state
    for move, back in _BACK.items():
        behind, ahead = plan.next[player][back], plan.next[player][move]
        if behind == WALL or boxes >> behind & 1:
            continue
        yield behind, boxes
        if ahead != WALL and boxes >> ahead & 1:
            yield behind, boxes ^ (1 << ahead) ^ (1 << player)
