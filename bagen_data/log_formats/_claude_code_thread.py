"""A conversation of Claude Code: the session's own, or a subagent's."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._claude_code_replies import ClaudeCodeReply
from bagen_data.log_formats._session import (
    UNFINISHED,
    HeardContents,
    Response,
    as_json,
    known_content,
)
from bagen_data.logs.timestamps import seconds_of

_SYNTHETIC = "<synthetic>"


class Thread:
    """A conversation of a session: its own, or a subagent's.

    Args:
        name: empty for the session's own.
        skipped: counts records that are no part of a turn.
        is_shown: whether its texts are kept.
    """

    def __init__(self, name: str, skipped: Counter[str], is_shown: bool = True) -> None:
        self.replies: list[ClaudeCodeReply] = []
        self.positions: dict[str, int] = {}
        """Position of the last response at each record, by the record's id; -1 before the first."""
        self.start: float | None = None
        """Time of the first record, in seconds."""
        self._name = name
        self._skipped = skipped
        self._is_shown = is_shown
        self._heard = HeardContents()
        self._by_id: dict[str, ClaudeCodeReply] = {}
        self._lines: set[int] = set()
        """Hashes of the lines taken: a resumed session may write some again."""
        self._compactions = 0
        self._context = 0
        """The compaction that the current context began with; 0 where it is the first."""
        self._is_compacted = False
        """Whether nothing has happened since a compaction."""
        self._rewound_to: int | None = None
        self._prompts = self._rewinds = 0
        """Prompts with a known parent, and those whose parent is older than the last response."""

    def take(self, record: Mapping[str, Any], number: int) -> None:
        """Take the next record.

        Raises:
            RolloutError: its content cannot be read.
        """
        uuid = record.get("uuid")
        line = hash((str(uuid), as_json(record.get("message"))))
        if isinstance(uuid, str) and line in self._lines:
            self._skipped["repeated line"] += 1
            return
        self._lines.add(line)
        if self.start is None:
            self.start = seconds_of(record.get("timestamp"))
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
        if not isinstance(message, Mapping):
            raise RolloutError("an assistant line has no message; restore it, or remove the line")
        if message.get("model") == _SYNTHETIC or record.get("isApiErrorMessage") is True:
            self._skipped["synthetic response"] += 1
            return
        stated = message.get("id") or record.get("uuid") or number
        reply = self._by_id.get(str(stated))
        when = seconds_of(record.get("timestamp"))
        if reply is None:
            user, uncounted = self._heard.take()
            response = Response(user, uncounted, began=when, rewound_to=self._rewound_to)
            reply = ClaudeCodeReply(
                str(stated), bool(message.get("id")), self._name, self._context, response
            )
            self.replies.append(reply)
            self._by_id[reply.id] = reply
            self._is_compacted, self._rewound_to = False, None
        reply.add(message, record)
        reply.response.ended = when

    def _take_user(self, record: Mapping[str, Any]) -> None:
        message = record.get("message")
        if not isinstance(message, Mapping):
            raise RolloutError("a user line has no message; restore it, or remove the line")
        if record.get("isCompactSummary") is True:
            self._compact()
        elif record.get("isVisibleInTranscriptOnly") is True:
            self._skipped["shown only"] += 1
            return
        if record.get("isMeta") is not True and not _is_result(message):
            before = self.positions.get(str(record.get("parentUuid")))
            self._prompts += before is not None
            if before is not None and before < len(self.replies) - 1:
                self._rewinds += 1
                self._rewound_to = before
                self._context = self.replies[before].compactions if before >= 0 else 0
        if self._is_shown:
            self._heard.add(known_content(message, "message", self._skipped))

    def _take_system(self, record: Mapping[str, Any]) -> None:
        if record.get("subtype") == "compact_boundary":
            self._compact()
        self._skipped[f"system {record.get('subtype')}"] += 1

    def _compact(self) -> None:
        if self.replies and not self._is_compacted:
            self._compactions += 1
            self._context = self._compactions
            self._is_compacted = True

    def _take_attachment(self, record: Mapping[str, Any]) -> None:
        attachment = record.get("attachment")
        kind = attachment.get("type") if isinstance(attachment, Mapping) else None
        if kind == "queued_command" and isinstance(attachment, Mapping):
            message = {"role": "user", "content": attachment.get("prompt")}
            self._heard.add(known_content(message, "attachment", self._skipped))
        else:
            self._skipped[f"attachment {kind}"] += 1

    def is_chain(self) -> bool:
        """Return whether most prompts name the last record as their parent, as they should."""
        return self._rewinds * 2 <= self._prompts

    def finished(self) -> list[ClaudeCodeReply]:
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

    def without_cut(self) -> list[ClaudeCodeReply]:
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
