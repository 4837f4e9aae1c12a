"""Cut training rollouts into SFT, RL and held-out parts: by instance, never by rollout or row."""

import random
from collections.abc import Iterable
from typing import Literal, get_args

Part = Literal["sft", "rl", "heldout"]
PARTS: tuple[Part, ...] = get_args(Part)
SEED = 42

_SHARES: dict[Part, int] = {"sft": 40, "rl": 50, "heldout": 10}
"""Percent of the instances."""


def split_instances(instance_ids: Iterable[str], seed: int = SEED) -> dict[str, Part]:
    """40% SFT, 50% RL, 10% held out (paper, appendix E), the same for any order of the ids.

    Cuts fall on whole instances, rounded half to even, and the rest is held out.

    >>> parts = split_instances(f"level_{i}" for i in range(20))
    >>> [list(parts.values()).count(part) for part in PARTS]
    [8, 10, 2]
    """
    ids = sorted(set(instance_ids))
    random.Random(seed).shuffle(ids)
    sft_end = round(len(ids) * _SHARES["sft"] / 100)
    rl_end = round(len(ids) * (_SHARES["sft"] + _SHARES["rl"]) / 100)
    return {
        instance: "sft" if position < sft_end else "rl" if position < rl_end else "heldout"
        for position, instance in enumerate(ids)
    }
