"""A tracker's sums are a build's of the same log."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.live import BudgetTracker
from bagen_data.log_formats import read_record
from bagen_data.logs.prices import ModelPrice, PriceTable
from bagen_data.logs.rollout_log import FamilyFacts
from bagen_data.logs.turn_readers import Counting, kept_turns
from bagen_data.replay import replay
from bagen_data.schema import Budget, Rollout
from bagen_data.tasks.general import GeneralSettings, general_task
from tests.bagen_data.live.live_forecaster import SumForecaster

MODEL = "m"
PRICES = PriceTable({MODEL: ModelPrice(3, 15, 0.3, 3.75)})
RESOURCES = ("tokens", "cost_usd", "turns", "tool_calls", "seconds")
BUDGET = Budget(dict.fromkeys(RESOURCES, 1e6))


def chat_usage(read: int, written: int, reasoning: int, cached: int) -> dict[str, Any]:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "completion_tokens_details": {"reasoning_tokens": min(reasoning, written)},
        "prompt_tokens_details": {"cached_tokens": min(cached, read)},
    }


def anthropic_usage(read: int, written: int, reasoning: int, cached: int) -> dict[str, Any]:
    cached = min(cached, read - 1)
    return {
        "input_tokens": read - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": written,
        "output_tokens_details": {"thinking_tokens": min(reasoning, written)},
    }


COUNTS = st.tuples(
    st.integers(1, 9_000), st.integers(1, 900), st.integers(0, 900), st.integers(0, 9_000)
)
USAGES = st.one_of(COUNTS.map(lambda n: chat_usage(*n)), COUNTS.map(lambda n: anthropic_usage(*n)))
COSTS = st.integers(1, 99_999_999).map(lambda millionths: millionths / 7e6)
STEPS = st.lists(
    st.tuples(USAGES, COSTS, st.booleans(), st.integers(0, 3), st.floats(0, 1e4)),
    min_size=1,
    max_size=9,
)


def record_of(steps: Sequence[Any], states_all: bool) -> dict[str, Any]:
    """A messages record whose assistant messages state usage, and maybe costs."""
    messages: list[dict[str, Any]] = []
    for number, (usage, cost, states_cost, calls, seconds) in enumerate(steps):
        stated = {**usage, "cost": cost} if states_cost or states_all else usage
        made = [
            {"type": "function", "function": {"name": "look", "arguments": f'{{"at": {call}}}'}}
            for call in range(calls)
        ]
        messages += [
            {"role": "user", "content": f"see {number}"},
            {
                "role": "assistant",
                "content": f"go {number}",
                "tool_calls": made,
                "usage": stated,
                "seconds": seconds,
            },
        ]
    return {"messages": messages, "metadata": {"success": True}, "model": MODEL}


def built(record: dict[str, Any]) -> Rollout:
    """The rollout as a build of the general task has it."""
    log = read_record(record, FamilyFacts())
    task = general_task(GeneralSettings(RESOURCES, PRICES), MODEL)
    accounts = task.turns.read(log, kept_turns(log, None), Counting())
    return Rollout("chess", MODEL, "r", "i", "", accounts.turns, True)


def tracked(record: dict[str, Any], forecaster: SumForecaster, is_asked: bool) -> BudgetTracker:
    """A tracker that saw the record's responses, and maybe forecast after each of them."""
    tracker = BudgetTracker(BUDGET, forecaster, prices=PRICES, model=MODEL)
    log = read_record(record, FamilyFacts())
    responses = [message for message in record["messages"] if message["role"] == "assistant"]
    for turn, response in zip(log.turns, responses, strict=True):
        tracker.observe(
            user=turn.user,
            assistant=turn.assistant,
            usage=response["usage"],
            tool_calls=len(response["tool_calls"]),
            seconds=response["seconds"],
        )
        if is_asked:
            tracker.forecast()
    return tracker


@pytest.mark.parametrize("states_all", [False, True])
@given(steps=STEPS, is_asked=st.booleans())
def test_sums_and_columns_are_those_of_a_build(
    steps: Sequence[Any], states_all: bool, is_asked: bool
) -> None:
    record = record_of(steps, states_all)
    forecaster = SumForecaster("chess", RESOURCES)
    rollout = built(record)
    tracker = tracked(record, forecaster, is_asked)
    ((probe, _),) = replay(rollout, BUDGET, [len(rollout.turns)])
    assert tracker.used == probe.used
    assert not tracker.problems
    (expected,) = forecaster.forecasts(AskedColumns.of([probe]))
    assert tracker.forecast() == expected
    assert [each.completed_turns for each in tracker.history] == [*range(1, len(steps) + 1)]
