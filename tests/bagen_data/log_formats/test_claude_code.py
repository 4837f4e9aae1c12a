"""Claude Code's sessions: one response over several lines, subagents, compactions, copies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.logs.rollout_log import Log
from tests.bagen_data.log_formats.session_logs import (
    STEPS,
    logs_in,
    normal_form,
    only_log,
    own_requests,
    spent,
    stamp,
    write,
)
from tests.making import SHARED_LOGS, needs_shared_logs

Records = list[dict[str, Any]]
TEXT = {"type": "text", "text": "Done."}


def line(
    kind: str, name: str, parent: str | None, second: float = 0, **more: Any
) -> dict[str, Any]:
    place = {"uuid": name, "parentUuid": parent, "sessionId": "s1", "isSidechain": False}
    return {"type": kind, "version": "2.1.80", "timestamp": stamp(second)} | place | more


def user(name: str, parent: str | None, content: Any = "go", second: float = 0, **more: Any) -> Any:
    message = {"role": "user", "content": content}
    return line("user", name, parent, second, message=message, **more)


def result(name: str, parent: str, text: str = "out", second: float = 0, **more: Any) -> Any:
    content = [{"type": "tool_result", "tool_use_id": "t", "content": text}]
    return user(name, parent, content, second, **more)


def usage(read: int, written: int, cached: int = 0, **more: Any) -> dict[str, Any]:
    whole = {"input_tokens": read - cached, "cache_read_input_tokens": cached}
    return whole | {"cache_creation_input_tokens": 0, "output_tokens": written} | more


def said(
    name: str,
    parent: str,
    message_id: str,
    counts: dict[str, Any] | None,
    second: float = 0,
    block: dict[str, Any] = TEXT,
    stop: str | None = "end_turn",
    model: str = "claude-opus-4-5",
    **more: Any,
) -> Any:
    message = {"id": message_id, "role": "assistant", "model": model, "content": [block]}
    message |= {"stop_reason": stop, "usage": counts}
    return line("assistant", name, parent, second, message=message, **more)


def call(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{name}", "name": "Bash", "input": {"command": name}}


def session(folder: Path, records: Sequence[Any]) -> Log:
    write(folder / "s1.jsonl", records)
    return only_log(folder)


def test_a_response_of_several_lines_counts_its_last_usage_once(tmp_path: Path) -> None:
    log = session(
        tmp_path,
        [
            user("u1", None, "fix it"),
            said("a1", "u1", "m1", usage(1000, 1), 1, {"type": "thinking", "thinking": "hm"}, None),
            said("a2", "a1", "m1", usage(1000, 1), 2, call("ls"), None),
            result("r1", "a2", "one", 3),
            said("a3", "a2", "m1", usage(1000, 90), 4, call("pwd"), "tool_use"),
            result("r2", "a3", "two", 5),
            said("a4", "r2", "m2", usage(1150, 40, cached=1000), 6),
        ],
    )
    assert spent(log) == [(1000, 90), (60, 40)]
    assert log.turns[0].assistant == 'Bash({"command": "ls"})\n\nBash({"command": "pwd"})'
    assert (log.turns[0].reasoning, log.turns[0].tool_calls) == ("hm", 2)
    assert log.turns[1].user == "one\n\ntwo"
    assert [turn.seconds for turn in log.turns] == [4, 2]
    assert (log.source, log.model, log.source_id) == ("Claude Code 2.1.80", "claude-opus-4-5", "s1")
    assert log.response_ids == {"m1", "m2"}


def test_a_compaction_begins_a_new_context(tmp_path: Path) -> None:
    log = session(
        tmp_path,
        [
            user("u1", None),
            said("a1", "u1", "m1", usage(900, 20)),
            line("system", "b", None, subtype="compact_boundary", logicalParentUuid="a1"),
            user("s", "b", "in short", isCompactSummary=True, isVisibleInTranscriptOnly=True),
            user("u2", "s", "more"),
            said("a2", "u2", "m2", usage(80, 25)),
        ],
    )
    assert spent(log) == [(900, 20), (80, 25)]
    assert log.turns[1].user == "in short\n\nmore"


def test_a_session_taken_back_replays_what_came_before(tmp_path: Path) -> None:
    log = session(
        tmp_path,
        [
            user("u1", None),
            said("a1", "u1", "m1", usage(900, 20)),
            user("u2", "a1", "wrong way"),
            said("a2", "u2", "m2", usage(950, 300)),
            user("u3", "a1", "right way"),
            said("a3", "u3", "m3", usage(5960, 30)),
        ],
    )
    assert spent(log) == [(900, 20), (30, 300), (5040, 30)]


def test_parents_that_are_no_chain_take_nothing_back(tmp_path: Path) -> None:
    records = [user("u0", None), said("a0", "u0", "m0", usage(900, 20))]
    for number in (1, 2):
        records.append(user(f"u{number}", "u0"))
        records.append(said(f"a{number}", "u0", f"m{number}", usage(900 + 50 * number, 20)))
    assert spent(session(tmp_path, records)) == [(900, 20), (30, 20), (30, 20)]


def test_a_session_may_be_taken_back_to_before_a_compaction(tmp_path: Path) -> None:
    log = session(
        tmp_path,
        [
            user("u1", None),
            said("a1", "u1", "m1", usage(900, 20)),
            line("system", "b", None, subtype="compact_boundary"),
            user("u2", "b", "in short", isCompactSummary=True),
            said("a2", "u2", "m2", usage(300, 30)),
            user("u3", "a1"),
            said("a3", "u3", "m3", usage(950, 10)),
        ],
    )
    assert spent(log) == [(900, 20), (300, 30), (30, 10)]


def test_notices_and_unknown_records_are_no_turns(tmp_path: Path) -> None:
    log = session(
        tmp_path,
        [
            {"type": "summary", "summary": "x", "leafUuid": "y"},
            {"type": "queue-operation", "operation": "enqueue", "sessionId": "s1"},
            {"type": "of-next-year", "sessionId": "s1"},
            user("u1", None, [{"type": "image", "source": {"data": "iVBO"}}, TEXT]),
            line("attachment", "t", "u1", attachment={"type": "queued_command", "prompt": "and"}),
            line("attachment", "t2", "u1", attachment={"type": "of-next-year"}),
            said("e", "u1", "x", usage(0, 0), model="<synthetic>", isApiErrorMessage=True),
            user("i", "u1", "a caveat", isMeta=True),
            said("a1", "u1", "m1", usage(900, 20), block={"type": "of-next-year"}),
            said("a2", "a1", "m1", usage(900, 20)),
        ],
    )
    assert spent(log) == [(900, 20)]
    assert log.turns[0].user == "(an image)\nDone.\n\nand\n\na caveat"
    assert log.turns[0].uncounted == "an image"
    assert log.skipped["synthetic response"] == log.skipped["of-next-year"] == 1


@pytest.mark.parametrize(
    ("counts", "stop"),
    [
        (usage(900, 1), None),
        (usage(900, 9), None),
        (usage(900, 2), "end_turn"),
        (None, "end_turn"),
    ],
)
def test_placeholders_of_a_stream_are_unknown_usage(
    tmp_path: Path, counts: dict[str, Any] | None, stop: str | None
) -> None:
    block = {"type": "text", "text": "a response of rather more than nine words in it"}
    log = session(
        tmp_path,
        [
            user("u1", None),
            said("a1", "u1", "m1", counts, block=block, stop=stop),
            user("u2", "a1"),
            said("a2", "u2", "m2", usage(990, 20)),
        ],
    )
    assert log.turns[0].requests is None
    assert log.turns[1].requests is not None


@pytest.mark.parametrize(
    ("block", "written", "is_known"),
    [
        (call("ls"), 29, False),
        (call("ls"), 87, True),
        ({"type": "thinking", "thinking": "", "signature": "x"}, 87, False),
    ],
)
def test_a_response_without_an_end_may_be_the_beginning_of_a_stream(
    tmp_path: Path, block: dict[str, Any], written: int, is_known: bool
) -> None:
    records = [
        user("u1", None),
        said("a1", "u1", "m1", usage(900, written), block=block, stop=None),
        user("u2", "a1"),
        said("a2", "u2", "m2", usage(990, 20)),
    ]
    assert (session(tmp_path, records).turns[0].requests is not None) == is_known


def test_a_response_that_was_cut_off_at_the_end_is_dropped(tmp_path: Path) -> None:
    records = [
        user("u1", None),
        said("a1", "u1", "m1", usage(900, 20)),
        user("u2", "a1"),
        said("a2", "u2", "m2", usage(990, 1), stop=None),
    ]
    path = write(tmp_path / "s1.jsonl", records)
    path.write_text(path.read_text() + '{"type": "assist', encoding="utf-8")
    log = only_log(tmp_path)
    assert spent(log) == [(900, 20)]
    assert (log.skipped["unfinished response"], log.skipped["cut last line"]) == (1, 1)


@pytest.mark.parametrize("line", ['{"type": "assist', "[1]", '{"a": 1, "a": 2}'])
def test_another_line_that_cannot_be_read_refuses_the_session_by_its_number(
    tmp_path: Path, line: str
) -> None:
    """The line may have stated usage; `restore or remove it` advised to make the counts wrong."""
    path = write(tmp_path / "s1.jsonl", [user("u1", None), said("a1", "u1", "m1", usage(900, 20))])
    first, last = path.read_text().splitlines()
    for lines, number in (([first, line, last], 2), ([first, last, line, ""], 3)):
        path.write_text("\n".join(lines), encoding="utf-8")
        (refusal,) = logs_in(tmp_path).values()
        assert str(refusal).startswith(f"line {number} ")
        assert str(refusal).endswith(
            "; bring the line back from a copy of the log, or leave the session out: without the "
            "line its counts may be wrong"
        )


def test_a_line_of_a_subagent_is_named_with_its_file(tmp_path: Path) -> None:
    """The message named a line alone, as if it were the session's."""
    write(tmp_path / "s1.jsonl", [user("u1", None), said("a1", "u1", "m1", usage(900, 20))])
    path = write(tmp_path / "s1/subagents/agent-b7.jsonl", agent_records())
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([first, others[0][:9], *others, ""]), encoding="utf-8")
    refusals = [str(each) for each in logs_in(tmp_path).values()]
    assert any(each.startswith("s1/subagents/agent-b7.jsonl: line 2 ") for each in refusals)


