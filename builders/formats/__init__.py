"""Readers of the published rollout layouts. Each turns one foreign record into a `Log`.

    dialogues.py    an object with `turns`
    messages.py     an object with `messages`
    mini_swe_agent.py         an object with `trajectory_format`: mini-swe-agent

What a record holds decides which reader takes it, never its file's name.
"""

from typing import Any

from bagen_data.errors import RolloutError
from builders.formats import dialogues, messages, mini_swe_agent
from builders.logs.rollout_log import Log


def read_record(record: Any, resolved: frozenset[str] | None) -> Log:
    """Read one record.

    Args:
        record: a decoded JSON value.
        resolved: the instances an evaluation report calls resolved, if the family has one.

    Raises:
        RolloutError: the record has none of the layouts, or a field that cannot be used.
    """
    if not isinstance(record, dict):
        raise RolloutError(f"expected an object, found {type(record).__name__}")
    if "turns" in record:
        return dialogues.read(record)
    if "trajectory_format" in record:
        return mini_swe_agent.read(record, resolved)
    if "messages" in record:
        return messages.read(record)
    raise RolloutError(
        "expected an object with 'turns', 'messages' or 'trajectory_format'; "
        f"found keys {sorted(map(str, record))[:8]}"
    )
