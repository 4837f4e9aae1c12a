"""Chats of Gemini CLI as one object: `~/.gemini/tmp/<project>/chats/session-<time>-<id>.json`.

    {"sessionId": "b4f1...", "projectHash": "2050...", "startTime": "2025-12-16T23:47:00.000Z",
     "messages": [
       {"id": "m1", "timestamp": "...", "type": "user", "content": "Run the tests"},
       {"id": "m2", "timestamp": "...", "type": "gemini", "model": "gemini-3-flash-preview",
        "content": "", "thoughts": [{"subject": "...", "description": "..."}],
        "tokens": {"input": 11855, "output": 81, "cached": 0, "thoughts": 40, "tool": 0,
                   "total": 11976},
        "toolCalls": [{"id": "...", "name": "run_shell_command", "args": {"command": "make test"},
                       "result": [{"functionResponse": {"response": {"output": "..."}}}]}]},
       {"id": "m3", "timestamp": "...", "type": "info", "content": "Request cancelled."}]}

A message of the type `gemini` is a response; what its tools returned is heard by the next one.
`tokens` are a request's, as the Gemini API counts them: cached tokens are part of `input`, and
`thoughts` are no part of `output`. A response without `tokens` has unknown usage. Messages of other
types are no turns. Versions from 0.39 write lines instead (`gemini_cli_lines.py`). Meaning:
`packages/core/src/services/chatRecordingService.ts` in https://github.com/google-gemini/gemini-cli,
and https://geminicli.com/docs/cli/session-management/.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bagen_data.log_formats._gemini_chat import is_chat, read_chat
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog

LAYOUT = "an object with 'sessionId', 'projectHash' and 'messages' of Gemini CLI"
KEYS = frozenset({"sessionId", "projectHash", "messages", "startTime"})


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a chat of Gemini CLI."""
    return is_chat(record) and "messages" in record


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read one chat; raises RolloutError naming the message."""
    messages = log_fields.sequence(record["messages"], "messages")
    facts_of_chat = {name: value for name, value in record.items() if name != "messages"}
    spoken = [log_fields.mapping(each, f"messages[{i}]") for i, each in enumerate(messages)]
    return read_chat([facts_of_chat, *spoken], facts)
