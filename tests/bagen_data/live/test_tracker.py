import asyncio
import copy
import logging
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.live import BudgetTracker, ThresholdPolicy
from bagen_data.live.advice import Advice
from bagen_data.logs.prices import ModelPrice
from bagen_data.replay import replay
from bagen_data.schema import Budget, Rollout, Turn
from tests.bagen_data.live.live_forecaster import BrokenForecaster, SumForecaster
from tests.making import WAREHOUSE_BUDGET, recorded_for, warehouse_rollout

USAGE = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}


def observed(tracker: BudgetTracker, recorded: Rollout) -> None:
    """Observe a rollout as a loop does, with the usage of whole requests."""
    history = 0
    for turn in recorded.turns:
        read, written = int(turn.usage["input_tokens"]), int(turn.usage["output_tokens"])
        usage = {"prompt_tokens": history + read, "completion_tokens": written}
        tracker.observe(user=turn.user, assistant=turn.assistant, usage=usage)
        history += read + written


@pytest.mark.parametrize("task", ["swebench", "sokoban", "searchr1", "chess"])
def test_a_forecast_is_that_of_the_probe(task: str) -> None:
    recorded, budget = recorded_for(task, 6)
    forecaster = SumForecaster(task)
    tracker = BudgetTracker({"turns": 9, **budget.limits}, forecaster)
    observed(tracker, recorded)
    probes = [probe for probe, _ in replay(recorded, budget, range(1, 7))]
    expected = [*SumForecaster(task).forecasts(AskedColumns.of(probes))]
    assert [each.forecast for each in tracker.history] == expected
    assert tracker.forecast() == expected[-1]
    assert forecaster.asked == 6
    assert not tracker.problems


def test_a_turn_of_a_build_is_taken_as_it_is() -> None:
    recorded = warehouse_rollout([500, 700, 650])
    forecaster = SumForecaster("warehouse", tuple(WAREHOUSE_BUDGET.limits))
    budgets = {**WAREHOUSE_BUDGET.limits, **WAREHOUSE_BUDGET.conditions}
    tracker = BudgetTracker(budgets, forecaster)
    for turn in recorded.turns:
        tracker.observe_turn(turn)
    probes = [probe for probe, _ in replay(recorded, WAREHOUSE_BUDGET, range(1, 4))]
    assert tracker.used == probes[-1].used
    expected = [*forecaster.forecasts(AskedColumns.of(probes))]
    assert [each.forecast for each in tracker.history] == expected


def test_history_is_not_counted_again() -> None:
    tracker = BudgetTracker({"tokens": 1_000})
    tracker.observe(assistant="a", usage={"input_tokens": 100, "output_tokens": 10})
    tracker.observe(assistant="b", usage={"input_tokens": 150, "output_tokens": 5})
    assert tracker.used == {"tokens": 155}
    tracker.observe(
        assistant="c", context="after a summary", usage={"input_tokens": 60, "output_tokens": 5}
    )
    assert tracker.used == {"tokens": 220}
    tracker.observe(assistant="d", usage={"input_tokens": 160, "output_tokens": 5})
    assert tracker.used == {"tokens": 230}


def test_a_forked_conversation_begins_with_the_history_of_the_other() -> None:
    tracker = BudgetTracker({"tokens": 1_000})
    tracker.observe(assistant="a", context="main", usage={"input_tokens": 100, "output_tokens": 10})
    fork = {"input_tokens": 150, "output_tokens": 5}
    tracker.observe(assistant="b", context="main > fork", usage=fork)
    assert tracker.used == {"tokens": 155}
    tracker.agent("other").observe(assistant="b", context="main > fork", usage=fork)
    assert tracker.used == {"tokens": 310}


def test_what_is_said_before_a_request_belongs_to_its_turn() -> None:
    recorded, budget = recorded_for("swebench", 4)
    once, twice = (BudgetTracker(budget, SumForecaster()) for _ in range(2))
    observed(once, recorded)
    history = 0
    for turn in recorded.turns:
        read, written = int(turn.usage["input_tokens"]), int(turn.usage["output_tokens"])
        twice.observe(user=turn.user)
        usage = {"prompt_tokens": history + read, "completion_tokens": written}
        twice.observe(user=turn.user, assistant=turn.assistant, usage=usage)
        history += read + written
    assert (twice.turns, twice.used, twice.history) == (once.turns, once.used, once.history)


