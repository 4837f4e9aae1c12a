"""Dots of a figure that would hide each other, moved side by side."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Place = tuple[float, float]
_MOST_STEPS = 8
"""Widths of a dot that one is moved at most: further off it would tell another value."""


@dataclass(frozen=True)
class Room:
    """The size of a dot and the ends of the axis along which dots are moved."""

    width: float
    """Width of a dot, above 0."""
    height: float
    """Height of a dot, above 0."""
    first: float
    """The lowest place of a dot along the axis."""
    last: float
    """The highest place of a dot along the axis."""


def side_by_side(places: Sequence[Place], room: Room, order: Iterable[int]) -> list[float]:
    """Return x of each place, moved by whole widths of a dot where another dot is.

    A dot that finds no room within a few widths stays where it is.

    Args:
        places: (x, y) of each dot.
        room: the size of a dot, and the ends of the x axis.
        order: every position in `places` once; a dot keeps its x unless an earlier one is there.

    >>> side_by_side([(0, 5), (0, 5), (0, 5), (3, 5)], Room(1, 1, 0, 3), range(4))
    [0, 1, 2, 3]
    """
    drawn = [x for x, _ in places]
    taken: defaultdict[tuple[int, int], list[Place]] = defaultdict(list)
    for number in order:
        x, y = places[number]
        free = (
            each
            for each in (x + steps * room.width for steps in _STEPS)
            if each == x or room.first <= each <= room.last
            if not _hides(each, y, taken, room)
        )
        drawn[number] = next(free, x)
        taken[_cell(drawn[number], y, room)].append((drawn[number], y))
    return drawn


_STEPS = (0, *(sign * steps for steps in range(1, _MOST_STEPS + 1) for sign in (-1, 1)))
"""Widths of a dot to move it by: the nearest first, to the left before to the right of it, as names
are on the right."""


def _cell(x: float, y: float, room: Room) -> tuple[int, int]:
    return int(x // room.width), int(y // room.height)


def _hides(
    x: float, y: float, taken: defaultdict[tuple[int, int], list[Place]], room: Room
) -> bool:
    """Return whether a dot at (x, y) would hide one that is drawn already, or be hidden by it."""
    column, row = _cell(x, y, room)
    near = (
        place
        for across in (-1, 0, 1)
        for up in (-1, 0, 1)
        for place in taken.get((column + across, row + up), ())
    )
    least = 0.999 * room.width  # dots one width apart are apart, however that was rounded
    return any(abs(a - x) < least and abs(b - y) < room.height for a, b in near)
