"""Read one family, once and in order: its rollouts go to a spool, an index of them stays."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bagen_data.budgets import Realised
from bagen_data.errors import NotJudgedError, RolloutError
from bagen_data.garbage_collection import paused_collector
from bagen_data.replay import realised
from bagen_data.usage import CONVENTIONS, Convention
from builders.formats import known_formats, known_suffixes, value_format
from builders.logs.rollout_log import FamilyFacts, Log, NamedLog
from builders.logs.turn_readers import Counting
from builders.reading.family_files import FamilyFiles, Source, SourceRecord, Unused
from builders.reading.origin import Family, with_named_model
from builders.reading.outcomes import Judge, Outcomes, SuccessRule
from builders.reading.rollout_spool import RolloutSpool, SpoolRows, SpoolWriter, text_size
from builders.reading.rollouts import Reading, to_rollout
from builders.reading.scrubbing import Scrubber
from builders.tasks import Task


@dataclass(frozen=True)
class IndexedRollout:
    """What the plan of a build needs to know of a spooled rollout."""

    rollout_id: str
    instance_id: str
    total_turns: int
    realised: Realised
    text_size: int = 0
    """Characters of its turns."""


@dataclass
class FamilyIndex:
    """A family as it was read; `entries` are in the order of `rollouts`."""

    family: Family
    rollouts: RolloutSpool = field(default_factory=RolloutSpool)
    entries: list[IndexedRollout] = field(default_factory=list)
    refused: list[Unused] = field(default_factory=list)
    ignored: list[Unused] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    usage_sources: Counter[str] = field(default_factory=Counter)
    bare_counts: dict[frozenset[Convention], str] = field(default_factory=dict)
    """For each set of conventions that a rollout's bare counts fit, the first such rollout."""
    duplicates: int = 0
    without_turns: int = 0
    dropped_turns: int = 0
    clipped_turns: int = 0
    """Turns with an input shorter than the history that it replays."""
    scrubbed: Counter[str] | None = None
    """What was replaced in the texts, by kind; None where nothing was looked for."""
    models: Counter[str] = field(default_factory=Counter)
    """How many rollouts name each model; an empty name stands for none."""

    def unused(self) -> list[tuple[str, str]]:
        """Return where and why rollouts and files were not used."""
        refused = [(each.where, each.reason) for each in self.refused]
        return refused + [(each.where, each.reason) for each in self.ignored]

    def stop(self, reason: str) -> None:
        """Leave the family out of the build, with the reason."""
        self.refused.append(Unused(".", reason))
        self.entries.clear()
        self.usage_sources.clear()
        self.rollouts = RolloutSpool()
        self.models.clear()
        self.duplicates = self.without_turns = self.dropped_turns = self.clipped_turns = 0


@dataclass(frozen=True)
class ReadingOptions:
    """How the families of a build are read."""

    counting: Counting
    """How tokens are counted."""
    limit: int | None = None
    """The most usable rollouts of a family, the first ones."""
    success: SuccessRule | None = None
    """The rule that decides the outcomes; the logs themselves decide if None."""
    new_scrubber: Callable[[], Scrubber] | None = None
    """Makes what scrubs a family's rollouts; None to keep their texts as they are."""


_NO_TURN = "holds no turn: no response is left, or the context limit cut the first one off"


class SeenLog(NamedTuple):
    """A log of a family, and what became of it."""

    where: str
    format: str
    """The log's format; empty where none is known."""
    log: Log | None
    """None where the record cannot be read."""
    reading: Reading | None = None
    """None where the log is refused, or no turn is left of it."""
    refusal: str = ""
    """Why the log is not used; empty where it is."""


class Witness:
    """Sees each log of a family and what becomes of it; this one looks at nothing."""

    def task(self, family: Family) -> Task:
        """Return the task as which a family is read."""
        return family.definition()

    def files(self, paths: Sequence[str]) -> Sequence[str]:
        """Return which of a family's files are to be read."""
        return paths

    def judge(self, judge: Judge) -> Judge:
        """Return what judges the rollouts instead of another judge."""
        return judge

    def after(self, seen: SeenLog) -> None:
        """Take note of a log, or of a record that holds none."""


def read_family(
    family: Family,
    spool: Path,
    options: ReadingOptions,
) -> FamilyIndex:
    """Read a family's files in order.

    Args:
        family: which.
        spool: the file that takes the rollouts where they are many.
        options: how it is read.

    Raises:
        InputError: the family's logs do not name one model, or a label names two rollouts.
    """
    index = read_unanimously(family, spool, options, Witness())
    index.family = with_named_model(family, index.models)
    return index


