"""The swebench subset, against the specification written down step by step."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.tasks.swebench import SUBSET_SIZE, spread_prefixes


def literal_subset(total_turns: list[int]) -> list[list[int]]:
    """The paper's procedure on sample indices, one sentence a line."""
    samples = [(r, k) for r, turns in enumerate(total_turns) for k in range(1, turns)]
    rng = random.Random(42)
    groups: dict[int, list[int]] = {}
    for index, (r, _) in enumerate(samples):
        groups.setdefault(r, []).append(index)
    for group in groups.values():
        rng.shuffle(group)
    by_length = sorted(groups, key=lambda r: (total_turns[r], r))
    base, extra = divmod(len(by_length), 8)
    bucket_of, start = {}, 0
    for bucket in range(8):
        size = base + (bucket < extra)
        bucket_of.update(dict.fromkeys(by_length[start : start + size], bucket))
        start += size
    buckets: dict[int, list[int]] = {}
    for r in groups:
        buckets.setdefault(bucket_of[r], []).append(r)
    for bucket_rollouts in buckets.values():
        rng.shuffle(bucket_rollouts)
    queues = {bucket: list(rollouts) for bucket, rollouts in buckets.items()}
    active, chosen = list(buckets), []
    while active and len(chosen) < 512:
        rng.shuffle(active)
        for bucket in active:
            if len(chosen) == 512:
                break
            while not groups[queues[bucket][0]]:
                queues[bucket].append(queues[bucket].pop(0))
            r = queues[bucket].pop(0)
            chosen.append(groups[r].pop(0))
            queues[bucket].append(r)
        active = [bucket for bucket in active if any(groups[r] for r in buckets[bucket])]
    kept: list[list[int]] = [[] for _ in total_turns]
    for index in sorted(chosen):
        r, k = samples[index]
        kept[r].append(k)
    return kept


@given(st.lists(st.integers(0, 90), max_size=60))
def test_the_subset_is_the_papers(total_turns: list[int]) -> None:
    assert spread_prefixes(total_turns) == literal_subset(total_turns)


@pytest.mark.parametrize(("turns", "size"), [([600], 512), ([30] * 10, 290), ([1, 0], 0), ([], 0)])
def test_at_most_512_and_all_if_there_are_fewer(turns: list[int], size: int) -> None:
    assert sum(map(len, spread_prefixes(turns))) == min(size, SUBSET_SIZE)
