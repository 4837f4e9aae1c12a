"""The middleware for LangChain, with its real agents and a real server."""

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from bagen_data.live import BudgetTracker, ThresholdPolicy
from bagen_data.live.adapters.langchain import BudgetMiddleware
from tests.bagen_data.live.adapters.agent_server import (
    FOUND,
    SAID,
    agent_server,
    fresh_tokens,
    last_text,
)
from tests.bagen_data.live.live_forecaster import SumForecaster
from tests.model_server import KEY, MODEL, ModelServer

ASKED = {"messages": [{"role": "user", "content": "Where is the red ball ?"}]}


@tool
def search(query: str) -> str:  # noqa: ARG001
    """Search the library."""
    return FOUND


def agent(
    server: ModelServer,
    *middleware: BudgetMiddleware,
    tools: Any = (search,),
    stream_usage: bool = False,
) -> Any:
    model = ChatOpenAI(
        model=MODEL, base_url=server.url, api_key=KEY, max_retries=0, stream_usage=stream_usage
    )
    return create_agent(model, list(tools), middleware=middleware)


def test_each_call_and_search_is_counted() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3) as server:
        answer = agent(server, BudgetMiddleware(tracker)).invoke(ASKED)
    assert server.requests == tracker.turns == 4
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 3}
    assert [message.type for message in answer["messages"]] == ["human", *["ai", "tool"] * 3, "ai"]
    assert not any("used" in message.text for message in answer["messages"])


def test_each_request_ends_with_the_status() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=1) as server:
        agent(server, BudgetMiddleware(tracker)).invoke(ASKED)
    first, second = map(last_text, server.bodies)
    assert first.startswith("Where is the red ball ?")
    assert second.startswith(FOUND)
    assert "search" in first
    assert "search" in second
    assert first.removeprefix("Where is the red ball ?") != second.removeprefix(FOUND)


def test_a_run_may_be_shown_nothing() -> None:
    tracker = BudgetTracker({"tokens": 5_000})
    with agent_server(rounds=1) as server:
        agent(server, BudgetMiddleware(tracker, show_status=False)).invoke(ASKED)
    assert list(map(last_text, server.bodies)) == ["Where is the red ball ?", FOUND]


def test_a_run_is_stopped_before_the_next_request() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 1})
    with agent_server(rounds=5) as server:
        answer = agent(server, BudgetMiddleware(tracker)).invoke(ASKED)
    assert server.requests == 2  # the second asks for the search that is one too many
    assert tracker.used["search"] == 2
    *_, tool_message, last = answer["messages"]
    assert tool_message.text == FOUND
    assert last.text.startswith("Stopped to save the budget: ")
    assert "search" in last.text


def test_a_policy_stops_a_run_that_a_forecaster_gives_up() -> None:
    policy = ThresholdPolicy(stop_below=1, first_turn=2)
    tracker = BudgetTracker({"tokens": 5_000}, SumForecaster(), policy)
    with agent_server(rounds=5) as server:
        answer = agent(server, BudgetMiddleware(tracker)).invoke(ASKED)
    assert server.requests == 2
    assert [one.completed_turns for one in tracker.history] == [1, 2]
    assert "the chance to succeed within the budgets is" in answer["messages"][-1].text
    assert "Forecast: the chance to succeed" in last_text(server.bodies[1])


def test_a_run_may_go_on_against_advice() -> None:
    tracker = BudgetTracker({"search": 1})
    with agent_server(rounds=3) as server:
        answer = agent(server, BudgetMiddleware(tracker, stop=False)).invoke(ASKED)
    assert server.requests == 4
    assert tracker.advice().action == "stop"
    assert answer["messages"][-1].text == SAID


def test_an_asynchronous_run_is_counted_shown_and_stopped() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 1})
    with agent_server(rounds=5) as server:
        answer = asyncio.run(agent(server, BudgetMiddleware(tracker)).ainvoke(ASKED))
    assert server.requests == 2
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 2}
    assert "search" in last_text(server.bodies[0])
    assert answer["messages"][-1].text.startswith("Stopped to save the budget: ")


def test_a_streamed_run_is_counted() -> None:
    tracker = BudgetTracker({"tokens": 5_000})
    with agent_server(rounds=0) as server:
        streamed = agent(server, BudgetMiddleware(tracker), stream_usage=True)
        assert len(list(streamed.stream(ASKED, stream_mode="messages"))) > 1
    assert tracker.used == {"tokens": fresh_tokens(server.usages)}


def test_unknown_usage_disturbs_no_run(caplog: pytest.LogCaptureFixture) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3, states_usage=False) as server:
        answer = agent(server, BudgetMiddleware(tracker)).invoke(ASKED)
    assert server.requests == 4
    assert tracker.used["search"] == 3
    assert answer["messages"][-1].text == SAID
    assert len(tracker.problems) == 1
    assert len([record for record in caplog.records if record.name == "bagen"]) == 1
    assert "at least" in last_text(server.bodies[-1])


def test_many_runs_at_once_share_one_budget() -> None:
    tracker = BudgetTracker({"tokens": 50_000, "search": 90})

    async def runs(server: ModelServer) -> None:
        agents = [
            agent(server, BudgetMiddleware(tracker.agent(f"agent {number}"))) for number in range(4)
        ]
        await asyncio.gather(*(each.ainvoke(ASKED) for each in agents))

    with agent_server(rounds=2) as server:
        asyncio.run(runs(server))
    assert server.requests == 12
    assert tracker.used["search"] == 8
    with agent_server(rounds=2) as alone:
        agent(alone, BudgetMiddleware(BudgetTracker({"tokens": 50_000, "search": 90}))).invoke(
            ASKED
        )
    assert tracker.used["tokens"] == pytest.approx(4 * fresh_tokens(alone.usages), rel=0.2)


def test_a_subagent_and_its_caller_are_conversations_of_their_own() -> None:
    tracker = BudgetTracker({"tokens": 50_000})
    with agent_server(rounds=1) as server:
        middleware = BudgetMiddleware(tracker, show_status=False)
        helper = tracker.subagent("helper")
        inner = agent(server, BudgetMiddleware(helper, show_status=False))

        @tool("search")
        def subagent(query: str) -> str:
            """Search in the way of an agent."""
            asked = {"messages": [{"role": "user", "content": f"Please search for {query} ."}]}
            return str(inner.invoke(asked)["messages"][-1].text)

        agent(server, middleware, tools=[subagent]).invoke(ASKED)
    first, one, two, last = server.usages
    assert tracker.used["tokens"] == fresh_tokens([first, last]) + fresh_tokens([one, two])
    assert tracker.turns == 2
