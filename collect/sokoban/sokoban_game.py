"""Sokoban as it is collected."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from bagen_data.errors import WrongUsageError
from collect.agents import Script
from collect.environment import Rules
from collect.sokoban.agent import ERROR_RATES, script
from collect.sokoban.level_generator import generate
from collect.sokoban.sokoban_environment import RULES, SokobanEnvironment


@dataclass(frozen=True)
class Sokoban:
    """Levels of one size."""

    rows: int = 6
    """With the outer wall."""
    columns: int = 6
    boxes: int = 1
    error_rate: float | None = None
    """Of scripted agents; each draws its own if None."""
    task: ClassVar[str] = "sokoban"
    rules: ClassVar[Rules] = RULES
    scripts: ClassVar[tuple[str, ...]] = tuple(ERROR_RATES)

    @property
    def told(self) -> Mapping[str, Any]:
        """The options."""
        return asdict(self)

    def environment(self, seed: int, number: int) -> SokobanEnvironment:
        """A level."""
        rng = random.Random(f"sokoban {seed} {number}")
        return SokobanEnvironment(generate(rng, self.rows, self.columns, self.boxes))

    def script(
        self, name: str | None, environment: SokobanEnvironment, rng: random.Random
    ) -> Script:
        """A solver that errs."""
        return script(name, environment, rng, self.error_rate)


def sokoban(size: str, boxes: int, error_rate: float | None) -> Sokoban:
    """The game of some options.

    Args:
        size: ROWSxCOLUMNS, with the outer wall.
        boxes: as many as targets.
        error_rate: of scripted agents.

    Raises:
        WrongUsageError: no such levels can be made.

    >>> sokoban("6x8", 2, None).columns
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
    return Sokoban(int(rows), int(columns), boxes, error_rate)
