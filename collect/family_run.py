"""Many rollouts of one family: numbered, kept one by one, and written when all are there.

A rollout depends on the seed and its number alone. So a run that was killed goes on with the
numbers that are missing, and more rollouts can be added to a family later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson
import yaml

from bagen_data.errors import InputError, OutputError
from bagen_data.executors import ExecutorChoice, open_executor
from bagen_data.executors.jobs import run_jobs
from bagen_data.held_folder import LOCK, HeldFolder, made_folder
from bagen_data.models.failure_reasons import correct_first, refusal_reason, to_correct
from bagen_data.redaction import redact, without_known_keys
from bagen_data.replaced_set import replaced_set
from collect.journal import NAME as JOURNAL
from collect.journal import Journal, check_same, open_journal

COLLECTION = "collection.yaml"
"""File in a family's folder that says how the family was collected, and what failed."""
GIVE_UP = 8
"""Rollouts that fail one after another before a run stops: the next would hardly do better."""
_KEPT = "the rollouts before are kept; go on with --resume"
"""The end of a message on a family whose worker died."""
_AT_ONCE = 16
"""Rollouts that a process is given at a time, at most: a job each would fill memory with jobs."""

Play = Callable[[int], Mapping[str, Any]]
"""Function from a rollout's number to the rollout, as its layout has it."""


