"""Examples of simulated rollouts."""

from collections.abc import Sequence

import numpy as np

from bagen_data.forecasters.learning.examples import Example
from bagen_data.replay import replay
from bagen_data.schema import Budget, Rollout, Turn


def examples_of(
    recorded: Rollout, budget: Budget, name: str, prefixes: range | None = None
) -> list[Example]:
    """Return the probes at each k = 1 .. T-1, or at these."""
    prefixes = prefixes or range(1, len(recorded.turns))
    return [
        Example(
            f"{name}/{k}", "f", name, name, probe, target, len(recorded.turns), recorded.success
        )
        for k, (probe, target) in zip(prefixes, replay(recorded, budget, prefixes), strict=True)
    ]


def family(
    rollouts: int, seed: int, resources: Sequence[str] = ("tokens",), budget: float = 9_999
) -> list[Example]:
    """Seven in ten feasible; what remains is lognormal given the past, noisier where it is loud."""
    rng = np.random.default_rng(seed)
    examples = []
    for number in range(rollouts):
        success, loud = rng.random() < 0.7, rng.random()
        rate = np.exp(rng.normal(4, 0.5)) * (1 if success else 1.5)
        noise = rng.normal(size=(rng.integers(4, 7), len(resources)))
        costs = (1 + rate * np.exp((0.2 + 0.8 * loud) * noise)).round().tolist()
        texts = ("look", "go " * int(1 + 20 * loud))
        turns = tuple(
            Turn(*texts, {"input_tokens": 1} | dict(zip(resources, cost, strict=True)))
            for cost in costs
        )
        recorded = Rollout("chess", "m", f"{number}", f"{number}", "", turns, bool(success))
        limits = Budget(dict.fromkeys(resources, budget))
        examples += examples_of(recorded, limits, f"{seed}-{number}")
    return examples
