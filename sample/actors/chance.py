"""Draws of the scripted managers, from `rng.random()` alone: the same on every machine."""

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def pick(items: Sequence[Item], rng: random.Random) -> Item:
    """One of them, each equally likely."""
    return items[int(rng.random() * len(items))]


def up_to(most: float, rng: random.Random) -> int:
    """A whole number from 1, at most `most` and at least 1."""
    return 1 + int(max(0.0, most - 1) * rng.random())
