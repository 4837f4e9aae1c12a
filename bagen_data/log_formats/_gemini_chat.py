"""Chats of Gemini CLI, from whichever file: messages in order, then turns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import escape
from os.path import basename, dirname
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.log_formats._session import (
    UNFINISHED,
    HeardContents,
    Response,
    SideRequests,
    as_json,
    enter,
    is_shorter,
    join_unshown,
    known_content,
    logged_turns,
    mark_branches,
    place,
)
from bagen_data.logs import log_fields
from bagen_data.logs.lines import Line, session_records
from bagen_data.logs.message_content import MessageContent, call_text
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog, Neighbours, SessionFile
from bagen_data.logs.timestamps import seconds_of
from bagen_data.usage import Request
from bagen_data.usage_objects import gemini_cli

_RESPONSES = ("gemini", "model")
_NOTICES = ("info", "error", "warning")


def is_chat(record: Any) -> bool:
    """Return whether an object is a chat, or the first line of one."""
    return isinstance(record, Mapping) and {"sessionId", "projectHash"} <= record.keys()


@dataclass
class _Message:
    """A message in its last state."""

    record: Mapping[str, Any]
    context: str
    """The context that it was said in."""
    is_summary: bool = False
    """Whether a compression wrote the message, which was not generated as a response then."""
    rewound_to: str | None = None
    """The message that the chat was taken back to before this one; empty for the start."""
    is_told: bool = True
    """Whether a record of its own says that the chat was taken back."""


class Chat:
    """A chat, put together from its records."""

    def __init__(self) -> None:
        self.skipped: Counter[str] = Counter()
        self.facts: dict[str, Any] = {}
        """The facts that the chat states of itself."""
        self._messages: dict[str, _Message] = {}
        """Every message by id, in order of first appearance: those taken back were paid for."""
        self._current: list[str] = []
        """Ids of the messages that the next request replays."""
        self._contexts = 0
        self._rewound_to: str | None = None
        self._is_told = True

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record: a message, a change of the chat, or a taking back."""
        if isinstance(record.get("$rewindTo"), str):
            self._rewind(record["$rewindTo"])
            self.skipped["$rewindTo"] += 1
        elif isinstance(record.get("$set"), Mapping):
            self._set(record["$set"])
            self.skipped["$set"] += 1
        elif isinstance(record.get("type"), str) and not is_chat(record):
            self._add(record)
        elif is_chat(record):
            self._set(record)
        else:
            names = ", ".join(sorted(map(str, record))[:3])
            self.skipped[f"record with {names}"] += 1

    def _add(self, record: Mapping[str, Any], is_summary: bool = False) -> None:
        key = str(record.get("id") or f"#{len(self._messages)}")
        known = self._messages.get(key)
        if known is not None:
            known.record = {**known.record, **_stated(record)}
            known.is_summary = known.is_summary and is_summary
        else:
            if record["type"] == "info" and "compressed" in str(record.get("content")):
                self._compress()
            context = str(self._contexts) if self._contexts else ""
            message = _Message(record, context, is_summary, self._rewound_to, self._is_told)
            self._messages[key] = message
            if record["type"] in _RESPONSES:
                self._rewound_to = None
        if key not in self._current:
            self._current.append(key)

    def _rewind(self, key: str) -> None:
        position = self._current.index(key) if key in self._current else 0
        self._current = self._current[:position]
        self._rewound_to = self._current[-1] if self._current else ""
        self._is_told = True

    def _set(self, change: Mapping[str, Any]) -> None:
        self.facts |= {name: value for name, value in change.items() if name != "messages"}
        messages = change.get("messages")
        if isinstance(messages, list) and messages:
            self._replace([each for each in messages if isinstance(each, Mapping)])

    def _replace(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Take a whole new history: more of it, less of it, or a summary in place of its start."""
        keys = [str(message.get("id")) for message in messages]
        spoken = [
            key for key in self._current if self._messages[key].record["type"] not in _NOTICES
        ]
        kept = [key for key in spoken if key in keys]
        is_replaced = bool(spoken) and (not kept or kept != spoken[: len(kept)])
        if is_replaced:
            self._compress()
        elif len(kept) < len(spoken):
            self._rewound_to, self._is_told = kept[-1], False
        self._current = []
        for key, message in zip(keys, messages, strict=True):
            if key in self._messages:
                record = self._messages[key].record
                self._messages[key].record = {**_stated(message), **_stated(record)}
                self._current.append(key)
            elif isinstance(message.get("type"), str):
                self._add(message, is_summary=is_replaced)

    def _compress(self) -> None:
        if any(each.record["type"] in _RESPONSES for each in self._messages.values()):
            self._contexts += 1

    def log(self, agents: Iterable["Chat"] = ()) -> Log:
        """Return the chat as a log.

        Args:
            agents: the chats of its subagents.

        Raises:
            RolloutError: a message cannot be used.
        """
        responses, models = self._responses("")
        if responses:
            mark_branches(responses)
            self._enter_agents(responses, list(agents))
        return Log(
            turns=logged_turns(responses, seconds_of(self.facts.get("startTime"))),
            success=None,
            source_id=str(self.facts.get("sessionId") or ""),
            model=max(models, key=lambda name: models[name], default=""),
            source="Gemini CLI",
            skipped=self.skipped,
            response_ids=frozenset(
                key
                for key, message in self._messages.items()
                if message.record["type"] in _RESPONSES and len(key) >= _UUID
            ),
        )

    def _enter_agents(self, responses: list[Response], agents: list["Chat"]) -> None:
        place(responses, [paid for agent in agents for paid in agent.paid()])
        known = {agent.facts.get("sessionId") for agent in agents}
        position = 0
        for message in self._messages.values():
            position += message.record["type"] in _RESPONSES and not message.is_summary
            for call in _objects(message.record, "toolCalls"):
                if call.get("agentId") not in (None, *known):
                    enter(responses, position, None)

    def paid(self) -> list[SideRequests]:
        """Return the requests of a subagent's chat."""
        name = f"agent {self.facts.get('sessionId')}"
        return [SideRequests(each.began, each.requests) for each in self._responses(name)[0]]

    def _responses(self, thread: str) -> tuple[list[Response], Counter[str]]:
        heard = HeardContents()
        responses: list[Response] = []
        models: Counter[str] = Counter()
        positions: dict[str, int] = {"": -1}
        notice = ""
        for key, message in self._messages.items():
            record = message.record
            kind = record["type"]
            try:
                if kind in _RESPONSES and not message.is_summary:
                    if _is_empty(record):
                        self.skipped["empty response"] += 1
                        continue
                    notice = ""
                    responses.append(self._response(message, heard, thread))
                    before = responses[-2] if len(responses) > 1 else Response()
                    is_shown = message.is_told or is_shorter(responses[-1], before)
                    if message.rewound_to is not None and is_shown:
                        responses[-1].rewound_to = positions.get(message.rewound_to)
                    models[str(record.get("model") or "")] += 1
                elif kind == "user" or message.is_summary:
                    heard.add(_parts(record.get("content", record.get("parts")), self.skipped))
                else:
                    notice = str(record.get("content")) if kind in _NOTICES else notice
                    self.skipped[kind] += 1
            except RolloutError as error:
                raise RolloutError(f"message {key}: {error}") from error
            positions[key] = len(responses) - 1
        if responses and responses[-1].requests is None and "cancel" in notice.lower():
            responses.pop()
            self.skipped[UNFINISHED] += 1
        models.pop("", None)
        join_unshown(responses)
        return responses, models

    def _response(self, message: _Message, heard: HeardContents, thread: str) -> Response:
        """Return a response; what its tools returned is heard by the next one."""
        record = message.record
        user, uncounted = heard.take()
        text = _parts(record.get("content", record.get("parts")), self.skipped)
        calls, thoughts = _objects(record, "toolCalls"), _objects(record, "thoughts")
        content = MessageContent(
            "\n\n".join(
                filter(None, (text.text, *(call_text(c.get("name"), c.get("args")) for c in calls)))
            ),
            "\n".join(
                str(each[name])
                for each in thoughts
                for name in ("subject", "description")
                if each.get(name)
            ),
            text.uncounted or ("thoughts, of which it has a summary" if thoughts else ""),
            len(calls),
        )
        for call in calls:
            heard.add(_output(call, self.skipped))
        when = seconds_of(record.get("timestamp"))
        ends = [seconds_of(each.get("timestamp")) for each in calls]
        context = " ".join(filter(None, (thread, message.context)))
        return Response(
            user,
            uncounted,
            content,
            _requests(record, context),
            began=when,
            ended=max((end for end in (when, *ends) if end is not None), default=None),
        )


_UUID = 32
"""Characters of an id that no other chat has by chance."""


def _stated(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message's later state says: it may leave out what an earlier one said."""
    return {name: value for name, value in record.items() if value not in (None, [], "")}


def _objects(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list; anything else in it is not of a known kind."""
    listed = log_fields.sequence(record.get(name), name)
    return [each for each in listed if isinstance(each, Mapping)]


def _is_empty(record: Mapping[str, Any]) -> bool:
    said = (record.get(name) for name in ("content", "parts", "toolCalls", "thoughts", "tokens"))
    return not any(said)


def _requests(record: Mapping[str, Any], context: str) -> list[Request] | None:
    tokens = record.get("tokens")
    if not isinstance(tokens, Mapping):
        return None
    model = str(record.get("model") or "")
    return [replace(gemini_cli(tokens), context=context, model=model)]


def _parts(content: Any, skipped: Counter[str]) -> MessageContent:
    """Read a message's content: text, a part, or a list of parts of the Gemini API."""
    if content is None or isinstance(content, str):
        return MessageContent(content or "")
    parts = content if isinstance(content, list) else [content]
    return known_content(
        {"role": "user", "content": [_plain(part) for part in parts]}, "content", skipped
    )


def _plain(part: Any) -> Any:
    """Return a part of the Gemini API as a part of a chat message."""
    if not isinstance(part, Mapping):
        return part
    if part.get("thought") is True:
        return {"type": "thinking", "thinking": part.get("text")}
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    if "functionResponse" in part:
        return {"type": "functionResponse"}  # the call that it answers holds it, too
    for name in ("inlineData", "fileData"):
        if isinstance(part.get(name), Mapping):
            kind = str(part[name].get("mimeType")).partition("/")[0]
            return {"type": kind if kind in ("image", "audio", "video") else "file"}
    return {"type": next(iter(part), "empty")}


def _output(call: Mapping[str, Any], skipped: Counter[str]) -> MessageContent:
    """Read what a tool returned: its function response, else what was displayed of it."""
    results = call.get("result")
    results = results if isinstance(results, list) else [results]
    contents = []
    for part in results:
        response = part.get("functionResponse") if isinstance(part, Mapping) else None
        if isinstance(response, Mapping):
            contents.append(MessageContent(_returned(response.get("response"))))
            inner = response.get("parts")
            contents += [_parts(inner, skipped)] if inner else []
        elif part is not None:
            contents.append(_parts(part, skipped))
    if not any(content.text for content in contents) and call.get("resultDisplay"):
        contents = [MessageContent(_returned(call["resultDisplay"]))]
    return MessageContent(
        "\n".join(filter(None, (content.text for content in contents))),
        uncounted=next(filter(None, (content.uncounted for content in contents)), ""),
    )


def _returned(value: Any) -> str:
    if isinstance(value, Mapping):
        single = [value[name] for name in ("output", "error") if isinstance(value.get(name), str)]
        if len(value) == 1 and single:
            return str(single[0])
    return value if isinstance(value, str) else as_json(value)


def session_file(lines: Iterator[Line], path: str) -> SessionFile | None:
    """Return the chat that a file holds; None where its first line does not say."""
    line = next(lines, None)
    if line is None or not is_chat(line.value):
        return None
    is_agent = line.value.get("kind") == "subagent"
    return SessionFile(str(line.value["sessionId"]), basename(dirname(path)) if is_agent else "")


class _Chats(NamedTuple):
    """The chats of a family's files."""

    files: Neighbours
    sessions: set[str]
    """Ids of the chats that are not a subagent's."""
    agents: dict[str, list[str]]
    """Files of subagents' chats, by the id of the chat that started each."""


def _survey(files: Neighbours) -> _Chats:
    chats = _Chats(files, set(), {})
    for path in files.names("*.jsonl"):
        line = next(files.lines(path), None)
        if line is None or not is_chat(line.value):
            continue
        if line.value.get("kind") == "subagent":
            chats.agents.setdefault(basename(dirname(path)), []).append(path)
        else:
            chats.sessions.add(str(line.value["sessionId"]))
    return chats


def read_chat(records: Iterable[Mapping[str, Any]], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the records of one chat.

    Raises:
        RolloutError: a message cannot be used, or the chat is a subagent's of a chat that the
            family has no file of.
    """
    chat = Chat()
    for record in records:
        chat.take(record)
    return _with_agents(chat, facts)


def read_lines(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read the lines of one chat, as `read_chat`."""
    chat = Chat()
    for number, record in session_records(lines, chat.skipped):
        try:
            chat.take(record)
        except RolloutError as error:
            raise RolloutError(f"line {number}: {error}") from error
    return _with_agents(chat, facts)


def _with_agents(chat: Chat, facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    chats = facts.beside.survey(_survey)
    if chat.facts.get("kind") == "subagent":
        parent = basename(dirname(facts.path))
        older = facts.beside.names(f"../*{escape(parent[:8])}*.json")
        if parent not in chats.sessions and not older:
            raise RolloutError(
                "is the chat of a subagent, and the family has no file of the chat that its "
                f"folder names, {parent or '(none)'}; add that file, or remove this one"
            )
        return iter(())
    agents = []
    for path in chats.agents.get(str(chat.facts.get("sessionId")), ()):
        agents.append(Chat())
        for number, record in session_records(chats.files.lines(path), chat.skipped, path):
            try:
                agents[-1].take(record)
            except RolloutError as error:
                raise RolloutError(f"{path}: line {number}: {error}") from error
    return chat.log(agents)
