"""Sessions of Codex: `~/.codex/sessions/2026/08/03/rollout-<time>-<id>.jsonl`, a record a line.

    {"timestamp": "...", "type": "session_meta", "payload": {"id": "019f...", "source": "cli",
     "cli_version": "0.146.0", "base_instructions": {"text": "You are ..."}}}
    {"timestamp": "...", "type": "turn_context", "payload": {"model": "gpt-5.5", ...}}
    {"timestamp": "...", "type": "response_item", "payload": {"type": "message", "role": "user",
     "content": [{"type": "input_text", "text": "Fix the test"}]}}
    {"timestamp": "...", "type": "response_item", "payload": {"type": "function_call",
     "name": "exec_command", "arguments": "{...}", "call_id": "call_1"}}
    {"timestamp": "...", "type": "event_msg", "payload": {"type": "token_count", "info": {
     "total_token_usage": {"input_tokens": 16341, "output_tokens": 81, ...},
     "last_token_usage": {"input_tokens": 16341, "output_tokens": 81, ...}}}}
    {"timestamp": "...", "type": "response_item", "payload": {"type": "function_call_output",
     "call_id": "call_1", "output": "a.txt"}}

The response items up to the `token_count` that bills them are one response; in older logs, whose
first bill precedes every item, the items after it. `last_token_usage` is a request's own and
`total_token_usage` the session's sum, which must grow by the same; a sum that is written again is
no request (https://github.com/openai/codex/issues/22354). A bill without items is a request that
the session paid for beside its responses, such as a compaction's. `compacted` begins a new context.
Newer logs state a compaction's request in a `token_usage_record` alone
(https://github.com/openai/codex/issues/47003). A resumed session repeats items and may begin its
sums anew; a forked one opens with its parent's. A session with a parent is a subagent's: its
requests belong to the parent's turns. Records: `codex-rs/protocol/src/protocol.rs` in
https://github.com/openai/codex.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bagen_data.errors import RolloutError
from bagen_data.log_formats._codex_files import FamilySessions, recognises, session_file, survey
from bagen_data.logs.lines import Line, session_records
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog

if TYPE_CHECKING:
    from bagen_data.log_formats._codex_session import CodexSession

__all__ = ["KEYS", "LAYOUT", "READS", "read", "recognises", "session_file"]
LAYOUT = "lines with 'type' and 'payload' of a Codex session"
READS = "lines"
KEYS = frozenset({"timestamp", "type", "payload"})


def read(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the sessions of one file; raises RolloutError naming the line or turn."""
    from bagen_data.log_formats._codex_session import CodexSession

    family = facts.beside.survey(survey)
    skipped: Counter[str] = Counter()
    sessions: list[CodexSession] = []
    for number, record in session_records(lines, skipped):
        payload = record.get("payload")
        kind = str(record.get("type"))
        if not isinstance(payload, Mapping):
            skipped[kind] += 1
            continue
        if not sessions or (kind == "session_meta" and sessions[-1].is_followed_by(payload)):
            sessions.append(CodexSession(skipped))
        try:
            sessions[-1].take(kind, payload, record)
        except RolloutError as error:
            raise RolloutError(f"line {number}: {error}") from error
    if len(sessions) == 1:
        return _one_log(sessions[0], family)
    return _named_logs(sessions, family)


def _one_log(session: "CodexSession", family: FamilySessions) -> Log | Iterator[NamedLog]:
    meta = session.meta
    if meta.is_agent and meta.parent not in family.sessions:
        raise RolloutError(
            f"holds the work of a subagent of session {meta.parent or '(not named)'}, which has "
            "no file in this family; add the session's file, or remove this one"
        )
    if meta.is_agent:
        return iter(())
    for path in family.agents_of(meta.id):
        session.read_agent(family.files.lines(path), path)
    return session.log()


def _named_logs(sessions: "Iterable[CodexSession]", family: FamilySessions) -> Iterator[NamedLog]:
    for session in sessions:
        name = f" (session {session.meta.id})"
        try:
            log = _one_log(session, family)
            if isinstance(log, Log):
                yield NamedLog(name, log)
        except RolloutError as error:
            yield NamedLog(name, error)
