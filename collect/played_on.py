"""Continuations of every task: the checks before, and the warning after."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bagen_data.console import STDERR
from bagen_data.errors import InputError, WrongUsageError
from collect.collect_options import CollectOptions
from collect.recorded_family import FLAG, RecordedFamily, Start
from collect.recorded_file import recorded_file
from collect.task_command import Recording, settings_of

OTHER_ENVIRONMENT = (
    "the environment is of another version, or has other options, than the one that was recorded, "
    "and the rollout cannot be played on"
)
"""The end of a message on a rollout that cannot be restored."""
_SHOWN = 80
"""Characters of two texts that are shown where they differ."""


def check_agent(family: RecordedFamily, options: CollectOptions, recording: Recording) -> None:
    """Refuse options that the recorded rollouts cannot be played on with.

    A model other than the recorded one is allowed, with a note.

    Raises:
        WrongUsageError: the message names the option.
    """
    if family.settings.get("budget"):
        raise WrongUsageError(
            f"{FLAG}: {family.folder} was recorded with --budget, and what its rollouts would be "
            "without is not known; give a family that was recorded without"
        )
    same = ["task", "options", "tokens", *(["agent"] if options.is_scripted else [])]
    settings = settings_of(options, recording)
    family.check_settings(settings, same)
    recorded = family.settings.get("agent")
    if recorded != options.agent:
        STDERR.print(
            f"note: {family.folder} was recorded with {recorded}; what {options.agent} makes of it "
            "says nothing about how the recorded rollouts could have gone on",
            markup=False,
        )


def provenance(family: RecordedFamily, file: Path, starts: Sequence[Start]) -> dict[str, Any]:
    """Return which rollouts are played on, for the record of a run.

    Args:
        family: the recorded family.
        file: the file of it whose content a run that is resumed must find again.
        starts: where continuations begin.
    """
    return {
        "family": family.folder.name,
        "file": dict(recorded_file(file).settings),
        "turns": sorted({start.turn for start in starts}),
        "rollouts": sorted({start.number for start in starts}) if family.is_named else "all",
    }


def difference(start: Start, turn: int, name: str, recorded: object, given: object) -> InputError:
    """Return the error on a recorded value that the environment gives otherwise.

    Args:
        start: the rollout that is replayed.
        turn: the turn, from 1.
        name: the name of the value.
        recorded: the value in the log.
        given: the value in the replay.
    """
    one, other = str(recorded), str(given)
    same = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    begin = max(0, same - 20)
    return InputError(
        f"{FLAG} {start.place}: turn {turn}: {name} is recorded as "
        f"{one[begin : begin + _SHOWN]!r}, and the environment gives "
        f"{other[begin : begin + _SHOWN]!r}; {OTHER_ENVIRONMENT}"
    )


def warn_of_equal(played: Sequence[tuple[tuple[int, int], bytes]]) -> None:
    """Warn where all continuations of a start are equal.

    Args:
        played: for each continuation, where it starts and what was played after that.
    """
    groups: dict[tuple[int, int], list[bytes]] = {}
    for start, text in played:
        groups.setdefault(start, []).append(text)
    equal = sorted(start for start, texts in groups.items() if len(set(texts)) == 1 < len(texts))
    if not equal:
        return
    listed = ", ".join(_places(equal[:5])) + (", ..." if len(equal) > 5 else "")
    why = (
        "a deterministic agent, whose noise ceiling says nothing"
        if len(equal) == len(groups)
        else "nothing is left to chance there"
    )
    STDERR.print(
        f"warning: all continuations are equal at {len(equal)} of {len(groups)} starts: {listed} "
        f"({why})",
        markup=False,
    )


def _places(starts: Sequence[tuple[int, int]]) -> Iterator[str]:
    return (f"rollout {number} at turn {turn}" for number, turn in starts)
