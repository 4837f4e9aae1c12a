"""Gemini CLI's chats, as one object and as lines."""

import json
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
    without,
    write,
)
from tests.making import SHARED_LOGS, needs_shared_logs

Record = dict[str, Any]
HEAD = {"sessionId": "5d0c1b2a", "projectHash": "20", "startTime": stamp(0), "kind": "main"}


def tokens(read: int, written: int, thoughts: int = 0, cached: int = 0) -> dict[str, int]:
    counts = {"input": read, "output": written, "cached": cached, "thoughts": thoughts, "tool": 0}
    return counts | {"total": read + written + thoughts}


def user(name: str, text: Any = "go", second: float = 0) -> Record:
    return {"id": name, "timestamp": stamp(second), "type": "user", "content": text}


def said(name: str, counts: Any, text: Any = "Done.", second: float = 0, **more: Any) -> Record:
    record = {"id": name, "timestamp": stamp(second), "type": "gemini", "content": text}
    return record | {"model": "gemini-3-pro", "tokens": counts} | more


def tool(output: str, **more: Any) -> Record:
    answer = {"functionResponse": {"id": "t", "name": "ls", "response": {"output": output}}}
    return {"id": "t", "name": "ls", "args": {"path": "."}, "result": [answer]} | more


def chat(folder: Path, records: Sequence[Any], ending: str = ".jsonl") -> Log:
    """Write a chat as lines or as one object, and read it."""
    path = folder / f"session-2026-5d0c1b2a{ending}"
    if ending == ".jsonl":
        write(path, [HEAD, *records])
    else:
        path.write_text(json.dumps(HEAD | {"messages": list(records)}), encoding="utf-8")
    return only_log(folder)


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_message_is_a_response_and_its_tools_are_heard_next(tmp_path: Path, ending: str) -> None:
    thoughts = [{"subject": "Listing", "description": "I will list."}]
    log = chat(
        tmp_path,
        [
            user("m1", [{"text": "go"}, {"inlineData": {"mimeType": "image/png", "data": "x"}}]),
            said(
                "m2", tokens(1000, 20, 30, 400), "", 2, toolCalls=[tool("a.txt")], thoughts=thoughts
            ),
            {"id": "m3", "type": "info", "content": "Update available"},
            {"id": "m4", "type": "of-next-year", "content": ""},
            said("m5", tokens(1040, 10), "Done.", 5),
        ],
        ending,
    )
    assert spent(log) == [(1000, 50), (20, 10)]
    assert log.turns[0].user == "go\n(an image)"
    assert log.turns[0].assistant == 'ls({"path": "."})'
    assert log.turns[0].reasoning == "Listing\nI will list."
    assert log.turns[1].user == "a.txt"
    assert [turn.seconds for turn in log.turns] == [2, 3]
    assert (log.source, log.model, log.source_id) == ("Gemini CLI", "gemini-3-pro", "5d0c1b2a")
    assert log.skipped["info"] == log.skipped["of-next-year"] == 1


def test_a_message_counts_once_in_its_last_state(tmp_path: Path) -> None:
    first = said("m2", None, "Listing.")
    log = chat(
        tmp_path,
        [
            user("m1"),
            first,
            without(first, "tokens") | {"tokens": tokens(1000, 20)},
            {"$set": {"lastUpdated": stamp(3)}},
            {"of_next_year": 1},
            said("m2", tokens(1000, 20), "Listing.", toolCalls=[tool("a.txt")]),
            said("m3", tokens(1040, 10)),
        ],
    )
    assert spent(log) == [(1000, 20), (20, 10)]
    assert log.turns[1].user == "a.txt"


def test_what_was_taken_back_was_paid_for(tmp_path: Path) -> None:
    records = [user("m1"), said("m2", tokens(1000, 20)), user("m3", "wrong way")]
    records += [said("m4", tokens(1050, 300)), {"$rewindTo": "m3"}]
    records += [user("m5", "right way"), said("m6", tokens(1060, 10))]
    assert spent(chat(tmp_path, records)) == [(1000, 20), (30, 300), (40, 10)]


def test_a_compression_begins_a_new_context(tmp_path: Path) -> None:
    spoken = [user("m1"), said("m2", tokens(9000, 20)), user("m3"), said("m4", tokens(9050, 10))]
    history = [user("s1", "in short"), said("s2", None, "Got it."), spoken[2], spoken[3]]
    notice = {"id": "n", "type": "info", "content": "Hello"}
    records = [notice, *spoken, {"$set": {"messages": spoken}}, {"$set": {"messages": history}}]
    log = chat(tmp_path, [*records, user("m5", "more"), said("m6", tokens(400, 30))])
    assert spent(log) == [(9000, 20), (30, 10), (400, 30)]
    assert log.turns[2].user == "in short\n\nGot it.\n\nmore"


