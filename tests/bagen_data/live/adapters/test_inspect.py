"""The agent and the limit for Inspect, with its real agents and a real server."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import inspect_ai
import pytest
from inspect_ai import Task
from inspect_ai.agent import Agent, AgentState, agent, as_solver, as_tool, react, run
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.solver import Solver
from inspect_ai.tool import Tool, tool, tool_with
from inspect_ai.util import apply_limits, collect

from bagen_data.live import BudgetTracker
from bagen_data.live.adapters.inspect import BudgetLimit, budget_aware
from bagen_data.log_formats._inspect_sample import header_facts, sample_log
from bagen_data.usage import fresh_usage
from tests.bagen_data.live.adapters.agent_server import (
    FOUND,
    SAID,
    agent_server,
    fresh_tokens,
    last_text,
)
from tests.model_server import KEY, MODEL, ModelServer

pytestmark = pytest.mark.filterwarnings("ignore")  # of Inspect's event loops
ASKED = "Where is the red ball ?"


@tool
def search(before: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint) -> Tool:
    async def execute(query: str) -> str:  # noqa: ARG001
        """Search the library.

        Args:
            query: what to look for.
        """
        await before()
        return FOUND

    return execute


def searcher(tools: Sequence[Tool] = ()) -> Agent:
    return react(name="searcher", description="Searches.", tools=tools or [search()], submit=False)


def play(
    folder: Path, server: ModelServer, solver: Agent | Solver, samples: int = 1, **options: Any
) -> EvalLog:
    model = model_of(server)
    dataset = MemoryDataset([Sample(ASKED, target="") for _ in range(samples)])
    (log,) = inspect_ai.eval(
        Task(dataset, solver=solver),  # type: ignore[arg-type]
        model=model,
        log_dir=str(folder),
        display="none",
        **options,
    )
    assert log.status == "success", log.error
    return log


def model_of(server: ModelServer) -> Model:
    return get_model(
        f"openai-api/local/{MODEL}",
        base_url=server.url,
        api_key=KEY,
        memoize=False,
        config=GenerateConfig(max_retries=2),
    )


def test_each_call_and_search_is_counted(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3) as server:
        log = play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    assert server.requests == tracker.turns == 4
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 3}
    assert log.samples is not None
    assert log.samples[0].output.completion == SAID


def test_each_request_ends_with_the_status_and_the_log_keeps_it(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=2) as server:
        log = play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    first, *others = map(last_text, server.bodies)
    assert first.startswith(ASKED)
    assert "search" in first
    assert all(text.startswith(FOUND) and "search" in text for text in others)
    assert len({first, *others}) == 3
    assert log.samples is not None
    heard = [each.text for each in log.samples[0].messages if each.role in ("user", "tool")]
    assert heard == [first, *others]
    assert log.samples[0].input == ASKED


def test_a_log_of_such_a_run_says_the_same(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3) as server:
        log = play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    assert log.samples is not None
    events = [event for event in log.samples[0].events if event.event == "info"]
    assert events[-1].data["stopped"] is None  # type: ignore[union-attr, index, call-overload]
    turns = sample_log(log.samples[0], header_facts(log)).turns
    requests = [request for turn in turns for request in turn.requests or ()]
    assert {request.context for request in requests} == {""}
    assert sum(map(sum, fresh_usage(requests, "request"))) == tracker.used["tokens"]


def test_an_agent_may_be_shown_nothing(tmp_path: Path) -> None:
    with agent_server(rounds=1) as server:
        aware = budget_aware(
            searcher(), lambda: BudgetTracker({"tokens": 5_000}), show_status=False
        )
        play(tmp_path, server, aware)
    assert list(map(last_text, server.bodies)) == [ASKED, FOUND]


def test_a_run_is_stopped_before_the_next_request(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 1})
    with agent_server(rounds=5) as server:
        log = play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    assert server.requests == 2
    assert tracker.used["search"] == 2
    assert log.samples is not None
    (sample,) = log.samples
    assert sample.limit is None
    assert sample.messages[-1].text.startswith(FOUND)
    assert sample.output.completion == SAID
    because = (sample.output.metadata or {})["budget_stop"]
    assert because.startswith("Stopped to save the budget: ")
    assert "search" in because


def test_a_run_may_go_on_against_advice(tmp_path: Path) -> None:
    tracker = BudgetTracker({"search": 1})
    with agent_server(rounds=3) as server:
        play(tmp_path, server, budget_aware(searcher(), lambda: tracker, stop=False))
    assert server.requests == 4
    assert tracker.advice().action == "stop"


def test_each_sample_has_a_budget_of_its_own(tmp_path: Path) -> None:
    trackers: list[BudgetTracker] = []

    def new_tracker() -> BudgetTracker:
        trackers.append(BudgetTracker({"tokens": 5_000, "search": 9}))
        return trackers[-1]

    with agent_server(rounds=2) as server:
        play(tmp_path, server, budget_aware(searcher(), new_tracker), samples=5)
    assert len(trackers) == 5
    assert len({tuple(tracker.used.items()) for tracker in trackers}) == 1
    assert trackers[0].used["search"] == 2


@agent
def limited(tracker: BudgetTracker, outcome: list[Any]) -> Agent:
    async def execute(state: AgentState) -> AgentState:
        """Search within a limit."""
        with apply_limits([BudgetLimit(tracker)], catch_errors=True) as scope:
            state = await searcher()(state)
        outcome.append(scope.limit_error)
        return state

    return execute


def test_a_limit_is_applied_as_those_of_inspect(tmp_path: Path) -> None:
    tracker = BudgetTracker({"search": 1})
    outcome: list[Any] = []
    with agent_server(rounds=5) as server:
        play(tmp_path, server, limited(tracker, outcome))
    assert server.requests == 2
    (error,) = outcome
    assert (error.type, error.value, error.limit) == ("custom", 2, 1)
    assert "search" in error.message


def test_a_limit_that_nobody_catches_ends_the_sample(tmp_path: Path) -> None:
    solver = as_solver(searcher(), limits=[BudgetLimit(BudgetTracker({"search": 1}))])
    with agent_server(rounds=5) as server:
        log = play(tmp_path, server, solver)
    assert server.requests == 2
    assert log.samples is not None
    assert log.samples[0].limit is not None
    assert log.samples[0].limit.type == "custom"


def test_a_failed_request_that_is_made_again_counts_once(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=1, fail=lambda number: 503 if number == 2 else 0) as server:
        play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    assert server.requests == 3
    assert tracker.turns == 2
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "search": 1}
    assert tracker.problems == ()
    assert last_text(server.bodies[1]) == last_text(server.bodies[2])


def test_an_answer_of_the_cache_costs_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    trackers = [BudgetTracker({"tokens": 5_000, "search": 9}) for _ in range(2)]
    with agent_server(rounds=1) as server:
        for tracker in trackers:
            aware = budget_aware(searcher(), lambda tracker=tracker: tracker, show_status=False)
            play(tmp_path / "logs", server, aware, cache=True)
    assert server.requests == 2
    assert [tracker.used["tokens"] for tracker in trackers] == [fresh_tokens(server.usages), 0]
    assert [tracker.turns for tracker in trackers] == [2, 2]
    assert trackers[1].problems == ()


def test_unknown_usage_disturbs_no_run(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "search": 9})
    with agent_server(rounds=3, states_usage=False) as server:
        log = play(tmp_path, server, budget_aware(searcher(), lambda: tracker))
    assert log.samples is not None
    assert log.samples[0].output.completion == SAID
    assert tracker.turns == server.requests == 4
    assert len(tracker.problems) == 1
    assert "at least" in last_text(server.bodies[-1])


@agent
def several(followed: Callable[[], Agent], times: int) -> Agent:
    async def execute(state: AgentState) -> AgentState:
        """Run agents at once."""
        states = await collect(*(run(followed(), ASKED, name=f"{n}") for n in range(times)))
        state.messages.extend(states[0].messages)  # type: ignore[union-attr]
        return state

    return execute


def test_agents_at_once_share_one_budget(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 50_000, "search": 90})
    with agent_server(rounds=2) as server:
        views = iter([tracker.agent(f"agent {number}") for number in range(4)])
        aware = lambda: budget_aware(searcher(), lambda: next(views), show_status=False)  # noqa: E731
        play(tmp_path, server, several(aware, 4))
    assert server.requests == 12
    assert tracker.used["search"] == 8
    with agent_server(rounds=2) as alone:
        one = BudgetTracker({"tokens": 5_000})
        play(tmp_path, alone, budget_aware(searcher(), lambda: one, show_status=False))
    assert tracker.used["tokens"] == 4 * one.used["tokens"] == 4 * fresh_tokens(alone.usages)


def test_a_tool_of_another_agent_makes_no_request_a_subagents(tmp_path: Path) -> None:
    """The requests of one agent were charged whole while a tool of the agent beside it ran."""
    tracker = BudgetTracker({"tokens": 50_000, "search": 90})
    started = anyio.Event()
    with agent_server(rounds=2) as server:

        async def begin_and_wait() -> None:
            started.set()
            while server.requests < 4:  # its own first one, and all of the other's
                await anyio.sleep(0.01)

        tools = iter([search(begin_and_wait), search(started.wait)])
        views = iter([tracker.agent("slow"), tracker.agent("quick")])

        def aware() -> Agent:
            return budget_aware(searcher([next(tools)]), lambda: next(views), show_status=False)

        play(tmp_path, server, several(aware, 2))
    with agent_server(rounds=2) as alone:
        one = BudgetTracker({"tokens": 5_000})
        play(tmp_path, alone, budget_aware(searcher(), lambda: one, show_status=False))
    assert server.requests == 6
    assert tracker.used["tokens"] == 2 * one.used["tokens"]


def lead_and_helper(
    server: ModelServer, folder: Path, tracker: BudgetTracker, helper: Agent
) -> None:
    """Have an agent use another one as a tool, and the other one search once."""

    def call(messages: list[dict[str, Any]]) -> Any:
        if any(message["role"] == "assistant" for message in messages):
            return None
        is_lead = ASKED in str(messages)
        return ("helper", {"input": "Please look ."}) if is_lead else ("search", {"query": "it"})

    server.call = call
    searching = tool_with(as_tool(helper), name="helper", description="Searches.")
    lead = react(tools=[searching], submit=False)
    play(folder, server, budget_aware(lead, lambda: tracker, show_status=False))


def test_a_subagent_is_paid_in_the_turn_that_waits_for_it(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 50_000, "search": 9})
    with agent_server() as server:
        lead_and_helper(server, tmp_path, tracker, searcher())
    first, one, two, last = server.usages
    assert tracker.used["tokens"] == fresh_tokens([first, last]) + fresh_tokens([one, two])
    assert tracker.used["search"] == 1
    assert tracker.turns == 2


def test_a_subagent_with_a_budget_counts_for_both(tmp_path: Path) -> None:
    outer, inner = (BudgetTracker({"tokens": 50_000}) for _ in range(2))
    helper = budget_aware(searcher(), lambda: inner, show_status=False)
    with agent_server() as server:
        lead_and_helper(server, tmp_path, outer, helper)
    first, one, two, last = server.usages
    assert inner.used["tokens"] == fresh_tokens([one, two])
    assert outer.used["tokens"] == fresh_tokens([first, last]) + fresh_tokens([one, two])
    assert (outer.turns, inner.turns) == (2, 2)


def test_a_subagent_that_shares_the_budget_counts_once(tmp_path: Path) -> None:
    tracker = BudgetTracker({"tokens": 50_000})
    view = tracker.subagent("helper")
    helper = budget_aware(searcher(), lambda: view, show_status=False)
    with agent_server() as server:
        lead_and_helper(server, tmp_path, tracker, helper)
    first, one, two, last = server.usages
    assert tracker.used["tokens"] == fresh_tokens([first, last]) + fresh_tokens([one, two])
    assert tracker.turns == 2
