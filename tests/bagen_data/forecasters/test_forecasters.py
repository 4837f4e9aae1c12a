"""Rules, and what is known of a turn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagen_data import forecasters
from bagen_data.errors import WrongUsageError
from bagen_data.forecasters import Answer, find_forecaster, known_forecasters
from bagen_data.forecasters.learning.examples import Example
from bagen_data.replay import replay
from bagen_data.schema import Budget, Estimate, Interval, Probe
from tests.making import WAREHOUSE_BUDGET, rollout, warehouse_rollout

INFEASIBLE = Estimate("infeasible")


def probes(turns: Sequence[tuple[int, int]], budget: int, *prefixes: int) -> list[Probe]:
    recorded = rollout(turns)
    asked = prefixes or range(1, len(turns))
    return [probe for probe, _ in replay(recorded, Budget({"tokens": budget}), asked)]


def examples(
    *rollouts: Sequence[tuple[int, int]], budget: int = 10_000, success: bool = True
) -> list[Example]:
    taught = []
    for number, turns in enumerate(rollouts):
        name = f"{success}{number}"
        recorded = rollout(turns, success)
        for k, (probe, target) in enumerate(
            replay(recorded, Budget({"tokens": budget}), range(1, len(turns))), 1
        ):
            taught.append(
                Example(f"{name}/{k}", "sokoban/m", name, name, probe, target, len(turns), success)
            )
    return taught


def learned(name: str, known: Sequence[Example] = ()) -> Answer:
    return find_forecaster(name).learn(known, 0)


def tokens(low: float, high: float) -> Estimate:
    return Estimate("feasible", {"tokens": Interval(low, high)})


def test_over_budget_is_impossible_exactly_where_the_usage_exceeds_the_budget() -> None:
    asked = probes([(50, 50), (30, 20), (1, 0), (5, 5)], 150)
    assert learned("over_budget")(asked) == [tokens(0, 50), tokens(0, 0), INFEASIBLE]
    assert learned("always_feasible")(asked) == [tokens(0, 50), tokens(0, 0), tokens(0, 0)]
    assert learned("always_infeasible")(asked) == [INFEASIBLE] * 3


def test_one_of_several_budgets_exceeded_is_enough() -> None:
    budget = Budget(dict(WAREHOUSE_BUDGET.limits) | {"time_weeks": 3}, WAREHOUSE_BUDGET.conditions)
    asked = [probe for probe, _ in replay(warehouse_rollout([9, 9, 9]), budget, [1, 2])]
    verdicts = [estimate.verdict for estimate in learned("over_budget")(asked)]
    assert verdicts == ["feasible", "infeasible"]


def test_quantiles_are_those_of_feasible_rollouts_at_the_turn() -> None:
    remaining = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100]
    known = examples(*([(10, 10), (0, amount)] for amount in remaining))
    failed = examples(*([(10, 10), (0, 9)] for _ in range(50)), success=False)
    answer = learned("quantiles", known + failed)
    low, high = np.quantile(remaining, [0.1, 0.9])
    assert answer(probes([(10, 10), (5, 5)], 5_000)) == [tokens(np.floor(low), np.ceil(high))]
    assert answer(probes([(10, 10), (5, 5)], 720)) == [tokens(np.floor(low), 700)]
    assert answer(probes([(10, 10), (5, 5)], 610)) == [INFEASIBLE]


def test_median_22() -> None:
    known = examples(*([(10, 10), (0, amount)] for amount in (800, 1000, 4000)))
    assert learned("median_22", known)(probes([(10, 10), (5, 5)], 9_999)) == [tokens(780, 1220)]
    assert find_forecaster("median_22").settings == {"tuned_to": "reward"}


def test_a_turn_that_few_rollouts_reached_borrows_from_its_neighbours() -> None:
    known = examples(*([(10, 10), (0, 100), (0, 50)] for _ in range(20)))
    (estimate,) = learned("quantiles", known)(probes([(1, 1)] * 9, 9_999, 8))
    assert estimate == tokens(50, 50)


def test_extrapolation_goes_on_as_before() -> None:
    known = examples(*([(90, 10), *[(0, 20)] * 4] for _ in range(6)))
    answer = learned("extrapolation", known)
    (first, second) = answer(probes([(900, 0), (0, 30), (0, 30), (0, 30)], 99_999, 1, 3))
    assert first == tokens(80, 80)  # no rate of its own yet: that of training
    assert second == tokens(60, 60)
    assert answer(probes([(900, 0), (0, 30), (0, 30), (0, 30)], 1_010, 3)) == [INFEASIBLE]


def test_extrapolation_knows_a_fixed_horizon() -> None:
    recorded = warehouse_rollout([9] * 11)
    asked = list(replay(recorded, WAREHOUSE_BUDGET, range(1, 11)))
    known = [
        Example(f"r/{k}", "warehouse/m", "r", "r", probe, target, 11, True)
        for k, (probe, target) in enumerate(asked, 1)
    ]
    estimates = learned("extrapolation", known)([probe for probe, _ in asked])
    for (_, target), estimate in zip(asked, estimates, strict=True):
        weeks = target.remaining["time_weeks"]
        assert estimate.intervals["time_weeks"] == Interval(weeks, weeks)


def test_without_a_feasible_example_nothing_is_feasible() -> None:
    known = examples([(1, 1), (2, 2)], success=False)
    for name in ("quantiles", "median_22"):
        assert learned(name, known)(probes([(1, 1), (2, 2)], 99)) == [INFEASIBLE]


@pytest.mark.parametrize("name", known_forecasters())
@pytest.mark.parametrize("seed", [0, 7])
def test_every_answer_is_whole_and_within_what_is_left(name: str, seed: int) -> None:
    rng = np.random.default_rng(3)

    def made(number: int) -> Any:
        return [[(int(a), int(b)) for a, b in rng.integers(1, 99, (5, 2))] for _ in range(number)]

    known = examples(*made(8), budget=600) + examples(*made(4), budget=600, success=False)
    asked = [probe for turns in made(6) for probe in probes(turns, 450, 0, 1, 2, 3, 4, 5)]
    estimates = find_forecaster(name).learn(known, seed)(asked)
    again = find_forecaster(name).learn(known, seed)(asked)
    assert estimates == again
    for probe, estimate in zip(asked, estimates, strict=True):
        for interval in estimate.intervals.values():
            left = max(0, probe.budget.limits["tokens"] - probe.used["tokens"])
            assert 0 <= interval.low <= interval.high <= left
            assert float(interval.low).is_integer()
            assert float(interval.high).is_integer()


def test_the_simplest_come_first_and_each_is_there() -> None:
    here = Path(forecasters.__file__).parent
    assert set(known_forecasters()) == {path.stem for path in here.glob("[a-z]*.py")}
    assert known_forecasters() == [
        *("always_infeasible", "always_feasible", "over_budget"),
        *("extrapolation", "quantiles", "median_22", "conformal", "reward_optimal"),
        *("climatology", "aft", "forest"),
    ]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WrongUsageError, match=r"always_infeasible.*forest"):
        find_forecaster("oracle")


def test_ten_probes_are_enough_and_fewer_are_not() -> None:
    """Nine at the turn, 100 each, and as many at the next, 10 each, of which one more is needed."""
    known = examples(*([(0, 100), (0, 90), (0, 10)] for _ in range(9)))
    (estimate,) = learned("quantiles", known)(probes([(1, 1), (1, 1), (1, 1)], 9_999, 1))
    assert estimate == tokens(10, 100)
    known = examples(*([(0, 100), (0, 90), (0, 10)] for _ in range(10)))
    (estimate,) = learned("quantiles", known)(probes([(1, 1), (1, 1), (1, 1)], 9_999, 1))
    assert estimate == tokens(100, 100)


def of_warehouse(turns: int, *prefixes: int) -> list[Example]:
    recorded = warehouse_rollout([99] * turns)
    pairs = replay(recorded, WAREHOUSE_BUDGET, prefixes)
    return [
        Example(f"r/{k}", "warehouse/m", "r", "r", probe, target, turns, True)
        for k, (probe, target) in zip(prefixes, pairs, strict=True)
    ]


@pytest.mark.parametrize("name", ["quantiles", "extrapolation"])
@pytest.mark.parametrize("short", list(WAREHOUSE_BUDGET.limits))
def test_one_resource_that_will_not_last_is_enough(name: str, short: str) -> None:
    known = of_warehouse(6, 3) * 12
    used, remaining = known[0].probe.used[short], known[0].target.remaining[short]
    for left, verdict in ((remaining + 1, "feasible"), (remaining / 2, "infeasible")):
        budget = Budget(
            dict(WAREHOUSE_BUDGET.limits) | {short: used + left}, WAREHOUSE_BUDGET.conditions
        )
        asked = [probe for probe, _ in replay(warehouse_rollout([99] * 6), budget, [3])]
        (estimate,) = learned(name, known)(asked)
        assert estimate.verdict == verdict


def test_the_spread_of_extrapolation_is_that_of_feasible_rollouts() -> None:
    feasible = examples(*([(90, 10), *[(0, 20)] * 4] for _ in range(6)))
    failed = examples(*([(90, 10), (0, 20), *[(0, 900)] * 3] for _ in range(6)), success=False)
    (estimate,) = learned("extrapolation", feasible + failed)(
        probes([(9, 0), *[(0, 30)] * 3], 9_999, 3)
    )
    assert estimate == tokens(60, 60)


def test_a_rollout_longer_than_all_known_takes_one_more_turn() -> None:
    known = examples(*([(90, 10), *[(0, 20)] * 2] for _ in range(6)))
    (estimate,) = learned("extrapolation", known)(probes([(9, 0), *[(0, 30)] * 8], 9_999, 8))
    assert estimate == tokens(30, 30)
    (estimate,) = learned("extrapolation", known)(probes([(9, 0), *[(0, 30)] * 8], 9_999, 3))
    assert estimate == tokens(30, 30)


def test_long_rollouts_count_once() -> None:
    """Two short ones and one long one: the median length is the short one's."""
    short, long = [(9, 1), (0, 20), (0, 20)], [(9, 1), *[(0, 20)] * 30]
    known = examples(short, short, long)
    (estimate,) = learned("extrapolation", known)(probes([(9, 0), (0, 30), (0, 30)], 99_999, 1))
    assert estimate.intervals["tokens"].low <= 2 * 20
