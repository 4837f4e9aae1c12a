"""The reward's parts as TRL calls them, and a warning when training has stopped teaching."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from transformers.trainer_callback import TrainerCallback

from bagen_data.answer_columns import INFEASIBLE, INVALID
from bagen_data.console import STDERR
from bagen_data.prompt_variants import question_of
from bagen_data.rewards import JudgedAnswers, judge
from train.break_even import AnswerSums, break_even, interval_worth

RewardFunction = Callable[..., list[float]]

MOST_IMPOSSIBLE = 0.95
"""The rate of `impossible` above which a model has collapsed: the paper's RL without SFT."""
MOST_WITHOUT_VARIANCE = 0.8
"""Share of groups above which training stops teaching: their answers all earn the same."""


@dataclass
class AnswerWatch:
    """The answers that the reward functions of a run have judged, in logs and in sums."""

    weights: Mapping[str, float]
    """The weights of the reward's parts."""
    feasible_share: float
    """The share of the prompts of training that are feasible."""
    sums: AnswerSums = field(default_factory=AnswerSums)
    """Sums over the answers of this process since the last `take`."""

    def take(self) -> AnswerSums:
        """Return the sums so far, and begin with none."""
        sums, self.sums = self.sums, AnswerSums()
        return sums

    def judged(self, judged: JudgedAnswers, log_metric: Callable[[str, float], None]) -> None:
        """Take note of a batch, and log each answer: the trainer takes the mean over processes."""
        self.sums += AnswerSums.of(judged, self.weights)
        for name, values in self._watched(judged):
            for value in values:
                log_metric(name, float(value))

    def _watched(self, judged: JudgedAnswers) -> Iterable[tuple[str, Any]]:
        yield "valid_rate", judged.verdict != INVALID
        yield "impossible_rate", (judged.verdict == INFEASIBLE)[~judged.is_forecast]
        yield "mean_finish", judged.finish[~np.isnan(judged.finish)]
        yield "coverage", judged.is_covered[judged.is_interval]
        yield "relative_width", judged.relative_width[~np.isnan(judged.relative_width)]
        bound = break_even(self.weights, self.feasible_share)
        if bound is not None:
            yield "interval_worth", interval_worth(judged, self.weights)
            yield "break_even", [bound]


def reward_functions(watch: AnswerWatch) -> list[RewardFunction]:
    """Return a function for each part, so that TRL logs each part's mean and spread under its name.

    The first of them logs what `AnswerWatch` does, too.

    >>> functions = reward_functions(AnswerWatch({"interval": 1.8, "impossible": 0.2}, 0.5))
    >>> [function.__name__ for function in functions]
    ['interval', 'impossible']
    """
    return [_reward_function(name, None if n else watch) for n, name in enumerate(watch.weights)]


def _reward_function(name: str, watch: AnswerWatch | None) -> RewardFunction:
    def part(
        completions: Sequence[Any],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float]:
        judged = judge(
            [text_of(each) for each in completions],
            columns["feasible"],
            columns["resources"],
            [question_of(variant) for variant in columns["prompt_variant"]],
            columns["rollout_success"],
        )
        if watch and log_metric:
            watch.judged(judged, log_metric)
        rewards: list[float] = judged.parts[name].tolist()
        return rewards

    part.__name__ = name
    return part


def text_of(completion: Any) -> str:
    """The text of a completion, which may be a list of messages."""
    return completion if isinstance(completion, str) else completion[-1]["content"] or ""


class CollapseWatch(TrainerCallback):
    """Warns, once each, that a model has collapsed or that its groups teach nothing."""

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
        """Warn once of each rate at which training has stopped teaching."""
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
