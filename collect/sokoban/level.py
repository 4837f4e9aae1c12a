"""A level and its moves. Boxes are pushed, never pulled."""

from dataclasses import dataclass, replace

Cell = tuple[int, int]
"""(row, column), from 0 at the top left."""

STEPS: dict[str, Cell] = {"Up": (-1, 0), "Down": (1, 0), "Left": (0, -1), "Right": (0, 1)}
"""Rows and columns that the player goes, by the move's name."""


@dataclass(frozen=True)
class Level:
    """The whole state of a game."""

    rows: int
    columns: int
    floor: frozenset[Cell]
    """Cells without a wall."""
    targets: frozenset[Cell]
    boxes: frozenset[Cell]
    player: Cell

    @property
    def is_solved(self) -> bool:
        """Return whether every box is on a target."""
        return self.boxes == self.targets

    def after(self, move: str) -> "Level":
        """Return the state after a move; the same state if a wall or a box is in the way."""
        ahead = moved(self.player, move)
        if ahead not in self.floor:
            return self
        if ahead not in self.boxes:
            return replace(self, player=ahead)
        beyond = moved(ahead, move)
        if beyond not in self.floor or beyond in self.boxes:
            return self
        return replace(self, player=ahead, boxes=self.boxes - {ahead} | {beyond})

    def text(self) -> str:
        """Return the state as an agent reads it: coordinates, then the grid."""
        return "\n".join(
            (
                f"Board size: {self.rows} rows x {self.columns} cols (zero-indexed).",
                f"Targets: {_listed(self.targets)}",
                f"Boxes: {_listed(self.boxes)}",
                f"Player: {self.player}",
                "Grid Map:",
                *(
                    "".join(self._mark((row, column)) for column in range(self.columns))
                    for row in range(self.rows)
                ),
            )
        )

    def _mark(self, cell: Cell) -> str:
        if cell not in self.floor:
            return "#"
        on_target = cell in self.targets
        if cell in self.boxes:
            return "√" if on_target else "X"
        if cell == self.player:
            return "S" if on_target else "P"
        return "O" if on_target else "_"


def moved(cell: Cell, move: str) -> Cell:
    """Return the next cell in a direction.

    >>> moved((2, 1), "Up")
    (1, 1)
    """
    rows, columns = STEPS[move]
    return cell[0] + rows, cell[1] + columns


def _listed(cells: frozenset[Cell]) -> str:
    return ", ".join(map(str, sorted(cells)))
