"""A Codex session, put together from its records."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._codex_files import Meta, read_meta
from bagen_data.log_formats._codex_meter import SHAPE, Meter
from bagen_data.log_formats._codex_replies import (
    CALLS,
    CONTENT,
    OUTPUTS,
    Bill,
    CodexReply,
    item_content,
    pair,
    response_ids,
)
from bagen_data.log_formats._session import (
    UNFINISHED,
    HeardContents,
    Response,
    SideRequests,
    as_json,
    enter,
    logged_turns,
    mark_branches,
    place,
)
from bagen_data.logs import log_fields
from bagen_data.logs.lines import Line, session_records
from bagen_data.logs.message_content import MessageContent, call_text
from bagen_data.logs.rollout_log import Log
from bagen_data.logs.timestamps import seconds_of
from bagen_data.usage import Request
from bagen_data.usage_objects import codex_last

_OPENING = 3
"""Items at the start of a session of which a history that is written again has one first."""


class CodexSession:
    """A session, put together from its records and from the files of its subagents."""

    def __init__(self, skipped: Counter[str]) -> None:
        self.meta = Meta()
        self._ids: set[str] = set()
        self._replies: list[CodexReply] = []
        self._open: CodexReply | None = None
        """The response whose items are coming in."""
        self._events: list[CodexReply | Bill | None] = []
        """Responses and bills in order; None for a compaction."""
        self._has_output = False
        """Whether a tool's output came in since the last item of the response."""
        self._heard = HeardContents()
        self._meter = Meter()
        self._compactions = 0
        self._is_compacted = False
        self._model = ""
        self._start: float | None = None
        self._items: list[int] = []
        """Hashes of the items so far, which a resumed session repeats."""
        self._replayed: int | None = None
        """Number of items repeated since the session was resumed; None where it goes on."""
        self._records: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=8)
        """The last usage records, by response."""
        self._turn_usages: list[Mapping[str, Any]] = []
        """Usage of whole turns, which older logs state."""
        self._prompts: list[int] = []
        """Responses before each message of the user, those of one turn once."""
        self._rewound_to: int | None = None
        self._spawned: list[tuple[str, int]] = []
        """Subagents, and the turn that follows the start of each."""
        self._review: int | None = None
        """Requests so far when a review began."""
        self._requests = 0
        self._agents: dict[str, list[SideRequests]] = {}
        self._skipped = skipped

    def is_followed_by(self, payload: Mapping[str, Any]) -> bool:
        """Return whether a `session_meta` begins another session in the same file."""
        meta = read_meta(payload)
        linked = {meta.id, meta.parent, meta.forked_from} & self._ids
        return bool(self._replies) and not linked

    def take(self, kind: str, payload: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Take the next record of the session's file.

        Raises:
            RolloutError: it cannot be used.
        """
        when = seconds_of(record.get("timestamp"))
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
        meta = read_meta(payload)
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
        elif kind == "thread_rolled_back":
            self._roll_back(payload.get("num_turns"))
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

    def _roll_back(self, turns: Any) -> None:
        if isinstance(turns, int) and 0 < turns <= len(self._prompts):
            self._close_cut()
            self._rewound_to = self._prompts[-turns] - 1
            del self._prompts[-turns:]

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
        self._events.append(Bill(self._paid(request), when))
        self._close()

    def _paid(self, request: Request) -> Request:
        context = str(self._compactions) if self._compactions else ""
        return replace(request, shape=SHAPE, context=context, model=self._model)

    def _take_item(self, item: Mapping[str, Any], when: float | None) -> None:
        kind = str(item.get("type"))
        is_message = kind == "message"
        is_said = (
            kind in CALLS or kind == "reasoning" or (is_message and item.get("role") == "assistant")
        )
        is_heard = kind in OUTPUTS or kind == "agent_message" or (is_message and not is_said)
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
        content = {name: item[name] for name in CONTENT if item.get(name) is not None}
        mark = hash(as_json(content))
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
        if kind in OUTPUTS:
            self._has_output = True
        elif item.get("role") == "user" and not self._has_output:
            self._close_cut()
        if kind == "message" and item.get("role") == "user":
            self._note_prompt()
        content = item.get("output" if "output" in item else "content")
        if kind == "tool_search_output":
            content = as_json(item.get("tools"))
        self._heard.add(item_content(content, "user", self._skipped))

    def _note_prompt(self) -> None:
        if not self._prompts or self._prompts[-1] < len(self._replies):
            self._prompts.append(len(self._replies))

    def _say(self, item: Mapping[str, Any], kind: str, when: float | None) -> None:
        reply = self._open or self._begin(when)
        reply.response.ended = when
        self._has_output = False
        reply.ids += [str(item[name]) for name in ("id", "call_id") if item.get(name)]
        if kind == "message":
            content = item_content(item.get("content"), "assistant", self._skipped)
            reply.texts.append(content.text)
            reply.response.uncounted = reply.response.uncounted or content.uncounted
        elif kind == "reasoning":
            parts = [
                *log_fields.sequence(item.get("content"), "content"),
                *log_fields.sequence(item.get("summary"), "summary"),
            ]
            texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
            reply.reasoning += [text for text in texts if isinstance(text, str)]
            if item.get("encrypted_content") and not item.get("content"):
                reply.response.uncounted = reply.response.uncounted or "encrypted reasoning"
        else:
            name, arguments = CALLS[kind]
            reply.calls.append(call_text(item.get(name, name), item.get(arguments)))

    def _begin(self, when: float | None) -> CodexReply:
        user, uncounted = self._heard.take()
        reply = CodexReply(Response(user, uncounted, began=when, rewound_to=self._rewound_to))
        self._rewound_to = None
        self._events.append(reply)
        self._open = reply
        self._replies.append(reply)
        self._is_compacted = False
        return reply

    def _close(self) -> None:
        self._open = None

    def _close_cut(self) -> None:
        """End a response that was not complete, unless a token count bills it."""
        if self._open is not None:
            self._open.is_cut = True
        self._open = None

    def _compact(self, payload: Mapping[str, Any]) -> None:
        history = payload.get("replacement_history")
        mark = {"type": "compacted", "content": payload.get("message"), "output": history}
        if self._is_repeated(mark, is_said=False):
            self._skipped["repeated item"] += 1
            return
        self._close_cut()
        for response_id, usage in self._records:
            if response_id == str(payload.get("compaction_response_id")):
                self._events.append(Bill(self._paid(codex_last(usage)), None, is_apart=True))
        if self._events and not self._is_compacted:
            self._compactions += 1
            self._is_compacted = True
        self._events.append(None)
        summary = payload.get("message")
        if isinstance(summary, str) and summary.strip():
            self._heard.add(MessageContent(summary))
        else:
            for item in history if isinstance(history, list) else ():
                if isinstance(item, Mapping) and item.get("type") == "message":
                    self._heard.add(item_content(item.get("content"), "user", self._skipped))

    def read_agent(self, lines: Iterable[Line], path: str) -> None:
        """Take the requests of a subagent's file, without those copied from its parent's.

        Raises:
            RolloutError: a line or a token count cannot be used.
        """
        meter = Meter(is_continued=True)
        meta, model, compactions, has_items, is_open = Meta(), "", 0, False, False
        paid: list[SideRequests] = []
        for number, record in session_records(lines, self._skipped, path):
            payload = record.get("payload")
            kind = record.get("type")
            if not isinstance(payload, Mapping):
                continue
            if kind == "session_meta":
                is_copy = bool(meta.id) or bool(read_meta(payload).forked_from)
                meta = meta if meta.id else read_meta(payload)
                meter.seen |= self._meter.seen if is_copy else set()
            elif kind == "turn_context":
                model = log_fields.identity(payload.get("model")) or model
            elif kind == "compacted":
                compactions += 1
            elif kind == "response_item":
                is_said = payload.get("type") in CALLS or payload.get("role") == "assistant"
                has_items, is_open = has_items or is_said, is_open or is_said
            elif payload.get("type") == "token_count" and isinstance(payload.get("info"), Mapping):
                try:
                    request = meter.bill(payload["info"], is_replay=True, has_items=is_open)
                except RolloutError as error:
                    raise RolloutError(f"{path}: line {number}: {error}") from error
                is_open = False
                ordinal = record.get("ordinal")
                is_own = not isinstance(ordinal, int) or ordinal >= meta.first_ordinal
                if request is not None and is_own:
                    name = f"agent {meta.id} {compactions or ''}".strip()
                    requests = [replace(request, context=name, model=model)]
                    paid.append(SideRequests(seconds_of(record.get("timestamp")), requests))
        if has_items and not paid:
            paid.append(SideRequests(None, None))
        self._agents[meta.id] = paid

    def log(self) -> Log:
        """Return the session as a log.

        Raises:
            RolloutError: it states requests and holds no response.
        """
        after = pair(self._events)
        if self._replies and self._is_last_cut(self._replies[-1]):
            after = self._replies.pop().response.before + after
            self._skipped[UNFINISHED] += 1
        paid = len(after) + len(self._turn_usages)
        if paid and not self._replies:
            raise RolloutError(
                f"states the usage of {paid} requests and holds no response of a model; expected "
                "response_item lines, which say what was heard and said"
            )
        models: Counter[str] = Counter()
        for reply in self._replies:
            reply.finish()
            models.update(request.model for request in reply.response.requests or ())
        responses = [reply.response for reply in self._replies]
        if responses:
            mark_branches(responses)
            self._enter_beside(responses, after)
        return Log(
            turns=logged_turns(responses, self._start),
            success=None,
            system=self.meta.system,
            source_id=self.meta.id,
            model=max(models, key=lambda name: models[name], default=""),
            source=f"Codex {self.meta.version}".strip(),
            skipped=self._skipped,
            response_ids=response_ids(self._replies),
        )

    def _is_last_cut(self, last: CodexReply) -> bool:
        """Return whether the last response was stopped, or is still coming in."""
        is_billed = any(reply.response.requests for reply in self._replies)
        is_coming = last is self._open and is_billed
        return not last.response.requests and (last.is_cut or is_coming)

    def _enter_beside(self, responses: list[Response], after: list[Request]) -> None:
        """Enter what was paid for beside the responses."""
        if len(responses) == 1 and len(self._turn_usages) == 1 and not responses[0].requests:
            request = codex_last(self._turn_usages[0])
            responses[0].requests = [replace(request, model=self._model)]
        enter(responses, len(responses), after)
        place(responses, [paid for agent in self._agents.values() for paid in agent])
        for agent, later in self._spawned:
            if agent not in self._agents:
                enter(responses, later, None)
