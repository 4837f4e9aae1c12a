"""Spread work evenly over parts."""

import heapq
from collections.abc import Sequence


def spread_evenly(work: Sequence[int], parts: int, loads: Sequence[int] | None = None) -> list[int]:
    """Return the part of each piece of work.

    The largest piece comes first, each piece goes to the part with the least work, and the first of
    equals is taken. So the result depends on the arguments only. Where all parts begin empty, the
    fullest has at most 4/3 of what it has in the best possible spread.

    Args:
        work: the size of each piece.
        parts: the number of parts, 1 or more.
        loads: the work that each part has already; none if None.

    >>> spread_evenly([5, 4, 3, 2], 2)
    [0, 1, 1, 0]
    >>> spread_evenly([1, 1], 2, loads=[5, 0])
    [1, 1]
    """
    heap = [(load, part) for part, load in enumerate(loads or [0] * parts)]
    heapq.heapify(heap)
    chosen = [0] * len(work)
    for place in sorted(range(len(work)), key=lambda each: -work[each]):
        load, part = heap[0]
        chosen[place] = part
        heapq.heapreplace(heap, (load + work[place], part))
    return chosen
