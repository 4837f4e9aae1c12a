"""Replay a recorded rollout prefix by prefix: rollout and budget in, probes and targets out."""

from collections.abc import Iterable, Iterator, Sequence

from bagen_data.budgets import Realised
from bagen_data.schema import (
    SUM_DECIMALS,
    Amounts,
    Budget,
    Estimate,
    Interval,
    Probe,
    Rollout,
    Target,
    Turn,
)

_START, _NONE = range(1), range(0)
"""Prefixes that many rollouts share: k = 0 alone, and none."""


def benchmark_prefixes(total_turns: int) -> range:
    """Return all k = 1 .. T-1: the last turn leaves nothing to estimate.

    >>> list(benchmark_prefixes(4))
    [1, 2, 3]
    """
    return range(1, total_turns)


def start_prefixes(total_turns: int) -> range:
    """Return k = 0, before the first turn, of a rollout with benchmark probes; else nothing.

    >>> list(start_prefixes(2)), list(start_prefixes(1))
    ([0], [])
    """
    return _START if total_turns > 1 else _NONE


def training_prefixes(total_turns: int) -> range:
    """Return all k = 0 .. T; an empty range for a rollout without a turn.

    >>> list(training_prefixes(2)), list(training_prefixes(0))
    ([0, 1, 2], [])
    """
    return range(total_turns + 1 if total_turns else 0)


def realised(rollout: Rollout, resources: Iterable[str]) -> Realised:
    """Return the outcome of a rollout of at least one turn."""
    totals = {name: _total(turn.usage[name] for turn in rollout.turns) for name in resources}
    return Realised(totals, rollout.turns[-1].state)


def _total(amounts: Iterable[float]) -> float:
    """Return a sum as `plus` makes it."""
    total: float = 0
    for amount in amounts:
        total = plus(total, amount)
    return total


def plus(one: float, other: float) -> float:
    """Return a sum of decimal amounts that is the decimal number nearest to it.

    Whole amounts stay exact. Floats of amounts such as 0.1 and 0.2 do not add up to the float of
    0.3, and a total is compared with a budget to the last digit.

    >>> plus(0.1, 0.2), plus(30, 50)
    (0.3, 80)
    """
    total = one + other
    return total if type(total) is int else round(total, SUM_DECIMALS)


def succeeded(rollout: Rollout, budget: Budget) -> bool:
    """Return whether a run succeeded, and its final state reached every `target_<state>`."""
    return rollout.success and budget.is_reached_by(rollout.turns[-1].state)


def replay(
    rollout: Rollout, budget: Budget, prefixes: Iterable[int]
) -> Iterator[tuple[Probe, Target]]:
    """Return the probe and the target after each k of `prefixes`.

    Feasible means: the rollout succeeded and every resource's total is within its budget, so all
    of a rollout's targets share one label. At k = 0 only the first user message is shown, and its
    tokens count as used.

    Args:
        rollout: with at least one turn.
        budget: limits each resource that the rollout's turns have usage of.
        prefixes: each k from 0 to the number of turns.

    >>> from bagen_data.schema import Turn
    >>> def turn(i, o):
    ...     usage = {"input_tokens": i, "output_tokens": o, "tokens": i + o}
    ...     return Turn("look", "go", usage)
    >>> rollout = Rollout("sokoban", "m", "r", "i", "", (turn(30, 50), turn(10, 70)), success=True)
    >>> [(dict(p.used), dict(t.remaining), t.feasible)
    ...  for p, t in replay(rollout, Budget({"tokens": 160}), (0, 1))]
    [({'tokens': 30}, {'tokens': 130}, True), ({'tokens': 80}, {'tokens': 80}, True)]
    """
    used = _used_by_prefix(rollout.turns, tuple(budget.limits))
    whole = Realised(used[-1], rollout.turns[-1].state)
    yield from _pairs(rollout, whole, budget, used, prefixes)


def replay_head(
    head: Rollout, whole: Realised, budget: Budget, prefixes: Iterable[int]
) -> Iterator[tuple[Probe, Target]]:
    """Yield the pairs of `replay` for a rollout whose first turns alone are at hand.

    Args:
        head: the rollout with its first turns, as many as the largest of `prefixes` or more, and
            at least one.
        whole: the outcome of the whole rollout.
        budget: limits each resource that the rollout's turns have usage of.
        prefixes: each k from 0 to the number of turns in `head`.

    >>> from bagen_data.schema import Turn
    >>> head = Rollout("wiki", "m", "r", "i", "", (Turn("look", "go", {"turns": 1}),), success=True)
    >>> ((_, target),) = replay_head(head, Realised({"turns": 7}, {}), Budget({"turns": 7}), [1])
    >>> target
    Target(feasible=True, remaining={'turns': 6})
    """
    used = _used_by_prefix(head.turns, tuple(budget.limits))
    yield from _pairs(head, whole, budget, used, prefixes)


def _pairs(
    head: Rollout,
    whole: Realised,
    budget: Budget,
    used: Sequence[Amounts],
    prefixes: Iterable[int],
) -> Iterator[tuple[Probe, Target]]:
    is_reached = head.success and budget.is_reached_by(whole.final_state)
    feasible = is_reached and budget.allows(whole.totals)
    for k in prefixes:
        probe = Probe(
            task=head.task,
            system=head.system,
            turns=head.turns[:k],
            opening="" if k else head.turns[0].user,
            used=used[k],
            state=head.turns[k - 1].state if k else head.initial_state,
            budget=budget,
        )
        remaining = {name: plus(whole.totals[name], -used[k][name]) for name in budget.limits}
        yield probe, Target(feasible, remaining)


def _used_by_prefix(turns: Sequence[Turn], resources: tuple[str, ...]) -> list[Amounts]:
    """Return the amounts spent after each k = 0 .. T, for T turns."""
    first = turns[0].usage
    running: dict[str, float] = dict.fromkeys(resources, 0)
    opening = running | ({"tokens": first["input_tokens"]} if "tokens" in running else {})
    used: list[Amounts] = [opening]
    for turn in turns:
        running = {name: plus(amount, turn.usage[name]) for name, amount in running.items()}
        used.append(running)
    return used


def gold_estimate(target: Target) -> Estimate:
    """Return the best possible answer: the exact remainders, or infeasible.

    >>> gold_estimate(Target(True, {"tokens": 130})).intervals
    {'tokens': Interval(low=130, high=130)}
    """
    if not target.feasible:
        return Estimate("infeasible")
    return Estimate("feasible", {name: Interval(r, r) for name, r in target.remaining.items()})
