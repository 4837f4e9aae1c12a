"""Read the rollout of a log that may still grow, with the turns that a build makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bagen_data.errors import InputError, RolloutError, WrongUsageError
from bagen_data.live.watching.growing_folder import GrowingFolder
from bagen_data.logs.rollout_log import Log, LoggedTurn
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
from bagen_data.schema import Rollout, Turn
from bagen_data.tasks import Task
from bagen_data.usage import UsageChoice
from bagen_data.wording import numbered, one_of

_SHOWN = 5
"""Rollouts or turns that a message names."""
_OF_REQUESTS = frozenset({"tokens", "input_tokens", "output_tokens", "cost_usd"})
"""Amounts of a turn that are made of its requests."""


@dataclass(frozen=True)
class LogRules:
    """Rules by which a log is read."""

    task: Task
    """Resources that its turns spend."""
    counting: Counting
    """The counting of tokens."""
    rollout: str = ""
    """An id, instance, session or place of a rollout, or the place's end; the last one if empty."""


@dataclass(frozen=True)
class ReadLog:
    """Content of a log at a moment."""

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
        rules: rules of reading it.

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
    usable = {**witness.rollouts, **witness.lacking, **witness.unfinished}
    rollouts = {} if stopped else {each: usable[each] for each in witness.places if each in usable}
    chosen = _chosen(rollouts, rules.rollout)
    if rollouts and chosen is None:
        known = [each.rollout.rollout_id for each in rollouts.values()]
        raise WrongUsageError(
            f"--rollout {rules.rollout}: no rollout of {choice.file} has this id; expected "
            f"{one_of(known, _SHOWN)}"
        )
    lost = [each for each in refused if not witness.is_ongoing(each.where)]
    notes = []
    if chosen is None and witness.begun == "unfinished":
        advice = "" if witness.textless else "; where a log never states it, give --tokenizer"
        notes.append(f"{_uncounted(1)}{advice}")
    problem = ""
    if chosen is None and (lost or not witness.begun):
        problem = _problem(stopped or lost, str(choice.file))
    if chosen is not None and len(rollouts) > 1 and not rules.rollout:
        notes.append(f"{len(rollouts)} rollouts are in the file; the last one is shown")
    if chosen is not None and chosen.where in witness.unfinished:
        number = len(chosen.rollout.turns) + 1
        notes.append(_uncounted(number))
    if chosen is not None and chosen.where in witness.lacking:
        names = [each.name for each in rules.task.resources]
        notes.append(_lacking(chosen.rollout, names, witness.textless.get(chosen.where, "")))
    if chosen is not None and lost:
        notes.append(
            f"{numbered(len(lost), 'record')} cannot be used; the first: {lost[0].where}: "
            f"{_reason(lost[0])}"
        )
    ids = (each.source_id for each in rollouts.values())
    return ReadLog(chosen, witness.is_log, problem, tuple(notes), tuple(filter(None, ids)))


def family_counting(choice: LogChoice, rules: LogRules) -> Counting:
    """Return how tokens of a log are counted, where its whole family decides that.

    Counts that stand alone mean the same in all rollouts of a family.

    Args:
        choice: one file; the counting of `rules` is returned where it is of no family.
        rules: rules of reading the log.

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
    """Return what the counts of a family mean that stand alone; `auto` without such counts."""
    if any("turn" in source.split(", ") for source in index.usage_sources):
        return "turn"
    return "request" if index.bare_counts else "auto"


def _folder(choice: LogChoice) -> Path:
    return Path(str(choice.family.folder))


def _uncounted(turn: int) -> str:
    return f"turn {turn} is not counted yet: its usage is not written"


def _lacking(rollout: Rollout, resources: Sequence[str], textless: str) -> str:
    """Say which turns do not state all resources, and whether a tokenizer can count them."""
    numbers = [
        number
        for number, turn in enumerate(rollout.turns, 1)
        if any(name not in turn.usage for name in resources)
    ]
    some = ", ".join(map(str, numbers[:_SHOWN])) + (", ..." if len(numbers) > _SHOWN else "")
    return (
        f"{numbered(len(numbers), 'turn')} without usage ({some}): what is shown is the least that "
        "was used, and nothing is forecast from there on; "
        + (
            f"the log does not show the text of {textless}, so --tokenizer cannot count it, either"
            if textless
            else "--tokenizer counts all turns by their texts"
        )
    )


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
    last = refused[-1]
    return f"{file if last.where == '.' else last.where}: {_reason(last)}"


def _reason(refused: Unused) -> str:
    """Return why a record cannot be used, in the words of this command's options."""
    return refused.reason.replace("--resources", "--budget")


