"""Estimators that know one thing of the past: what feasible rollouts still spent at such a turn.

They say `impossible` where the median of that is more than is left here.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.examples import Example
from bagen_data.forecasters.forecaster import Answer
from bagen_data.forecasters.probe_amounts import Known, ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe
from bagen_data.scoring.per_sample import central_interval, linear_extrapolation

ALPHA = 0.2
"""Intervals are meant as central ones of 1 - alpha."""
_ENOUGH = 10
"""Probes at a turn; where there are fewer, those of the nearest turns are counted too."""
_TUNED = 0.22
"""To either side of the median: within 0.001 of the best possible reward for any lognormal
remainder of sigma >= 0.3, though it covers far less than 80% of what may happen."""

_Interval = Callable[[Floats], tuple[float, float]]


def quantiles(examples: Sequence[Example]) -> Answer:
    """The central 80% of what feasible training rollouts still spent at that turn."""
    return _by_turn(Known.of(examples), lambda remaining: central_interval(remaining, ALPHA))


def median_22(examples: Sequence[Example]) -> Answer:
    """The median of what feasible training rollouts still spent at that turn, +-22%."""
    return _by_turn(Known.of(examples), _around_median)


def extrapolation(examples: Sequence[Example]) -> Answer:
    """Each turn to come costs as much as those so far (`per_sample.linear_extrapolation`).

    There will be as many more turns as, in the median, training rollouts had that went on past
    this turn; where all of them have the same length, as where the horizon is fixed, this is it.
    Before the probe shows a rate of its own, turns cost the median of the training rates. The
    interval has the central 80% of what feasible training rollouts spent per token, week or dollar
    expected. `impossible` means that more is expected than is left.
    """
    known = Known.of(examples)
    usual = _usual_rates(known)
    expected = _extrapolated(known.amounts, known, usual)
    with np.errstate(all="ignore"):
        ratio = known.remaining / expected
    spread = [central_interval(own[np.isfinite(own) & known.feasible], ALPHA) for own in ratio]
    low, high = np.nan_to_num(np.array(spread), nan=1.0).T[:, :, np.newaxis]

    def answer(probes: Sequence[Probe]) -> list[Estimate]:
        amounts = ProbeAmounts.of(probes)
        expected = _extrapolated(amounts, known, usual)
        lasts = amounts.is_open & (expected <= amounts.left).all(axis=0)
        return estimates(amounts, lasts, expected * low, expected * high)

    return answer


def _by_turn(known: Known, interval: _Interval) -> Answer:
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
    found: Mask = distance <= np.sort(distance)[:_ENOUGH].max(initial=0)
    return found


def _around_median(remaining: Floats) -> tuple[float, float]:
    median, _ = central_interval(remaining, alpha=1.0)
    return (1 - _TUNED) * median, (1 + _TUNED) * median


def _extrapolated(amounts: ProbeAmounts, known: Known, usual: Floats) -> Floats:
    """(r, n) what is left to spend."""
    turns = amounts.completed_turns
    more = np.array([_turns_left(known, turn) for turn in range(int(turns.max()) + 1)])[turns]
    found = linear_extrapolation(amounts.used, amounts.used_first, turns, turns + more)
    return np.where(np.isnan(found), usual * more, found)


def _turns_left(known: Known, turn: int) -> float:
    """The median over training rollouts that went on past this turn, and at least 1."""
    lengths = known.lengths[known.lengths > turn] - turn
    return float(np.median(lengths)) if len(lengths) else 1.0


def _usual_rates(known: Known) -> Floats:
    """(r, 1) the median cost of a turn, of probes that show one."""
    one_more = known.amounts.completed_turns + 1
    rates = linear_extrapolation(
        known.amounts.used, known.amounts.used_first, known.amounts.completed_turns, one_more
    )
    shown = [own[np.isfinite(own)] for own in rates]
    found = [float(np.median(own)) if len(own) else 0.0 for own in shown]
    return np.array(found)[:, np.newaxis]
