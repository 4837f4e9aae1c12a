"""Results of tau-bench and tau2-bench."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.usage import fresh_usage
from tests.making import read, write_json

FAMILY = "sokoban-origin-m"


def call(name: str, **arguments: Any) -> Any:
    return {"id": "c", "name": name, "arguments": arguments, "requestor": "assistant"}


def said(text: str | None, tokens: tuple[int, int] | None = None, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]} if tokens else None
    return {"role": "assistant", "content": text, "usage": usage, "cost": 0.0} | more


def user(text: str, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 300, "completion_tokens": 20}
    return {"role": "user", "content": text, "usage": usage, "cost": 0.1} | more


GREETING = said("Hi! How can I help you today?")


def simulation(*messages: Any, reward: Any = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "id": "4f0a",
        "task_id": "0",
        "trial": 0,
        "termination_reason": "user_stop",
        "reward_info": {"reward": reward},
        "messages": list(messages),
    } | more


def results(*simulations: Any) -> dict[str, Any]:
    info = {"agent_info": {"llm": "gpt-4.1"}, "environment_info": {"policy": "Be kind."}}
    return {"info": info, "tasks": [], "simulations": list(simulations)}


def logs(record: Any) -> list[Log]:
    entries = read_record(record, FamilyFacts())
    assert isinstance(entries, Iterator)
    return [log for _, log in entries if isinstance(log, Log)]


def fresh(log: Log) -> list[tuple[int, int]]:
    return fresh_usage([r for turn in log.turns for r in turn.requests or ()], "request")


def test_a_trial_of_tau_bench(tmp_path: Path) -> None:
    function = {"name": "get_user", "arguments": '{"id": 7}'}
    spoken = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "name": "get_user", "content": "Mia"},
        {"role": "assistant", "content": "Hi Mia"},
        {"role": "user", "content": "###STOP###"},
    ]
    trials = [
        {"task_id": 0, "reward": reward, "info": {}, "traj": spoken, "trial": trial}
        for trial, reward in enumerate((1.0, 0.0))
    ]
    failed = {"task_id": 1, "reward": 0.0, "info": {"error": "timeout"}, "traj": [], "trial": 0}
    trial_logs = [read_record(trial, FamilyFacts()) for trial in (*trials, failed)]
    assert all(isinstance(log, Log) for log in trial_logs)
    assert [log.success for log in trial_logs if isinstance(log, Log)] == [True, False, None]
    first = trial_logs[0]
    assert isinstance(first, Log)
    assert [turn.user for turn in first.turns] == ["Hello", "Mia"]
    assert first.turns[0].assistant == 'get_user({"id": 7})'
    assert (first.system, first.instance_id) == ("Be kind.", "0")
    assert first.turns[0].requests is None
    write_json(tmp_path / FAMILY / "gpt-4o-airline.json", [*trials, failed])
    index = read(tmp_path / FAMILY)
    assert all("--tokenizer" in refusal.reason for refusal in index.refused)
    assert index.without_turns == 1
    assert "holds no turn" in index.ignored[0].reason


def test_a_greeting_is_heard_and_the_users_requests_are_not_the_agents() -> None:
    (log,) = logs(
        results(
            simulation(
                GREETING,
                user("My email is a@b.c"),
                said(None, (5000, 100), tool_calls=[call("find", email="a@b.c")], cost=0.02),
                {"role": "tool", "id": "c", "content": "mia_1", "requestor": "assistant"},
                user("", tool_calls=[call("reboot")]),
                {"role": "tool", "id": "u", "content": "rebooted", "requestor": "user"},
                said("Found you.", (5130, 40)),
            )
        )
    )
    assert [turn.user for turn in log.turns] == [
        "Hi! How can I help you today?\n\nMy email is a@b.c",
        "mia_1",
    ]
    assert fresh(log) == [(5000, 100), (30, 40)]
    assert [r.cost_usd for turn in log.turns for r in turn.requests or ()] == [0.02, None]
    assert (log.system, log.model, log.success) == ("Be kind.", "gpt-4.1", True)


def test_usage_that_the_provider_states_is_told_apart() -> None:
    raw = {"usage": {"input_tokens": 0, "cache_read_input_tokens": 80, "output_tokens": 9}}
    message = said("Hi", (80, 9), raw_data=raw | {"id": "msg_1", "model": "sonnet"})
    (log,) = logs(results(simulation(GREETING, user("a"), message)))
    (request,) = log.turns[0].requests or ()
    assert (request.input_tokens, request.cached_tokens, request.model) == (80, 80, "sonnet")
    assert log.response_ids == {"msg_1"}


def test_reasoning_that_the_provider_leaves_out_of_its_completion_is_output() -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 5}}
    raw = {"usage": {"prompt_tokens": 80, "completion_tokens": 9, "total_tokens": 94} | details}
    (log,) = logs(results(simulation(GREETING, user("a"), said("Hi", (80, 9), raw_data=raw))))
    (request,) = log.turns[0].requests or ()
    assert (request.input_tokens, request.output_tokens, request.visible_tokens) == (80, 14, 9)


def test_a_cost_of_the_agent_that_its_messages_do_not_add_up_to_is_refused() -> None:
    spoken = [GREETING, user("hi"), said("One.", (90, 3), cost=0.1), user("go on")]
    priced = [*spoken, said("Two.", (120, 3), cost=0.2)]
    unpriced = [*spoken, said("Two.", (120, 3), cost=None)]
    for messages, cost in ((priced, 0.3), (priced, 0.0), (priced, None), (unpriced, 55.0)):
        assert len(logs(results(simulation(*messages, agent_cost=cost)))) == 1
    entries = read_record(results(simulation(*priced, agent_cost=55.0)), FamilyFacts())
    assert isinstance(entries, Iterator)
    (named,) = entries
    assert "agent_cost is 55; expected 0.3, the sum of the costs" in str(named.log)


def test_a_result_that_is_not_a_message_is_refused() -> None:
    several = {"role": "tool", "tool_messages": [7]}
    entries = read_record(results(simulation(GREETING, user("a"), several)), FamilyFacts())
    assert isinstance(entries, Iterator)
    ((_, error),) = entries
    assert "messages[2].tool_messages[] is 7; expected an object" in str(error)


@pytest.mark.parametrize("cost", [float("inf"), 1e308, 10**400, -4.0])
def test_a_number_that_is_no_price_is_refused(cost: float) -> None:
    spoken = (GREETING, user("a"), said("Hi", (80, 9), cost=cost))
    entries = read_record(results(simulation(*spoken)), FamilyFacts())
    assert isinstance(entries, Iterator)
    ((_, error),) = entries
    assert isinstance(error, RolloutError)
    assert "turn 1: cost is" in str(error)


def test_usage_that_disagrees_with_the_providers_is_refused() -> None:
    raw = {"usage": {"input_tokens": 70, "output_tokens": 9}}
    spoken = (GREETING, user("a"), said("Hi", (80, 9), raw_data=raw))
    entries = read_record(results(simulation(*spoken)), FamilyFacts())
    assert isinstance(entries, Iterator)
    ((name, error),) = entries
    assert name == ": simulations[0] (task 0, trial 0)"
    assert isinstance(error, RolloutError)
    assert "turn 1: usage states (80, 9)" in str(error)


@pytest.mark.parametrize(
    ("more", "success"),
    [
        ({"reward": 0.0}, False),
        ({"reward": 0.5}, False),
        ({"reward_info": None}, None),
        ({"termination_reason": "infrastructure_error"}, None),
        ({"termination_reason": "max_steps", "reward": 0.0}, False),
    ],
)
def test_outcomes(more: dict[str, Any], success: bool | None) -> None:
    (log,) = logs(results(simulation(GREETING, user("a"), said("b", (9, 9)), **more)))
    assert log.success is success


@pytest.mark.parametrize(
    ("basis", "parts", "is_refused"),
    [
        (["DB"], {"DB": 0.0}, True),
        (["DB", "COMMUNICATE"], {"DB": 1.0, "COMMUNICATE": 0.0}, True),
        (["DB"], {"DB": 1.0, "NL_ASSERTION": 0.0}, False),
        (["DB"], None, False),
        (None, {"DB": 0.0}, False),
    ],
)
def test_a_full_reward_with_a_lower_part_is_refused(
    basis: Any, parts: Any, is_refused: bool
) -> None:
    reward = {"reward": 1.0, "reward_basis": basis, "reward_breakdown": parts}
    record = results(simulation(GREETING, user("a"), said("b", (9, 9)), reward_info=reward))
    made = read_record(record, FamilyFacts())
    assert isinstance(made, Iterator)
    ((_, outcome),) = made
    assert isinstance(outcome, RolloutError) == is_refused
    if is_refused:
        assert "states reward = 1.0, and " in str(outcome)


def test_simulations_may_be_files_of_their_own(tmp_path: Path) -> None:
    run = tmp_path / FAMILY / "run"
    record = simulation(GREETING, user("a"), said("b", (90, 9)))
    write_json(run / "simulations" / "4f0a.json", record)
    index = {"info": results()["info"], "tasks": [], "simulation_index": [{"id": "4f0a"}]}
    write_json(run / "results.json", index)
    made = read(tmp_path / FAMILY)
    assert made.refused == []
    (rollout,) = made.rollouts
    assert (rollout.system, rollout.success) == ("Be kind.", True)


def test_a_spoken_simulation_is_refused_by_name() -> None:
    entries = read_record(results(simulation(messages=None, ticks=[{}])), FamilyFacts())
    assert isinstance(entries, Iterator)
    ((_, error),) = entries
    assert "spoken simulation" in str(error)


AMOUNT = st.integers(1, 500)


@given(
    st.lists(st.tuples(AMOUNT, AMOUNT, st.booleans(), st.booleans()), min_size=1, max_size=8),
    st.booleans(),
)
def test_requests_come_back_as_they_were_written(
    requests: list[tuple[int, int, bool, bool]], greets: bool
) -> None:
    spoken: list[Any] = [GREETING] if greets else []
    history = 0
    for new, output, is_call, is_kept in requests:
        whole = history + new
        raw = {"input_tokens": new, "cache_read_input_tokens": history, "output_tokens": output}
        more: dict[str, Any] = {"raw_data": {"usage": raw}} if is_kept else {}
        if is_call:
            more["tool_calls"] = [call("look")]
        spoken += [user("go on"), said(None if is_call else "yes", (whole, output), **more)]
        history = whole + output
    (log,) = logs(results(simulation(*spoken)))
    assert fresh(log) == [(new, output) for new, output, _, _ in requests]
