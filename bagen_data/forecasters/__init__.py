"""Estimators that need no model: what any model should beat, and what the scores make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bagen_data.errors import WrongUsageError
from bagen_data.forecasters import by_turn, rules
from bagen_data.forecasters.examples import Example
from bagen_data.forecasters.forecaster import Answer, Learn


@dataclass(frozen=True)
class Baseline:
    """An estimator, and what its predictions' metadata say of it."""

    learn: Learn
    learns: bool
    """Whether it needs examples."""
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """What is written down as its decoding parameters."""


def _conformal(examples: Sequence[Example], seed: int) -> Answer:
    from bagen_data.forecasters.conformal import conformal

    return conformal(examples, seed)


def _reward_optimal(examples: Sequence[Example], seed: int) -> Answer:
    from bagen_data.forecasters.conformal import reward_optimal

    return reward_optimal(examples, seed)


_NOMINAL = {"nominal_coverage": 1 - by_turn.ALPHA}
_TUNED = {"tuned_to": "reward"}

BASELINES: Mapping[str, Baseline] = {
    "always_infeasible": Baseline(lambda *_: rules.always_infeasible, learns=False),
    "always_feasible": Baseline(lambda *_: rules.always_feasible, learns=False),
    "over_budget": Baseline(lambda *_: rules.over_budget, learns=False),
    "extrapolation": Baseline(lambda known, _: by_turn.extrapolation(known), True, _NOMINAL),
    "quantiles": Baseline(lambda known, _: by_turn.quantiles(known), True, _NOMINAL),
    "median_22": Baseline(lambda known, _: by_turn.median_22(known), True, _TUNED),
    "conformal": Baseline(_conformal, True, _NOMINAL),
    "reward_optimal": Baseline(_reward_optimal, True, _TUNED),
}
"""By name, from the simplest on."""


def find_baseline(name: str) -> Baseline:
    """The estimator of this name.

    Raises:
        WrongUsageError: there is none; the message lists those that there are.
    """
    try:
        return BASELINES[name]
    except KeyError:
        known = ", ".join(BASELINES)
        raise WrongUsageError(f"--estimator {name}: there is none; there are: {known}") from None
