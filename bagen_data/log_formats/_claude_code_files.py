"""Sessions, and their subagents, whose work the files of a Claude Code family hold."""

from collections.abc import Iterator, Mapping
from os.path import basename
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import Neighbours, SessionFile

_HEAD = 20
"""Lines of a file that show whose work it holds."""
_MARKS = 2
"""Marks of a subagent's file that are enough: the flag, the agent's id, the file's name."""
_OTHER_MARKS = (
    {"leafUuid", "summary"},
    {"messageId", "snapshot"},
    {"agentId", "key"},
)
"""Keys of records without a session's id."""


def recognises(record: Any) -> bool:
    """Return whether a line is a record of Claude Code."""
    if not isinstance(record, Mapping) or not isinstance(record.get("type"), str):
        return False
    message = record.get("message")
    if isinstance(message, Mapping) and "parts" in message:  # Qwen Code writes such lines
        return False
    is_record = "sessionId" in record or any(marks <= record.keys() for marks in _OTHER_MARKS)
    return is_record and "payload" not in record and "projectHash" not in record


class Owners(NamedTuple):
    """The sessions and subagents whose work the files of a family hold."""

    sessions: set[str]
    """Ids of the sessions that have a file."""
    agents: dict[str, str]
    """Files of subagents, and the session each belongs to."""
    files_of: dict[str, list[str]]
    """Files of subagents by session."""


def root(files: Neighbours) -> Neighbours:
    return files


def survey(files: Neighbours) -> Owners:
    owners = Owners(set(), {}, {})
    for path in files.names("*.jsonl"):
        session_id, is_agent = _owner(files.lines(path), path)
        if session_id and is_agent:
            owners.agents[path] = session_id
            owners.files_of.setdefault(session_id, []).append(path)
        elif session_id:
            owners.sessions.add(session_id)
    return owners


def session_file(lines: Iterator[Line], path: str) -> SessionFile | None:
    """Return the session whose work a file holds; None where its first lines do not say."""
    session_id, is_agent = _owner(lines, path)
    if not session_id:
        return None
    return SessionFile("", session_id) if is_agent else SessionFile(session_id)


def _owner(lines: Iterator[Line], path: str) -> tuple[str, bool]:
    """Return the session whose work a file holds, and whether a subagent did it."""
    for line, _ in zip(lines, range(_HEAD), strict=False):
        record = line.value
        if recognises(record) and isinstance(record.get("sessionId"), str):
            marks = (
                record.get("isSidechain") is True,
                bool(record.get("agentId")),
                basename(path).startswith("agent-"),
            )
            is_agent = sum(marks) >= _MARKS
            if is_agent or record["type"] in ("user", "assistant", "system"):
                return record["sessionId"], is_agent
    return "", False


def _every_session(files: Neighbours) -> set[str]:
    """Return the ids of all sessions that any line of a session's file names."""
    agents = files.survey(survey).agents
    return {
        str(line.value.get("sessionId"))
        for path in files.names("*.jsonl")
        if path not in agents
        for line in files.lines(path)
        if recognises(line.value)
    }


def refuse_orphan(files: Neighbours, session_id: str) -> None:
    """Refuse a subagent's file unless a session's file brings it in.

    Raises:
        RolloutError: the family has no file of the session.
    """
    if session_id in files.survey(survey).sessions:
        return
    if session_id not in files.survey(_every_session):
        raise RolloutError(orphan(session_id))


def orphan(session_id: str) -> str:
    return (
        f"holds the work of a subagent of session {session_id}, which has no file in this family; "
        "add the session's file, or remove this one"
    )
