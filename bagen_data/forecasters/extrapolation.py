"""Each turn to come costs as much as those so far (`interval_formulas.linear_extrapolation`).

There will be as many more turns as, in the median, training rollouts had that went on past this
turn; where all of them have the same length, as where the horizon is fixed, this is it. Before the
probe shows a rate of its own, turns cost the median of the training rates. The interval has the
central 80% of what feasible training rollouts spent per token, week or dollar expected.
`impossible` means that more is expected than is left.
"""

from collections.abc import Sequence

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.forecasters import ALPHA, Answer, Forecaster
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.probe_amounts import Known, ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe
from bagen_data.scoring.interval_formulas import linear_extrapolation
from bagen_data.scoring.resampling import central_interval


def learn(examples: Sequence[Example], _: int) -> Answer:
    """Learn how many turns there are, what one costs, and how far off that is; nothing is drawn."""
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


def _extrapolated(amounts: ProbeAmounts, known: Known, usual: Floats) -> Floats:
    """(r, n) what is left to spend."""
    turns = amounts.completed_turns
    more = np.array([_turns_left(known, turn) for turn in range(int(turns.max()) + 1)])[turns]
    extrapolated = linear_extrapolation(amounts.used, amounts.used_first, turns, turns + more)
    return np.where(np.isnan(extrapolated), usual * more, extrapolated)


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
    finite = [own[np.isfinite(own)] for own in rates]
    medians = [float(np.median(own)) if len(own) else 0.0 for own in finite]
    return np.array(medians)[:, np.newaxis]


FORECASTER = Forecaster(learn, settings={"nominal_coverage": 1 - ALPHA})
