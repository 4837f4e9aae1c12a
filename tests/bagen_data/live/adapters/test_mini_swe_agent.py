"""The class for mini-swe-agent, with its real agent and a real server."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bagen_data.live import BudgetTracker
from bagen_data.live.adapters.mini_swe_agent import BudgetAware
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts
from bagen_data.usage import fresh_usage
from collect.swebench.minisweagent_import import load_mini_swe_agent
from tests.bagen_data.live.adapters.agent_server import agent_server, fresh_tokens, last_text
from tests.model_server import KEY, MODEL, ModelServer

LOOK = "echo a line of output"
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
TEMPLATES = {"system_template": "You use a shell .", "instance_template": "Task : {{task}}"}


def agent(server: ModelServer, tracker: Any, **options: Any) -> Any:
    load_mini_swe_agent()
    from minisweagent.agents.default import DefaultAgent
    from minisweagent.environments.local import LocalEnvironment
    from minisweagent.models.openrouter_model import OpenRouterModel

    class BudgetAgent(BudgetAware, DefaultAgent):  # type: ignore[misc]
        pass

    model = OpenRouterModel(model_name=MODEL, cost_tracking="ignore_errors")
    model._api_url, model._api_key = f"{server.url}/chat/completions", KEY
    return BudgetAgent(model, LocalEnvironment(), tracker=tracker, **TEMPLATES, **options)


def shell_server(commands: Sequence[str], **options: Any) -> Any:
    return agent_server(call=lambda _: None, commands=list(commands), **options)


def test_each_query_is_counted() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "bash": 9})
    with shell_server([LOOK, LOOK, SUBMIT]) as server:
        ended = agent(server, tracker).run("fix it")
    assert ended["exit_status"] == "Submitted"
    assert server.requests == tracker.turns == 3
    assert tracker.used == {"tokens": fresh_tokens(server.usages), "bash": 3}


def test_the_cost_that_the_agent_counts_is_counted() -> None:
    tracker = BudgetTracker({"cost_usd": 1, "tokens": 5_000})
    with shell_server([]) as server:
        commands = iter([LOOK, "", SUBMIT])
        server.call = lambda _: ("bash", {"command": each}) if (each := next(commands)) else None
        played = agent(server, tracker)
        played.model._calculate_cost = lambda _: {"cost": 0.25}
        played.run("fix it")
    assert tracker.used["cost_usd"] == played.cost == 0.75
    assert tracker.problems == ()


def test_each_observation_ends_with_the_status_and_keeps_it() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "bash": 9})
    with shell_server([LOOK, LOOK, SUBMIT]) as server:
        played = agent(server, tracker)
        played.run("fix it")
    first, *others = map(last_text, server.bodies)
    assert first == "Task : fix it"
    assert all("a line of output" in text and "bash" in text for text in others)
    assert [
        message["content"] for message in played.messages if message["role"] == "tool"
    ] == others


def test_an_agent_may_be_shown_nothing() -> None:
    with shell_server([LOOK, SUBMIT]) as server:
        agent(server, BudgetTracker({"tokens": 5_000}), show_status=False).run("fix it")
    assert "tokens" not in json.dumps([body["messages"] for body in server.bodies])


def test_a_run_is_stopped_as_by_a_limit_of_the_agent() -> None:
    tracker = BudgetTracker({"tokens": 5_000, "bash": 1})
    with shell_server([LOOK] * 5) as server:
        played = agent(server, tracker)
        ended = played.run("fix it")
    assert server.requests == 2
    assert ended == {"exit_status": "LimitsExceeded", "submission": ""}
    assert played.messages[-1]["content"].startswith("Stopped to save the budget: ")
    assert "a line of output" in played.messages[-2]["content"]


def test_a_run_may_go_on_against_advice() -> None:
    tracker = BudgetTracker({"bash": 1})
    with shell_server([LOOK, LOOK, SUBMIT]) as server:
        assert agent(server, tracker, stop=False).run("fix it")["exit_status"] == "Submitted"
    assert tracker.advice().action == "stop"


def test_what_is_counted_is_what_the_trajectory_says_later(tmp_path: Path) -> None:
    """A response that cannot be parsed is billed, and later requests leave it out."""
    tracker = BudgetTracker({"tokens": 5_000})
    path = tmp_path / "trajectory.json"
    with shell_server([]) as server:
        commands = iter([LOOK, "", LOOK, SUBMIT])
        server.call = lambda _: ("bash", {"command": each}) if (each := next(commands)) else None
        agent(server, tracker, output_path=path).run("fix it")
    record = json.loads(path.read_text()) | {"instance_id": "a__b-1"}
    log = read_record(record, FamilyFacts(resolved=frozenset(), judged=frozenset({"a__b-1"})))
    assert [turn.unparsed for turn in log.turns] == [False, True, False, False]
    requests = [request for turn in log.turns for request in turn.requests or ()]
    assert tracker.used["tokens"] == sum(map(sum, fresh_usage(requests, "request")))
    assert tracker.turns == len(log.turns)


def test_unknown_usage_disturbs_no_run(caplog: pytest.LogCaptureFixture) -> None:
    tracker = BudgetTracker({"tokens": 5_000, "bash": 9})
    with shell_server([LOOK, LOOK, SUBMIT], states_usage=False) as server:
        assert agent(server, tracker).run("fix it")["exit_status"] == "Submitted"
    assert tracker.used["bash"] == 3
    assert len(tracker.problems) == 1
    assert len([record for record in caplog.records if record.name == "bagen"]) == 1
    assert "at least" in last_text(server.bodies[-1])


def test_agents_in_threads_share_one_budget() -> None:
    tracker = BudgetTracker({"tokens": 50_000, "bash": 90})
    with shell_server([LOOK, SUBMIT]) as server, ThreadPoolExecutor(4) as threads:
        agents = [
            agent(server, tracker.agent(f"agent {number}"), show_status=False)
            for number in range(4)
        ]
        list(threads.map(lambda each: each.run("fix it"), agents))
    with shell_server([LOOK, SUBMIT]) as alone:
        agent(alone, BudgetTracker({"tokens": 5_000}), show_status=False).run("fix it")
    assert tracker.used == {"tokens": 4 * fresh_tokens(alone.usages), "bash": 8}
