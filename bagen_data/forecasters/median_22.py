"""The median of what feasible training rollouts still spent at that turn, +-22%."""

from collections.abc import Sequence

from bagen_data.array_types import Floats
from bagen_data.forecasters import Answer, Forecaster
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.turn_amounts import answer_by_turn
from bagen_data.scoring.resampling import central_interval

_TUNED = 0.22
"""Share of the median to either side of it: within 0.001 of the best possible reward for any
lognormal remainder of sigma >= 0.3, though it covers far less than 80% of what may happen."""


def learn(examples: Sequence[Example], _: int) -> Answer:
    """Learn from the feasible examples of each turn; nothing is drawn."""
    return answer_by_turn(examples, _around_median)


def _around_median(remaining: Floats) -> tuple[float, float]:
    median, _ = central_interval(remaining, alpha=1.0)
    return (1 - _TUNED) * median, (1 + _TUNED) * median


FORECASTER = Forecaster(learn, settings={"tuned_to": "reward"})