def test_named_counts_belong_to_the_turn_that_is_completed_next() -> None:
    forecaster = SumForecaster("chess", ("search",))
    tracker = BudgetTracker({"search": 9, "turns": 9}, forecaster)
    for searches in (1, 0, 2):
        tracker.count(search=1)
        tracker.count(search=searches, other=4)
        tracker.observe(user="look", assistant="go")
    turns = tuple(Turn("look", "go", {"search": searches}) for searches in (2, 1, 3))
    recorded = Rollout("chess", "m", "r", "i", "", turns, True)
    probes = [probe for probe, _ in replay(recorded, Budget({"search": 9}), [1, 2, 3])]
    assert tracker.used == {"search": 6, "turns": 3}
    assert [each.forecast for each in tracker.history] == [
        *forecaster.forecasts(AskedColumns.of(probes))
    ]


def test_time_passes_between_turns() -> None:
    tracker = BudgetTracker({"seconds": 60})
    tracker.observe(assistant="go")
    assert 0 <= tracker.used["seconds"] < 5
    tracker.observe(assistant="go", seconds=7.0004)
    assert 7 <= tracker.used["seconds"] < 12


def test_costs_are_stated_or_priced() -> None:
    prices = {"m": ModelPrice(1, 1, 1, 1)}
    tracker = BudgetTracker({"cost_usd": 2}, prices=prices, model="m")
    tracker.observe(assistant="go", usage={**USAGE, "cost": 0.5})
    assert tracker.used == {"cost_usd": 0.5}
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.used == {"cost_usd": 0.00068}
    tracker.count(cost_usd=0.25)
    tracker.observe(assistant="go", usage=[])
    assert tracker.used == {"cost_usd": 0.25068}
    assert not tracker.problems


def test_a_cost_without_a_price_is_a_lower_bound() -> None:
    tracker = BudgetTracker({"cost_usd": 2}, prices={}, model="nobody's model")
    tracker.observe(assistant="go", usage={**USAGE, "cost": 0.5})
    tracker.observe(assistant="go", usage=USAGE)
    tracker.observe(assistant="go", usage={**USAGE, "cost": 0.25})
    assert tracker.used == {"cost_usd": 0.75}
    assert tracker.at_least == {"cost_usd"}
    assert "cost: at least $0.7500 of $2.00 used" in tracker.status_block()
    assert len(tracker.problems) == 1


@pytest.mark.parametrize(
    "usage", [None, {}, {"input_tokens": 0, "output_tokens": 3}, "many", {"prompt_tokens": -4}]
)
def test_unknown_usage_is_reported_once(usage: Any, caplog: pytest.LogCaptureFixture) -> None:
    tracker = BudgetTracker({"tokens": 1_000, "turns": 9}, SumForecaster())
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.forecast() is not None
    with caplog.at_level(logging.WARNING, "bagen"):
        for _ in range(3):
            tracker.observe(assistant="go", usage=usage)
        tracker.observe(assistant="go", usage={**USAGE, "prompt_tokens": 400, "total_tokens": 440})
    assert tracker.used == {"tokens": 440, "turns": 5}
    assert tracker.at_least == {"tokens"}
    assert tracker.forecast() is None
    assert [each.completed_turns for each in tracker.history] == [1]
    assert "tokens: at least 440 of 1,000 used (44%), at most 560 left" in tracker.status_block()
    assert len(caplog.records) == len(tracker.problems) == 1
    assert tracker.problems[0].startswith(("turn 2: ", "turn 2 states "))


def codex_usage(read: int, cached: int, written: int, reasoning: int) -> dict[str, int]:
    return {
        "input_tokens": read,
        "cached_input_tokens": cached,
        "output_tokens": written,
        "reasoning_output_tokens": reasoning,
        "total_tokens": read + written,
    }


