"""Sessions of Claude Code: `~/.claude/projects/<project>/<session>.jsonl`, a record a line.

    {"type": "user", "uuid": "u1", "parentUuid": null, "sessionId": "5d0c...", "isSidechain": false,
     "version": "2.1.80", "timestamp": "2026-03-01T10:00:00.000Z",
     "message": {"role": "user", "content": "Fix the test"}}
    {"type": "assistant", "uuid": "a1", "parentUuid": "u1", "sessionId": "5d0c...",
     "message": {"id": "msg_01", "model": "claude-opus-4-5", "role": "assistant",
                 "content": [{"type": "tool_use", "id": "toolu_1", "name": "Bash", ...}],
                 "stop_reason": "tool_use",
                 "usage": {"input_tokens": 3, "cache_read_input_tokens": 11802,
                           "cache_creation_input_tokens": 240, "output_tokens": 87}}}
    {"type": "user", "uuid": "u2", "parentUuid": "a1", "sessionId": "5d0c...",
     "message": {"role": "user", "content": [{"type": "tool_result", ...}]}}

One response is spread over several lines with one `message.id`, a content block each. Each line
repeats the usage as it was known then, and the last one counts; records of other kinds may stand
between. A last usage that is only the beginning of a stream (`stop_reason` null, and no more output
tokens than a stream begins with or fewer than words) is unknown usage:
https://github.com/anthropics/claude-code/issues/22686.

`system` / `compact_boundary` begins a new context, and the user line with `isCompactSummary` is the
first that is heard in it. Lines with `isSidechain` and files `agent-*.jsonl`, beside the session or
in `<session>/subagents/`, are the work of subagents: contexts of their own, paid for in the turn
that follows them. Responses of the model `<synthetic>` are notices of Claude Code itself. A user
line whose parent is older than the last response takes the conversation back to there. Usage is
that of Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages. Where sessions
lie: https://code.claude.com/docs/en/how-claude-code-works.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._claude_code_files import (
    recognises,
    refuse_orphan,
    root,
    session_file,
    survey,
)
from bagen_data.log_formats._claude_code_session import ClaudeCodeSession
from bagen_data.logs.lines import Line, session_records
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog

__all__ = ["KEYS", "LAYOUT", "READS", "belongs", "read", "recognises", "session_file"]
LAYOUT = "lines with 'type' and 'sessionId' of a Claude Code session"
READS = "lines"
KEYS = frozenset({"type", "sessionId", "uuid", "parentUuid", "message"})


def belongs(value: Any) -> bool:
    """Return whether a JSON file describes a subagent, or lists sessions, beside the sessions."""
    if not isinstance(value, Mapping):
        return False
    return "agentType" in value or {"entries", "originalPath"} <= value.keys()


def read(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the sessions of one file; raises RolloutError naming the line or turn."""
    owners = facts.beside.survey(survey)
    if facts.path in owners.agents:
        refuse_orphan(facts.beside, owners.agents[facts.path])
        return iter(())
    skipped: Counter[str] = Counter()
    sessions: dict[str, ClaudeCodeSession] = {}
    for number, record in session_records(lines, skipped):
        try:
            _take(record, number, sessions, skipped)
        except RolloutError as error:
            raise RolloutError(f"line {number}: {error}") from error
    different = list({id(session): session for session in sessions.values()}.values())
    if not different:
        return Log((), None, skipped=skipped)
    if len(different) == 1:
        return _log(different[0], facts)
    return _named_logs(different, facts)


def _named_logs(sessions: Iterable[ClaudeCodeSession], facts: FamilyFacts) -> Iterator[NamedLog]:
    for session in sessions:
        name = f" (session {session.ids[-1]})"
        try:
            yield NamedLog(name, _log(session, facts))
        except RolloutError as error:
            yield NamedLog(name, error)


def _log(session: ClaudeCodeSession, facts: FamilyFacts) -> Log:
    files, owners = facts.beside.survey(root), facts.beside.survey(survey)
    for session_id in session.ids:
        for path in owners.files_of.get(session_id, ()):
            session.read_agent(files.lines(path), path)
    return session.log()


def _take(
    record: Mapping[str, Any],
    number: int,
    sessions: dict[str, ClaudeCodeSession],
    skipped: Counter[str],
) -> None:
    kind = str(record.get("type"))
    if kind not in ("user", "assistant", "system", "attachment") or not recognises(record):
        skipped[kind] += 1
        return
    session_id = str(record.get("sessionId") or record.get("session_id") or "")
    if session_id not in sessions:
        sessions[session_id] = _continued(record, sessions) or ClaudeCodeSession(skipped)
        sessions[session_id].ids.append(session_id)
    sessions[session_id].take(record, number)


def _continued(
    record: Mapping[str, Any], sessions: Mapping[str, ClaudeCodeSession]
) -> "ClaudeCodeSession | None":
    """Return the session that a record of another id goes on, as a resumed session's does."""
    parents = [record.get(name) for name in ("parentUuid", "logicalParentUuid")]
    for session in sessions.values():
        if any(str(parent) in session.main.positions for parent in parents if parent):
            return session
    return None
