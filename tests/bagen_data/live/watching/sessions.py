"""Sessions that grow, for tests of `bagen watch`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bagen_data.live.watching.watch_setup import WatchOptions, set_up
from bagen_data.live.watching.watcher import Watcher
from tests.making import requests

SIZES = ((300, 50), (100, 70), (200, 40))


def claude_lines(session: str, sizes: Sequence[tuple[int, int]] = SIZES, **more: Any) -> list[Any]:
    """Return the records of a Claude Code session with these fresh inputs and outputs."""
    facts = {"sessionId": session, "version": "2.1.80", "isSidechain": False} | more
    records: list[Any] = []
    parent = None
    for number, (read, written) in enumerate(requests(sizes), 1):
        heard = {"role": "user", "content": f"{session} look {number}"}
        records.append(
            {"type": "user", "uuid": f"{session}u{number}", "parentUuid": parent, "message": heard}
        )
        message = {
            "id": f"{session}{facts.get('agentId', '')}m{number}",
            "role": "assistant",
            "model": "claude-opus-4-5",
            "content": [{"type": "text", "text": f"go {number}"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": read, "output_tokens": written},
        }
        parent = f"{session}a{number}"
        records.append(
            {
                "type": "assistant",
                "uuid": parent,
                "parentUuid": f"{session}u{number}",
                "message": message,
            }
        )
    return [record | facts for record in records]


def agent_lines(session: str, agent: str, sizes: Sequence[tuple[int, int]] = SIZES) -> list[Any]:
    """Return the records of a subagent's own file."""
    return claude_lines(session, sizes, isSidechain=True, agentId=agent)


def append(path: Path, records: Sequence[Any]) -> Path:
    """Append a record a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return path


def watcher(log: Path, **options: Any) -> Watcher:
    return Watcher(log, set_up(WatchOptions(**options)))


def used(watched: Watcher) -> list[float]:
    """Look once, and return the tokens that were used after each turn."""
    watched.look()
    return [turn.used["tokens"] for turn in watched.state.turns]
