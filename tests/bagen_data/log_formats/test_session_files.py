"""The first lines of a file say whose work it holds: a session's, or a subagent's of a session."""

from typing import Any

import pytest

from bagen_data.log_formats import session_of
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import SessionFile

CLAUDE = {"type": "user", "sessionId": "s1", "uuid": "u1", "message": {"role": "user"}}
CHAT = {"sessionId": "g1", "projectHash": "p", "startTime": "2026-03-01T10:00:00.000Z"}


def meta(**payload: Any) -> dict[str, Any]:
    return {"type": "session_meta", "payload": payload}


@pytest.mark.parametrize(
    ("head", "path", "session"),
    [
        ([{"type": "summary", "leafUuid": "x", "summary": "y"}, CLAUDE], "s1.jsonl", ("s1", "")),
        ([CLAUDE | {"isSidechain": True, "agentId": "a"}], "agent-a.jsonl", ("", "s1")),
        ([meta(id="c1")], "rollout-1.jsonl", ("c1", "")),
        ([meta(id="c2", parent_thread_id="c1"), meta(id="c1")], "rollout-2.jsonl", ("c2", "c1")),
        ([CHAT], "chats/session-g1.jsonl", ("g1", "")),
        ([CHAT | {"kind": "subagent", "sessionId": "g2"}], "chats/g1/g2.jsonl", ("g2", "g1")),
        ([{"custom_id": "a", "messages": []}], "a.jsonl", None),
        ([], "empty.jsonl", None),
    ],
)
def test_a_file_says_whose_work_it_holds(
    head: list[Any], path: str, session: tuple[str, str] | None
) -> None:
    lines = [Line(number, value) for number, value in enumerate(head, 1)]
    assert session_of(lines, path) == (session and SessionFile(*session))
