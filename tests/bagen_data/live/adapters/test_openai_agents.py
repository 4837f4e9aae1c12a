"""The hooks for the OpenAI Agents SDK, with its real runner and a real server."""

import asyncio
from typing import Any

import pytest
from agents import (
    Agent,
    MaxTurnsExceeded,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
)
from openai import AsyncOpenAI

from bagen_data.live import BudgetTracker
from bagen_data.live.adapters.openai_agents import BudgetHooks, BudgetStop
from tests.bagen_data.live.adapters.agent_server import (
    FOUND,
    SAID,
    agent_server,
    fresh_tokens,
    last_text,
)
from tests.model_server import KEY, MODEL, ModelServer

ASKED = "Where is the red ball ?"
APIS = pytest.mark.parametrize("api", [OpenAIResponsesModel, OpenAIChatCompletionsModel])


@function_tool
def search(query: str) -> str:  # noqa: ARG001
    """Search the library."""
    return FOUND


async def play(
    server: ModelServer,
    hooks: BudgetHooks,
    *,
    api: Any = OpenAIResponsesModel,
    show_status: bool = True,
    agent: Agent[Any] | None = None,
) -> Any:
    """Run an agent whose client is closed afterwards."""
    async with AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0) as client:
        model = api(MODEL, client)
        played = agent or Agent("searcher", instructions="Find things .", tools=[search])
        for each in (played, *played.handoffs):
            each.model = model  # type: ignore[union-attr]
        config = RunConfig(
            tracing_disabled=True,
            call_model_input_filter=hooks.show_status if show_status else None,
        )
        return await Runner.run(played, ASKED, hooks=hooks, run_config=config, max_turns=7)


@APIS
def test_each_call_and_search_is_counted(api: Any) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3) as server:
        result = asyncio.run(play(server, BudgetHooks(tracker), api=api))
    assert server.requests == tracker.turns == 4
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 3}
    assert result.final_output == SAID


@APIS
def test_each_request_ends_with_the_status(api: Any) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=2) as server:
        result = asyncio.run(play(server, BudgetHooks(tracker), api=api))
    first, *others = map(last_text, server.bodies)
    assert first.startswith(ASKED)
    assert "search" in first
    assert all(text.startswith(FOUND) and "search" in text for text in others)
    assert len({first, *others}) == 3
    assert "used" not in str(result.to_input_list())


def test_a_run_may_be_shown_nothing() -> None:
    tracker = BudgetTracker({"tokens": 5_000})
    with agent_server(rounds=1) as server:
        asyncio.run(play(server, BudgetHooks(tracker), show_status=False))
    assert list(map(last_text, server.bodies)) == [ASKED, FOUND]
    assert tracker.used == {"tokens": fresh_tokens(server.usages)}


@APIS
def test_a_run_is_stopped_before_the_next_request(api: Any) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 1})
    with agent_server(rounds=5) as server, pytest.raises(BudgetStop, match="search") as stopped:
        asyncio.run(play(server, BudgetHooks(tracker), api=api))
    assert server.requests == 2
    assert tracker.used["search"] == 2
    assert stopped.value.because.startswith("Stopped to save the budget: ")
    assert stopped.value.run_data is not None
    assert len(stopped.value.run_data.raw_responses) == 2
    assert str(stopped.value.run_data.new_items[-1].to_input_item()).count(FOUND) == 1


def test_a_run_may_go_on_against_advice() -> None:
    tracker = BudgetTracker({"search": 1})
    with agent_server(rounds=3) as server:
        asyncio.run(play(server, BudgetHooks(tracker, stop=False)))
    assert server.requests == 4
    assert tracker.advice().action == "stop"


def test_a_streamed_run_is_counted_shown_and_stopped() -> None:
    tracker = BudgetTracker({"tokens": 50})
    hooks = BudgetHooks(tracker)

    async def stream(server: ModelServer) -> None:
        async with AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0) as client:
            agent = Agent("searcher", model=OpenAIChatCompletionsModel(MODEL, client))
            shown = RunConfig(tracing_disabled=True, call_model_input_filter=hooks.show_status)
            run = Runner.run_streamed(agent, ASKED, hooks=hooks, run_config=shown)
            async for _ in run.stream_events():
                pass

    with agent_server(rounds=0) as server:
        asyncio.run(stream(server))
        assert tracker.used == {"tokens": fresh_tokens(server.usages)}
        assert "tokens" in last_text(server.bodies[0])
        tracker.count(tokens=50)
        with pytest.raises(BudgetStop):
            asyncio.run(stream(server))
    assert server.requests == 1


