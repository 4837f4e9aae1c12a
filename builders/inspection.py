"""An account of how logs are understood: what each request states, and what a build makes of it.

The family is read by `read_witnessed`, as a build reads it; a `Witness` takes the notes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.log_formats import known_suffixes
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import Counting, kept_turns, unknown_usage
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_witnessed
from bagen_data.reading.log_choice import LogChoice, choose_logs
from bagen_data.reading.noticed import Unused
from bagen_data.reading.outcomes import SuccessRule
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.rollouts import UsableRollout
from bagen_data.reading.unjudged_witness import NOT_JUDGED, UnjudgedWitness
from bagen_data.reading.witness import SeenLog
from bagen_data.tasks import Task
from bagen_data.usage import Request, input_growth
from bagen_data.wording import one_of

_TEXT_LENGTH = 60
_SHOWN = 5
"""Ids that a message lists."""
NO_TURNS = "has no turn that can be used"


@dataclass(frozen=True)
class InspectedTurn:
    """A logged turn: what the log states of it, and what a build counts."""

    number: int
    user: str
    """The beginning of what was heard."""
    assistant: str
    """The beginning of the response."""
    requests: tuple[Request, ...] | None
    """The requests as stated, in normal form; None where the log gives no counts."""
    usage: Mapping[str, float] | None
    """Amounts that a build counts, by name; None where the turn or the rollout is not used."""
    replayed: tuple[int, ...] = ()
    """The history that each request repeats, in tokens: fresh input is input without it. Empty
    where inputs are not whole requests."""
    is_clipped: bool = False
    """An input is shorter than the history that it replays."""
    tool_calls: int | None = None
    seconds: float | None = None
    note: str = ""
    """Why the turn is not used, or what is special about it; may be empty."""


@dataclass(frozen=True)
class InspectedRollout:
    """A rollout of a log, or a record that none can be read from."""

    where: str
    format: str
    """The log's format; empty where none is known."""
    source: str = ""
    """The tool that wrote the log, and its version; empty where the log names none."""
    model: str = ""
    rollout_id: str = ""
    instance_id: str = ""
    source_id: str = ""
    outcome: str = ""
    """`success`, `failure`, or `not judged`; empty where nothing could be read."""
    unjudged: str = ""
    """Why there is no outcome; empty where there is one."""
    stopped: str = ""
    """The cause that ended it before its own end, such as `budget`; empty without one."""
    usage_source: str = ""
    """The source of the amounts: `request`, `turn` or `tokenizer`; empty where refused."""
    refusal: str = ""
    """Why a build does not use the rollout; empty where it does, an outcome given."""
    total_turns: int = 0
    """T, the turns that a build uses."""
    totals: Mapping[str, float] = field(default_factory=dict)
    """The sums of what a build counts, by name."""
    clipped_turns: int = 0
    """Turns with an input shorter than the history that it replays."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records that are no part of a turn, by type."""
    turns: tuple[InspectedTurn, ...] = ()

    @property
    def label_name(self) -> str:
        """The name of the rollout in a label: its place, or its id where a place has blanks."""
        return self.rollout_id if " " in self.where else self.where

    @property
    def is_duplicate(self) -> bool:
        """Return whether the same rollout stands before this one."""
        return bool(self.usage_source and self.refusal)

    @property
    def is_unjudged(self) -> bool:
        """Return whether a build would use the rollout, had it an outcome."""
        return self.outcome == NOT_JUDGED and not self.refusal

    @property
    def is_used(self) -> bool:
        """Return whether a build uses the rollout."""
        return bool(self.usage_source) and not self.refusal and not self.is_unjudged


