"""Events: what a reader of a part of a family tells of its logs, in order, for another process.

A part is read without knowing the others. What depends on them is decided where the events of all
parts are merged, in the order of the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bagen_data.errors import BagenError
from bagen_data.reading.family_index import IndexedRollout
from bagen_data.reading.labels import LabelNote
from bagen_data.reading.noticed import Looks, Notice
from bagen_data.reading.rollout_spool import SpoolPart
from bagen_data.usage import Convention


class RefusedLog(NamedTuple):
    """A log, or a record that holds none, that is not used for a reason of its own."""

    where: str
    reason: str
    label: LabelNote | None
    is_unjudged: bool = False
    """Whether nothing judges the rollout."""
    is_stopped: bool = False
    """Whether the rollout was stopped before its own end."""


class LogWithoutTurns(NamedTuple):
    """A log of which no turn is left."""

    where: str
    label: LabelNote | None


class RepeatedRollout(NamedTuple):
    """A rollout after another one of its id in the same part, which is never used."""

    where: str
    rollout_id: str
    content: bytes
    label: LabelNote | None


class ScrubNotes(NamedTuple):
    """The counts and names of what was scrubbed in a rollout."""

    counts: Mapping[str, int]
    """Numbers of replacements by kind."""
    names: frozenset[str]
    """The user names that its texts show."""


class ReadRollout(NamedTuple):
    """A rollout that is used, unless one of an earlier part is the same, or of its id."""

    where: str
    rollout_id: str
    """The id in its log, before scrubbing."""
    content: bytes
    """Hash of its content and its outcome."""
    label: LabelNote | None
    entry: IndexedRollout
    row: int
    """The number of its row in the part's spool."""
    usage_source: str
    fits: frozenset[Convention]
    """Conventions that its bare counts fit; all where none was to be decided."""
    dropped_turns: int
    clipped_turns: int
    model: str
    """The model that its log names; empty where it names none."""
    response_ids: tuple[str, ...]
    """Ids of its responses, in an order that does not depend on the process."""
    scrubbed: ScrubNotes | None
    """Replacements in its texts; None where nothing was looked for."""


class Failure(NamedTuple):
    """An error that ends the reading of all."""

    error: BagenError


LogEvent = RefusedLog | LogWithoutTurns | RepeatedRollout | ReadRollout
Event = Notice | LogEvent | Failure


@dataclass(frozen=True)
class ShardIndex:
    """A shard that was read, but for its rollouts, which are in its spool."""

    events: list[Event]
    formats: frozenset[str]
    """Formats of the records."""
    named: frozenset[str]
    """Names of labels that are those of a log."""
    looks: Looks
    spool: SpoolPart
