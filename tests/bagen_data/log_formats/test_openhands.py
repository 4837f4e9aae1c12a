"""OpenHands evaluation outputs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.usage import fresh_usage
from tests.making import read, write_json, write_lines

FAMILY = "sokoban-origin-m"
SYSTEM = {"source": "agent", "action": "system", "args": {"content": "You are careful."}}
USER = {"source": "user", "action": "message", "args": {"content": "Fix it."}}
STATE = {"source": "environment", "observation": "agent_state_changed", "content": ""}


def run(response: str, *commands: str, action: str = "run", said: str | None = None) -> Any:
    """An action of a response that calls bash once a command."""
    calls = [
        {
            "id": f"c{n}",
            "function": {"name": "execute_bash", "arguments": json.dumps({"command": c})},
        }
        for n, c in enumerate(commands)
    ]
    message = {"role": "assistant", "content": said, "tool_calls": calls}
    model_response = {"id": response, "choices": [{"message": message}]}
    metadata = {"function_name": "execute_bash", "model_response": model_response}
    return {
        "source": "agent",
        "action": action,
        "args": {"command": "ignored"},
        "tool_call_metadata": metadata,
    }


def output(text: str) -> Any:
    return {"source": "agent", "observation": "run", "content": text}


CONDENSATION = {"source": "agent", "action": "condensation", "args": {"summary": "So far: ..."}}


def usage(response: str, prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {
        "model": "gpt-4o",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "context_window": 128_000,
        "per_turn_token": prompt + completion,
        "response_id": response,
    } | more


def rollout(*history: Any, usages: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "instance_id": "x-1",
        "test_result": {"git_patch": "diff"},
        "metadata": {"llm_config": {"model": "gpt-4o"}},
        "history": [SYSTEM, USER, STATE, *history],
        "metrics": {"accumulated_cost": 0.1, "token_usages": usages},
    } | more


def log(record: Any) -> Log:
    run_log = read_record(record, FamilyFacts())
    assert isinstance(run_log, Log)
    return run_log


def fresh(run_log: Log) -> list[tuple[int, int]]:
    return fresh_usage([r for turn in run_log.turns for r in turn.requests or ()], "request")


def test_the_actions_of_a_response_are_a_turn() -> None:
    both = run("r1", "ls", "pwd", said="I look.")
    history = (both, output("a.py"), both, output("/app"), run("r2", "rm a.py"), output(""))
    run_log = log(rollout(*history, usages=[usage("r1", 900, 40), usage("r2", 990, 10)]))
    assert run_log.system == "You are careful."
    assert [turn.user for turn in run_log.turns] == ["Fix it.", "a.py\n\n/app"]
    assert run_log.turns[0].assistant == "I look.\n\n```bash\nls\n```\n\n```bash\npwd\n```"
    assert [turn.tool_calls for turn in run_log.turns] == [2, 1]
    assert fresh(run_log) == [(900, 40), (50, 10)]
    assert run_log.skipped == {"agent_state_changed": 1}
    assert (run_log.model, run_log.response_ids) == ("gpt-4o", {"r1", "r2"})


@pytest.mark.parametrize(("costs", "prices"), [([0.5, 0.25], [0.5, 0.25]), ([0.5], [None, None])])
def test_prices_are_taken_where_each_request_has_one(costs: Any, prices: Any) -> None:
    record = rollout(
        run("r1", "ls"), run("r2", "ls"), usages=[usage("r1", 9, 1), usage("r2", 9, 1)]
    )
    record["metrics"]["costs"] = [{"model": "gpt-4o", "cost": cost} for cost in costs]
    record["metrics"]["accumulated_cost"] = sum(costs)
    turns = log(record).turns
    assert [r.cost_usd for turn in turns for r in turn.requests or ()] == prices


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"accumulated_token_usage": {"prompt_tokens": 90}}, "prompt_tokens is 90; expected 18"),
        ({"accumulated_token_usage": {"completion_tokens": 1}}, "is 1; expected 2, the sum over"),
        ({"accumulated_cost": 5.0}, "accumulated_cost is 5.0; expected 0.75, the sum over"),
    ],
)
def test_totals_that_the_requests_do_not_add_up_to_are_refused(stated: Any, problem: str) -> None:
    usages = [usage("r1", 9, 1), usage("r2", 9, 1)]
    right = {
        "token_usages": usages,
        "costs": [{"cost": 0.5}, {"cost": 0.25}],
        "accumulated_cost": 0.750_000_1,
        "accumulated_token_usage": {"prompt_tokens": 18, "completion_tokens": 2},
    }
    history = (run("r1", "ls"), run("r2", "ls"))
    assert len(log(rollout(*history, metrics=right)).turns) == 2
    with pytest.raises(RolloutError, match=problem):
        log(rollout(*history, metrics=right | stated))


def test_a_condensation_begins_a_context_and_is_paid() -> None:
    history = (run("r1", "ls"), output("a"), CONDENSATION, run("r2", "pwd"))
    usages = [usage("r1", 900, 40), usage("c1", 800, 60), usage("r2", 300, 10)]
    run_log = log(rollout(*history, usages=usages))
    assert fresh(run_log) == [(900, 40), (800, 60), (300, 10)]
    assert [len(turn.requests or ()) for turn in run_log.turns] == [1, 2]
    assert run_log.turns[1].user == "a\n\nSo far: ..."


@pytest.mark.parametrize(
    ("usages", "problem"),
    [
        (
            [usage("r1", 9, 1), usage("lost", 9, 1), usage("r2", 19, 1)],
            r"token_usages\[1\] is of no",
        ),
        ([usage("r1", 9, 1), usage("r2", 19, 1), usage("x", 9, 1)], "after the last turn's"),
        (
            [usage("r1", 9, 1, new_tokens=4), usage("r2", 19, 1)],
            r"token_usages\[0\]: usage has new",
        ),
    ],
)
def test_usages_of_no_response_are_refused(usages: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        log(rollout(run("r1", "ls"), output("a"), run("r2", "pwd"), usages=usages))


def test_without_usages_a_tokenizer_counts() -> None:
    turns = log(rollout(run("r1", "ls"), output("a"), run("r2", "pwd"))).turns
    assert [turn.requests for turn in turns] == [None, None]


def test_a_response_whose_usage_is_missing_is_unknown() -> None:
    history = (run("r1", "ls"), output("a"), run("r2", "pwd"))
    turns = log(rollout(*history, usages=[usage("r2", 9, 1)])).turns
    assert [turn.requests is None for turn in turns] == [True, False]


def test_actions_without_ids_take_usages_in_order() -> None:
    says = {"source": "agent", "action": "message", "args": {"content": "Which file?"}}
    history = (run("r1", "ls"), output("a"), says, USER, run("r3", "pwd"))
    usages = [usage("r1", 900, 40), usage("r2", 950, 10), usage("r3", 970, 5)]
    run_log = log(rollout(*history, usages=usages))
    assert run_log.turns[1].assistant == "Which file?"
    assert fresh(run_log) == [(900, 40), (10, 10), (10, 5)]


def test_the_oldest_histories_are_pairs() -> None:
    edit = {"source": "agent", "action": "run", "args": {"command": "ls", "thought": "Look."}}
    history = [[USER, STATE], [edit, output("a.py")], [edit, output("b.py")]]
    turns = log(rollout() | {"history": history}).turns
    assert turns[0].assistant == "Look.\n\n```bash\nls\n```"
    assert [turn.user for turn in turns] == ["Fix it.", "a.py"]


def test_events_of_the_sdk() -> None:
    def act(response: str, command: str, thought: str) -> Any:
        arguments = json.dumps({"command": command})
        return {
            "kind": "ActionEvent",
            "source": "agent",
            "thought": [{"type": "text", "text": thought}] if thought else [],
            "reasoning_content": None,
            "tool_call": {"id": "c", "name": "terminal", "arguments": arguments},
            "llm_response_id": response,
        }

    seen = {"kind": "ObservationEvent", "observation": {"content": [{"type": "text", "text": "a"}]}}
    said = {"role": "user", "content": [{"type": "text", "text": "Fix it."}]}
    history = [
        {"kind": "SystemPromptEvent", "system_prompt": {"type": "text", "text": "Be brief."}},
        {"kind": "MessageEvent", "source": "user", "llm_message": said},
        act("r1", "ls", "Look."),
        act("r1", "pwd", ""),
        seen,
        seen,
        {"kind": "ConversationStateUpdateEvent", "key": "x"},
        act("r2", "rm a", "Remove."),
    ]
    usages = [usage("r1", 90, 9, reasoning_tokens=4), usage("r2", 100, 5)]
    run_log = log(rollout(usages=usages) | {"history": history})
    assert run_log.system == "Be brief."
    assert run_log.turns[0].assistant == "Look.\n\n```bash\nls\n```\n\n```bash\npwd\n```"
    assert [turn.user for turn in run_log.turns] == ["Fix it.", "a\n\na"]
    assert fresh(run_log) == [(90, 9), (5, 5)]
    assert run_log.skipped == {"ConversationStateUpdateEvent": 1}


def test_outcomes_stand_beside_the_output(tmp_path: Path) -> None:
    def one(name: str, **more: Any) -> Any:
        return rollout(run(name, "ls"), usages=[usage(name, 90, 9)], instance_id=name, **more)

    family = tmp_path / FAMILY
    own = {"test_result": {"report": {"resolved": True}}}
    write_lines(
        family / "a" / "output.jsonl", [one("a-1"), one("a-2"), one("a-3"), one("a-4", **own)]
    )
    judged = [
        {"instance_id": "a-1", "test_result": {"report": {"resolved": True}}},
        {"instance_id": "a-2", "test_result": {"report": {"resolved": False}}},
        {"instance_id": "a-3", "test_result": {"report": {"resolved": False, "error_eval": True}}},
    ]
    write_lines(family / "a" / "output.swebench_eval.jsonl", judged)
    write_lines(family / "b" / "output.jsonl", [one("b-1"), one("b-2")])
    report = {"resolved_ids": [], "unresolved_ids": ["b-1"], "error_ids": ["b-2"]}
    write_json(family / "b" / "report.json", report)
    made = read(family)
    assert {rollout.instance_id: rollout.success for rollout in made.rollouts} == {
        "a-1": True,
        "a-2": False,
        "a-4": True,
        "b-1": False,
    }
    assert [refusal.where for refusal in made.refused] == [
        "a/output.jsonl:3 (a-3)",
        "b/output.jsonl:2 (b-2)",
    ]


BOTH = {"resolved_ids": ["x"], "unresolved_ids": []}
NONE = {"resolved_ids": [], "unresolved_ids": ["x"]}


def _line(resolved: bool) -> str:
    result = {"report": {"resolved": resolved}}
    return json.dumps({"instance_id": "x", "test_result": result}) + "\n"


CONTRADICTIONS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "a report": (
        {},
        {"report.json": json.dumps(NONE | {"resolved_ids": ["x"]})},
        "the evaluation report report.json contradicts itself: it lists 1 of 1 resolved_ids",
    ),
    "two reports": (
        {},
        {"report.json": json.dumps(BOTH), "output.report.json": json.dumps(NONE)},
        "another: true in report.json and false in output.report.json",
    ),
    "two lines": (
        {},
        {"output.swebench_eval.jsonl": _line(True) + _line(False)},
        "another: true in output.swebench_eval.jsonl:1: test_result.report.resolved and false in "
        "output.swebench_eval.jsonl:2: test_result.report.resolved",
    ),
    "the record and a report": (
        {"test_result": {"report": {"resolved": True}}},
        {"report.json": json.dumps(NONE)},
        "another: true in test_result.report.resolved and false in report.json",
    ),
    "the record alone": (
        {"test_result": {"report": {"resolved": True}, "resolved": False}},
        {},
        "another: true in test_result.report.resolved and false in test_result.resolved",
    ),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_evaluations_that_differ_refuse_the_rollout(tmp_path: Path, kind: str) -> None:
    more, files, problem = CONTRADICTIONS[kind]
    family = tmp_path / FAMILY
    record = rollout(run("r", "ls"), usages=[usage("r", 90, 9)], instance_id="x", **more)
    write_lines(family / "output.jsonl", [record])
    for name, text in files.items():
        (family / name).write_text(text, encoding="utf-8")
    run_log = read(family)
    assert list(run_log.rollouts) == []
    assert any(
        refusal.where.startswith("output.jsonl") and problem in refusal.reason
        for refusal in run_log.refused
    )


def test_evaluations_that_agree_judge_the_rollout(tmp_path: Path) -> None:
    family = tmp_path / FAMILY
    own = {"test_result": {"report": {"resolved": True}, "resolved": True}}
    record = rollout(run("r", "ls"), usages=[usage("r", 90, 9)], instance_id="x", **own)
    write_lines(family / "output.jsonl", [record])
    for name in ("report.json", "output.report.json"):
        write_json(family / name, BOTH)
    (family / "output.swebench_eval.jsonl").write_text(_line(True) * 2, encoding="utf-8")
    assert [each.success for each in read(family).rollouts] == [True]


AMOUNT = st.integers(1, 500)
RESPONSE = st.tuples(AMOUNT, AMOUNT, st.booleans(), st.booleans(), st.integers(1, 3))


@given(st.lists(RESPONSE, min_size=1, max_size=8))
def test_requests_come_back_as_they_were_written(responses: list[Any]) -> None:
    history: list[Any] = []
    usages: list[Any] = []
    expected = []
    replayed = 0
    for number, (new, written, is_cached, is_condensed, calls) in enumerate(responses):
        if is_condensed and number:
            history.append(CONDENSATION)
            usages.append(usage(f"c{number}", new + 7, 3))
            expected.append((new + 7, 3))
            replayed = 0
        prompt = replayed + new
        cached = {"cache_read_tokens": replayed, "cache_write_tokens": new} if is_cached else {}
        for _ in range(calls):
            history += [run(f"r{number}", *["ls"] * calls), output("a")]
        usages.append(usage(f"r{number}", prompt, written, **cached))
        expected.append((new, written))
        replayed = prompt + written
    run_log = log(rollout(*history, usages=usages))
    assert fresh(run_log) == expected
    assert [turn.tool_calls for turn in run_log.turns] == [each[-1] for each in responses]