def read_unanimously(
    family: Family, spool: Path, options: ReadingOptions, witness: Witness
) -> FamilyIndex:
    """Read a family whose bare counts mean one thing, whatever models its logs name.

    They are read as requests first, and once more as turns where all of them fit that.

    Args:
        family: which.
        spool: the file that takes the rollouts where they are many.
        options: how it is read.
        witness: sees each log, and twice where the family is read twice.

    Raises:
        InputError: a label names two rollouts.
    """
    index = _read_files(family, spool, options, witness)
    fits = index.bare_counts
    if not fits or all("request" in conventions for conventions in fits):
        return index
    if all("turn" in conventions for conventions in fits):
        as_turns = replace(options.counting, convention="turn")
        again = _read_files(family, spool, replace(options, counting=as_turns), witness)
        if again.sources != index.sources:
            again.stop("files were changed while it was read; run again when nothing writes to it")
        return again
    index.stop(_mixture(fits))
    return index


def _mixture(fits: Mapping[frozenset[Convention], str]) -> str:
    """Say which rollouts of a family contradict each other about what their counts mean."""
    kinds = {
        "whole requests (request)": next((fits[c] for c in fits if c == {"request"}), ""),
        "single turns (turn)": next((fits[c] for c in fits if c == {"turn"}), ""),
        "now the one, now the other": next((fits[c] for c in fits if not c), ""),
    }
    examples = "; ".join(f"{where} counts {kind}" for kind, where in kinds.items() if where)
    return (
        f"input counts of this family mean different things: {examples}; declare what they mean "
        "with --usage request or --usage turn, or sort the rollouts into families"
    )


def _read_files(
    family: Family,
    spool: Path,
    options: ReadingOptions,
    witness: Witness,
) -> FamilyIndex:
    index = FamilyIndex(family)
    files = FamilyFiles(family, spool.parent)
    outcomes = Outcomes(options.success, family.folder.name)
    if files.has_labels:
        outcomes.read_labels(files.label_lines())
    limit = options.limit
    scrubber = options.new_scrubber() if options.new_scrubber else None
    task = witness.task(family)
    with paused_collector(), SpoolWriter(spool) as writer:
        reader = _RecordReader(index, task, options.counting, outcomes, witness, writer, scrubber)
        for path in witness.files(files.paths):
            facts = files.facts(path)
            for record in files.records(path):
                reader.take(record, facts)
                if len(index.entries) == limit:
                    break
            if len(index.entries) == limit:
                break
        part = writer.close()
    index.rollouts = RolloutSpool((SpoolRows(part, np.arange(part.rows)),))
    for where, names in files.companions.items():
        if not names & reader.formats and len(index.entries) != limit:
            owners = " or ".join(sorted(names))
            reason = f"belongs to rollouts of {owners}, and the family has none; remove it"
            index.refused.append(Unused(where, reason))
    if len(index.entries) != limit:
        labels = [Unused(where, reason) for where, reason in outcomes.problems()]
        index.refused[:0] = labels
    if not files.paths:
        expected = ", ".join(known_suffixes())
        index.refused.append(Unused(".", f"holds no {expected} file; expected rollouts"))
    index.refused += files.refused
    files.finish()
    index.sources = files.sources
    index.ignored += files.ignored
    if problem := files.problem or _foreign_report(files, reader):
        index.stop(problem)
    if scrubber is not None:
        _scrub_reports(index, scrubber)
    return index


def _foreign_report(files: FamilyFiles, reader: "_RecordReader") -> str:
    """Say that a report is of another run; empty if it judges a rollout, or there is none."""
    if not files.has_report or reader.index.entries or not reader.unjudged:
        return ""
    return (
        f"the evaluation report judges {len(files.facts('').judged)} instances, and none of the "
        f"family's {reader.unjudged} rollouts; expected the report of this run"
    )


def _scrub_reports(index: FamilyIndex, scrubber: Scrubber) -> None:
    """Scrub where things were and why they were not used, and note what was scrubbed."""
    index.sources = [replace(each, path=scrubber.report(each.path)) for each in index.sources]
    index.refused = [
        Unused(scrubber.report(each.where), scrubber.report(each.reason)) for each in index.refused
    ]
    index.ignored = [
        replace(each, where=scrubber.report(each.where), reason=scrubber.report(each.reason))
        for each in index.ignored
    ]
    index.bare_counts = {fits: scrubber.report(where) for fits, where in index.bare_counts.items()}
    index.scrubbed = scrubber.counts


