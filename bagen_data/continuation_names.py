"""Names of continuations: rollouts that were played on from a turn of a recorded one.

A name stands as the instance of its rollout, so that a build of continuations keeps it, and keeps
continuations apart that happen to be equal.
"""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(
    r"(?P<instance>.+)\.rollout-(?P<rollout>\d+)\.turn-(?P<turn>\d+)\.continuation-(?P<number>\d+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class ContinuationName:
    """The place that a continuation begins at, and its number among those of that place.

    >>> str(ContinuationName("level-7f", rollout=3, turn=2, number=0))
    'level-7f.rollout-3.turn-2.continuation-0'
    """

    instance_id: str
    """The instance of the recorded rollout."""
    rollout: int
    """The number of the recorded rollout in its family, from 0."""
    turn: int
    """The last turn that both have in common, from 1."""
    number: int
    """The number of the continuation, from 0."""

    def __str__(self) -> str:
        return (
            f"{self.instance_id}.rollout-{self.rollout}.turn-{self.turn}.continuation-{self.number}"
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the name that a text is; None where it is not one.

        >>> ContinuationName.parse("a.rollout-3.turn-2.continuation-0").turn
        2
        >>> ContinuationName.parse("level-7f")
        """
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        numbers = (int(match[part]) for part in ("rollout", "turn", "number"))
        return cls(match["instance"], *numbers)
