"""Answers from one thing of the past: what feasible rollouts still spent at such a turn."""

from collections.abc import Callable, Sequence

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters import Answer
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.probe_amounts import Known, ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe
from bagen_data.scoring.resampling import central_interval

_ENOUGH = 10
"""Probes at a turn; where there are fewer, those of the nearest turns are counted too."""


def answer_by_turn(
    examples: Sequence[Example], interval: Callable[[Floats], tuple[float, float]]
) -> Answer:
    """Return answers that are an interval of what feasible examples still spent at that turn.

    `impossible` is said where the median of that is more than is left.

    Args:
        examples: one or more.
        interval: low and high of the (n,) amounts that remained.
    """
    known = Known.of(examples)
    known = known.at(known.feasible)

    def answer(probes: Sequence[Probe]) -> list[Estimate]:
        amounts = ProbeAmounts.of(probes)
        low, high = np.zeros((2, *amounts.left.shape))
        lasts = np.zeros(len(probes), bool)
        for turn in np.unique(amounts.completed_turns):
            here = np.flatnonzero(amounts.completed_turns == turn)
            remaining = known.remaining[:, _near(known.amounts.completed_turns, turn)]
            medians = np.array([central_interval(own, 1.0)[0] for own in remaining])
            lasts[here] = (medians[:, np.newaxis] <= amounts.left[:, here]).all(axis=0)
            bounds = [interval(own) for own in remaining]
            low[:, here], high[:, here] = np.array(bounds).T[:, :, np.newaxis]
        return estimates(amounts, lasts & amounts.is_open, low, high)

    return answer


def _near(turns: Ints, turn: int) -> Mask:
    """(n,) which probes are at this turn, or at the nearest turns that make `_ENOUGH`."""
    distance = np.abs(turns - turn)
    is_near: Mask = distance <= np.sort(distance)[:_ENOUGH].max(initial=0)
    return is_near
