"""Sokoban as it is collected."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from bagen_data.errors import WrongUsageError
from collect.environment import Rules
from collect.sokoban.level_generator import generate
from collect.sokoban.sokoban_environment import RULES, SokobanEnvironment


@dataclass(frozen=True)
class Sokoban:
    """Levels of one size."""

    rows: int = 6
    """Number of rows, with the outer wall."""
    columns: int = 6
    boxes: int = 1
    task: ClassVar[str] = "sokoban"
    rules: ClassVar[Rules] = RULES
    tools: ClassVar[tuple[str, ...]] = ()
    targets: ClassVar[tuple[str, ...]] = ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The options of the game, for the record."""
        return asdict(self)

    def environment(self, seed: int, number: int) -> SokobanEnvironment:
        """Return the environment of a level."""
        rng = random.Random(f"sokoban {seed} {number}")
        return SokobanEnvironment(generate(rng, self.rows, self.columns, self.boxes))


def sokoban(size: str, boxes: int) -> Sokoban:
    """Return the game with these options.

    Args:
        size: ROWSxCOLUMNS, with the outer wall.
        boxes: the number of boxes, and of targets.

    Raises:
        WrongUsageError: no such levels can be made.

    >>> sokoban("6x8", 2).columns
    8
    """
    rows, by, columns = size.partition("x")
    if not (by and rows.isdecimal() and columns.isdecimal()) or not all(
        5 <= int(side) <= 12 for side in (rows, columns)
    ):
        raise WrongUsageError(f"--size {size}: expected ROWSxCOLUMNS from 5x5 to 12x12, as 6x6")
    inside = (int(rows) - 2) * (int(columns) - 2)
    if not 1 <= boxes <= min(3, inside // 6):
        raise WrongUsageError(f"--boxes {boxes}: expected 1 to {min(3, inside // 6)} for {size}")
    return Sokoban(int(rows), int(columns), boxes)
