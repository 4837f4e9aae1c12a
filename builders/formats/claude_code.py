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
between. A last usage that is only the beginning of a stream (`stop_reason` null and fewer output
tokens than words) is unknown usage: https://github.com/anthropics/claude-code/issues/22686.

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
from dataclasses import dataclass, field, replace
from os.path import basename
from typing import Any, NamedTuple

import orjson

from bagen_data.errors import RolloutError
from bagen_data.usage import BRANCH, Request
from bagen_data.usage_objects import COMPACTED, provider_usage
from builders.formats._session import (
    UNFINISHED,
    Heard,
    Paid,
    Response,
    enter,
    known_content,
    logged_turns,
    mark_branches,
    moment,
    place,
)
from builders.logs.lines import Line, session_records
from builders.logs.message_content import MessageContent
from builders.logs.rollout_log import FamilyFacts, Log, NamedLog, Neighbours

LAYOUT = "lines with 'type' and 'sessionId' of a Claude Code session"
READS = "lines"
KEYS = frozenset({"type", "sessionId", "uuid", "parentUuid", "message"})

_SYNTHETIC = "<synthetic>"
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


def belongs(value: Any) -> bool:
    """Return whether a JSON file describes a subagent, or lists sessions, beside the sessions."""
    if not isinstance(value, Mapping):
        return False
    return "agentType" in value or {"entries", "originalPath"} <= value.keys()