@dataclass
class _RecordReader:
    index: FamilyIndex
    task: Task
    counting: Counting
    outcomes: Outcomes
    witness: Witness
    spool: SpoolWriter
    scrubber: Scrubber | None = None
    formats: set[str] = field(default_factory=set)
    """Formats of the records that were read."""
    unjudged: int = 0
    """How many rollouts have no outcome."""
    _format: str = ""
    """The format of the record that is being read."""
    _seen: dict[str, str] = field(default_factory=dict)
    """Content hash and outcome by rollout id."""
    _response_ids: dict[str, str] = field(default_factory=dict)
    """The place of the rollout that holds a response, by the response's id."""

    def take(self, record: SourceRecord, facts: FamilyFacts) -> None:
        """Enter the rollouts of a record into the index, or why they are not used."""
        self._format = record.format
        try:
            for name, log in self._logs(record, facts):
                places = (f"{record.place}{name}", facts.path)
                self._take_log(f"{record.where}{name}", log, places)
        except (RolloutError, RecursionError) as error:
            self.outcomes.saw(record.place, facts.path)
            near = f"looks like {record.format} logs, but " if record.format else ""
            self._refuse(record.where, f"{near}{error}", None)
        except Exception as error:
            error.add_note(f"while reading {self.index.family.name}/{record.where}")
            raise

    def _logs(self, record: SourceRecord, facts: FamilyFacts) -> Iterable[NamedLog]:
        if record.error:
            raise RolloutError(record.error)
        name = value_format(record.value) if record.kind == "value" else record.format
        self.formats.add(name)
        self._format = name
        logs = known_formats()[name].read(record.value, facts)
        return (NamedLog("", logs),) if isinstance(logs, Log) else logs

    def _take_log(self, where: str, log: Log | RolloutError, places: tuple[str, str]) -> None:
        self.outcomes.saw(*places, log.source_id if isinstance(log, Log) else "")
        if isinstance(log, RolloutError):
            self._refuse(where, str(log), None)
            return
        try:
            judge = self.witness.judge(partial(self.outcomes.judge, places=places))
            reading = to_rollout(log, self.index.family, self.task, self.counting, judge)
            if reading is None:
                self.index.without_turns += 1
                self.index.ignored.append(Unused(where, _NO_TURN))
            elif self._is_new(reading):
                self._refuse_copy(log, where)
                rollout = reading.rollout
                if self.scrubber is not None:
                    rollout = self.scrubber.rollout(rollout)
                self._enter(reading._replace(rollout=rollout), where)
                self.index.models[log.model] += 1
        except RolloutError as error:
            self.unjudged += isinstance(error, NotJudgedError)
            self._refuse(where, str(error), log)
        else:
            self.witness.after(SeenLog(where, self._format, log, reading))

    def _refuse(self, where: str, reason: str, log: Log | None) -> None:
        self.index.refused.append(Unused(where, reason))
        self.witness.after(SeenLog(where, self._format, log, refusal=reason))

    def _is_new(self, reading: Reading) -> bool:
        """Return whether the rollout is the first of its name; the same one again is counted.

        Raises:
            RolloutError: another rollout has its name.
        """
        rollout_id = reading.rollout.rollout_id
        content = f"{reading.content_sha256} {reading.rollout.success}"
        if rollout_id not in self._seen:
            self._seen[rollout_id] = content
            return True
        if self._seen[rollout_id] != content:
            raise RolloutError(
                f"another rollout named {rollout_id} stands before it in this family; keep one"
            )
        self.index.duplicates += 1
        return False

    def _refuse_copy(self, log: Log, where: str) -> None:
        """Refuse a rollout that repeats responses of an earlier one.

        Raises:
            RolloutError: the message names the earlier rollout.
        """
        for response_id in log.response_ids:
            if response_id in self._response_ids:
                raise RolloutError(
                    f"repeats responses of {self._response_ids[response_id]}, as a resumed or "
                    "forked session does; keep one of the two"
                )
        self._response_ids.update(dict.fromkeys(log.response_ids, where))

    def _enter(self, reading: Reading, where: str) -> None:
        rollout = reading.rollout
        index = self.index
        if reading.fits != CONVENTIONS:
            index.bare_counts.setdefault(reading.fits, where)
        index.usage_sources[reading.usage_source] += 1
        index.dropped_turns += rollout.dropped_turns
        index.clipped_turns += reading.clipped_turns
        names = [resource.name for resource in self.task.resources]
        index.entries.append(
            IndexedRollout(
                rollout.rollout_id,
                rollout.instance_id,
                len(rollout.turns),
                realised(rollout, names),
                text_size(rollout),
            )
        )
        self.spool.add(rollout)