@dataclass(frozen=True)
class Inspection:
    """An account of how the logs of a family, or of one file, are understood."""

    name: str
    """The family's name, or the file's."""
    rollouts: tuple[InspectedRollout, ...]
    refused: tuple[Unused, ...]
    """Rollouts, records and files that a build refuses; those without an outcome are not here."""
    unusable_labels: tuple[Unused, ...]
    """Lines of labels that a build cannot use, or that name no rollout."""
    ignored: tuple[Unused, ...]
    duplicates: int
    """Rollouts that are there twice; one of each is used."""
    bare_counts: str
    """The meaning that was given to input counts that stand alone, and why."""

    @property
    def holds_log(self) -> bool:
        """Return whether there is a log of a known format, whatever a build makes of it."""
        return any(each.format for each in self.rollouts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def inspect_logs(path: Path, counting: Counting, success: SuccessRule | None = None) -> Inspection:
    """Inspect a file, or a folder as one family.

    Args:
        path: a log, a family's folder, or any folder of logs, as `choose_logs` reads it.
        counting: how tokens are counted.
        success: what decides the outcomes; the logs themselves, and labels, if None.

    Raises:
        InputError: the path does not exist, or cannot be read at all.
        MissingExtraError: every log needs a package that is not installed.
    """
    choice = choose_logs(path)
    notes = _Notes(choice)
    with TemporaryDirectory() as folder:
        options = ReadingOptions(counting, success=success)
        index = read_witnessed(choice.family, Path(folder), options, notes)
    rollouts = tuple(notes.rollouts.values())
    if notes.missing_extra is not None and notes.places_without_extra >= notes.rollouts.keys():
        raise notes.missing_extra
    return Inspection(
        name=str(choice.file or choice.family.name),
        rollouts=rollouts,
        refused=_meant(index.refused, choice),
        unusable_labels=_meant(index.unusable_labels, choice),
        ignored=() if choice.file else tuple(index.ignored),
        duplicates=sum(each.is_duplicate for each in rollouts),
        bare_counts=_bare_counts(index, counting),
    )


def _meant(unused: Sequence[Unused], choice: LogChoice) -> tuple[Unused, ...]:
    return tuple(each for each in unused if choice.is_meant(each.where))


def check_holds_log(inspection: Inspection, path: Path) -> None:
    """Refuse a place without any log, as everything else that reads logs does.

    Args:
        inspection: the account of all that the place holds.
        path: the file or folder that was inspected.

    Raises:
        InputError: no format recognised anything.
    """
    if inspection.holds_log:
        return
    looked_for = "expected one"
    if path.is_dir():
        *suffixes, last = known_suffixes()
        endings = f"{', '.join(suffixes)} or {last}"
        looked_for = f"looked in it and in the folders below for files that end in {endings}"
    raise InputError(
        f"{path}: holds no log that can be read; {looked_for}, in a format that docs/logs.md "
        "lists; give the folder or the file of the logs"
    )


def choose(inspection: Inspection, name: str, turns: range | None) -> Inspection:
    """Return the inspection of the rollouts of a name, with the turns of these numbers.

    Args:
        inspection: all of it.
        name: a rollout's id, instance, session or place, or how its place ends; empty for all.
        turns: numbers of turns; None for all.

    Raises:
        WrongUsageError: no rollout has the name.
    """
    rollouts = inspection.rollouts
    if name:
        named = [each for each in rollouts if name in _names(each)]
        rollouts = tuple(named or [each for each in rollouts if each.where.endswith(name)])
        if not rollouts:
            ids = [each.rollout_id or each.where for each in inspection.rollouts]
            raise WrongUsageError(
                f"--rollout {name}: no rollout has this id; expected {one_of(ids, _SHOWN)}"
                if ids
                else f"--rollout {name}: {inspection.name} holds no rollout; leave --rollout out"
            )
        places = {each.where for each in rollouts}
        refused = tuple(each for each in inspection.refused if each.where in places)
        inspection = replace(
            inspection,
            rollouts=rollouts,
            refused=refused,
            unusable_labels=(),
            ignored=(),
            duplicates=0,
        )
    if turns is None:
        return inspection
    shown = [
        replace(each, turns=tuple(turn for turn in each.turns if turn.number in turns))
        for each in rollouts
    ]
    return replace(inspection, rollouts=tuple(shown))


def _names(rollout: InspectedRollout) -> set[str]:
    return {rollout.rollout_id, rollout.instance_id, rollout.source_id, rollout.where}


class _Notes(UnjudgedWitness):
    """Notes of each log of a family.

    A rollout without an outcome is read as a failed one, so that its turns can be shown.

    Args:
        choice: the logs to note.
    """

    def __init__(self, choice: LogChoice) -> None:
        super().__init__(choice)
        self.rollouts: dict[str, InspectedRollout] = {}
        """Rollouts by place; a second reading of the family replaces the first."""
        self.missing_extra: MissingExtraError | None = None
        """The error of the last log that needs a package which is not installed."""
        self.places_without_extra: set[str] = set()
        """The places of such logs."""

    def lacks(self, where: str, error: MissingExtraError) -> None:
        """Note a log that needs a package which is not installed, and read on."""
        if self._choice.is_meant(where):
            self.missing_extra = error
            self.places_without_extra.add(where)

    def after(self, seen: SeenLog) -> None:
        """Note how a log is understood."""
        log, reading = seen.log, seen.reading
        repetition = "" if reading is None else self.repetition(reading, seen.where)
        if not self._choice.is_meant(seen.where):
            return
        noted = InspectedRollout(seen.where, seen.format, refusal=seen.refusal)
        if log is not None:
            noted = replace(
                noted,
                source=log.source,
                model=log.model,
                instance_id=log.instance_id,
                source_id=log.source_id,
                outcome=self._outcome(seen),
                unjudged=self.unjudged,
                stopped=log.stopped,
                scores=dict(log.scores),
                skipped=dict(log.skipped),
                turns=_turns(log, self.definition, reading),
            )
        if reading is not None:
            noted = replace(
                noted,
                rollout_id=reading.rollout.rollout_id,
                instance_id=reading.rollout.instance_id,
                usage_source=reading.usage_source,
                total_turns=len(reading.rollout.turns),
                totals=_totals(reading),
                clipped_turns=reading.clipped_turns,
                refusal=repetition,
            )
        elif log is not None and not seen.refusal:
            noted = replace(noted, refusal=NO_TURNS)
        self.rollouts[seen.where] = noted

    def _outcome(self, seen: SeenLog) -> str:
        if self.unjudged or seen.log is None:
            return NOT_JUDGED
        success = seen.log.success if seen.reading is None else seen.reading.rollout.success
        return NOT_JUDGED if success is None else "success" if success else "failure"


def _turns(log: Log, task: Task, reading: UsableRollout | None) -> tuple[InspectedTurn, ...]:
    """Return all logged turns, with what a build counts for those that it keeps."""
    kept = kept_turns(log, task.context_limit)
    usages: dict[int, Mapping[str, float]] = {}
    if reading is not None:
        for turn, used in zip(kept, reading.rollout.turns, strict=True):
            usages[turn.number] = used.usage
    is_replayed = reading is not None and "request" in reading.usage_source.split(", ")
    replayed = _replayed(kept) if is_replayed else {}
    last = kept[-1].number if kept else 0
    numbers = {turn.number for turn in kept}
    return tuple(
        InspectedTurn(
            number=turn.number,
            user=_beginning(turn.user),
            assistant=_beginning(turn.assistant),
            requests=turn.requests,
            usage=usages.get(turn.number),
            replayed=replayed.get(turn.number, ()),
            is_clipped=any(
                request.input_tokens < history
                for request, history in zip(
                    turn.requests or (), replayed.get(turn.number, ()), strict=False
                )
            ),
            tool_calls=turn.tool_calls,
            seconds=turn.seconds,
            note=_note(turn, turn.number in numbers, last),
        )
        for turn in log.turns
    )


def _replayed(kept: Sequence[LoggedTurn]) -> dict[int, tuple[int, ...]]:
    """Return the history that each request of each turn repeats, by the turns' numbers."""
    requests = [request for turn in kept for request in turn.requests or ()]
    growth = input_growth(requests)
    history = iter(
        request.input_tokens - grown for request, grown in zip(requests, growth, strict=True)
    )
    return {turn.number: tuple(next(history) for _ in turn.requests or ()) for turn in kept}


def _note(turn: LoggedTurn, is_kept: bool, last: int) -> str:
    if not is_kept:
        if turn.cut_off:
            return "dropped: cut off by the context limit"
        if turn.number > last and (turn.assistant.strip() or turn.reasoning.strip()):
            return "dropped: at or after the context limit"
        return "dropped: no response"
    notes = []
    if turn.unparsed:
        notes.append("billed, not parsed")
    if unknown_usage(turn):
        notes.append("usage unknown")
    elif not turn.requests:
        notes.append("nothing paid")
    if turn.reasoning and not turn.assistant.strip():
        notes.append("reasoning only")
    return ", ".join(notes)


def _totals(reading: UsableRollout) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for turn in reading.rollout.turns:
        totals.update(turn.usage)
    return dict(totals)


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * _TEXT_LENGTH].split())
    return line if len(line) <= _TEXT_LENGTH else f"{line[: _TEXT_LENGTH - 3]}..."


def _bare_counts(index: FamilyIndex, counting: Counting) -> str:
    """Say what bare counts of the family were taken for; nothing where there are none."""
    if index.bare_counts:
        stopped = next((each.reason for each in index.refused if each.where == "."), "")
        return stopped or (
            "read as whole requests (request): each input holds the history before it, in every "
            "rollout"
        )
    if "turn" not in index.usage_sources:
        return ""
    if counting.convention == "turn":
        return "read as single turns (turn), as --usage turn says"
    return "read as single turns (turn): no input holds the history before it, in any rollout"


def parse_turns(text: str) -> range:
    """Return the numbers of turns that `A:B` names, both ends included; either may be left out.

    Raises:
        WrongUsageError: it is something else.

    >>> parse_turns("3:5"), parse_turns(":2"), parse_turns("4")
    (range(3, 6), range(1, 3), range(4, 5))
    """
    first, colon, last = text.partition(":")
    try:
        start = int(first) if first else 1
        end = start if not colon else int(last) if last else 10**9
    except ValueError:
        start, end = 0, 0
    if not text or not 1 <= start <= end:
        raise WrongUsageError(
            f"--turns {text}: expected A:B, numbers of turns from 1, or one number"
        )
    return range(start, end + 1)