AGENT = {"agentId": "b7", "isSidechain": True}


def agent_records() -> Records:
    return [
        user("g1", None, "explore", 3, **AGENT),
        said("g2", "g1", "n1", usage(400, 30), 4, call("find"), "tool_use", **AGENT),
        result("g3", "g2", second=5, **AGENT),
        said("g4", "g3", "n2", usage(480, 50), 6, **AGENT),
    ]


def main_records() -> Records:
    task = {"type": "tool_use", "id": "toolu_1", "name": "Task", "input": {"prompt": "explore"}}
    reported = {"toolUseResult": {"agentId": "b7", "totalTokens": 530, "status": "completed"}}
    return [
        user("u1", None, "fix it", 1),
        said("a1", "u1", "m1", usage(1000, 60), 2, task, "tool_use"),
        result("r1", "a1", "found", 7, **reported),
        said("a2", "r1", "m2", usage(1100, 40), 8),
    ]


@pytest.mark.parametrize(
    "place", ["agent-b7.jsonl", "s1/subagents/agent-b7.jsonl", "elsewhere.jsonl", "s1.jsonl"]
)
def test_a_subagent_is_paid_for_in_the_turn_after_it(tmp_path: Path, place: str) -> None:
    main = main_records()
    if place == "s1.jsonl":
        write(tmp_path / place, [*main[:2], *agent_records(), *main[2:]])
    else:
        write(tmp_path / "s1.jsonl", main)
        write(tmp_path / place, agent_records())
        about = tmp_path / place.replace(".jsonl", ".meta.json")
        about.write_text('{"agentType": "Explore"}', encoding="utf-8")
    log = only_log(tmp_path)
    assert spent(log) == [(1000, 60), (400 + 50 + 40, 30 + 50 + 40)]
    requests = log.turns[1].requests
    assert requests is not None
    assert [request.context for request in requests] == ["agent b7", "agent b7", ""]