OF_REQUESTS = [(9000, 0, 700, 600), (9150, 8960, 900, 800), (9300, 9088, 500, 420)]
OF_A_SESSION = [(9000, 0, 700, 600), (18150, 8960, 1600, 1400), (27450, 18048, 2100, 1820)]


def test_requests_of_codex_are_counted() -> None:
    tracker = BudgetTracker({"tokens": 99_000}, SumForecaster())
    for counts in OF_REQUESTS:
        tracker.observe(assistant="go", usage=codex_usage(*counts))
    assert tracker.used == {"tokens": 9_700 + 950 + 550}
    assert tracker.problems == ()
    assert tracker.forecast() is not None


@pytest.mark.parametrize("duplicate", [lambda tracker: tracker, copy.deepcopy])
def test_sums_of_a_session_are_not_taken_for_requests(duplicate: Any) -> None:
    tracker = BudgetTracker({"tokens": 99_000}, SumForecaster())
    for counts in OF_A_SESSION:
        tracker.observe(assistant="go", usage=codex_usage(*counts))
        tracker = duplicate(tracker)
    assert tracker.used == {"tokens": 9_700}
    assert tracker.at_least == {"tokens"}
    assert "expected each request's own, last_token_usage" in tracker.problems[0]
    assert tracker.forecast() is None


def test_usage_is_asked_for_only_where_a_budget_needs_it() -> None:
    tracker = BudgetTracker({"turns": 3}, SumForecaster(resources=("turns",)))
    tracker.observe(user="look", assistant="go")
    assert tracker.forecast() is not None
    assert not tracker.problems


@pytest.mark.parametrize(
    ("forecaster", "task", "said"),
    [
        (SumForecaster(resources=("tokens", "search")), None, "forecasts search, which has no"),
        (SumForecaster(), "sokoban", "learned from rollouts of swebench, and the task is sokoban"),
        (
            SimpleNamespace(
                task="warehouse",
                resources=("tokens",),
                conditions={"target_cash_usd": 9},
                forecasts=len,
            ),
            None,
            "runs with the conditions target_cash_usd, and the budgets have no condition",
        ),
        (SimpleNamespace(forecasts=len), None, "the forecaster is not used: AttributeError"),
    ],
)
def test_a_forecaster_that_does_not_fit_is_reported(forecaster: Any, task: str, said: str) -> None:
    tracker = BudgetTracker({"tokens": 1_000}, forecaster, task=task)
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.forecast() is None
    assert tracker.advice().action == "continue"
    (problem,) = tracker.problems
    assert said in problem


def test_a_forecaster_that_fails_is_not_asked_again() -> None:
    tracker = BudgetTracker({"tokens": 9_000}, BrokenForecaster(2), ThresholdPolicy())
    for number in range(5):
        read = 300 + 340 * number
        usage = {"prompt_tokens": read, "completion_tokens": 40}
        tracker.observe(assistant="go", usage=usage)
        assert (tracker.forecast() is None) == (number >= 2)
        assert tracker.advice().action in ("continue", "warn")
    assert "no forecast today" in tracker.problems[0]
    assert len(tracker.problems) == 1
    assert len(tracker.history) == 2
    assert tracker.used == {"tokens": 1_700}


@pytest.mark.parametrize(
    "made", [[], [None], ["0.5"], [SimpleNamespace(within_budget=float("nan"))]]
)
def test_a_forecast_that_is_none_is_refused(made: Any) -> None:
    forecaster = SimpleNamespace(task="t", resources=("tokens",), forecasts=lambda _: made)
    tracker = BudgetTracker({"tokens": 9_000}, forecaster)
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.forecast() is None
    assert len(tracker.problems) == 1
    assert "340 of 9,000" in tracker.status_block()


