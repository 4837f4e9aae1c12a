"""Names of points in a figure, as far as there is room for them."""

from collections.abc import Iterable, Sequence
from typing import Any


def label(
    points: Sequence[dict[str, Any]],
    names: str,
    positions: Sequence[tuple[float, float]],
    room: tuple[float, float],
    order: Iterable[int],
) -> None:
    """Label points with their names as long as there is room, and the others with nothing.

    Args:
        points: the points of one panel; each gets a `label`.
        names: the key of a point's name.
        positions: (x, y) of each point.
        room: least distance of two labels, in x or in y.
        order: positions in `points`, in the order of labelling.
    """
    labelled: list[tuple[float, float]] = []
    for number in order:
        x, y = positions[number]
        is_free = all(abs(x - a) > room[0] or abs(y - b) > room[1] for a, b in labelled)
        points[number]["label"] = points[number][names] if is_free else ""
        if is_free:
            labelled.append((x, y))


def reach(values: Iterable[float]) -> float:
    """Return the difference of the largest and the least value; 1 if they are the same."""
    values = list(values)
    return max(values) - min(values) or 1.0