def read(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the sessions of one file; raises RolloutError naming the line or turn."""
    owners = facts.beside.survey(_survey)
    if facts.path in owners.agents:
        return _refuse_orphan(owners, owners.agents[facts.path])
    skipped: Counter[str] = Counter()
    sessions: dict[str, _Session] = {}
    for number, record in session_records(lines, skipped):
        try:
            _take(record, number, sessions, skipped)
        except RolloutError as error:
            raise RolloutError(f"line {number}: {error}") from error
    different = list({id(session): session for session in sessions.values()}.values())
    files = facts.beside.survey(_root)
    for session in different:
        for session_id in session.ids:
            for path in owners.files_of.get(session_id, ()):
                session.read_agent(files.lines(path), path)
    if len(different) == 1:
        return different[0].log(skipped)
    return _named_logs(different, skipped)


def _named_logs(sessions: Iterable["_Session"], skipped: Counter[str]) -> Iterator[NamedLog]:
    for session in sessions:
        name = f" (session {session.ids[-1]})"
        try:
            yield NamedLog(name, session.log(skipped))
        except RolloutError as error:
            yield NamedLog(name, error)


class _Owners(NamedTuple):
    """Whose work the files of a family hold."""

    sessions: set[str]
    """Ids of the sessions that have a file."""
    agents: dict[str, str]
    """Files of subagents, and the session each belongs to."""
    files_of: dict[str, list[str]]
    """Files of subagents by session."""


def _root(files: Neighbours) -> Neighbours:
    return files


def _survey(files: Neighbours) -> _Owners:
    owners = _Owners(set(), {}, {})
    for path in files.names("*.jsonl"):
        session_id, is_agent = _owner(files.lines(path), path)
        if session_id and is_agent:
            owners.agents[path] = session_id
            owners.files_of.setdefault(session_id, []).append(path)
        elif session_id:
            owners.sessions.add(session_id)
    return owners


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


def _refuse_orphan(owners: _Owners, session_id: str) -> Iterator[NamedLog]:
    """Return no rollout for a subagent's file, which its session's file brings in.

    Raises:
        RolloutError: the family has no file of the session.
    """
    if session_id not in owners.sessions:
        raise RolloutError(_orphan(session_id))
    return iter(())


def _orphan(session_id: str) -> str:
    return (
        f"holds the work of a subagent of session {session_id}, which has no file in this family; "
        "add the session's file, or remove this one"
    )


def _take(
    record: Mapping[str, Any], number: int, sessions: dict[str, "_Session"], skipped: Counter[str]
) -> None:
    kind = str(record.get("type"))
    if kind not in ("user", "assistant", "system", "attachment") or not recognises(record):
        skipped[kind] += 1
        return
    session_id = str(record.get("sessionId") or record.get("session_id") or "")
    if session_id not in sessions:
        sessions[session_id] = _continued(record, sessions) or _Session(skipped)
        sessions[session_id].ids.append(session_id)
    sessions[session_id].take(record, number)


def _continued(record: Mapping[str, Any], sessions: Mapping[str, "_Session"]) -> "_Session | None":
    """Return the session that a record of another id goes on, as a resumed session's does."""
    parents = [record.get(name) for name in ("parentUuid", "logicalParentUuid")]
    for session in sessions.values():
        if any(parent in session.main.positions for parent in parents if parent):
            return session
    return None


class _Session:
    """A session, put together from its records and from the files of its subagents."""

    def __init__(self, skipped: Counter[str]) -> None:
        self.ids: list[str] = []
        self.main = _Thread("", skipped)
        self._agents: dict[str, _Thread] = {}
        self._roots: dict[str, str] = {}
        """The subagent of each record of one that does not name it."""
        self._placed: list[tuple[int, _Reply]] = []
        """Responses of subagents in the session's own file, and the turn that follows each."""
        self._awaited: list[tuple[str, int]] = []
        """Subagents that reported, empty where unnamed, and the turn that follows each report."""
        self._skipped = skipped
        self._version = ""

    def take(self, record: Mapping[str, Any], number: int) -> None:
        """Take the next record of the session's file."""
        self._version = self._version or str(record.get("version") or "")
        if record.get("isSidechain") is True:
            self._take_sidechain(record, number)
            return
        result = record.get("toolUseResult")
        if isinstance(result, Mapping) and ("agentId" in result or "totalToolUseCount" in result):
            self._awaited.append((str(result.get("agentId") or ""), len(self.main.replies)))
        self.main.take(record, number)

    def _take_sidechain(self, record: Mapping[str, Any], number: int) -> None:
        agent = str(record.get("agentId") or "")
        if not agent:
            uuid, parent = str(record.get("uuid")), str(record.get("parentUuid"))
            agent = self._roots.get(parent) or f"#{len(set(self._roots.values())) + 1}"
            self._roots[uuid] = agent
        thread = self._agents.setdefault(
            agent, _Thread(f"agent {agent}", self._skipped, is_shown=False)
        )
        known = len(thread.replies)
        thread.take(record, number)
        self._placed += [(len(self.main.replies), reply) for reply in thread.replies[known:]]

    def read_agent(self, lines: Iterable[Line], path: str) -> None:
        """Take the records of a subagent's file."""
        for number, record in session_records(lines, self._skipped):
            if record.get("type") not in ("user", "assistant", "system"):
                continue
            agent = str(record.get("agentId") or basename(path).removesuffix(".jsonl"))
            thread = self._agents.setdefault(
                agent, _Thread(f"agent {agent}", self._skipped, is_shown=False)
            )
            try:
                thread.take(record, number)
            except RolloutError as error:
                raise RolloutError(f"{path}: line {number}: {error}") from error

    def log(self, skipped: Counter[str]) -> Log:
        """Return the session as a log.

        Raises:
            RolloutError: it holds the work of subagents alone, or a turn's usage cannot be used.
        """
        replies = self.main.without_cut()
        responses = [reply.response for reply in replies]
        if responses:
            mark_branches(responses)
            self._enter_agents(replies)
        elif any(thread.replies for thread in self._agents.values()):
            raise RolloutError(_orphan(self.ids[-1]))
        models = Counter(reply.model for reply in replies)
        return Log(
            turns=logged_turns(responses, self.main.start),
            success=None,
            source_id=self.ids[-1],
            model=max(models, key=lambda name: models[name], default=""),
            source=f"Claude Code {self._version}".strip(),
            skipped=skipped,
            response_ids=frozenset(reply.id for reply in replies if reply.is_named),
        )

    def _enter_agents(self, replies: list["_Reply"]) -> None:
        responses = [reply.response for reply in replies]
        own = {reply.id for reply in replies if reply.is_named}
        later_turns = {id(reply): later for later, reply in self._placed}
        paid = []
        for agent, thread in sorted(self._agents.items()):
            everything = thread.finished()
            new = [reply for reply in everything if reply.id not in own]
            is_branch = len(new) < len(everything) or agent.startswith("acompact")
            reported = next((turn for name, turn in self._awaited if name == agent), None)
            for reply in new:
                requests = reply.response.requests
                if is_branch:
                    requests = _branched(reply.response, responses)
                later = later_turns.get(id(reply))
                if later is None and reply.response.began is None:
                    later = len(responses) if reported is None else reported
                if later is not None:
                    enter(responses, later, requests)
                else:
                    paid.append(Paid(reply.response.began, requests))
        place(responses, paid)
        self._refuse_missing(responses)

    def _refuse_missing(self, responses: list[Response]) -> None:
        """Mark the turns that heard from a subagent whose work is not in the logs."""
        unnamed = sum(
            bool(thread.replies) for agent, thread in self._agents.items() if "#" in agent
        )
        for agent, later in self._awaited:
            thread = self._agents.get(agent)
            is_known = bool(thread and thread.replies)
            if not agent:
                unnamed -= 1
                is_known = unnamed >= 0
            if not is_known:
                enter(responses, later, None)


def _branched(response: Response, main: list[Response]) -> list[Request] | None:
    """Return the requests of a copy of the conversation, such as the one that sums it up."""
    earlier = [each for each in main if (each.began or 0) <= (response.began or 0)]
    trunk = earlier[-1].context if earlier else ""
    return response.requests and [
        replace(request, context=f"{trunk}{BRANCH}{request.context}")
        for request in response.requests
    ]


@dataclass
class _Reply:
    """A response as its lines tell it."""

    id: str
    is_named: bool
    """Whether the id is the provider's own."""
    thread: str
    """The name of the conversation: empty for the session's own, else the subagent's."""
    compactions: int
    """Compactions of the conversation before the response."""
    response: Response
    model: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """Its content, each block once."""
    usage: Mapping[str, Any] | None = None
    """The last usage that its lines state."""
    is_open: bool = False
    """Whether the last line says that the response was not complete."""
    cost_usd: float | None = None

    def add(self, message: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a line of the response."""
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            self._add_block(block)
        if isinstance(message.get("usage"), Mapping):
            self.usage = message["usage"]
        is_streaming = message.get("stop_reason", "absent") is None
        self.is_open = is_streaming or record.get("isAbortedMidStream") is True
        self.model = self.model or str(message.get("model") or "")
        if isinstance(record.get("costUSD"), int | float):
            self.cost_usd = float(record["costUSD"])

    def _add_block(self, block: Any) -> None:
        if not isinstance(block, dict):
            return
        if block.get("type") in ("thinking", "redacted_thinking"):
            text = block.get("thinking") or ""
            block = {"type": "thinking", "thinking": text}
            self.response.uncounted = self.response.uncounted or (
                "" if text else "encrypted thinking"
            )
        for position, known in enumerate(self.blocks):
            if _is_later_state(known, block):
                self.blocks[position] = block
                return
        self.blocks.append(block)

    def finish(self, where: str) -> MessageContent:
        """Read the content and the usage.

        Raises:
            RolloutError: one of them cannot be used.
        """
        skipped: Counter[str] = Counter()
        message = {"role": "assistant", "content": self.blocks}
        content = known_content(message, where, skipped)
        self.blocks = []
        self.response.requests = self._requests(content)
        return content

    def has_compaction(self) -> bool:
        """Return whether the provider compacted the conversation within the response."""
        kinds = (self.usage or {}).get("iterations") or ()
        return any(isinstance(each, Mapping) and each.get("type") == "compaction" for each in kinds)

    def _requests(self, content: MessageContent) -> list[Request] | None:
        requests = provider_usage(self.usage) if self.usage is not None else ()
        written = sum(request.output_tokens for request in requests)
        if not requests or _is_placeholder(content, written, self.is_open):
            return None
        own = []
        extra = self.compactions
        for request in requests:
            if request.context == COMPACTED and extra == self.compactions:
                extra += 1
            name = request.context if request.context != COMPACTED else ""
            own.append(
                replace(
                    request,
                    context=" ".join(
                        filter(None, (self.thread, str(extra) if extra else "", name))
                    ),
                    cost_usd=self.cost_usd if len(requests) == 1 else request.cost_usd,
                    model=request.model or self.model,
                )
            )
        return own


def _is_later_state(known: Mapping[str, Any], block: Mapping[str, Any]) -> bool:
    """Return whether a block is a known one again, or a later state of it."""
    if known.get("type") != block.get("type"):
        return False
    if known.get("type") == "tool_use" and known.get("id") is not None:
        return bool(known["id"] == block.get("id"))
    name = str(block.get("type"))
    earlier, later = known.get(name), block.get(name)
    if isinstance(earlier, str) and isinstance(later, str):
        return bool(earlier) and later.startswith(earlier)
    return orjson.dumps(known) == orjson.dumps(block)


def _is_placeholder(content: MessageContent, written: int, is_open: bool) -> bool:
    """Return whether an output is less than the response's words can be, a stream's beginning."""
    words = len(f"{content.text} {content.reasoning}".split())
    if is_open:
        return written <= _FIRST_TOKENS or written < words
    return bool(written) and written * _WORDS_A_TOKEN < words


_FIRST_TOKENS = 2
"""Output tokens that a stream's first event states, before anything was generated."""
_WORDS_A_TOKEN = 4
"""More words than any tokenizer puts into one token."""


class _Thread:
    """One conversation of a session: its own, or a subagent's.

    Args:
        name: empty for the session's own.
        skipped: counts records that are no part of a turn.
        is_shown: whether its texts are kept.
    """

    def __init__(self, name: str, skipped: Counter[str], is_shown: bool = True) -> None:
        self.replies: list[_Reply] = []
        self.positions: dict[str, int] = {}
        """By a record's id, the position of the last response at it; -1 before the first."""
        self.start: float | None = None
        """Time of the first record, in seconds."""
        self._name = name
        self._skipped = skipped
        self._is_shown = is_shown
        self._heard = Heard()
        self._by_id: dict[str, _Reply] = {}
        self._lines: set[int] = set()
        """Hashes of the lines taken: a resumed session may write some again."""
        self._compactions = 0
        self._is_compacted = False
        """Whether a compaction is the last that happened."""
        self._rewound_to: int | None = None

    def take(self, record: Mapping[str, Any], number: int) -> None:
        """Take the next record.

        Raises:
            RolloutError: its content cannot be read.
        """
        uuid = record.get("uuid")
        line = hash((uuid, orjson.dumps(record.get("message"))))
        if isinstance(uuid, str) and line in self._lines:
            self._skipped["repeated line"] += 1
            return
        self._lines.add(line)
        if self.start is None:
            self.start = moment(record.get("timestamp"))
        kind = record["type"]
        if kind == "assistant":
            self._take_response(record, number)
        elif kind == "user":
            self._take_user(record)
        elif kind == "system":
            self._take_system(record)
        else:
            self._take_attachment(record)
        if isinstance(uuid, str):
            self.positions[uuid] = len(self.replies) - 1

    def _take_response(self, record: Mapping[str, Any], number: int) -> None:
        message = record.get("message")
        if not isinstance(message, Mapping) or not isinstance(message.get("content"), str | list):
            raise RolloutError("an assistant line has no message with content; restore it")
        if message.get("model") == _SYNTHETIC or record.get("isApiErrorMessage") is True:
            self._skipped["synthetic response"] += 1
            return
        stated = message.get("id") or record.get("uuid") or number
        reply = self._by_id.get(str(stated))
        when = moment(record.get("timestamp"))
        if reply is None:
            user, uncounted = self._heard.take()
            response = Response(user, uncounted, began=when, rewound_to=self._rewound_to)
            reply = _Reply(
                str(stated), bool(message.get("id")), self._name, self._compactions, response
            )
            self.replies.append(reply)
            self._by_id[reply.id] = reply
            self._is_compacted, self._rewound_to = False, None
        reply.add(message, record)
        reply.response.ended = when

    def _take_user(self, record: Mapping[str, Any]) -> None:
        message = record.get("message")
        if not isinstance(message, Mapping):
            raise RolloutError("a user line has no message; restore it")
        if record.get("isCompactSummary") is True:
            self._compact()
        elif record.get("isVisibleInTranscriptOnly") is True:
            self._skipped["shown only"] += 1
            return
        if record.get("isMeta") is not True and not _is_result(message):
            before = self.positions.get(str(record.get("parentUuid")))
            if before is not None and before < len(self.replies) - 1:
                self._rewound_to = before
        if self._is_shown:
            self._heard.add(known_content(message, "message", self._skipped))

    def _take_system(self, record: Mapping[str, Any]) -> None:
        if record.get("subtype") == "compact_boundary":
            self._compact()
        self._skipped[f"system {record.get('subtype')}"] += 1

    def _compact(self) -> None:
        if self.replies and not self._is_compacted:
            self._compactions += 1
            self._is_compacted = True

    def _take_attachment(self, record: Mapping[str, Any]) -> None:
        attachment = record.get("attachment")
        kind = attachment.get("type") if isinstance(attachment, Mapping) else None
        if kind == "queued_command" and isinstance(attachment, Mapping):
            message = {"role": "user", "content": attachment.get("prompt")}
            self._heard.add(known_content(message, "attachment", self._skipped))
        else:
            self._skipped[f"attachment {kind}"] += 1

    def finished(self) -> list[_Reply]:
        """Return the responses with content and usage.

        Raises:
            RolloutError: the usage of one cannot be used; the message names its turn.
        """
        within = 0
        for turn, reply in enumerate(self.replies, 1):
            reply.compactions += within
            try:
                content = reply.finish(f"turn {turn}")
            except RolloutError as error:
                place_name = f"{self._name}: " if self._name else ""
                raise RolloutError(f"{place_name}turn {turn}: {error}") from error
            within += reply.has_compaction()
            if self._is_shown:
                reply.response.content = content
        return self.replies

    def without_cut(self) -> list[_Reply]:
        """Return the finished responses but a last one that was cut off before its usage came.

        Raises:
            RolloutError: as `finished`.
        """
        replies = self.finished()
        if replies and replies[-1].is_open and replies[-1].response.requests is None:
            self._skipped[UNFINISHED] += 1
            return replies[:-1]
        return replies


def _is_result(message: Mapping[str, Any]) -> bool:
    """Return whether a user message holds a tool's result."""
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and part.get("type") == "tool_result" for part in content
    )
