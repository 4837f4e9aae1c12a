"""Read the rollout of a log that may still grow, with the turns that a build makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bagen_data.errors import InputError, RolloutError, WrongUsageError
from bagen_data.live.watching.growing_folder import GrowingFolder
from bagen_data.logs.rollout_log import Log
from bagen_data.logs.turn_readers import Counting, kept_turns, unknown_usage
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_witnessed
from bagen_data.reading.folder_listing import list_folder
from bagen_data.reading.labels import LABELS
from bagen_data.reading.log_choice import LogChoice
from bagen_data.reading.noticed import Unused
from bagen_data.reading.outcomes import Judgement
from bagen_data.reading.plain_rollouts import PlainRollout, PlainWitness
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.rollouts import UNLIMITED, RolloutRules, to_rollout
from bagen_data.reading.witness import SeenLog
from bagen_data.tasks import Task
from bagen_data.usage import UsageChoice
from bagen_data.wording import numbered

_SHOWN = 5
"""Rollouts that a message names."""


@dataclass(frozen=True)
class LogRules:
    """Rules by which a log is read."""

    task: Task
    """What its turns spend."""
    counting: Counting
    """How tokens are counted."""
    rollout: str = ""
    """A rollout's id, instance, session or place, or how its place ends; the last one if empty."""


@dataclass(frozen=True)
class ReadLog:
    """What a log holds at a moment."""

    rollout: PlainRollout | None = None
    """The rollout that is followed; None where none can be read, or no turn is complete."""
    is_log: bool = False
    """Whether a format recognised anything in the file."""
    problem: str = ""
    """Why no rollout can be read; empty where one can, or where no turn is complete."""
    notes: tuple[str, ...] = ()
    """Remarks on what was read."""
    session_ids: tuple[str, ...] = ()
    """The sources' own ids of the rollouts in the file."""


def read_log(choice: LogChoice, paths: Sequence[str], rules: LogRules) -> ReadLog:
    """Read the log that is chosen, as it stands now.

    Args:
        choice: one file of a folder.
        paths: the files that tell of it, relative to the folder; its own among them.
        rules: how it is read.

    Raises:
        WrongUsageError: the file has rollouts, and none of the name that is asked for.
        OSError: the folder of temporary files cannot be written.
    """
    witness = _LogWitness(choice, rules)
    source = GrowingFolder(_folder(choice), paths)
    with TemporaryDirectory() as folder:
        options = ReadingOptions(rules.counting, limits=UNLIMITED)
        index = read_witnessed(choice.family, Path(folder), options, witness, source)
    refused = [each for each in index.refused if choice.is_meant(each.where)]
    stopped = [each for each in refused if each.where == "."]
    rollouts = {} if stopped else {**witness.rollouts, **witness.unfinished}
    chosen = _chosen(rollouts, rules.rollout)
    if rollouts and chosen is None:
        some = ", ".join([each.rollout.rollout_id for each in rollouts.values()][:_SHOWN])
        raise WrongUsageError(
            f"--rollout {rules.rollout}: no rollout of {choice.file} has this id; expected one of "
            f"{some}, ..."
        )
    lost = [each for each in refused if not witness.is_ongoing(each.where)]
    notes = []
    if chosen is None and witness.begun == "unfinished":
        notes.append(f"{_uncounted(1)}; where a log never states it, give --tokenizer")
    problem = ""
    if chosen is None and (lost or not witness.begun):
        problem = _problem(stopped or lost, str(choice.file))
    if chosen is not None and len(rollouts) > 1 and not rules.rollout:
        notes.append(f"{len(rollouts)} rollouts are in the file; the last one is shown")
    if chosen is not None and chosen.where in witness.unfinished:
        number = len(chosen.rollout.turns) + 1
        notes.append(_uncounted(number))
    if chosen is not None and lost:
        notes.append(
            f"{numbered(len(lost), 'record')} cannot be used; the first: {lost[0].where}: "
            f"{lost[0].reason}"
        )
    ids = (each.source_id for each in rollouts.values())
    return ReadLog(chosen, witness.is_log, problem, tuple(notes), tuple(filter(None, ids)))