def test_a_conversation_that_the_server_keeps_is_one_conversation() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})

    async def run(server: ModelServer) -> None:
        async with AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0) as client:
            agent = Agent("searcher", tools=[search], model=OpenAIResponsesModel(MODEL, client))
            hooks, config = BudgetHooks(tracker), RunConfig(tracing_disabled=True)
            await Runner.run(
                agent, ASKED, hooks=hooks, run_config=config, auto_previous_response_id=True
            )

    with agent_server(rounds=2) as server:
        asyncio.run(run(server))
    assert [len(body["input"]) for body in server.bodies] == [1, 1, 1]
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 2}


def test_the_limit_of_the_runner_stays_its_own() -> None:
    tracker = BudgetTracker({"search": 90})
    with agent_server(rounds=90) as server, pytest.raises(MaxTurnsExceeded):
        asyncio.run(play(server, BudgetHooks(tracker)))
    assert tracker.used == {"search": 7}


@APIS
def test_unknown_usage_disturbs_no_run(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3, states_usage=False) as server:
        result = asyncio.run(play(server, BudgetHooks(tracker), api=api))
    assert server.requests == 4
    assert tracker.used["search"] == 3
    assert result.final_output == SAID
    assert len(tracker.problems) == 1
    assert len([record for record in caplog.records if record.name == "bagen"]) == 1
    assert "at least" in last_text(server.bodies[-1])


def test_an_agent_that_takes_over_goes_on_in_the_same_conversation() -> None:
    tracker = BudgetTracker({"tokens": 5_000})
    second = Agent[Any]("second", instructions="Find things .")
    first = Agent[Any]("first", instructions="Find things .", handoffs=[second])

    def call(messages: list[dict[str, Any]]) -> Any:
        is_first = not any(message["role"] == "assistant" for message in messages)
        return ("transfer_to_second", {}) if is_first else None

    with agent_server(call=call) as server:
        hooks = BudgetHooks(tracker)
        result = asyncio.run(play(server, hooks, agent=first, show_status=False))
    assert result.last_agent.name == "second"
    assert server.requests == 2
    assert tracker.used == {"tokens": fresh_tokens(server.usages)}


@pytest.mark.parametrize("has_own_hooks", [True, False])
def test_an_agent_that_is_a_tool_has_a_conversation_of_its_own(has_own_hooks: bool) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    hooks = BudgetHooks(tracker)
    helpers = BudgetHooks(tracker.subagent("helper")) if has_own_hooks else hooks

    async def run(server: ModelServer) -> None:
        async with AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0) as client:
            inner = Agent("inner", tools=[search], model=OpenAIResponsesModel(MODEL, client))
            config = RunConfig(tracing_disabled=True)
            as_tool = inner.as_tool("search", "Search.", hooks=helpers, run_config=config)
            await play(server, hooks, agent=Agent("outer", tools=[as_tool]), show_status=False)

    def call(messages: list[dict[str, Any]]) -> Any:
        is_first = not any(message["role"] == "assistant" for message in messages)
        is_outer = ASKED in str(messages)
        arguments = {"input": "Please look for it ."} if is_outer else {"query": "it"}
        return ("search", arguments) if is_first else None

    with agent_server(call=call) as server:
        asyncio.run(run(server))
    first, one, two, last = server.usages
    assert tracker.used["tokens"] == fresh_tokens([first, last]) + fresh_tokens([one, two])
    assert tracker.used["search"] == 2
    assert tracker.turns == (2 if has_own_hooks else 4)


def test_many_runs_at_once_share_one_budget() -> None:
    tracker = BudgetTracker({"tokens": 50_000, "search": 90})

    async def runs(server: ModelServer) -> None:
        views = [tracker.agent(f"agent {number}") for number in range(4)]
        await asyncio.gather(
            *(play(server, BudgetHooks(view), show_status=False) for view in views)
        )

    with agent_server(rounds=2) as server:
        asyncio.run(runs(server))
    with agent_server(rounds=2) as alone:
        hooks = BudgetHooks(BudgetTracker({"tokens": 5_000}))
        asyncio.run(play(alone, hooks, show_status=False))
    assert server.requests == 12
    assert tracker.used == {"tokens": 4 * fresh_tokens(alone.usages), "search": 8}
