"""Chats of Gemini CLI 0.39 and later, a record a line: `.../chats/session-<time>-<id>.jsonl`.

    {"sessionId": "b4f1...", "projectHash": "2050...", "startTime": "...", "kind": "main"}
    {"id": "m1", "timestamp": "...", "type": "user", "content": [{"text": "Run the tests"}]}
    {"id": "m2", "timestamp": "...", "type": "gemini", "content": "", "tokens": {...}, ...}
    {"id": "m2", "timestamp": "...", "type": "gemini", "toolCalls": [...], "tokens": {...}, ...}
    {"$set": {"lastUpdated": "2026-04-29T21:39:33.156Z"}}
    {"$rewindTo": "m1"}

Messages are those of `gemini_cli.py`. A message is written again, whole, whenever it changes; its
last state counts. `$rewindTo` takes the chat back to before a message: what was said after it was
paid for, and is no history of what follows. `$set` with `messages` replaces the history: where its
start is replaced, by a summary, a compression began a new context. Chats of the `kind` subagent lie
in a folder that is named as the chat that started them; their requests are contexts of their own.
Meaning: as in `gemini_cli.py`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from bagen_data.log_formats._gemini_chat import is_chat, read_lines, session_file
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog

__all__ = ["KEYS", "LAYOUT", "READS", "read", "recognises", "session_file"]
LAYOUT = "lines of a Gemini CLI chat, the first with 'sessionId' and 'projectHash'"
READS = "lines"
KEYS = frozenset({"sessionId", "projectHash", "startTime"})


def recognises(record: Any) -> bool:
    """Return whether a line is the first of a chat."""
    return is_chat(record) and not record.get("messages")


def read(lines: Iterable[Line], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read one chat; raises RolloutError naming the line or message."""
    return read_lines(lines, facts)