@pytest.mark.parametrize(
    ("first", "second", "is_other"),
    [
        ("gpt-5", "gpt-5-2025-08-07", False),
        ("openai/gpt-5", "gpt-5", False),
        ("claude-opus-4-20250514", "claude-opus-4-latest", False),
        ("gpt-5", "gpt-5-mini", True),
        ("gpt-5", "", False),
        ("", "gpt-5", False),
    ],
)
def test_a_changed_model_ends_the_forecasts(first: str, second: str, is_other: bool) -> None:
    tracker = BudgetTracker({"tokens": 9_000}, SumForecaster(), model=first)
    tracker.observe(assistant="go", usage=USAGE, model=second)
    assert (tracker.forecast() is None) == is_other
    assert len(tracker.problems) == is_other
    assert tracker.used == {"tokens": 340}
    assert not tracker.at_least


def test_agents_share_the_budgets_and_not_their_histories() -> None:
    tracker = BudgetTracker({"tokens": 9_000, "search": 5, "turns": 9}, SumForecaster())
    writer, reader = tracker.agent("writer"), tracker.agent("reader")
    reader.count(search=1)
    writer.observe(user="look", assistant="go", usage=USAGE)
    reader.observe(user="look", assistant="go", usage=USAGE)
    writer.observe(
        user="look", assistant="go", usage={**USAGE, "prompt_tokens": 400} | {"total_tokens": 440}
    )
    assert tracker.used == reader.used == {"tokens": 340 + 340 + 100, "search": 1, "turns": 3}
    assert [each.completed_turns for each in writer.history] == [1, 2, 3]
    assert tracker.agent("reader").remaining == tracker.remaining


def test_a_turn_pays_for_its_subagents() -> None:
    tracker = BudgetTracker({"tokens": 9_000, "turns": 9, "cost_usd": 9}, SumForecaster())
    tracker.observe(user="look", assistant="go", usage={**USAGE, "cost": 0.5})
    helper = tracker.subagent("helper")
    helper.subagent("its own").observe(assistant="hm", usage={**USAGE, "cost": 0.25})
    helper.observe(assistant="yes", usage={**USAGE, "cost": 0.25})
    assert tracker.used == {"tokens": 1_020, "turns": 1, "cost_usd": 1.0}
    assert len(tracker.history) == 1
    usage = {"prompt_tokens": 400, "completion_tokens": 40, "cost": 0.5}
    tracker.observe(user="look", assistant="so", usage=usage)
    turns = (
        Turn("look", "go", {"input_tokens": 300, "output_tokens": 40, "tokens": 340}),
        Turn("look", "so", {"tokens": 100 + 680}),
    )
    recorded = Rollout("swebench", "m", "r", "i", "", turns, True)
    ((probe, _),) = replay(recorded, Budget({"tokens": 9_000}), [2])
    assert tracker.forecast() == SumForecaster().forecasts(AskedColumns.of([probe]))[0]
    assert tracker.used == {"tokens": 1_120, "turns": 2, "cost_usd": 1.5}


def test_views_take_turns_of_builds() -> None:
    tracker = BudgetTracker({"tokens": 9_000}, SumForecaster())
    helper, peer = tracker.subagent("helper"), tracker.agent("peer")
    helper.count(tokens=5)
    helper.observe_turn(Turn("a", "b", {"tokens": 20}))
    assert (tracker.turns, tracker.used) == (0, {"tokens": 25})
    peer.observe_turn(Turn("a", "b", {"tokens": 10}))
    tracker.observe_turn(Turn("a", "b", {"tokens": 10}))
    turns = (Turn("a", "b", {"tokens": 10, "input_tokens": 1}), Turn("a", "b", {"tokens": 35}))
    recorded = Rollout("swebench", "m", "r", "i", "", turns, True)
    ((probe, _),) = replay(recorded, Budget({"tokens": 9_000}), [2])
    assert tracker.forecast() == SumForecaster().forecasts(AskedColumns.of([probe]))[0]


@pytest.mark.parametrize("duplicate", [BudgetTracker.copy, copy.deepcopy])
def test_a_copy_goes_on_apart(duplicate: Any) -> None:
    recorded, budget = recorded_for("sokoban", 6)
    whole, half = (BudgetTracker(budget, SumForecaster("sokoban")) for _ in range(2))
    observed(whole, recorded)
    for turn in recorded.turns[:3]:
        half.observe_turn(turn)
    assert half.forecast() is not None
    other = duplicate(half)
    for turn in recorded.turns[3:]:
        other.observe_turn(turn)
    other.count(tokens=float("nan"))
    assert [each.forecast for each in other.history] == [each.forecast for each in whole.history][
        :3
    ]
    assert half.turns == 3
    assert not half.problems
    for turn in recorded.turns[3:]:
        half.observe_turn(turn)
    assert half.history == whole.history
    assert half.used == whole.used


