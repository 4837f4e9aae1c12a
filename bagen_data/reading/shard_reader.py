"""Read a part of a family: its rollouts go to a spool, and events tell of its logs in order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bagen_data.errors import (
    BagenError,
    MissingExtraError,
    NotJudgedError,
    RolloutError,
    StoppedError,
)
from bagen_data.log_formats import known_formats, value_format
from bagen_data.logs.rollout_log import FamilyFacts, Log, NamedLog
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.events import (
    Event,
    Failure,
    LogWithoutTurns,
    ReadRollout,
    RefusedLog,
    RepeatedRollout,
    ScrubNotes,
)
from bagen_data.reading.family_files import FamilyFiles, SourceRecord
from bagen_data.reading.family_index import IndexedRollout
from bagen_data.reading.labels import LABELS, LabelNote, is_label
from bagen_data.reading.line_ranges import FilePart
from bagen_data.reading.outcomes import Judge, Judgement, OutcomeRules, judgement
from bagen_data.reading.rollout_spool import SpoolWriter, text_size
from bagen_data.reading.rollouts import RolloutLimits, RolloutRules, UsableRollout, to_rollout
from bagen_data.reading.scrubbing import scrub_rollout
from bagen_data.reading.witness import Witness
from bagen_data.tasks import Task


class EventAndLog(NamedTuple):
    """An event, and the log that it tells of."""

    event: Event
    format: str = ""
    """The log's format; empty where none is known."""
    log: Log | None = None
    """The log that was read; None where the event is about none."""
    reading: UsableRollout | None = None
    """The rollout that was read; None where none can be used."""


@dataclass
class ShardReader:
    """Reads parts of one family's files."""

    files: FamilyFiles
    outcomes: OutcomeRules
    task: Task
    counting: Counting
    is_scrubbed: bool
    limits: RolloutLimits
    witness: Witness
    spool: SpoolWriter
    """Takes the rollouts."""
    formats: set[str] = field(default_factory=set)
    """Formats of the records that were read."""
    named: set[str] = field(default_factory=set)
    """Names of labels that are those of a log."""
    _format: str = ""
    """The format of the record that is being read."""
    _label: LabelNote | None = None
    """The label note of the log that is being read."""
    _seen: set[str] = field(default_factory=set)
    """Ids of the rollouts."""

    def __post_init__(self) -> None:
        self._resources = tuple(resource.name for resource in self.task.resources)
        self._rules = RolloutRules(self.files.family, self.task, self.counting, self.limits)

    def read(self, parts: Iterable[FilePart]) -> Iterator[EventAndLog]:
        """Yield an event for each log of some parts, in order; an error of ours is the last."""
        self.files.taken_notices()  # of a reading that was given up
        try:
            for part in parts:
                facts = self.files.facts(part.path)
                for record in self.files.records(part):
                    yield from map(EventAndLog, self.files.taken_notices())
                    yield from self._take(record, facts)
                    del record  # the next file is parsed into the memory of this one
                yield from map(EventAndLog, self.files.taken_notices())
        except BagenError as error:
            yield EventAndLog(Failure(error))

    def _take(self, record: SourceRecord, facts: FamilyFacts) -> Iterator[EventAndLog]:
        """Yield an event for each log of a record, or the reason why they are not used."""
        self._format = record.format
        try:
            for name, log in self._logs(record, facts):
                place = f"{record.place}{name}"
                yield self._take_log(f"{record.where}{name}", log, place, facts.path)
        except (RolloutError, RecursionError) as error:
            self._note(record.place, facts.path)
            near = f"looks like {record.format} logs, but " if record.format else ""
            refusal = RefusedLog(record.where, f"{near}{error}", self._label)
            yield EventAndLog(refusal, self._format)
        except MissingExtraError as error:
            self.witness.lacks(record.where, error)
            self._note(record.place, facts.path)
            yield EventAndLog(RefusedLog(record.where, str(error), self._label), self._format)
        except Exception as error:
            error.add_note(f"while reading {self.files.family.name}/{record.where}")
            raise

    def _logs(self, record: SourceRecord, facts: FamilyFacts) -> Iterable[NamedLog]:
        if record.error:
            raise RolloutError(record.error)
        name = _value_format(record.value) if record.kind == "value" else record.format
        self.formats.add(name)
        self._format = name
        logs = known_formats()[name].read(record.value, facts)
        return (NamedLog("", logs),) if isinstance(logs, Log) else logs

    def _take_log(self, where: str, log: Log | RolloutError, place: str, path: str) -> EventAndLog:
        if isinstance(log, RolloutError):
            self._note(place, path)
            return EventAndLog(RefusedLog(where, str(log), self._label), self._format)
        self._note(place, path, log.source_id)
        try:
            judge = self.witness.judge(self._judge(place, path))
            reading = to_rollout(log, self._rules, judge)
            if reading is None:
                return EventAndLog(LogWithoutTurns(where, self._label), self._format, log)
            return EventAndLog(self._rollout_event(where, log, reading), self._format, log, reading)
        except RolloutError as error:
            is_unjudged = isinstance(error, NotJudgedError)
            is_stopped = isinstance(error, StoppedError)
            refusal = RefusedLog(where, str(error), self._label, is_unjudged, is_stopped)
            return EventAndLog(refusal, self._format, log)

    def _note(self, place: str, path: str, source_id: str = "") -> None:
        """Note the names of a log, usable or not, that are those of a label."""
        names = self.outcomes.labels.by_name
        self._label = None
        if names:
            self.named.update(name for name in (place, path, source_id) if name in names)
            if path in names:
                self._label = LabelNote(place, path)

    def _judge(self, place: str, path: str) -> Judge:
        """Return the judge of the log at a place, which notes the log's label."""
        labels = self.outcomes.labels

        def judge(log: Log, rollout_id: str, content: str) -> Judgement:
            if rollout_id in labels.by_name:
                self.named.add(rollout_id)
            label = labels.of((place, path, rollout_id, log.source_id))
            if label is not None:
                named = self._label.path if self._label else ""
                self._label = LabelNote(place, named, label.line, content)
            return judgement(log, self.outcomes, label, place)

        return judge

    def _rollout_event(self, where: str, log: Log, reading: UsableRollout) -> Event:
        rollout = reading.rollout
        own_id = rollout.rollout_id
        content = bytes.fromhex(reading.content_sha256) + bytes((rollout.success,))
        if own_id in self._seen:
            return RepeatedRollout(where, own_id, content, self._label)
        self._seen.add(own_id)
        scrubbed = None
        if self.is_scrubbed:
            rollout, counts, names = scrub_rollout(rollout)
            scrubbed = ScrubNotes(counts, names)
        size = text_size(rollout)
        return ReadRollout(
            where,
            own_id,
            content,
            self._label,
            IndexedRollout.of(rollout, self._resources, size),
            self.spool.add(rollout, size),
            reading.usage_source,
            reading.fits,
            rollout.dropped_turns,
            reading.clipped_turns,
            log.model,
            tuple(sorted(log.response_ids)),
            scrubbed,
        )


def _value_format(value: Any) -> str:
    """Return the name of the format of a JSON value.

    Raises:
        RolloutError: no format recognises the value, or several do.
    """
    try:
        return value_format(value)
    except RolloutError as error:
        if is_label(value):
            raise RolloutError(
                f"is a label, which is read from {LABELS} in the family's own folder alone; move "
                "it there, or build the folder that it is in"
            ) from error
        raise
