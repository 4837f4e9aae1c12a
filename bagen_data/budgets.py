"""Budget rules: what a rollout may spend in total.

Each rule takes what the rollouts really spent and returns one `Budget` a rollout, in the same
order. Random rules take their generator, so a caller owns the seed.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bagen_data.errors import InputError
from bagen_data.schema import TARGET_PREFIX, Amounts, Budget

_MOST_DRAWS = 10_000
"""Draws after which a rollout that no ratio can violate is given up on."""


@dataclass(frozen=True)
class Realised:
    """The totals and the final state of one recorded rollout."""

    totals: Amounts
    """Amounts spent over the whole rollout, by resource."""
    final_state: Amounts
    """Amounts of the environment after the last turn, by state, e.g. `cash_usd`."""


def fixed(limits: Amounts, rollouts: Sequence[Realised]) -> list[Budget]:
    """Return a budget of the same limits for every rollout."""
    return [Budget(limits)] * len(rollouts)


def family_median(rollouts: Sequence[Realised], resource: str) -> list[Budget]:
    """Return budgets at a family's median total; the lower middle one of two if not whole.

    Raises:
        InputError: the rollouts do not spend the resource.

    >>> totals = [Realised({"tokens": n}, {}) for n in (10, 20, 31, 90)]
    >>> family_median(totals, "tokens")[0].limits["tokens"]    # 25.5 is not an integer
    20
    """
    return family_medians(rollouts, (resource,))


def family_medians(rollouts: Sequence[Realised], resources: Sequence[str]) -> list[Budget]:
    """Return budgets at a family's median total of each resource, as `family_median` takes it.

    >>> rollouts = [Realised({"turns": n, "cost_usd": n / 8}, {}) for n in (2, 4, 9)]
    >>> family_medians(rollouts, ("turns", "cost_usd"))[0].limits
    {'turns': 4, 'cost_usd': 0.5}
    """
    if not rollouts:
        return []
    return fixed({name: _median(rollouts, name) for name in resources}, rollouts)


def _median(rollouts: Sequence[Realised], resource: str) -> float:
    if resource not in rollouts[0].totals:
        known = ", ".join(rollouts[0].totals)
        raise InputError(
            f"a median of {resource} is asked for; rollouts of this task spend {known}"
        )
    totals = sorted(rollout.totals[resource] for rollout in rollouts)
    low, high = totals[(len(totals) - 1) // 2], totals[len(totals) // 2]
    return int((low + high) // 2) if (low + high) % 2 == 0 else low


def allowed_or_median(
    allowances: Mapping[str, "Allowance"], medians: Sequence[str], rollouts: Sequence[Realised]
) -> list[Budget]:
    """Return budgets as `allowed` does, with the family's median of the resources in `medians`."""
    if not rollouts:
        return []
    limits = {name: Allowance(_median(rollouts, name)) for name in medians}
    return allowed({**allowances, **limits}, rollouts)


@dataclass(frozen=True)
class Allowance:
    """A fixed amount, or a ratio of what the rollout itself came to."""

    number: float
    is_ratio: bool = False

    def of(self, realised_amount: float) -> float:
        """Return the amount allowed.

        A ratio of an int is rounded to whole units, and a ratio of a float to a millionth.
        """
        if not self.is_ratio:
            return self.number
        allowed = realised_amount * self.number
        return round(allowed) if isinstance(realised_amount, int) else round(allowed, 6)


def allowed(allowances: Mapping[str, Allowance], rollouts: Sequence[Realised]) -> list[Budget]:
    """Return budgets with a limit for each resource and a target for each state.

    A target left out is the final state.

    Args:
        allowances: allowances by resource, and by `target_<state>`.
        rollouts: outcomes of the rollouts.

    Raises:
        InputError: a target on a state that the rollouts do not have.

    >>> rollout = Realised({"time_weeks": 20}, {"cash_usd": 500})
    >>> allowed({"time_weeks": Allowance(0.5, is_ratio=True)}, [rollout])
    [Budget(limits={'time_weeks': 10}, conditions={'target_cash_usd': 500})]
    """
    unchanged = Allowance(1.0, is_ratio=True)
    budgets = []
    for rollout in rollouts:
        finals = {
            f"{TARGET_PREFIX}{state}": amount for state, amount in rollout.final_state.items()
        }
        unknown = sorted(allowances.keys() - rollout.totals.keys() - finals.keys())
        if unknown:
            raise InputError(
                f"budget on {', '.join(unknown)}; expected {', '.join((*rollout.totals, *finals))}"
            )
        limits = {name: allowances[name].of(total) for name, total in rollout.totals.items()}
        targets = {
            name: allowances.get(name, unchanged).of(final) for name, final in finals.items()
        }
        budgets.append(Budget(limits, targets))
    return budgets


def half_feasible(
    rollouts: Sequence[Realised],
    *,
    exact: str,
    loose: Sequence[str],
    state: str,
    rng: random.Random,
) -> list[Budget]:
    """Return budgets that make half of a family feasible and half infeasible (paper, B.4).

    Indices are shuffled and the first half, rounded down, is the infeasible group. Then, in order:
    a feasible rollout gets a target of 50-100% of its final state, its exact total of one resource
    and 100-120% of the others; an infeasible one gets 50-200% of all, drawn again until the
    recorded rollout violates at least one of them.

    Args:
        rollouts: a family's rollouts in file order, with amounts in whole units.
        exact: the resource whose budget is the realised total, e.g. `time_weeks`.
        loose: the resources drawn after it, in this order.
        state: the state a target is set on, e.g. `cash_usd`.
        rng: seeded by the caller.

    Raises:
        InputError: a rollout of the infeasible group that no draw makes infeasible.
    """
    order = list(range(len(rollouts)))
    rng.shuffle(order)
    infeasible = set(order[: len(order) // 2])
    return [
        _infeasible_budget(rollout, (exact, *loose), state, rng)
        if index in infeasible
        else _feasible_budget(rollout, exact, loose, state, rng)
        for index, rollout in enumerate(rollouts)
    ]


def _feasible_budget(
    rollout: Realised, exact: str, loose: Sequence[str], state: str, rng: random.Random
) -> Budget:
    final = rollout.final_state[state]
    target = min(final, round(final * rng.uniform(0.5, 1.0)))
    limits = {exact: rollout.totals[exact]}
    for name in loose:
        limits[name] = round(rollout.totals[name] * rng.uniform(1.0, 1.2))
    return Budget(limits, {f"{TARGET_PREFIX}{state}": target})


def _infeasible_budget(
    rollout: Realised, names: Sequence[str], state: str, rng: random.Random
) -> Budget:
    for _ in range(_MOST_DRAWS):
        target = round(rollout.final_state[state] * rng.uniform(0.5, 2.0))
        limits = {name: round(rollout.totals[name] * rng.uniform(0.5, 2.0)) for name in names}
        budget = Budget(limits, {f"{TARGET_PREFIX}{state}": target})
        if not (budget.allows(rollout.totals) and budget.is_reached_by(rollout.final_state)):
            return budget
    raise InputError(
        f"no budget of 50-200% of {dict(rollout.totals)} with a final {state} of "
        f"{rollout.final_state[state]} is ever violated; drop the rollout or give a fixed budget"
    )
