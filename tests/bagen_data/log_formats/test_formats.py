"""Readers of the published layouts: what they take, and how they refuse."""

from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import RolloutError
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts, Log
from tests.making import chat, dialogue, read, trajectory, write_json, write_lines

NOTHING_RESOLVED = FamilyFacts(resolved=frozenset(), judged=frozenset({"x"}))


def log(record: Any) -> Log:
    return read_record(record, NOTHING_RESOLVED)


def texts(parsed: Log) -> list[str]:
    return [text for turn in parsed.turns for text in (turn.user, turn.assistant)]


# Dialogues


def test_dialogue() -> None:
    parsed = log(dialogue(name="a"))
    assert texts(parsed) == ["state a 1", "move 1", "state a 2", "move 2", "state a 3", "move 3"]
    assert parsed.turns[1].requests is not None
    assert parsed.turns[1].requests[0].input_tokens == 90
    assert parsed.success


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"parsed_response": "Up", "raw_response": "<think>x</think> Up"}, "Up"),
        ({"parsed_response": None}, "move 2"),
        ({"parsed_response": " ", "raw_response": None}, ""),
        ({"raw_response": None, "raw_generation": "raw", "parsed_response": ""}, "raw"),
    ],
)
def test_the_parsed_response_is_shown_else_the_raw_one(changes: Any, shown: str) -> None:
    record = dialogue(**changes)
    if "raw_generation" in changes:
        del record["turns"][1]["raw_response"]
    assert log(record).turns[1].assistant.strip() == shown


def test_the_prompt_of_a_turn_may_stand_in_its_messages() -> None:
    record = dialogue()
    said = [{"role": "system", "content": "rules"}, {"role": "user", "content": "hello"}]
    record["turns"][0] |= {"user_prompt": None, "messages": said}
    assert log(record).turns[0].user == "hello"
    assert log(record).system == "rules"


@pytest.mark.parametrize("details", ["output_tokens_details", "completion_tokens_details"])
def test_reasoning_is_summed_over_the_calls_of_a_turn(details: str) -> None:
    call = {"usage": {"raw": {details: {"reasoning_tokens": 20}}}}
    requests = log(dialogue(api_interactions=[call, call, {"usage": None}])).turns[1].requests
    assert requests is not None
    assert (requests[0].output_tokens, requests[0].visible_tokens) == (70, 30)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"input_tokens": 90, "output_tokens": 70, "total_tokens": 160}, (90, 70, 70)),
        (
            {"input_tokens": 90, "cache_read_input_tokens": 900, "output_tokens": 70},
            (990, 70, 70),
        ),
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 70,
                "total_tokens": 180,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            (90, 90, 70),
        ),
    ],
)
def test_usage_of_the_call_explains_the_counts_of_its_turn(raw: Any, expected: Any) -> None:
    requests = log(dialogue(api_interactions=[{"usage": {"raw": raw}}])).turns[1].requests
    assert requests is not None
    assert (
        requests[0].input_tokens,
        requests[0].output_tokens,
        requests[0].visible_tokens,
    ) == expected


def test_usage_of_another_request_is_refused() -> None:
    raw = {"input_tokens": 91, "output_tokens": 70, "total_tokens": 161}
    with pytest.raises(RolloutError, match="state 91 input and 70 output tokens, and the turn 90"):
        log(dialogue(api_interactions=[{"usage": {"raw": raw}}]))


def test_without_a_breakdown_the_visible_share_is_estimated_from_the_texts() -> None:
    requests = log(dialogue(raw_response="a b c d Up", parsed_response="Up")).turns[1].requests
    assert requests is not None
    assert requests[0].visible_tokens == 14  # 1 word of 5, of 70 tokens


@pytest.mark.parametrize(
    "changes",
    [
        {"context_token_truncated": True},
        {"info": {"context_token_truncated": 1}},
        {"info": [{}, {"context_token_truncated": "True"}]},
    ],
)
def test_a_turn_cut_off_by_the_context_limit(changes: Any) -> None:
    assert [turn.cut_off for turn in log(dialogue(**changes)).turns] == [False, True, False]


