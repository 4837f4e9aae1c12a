"""Merge what was read of a family's parts, in order, into its index.

Decided here is what depends on other logs: which of several rollouts of an id is used, which
repeats responses of an earlier one, whether a label names one rollout, and where a limit ends.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace

import numpy as np

from bagen_data.log_formats import known_suffixes
from bagen_data.reading.events import (
    Event,
    Failure,
    LogWithoutTurns,
    ReadRollout,
    RefusedLog,
    RepeatedRollout,
    ShardIndex,
)
from bagen_data.reading.family_files import changed_family
from bagen_data.reading.family_header import FamilyHeader
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.labels import LabelNote, LabelUses
from bagen_data.reading.noticed import Companion, FamilyProblem, Looks, SourceFile, Unused
from bagen_data.reading.rollout_spool import RolloutSpool, SpoolPart, SpoolRows
from bagen_data.reading.scrubbing import scrub_report
from bagen_data.usage import CONVENTIONS
from bagen_data.wording import numbered

_NO_TURN = "holds no turn: no response is left, or the context limit cut the first one off"


class Merge:
    """Makes the index of a family of the events of its parts.

    Args:
        header: the family, before its rollouts are read.
        looks: files of the family that were looked at before.
    """

    def __init__(self, header: FamilyHeader, looks: Looks) -> None:
        files, options = header.files, header.options
        self.index = FamilyIndex(files.family)
        self._files = files
        self._limit = options.limit
        self._labels = LabelUses(header.outcomes.labels, files.family.folder.name)
        self._parts: list[SpoolRows] = []
        self._rows: list[int] = []
        """Rows of the part that is being merged that are used."""
        self._companions: list[Companion] = []
        self._problem = ""
        """Why the family cannot be built; empty if it can."""
        self._formats: set[str] = set()
        self._named: set[str] = set()
        self.looks = Looks(dict(looks.marks), set(looks.consulted))
        """Files of the family that were looked at."""
        self._unjudged = 0
        """Number of rollouts without an outcome."""
        self._stopped = 0
        """Number of rollouts that were stopped before their own end and have no label."""
        self._seen: dict[str, bytes] = {}
        """Hash of content and outcome by rollout id."""
        self._response_ids: dict[str, str] = {}
        """The place of the rollout that holds a response, by the response's id."""
        self._user_names: set[str] | None = set() if options.is_scrubbed else None
        self._scrubbed: Counter[str] = Counter()
        for notice in header.notices:
            self.take(notice)

    @property
    def is_full(self) -> bool:
        """Whether the family has as many rollouts as it may have."""
        return len(self.index.entries) == self._limit

    def take_shard(self, shard: ShardIndex) -> None:
        """Take the shard that follows.

        Raises:
            InputError: a label names two rollouts.
        """
        for event in shard.events:
            if self.is_full:
                break
            self.take(event)
        self.end_part(shard.spool, shard.formats, shard.named, shard.looks)

    def end_part(self, spool: SpoolPart, formats: Set[str], named: Set[str], looks: Looks) -> None:
        """Take the facts of a part beside its events, once all of these were taken."""
        self._parts.append(SpoolRows(spool, np.array(self._rows, np.int64)))
        self._rows = []
        self._formats |= formats
        self._named |= named
        self._take_looks(looks)

    def _take_looks(self, looks: Looks) -> None:
        for path, mark in looks.marks.items():
            if self.looks.marks.setdefault(path, mark) != mark:
                self._problem = changed_family(path)
        self.looks.consulted.update(looks.consulted)

    def take(self, event: Event) -> str:
        """Take what follows; return why a log is not used, which is empty where it is.

        Raises:
            InputError: a label names two rollouts, or the reading failed.
        """
        match event:
            case ReadRollout():
                return self._take_rollout(event)
            case SourceFile():
                self.index.sources.append(event)
            case RefusedLog():
                self._take_label(event.label)
                self._unjudged += event.is_unjudged
                self._stopped += event.is_stopped
                return self._refuse(event.where, event.reason)
            case RepeatedRollout():
                self._take_label(event.label)
                return self._refuse_other(event)
            case LogWithoutTurns():
                self._take_label(event.label)
                self.index.without_turns += 1
                self.index.ignored.append(Unused(event.where, _NO_TURN))
            case Companion():
                self._companions.append(event)
            case FamilyProblem():
                self._problem = event.reason
            case Failure():
                raise event.error
        return ""

    def _take_label(self, note: LabelNote | None) -> None:
        if note is not None:
            self._labels.take(note)

    def _refuse(self, where: str, reason: str) -> str:
        self.index.refused.append(Unused(where, reason))
        return reason

    def _take_rollout(self, event: ReadRollout) -> str:
        self._take_label(event.label)
        if event.rollout_id in self._seen:
            return self._refuse_other(event)
        self._seen[event.rollout_id] = event.content
        for response_id in event.response_ids:
            if response_id in self._response_ids:
                return self._refuse(
                    event.where,
                    f"repeats responses of {self._response_ids[response_id]}, as a resumed or "
                    "forked session does; keep one of the two",
                )
        self._response_ids.update(dict.fromkeys(event.response_ids, event.where))
        self._enter(event)
        return ""

    def _refuse_other(self, repeated: ReadRollout | RepeatedRollout) -> str:
        """Refuse a rollout whose id another one has; the same rollout again is counted."""
        rollout_id = repeated.rollout_id
        if self._seen[rollout_id] == repeated.content:
            self.index.duplicates += 1
            return ""
        return self._refuse(
            repeated.where,
            f"another rollout named {rollout_id} comes before it in this family; keep one",
        )

    def _enter(self, event: ReadRollout) -> None:
        index = self.index
        if event.fits != CONVENTIONS:
            index.bare_counts.setdefault(event.fits, event.where)
        index.usage_sources[event.usage_source] += 1
        index.dropped_turns += event.dropped_turns
        index.clipped_turns += event.clipped_turns
        index.models[event.model] += 1
        index.entries.append(event.entry)
        self._rows.append(event.row)
        if event.scrubbed is not None and self._user_names is not None:
            self._user_names |= event.scrubbed.names
            self._scrubbed.update(event.scrubbed.counts)

    def finish(self) -> FamilyIndex:
        """Return the index, once all parts were taken, or the family is full."""
        index, files = self.index, self._files
        index.rollouts = RolloutSpool(tuple(part for part in self._parts if len(part.rows)))
        if not self.is_full:
            index.refused += self._lonely_companions()
            problems = self._labels.problems(self._named)
            index.unusable_labels += [Unused(where, reason) for where, reason in problems]
        if not files.paths:
            expected = ", ".join(known_suffixes())
            index.refused.append(Unused(".", f"holds no {expected} file; expected rollouts"))
        index.refused += files.refused
        index.ignored += files.ignored
        for path in sorted(self.looks.consulted):
            if files.mark_now(path) != self.looks.marks[path]:
                self._problem = changed_family(path)
        if problem := self._problem or self._foreign_report() or self._survivors():
            index.stop(problem)
        if self._user_names is not None:
            _scrub_reports(index, self._user_names, self._scrubbed)
        return index

    def _lonely_companions(self) -> Iterator[Unused]:
        for where, formats in self._companions:
            if not formats & self._formats:
                owners = " or ".join(sorted(formats))
                reason = f"belongs to rollouts of {owners}, and the family has none; remove it"
                yield Unused(where, reason)

    def _survivors(self) -> str:
        """Say that a family's other rollouts are those that were not stopped; empty if all are."""
        others = len(self.index.entries)
        if not self._stopped or not others:
            return ""
        return (
            f"{numbered(self._stopped, 'rollout')} of this family were stopped by a budget or a "
            f"forecaster, and the other {others} are those that were not, which are no fair draw: "
            "they succeed more often and use less; build a family that was recorded without "
            "--budget, or give the outcomes of all stopped rollouts in labels.jsonl"
        )

    def _foreign_report(self) -> str:
        """Say that a report is of another run; empty if it judges a rollout, or there is none."""
        if not self._files.has_report or self.index.entries or not self._unjudged:
            return ""
        return (
            f"the evaluation report judges {len(self._files.facts('').judged)} instances, and none "
            f"of the family's {self._unjudged} rollouts; expected the report of this run"
        )


def _scrub_reports(index: FamilyIndex, names: Set[str], counts: Counter[str]) -> None:
    """Scrub where things were and why they were not used, and note what was scrubbed."""
    index.sources = [replace(each, path=scrub_report(each.path, names)) for each in index.sources]
    index.refused = _scrubbed(index.refused, names)
    index.unusable_labels = _scrubbed(index.unusable_labels, names)
    index.ignored = _scrubbed(index.ignored, names)
    index.bare_counts = {
        fits: scrub_report(where, names) for fits, where in index.bare_counts.items()
    }
    index.scrubbed = counts


def _scrubbed(unused: Iterable[Unused], names: Set[str]) -> list[Unused]:
    return [
        Unused(scrub_report(each.where, names), scrub_report(each.reason, names)) for each in unused
    ]
