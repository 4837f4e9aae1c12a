"""Prefixes of a rollout: what was used, what remained, and what a probe may know."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.answers import parse, render
from bagen_data.prompt_variants import VARIANTS
from bagen_data.prompts import known_prompts, load_prompt
from bagen_data.replay import (
    benchmark_prefixes,
    gold_estimate,
    realised,
    replay,
    succeeded,
    training_prefixes,
)
from bagen_data.schema import Budget, Rollout, Turn
from tests.making import (
    WAREHOUSE_BUDGET,
    recorded_for,
    rollout,
    token_turn,
    warehouse_rollout,
)


def test_used_and_remaining_sum_to_the_total() -> None:
    recorded = rollout([(30, 50), (10, 70), (5, 5)])
    rows = [
        (probe.used["tokens"], target.remaining["tokens"])
        for probe, target in replay(recorded, Budget({"tokens": 170}), training_prefixes(3))
    ]
    assert rows == [(30, 140), (80, 90), (160, 10), (170, 0)]


@pytest.mark.parametrize(
    ("success", "budget", "feasible"), [(True, 170, True), (True, 169, False), (False, 170, False)]
)
def test_feasible_is_success_within_the_budget(success: bool, budget: int, feasible: bool) -> None:
    recorded = rollout([(30, 50), (10, 70), (5, 5)], success)
    targets = [target for _, target in replay(recorded, Budget({"tokens": budget}), range(1, 3))]
    assert [target.feasible for target in targets] == [feasible] * 2


@pytest.mark.parametrize(
    ("cash", "success", "expected"), [(10, True, True), (9, True, False), (10, False, False)]
)
def test_success_includes_the_target(cash: int, success: bool, expected: bool) -> None:
    assert succeeded(warehouse_rollout([500, cash], success), WAREHOUSE_BUDGET) is expected


@pytest.mark.parametrize("turns", [0, 1])
def test_short_rollouts_have_no_benchmark_probe(turns: int) -> None:
    assert list(benchmark_prefixes(turns)) == []


def changed_after(recorded: Rollout, k: int, text: str) -> Rollout:
    """The same rollout until turn k, with another future."""
    future = tuple(
        replace(
            turn,
            user=text,
            assistant=text,
            usage=dict.fromkeys(turn.usage, 7),
            state=dict.fromkeys(turn.state, 7),
        )
        for turn in recorded.turns[k:]
    )
    extra = future[:1] * 2 if k < len(recorded.turns) else ()
    turns = (*recorded.turns[:k], *future, *extra)
    return replace(recorded, turns=turns, success=not recorded.success, dropped_turns=3)


@given(
    task=st.sampled_from(known_prompts()),
    variant=st.sampled_from(VARIANTS),
    length=st.integers(2, 6),
    data=st.data(),
    text=st.text(max_size=9),
)
def test_no_prompt_knows_the_future(
    task: str, variant: str, length: int, data: st.DataObject, text: str
) -> None:
    recorded, budget = recorded_for(task, length)
    k = data.draw(st.integers(1, length))
    prompt = load_prompt(task, variant)  # type: ignore[arg-type]
    ((before, _),) = replay(recorded, budget, [k])
    ((after, _),) = replay(changed_after(recorded, k, text), budget, [k])
    assert before == after
    assert prompt.messages(before) == prompt.messages(after)


def test_the_opening_probe_knows_the_first_user_message_only() -> None:
    recorded = rollout([(30, 50), (10, 70)])
    other = replace(recorded, turns=(token_turn(30, 999, "look 1", "else"),))
    prompt = load_prompt("sokoban", "interval_think")
    probes = [next(replay(each, Budget({"tokens": 9}), [0]))[0] for each in (recorded, other)]
    assert prompt.messages(probes[0]) == prompt.messages(probes[1])
    assert "look 1" in prompt.question(probes[0])
    assert "input 30" in prompt.question(probes[0])


@pytest.mark.parametrize("task", known_prompts())
def test_the_gold_answer_covers_exactly(task: str) -> None:
    recorded, budget = recorded_for(task, 5)
    budget = replace(budget, limits=dict.fromkeys(budget.limits, 10**6))
    for _, target in replay(recorded, budget, training_prefixes(5)):
        estimate = parse(render(gold_estimate(target)))
        for name, remaining in target.remaining.items():
            assert estimate.intervals[name].low == remaining == estimate.intervals[name].high


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_sums_of_fractions_are_exact_to_the_last_digit(millionths: list[int]) -> None:
    """A rollout at its family's median is within the budget, however its turns add up."""
    turns = tuple(Turn("look", "go", {"cost_usd": amount / 1e6}) for amount in millionths)
    recorded = Rollout("support", "m", "r", "i", "", turns, success=True)
    total = realised(recorded, ["cost_usd"]).totals["cost_usd"]
    assert total == sum(millionths) / 1e6
    budget = Budget({"cost_usd": sum(millionths) / 1e6})
    for k, (probe, target) in enumerate(replay(recorded, budget, range(len(turns) + 1))):
        assert target.feasible
        assert probe.used["cost_usd"] == sum(millionths[:k]) / 1e6
        assert target.remaining["cost_usd"] == sum(millionths[k:]) / 1e6