def test_a_warning_comes_before_a_stop() -> None:
    tracker = BudgetTracker({"tokens": 1_000, "search": 2})
    tracker.observe(assistant="go", usage={"input_tokens": 790, "output_tokens": 9})
    assert tracker.advice().action == "continue"
    tracker.observe(assistant="go", usage={"input_tokens": 990, "output_tokens": 9})
    assert tracker.advice().action == "warn"
    tracker.count(search=3)
    advice = tracker.advice()
    assert advice.action == "stop"
    assert advice.because == "the budget of search is exceeded: 3 of 2 used"


def test_a_policy_is_asked_with_the_history() -> None:
    asked = []
    policy = ThresholdPolicy(stop_below=1.0, first_turn=2)

    class Recording:
        def advise(self, history: Any) -> Any:
            asked.append([each.completed_turns for each in history])
            return policy.advise(history)

    tracker = BudgetTracker({"tokens": 99_000}, SumForecaster(), Recording())
    actions = []
    for number in range(1, 4):
        tracker.observe(assistant="go", usage={"input_tokens": 100 * number, "output_tokens": 5})
        actions.append(tracker.advice().action)
    assert asked == [[1], [1, 2], [1, 2, 3]]
    assert actions[1:] == ["stop", "stop"]


def test_a_policy_that_fails_gives_way_to_the_plain_rule() -> None:
    policy = SimpleNamespace(advise=lambda _: 1 / 0)
    tracker = BudgetTracker({"tokens": 99_000}, SumForecaster(), policy)
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.advice().action in ("continue", "warn")
    assert "ZeroDivisionError" in tracker.problems[0]


@pytest.mark.parametrize(
    "advice",
    [None, "stop", Advice("halt", "why"), Advice("stop", None)],
)
def test_what_is_no_advice_gives_way_to_the_plain_rule(advice: Any) -> None:
    policy = SimpleNamespace(advise=lambda _: advice)
    tracker = BudgetTracker({"tokens": 99_000}, SumForecaster(), policy)
    tracker.observe(assistant="go", usage=USAGE)
    assert tracker.advice().action in ("continue", "warn")
    assert "expected an Advice" in tracker.problems[0]


@pytest.mark.parametrize(
    ("budgets", "more", "error"),
    [
        ({}, {}, ValueError),
        ({"tokens": -1}, {}, ValueError),
        ({"tokens": float("nan")}, {}, ValueError),
        ({"tokens": "9"}, {}, TypeError),
        ({"tokens": True}, {}, TypeError),
        ({4: 9}, {}, TypeError),
        ("tokens=9", {}, TypeError),
        ({"tokens": 9}, {"forecaster": "my-forecaster"}, TypeError),
        ({"tokens": 9}, {"policy": "policy.json"}, TypeError),
        ({"tokens": 9}, {"prices": {"m": 3}}, TypeError),
        ({"tokens": 9}, {"prices": 3}, TypeError),
        ({"tokens": 9}, {"model": None}, TypeError),
        ({"tokens": 9}, {"task": 3}, TypeError),
    ],
)
def test_wrong_arguments_are_refused_at_the_start(budgets: Any, more: Any, error: Any) -> None:
    with pytest.raises(error):
        BudgetTracker(budgets, **more)


class Odd:
    """An object whose every attribute, and text, raises."""

    def __getattribute__(self, name: str) -> Any:
        raise OSError(name)

    def __str__(self) -> str:
        raise OSError("str")

    __repr__ = __str__

    def __bool__(self) -> bool:
        raise OSError("bool")

    def __iter__(self) -> Any:
        raise OSError("iter")


GARBAGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.builds(Odd),
    st.builds(object),
    st.decimals(),
    st.complex_numbers(),
    st.just(10**4_000),
)
NAMES = st.sampled_from(
    [*USAGE, "input_tokens", "output_tokens", "cost", "usage", "iterations", "model_dump", "x"]
)
USAGES = st.recursive(
    GARBAGE, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner))
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "user": USAGES,
        "assistant": USAGES,
        "usage": USAGES,
        "context": GARBAGE,
        "state": USAGES,
        "seconds": GARBAGE,
        "tool_calls": GARBAGE,
        "model": GARBAGE,
    },
)
RESOURCES = ("tokens", "cost_usd", "turns", "tool_calls", "seconds", "search")


@given(
    calls=st.lists(FIELDS, max_size=4),
    counted=st.dictionaries(st.sampled_from(RESOURCES), GARBAGE),
    amounts=st.dictionaries(st.sampled_from(RESOURCES), GARBAGE),
)
def test_no_garbage_stops_an_agent(calls: Any, counted: Any, amounts: Any) -> None:
    forecaster = SumForecaster(resources=RESOURCES)
    tracker = BudgetTracker(dict.fromkeys(RESOURCES, 10**9), forecaster, ThresholdPolicy())
    for call in calls:
        tracker.observe(**call)
        tracker.count(**counted)
        tracker.agent("other").observe(**call)
        tracker.subagent("other").observe(**call)
        tracker.observe_turn(Turn("look", "go", amounts))
        tracker.forecast()
        assert tracker.advice().action in ("continue", "warn", "stop")
        assert tracker.status_block()
    assert len(tracker.history) <= tracker.turns
    assert all(amount >= 0 for amount in tracker.used.values())
    assert not [text for text in tracker.problems if text.startswith("the tracker")]


def test_an_interrupt_passes() -> None:
    class Interrupting:
        @property
        def prompt_tokens(self) -> int:
            raise KeyboardInterrupt

    tracker = BudgetTracker({"tokens": 9})
    with pytest.raises(KeyboardInterrupt):
        tracker.observe(assistant="go", usage=Interrupting())
    tracker.observe(assistant="go", usage={"input_tokens": 3, "output_tokens": 3})
    assert tracker.used == {"tokens": 6}


def test_threads_lose_nothing() -> None:
    tracker = BudgetTracker({"tokens": 10**9, "search": 10**9, "turns": 10**9}, SumForecaster())

    def work(number: int) -> None:
        agent = tracker.agent(f"agent {number}")
        for step in range(100):
            agent.count(search=1)
            usage = {"input_tokens": 100 * (step + 1), "output_tokens": 10}
            agent.observe(user="look", assistant=f"go {step}", usage=usage)
            agent.advice()
            agent.status_block()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert tracker.used == {"tokens": 8 * (110 + 99 * 100), "search": 800, "turns": 800}
    assert [each.completed_turns for each in tracker.history] == [*range(1, 801)]
    assert not tracker.problems


def test_tasks_of_a_loop_lose_nothing() -> None:
    tracker = BudgetTracker({"tokens": 10**9, "search": 10**9, "turns": 10**9})

    async def work(number: int) -> None:
        agent = tracker.agent(f"agent {number}")
        for step in range(20):
            agent.observe(user="look")
            await asyncio.sleep(0)
            agent.count(search=1)
            await asyncio.sleep(0)
            usage = {"input_tokens": 100 * (step + 1), "output_tokens": 10}
            agent.observe(assistant=f"go {step}", usage=usage)

    async def all_work() -> None:
        await asyncio.gather(*map(work, range(8)))

    asyncio.run(all_work())
    assert tracker.used == {"tokens": 8 * (110 + 19 * 100), "search": 160, "turns": 160}


@pytest.mark.parametrize(
    ("name", "meant"), [("token", "tokens"), ("tool_call", "tool_calls"), ("turn", "turns")]
)
def test_a_budget_that_nothing_would_be_counted_for_is_refused(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"budget of '{name}': .* expected '{meant}'"):
        BudgetTracker({name: 1_000})
    assert BudgetTracker({"search": 3, "steps": 9}).remaining == {"search": 3, "steps": 9}