def test_a_subagent_without_its_log_is_unknown_usage(tmp_path: Path) -> None:
    write(tmp_path / "s1.jsonl", main_records())
    log = only_log(tmp_path)
    assert [turn.requests is None for turn in log.turns] == [False, True]
    assert log.turns[1].uncounted == "a subagent's work"


def test_a_subagent_without_its_session_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "agent-b7.jsonl", agent_records())
    (refusal,) = logs_in(tmp_path).values()
    assert "a subagent of session s1" in str(refusal)


def test_a_copy_that_sums_the_session_up_branches_off(tmp_path: Path) -> None:
    copied = {"agentId": "acompact-1", "isSidechain": True}
    sums_up = [
        user("c1", None, "fix it", 3, **copied),
        said("c2", "c1", "m1", usage(1000, 60), 3, **copied),
        said("c3", "c2", "n9", usage(1090, 200), 4, **copied),
    ]
    records = [
        user("u1", None, "fix it", 1),
        said("a1", "u1", "m1", usage(1000, 60), 2),
        line("system", "b", None, 5, subtype="compact_boundary"),
        user("s", "b", "in short", 5, isCompactSummary=True),
        said("a2", "s", "m2", usage(300, 40), 8),
    ]
    write(tmp_path / "s1.jsonl", records)
    write(tmp_path / "s1/subagents/agent-acompact-1.jsonl", sums_up)
    assert spent(only_log(tmp_path)) == [(1000, 60), (30 + 300, 200 + 40)]