@pytest.mark.parametrize(
    ("value", "success"), [(True, True), ("False", False), ("true", True), (0.0, False), (1, True)]
)
def test_success_may_be_a_string_or_a_number(value: Any, success: bool) -> None:
    assert log(dialogue(rollout_success=value)).success is success
    assert log(chat(["look", "go"], success=value)).success is success


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"api_input_tokens": -1}, "turn 2: api_input_tokens is -1; expected a whole number >= 0"),
        ({"api_input_tokens": 1.5}, "turn 2: api_input_tokens is 1.5; expected"),
        ({"api_output_tokens": "70"}, 'turn 2: api_output_tokens is "70"; expected'),
        ({"api_output_tokens": True}, "turn 2: api_output_tokens is true; expected"),
        ({"api_output_tokens": None}, "turn 2: usage has no api_output_tokens or"),
        ({"context_token_truncated": "so"}, 'turn 2: context_token_truncated is "so"; expected'),
        ({"success": "maybe"}, 'turn 2: success is "maybe"; expected true or false'),
        ({"raw_response": 3, "parsed_response": None}, "turn 2: raw_response is 3; expected a"),
    ],
)
def test_a_refusal_names_turn_and_field(changes: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        log(dialogue(**changes))


def test_an_outcome_is_never_guessed() -> None:
    assert log(dialogue(rollout_success=None)).success is None
    assert log({"messages": chat(["look", "go"])["messages"]}).success is None


# Chat messages


def test_a_trailing_user_message_is_no_turn() -> None:
    parsed = log(chat(["a", "b", "c", "d", "the end"]))
    assert texts(parsed) == ["a", "b", "c", "d"]


def test_a_system_message_may_come_first() -> None:
    record = chat(["a", "b"])
    record["messages"].insert(0, {"role": "system", "content": "rules"})
    assert (log(record).system, texts(log(record))) == ("rules", ["a", "b"])


def test_content_may_be_a_list_of_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert texts(
        log(
            {
                "messages": [
                    {"role": "user", "content": parts},
                    {"role": "assistant", "content": "c"},
                ],
                "metadata": {"success": 1},
            }
        )
    ) == ["a\nb", "c"]


@pytest.mark.parametrize("place", ["top", "metadata"])
@pytest.mark.parametrize("entry", [[30, 50], {"api_input_tokens": 30, "api_output_tokens": 50}])
def test_counts_per_turn(place: str, entry: Any) -> None:
    record = chat(["a", "b"])
    (record if place == "top" else record["metadata"])["per_turn_api_tokens"] = [entry]
    requests = log(record).turns[0].requests
    assert requests is not None
    assert (requests[0].input_tokens, requests[0].output_tokens) == (30, 50)


def test_cached_input_is_input_though_anthropic_counts_it_apart() -> None:
    cached = {"cache_read_input_tokens": 40, "cache_creation_input_tokens": 7}
    for usage, expected in (
        ({"input_tokens": 3, "output_tokens": 5} | cached, 50),
        ({"prompt_tokens": 50, "completion_tokens": 5} | cached, 50),
    ):
        requests = log(chat(["a", "b"], per_turn_api_tokens=[usage])).turns[0].requests
        assert requests is not None
        assert requests[0].input_tokens == expected


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (chat(["a", "b"], per_turn_api_tokens=[]), "has 0 entries; expected 1"),
        (
            chat(["a", "b"], per_turn_api_tokens=[{"input": 1}]),
            "turn 1: .*expected input_tokens and",
        ),
        (chat(["a", "b"], per_turn_api_tokens=[80]), "turn 1: .* is 80; expected an object"),
        (
            {
                **chat(["a", "b"], per_turn_api_tokens=[[8, 2]]),
                "metadata": {"per_turn_api_tokens": [[9, 2]]},
            },
            "states per_turn_api_tokens and another metadata.per_turn_api_tokens",
        ),
        (
            chat(["a", "b"]) | {"success": False},
            "states true as metadata.success and false as success",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {
                        "role": "assistant",
                        "content": "b",
                        "usage": {"prompt_tokens": 30, "completion_tokens": 5},
                    },
                ],
                "per_turn_api_tokens": [[25, 5]],
            },
            "turn 1 has 25 input and 5 output tokens in .* and 30 input and 5 output tokens in its",
        ),
        ({"messages": [{"role": "wizard", "content": "b"}]}, r"messages\[0\].role is \"wizard\""),
        ({"messages": [{"role": "user", "content": 3}]}, r"messages\[0\].content is 3"),
        ({"messages": ["hi"]}, r"messages\[0\] is \"hi\"; expected an object"),
        ({"messages": "hi"}, 'messages is "hi"; expected a list'),
        ({"a": 1}, "an object with 'turns' .dialogues.;.* an object with 'messages'"),
        ([1], "is a list, not a rollout"),
    ],
)
def test_records_that_are_no_rollouts(record: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        log(record)


@pytest.mark.parametrize(
    "hidden",
    [
        {"content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "b"}]},
        {"content": [{"type": "thinking", "thinking": "", "signature": "x"}]},
        {"content": "b", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        {
            "content": "b",
            "reasoning": "short",
            "reasoning_details": [{"type": "reasoning.summary", "summary": "short"}],
        },
    ],
)
def test_a_tokenizer_cannot_count_reasoning_that_is_not_in_the_log(hidden: Any) -> None:
    message = {"role": "assistant", **hidden}
    parsed = log({"messages": [{"role": "user", "content": "a"}, message]})
    assert parsed.turns[0].uncounted == "encrypted reasoning"


def test_sums_of_a_session_are_refused_in_the_messages_too() -> None:
    messages = []
    for given, written in ((900, 50), (1900, 90)):
        usage = {"input_tokens": given, "cached_input_tokens": 0, "output_tokens": written}
        said = {"role": "assistant", "content": "b", "usage": usage}
        messages += [{"role": "user", "content": "a"}, said]
    with pytest.raises(RolloutError, match="as a session's sums do"):
        log({"messages": messages})


def test_a_tools_result_may_hold_parts_of_any_kind() -> None:
    result = {"type": "tool_result", "content": [{"type": ["odd"]}]}
    said = [{"role": "user", "content": [result]}, {"role": "assistant", "content": "b"}]
    assert texts(log({"messages": said})) == ['{"type": ["odd"]}', "b"]


def test_a_refusal_is_a_response() -> None:
    said = [{"role": "assistant", "content": None, "refusal": "No."}]
    parsed = log({"messages": [{"role": "user", "content": "a"}, *said]})
    assert texts(parsed) == ["a", "No."]


# mini-swe-agent


def test_tool_calls_are_shown_as_commands_and_their_outputs_as_one_message() -> None:
    calls = [
        {"function": {"name": "bash", "arguments": '{"command": "ls"}'}},
        {"function": {"name": "bash", "arguments": '{"command": "pwd"}'}},
        {"function": {"name": "find", "arguments": '{"path": 1}'}},
    ]
    record = trajectory("x", sizes=[(1, 1)])
    record["messages"][2:] = [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "one"},
        {"role": "tool", "content": "two"},
        {"role": "assistant", "content": "done"},
        {"role": "exit", "content": "patch"},
        {"role": "assistant", "content": "never"},
    ]
    assert texts(log(record)) == [
        "issue x",
        '```bash\nls\n```\n\n```bash\npwd\n```\n\nfind({"path": 1})',
        "one\n\ntwo",
        "done",
    ]


def test_responses_api_objects() -> None:
    details = {
        "input_tokens": 30,
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 8},
    }
    record = trajectory("x", sizes=[(1, 1)])
    record["trajectory_format"] = "mini-swe-agent-1"
    record["messages"][2:] = [
        {
            "object": "response",
            "output": [
                {"type": "reasoning", "summary": []},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Look."}],
                },
                {"type": "function_call", "name": "bash", "arguments": '{"command": "ls"}'},
            ],
            "usage": details,
            "extra": {"actions": []},
        },
        {"type": "function_call_output", "call_id": "1", "output": "one"},
        {"role": "assistant", "content": "done"},
    ]
    parsed = log(record)
    assert texts(parsed) == ["issue x", "Look.\n\n```bash\nls\n```", "one", "done"]
    assert parsed.turns[0].requests is not None
    assert parsed.turns[0].requests[0].visible_tokens == 42