def family_counting(choice: LogChoice, rules: LogRules) -> Counting:
    """Return how tokens of a log are counted, where its whole family decides that.

    Counts that stand alone mean the same in all rollouts of a family.

    Args:
        choice: one file; the counting of `rules` is returned where it is of no family.
        rules: how the log is read.

    Raises:
        InputError: the counts of the family contradict each other.
    """
    counting, family = rules.counting, choice.family
    if counting.convention != "auto" or choice.is_alone:
        return counting
    whole = replace(choice, file=None)
    folder = _folder(choice)
    paths = [path for path in list_folder(str(folder)).files if path != LABELS]
    with TemporaryDirectory() as scratch:
        options = ReadingOptions(counting, limits=UNLIMITED)
        witness = PlainWitness(whole, rules.task)
        source = GrowingFolder(folder, paths)
        index = read_witnessed(family, Path(scratch), options, witness, source)
    if index.bare_counts and not index.entries:
        raise InputError(f"{family.name}: {index.refused[-1].reason}")
    return replace(counting, convention=_convention(index))


def _convention(index: FamilyIndex) -> UsageChoice:
    """Return what the counts of a family mean that stand alone; `auto` where there are none."""
    if any("turn" in source.split(", ") for source in index.usage_sources):
        return "turn"
    return "request" if index.bare_counts else "auto"


def _folder(choice: LogChoice) -> Path:
    return Path(str(choice.family.folder))


def _uncounted(turn: int) -> str:
    return f"turn {turn} is not counted yet: its usage is not written"


def _chosen(rollouts: dict[str, PlainRollout], name: str) -> PlainRollout | None:
    if not name:
        return next(reversed(rollouts.values()), None)
    named = [each for each in rollouts.values() if name in _names(each)]
    named = named or [each for each in rollouts.values() if each.where.endswith(name)]
    return named[-1] if named else None


def _names(rollout: PlainRollout) -> tuple[str, ...]:
    own = rollout.rollout
    return own.rollout_id, own.instance_id, rollout.source_id, rollout.where


def _problem(refused: Sequence[Unused], file: str) -> str:
    if not refused:
        return f"{file}: holds no log"
    return f"{refused[-1].where if refused[-1].where != '.' else file}: {refused[-1].reason}"


def _not_judged(_log: Log, _rollout_id: str, _content: str) -> Judgement:
    return Judgement(False)


class _LogWitness(PlainWitness):
    """Keeps the rollouts of one file; a last turn whose usage is not written yet is left out.

    Args:
        choice: the file.
        rules: how it is read.
    """

    def __init__(self, choice: LogChoice, rules: LogRules) -> None:
        super().__init__(choice, rules.task)
        self.is_log = False
        """Whether a format recognised anything."""
        self.begun: Literal["", "empty", "unfinished"] = ""
        """Whether there is a log of which no turn is complete, and whether one has begun."""
        self.ongoing: set[str] = set()
        """Places of logs whose first turn is not complete."""
        self.unfinished: dict[str, PlainRollout] = {}
        """Rollouts without their last turn, by place."""
        self._rules = RolloutRules(choice.family, rules.task, rules.counting, UNLIMITED)

    def files(self, _paths: Sequence[str]) -> Sequence[str]:
        """Return the file."""
        return [str(self._choice.file)]

    def is_ongoing(self, where: str) -> bool:
        """Return whether a refused log is one whose last turn is not complete."""
        return where in self.unfinished or where in self.ongoing

    def after(self, seen: SeenLog) -> None:
        """Keep a log's rollout."""
        super().after(seen)
        if not self._choice.is_meant(seen.where):
            return
        self.is_log = self.is_log or bool(seen.format)
        if seen.log is None or seen.reading is not None:
            return
        if not seen.refusal:
            self.begun = "empty"
            return
        shortened = self._without_last(seen.log)
        if shortened is None:
            return
        try:
            reading = to_rollout(shortened, self._rules, _not_judged)
        except RolloutError:
            return
        if reading is None:
            self.begun = "unfinished"
            self.ongoing.add(seen.where)
        else:
            self.unfinished[seen.where] = replace(
                self._plain(seen.where, shortened, reading), success=None
            )

    def _without_last(self, log: Log) -> Log | None:
        """Return a log without its last turn, if that is the only one with unknown usage."""
        kept = kept_turns(log, self._rules.task.context_limit)
        unknown = [turn.number for turn in kept if unknown_usage(turn)]
        if not kept or unknown != [kept[-1].number]:
            return None
        return replace(log, turns=tuple(each for each in log.turns if each.number < unknown[0]))
