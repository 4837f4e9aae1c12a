"""The reward's parts as TRL calls them, and a warning when training has stopped teaching."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers.trainer_callback import TrainerCallback

from bagen_data.console import STDERR
from bagen_data.rewards import judge

RewardFunction = Callable[..., list[float]]

MOST_IMPOSSIBLE = 0.95
"""A model that says `impossible` more often than this has collapsed: the paper's RL without SFT."""
MOST_WITHOUT_VARIANCE = 0.8
"""A group whose answers all earn the same teaches nothing."""


def reward_functions(weights: Mapping[str, float]) -> list[RewardFunction]:
    """One function a part, so that TRL logs each part's mean and spread under its name.

    The first of them logs `valid_rate`, `impossible_rate`, `coverage` and `relative_width` too.

    >>> [function.__name__ for function in reward_functions({"interval": 1.8, "impossible": 0.2})]
    ['interval', 'impossible']
    """
    return [_reward_function(name, logs=not place) for place, name in enumerate(weights)]


def _reward_function(name: str, *, logs: bool) -> RewardFunction:
    def part(
        completions: Sequence[Any],
        feasible: Sequence[bool],
        resources: Sequence[Any],
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float]:
        judged = judge([text_of(each) for each in completions], feasible, resources)
        if logs and log_metric:
            for rate, value in judged.rates().items():
                if not math.isnan(value):
                    log_metric(rate, value)
        rewards: list[float] = judged.parts[name].tolist()
        return rewards

    part.__name__ = name
    return part


def text_of(completion: Any) -> str:
    """The text of a completion, which may be a list of messages."""
    return completion if isinstance(completion, str) else completion[-1]["content"] or ""


class CollapseWatch(TrainerCallback):
    """Says so, once each, when a model collapses or its groups teach nothing."""

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def on_log(
        self,
        args: Any,  # noqa: ARG002
        state: Any,
        control: Any,  # noqa: ARG002
        logs: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Of the trainer."""
        if not state.is_world_process_zero:
            return
        for name, most, advice in (
            (
                "impossible_rate",
                MOST_IMPOSSIBLE,
                "the model has collapsed to `impossible`; begin with SFT, raise the weight of "
                "interval, or give rewards: dense",
            ),
            (
                "frac_reward_zero_std",
                MOST_WITHOUT_VARIANCE,
                "most groups earn the same for every answer and teach nothing; give rewards: "
                "dense, a higher temperature, or more num_generations",
            ),
        ):
            rate = (logs or {}).get(name, 0.0)
            if rate > most and name not in self._warned:
                self._warned.add(name)
                STDERR.print(f"step {state.global_step}: {name} is {rate:.2f}: {advice}")
