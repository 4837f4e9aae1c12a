"""The central 80% of what feasible training rollouts still spent at that turn."""

from collections.abc import Sequence

from bagen_data.forecasters import ALPHA, Answer, Forecaster
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.turn_amounts import answer_by_turn
from bagen_data.scoring.resampling import central_interval


def learn(examples: Sequence[Example], _: int) -> Answer:
    """Learn from the feasible examples of each turn; nothing is drawn."""
    return answer_by_turn(examples, lambda remaining: central_interval(remaining, ALPHA))


FORECASTER = Forecaster(learn, settings={"nominal_coverage": 1 - ALPHA})