@pytest.mark.parametrize(
    ("kept", "shown", "uncounted"),
    [
        ({"model_response": "Thinking."}, "Thinking.", False),
        ({"response": {"choices": [{"message": {"content": "Thinking."}}]}}, "Thinking.", False),
        ({}, "", True),
    ],
)
def test_usage_of_an_unparsed_response_may_be_lost(kept: Any, shown: str, uncounted: bool) -> None:
    record = trajectory("x", sizes=[(30, 50)])
    complaint = {"role": "user", "content": "No.", "extra": {"interrupt_type": "FormatError"}}
    record["messages"].insert(2, complaint | {"extra": complaint["extra"] | kept})
    first = log(record).turns[0]
    assert (first.requests, first.assistant, first.unparsed) == (None, shown, True)
    assert bool(first.uncounted) == uncounted


def test_encrypted_reasoning_of_a_response_is_not_counted() -> None:
    record = trajectory("x", sizes=[(1, 1)])
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "x"}
    said = {"type": "function_call", "name": "bash", "arguments": '{"command": "ls"}'}
    record["messages"][2:] = [{"object": "response", "output": [thought, said]}]
    assert log(record).turns[0].uncounted == "encrypted reasoning"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"trajectory_format": "mini-swe-agent-9"}, "expected mini-swe-agent-1 or"),
        ({"instance_id": None}, "instance_id is null"),
        ({"messages": 3}, "messages is 3; expected a list"),
    ],
)
def test_other_trajectories_are_refused(changes: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        log(trajectory("x") | changes)


def test_success_is_what_the_report_resolved(tmp_path: Path) -> None:
    family = tmp_path / "swebench-origin-m"
    for name in ("one", "two"):
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name))
    assert "no evaluation report" in read(family).refused[0].reason
    write_json(family / "report.json", {"resolved_ids": ["two"], "unresolved_ids": ["one"]})
    assert [rollout.success for rollout in read(family).rollouts] == [False, True]
    write_json(family / "report.json", {"resolved_ids": [1, None]})
    assert [refusal.where for refusal in read(family).refused] == [
        "report.json",
        "run/one/one.traj.json",
        "run/two/two.traj.json",
    ]
    write_json(family / "report.json", {"resolved_ids": ["two"], "unresolved_ids": ["one"]})
    write_json(family / "older.json", {"resolved_ids": ["one"]})
    assert "several that differ" in read(family).refused[0].reason