def test_a_history_that_only_looks_replaced_goes_on(tmp_path: Path) -> None:
    renamed = [user("x1"), said("x2", None)]
    records = [user("m1"), said("m2", tokens(900, 20)), {"$set": {"messages": renamed}}]
    log = chat(tmp_path, [*records, user("m3"), said("m4", tokens(950, 10))])
    assert spent(log) == [(900, 20), (30, 10)]


def test_a_notice_of_a_compression_begins_a_new_context(tmp_path: Path) -> None:
    notice = {"id": "n", "type": "info", "content": "Chat history compressed from 9000 to 400."}
    records = [user("m1"), said("m2", tokens(9000, 20)), notice, user("m3")]
    assert spent(chat(tmp_path, [*records, said("m4", tokens(400, 30))], ".json")) == [
        (9000, 20),
        (400, 30),
    ]


def test_a_response_without_tokens_is_unknown_and_a_cancelled_last_one_dropped(
    tmp_path: Path,
) -> None:
    cancelled = {"id": "n", "type": "info", "content": "Request cancelled."}
    records = [user("m1"), said("m2", None), user("m3"), said("m4", tokens(900, 10))]
    log = chat(tmp_path, [*records, user("m5"), said("m6", None), cancelled])
    assert [turn.requests is None for turn in log.turns] == [True, False]
    assert log.skipped["unfinished response"] == 1


def test_a_total_that_disagrees_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="message m2: usage states a total of 1021 tokens"):
        chat(tmp_path, [user("m1"), said("m2", tokens(1000, 20) | {"total": 1021})])


def test_subagents_are_paid_for_in_the_turn_after_them(tmp_path: Path) -> None:
    call = tool("found", agentId="a7")
    main = [
        user("m1", second=1),
        said("m2", tokens(1000, 20), "", 2, toolCalls=[call]),
        said("m3", tokens(1040, 10), second=9),
    ]
    path = tmp_path / "chats" / "session-2026-5d0c1b2a.jsonl"
    write(path, [HEAD, *main])
    log = only_log(tmp_path)
    assert log.turns[1].uncounted == "a subagent's work"
    agent = [HEAD | {"sessionId": "a7", "kind": "subagent"}, user("x1", second=3)]
    agent += [said("x2", tokens(300, 30), second=5)]
    write(tmp_path / "chats" / "5d0c1b2a" / "a7.jsonl", agent)
    assert spent(only_log(tmp_path)) == [(1000, 20), (300 + 20, 30 + 10)]
    path.unlink()
    (refusal,) = logs_in(tmp_path).values()
    assert "is the chat of a subagent" in str(refusal)


@given(steps=STEPS, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_requests_come_back_as_they_were_made(tmp_path: Path, steps: Any, data: Any) -> None:
    history, shrinking = 0, []
    for (fresh, written, reasoning), is_compacted in steps:
        is_shorter = is_compacted and fresh < history  # Gemini CLI undoes any other
        shrinking.append(((fresh, written, reasoning), is_shorter))
        history = fresh + written - reasoning + (0 if is_shorter else history)
    made = normal_form(shrinking)
    records: list[Record] = []
    for number, (read, written, visible, context) in enumerate(made):
        if number and context != made[number - 1][3]:
            records.append({"$set": {"messages": [user(f"s{number}", "in short")]}})
        records += [user(f"u{number}")] if data.draw(st.booleans()) else []
        counts = tokens(read, visible, written - visible, data.draw(st.integers(0, read)))
        whole = said(f"m{number}", counts, toolCalls=[tool("out")])
        states = [without(whole, "toolCalls", "tokens"), without(whole, "toolCalls"), whole]
        records += [whole] if data.draw(st.booleans()) else states
        records += [{"$set": {"lastUpdated": stamp(1)}}] if data.draw(st.booleans()) else []
    assert own_requests(chat(tmp_path, records)) == made


@needs_shared_logs
def test_real_files_are_read() -> None:
    logs = logs_in(SHARED_LOGS / "gemini-cli")
    lines, whole = logs["gemini_v040.jsonl"], logs["gemini_large.json"]
    assert isinstance(lines, Log)
    assert spent(lines) == [(11855, 81), (133, 147)]
    assert isinstance(whole, Log)
    assert [turn.requests is None for turn in whole.turns] == [False, True, True, True]
    assert whole.turns[3].user == "Step 1"
