"""The reference is what section 8 of the specification says, word for word."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bagen_data.climatology import climatology
from bagen_data.errors import InputError
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, sample

Row = dict[str, Any]


def family_of(rows: Sequence[Row]) -> FamilyColumns:
    (family,) = SampleTable.of(list(rows)).families
    return family


def made_rows(rng: random.Random, resources: Sequence[str], rollouts: int) -> list[Row]:
    """Rows of a family: instances of several rollouts, gaps between turns, few successes."""
    success_rate = rng.choice([0.0, 0.1, 0.5, 1.0])
    instances = rng.randint(2, max(2, rollouts))
    most_turns = rng.choice([2, 5, 40])
    rows = []
    for number in range(rollouts):
        instance = number // 2 if number < 4 else number % instances
        success = rng.random() < success_rate
        feasible = success and rng.random() < 0.6
        turns = rng.randint(2, most_turns)
        kept = [k for k in range(1, turns) if rng.random() < 0.8] or [1]
        for k in kept:
            amounts = [
                {
                    "resource": name,
                    "budget": 50.0,
                    "used": float(rng.randint(0, 50 if feasible else 70)),
                    "remaining": round(30 * rng.random(), rng.randint(0, 2)),
                }
                for name in resources
            ]
            rows.append(
                {
                    "sample_id": f"t/m/r{number:03}/{k}",
                    "instance_id": f"i{instance}",
                    "feasible": feasible,
                    "rollout_success": success,
                    "resources": amounts,
                }
            )
    return rows


def slow_reference(rows: Sequence[Row], row: Row) -> tuple[float, float, list[list[float]]]:
    """The reference of one sample, from the specification's words."""
    own_turn = turn_of(row)
    others = [each for each in rows if each["instance_id"] != row["instance_id"]]
    rollouts = {rollout_of(each): each for each in others}
    with_open = {rollout_of(each): each for each in others if is_open(each)}
    feasible = [each["feasible"] for each in with_open.values()]
    finish = sum(feasible) / len(feasible) if feasible and is_open(row) else 0.0
    succeeded = [each["rollout_success"] for each in rollouts.values()]
    sources = [each for each in others if each["rollout_success"] or not any(succeeded)]
    distance = 0
    while True:
        nearest: dict[str, Row] = {}
        for each in sorted(sources, key=lambda one: (abs(turn_of(one) - own_turn), turn_of(one))):
            if abs(turn_of(each) - own_turn) <= distance:
                nearest.setdefault(rollout_of(each), each)
        if len(nearest) >= min(8, len({rollout_of(each) for each in sources})):
            break
        distance += 1
    amounts = [[each["remaining"] for each in one["resources"]] for one in nearest.values()]
    quantiles = [
        np.quantile(column, QUANTILE_LEVELS).tolist() for column in zip(*amounts, strict=True)
    ]
    return finish, sum(succeeded) / len(succeeded), quantiles


def turn_of(row: Row) -> int:
    return int(row["sample_id"].rpartition("/")[2])


def rollout_of(row: Row) -> str:
    return str(row["sample_id"].rpartition("/")[0])


def is_open(row: Row) -> bool:
    return all(each["used"] <= each["budget"] for each in row["resources"])


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("cells", [1, 1 << 19])
def test_it_is_what_the_specification_says(
    resources: Sequence[str], cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagen_data.climatology._MOST_CELLS", cells)
    rng = random.Random(f"{cells} {len(resources)}")
    for _ in range(10):
        rows = made_rows(rng, resources, rng.choice([3, 6, 12, 30]))
        if len({row["instance_id"] for row in rows}) < 2:
            continue
        family = family_of(rows)
        forecasts = climatology(family)
        assert forecasts is not None
        places = np.arange(len(rows))[family.rows]
        for position, place in enumerate(places):
            finish, success, quantiles = slow_reference(rows, rows[place])
            assert forecasts.finish[position] == finish
            assert forecasts.success[position] == success
            assert forecasts.quantiles[:, :, position].tolist() == quantiles


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = made_rows(random.Random(5), TOKENS, 20)
    shuffled = random.Random(6).sample(rows, len(rows))
    by_id = []
    for each in (rows, shuffled):
        family = family_of(each)
        forecasts = climatology(family)
        assert forecasts is not None
        ids = [each[place]["sample_id"] for place in np.arange(len(each))[family.rows]]
        by_id.append(dict(zip(ids, forecasts.quantiles[0].T.tolist(), strict=True)))
    assert by_id[0] == by_id[1]


def test_a_family_of_one_instance_has_no_reference() -> None:
    rows = [sample(f"t/m/{name}/1", rollout_success=True, instance_id="i") for name in "abc"]
    assert climatology(family_of(rows)) is None


def test_samples_need_to_say_which_rollouts_succeeded() -> None:
    family = family_of([sample("t/m/a/1"), sample("t/m/b/1")])
    with pytest.raises(InputError, match="no column 'rollout_success'"):
        climatology(family)


def test_a_family_without_an_open_probe_elsewhere_never_finishes() -> None:
    rows = [
        sample("t/m/a/1", feasible=False, rollout_success=True, used=100.0),
        sample("t/m/b/1", feasible=False, rollout_success=True, used=1000.0),
    ]
    forecasts = climatology(family_of(rows))
    assert forecasts is not None
    assert forecasts.finish.tolist() == [0.0, 0.0]
    assert forecasts.success.tolist() == [1.0, 1.0]


def test_sixty_thousand_rollouts_need_no_copy_of_a_window_for_each() -> None:
    rollouts, turns = 60_000, 3
    rollout = np.repeat(np.arange(rollouts), turns)
    small = family_of(
        [sample("t/m/a/1", rollout_success=True), sample("t/m/b/1", rollout_success=True)]
    )
    total = np.arange(len(rollout), dtype=np.float64)[np.newaxis]
    family = replace(
        small,
        rollout=rollout,
        first=np.arange(0, len(rollout), turns),
        instance=np.arange(rollouts),
        completed_turns=np.tile(np.arange(1, turns + 1), rollouts),
        feasible=np.ones(len(rollout), bool),
        rollout_success=np.ones(len(rollout), bool),
        budget=total,
        used=total,
        remaining=total,
    )
    forecasts = climatology(family)
    assert forecasts is not None
    middle = forecasts.quantiles[0, 2]
    assert math.isclose(middle[0], total[0, turns::turns].mean())
    assert set(forecasts.finish.tolist()) == {1.0}