def test_an_own_evaluation_that_differs_from_the_report_is_refused(tmp_path: Path) -> None:
    family = tmp_path / "swebench-origin-m"
    for name in ("one", "two"):
        own = {"info": {"evaluation": {"resolved": True}}}
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name) | own)
    write_json(family / "report.json", {"resolved_ids": ["two"], "unresolved_ids": ["one"]})
    index = read(family)
    assert [rollout.instance_id for rollout in index.rollouts] == ["two"]
    (refusal,) = index.refused
    assert refusal.where == "run/one/one.traj.json"
    assert "states resolved = true, and the evaluation report false" in refusal.reason


@pytest.mark.parametrize(("resolved", "is_refused"), [("one", True), ("two", False)])
def test_a_report_in_a_jsonl_file_that_differs_stops_the_family(
    tmp_path: Path, resolved: str, is_refused: bool
) -> None:
    family = tmp_path / "swebench-origin-m"
    for name in ("one", "two"):
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name))
    report = {"resolved_ids": ["two"], "unresolved_ids": ["one"]}
    write_json(family / "report.json", report)
    (other,) = {"one", "two"} - {resolved}
    write_lines(family / "b.jsonl", [{"resolved_ids": [resolved], "unresolved_ids": [other]}])
    index = read(family)
    assert [refusal.where for refusal in index.refused] == ["."] * is_refused
    if is_refused:
        assert "line 1 of b.jsonl is an evaluation report that differs" in index.refused[0].reason


