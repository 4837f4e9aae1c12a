"""Budgets of a hidden split: drawn from ranges that are the same for every rollout of a task.

A budget of the benchmark may tell what its rollout came to: a ratio of the rollout's own total, or
a median that the total is a part of. Even the median of all *other* rollouts does: it moves down
where the own total is high, so that two values of it sort all rollouts into halves. A range that is
the same for all, and a draw from it that looks at no rollout, tell nothing about one of them.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from bagen_data.budgets import Realised, fixed
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.schema import TARGET_PREFIX, Amounts, Budget
from bagen_data.tasks import BudgetRule, Task

FEWEST = 8
"""Rollouts that a range of what they came to needs: of fewer, it would tell of each."""
_ONE_LIMIT = (0.2, 0.8)
"""The quantiles of the totals between which budgets lie, where one amount is limited."""
_SEVERAL_LIMITS = (0.5, 0.9)
"""The same, where all of several limits must be kept at once."""
_MOST = 1e15
_BETWEEN = ".."


@dataclass(frozen=True)
class AmountRange:
    """The amounts that a limit is drawn from, both ends included."""

    low: float
    high: float
    is_whole: bool = True
    """Whether amounts are whole units."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and self.low <= self.high <= _MOST):
            raise ValueError(f"{self.low}..{self.high} is not a range of amounts")

    @property
    def middle(self) -> float:
        """The amount that half of the draws do not fall below, but for rounding."""
        return math.sqrt(self.low * self.high) if self.low > 0 else (self.low + self.high) / 2

    def draw(self, rng: random.Random) -> float:
        """Draw an amount, evenly on the log scale where all are above 0, to two digits."""
        if self.low == self.high:
            return self.low
        if self.low > 0:
            amount = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            amount = rng.uniform(self.low, self.high)
        return min(max(two_digits(amount, is_whole=self.is_whole), self.low), self.high)


def two_digits(amount: float, *, is_whole: bool) -> float:
    """Return an amount with two significant digits.

    >>> two_digits(8265, is_whole=True), two_digits(0.01234, is_whole=False)
    (8300, 0.012)
    """
    rounded = float(f"{amount:.2g}")
    return round(rounded) if is_whole else rounded


@dataclass(frozen=True)
class BudgetRanges:
    """The ranges of one task's budgets."""

    limits: Mapping[str, AmountRange]
    """Ranges of the limits by resource, in the order of answers."""
    conditions: Mapping[str, AmountRange]
    """Ranges of the targets by `target_<state>`."""

    def draw(self, rng: random.Random) -> Budget:
        """Draw a budget; no rollout is looked at."""
        return Budget(
            {name: own.draw(rng) for name, own in self.limits.items()},
            {name: own.draw(rng) for name, own in self.conditions.items()},
        )

    def often_allow(self, used: Amounts) -> bool:
        """Return whether half of the draws or more, about, leave a probe of this usage open."""
        return all(used[name] <= own.middle for name, own in self.limits.items())

    def record(self) -> dict[str, list[float]]:
        """Return `[low, high]` of each amount."""
        ranges = {**self.limits, **self.conditions}
        return {name: [own.low, own.high] for name, own in ranges.items()}


def budget_ranges(
    task: Task, rule: BudgetRule, realised: Sequence[Realised], stated: Mapping[str, AmountRange]
) -> BudgetRanges:
    """Return the ranges of a task's budgets.

    Args:
        task: the task.
        rule: its budget rule. Limits that it fixes stay fixed; others get the range between two
            quantiles of what all rollouts came to.
        realised: what every rollout came to that may be drawn, of all families.
        stated: ranges by resource and `target_<state>`, in place of those.

    Raises:
        InputError: a range is needed, and there are too few rollouts for it.
    """
    if isinstance(rule, partial) and rule.func is fixed:
        limits = cast("Amounts", rule.args[0])
        own = {name: AmountRange(limit, limit) for name, limit in limits.items()}
        return BudgetRanges({**own, **stated}, {})
    names = [resource.name for resource in task.resources]
    conditions = list(rule(realised)[0].conditions) if realised else []
    unknown = sorted(stated.keys() - {*names, *conditions})
    if unknown:
        raise InputError(
            f"a range of {', '.join(unknown)} is given; expected {', '.join((*names, *conditions))}"
        )
    if len(realised) < FEWEST and not stated.keys() >= {*names, *conditions}:
        raise InputError(
            f"{len(realised)} rollouts can be drawn; expected {FEWEST} or more for a range of what "
            "they came to; give a range with --budget TASK=LOW..HIGH"
        )
    shares = _ONE_LIMIT if len(names) + len(conditions) == 1 else _SEVERAL_LIMITS
    states = [name.removeprefix(TARGET_PREFIX) for name in conditions]
    mirrored = (1 - shares[1], 1 - shares[0])
    return BudgetRanges(
        {
            name: stated.get(name) or _between([each.totals[name] for each in realised], shares)
            for name in names
        },
        {
            name: stated.get(name)
            or _between([each.final_state[state] for each in realised], mirrored)
            for name, state in zip(conditions, states, strict=True)
        },
    )


def _between(amounts: Sequence[float], shares: tuple[float, float]) -> AmountRange:
    """Return the range between two quantiles, to two digits."""
    ranked = sorted(amounts)
    is_whole = all(type(amount) is int for amount in amounts)
    low, high = (
        two_digits(ranked[round(share * (len(ranked) - 1))], is_whole=is_whole) for share in shares
    )
    return AmountRange(low, high, is_whole)


def stated_ranges(name: str, task: Task, text: str) -> dict[str, AmountRange]:
    """Return the ranges that a `--budget` value of a hidden split states.

    `2500` is fixed, and `2000..9000` a range. A task of several resources takes
    `RESOURCE:VALUE,...`; what is left out has the range of what all rollouts came to.

    Args:
        name: the task's.
        task: the task.
        text: the value.

    Raises:
        WrongUsageError: the value is neither, or names what the task does not limit.
    """
    names = [resource.name for resource in task.resources]
    if ":" not in text and len(names) == 1:
        text = f"{names[0]}:{text}"
    ranges: dict[str, AmountRange] = {}
    for part in text.split(","):
        key, _, value = part.rpartition(":")
        is_known = key in names or key.startswith(TARGET_PREFIX)
        try:
            if not is_known or key in ranges:
                raise ValueError(f"{key} is not an amount of {name}, or appears twice")
            ranges[key] = _parsed(value, is_limit=key in names)
        except ValueError as error:
            raise WrongUsageError(
                f"--budget {name}={text}: with --hidden, a budget must not follow from what "
                "rollouts came to; expected a number such as 2500 or a range such as 2000..9000, "
                f"for several resources {','.join(f'{each}:VALUE' for each in names)}"
            ) from error
    return ranges


def _parsed(text: str, *, is_limit: bool) -> AmountRange:
    first, between, second = text.partition(_BETWEEN)
    low, high = float(first), float(second if between else first)
    if not math.isfinite(low + high) or (is_limit and low < 0):
        raise ValueError(f"{text} is not finite, or below 0")
    is_whole = low == int(low) and high == int(high)
    return AmountRange(int(low), int(high)) if is_whole else AmountRange(low, high, is_whole=False)
