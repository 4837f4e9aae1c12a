"""Forecasts to teach: those of a forecaster that has not seen the instance it is asked about.

A recorded rollout ended in one way, so its labels hold no probability to teach. A forecaster does:
it learns from the training instances (parts `sft` and `rl`), in parts, so that each instance is
forecast by what learned from the others only (cross-fitting, as `bagen fit` scores). What it says
of an instance is therefore as uncertain as it would be about a new one. Held-out instances are
forecast by what learned from all training instances, and teach nothing.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import Forecaster, find_forecaster, known_forecasters
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.forecasters.learning.predictions import (
    TRAINING_SPLITS,
    answered,
    cross_validated,
)
from bagen_data.hub import splits
from bagen_data.schema import Estimate, Forecast
from bagen_data.splits import Part

DIGITS = 2
"""Digits of what is taught: decimals of a probability, significant ones of an amount."""
_LEAST_CHANCE = 0.01
"""The least probability above 0 that is taught; the greatest below 1 is 1 minus this."""
_FEWEST_INSTANCES = 2


def names_forecaster(target: str) -> bool:
    """Return whether a target is the name of a forecaster, whose forecasts are taught.

    Raises:
        WrongUsageError: the forecaster answers with intervals only.

    >>> names_forecaster("aft"), names_forecaster("pct30")
    (True, False)
    """
    if target not in known_forecasters():
        return False
    if find_forecaster(target).learn_forecasts is None:
        raise WrongUsageError(
            f"target {target!r}: does not forecast; expected a forecaster that does, such as aft, "
            "forest or climatology"
        )
    return True


def distilled_forecasts(
    dataset: str, config: str, part: Part, target: str, seed: int = 0
) -> dict[str, Estimate]:
    """Return the forecast to teach for each sample of a part with something remaining, by its id.

    Samples before the first turn are learned about from such samples, and others from others.

    Args:
        dataset: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        config: a `<task>_train`.
        part: `sft`, `rl` or `heldout`.
        target: the forecaster's name, one of those with forecasts.
        seed: of the parts of instances, and of what is learned.

    Raises:
        InputError: the dataset cannot be read, or has too little to learn from.
        MissingExtraError: the forecaster needs a package that is not installed.
    """
    known = [
        each
        for split in splits(dataset, config)
        if split in TRAINING_SPLITS
        for each in load_examples(dataset, config, split).examples
    ]
    asked = load_examples(dataset, config, part).examples
    return unseen_forecasts(find_forecaster(target), known, asked, seed, f"{dataset}: {config}")


def unseen_forecasts(
    forecaster: Forecaster,
    known: Sequence[Example],
    asked: Sequence[Example],
    seed: int,
    where: str,
) -> dict[str, Estimate]:
    """Return forecasts of examples with something remaining, by what has not seen their instances.

    Args:
        forecaster: one with forecasts.
        known: examples of training, of one task.
        asked: some of them, or others.
        seed: of the parts of instances, and of what is learned.
        where: what a message calls them.

    Raises:
        InputError: there is too little to learn from.
        MissingExtraError: the forecaster needs a package that is not installed.
    """
    learn = forecaster.learn_forecasts
    if learn is None:
        raise WrongUsageError("the forecaster does not forecast")
    estimates: dict[str, Estimate] = {}
    for group in _groups(known, asked):
        _check_instances(group.known, where)
        if {each.sample_id for each in group.asked} <= {each.sample_id for each in group.known}:
            estimates |= cross_validated(learn, group.known, seed, forecaster.folds)
        else:
            estimates |= answered(learn, group.known, group.asked, seed)
    wanted = {each.sample_id for each in asked}
    return {name: _taught(each) for name, each in estimates.items() if name in wanted}


def taught(forecast: Forecast) -> Forecast:
    """Return a forecast in the digits that are taught, which a model can learn to write.

    An amount moves by 5% at most, and so the weighted interval score by less than 0.08.

    >>> taught(Forecast(0.0034, 0.8127, {"tokens": (0, 847, 1131, 1960, 26_010)}))
    Forecast(finish=0.01, success=0.81, quantiles={'tokens': (0, 850, 1100, 2000, 26000)})
    """
    quantiles = {
        name: tuple(map(_rounded_amount, each)) for name, each in forecast.quantiles.items()
    }
    return replace(
        forecast,
        finish=_rounded_chance(forecast.finish),
        success=_rounded_chance(forecast.success),
        quantiles=quantiles,
    )


class _Group(NamedTuple):
    """Examples that are learned from, and others that are asked about."""

    known: Sequence[Example]
    asked: Sequence[Example]


def _groups(known: Sequence[Example], asked: Sequence[Example]) -> Iterator[_Group]:
    """Yield the examples before the first turn, and those after one, where any are asked about.

    Where not all of those are examples of training, their instances are left out of training.
    """
    names = {each.sample_id for each in known}
    others = {each.instance_id for each in asked if each.sample_id not in names}
    teachers = [each for each in known if each.instance_id not in others]
    for is_start in (True, False):
        own = _of_group(asked, is_start)
        if own:
            yield _Group(_of_group(teachers, is_start), own)


def _of_group(examples: Sequence[Example], is_start: bool) -> list[Example]:
    """Return the examples of a group with something remaining."""
    return [
        each
        for each in examples
        if any(each.target.remaining.values()) and (not each.probe.turns) == is_start
    ]


def _check_instances(known: Sequence[Example], where: str) -> None:
    instances = {each.instance_id for each in known}
    if len(instances) < _FEWEST_INSTANCES:
        raise InputError(
            f"{where}: parts {' and '.join(TRAINING_SPLITS)} have {len(instances)} instances to "
            f"learn forecasts from; expected {_FEWEST_INSTANCES} or more, as each is forecast by "
            "what learned from the others; train on an interval variant, or build with more "
            "training rollouts"
        )


def _taught(estimate: Estimate) -> Estimate:
    """Return a forecaster's answer in the digits that are taught."""
    if estimate.forecast is None:
        raise ValueError("the estimate is not of a forecast")
    return taught(estimate.forecast).estimate()


def _rounded_chance(chance: float) -> float:
    """Return a probability in two decimals, 0 or 1 only where it is that."""
    if chance in (0, 1):
        return int(chance)
    return min(max(round(chance, DIGITS), _LEAST_CHANCE), 1 - _LEAST_CHANCE)


def _rounded_amount(amount: float) -> float:
    """Return an amount in two significant digits, a whole number without a point."""
    if amount <= 0:
        return 0
    digits = DIGITS - 1 - math.floor(math.log10(amount))
    rounded = round(float(amount), digits)
    return int(rounded) if rounded.is_integer() else rounded