REPORTS = {
    "of another run": (
        {"resolved_ids": ["x"], "unresolved_ids": ["y", "z"]},
        "judges 3 instances, and none of the family's 2 rollouts",
    ),
    "empty": ({"resolved_ids": []}, "judges 0 instances, and none of the family's 2 rollouts"),
    "of another count": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "unresolved_instances": 5},
        "states unresolved_instances = 5, and lists 1 in unresolved_ids",
    ),
    "twice, once as an error": (
        {"resolved_ids": ["two"], "unresolved_ids": ["one"], "error_ids": ["two"]},
        "lists 1 of 1 resolved_ids under error_ids, too, such as two",
    ),
    "of a count as text": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "resolved_instances": "0"},
        'states resolved_instances = "0", which is not a whole number',
    ),
    "of half an instance": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "unresolved_instances": 2.5},
        "states unresolved_instances = 2.5, which is not a whole number",
    ),
    "of a name that is none": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two", 5]},
        "lists 5 in unresolved_ids, which is not an instance's name",
    ),
    "of a list that is none": (
        {"resolved_ids": ["one"], "unresolved_ids": "two"},
        'states unresolved_ids = "two", which is not a list',
    ),
    "of too few in all": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "total_instances": 1},
        "states total_instances = 1, and lists 2 evaluated ones",
    ),
    "of too many without a list": (
        {"resolved_ids": ["one"], "resolved_instances": 1, "unresolved_instances": 7}
        | {"total_instances": 2},
        "states total_instances = 2, and 1 + 7 resolved and unresolved ones",
    ),
    "resolved and not completed": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "completed_ids": ["two"]},
        "lists 1 of 1 resolved_ids not under completed_ids, such as one",
    ),
    "resolved and not submitted": (
        {"resolved_ids": ["one"], "unresolved_ids": ["two"], "submitted_ids": ["two"]},
        "lists 1 of 1 resolved_ids not under submitted_ids, such as one",
    ),
    "twice": (
        {"resolved_ids": ["one"], "unresolved_ids": ["one", "two"]},
        "lists 1 of 1 resolved_ids under unresolved_ids, too, such as one",
    ),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_that_cannot_judge_the_family_stops_it(tmp_path: Path, kind: str) -> None:
    """Every rollout was a failure once, whatever the report was of."""
    report, problem = REPORTS[kind]
    family = tmp_path / "swebench-origin-m"
    for name in ("one", "two"):
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name))
    write_json(family / "report.json", report)
    index = read(family)
    assert index.entries == []
    assert any(problem in refusal.reason and refusal.where == "." for refusal in index.refused)


def test_a_jsonl_file_may_hold_any_layout(tmp_path: Path) -> None:
    family = tmp_path / "sokoban-origin-m"
    counts = [[30, 50]]
    write_lines(family / "a.jsonl", [dialogue(), chat(["a", "b"], per_turn_api_tokens=counts)])
    assert len(read(family).entries) == 2


@pytest.mark.parametrize(
    ("top", "inner", "instance_id"),
    [(0, None, "0"), (None, "a", "a"), ("", 0, "0"), (None, None, ""), ("b", "a", "b")],
)
def test_an_instance_is_named_by_the_first_id_there_is(
    top: Any, inner: Any, instance_id: str
) -> None:
    record = chat(["look", "go"]) | {"instance_id": top}
    record["metadata"] = record["metadata"] | {"instance_id": inner}
    assert read_record(record, FamilyFacts()).instance_id == instance_id


@pytest.mark.parametrize(
    ("calls", "status", "is_read"),
    [
        (3, "Submitted", True),
        (2, "Submitted", False),
        (4, "Submitted", False),
        (4, "ContextWindowExceededError", True),
        (5, "ContextWindowExceededError", False),
        (2, "LimitsExceeded", False),
        (0, "Submitted", True),
        (None, "Submitted", True),
        ("3", "Submitted", False),
    ],
)
def test_a_trajectory_holds_a_response_for_each_call(
    calls: Any, status: str, is_read: bool
) -> None:
    info = {"exit_status": status, "model_stats": {"api_calls": calls, "instance_cost": 0.1}}
    record = trajectory("a") | {"info": info}
    if is_read:
        assert len(log(record).turns) == 3
    else:
        with pytest.raises(RolloutError, match="api_calls"):
            log(record)
