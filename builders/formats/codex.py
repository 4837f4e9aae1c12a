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

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_objects import codex_difference, codex_last
from builders.formats._session import (
    UNFINISHED,
    Heard,
    Paid,
    Response,
    enter,
    known_content,
    logged_turns,
    moment,
    place,
)
from builders.logs import log_fields
from builders.logs.conversation import joined
from builders.logs.lines import Line, session_records
from builders.logs.message_content import MessageContent, call_text
from builders.logs.rollout_log import FamilyFacts, Log, NamedLog, Neighbours

LAYOUT = "lines with 'type' and 'payload' of a Codex session"
READS = "lines"
KEYS = frozenset({"timestamp", "type", "payload"})

_TYPES = frozenset(
    {
        *("session_meta", "turn_context", "response_item", "event_msg", "compacted"),
        *("token_usage_record", "world_state", "inter_agent_communication_metadata"),
    }
)
_OUTPUTS = frozenset(
    {
        *("function_call_output", "custom_tool_call_output", "local_shell_call_output"),
        *("tool_search_output", "mcp_tool_call_output"),
    }
)
_CALLS = {
    "function_call": ("name", "arguments"),
    "custom_tool_call": ("name", "input"),
    "local_shell_call": ("local_shell", "action"),
    "web_search_call": ("web_search", "action"),
    "tool_search_call": ("tool_search", "arguments"),
    "image_generation_call": ("image_generation", "revised_prompt"),
}
"""Calls by item type: the field of the tool's name, or the name, and the field of the arguments."""
_SUMS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
_SHAPE = "Codex token_count"
"""The kind of usage of a session's requests: they are single ones, and never sums."""
_OPENING = 3
"""Items at the start of a session of which a history that is written again has one first."""


def recognises(record: Any) -> bool:
    """Return whether a line is a record of Codex."""
    return (
        isinstance(record, Mapping)
        and record.get("type") in _TYPES
        and isinstance(record.get("payload"), Mapping)
    )


