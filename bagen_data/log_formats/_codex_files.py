"""Sessions, and their subagents, as the files of a Codex family describe themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bagen_data.logs import log_fields
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import Neighbours, SessionFile

_TYPES = frozenset(
    {
        *("session_meta", "turn_context", "response_item", "event_msg", "compacted"),
        *("token_usage_record", "world_state", "inter_agent_communication_metadata"),
    }
)


def recognises(record: Any) -> bool:
    """Return whether a line is a record of Codex."""
    return (
        isinstance(record, Mapping)
        and isinstance(record.get("type"), str)
        and record["type"] in _TYPES
        and isinstance(record.get("payload"), Mapping)
    )


class Meta(NamedTuple):
    """Facts that a session states of itself."""

    id: str = ""
    parent: str = ""
    """The session that started this one as its subagent; empty where it does not say."""
    forked_from: str = ""
    is_agent: bool = False
    version: str = ""
    system: str = ""
    first_ordinal: int = 0
    """Records with lower numbers are the history of the parent."""


def read_meta(payload: Mapping[str, Any]) -> Meta:
    source = payload.get("source")
    subagent = source.get("subagent") if isinstance(source, Mapping) else None
    spawn = subagent.get("thread_spawn") if isinstance(subagent, Mapping) else None
    parent = payload.get("parent_thread_id") or (
        spawn.get("parent_thread_id") if isinstance(spawn, Mapping) else None
    )
    base = payload.get("base_instructions")
    system = base.get("text") if isinstance(base, Mapping) else payload.get("instructions")
    ordinal = payload.get("subagent_history_start_ordinal")
    return Meta(
        log_fields.identity(payload.get("id"), payload.get("session_id")),
        log_fields.identity(parent),
        log_fields.identity(payload.get("forked_from_id")),
        bool(subagent) or source == "subagent" or bool(payload.get("parent_thread_id")),
        log_fields.identity(payload.get("cli_version")),
        system if isinstance(system, str) else "",
        ordinal if isinstance(ordinal, int) else 0,
    )


def session_file(lines: Iterator[Line], _path: str) -> SessionFile | None:
    """Return the session whose work a file holds; None where its first line does not say."""
    line = next(lines, None)
    if line is None or not recognises(line.value) or line.value["type"] != "session_meta":
        return None
    meta = read_meta(line.value["payload"])
    return SessionFile(meta.id, meta.parent if meta.is_agent else "")


class FamilySessions(NamedTuple):
    """The sessions of a family's files."""

    files: Neighbours
    sessions: set[str]
    """Ids of the sessions that have a file."""
    agents: dict[str, list[str]]
    """Files of subagents, by the id of the session that started each."""
    ids: dict[str, str]
    """Ids of the subagents, by file."""

    def agents_of(self, session_id: str) -> list[str]:
        """Return the files of a session's subagents, and of theirs."""
        paths: list[str] = []
        waiting = [session_id]
        while waiting:
            for path in self.agents.get(waiting.pop(), ()):
                if path not in paths:
                    paths.append(path)
                    waiting.append(self.ids[path])
        return paths


def survey(files: Neighbours) -> FamilySessions:
    family = FamilySessions(files, set(), {}, {})
    for path in files.names("*.jsonl"):
        line = next(files.lines(path), None)
        if line is not None and recognises(line.value) and line.value["type"] == "session_meta":
            meta = read_meta(line.value["payload"])
            family.sessions.add(meta.id)
            if meta.is_agent:
                family.agents.setdefault(meta.parent, []).append(path)
                family.ids[path] = meta.id
    return family