def test_two_sessions_in_one_file_are_two_rollouts(tmp_path: Path) -> None:
    first = [user("u1", None), said("a1", "u1", "m1", usage(900, 20))]
    second = [
        each | {"sessionId": "s2"}
        for each in (user("v1", None), said("b1", "v1", "m2", usage(700, 10)))
    ]
    write(tmp_path / "both.jsonl", [first[0], second[0], first[1], second[1]])
    logs = logs_in(tmp_path)
    assert list(logs) == ["both.jsonl (session s1)", "both.jsonl (session s2)"]
    assert [spent(log) for log in logs.values() if isinstance(log, Log)] == [
        [(900, 20)],
        [(700, 10)],
    ]


def test_a_resumed_session_goes_on_with_another_id(tmp_path: Path) -> None:
    records = [user("u1", None), said("a1", "u1", "m1", usage(900, 20))]
    resumed = [user("u2", "a1"), said("a2", "u2", "m2", usage(950, 10))]
    again = [records[0], records[1]]
    log = session(tmp_path, [*records, *again, *(each | {"sessionId": "s2"} for each in resumed)])
    assert spent(log) == [(900, 20), (30, 10)]
    assert log.source_id == "s2"


def test_iterations_are_requests_one_by_one(tmp_path: Path) -> None:
    def part(kind: str, read: int, written: int) -> dict[str, Any]:
        return usage(read, written) | {"type": kind}

    parts = [part("compaction", 900, 50), part("message", 200, 30)]
    advised = [part("message", 260, 20), part("advisor_message", 270, 90)]
    log = session(
        tmp_path,
        [
            user("u1", None),
            said("a1", "u1", "m1", usage(880, 10)),
            user("u2", "a1"),
            said("a2", "u2", "m2", usage(200, 30, iterations=parts)),
            user("u3", "a2"),
            said("a3", "u3", "m3", usage(260, 20, iterations=advised)),
        ],
    )
    assert spent(log) == [(880, 10), (10 + 200, 50 + 30), (30 + 270, 20 + 90)]
    wrong = usage(200, 30, iterations=[part("message", 200, 31)])
    with pytest.raises(RolloutError, match=r"turn 1: usage has iterations \(message\) of 200"):
        session(tmp_path, [user("u1", None), said("a1", "u1", "m1", wrong)])


@given(steps=STEPS, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_requests_come_back_as_they_were_made(tmp_path: Path, steps: Any, data: Any) -> None:
    made = normal_form(steps)
    records: Records = [user("u0", None, "go")]
    agents: list[tuple[int, int]] = []
    for number, (read, written, visible, context) in enumerate(made):
        parent = str(next(each["uuid"] for each in reversed(records) if "uuid" in each))
        if number and context != made[number - 1][3]:
            records.append(line("system", f"b{number}", None, subtype="compact_boundary"))
            records.append(user(f"s{number}", f"b{number}", "in short", isCompactSummary=True))
        counts = usage(read, written, cached=data.draw(st.integers(0, read)))
        if visible < written:
            counts["output_tokens_details"] = {"thinking_tokens": written - visible}
        blocks = data.draw(st.integers(1, 3))
        for block in range(blocks):
            is_last = block == blocks - 1
            name = f"a{number}.{block}"
            stated = counts if is_last else counts | {"output_tokens": 1}
            stop = "tool_use" if is_last else None
            records.append(said(name, parent, f"m{number}", stated, number, call(name), stop))
            parent = name
            records += [result(f"r{name}", name)] if data.draw(st.booleans()) else []
            records += [{"type": "progress", "sessionId": "s1"}] if data.draw(st.booleans()) else []
        if data.draw(st.booleans()):
            size = data.draw(st.tuples(st.integers(9, 99), st.integers(9, 99)))
            agents.append(size)
            agent = {"isSidechain": True, "agentId": f"g{number}"}
            records.append(user(f"g{number}", None, "look", **agent))
            records.append(
                said(f"h{number}", f"g{number}", f"n{number}", usage(*size), number, **agent)
            )
    log = session(tmp_path, records)
    assert own_requests(log) == made
    beside = [
        (each.input_tokens, each.output_tokens)
        for turn in log.turns
        for each in turn.requests or ()
        if each.context.startswith("agent")
    ]
    assert beside == agents


@needs_shared_logs
def test_real_files_are_read() -> None:
    logs = logs_in(SHARED_LOGS / "claude-code")
    agent, compact = logs["cc_agent.jsonl"], logs["cc_compact.jsonl"]
    assert isinstance(agent, Log)
    assert [turn.requests is None for turn in agent.turns] == [False, True]
    assert isinstance(compact, Log)
    assert spent(compact) == [(100, 15), (80, 25)]
    assert {"claude_small.jsonl (session ses_stage0_small)"} < logs.keys()
