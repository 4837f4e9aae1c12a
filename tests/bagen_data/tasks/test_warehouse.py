"""Warehouse: accounts of turns, states and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.making import build, build_record, read, rows_of, run, warehouse, write_json


def test_warehouse_accounts(tmp_path: Path) -> None:
    family = tmp_path / "warehouse-origin-m"
    write_json(family / "runs.json", [warehouse(steps=3, final_cash=900.5)])
    [rollout] = read(family).rollouts
    assert [turn.usage["time_weeks"] for turn in rollout.turns] == [2, 2, 2]
    assert [turn.usage["cumulative_cost_usd"] for turn in rollout.turns] == [50, 50, 50]
    assert [turn.state["cash_usd"] for turn in rollout.turns] == [700, 800, 900]  # half to even
    assert rollout.initial_state == {"cash_usd": 500}
    assert rollout.success


def test_states_may_be_printed_text(tmp_path: Path) -> None:
    record = warehouse(steps=2, initial_state=None, final_state="Day: 28\nCash: $1,234.56")
    record["turns"][0]["user_prompt"] = "Cash on hand: $500,000.00"
    for turn in record["turns"]:
        del turn["financials"]["cash"]
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", [record])
    [rollout] = read(tmp_path / "warehouse-origin-m").rollouts
    assert rollout.initial_state == {"cash_usd": 500_000}
    assert [turn.state["cash_usd"] for turn in rollout.turns] == [500_000, 1_235]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda record: record["turns"][1].pop("financials"), "turn 2 has no financials"),
        (
            lambda record: record["turns"][1]["financials"].update(cumulative_cost=1),
            "falls from 50",
        ),
        (lambda record: record.update(final_state={}), "expected its day"),
        (lambda record: record.update(final_state={"day": 14}), "time_weeks falls from"),
        (lambda record: record.update(final_state={"day": 1}), "at least a step of 14 days"),
        (lambda record: record["turns"][1]["financials"].update(cash="much"), 'cash is "much"'),
    ],
)
def test_warehouse_refusals(tmp_path: Path, change: Any, problem: str) -> None:
    record = warehouse(steps=3)
    change(record)
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", [record])
    assert problem in read(tmp_path / "warehouse-origin-m").refused[0].reason


@pytest.mark.parametrize("change", [{"context_token_truncated": True}, {"raw_response": ""}])
def test_all_accounts_end_at_the_last_turn_that_is_kept(tmp_path: Path, change: Any) -> None:
    record = warehouse(steps=3)
    record["turns"][2].update(change)
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", [record])
    index = read(tmp_path / "warehouse-origin-m")
    assert list(index.entries[0].realised.totals.values()) == [4, 40, 100]
    assert index.entries[0].realised.final_state == {"cash_usd": 800}


@pytest.mark.parametrize("amount", [10**400, 1.7e308, 1e17, float("nan"), None])
def test_amounts_that_no_table_holds_exactly(tmp_path: Path, amount: Any) -> None:
    record = warehouse(steps=2)
    record["turns"][1]["financials"]["cumulative_cost"] = amount
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", [record, warehouse("b")])
    index = read(tmp_path / "warehouse-origin-m")
    assert len(index.entries) == 1
    assert "financials.cumulative_cost is" in index.refused[0].reason


def test_a_target_is_no_cash(tmp_path: Path) -> None:
    record = warehouse(steps=2, final_state="Day: 28\nTarget cash: $9\n- Cash on hand: -$5")
    for turn in record["turns"]:
        turn["user_prompt"] = "Target cash: $600,000\nCash: $500"
        del turn["financials"]["cash"]
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", [record])
    [rollout] = read(tmp_path / "warehouse-origin-m").rollouts
    assert [turn.state["cash_usd"] for turn in rollout.turns] == [500, -5]


def test_training_needs_the_state_before_turn_1(tmp_path: Path) -> None:
    for role, refused in (("train", 1), ("origin", 0)):
        family = tmp_path / f"warehouse-{role}-m"
        write_json(family / "runs.json", [warehouse(initial_state=None)])
        assert len(read(family).refused) == refused


def test_rollouts_of_one_turn_take_no_part_in_the_draws(tmp_path: Path) -> None:
    """Rollouts of one turn have no probe; a draw for them would change the others' draws."""
    long = [warehouse(name, steps=3, final_cash=900 + n) for n, name in enumerate("abcd")]
    short = [warehouse(name, steps=1) for name in "xyz"]
    for role in ("origin", "train"):
        mixed = [short[0], *long[:2], *short[1:], *long[2:]]
        for out, records in (("alone", long), ("mixed", mixed)):
            write_json(tmp_path / out / f"warehouse-{role}-m" / "runs.json", records)
            assert build(tmp_path / out, tmp_path / f"{out}-{role}") == 0
            (tmp_path / out / f"warehouse-{role}-m" / "runs.json").unlink()
            (tmp_path / out / f"warehouse-{role}-m").rmdir()
        alone, together = (
            {row["sample_id"]: row for row in rows_of(tmp_path / f"{name}-{role}")}
            for name in ("alone", "mixed")
        )
        assert together == alone
    (family,) = build_record(tmp_path / "mixed-origin")["families"]
    assert (family["counts"]["rollouts"], family["counts"]["without_samples"]) == (7, 3)
    rollouts = rows_of(tmp_path / "mixed-origin", "rollouts")
    assert [len(row["budget"]) for row in rollouts] == [0, 3, 3, 0, 0, 3, 3]
    assert run("verify", tmp_path / "mixed-origin") == 0