class Layout(Protocol):
    """The layout of a family on disk."""

    def write(self, folder: Path, rollouts: Iterable[dict[str, Any]]) -> None:
        """Write all of a family's files into a folder that is empty."""

    def read(self, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rollouts that were written, with their numbers."""


@dataclass(frozen=True)
class PlayResult:
    """The result of playing a rollout: the rollout, or why it failed."""

    number: int
    rollout: bytes = b""
    """The rollout as JSON; empty if it failed."""
    failure: str = ""


Driver = Callable[[Play, Sequence[int]], Iterator[PlayResult]]
"""Function that plays the rollouts of some numbers, in any order."""


def attempt(play: Play, number: int) -> PlayResult:
    """Play one rollout; whatever goes wrong in it is its own failure, and stops no other.

    Keys of this process that an agent or a server said are not in what is returned.
    """
    try:
        return PlayResult(number, orjson.dumps(without_known_keys(play(number))))
    except Exception as error:
        return PlayResult(number, failure=redact(f"{type(error).__name__}: {error}"))


def attempts(play: Play, numbers: Sequence[int]) -> list[PlayResult]:
    """Play some rollouts, one after another."""
    return [attempt(play, number) for number in numbers]


def _playing(numbers: Sequence[int]) -> str:
    return f"it played rollouts {numbers[0]} to {numbers[-1]}"


def in_processes(workers: int) -> Driver:
    """Return a driver that plays many rollouts at once where playing is this machine's work.

    The rollouts come in the order of the numbers.
    """

    def drive(play: Play, numbers: Sequence[int]) -> Iterator[PlayResult]:
        size = max(1, min(_AT_ONCE, len(numbers) // (8 * workers)))
        jobs = [(numbers[start : start + size],) for start in range(0, len(numbers), size)]
        with open_executor(ExecutorChoice("local", workers)) as executor:
            for done in run_jobs(partial(attempts, play), jobs, executor, _playing, _KEPT):
                yield from done

    return drive


def in_threads(threads: int) -> Driver:
    """Return a driver that plays many rollouts at once where playing is waiting for a server."""

    def drive(play: Play, numbers: Sequence[int]) -> Iterator[PlayResult]:
        pool = ThreadPoolExecutor(threads)
        try:
            for done in as_completed([pool.submit(attempt, play, each) for each in numbers]):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return drive


@dataclass(frozen=True)
class Wanted:
    """A family as it is to be."""

    folder: Path
    settings: Mapping[str, Any]
    """Settings that decide what is played, without the number of rollouts."""
    rollouts: int
    layout: Layout
    resume: bool = False
    """Whether the family goes on with the rollouts that are recorded."""


@dataclass(frozen=True)
class Collected:
    """A family as it is."""

    rollouts: int
    failed: Mapping[int, str] = field(default_factory=dict)
    """Reasons why rollouts failed, by number."""


def collect(
    wanted: Wanted, play: Play, drive: Driver, on_rollout: Callable[[], object] = lambda: None
) -> Collected:
    """Play what is missing of a family's rollouts, and write the family.

    Args:
        wanted: the family.
        play: plays one rollout.
        drive: plays many.
        on_rollout: called for each that is there, played now or before.

    Raises:
        OutputError: the folder holds something else, is not to be gone on with, or another process
            is writing it.
        WrongUsageError: the family was begun with other settings.
        InputError: all rollouts failed, or many one after another, and those that did not are
            kept; or a file that is there is damaged.
    """
    with made_folder(wanted.folder) as held:
        return _collect(held, wanted, play, drive, on_rollout)


def _collect(
    held: HeldFolder, wanted: Wanted, play: Play, drive: Driver, on_rollout: Callable[[], object]
) -> Collected:
    finished = _finished(wanted)
    if finished and not finished.failed and finished.rollouts >= wanted.rollouts:
        (wanted.folder / JOURNAL).unlink(missing_ok=True)  # of a run that was killed at its end
        return finished
    with open_journal(wanted.folder, wanted.settings, resume=wanted.resume) as journal:
        if finished:  # and now to be added to
            _take_up(wanted, journal)
        for _ in journal.numbers:
            on_rollout()
        failed = _play_missing(wanted, play, drive, journal, on_rollout)
        there = Collected(len(journal.numbers), failed)
        with replaced_set(held) as staging:
            wanted.layout.write(staging, journal.rollouts())
            _write_collection(staging / COLLECTION, wanted, there)
        (wanted.folder / JOURNAL).unlink()
    return there


def _take_up(wanted: Wanted, journal: Journal) -> None:
    """Put a written family back into the journal.

    Raises:
        InputError: its files are damaged.
    """
    try:
        for number, rollout in wanted.layout.read(wanted.folder):
            journal.add(number, orjson.dumps(rollout))
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{wanted.folder}: its rollouts cannot be read again, to go on from them: {error}; "
            "bring the file back, or give another --out"
        ) from error


def _play_missing(
    wanted: Wanted, play: Play, drive: Driver, journal: Journal, on_rollout: Callable[[], object]
) -> dict[int, str]:
    """Play the missing rollouts, and return why those failed that did, by number."""
    missing = sorted(set(range(wanted.rollouts)) - set(journal.numbers))
    failed: dict[int, str] = {}
    in_a_row = 0
    for each in drive(play, missing):
        if each.failure:
            failed[each.number] = each.failure
            in_a_row += 1
        else:
            in_a_row = 0
            journal.add(each.number, each.rollout)
            on_rollout()
        if in_a_row == GIVE_UP or len(failed) == len(missing) == wanted.rollouts:
            first = correct_first([to_correct(each.failure)]) or "correct that, then "
            raise InputError(
                f"{wanted.folder}: {len(failed)} rollouts failed, the last {in_a_row} one after "
                f"another; the last with: {refusal_reason(each.failure)}\n{len(journal.numbers)} "
                f"are kept; {first}go on with --resume"
            )
    return failed


def _finished(wanted: Wanted) -> Collected | None:
    """Return the family that is there already; None if there is none.

    Raises:
        OutputError: there is one that is not to be gone on with, or something else.
        WrongUsageError: it was collected otherwise.
    """
    folder = wanted.folder
    there = {path.name for path in folder.iterdir()} - {LOCK}
    if COLLECTION not in there:
        if there and JOURNAL not in there:
            raise OutputError(
                f"{folder}: holds {min(there)}, and no rollouts of ours; give another --out"
            )
        return None
    begun, collected = read_collection(folder / COLLECTION)
    if not wanted.resume:
        raise OutputError(
            f"{folder}: {collected.rollouts} rollouts are there already; go on with --resume, or "
            "give another --out"
        )
    check_same(folder, begun, wanted.settings)
    return collected


def read_collection(path: Path) -> tuple[Mapping[str, Any], Collected]:
    """Return the settings that a family was collected with, and what the family is.

    Raises:
        InputError: the file is not as it was written.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return dict(content["told"]), Collected(int(content["rollouts"]), dict(content["failed"]))
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f"{path}: is not as it was written: {error}; remove the folder, or give another --out"
        ) from error


def _write_collection(path: Path, wanted: Wanted, there: Collected) -> None:
    content = {
        "told": dict(wanted.settings),
        "rollouts": there.rollouts,
        "failed": dict(there.failed),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")