def _not_judged(_log: Log, _rollout_id: str, _content: str) -> Judgement:
    return Judgement(False)


class _LogWitness(PlainWitness):
    """Keeps the rollouts of one file; a last turn whose usage is not written yet is left out.

    Args:
        choice: the file.
        rules: rules of reading it.
    """

    def __init__(self, choice: LogChoice, rules: LogRules) -> None:
        super().__init__(choice, rules.task)
        self.places: dict[str, None] = {}
        """Places of all logs, in order."""
        self.is_log = False
        """Whether a format recognised anything."""
        self.begun: Literal["", "empty", "unfinished"] = ""
        """`empty` after a log without a turn, `unfinished` after one whose first turn has begun."""
        self.ongoing: set[str] = set()
        """Places of logs whose first turn is not complete."""
        self.lacking: dict[str, PlainRollout] = {}
        """Rollouts of which some turns have no usage, by place."""
        self.unfinished: dict[str, PlainRollout] = {}
        """Rollouts without their last turn, by place."""
        self.textless: dict[str, str] = {}
        """Part that a tokenizer cannot count in a log whose usage is not complete, by place."""
        self._rules = RolloutRules(choice.family, rules.task, rules.counting, UNLIMITED)

    def files(self, _paths: Sequence[str]) -> Sequence[str]:
        """Return the file."""
        return [str(self._choice.file)]

    def is_ongoing(self, where: str) -> bool:
        """Return whether a refused log can be followed all the same."""
        return where in self.unfinished or where in self.ongoing or where in self.lacking

    def after(self, seen: SeenLog) -> None:
        """Keep a log's rollout."""
        super().after(seen)
        if not self._choice.is_meant(seen.where):
            return
        self.places[seen.where] = None
        self.is_log = self.is_log or bool(seen.format)
        if seen.log is None or seen.reading is not None:
            return
        if not seen.refusal:
            self.begun = "empty"
            return
        kept = kept_turns(seen.log, self._rules.task.context_limit)
        unknown = [turn.number for turn in kept if unknown_usage(turn)]
        if textless := next((turn.uncounted for turn in kept if turn.uncounted), ""):
            self.textless[seen.where] = textless
        if unknown and unknown == [kept[-1].number]:
            self._leave_last_out(seen.where, seen.log, unknown[0])
        elif unknown and len(unknown) < len(kept):
            self._leave_usage_out(seen.where, seen.log, kept, frozenset(unknown))

    def _leave_last_out(self, where: str, log: Log, number: int) -> None:
        """Keep a log without its last turn, whose usage is not written yet."""
        turns = tuple(each for each in log.turns if each.number < number)
        shortened = replace(log, turns=turns)
        try:
            reading = to_rollout(shortened, self._rules, _not_judged)
        except RolloutError:
            return
        if reading is None:
            self.begun = "unfinished"
            self.ongoing.add(where)
        else:
            self.unfinished[where] = replace(self._plain(where, shortened, reading), success=None)

    def _leave_usage_out(
        self, where: str, log: Log, kept: Sequence[LoggedTurn], unknown: frozenset[int]
    ) -> None:
        """Keep a log of which some turns have no usage; these turns have no amounts of tokens."""
        known = tuple(
            turn._replace(requests=()) if turn.number in unknown else turn for turn in log.turns
        )
        try:
            reading = to_rollout(replace(log, turns=known), self._rules, _not_judged)
        except RolloutError:
            return
        if reading is None:
            return
        plain = self._plain(where, log, reading)
        turns = tuple(
            _without_tokens(turn) if logged.number in unknown else turn
            for logged, turn in zip(kept, plain.rollout.turns, strict=True)
        )
        rollout = replace(plain.rollout, turns=turns)
        self.lacking[where] = replace(plain, rollout=rollout, success=None)


def _without_tokens(turn: Turn) -> Turn:
    """Return a turn without the amounts that are made of its requests."""
    usage = {name: amount for name, amount in turn.usage.items() if name not in _OF_REQUESTS}
    return replace(turn, usage=usage)
