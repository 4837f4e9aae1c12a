"""The labels of a family: a file beside the logs says which rollouts succeeded.

    labels.jsonl, in the family's folder, one object a line:
    {"rollout": "runs/17.jsonl", "success": true, "instance": "ticket-17"}

A label names a rollout by its id, by the source's own id, or by its place: the file's path relative
to the family's folder, with `:line` or `[index]` where the file holds several.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bagen_data.errors import InputError, RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.lines import Line

LABELS = "labels.jsonl"
"""The file of a family's folder that says which rollouts succeeded."""
LABEL_LAYOUT = '{"rollout": ID OR PATH, "success": true or false}'
"""The layout of a line of labels, for messages."""
_KEYS = {"rollout", "success", "instance", "about"}
"""Keys of a label; `about` is for its reader alone."""


def is_label(value: Any) -> bool:
    """Return whether a value of a log is a label, which stands in the wrong place there."""
    return isinstance(value, Mapping) and "rollout" in value and value.keys() <= _KEYS


def is_other_labels(path: str) -> bool:
    """Return whether a file's name says that it holds labels, in another layout."""
    name = posixpath.basename(path)
    return name != LABELS and posixpath.splitext(name)[0].lower() == posixpath.splitext(LABELS)[0]


@dataclass(frozen=True)
class Label:
    """A line of labels."""

    line: int
    rollout: str
    """The name of the rollout."""
    success: bool
    instance: str
    """The rollout's instance; empty where the label names none."""

    @property
    def names(self) -> set[str]:
        """The names of the rollout: as it is written, and as a path without `./`."""
        return {self.rollout, posixpath.normpath(self.rollout)}


@dataclass(frozen=True)
class FamilyLabels:
    """The labels of a family, as its folder states them."""

    by_line: Mapping[int, Label] = field(default_factory=dict)
    """Labels by their lines, in order."""
    by_name: Mapping[str, list[Label]] = field(default_factory=dict)
    unusable: tuple[tuple[str, str], ...] = ()
    """Places of lines that cannot be used, and the reasons."""
    unread: tuple[int, ...] = ()
    """Lines that cannot be used; each may be the label of any rollout without one."""

    def of(self, names: Iterable[str]) -> Label | None:
        """Return the label of a rollout, by its names.

        Raises:
            RolloutError: it has two.
        """
        if not self.by_name:
            return None
        known = dict.fromkeys(filter(None, names))
        labels = {label.line: label for name in known for label in self.by_name.get(name, ())}
        if len(labels) > 1:
            lines = " and ".join(map(str, sorted(labels)))
            raise RolloutError(f"is labelled on lines {lines} of {LABELS}; keep one of them")
        return next(iter(labels.values()), None)


def read_labels(lines: Iterable[Line]) -> FamilyLabels:
    """Read the lines of a file of labels that are not empty; a file without one is noted, too."""
    by_line: dict[int, Label] = {}
    by_name: dict[str, list[Label]] = {}
    unusable: list[tuple[str, str]] = []
    unread: list[int] = []
    for line in lines:
        try:
            label = _label(line)
        except RolloutError as error:
            unusable.append((f"{LABELS}:{line.number}", str(error)))
            unread.append(line.number)
        else:
            by_line[line.number] = label
            for name in label.names:
                by_name.setdefault(name, []).append(label)
    if not by_line and not unread:
        unusable.append((LABELS, "is empty; expected one label a line, or remove it"))
    return FamilyLabels(by_line, by_name, tuple(unusable), tuple(unread))


def _label(line: Line) -> Label:
    if line.error:
        raise RolloutError(f"{line.error}; expected {LABEL_LAYOUT}")
    record = log_fields.mapping(line.value, "it")
    rollout, instance = record.get("rollout"), record.get("instance")
    for name, value in (("rollout", rollout), ("instance", instance)):
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            raise RolloutError(f"{name} is {log_fields.brief(value)}; expected a name")
    if rollout in (None, ""):
        raise RolloutError(f"has no rollout; expected {LABEL_LAYOUT}")
    success = log_fields.flag(record.get("success"), "success")
    return Label(line.number, str(rollout), success, log_fields.identity(instance))


class LabelNote(NamedTuple):
    """The use of a label by a log, and the names of the log that labels have."""

    place: str
    """The log's place, with its line or index."""
    path: str = ""
    """The log's file, which names the log if the file holds no other; empty if no label says it."""
    line: int = 0
    """The line of the log's label; 0 where it has none."""
    content: str = ""
    """Hash of the content of the rollout that the label was used for."""


class LabelUses:
    """The rollouts that labels were used for, log after log.

    Args:
        labels: the family's.
        family: the name of the family's folder, for messages.
    """

    def __init__(self, labels: FamilyLabels, family: str) -> None:
        self._labels = labels
        self._family = family
        self._first_place: dict[str, str] = {}
        """The place of the first log of each file that labels name, by the file's path."""
        self._used: dict[int, LabelNote] = {}
        """The last use of each label, by its line."""

    def take(self, note: LabelNote) -> None:
        """Take note of the next log.

        Raises:
            InputError: a label names the log's file, and it holds another log; or the log's label
                was used for a rollout of other content.
        """
        if note.path:
            first = self._first_place.setdefault(note.path, note.place)
            if first != note.place:
                raise self._ambiguous(self._labels.by_name[note.path][0], first, note.place)
        if note.line:
            before = self._used.setdefault(note.line, note)
            if before.content != note.content:
                label = self._labels.by_line[note.line]
                raise self._ambiguous(label, before.place, note.place)
            self._used[note.line] = note

    def problems(self, present: Iterable[str]) -> list[tuple[str, str]]:
        """Return where and why labels could not be used, once every log was read.

        Args:
            present: the names of labels that are those of a log, whatever became of it.
        """
        names = set(present)
        missing = [
            (
                f"{LABELS}:{label.line}",
                f"labels {label.rollout!r}, and no rollout of the family has this id, session id "
                "or path; write one of them in full, as 'builders inspect' lists them, or remove "
                "the line",
            )
            for label in self._labels.by_line.values()
            if label.line not in self._used and not label.names & names
        ]
        return [*self._labels.unusable, *missing]

    def _ambiguous(self, label: Label, place: str, other_place: str) -> InputError:
        return InputError(
            f"{self._family}/{LABELS}:{label.line}: labels {label.rollout!r}, which names two "
            f"rollouts: {place} and {other_place}; name each so, or by its own id"
        )
