"""Recorded families whose rollouts are played on: `--resume-from FAMILY` or `FAMILY:ROLLOUT`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bagen_data.continuation_names import ContinuationName
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.wording import differences
from collect.family_run import COLLECTION, read_collection

FLAG = "--resume-from"
NOT_RESTORED = (
    "its environments cannot be restored; expected the folder of a family that "
    "`python -m collect` recorded and finished"
)


class ReadLayout(Protocol):
    """A layout that can be read again."""

    def read(self, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rollouts that were written, with their numbers."""


@dataclass(frozen=True)
class RecordedFamily:
    """A family on disk, and those of its rollouts that are meant."""

    folder: Path
    settings: Mapping[str, Any]
    """Settings that decided what was played, as `collection.yaml` has them."""
    rollouts: Mapping[int, Mapping[str, Any]]
    """Rollouts by number: the one that was named, or all of them."""
    is_named: bool
    """Whether one rollout was named."""

    def place(self, number: int) -> str:
        """Return a rollout as `--resume-from` names it."""
        return f"{self.folder}:{number}"

    def check_settings(self, settings: Mapping[str, Any], names: Sequence[str]) -> None:
        """Refuse to play on with settings that the family was not recorded with.

        Args:
            settings: the settings of the new run.
            names: the settings that must be the same.

        Raises:
            WrongUsageError: one differs; the message names it.
        """
        recorded = {name: self.settings.get(name) for name in names}
        changed = differences(recorded, {name: settings.get(name) for name in names})
        if changed:
            raise WrongUsageError(
                f"{FLAG}: {self.folder} was recorded with {changed}; give what it was recorded with"
            )


@dataclass(frozen=True)
class Start:
    """A turn of a recorded rollout that continuations begin at."""

    place: str
    """The rollout as `--resume-from` names it."""
    number: int
    """Number of the rollout in its family."""
    turn: int
    """The last turn that is replayed."""
    record: Mapping[str, Any]
    """The rollout as its layout has it."""

    def name(self, number: int) -> ContinuationName:
        """Return the name of a continuation."""
        return ContinuationName(str(self.record["instance_id"]), self.number, self.turn, number)

    def seed(self, seed: int, number: int) -> str:
        """Return the seed of what an agent draws in a continuation."""
        return f"continuation {seed} {self.number} {self.turn} {number}"

    def provenance(self, number: int, seed: int) -> dict[str, Any]:
        """Return where a continuation comes from, for its record."""
        return {
            "rollout": self.number,
            "instance_id": self.record["instance_id"],
            "turn": self.turn,
            "continuation": number,
            "seed": seed,
        }


def read_recorded(text: str, task: str, layout: ReadLayout) -> RecordedFamily:
    """Return the family, or the one rollout of it, that `--resume-from` names.

    Args:
        text: a family's folder; or that, a colon, and a rollout's number or instance.
        task: the task that is played on.
        layout: how the families of the task are stored.

    Raises:
        InputError: there is no such family or rollout, it is of another task, or it cannot be read.
    """
    before, _, after = text.rpartition(":")
    is_named = bool(before) and not Path(text).is_dir()
    folder = Path(before if is_named else text)
    if not folder.is_dir():
        raise InputError(
            f"{FLAG} {text}: is missing; expected the folder of a recorded family, or a rollout of "
            "it as FOLDER:NUMBER or FOLDER:INSTANCE"
        )
    if not (folder / COLLECTION).is_file():
        raise InputError(f"{FLAG} {folder}: holds no {COLLECTION}, so {NOT_RESTORED}")
    settings, _ = read_collection(folder / COLLECTION)
    if settings.get("task") != task:
        raise InputError(
            f"{FLAG} {folder}: was recorded for task {settings.get('task')}; expected a family of "
            f"{task}"
        )
    try:
        rollouts = dict(layout.read(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{FLAG} {folder}: its rollouts cannot be read: {error}") from error
    if not rollouts:
        raise InputError(f"{FLAG} {folder}: holds no rollouts; expected one or more")
    if not is_named:
        return RecordedFamily(folder, settings, rollouts, is_named=False)
    number = _number_of(after, rollouts, text)
    return RecordedFamily(folder, settings, {number: rollouts[number]}, is_named=True)


def _number_of(name: str, rollouts: Mapping[int, Mapping[str, Any]], text: str) -> int:
    if name.isdecimal() and int(name) in rollouts:
        return int(name)
    named = [number for number, each in rollouts.items() if str(each["instance_id"]) == name]
    if len(named) == 1:
        return named[0]
    if named:
        listed = ", ".join(map(str, named))
        raise InputError(f"{FLAG} {text}: rollouts {listed} are of that instance; give a number")
    raise InputError(
        f"{FLAG} {text}: rollout {name!r} is missing; expected a number from 0 to "
        f"{max(rollouts, default=0)}, or the instance of a rollout"
    )


def starts_of(
    family: RecordedFamily, turns: Sequence[int], lengths: Mapping[int, int]
) -> list[Start]:
    """Return where continuations begin: each rollout at each turn that is not its last.

    Args:
        family: the recorded rollouts.
        turns: the turns that were asked for, from 1.
        lengths: the turns of each rollout, by number.

    Raises:
        InputError: no rollout goes on after one of the turns.
    """
    longest = max(lengths[number] for number in family.rollouts)
    for turn in turns:
        if turn >= longest:
            place = family.place(next(iter(family.rollouts)))
            rollout = place if family.is_named else f"the longest rollout of {family.folder}"
            raise InputError(
                f"--turn {turn}: {rollout} has {longest} turns; expected a turn from 1 to "
                f"{longest - 1}, as nothing is left to play after the last one"
            )
    return [
        Start(family.place(number), number, turn, record)
        for turn in sorted(set(turns))
        for number, record in sorted(family.rollouts.items())
        if turn < lengths[number]
    ]