def read(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the sessions of one file; raises RolloutError naming the line or turn."""
    family = facts.beside.survey(_survey)
    skipped: Counter[str] = Counter()
    sessions: list[_Session] = []
    for number, record in session_records(lines, skipped):
        payload = record.get("payload")
        kind = str(record.get("type"))
        if not isinstance(payload, Mapping):
            skipped[kind] += 1
            continue
        if not sessions or (kind == "session_meta" and sessions[-1].is_followed_by(payload)):
            sessions.append(_Session(skipped))
        try:
            sessions[-1].take(kind, payload, record)
        except RolloutError as error:
            raise RolloutError(f"line {number}: {error}") from error
    if len(sessions) == 1:
        return _one_log(sessions[0], family)
    return _named_logs(sessions, family)


def _one_log(session: "_Session", family: "_Family") -> Log | Iterator[NamedLog]:
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


def _named_logs(sessions: Iterable["_Session"], family: "_Family") -> Iterator[NamedLog]:
    for session in sessions:
        name = f" (session {session.meta.id})"
        try:
            log = _one_log(session, family)
            if isinstance(log, Log):
                yield NamedLog(name, log)
        except RolloutError as error:
            yield NamedLog(name, error)


class _Meta(NamedTuple):
    """What a session says of itself."""

    id: str = ""
    parent: str = ""
    """The session that started this one as its subagent; empty where it does not say."""
    forked_from: str = ""
    is_agent: bool = False
    version: str = ""
    system: str = ""
    first_ordinal: int = 0
    """Records with lower numbers are the history of the parent."""


def _meta(payload: Mapping[str, Any]) -> _Meta:
    source = payload.get("source")
    subagent = source.get("subagent") if isinstance(source, Mapping) else None
    spawn = subagent.get("thread_spawn") if isinstance(subagent, Mapping) else None
    parent = payload.get("parent_thread_id") or (
        spawn.get("parent_thread_id") if isinstance(spawn, Mapping) else None
    )
    base = payload.get("base_instructions")
    system = base.get("text") if isinstance(base, Mapping) else payload.get("instructions")
    ordinal = payload.get("subagent_history_start_ordinal")
    return _Meta(
        log_fields.identity(payload.get("id"), payload.get("session_id")),
        log_fields.identity(parent),
        log_fields.identity(payload.get("forked_from_id")),
        bool(subagent) or source == "subagent" or bool(payload.get("parent_thread_id")),
        log_fields.identity(payload.get("cli_version")),
        system if isinstance(system, str) else "",
        ordinal if isinstance(ordinal, int) else 0,
    )


class _Family(NamedTuple):
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


def _survey(files: Neighbours) -> _Family:
    family = _Family(files, set(), {}, {})
    for path in files.names("*.jsonl"):
        line = next(files.lines(path), None)
        if line is not None and recognises(line.value) and line.value["type"] == "session_meta":
            meta = _meta(line.value["payload"])
            family.sessions.add(meta.id)
            if meta.is_agent:
                family.agents.setdefault(meta.parent, []).append(path)
                family.ids[path] = meta.id
    return family


class _Bill(NamedTuple):
    """A `token_count`: a request, or why it is none."""

    request: Request | None
    is_repeated: bool = False


class _Meter:
    """Tells the requests of a session from its token counts."""

    def __init__(self, is_continued: bool = False) -> None:
        self.seen: set[tuple[int, ...]] = set()
        """All sums so far."""
        self.is_continued = is_continued
        """Whether the sums may begin above 0, as those of a forked session do."""
        self.is_restarted = False
        """Whether the session was just resumed, so that its sums may begin anew."""
        self._total: Mapping[str, Any] | None = None
        self._last: Mapping[str, Any] | None = None

    def bill(self, info: Mapping[str, Any], is_replay: bool, has_items: bool) -> Request | None:
        """Return the request that a token count bills; None if it bills none.

        Args:
            info: the token count.
            is_replay: whether the session repeats its history now, old sums too.
            has_items: whether items wait to be billed.

        Raises:
            RolloutError: the sums do not grow by what was spent last.
        """
        total, last = info.get("total_token_usage"), info.get("last_token_usage")
        before = self._total
        if isinstance(total, Mapping):
            sums = _sums(total)
            if (before is not None and sums == _sums(before)) or (is_replay and sums in self.seen):
                return None
            self._total = total
            self.seen.add(sums)
        elif isinstance(last, Mapping) and last == self._last and not has_items:
            return None
        if isinstance(last, Mapping):
            self._last = last
            if not any(_sums(last)):
                return None  # an estimate of the context's size after a compaction
            if isinstance(total, Mapping):
                self._check(before, total, last)
            request: Request | None = codex_last(last)
        elif isinstance(total, Mapping):
            request = self._difference(before, total)
        else:
            return None
        self.is_restarted = False
        return request and replace(request, shape=_SHAPE)

    def _difference(
        self, before: Mapping[str, Any] | None, total: Mapping[str, Any]
    ) -> Request | None:
        if before is None and self.is_continued:
            raise RolloutError(
                "total_token_usage goes on from another session's, without last_token_usage "
                "beside it; expected the sums before it in this log, as requests are missing"
            )
        before = before or {}
        if any(now < then for now, then in zip(_sums(total), _sums(before), strict=True)):
            if not self.is_restarted:
                raise RolloutError(
                    f"total_token_usage falls from {_sums(before)[0]} to {_sums(total)[0]} input "
                    "tokens, without last_token_usage beside it; expected sums that only grow"
                )
            before = {}
        elif before and self.is_restarted:
            raise RolloutError(
                "total_token_usage goes on or begins anew after the session was resumed, and "
                "without last_token_usage both can be; expected last_token_usage"
            )
        return codex_difference(before, total)

    def _check(
        self, before: Mapping[str, Any] | None, total: Mapping[str, Any], last: Mapping[str, Any]
    ) -> None:
        grown = tuple(
            now - then for now, then in zip(_sums(total), _sums(before or {}), strict=True)
        )
        is_fresh = _sums(total) == _sums(last)
        if grown == _sums(last) or is_fresh or (before is None and self.is_continued):
            return
        since = "the start" if before is None else "the token count before"
        raise RolloutError(
            f"total_token_usage grows by {_spoken(grown)} tokens since {since}, and "
            f"last_token_usage states {_spoken(_sums(last))}; expected the same: requests are "
            "missing from this log"
        )


def _sums(usage: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(log_fields.count(usage.get(name) or 0, name) for name in _SUMS)


def _spoken(sums: tuple[int, ...]) -> str:
    return f"{sums[0]} input and {sums[2]} output"


@dataclass
class _Reply:
    """A response as its items tell it."""

    response: Response
    texts: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    is_cut: bool = False
    """Whether the user stopped it before it was complete."""

    def finish(self) -> None:
        """Put the content together."""
        self.response.content = MessageContent(
            joined(("\n".join(filter(None, self.texts)), *self.calls)),
            "\n".join(self.reasoning),
            tool_calls=len(self.calls),
        )

    def response_id(self) -> str:
        """Return a hash of what only a copy of the response shares with it."""
        counts = [(each.input_tokens, each.output_tokens) for each in self.response.requests or ()]
        return sha256(orjson.dumps([self.ids, self.texts, self.calls, counts])).hexdigest()


class _Session:
    """A session, put together from its records and from the files of its subagents."""

    def __init__(self, skipped: Counter[str]) -> None:
        self.meta = _Meta()
        self._ids: set[str] = set()
        self._replies: list[_Reply] = []
        self._open: _Reply | None = None
        """The response whose items are coming in."""
        self._is_bill_first = False
        self._has_output = False
        """Whether a tool's output came in since the last item of the response."""
        self._heard = Heard()
        self._pending: list[Request] = []
        """Requests without items, paid for since the last response."""
        self._meter = _Meter()
        self._compactions = 0
        self._is_compacted = False
        self._model = ""
        self._models: Counter[str] = Counter()
        self._start: float | None = None
        self._items: list[int] = []
        """Hashes of the items so far, which a resumed session repeats."""
        self._replayed: int | None = None
        """How many of the items were repeated since the session was resumed; None where it goes
        on."""
        self._records: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=8)
        """The last usage records, by response."""
        self._turn_usages: list[Mapping[str, Any]] = []
        """Usage of whole turns, which older logs state."""
        self._spawned: list[tuple[str, int]] = []
        """Subagents, and the turn that follows the start of each."""
        self._review: int | None = None
        """Requests so far when a review began."""
        self._requests = 0
        self._agents: dict[str, list[Paid]] = {}
        self._skipped = skipped

    def is_followed_by(self, payload: Mapping[str, Any]) -> bool:
        """Return whether a `session_meta` begins another session in the same file."""
        meta = _meta(payload)
        linked = {meta.id, meta.parent, meta.forked_from} & self._ids
        return bool(self._replies) and not linked

    def take(self, kind: str, payload: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Take the next record of the session's file.

        Raises:
            RolloutError: it cannot be used.
        """
        when = moment(record.get("timestamp"))
        self._start = when if self._start is None else self._start
        if kind == "session_meta":
            self._take_meta(payload)
        elif kind == "response_item":
            self._take_item(payload, when)
        elif kind == "turn_context":
            self._model = log_fields.identity(payload.get("model")) or self._model
        elif kind == "compacted":
            self._compact(payload)
        elif kind == "token_usage_record":
            self._take_record(payload)
        elif kind == "event_msg":
            self._take_event(payload, when)
        else:
            self._skipped[kind] += 1

    def _take_meta(self, payload: Mapping[str, Any]) -> None:
        meta = _meta(payload)
        if not self._ids:
            self.meta = meta
            self._meter.is_continued = bool(meta.forked_from or meta.is_agent)
        elif self._items:
            self._close_cut()
            self._replayed = 0
            self._meter.is_restarted = True
        self._ids |= {each for each in (meta.id, meta.parent, meta.forked_from) if each}

    def _take_event(self, payload: Mapping[str, Any], when: float | None) -> None:
        kind = str(payload.get("type"))
        if kind == "token_count":
            info = payload.get("info")
            if isinstance(info, Mapping):
                self._take_count(info, when)
            else:
                self._close()
                self._skipped["token_count without counts"] += 1
            return
        if kind == "turn.completed" and isinstance(payload.get("usage"), Mapping):
            self._turn_usages.append(payload["usage"])
        elif kind in ("turn_aborted", "task_started"):
            self._close_cut()
        elif kind == "task_complete":
            self._close()
        elif kind in ("collab_agent_spawn_end", "sub_agent_activity"):
            agent = payload.get("new_thread_id") or payload.get("agent_thread_id")
            if agent:
                self._spawned.append((str(agent), len(self._replies)))
        elif kind == "entered_review_mode":
            self._review = self._requests
        elif kind == "exited_review_mode" and payload.get("review_output"):
            if self._review == self._requests:
                self._spawned.append(("", len(self._replies)))
            self._review = None
        self._skipped[f"event {kind}"] += 1

    def _take_record(self, payload: Mapping[str, Any]) -> None:
        if isinstance(payload.get("usage"), Mapping):
            self._records.append((str(payload.get("response_id")), payload["usage"]))
        self._skipped["token_usage_record"] += 1

    def _take_count(self, info: Mapping[str, Any], when: float | None) -> None:
        request = self._meter.bill(info, self._replayed is not None, self._open is not None)
        if request is None:
            self._skipped["token_count of no request"] += 1
            return
        self._replayed = None
        self._requests += 1
        request = replace(request, context=self._context(), model=self._model)
        if not self._replies and self._open is None:
            self._is_bill_first = True
        if self._is_bill_first:
            self._close()
            self._pending.append(request)
            return
        billed = self._open or self._stopped()
        if billed is None:
            self._pending.append(request)
            return
        billed.response.requests = [request]
        billed.response.ended = when
        billed.is_cut = False
        self._models[self._model] += 1
        self._close()

    def _stopped(self) -> _Reply | None:
        """Return the last response if it was stopped and a token count may still bill it."""
        last = self._replies[-1] if self._replies else None
        return last if last is not None and last.is_cut and not self._is_compacted else None

    def _take_item(self, item: Mapping[str, Any], when: float | None) -> None:
        kind = str(item.get("type"))
        is_message = kind == "message"
        is_said = (
            kind in _CALLS
            or kind == "reasoning"
            or (is_message and item.get("role") == "assistant")
        )
        is_heard = kind in _OUTPUTS or kind == "agent_message" or (is_message and not is_said)
        if not is_said and not is_heard:
            self._skipped[f"item {kind}"] += 1
        elif self._is_repeated(item, is_said):
            self._skipped["repeated item"] += 1
        elif is_said:
            self._say(item, kind, when)
        else:
            self._hear(item, kind)

    def _is_repeated(self, item: Mapping[str, Any], is_said: bool) -> bool:
        """Return whether a resumed session writes an item of its history again."""
        content = {name: item[name] for name in _CONTENT if item.get(name) is not None}
        mark = hash(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
        if self._replayed is not None:
            end = len(self._items) if self._replayed else _OPENING
            if mark in self._items[self._replayed : end]:
                self._replayed = self._items.index(mark, self._replayed) + 1
                return True
            if is_said or not self._replayed:
                self._replayed = None
        self._items.append(mark)
        return False

    def _hear(self, item: Mapping[str, Any], kind: str) -> None:
        if kind in _OUTPUTS:
            self._has_output = True
        elif item.get("role") == "user" and not self._has_output and not self._is_bill_first:
            self._close_cut()
        content = item.get("output" if "output" in item else "content")
        if kind == "tool_search_output":
            content = orjson.dumps(item.get("tools")).decode()
        self._heard.add(_item_content(content, "user", self._skipped))
        if self._is_bill_first and kind == "message":
            self._close()

    def _say(self, item: Mapping[str, Any], kind: str, when: float | None) -> None:
        reply = self._open or self._begin(when)
        reply.response.ended = when
        self._has_output = False
        reply.ids += [str(item[name]) for name in ("id", "call_id") if item.get(name)]
        if kind == "message":
            content = _item_content(item.get("content"), "assistant", self._skipped)
            reply.texts.append(content.text)
            reply.response.uncounted = reply.response.uncounted or content.uncounted
        elif kind == "reasoning":
            parts = [*(item.get("content") or ()), *(item.get("summary") or ())]
            texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
            reply.reasoning += [text for text in texts if isinstance(text, str)]
            if item.get("encrypted_content") and not item.get("content"):
                reply.response.uncounted = reply.response.uncounted or "encrypted reasoning"
        else:
            name, arguments = _CALLS[kind]
            reply.calls.append(call_text(item.get(name, name), item.get(arguments)))

    def _begin(self, when: float | None) -> _Reply:
        user, uncounted = self._heard.take()
        reply = _Reply(Response(user, uncounted, began=when))
        if self._is_bill_first and self._pending:
            reply.response.requests = [self._pending.pop()]
            self._models[self._model] += 1
        reply.response.before, self._pending = self._pending, []
        self._open = reply
        self._replies.append(reply)
        self._is_compacted = False
        return reply

    def _close(self) -> None:
        self._open = None

    def _close_cut(self) -> None:
        """End a response that no token count will bill any more."""
        if self._open is not None and self._open.response.requests is None:
            self._open.is_cut = True
        self._open = None

    def _context(self) -> str:
        return str(self._compactions) if self._compactions else ""

    def _compact(self, payload: Mapping[str, Any]) -> None:
        history = payload.get("replacement_history")
        mark = {"type": "compacted", "content": payload.get("message"), "output": history}
        if self._is_repeated(mark, is_said=False):
            self._skipped["repeated item"] += 1
            return
        self._close_cut()
        for response_id, usage in self._records:
            if response_id == str(payload.get("compaction_response_id")):
                request = replace(codex_last(usage), shape=_SHAPE, model=self._model)
                self._pending.append(replace(request, context=self._context()))
        if (self._replies or self._pending) and not self._is_compacted:
            self._compactions += 1
            self._is_compacted = True
        summary = payload.get("message")
        if isinstance(summary, str) and summary.strip():
            self._heard.add(MessageContent(summary))
        else:
            for item in history if isinstance(history, list) else ():
                if isinstance(item, Mapping) and item.get("type") == "message":
                    self._heard.add(_item_content(item.get("content"), "user", self._skipped))

    def read_agent(self, lines: Iterable[Line], path: str) -> None:
        """Take the requests of a subagent's file, without those copied from its parent's.

        Raises:
            RolloutError: a line or a token count cannot be used.
        """
        meter = _Meter(is_continued=True)
        meta, model, compactions, has_items = _Meta(), "", 0, False
        paid: list[Paid] = []
        for number, record in session_records(lines, self._skipped):
            payload = record.get("payload")
            kind = record.get("type")
            if not isinstance(payload, Mapping):
                continue
            if kind == "session_meta":
                is_copy = bool(meta.id) or bool(_meta(payload).forked_from)
                meta = meta if meta.id else _meta(payload)
                meter.seen |= self._meter.seen if is_copy else set()
            elif kind == "turn_context":
                model = log_fields.identity(payload.get("model")) or model
            elif kind == "compacted":
                compactions += 1
            elif kind == "response_item":
                has_items = has_items or payload.get("type") in _CALLS
                has_items = has_items or payload.get("role") == "assistant"
            elif payload.get("type") == "token_count" and isinstance(payload.get("info"), Mapping):
                try:
                    request = meter.bill(payload["info"], is_replay=True, has_items=False)
                except RolloutError as error:
                    raise RolloutError(f"{path}: line {number}: {error}") from error
                ordinal = record.get("ordinal")
                is_own = not isinstance(ordinal, int) or ordinal >= meta.first_ordinal
                if request is not None and is_own:
                    name = f"agent {meta.id} {compactions or ''}".strip()
                    requests = [replace(request, context=name, model=model)]
                    paid.append(Paid(moment(record.get("timestamp")), requests))
        if has_items and not paid:
            paid.append(Paid(None, None))
        self._agents[meta.id] = paid

    def log(self) -> Log:
        """Return the session as a log.

        Raises:
            RolloutError: it states requests and holds no response.
        """
        if self._replies and self._is_last_cut(self._replies[-1]):
            cut = self._replies.pop()
            self._pending = cut.response.before + self._pending
            self._skipped[UNFINISHED] += 1
        paid = len(self._pending) + len(self._turn_usages)
        if paid and not self._replies:
            raise RolloutError(
                f"states the usage of {paid} requests and holds no response of a model; expected "
                "response_item lines, which say what was heard and said"
            )
        for reply in self._replies:
            reply.finish()
        responses = [reply.response for reply in self._replies]
        if responses:
            self._enter_beside(responses)
        return Log(
            turns=logged_turns(responses, self._start),
            success=None,
            system=self.meta.system,
            source_id=self.meta.id,
            model=max(self._models, key=lambda name: self._models[name], default=""),
            source=f"Codex {self.meta.version}".strip(),
            skipped=self._skipped,
            response_ids=frozenset(reply.response_id() for reply in self._replies),
        )

    def _is_last_cut(self, last: _Reply) -> bool:
        """Return whether the last response was stopped, or is still coming in."""
        is_billed = any(reply.response.requests for reply in self._replies)
        return last.is_cut or (last is self._open and is_billed and not last.response.requests)

    def _enter_beside(self, responses: list[Response]) -> None:
        """Enter what was paid for beside the responses."""
        if len(responses) == 1 and len(self._turn_usages) == 1 and not responses[0].requests:
            request = codex_last(self._turn_usages[0])
            responses[0].requests = [replace(request, model=self._model)]
        if self._pending:
            enter(responses, len(responses), self._pending)
        place(responses, [paid for agent in self._agents.values() for paid in agent])
        for agent, later in self._spawned:
            if agent not in self._agents:
                enter(responses, later, None)


_CONTENT = (
    *("type", "role", "name", "call_id", "content", "arguments", "input", "output", "action"),
    "summary",
)
"""Fields that say what an item is, whenever it was written."""


def _item_content(content: Any, role: str, skipped: Counter[str]) -> MessageContent:
    """Read what an item holds: text, a list of parts, or a tool's structured output."""
    if isinstance(content, Mapping):
        content = [content] if "text" in content else orjson.dumps(content).decode()
    return known_content({"role": role, "content": content}, "content", skipped)
