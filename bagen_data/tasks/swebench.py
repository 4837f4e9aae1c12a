"""SWE-bench: resolve an issue in a real repository; rollouts are mini-swe-agent trajectories."""

import random
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from bagen_data.budgets import family_median
from bagen_data.replay import benchmark_prefixes
from bagen_data.schema import TOKENS
from bagen_data.tasks import Task

SUBSET_SIZE = 512
SUBSET_SEED = 42
_BUCKETS = 8


def spread_prefixes(total_turns: Sequence[int]) -> list[list[int]]:
    """Return at most 512 prefixes of a family, spread over short and long rollouts (paper, B.2).

    Rollouts are sorted by length and cut into 8 buckets; in passes over the buckets, each gives
    one prefix of its next rollout that still has one, in seeded random order, until there are 512
    or none is left.

    Args:
        total_turns: the turns T of each rollout, in file order.

    Returns:
        The k of each rollout that are kept, in ascending order.
    """
    rng = random.Random(SUBSET_SEED)
    unused = [list(benchmark_prefixes(turns)) for turns in total_turns]
    answerable = [position for position, prefixes in enumerate(unused) if prefixes]
    for position in answerable:
        rng.shuffle(unused[position])
    active = [_Bucket(members) for members in _buckets(answerable, total_turns, rng)]
    kept: list[list[int]] = [[] for _ in total_turns]
    taken = 0
    while active and taken < SUBSET_SIZE:
        rng.shuffle(active)
        for bucket in active[: SUBSET_SIZE - taken]:
            position = bucket.next_rollout(unused)
            kept[position].append(unused[position].pop(0))
            taken += 1
        active = [bucket for bucket in active if not bucket.is_exhausted(unused)]
    return [sorted(prefixes) for prefixes in kept]


def _buckets(
    positions: Sequence[int], total_turns: Sequence[int], rng: random.Random
) -> list[list[int]]:
    """Rollouts by length, cut into nearly equal buckets; buckets by their first rollout."""
    by_length = sorted(positions, key=lambda position: (total_turns[position], position))
    size, remainder = divmod(len(by_length), _BUCKETS)
    bounds = [index * size + min(index, remainder) for index in range(_BUCKETS + 1)]
    cut = [by_length[start:end] for start, end in pairwise(bounds)]
    buckets = sorted((sorted(bucket) for bucket in cut if bucket), key=min)
    for bucket in buckets:
        rng.shuffle(bucket)
    return buckets


class _Bucket:
    """Rollouts that take turns in giving a prefix."""

    def __init__(self, rollouts: list[int]) -> None:
        self._rollouts = rollouts
        self._next = 0

    def is_exhausted(self, unused: list[list[int]]) -> bool:
        return not any(unused[position] for position in self._rollouts)

    def next_rollout(self, unused: list[list[int]]) -> int:
        """The next rollout in the round that still has a prefix; needs one that has."""
        while True:
            position = self._rollouts[self._next % len(self._rollouts)]
            self._next += 1
            if unused[position]:
                return position


TASK = Task(
    resources=(TOKENS,),
    budgets=partial(family_median, resource="tokens"),
    prefixes=spread_prefixes,
    named_by_instance=True,
    seeds={"subset": SUBSET_SEED},
)
