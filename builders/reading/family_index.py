"""Read one family, once and in order: its rollouts go to a spool, an index of them stays."""

from collections import Counter
from dataclasses import dataclass, field

from bagen_data.budgets import Realised
from bagen_data.errors import RolloutError
from bagen_data.garbage_collection import paused_collector
from bagen_data.replay import realised
from builders.formats import read_record
from builders.logs.rollout_log import FamilyFacts
from builders.logs.turn_readers import Counting
from builders.reading.family_files import FamilyFiles, Source, SourceRecord
from builders.reading.origin import Family
from builders.reading.rollout_spool import RolloutSpool
from builders.reading.rollouts import Reading, to_rollout
from builders.tasks import Task, find_task


@dataclass(frozen=True)
class Refusal:
    """A rollout or file that was not used."""

    where: str
    reason: str


@dataclass(frozen=True)
class IndexedRollout:
    """What the plan of a build needs to know of a spooled rollout."""

    rollout_id: str
    instance_id: str
    total_turns: int
    realised: Realised


@dataclass
class FamilyIndex:
    """A family as it was read; `entries` are in the order of `rollouts`."""

    family: Family
    rollouts: RolloutSpool
    entries: list[IndexedRollout] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    usage_sources: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    without_turns: int = 0
    dropped_turns: int = 0


def read_family(
    family: Family,
    spool: RolloutSpool,
    counting: Counting,
    limit: int | None = None,
) -> FamilyIndex:
    """Read a family's files in order.

    Args:
        family: which.
        spool: takes the rollouts.
        counting: how tokens are counted.
        limit: stop after this many usable rollouts.
    """
    index = FamilyIndex(family, spool)
    files = FamilyFiles(family)
    reader = _RecordReader(index, find_task(family.task), counting, FamilyFacts(files.resolved))
    with paused_collector():
        records = (record for path in files.paths for record in files.records(path))
        for record in records:
            reader.take(record)
            if len(index.entries) == limit:
                break
    if not files.paths:
        index.refused.append(Refusal(".", "holds no .json or .jsonl file; expected rollouts"))
    index.sources = files.sources
    return index


@dataclass
class _RecordReader:
    index: FamilyIndex
    task: Task
    counting: Counting
    facts: FamilyFacts
    _seen: dict[str, str] = field(default_factory=dict)
    """Content hash by rollout id."""

    def take(self, record: SourceRecord) -> None:
        """Enter the rollout of a record into the index, or why it is not used."""
        try:
            reading = self._read(record)
        except (RolloutError, RecursionError) as error:
            self.index.refused.append(Refusal(record.where, str(error)))
            return
        except Exception as error:
            error.add_note(f"while reading {self.index.family.name}/{record.where}")
            raise
        if reading is None:
            return
        rollout = reading.rollout
        self.index.usage_sources[reading.usage_source] += 1
        self.index.dropped_turns += rollout.dropped_turns
        names = [resource.name for resource in self.task.resources]
        self.index.entries.append(
            IndexedRollout(
                rollout.rollout_id,
                rollout.instance_id,
                len(rollout.turns),
                realised(rollout, names),
            )
        )
        self.index.rollouts.add(rollout)

    def _read(self, record: SourceRecord) -> Reading | None:
        if record.error:
            raise RolloutError(record.error)
        log = read_record(record.value, self.facts)
        reading = to_rollout(log, self.index.family, self.task, self.counting)
        if reading is None:
            self.index.without_turns += 1
            return None
        rollout_id, content = reading.rollout.rollout_id, reading.content_sha256
        if rollout_id not in self._seen:
            self._seen[rollout_id] = content
            return reading
        if self._seen[rollout_id] != content:
            raise RolloutError(
                f"another rollout named {rollout_id} stands before it in this family; keep one"
            )
        self.index.duplicates += 1
        return None
