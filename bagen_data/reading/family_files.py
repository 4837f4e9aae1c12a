"""Read the records of a family's files: once, in order, and with a reason for each that is not."""

import hashlib
import io
import json
import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain, islice, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from bagen_data.errors import RolloutError
from bagen_data.fast_json import load_lenient_json
from bagen_data.log_formats import Kind, belonging, formats_reading, owned_files, recognising
from bagen_data.logs.evaluation_report import contradiction, is_report, judged_ids
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import FamilyFacts, Neighbours, Survey
from bagen_data.reading.family_source import FamilySource, family_source
from bagen_data.reading.folder_listing import has_suffix
from bagen_data.reading.json_items import BIG, list_items, starts_list
from bagen_data.reading.labels import LABELS
from bagen_data.reading.line_ranges import FilePart, LineRange, cut_lines
from bagen_data.reading.noticed import Companion, FamilyProblem, Looks, Notice, SourceFile, Unused
from bagen_data.reading.origin import Family
from bagen_data.steady_files import FileDigest, HeldCopy, Mark, changed, has_changed
from bagen_data.unique_keys import RepeatedKeyError

_TRAJECTORIES = (".traj.json", ".traj")
"""Ends of files whose outcome stands in an evaluation report."""
_HEAD_LINES = 20
"""Lines of a JSONL file that show whether the file is a session or has a rollout a line."""
_NAME_LENGTH = 80
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SourceRecord:
    """A record that should be a rollout, or several, or the error that stands for it."""

    where: str
    value: Any
    """A JSON value, a session's lines or a file's path."""
    error: str = ""
    kind: Kind = "value"
    format: str = ""
    """The format that recognised a session or file; empty for a JSON value."""

    @property
    def place(self) -> str:
        """The place of the record, without the source's own name of the record."""
        return self.where.removesuffix(_named(self.value))


class FamilyFiles:
    """Reads a family's files, and remembers what it read.

    A file that changes while it is read, or between two looks at it, is refused. Where others were
    judged by it, so is the family. As long as nothing was read of it, it can be sent to other
    processes, which read other files of the family.

    Args:
        family: which.
        scratch: the folder of temporary copies; the system's if None.
        source: what reads the files; the reader of such a folder if None.
    """

    def __init__(
        self, family: Family, scratch: Path | None = None, source: FamilySource | None = None
    ) -> None:
        self.family = family
        self._scratch = scratch
        self._source = source or family_source(family.folder)
        self._consulted: set[str] = set()
        """Files whose values say something about rollouts in others."""
        self._looks = Looks({}, set())
        """The files that were opened, or first consulted, since the last question."""
        self._noticed: list[Notice] = []
        listing = self._source.listing()
        self.has_labels = LABELS in listing.files
        self.paths = [path for path in listing.files if path != LABELS]
        """Relative, with `/`, in order."""
        self.refused = [Unused(_as_text(each.path), each.reason) for each in listing.refused]
        self._owned = owned_files([*self.paths, *(each.path for each in listing.ignored)])
        self.ignored = [
            Unused(_as_text(each.path), each.reason)
            for each in listing.ignored
            if each.path not in self._owned
        ]
        self.surveys: dict[Callable[[Neighbours], Any], Any] = {}
        """Results of the formats' surveys of the whole family."""
        self._facts = self._find_report()

    @property
    def has_report(self) -> bool:
        """Return whether the family has one evaluation report to go by."""
        return self._facts.resolved is not None

    def facts(self, relative: str) -> FamilyFacts:
        """Return what the family states beside the records of one file."""
        neighbours = _Neighbours(self, os.path.dirname(relative))
        known = self._facts
        return FamilyFacts(known.resolved, known.judged, _as_text(relative), neighbours)

    def records(self, part: FilePart) -> Iterator[SourceRecord]:
        """Yield the records of a file or a part; what cannot be read is a record with an error."""
        if part.lines is None:
            return self._whole(part.path)
        return self._range(part.path, part.lines)

    def _whole(self, relative: str) -> Iterator[SourceRecord]:
        where = _as_text(relative)
        if relative in self._owned:
            self._noticed.append(Companion(where, self._owned[relative]))
            return
        try:
            if has_suffix(relative, [".jsonl"]):
                yield from self._lines(relative)
            elif has_suffix(relative, [".json"]):
                yield from self._values(relative)
            else:
                yield from self._file(relative)
        except OSError as error:
            if has_changed(error) and relative in self._consulted:
                self._stop(relative)
            yield SourceRecord(where, None, f"cannot be read: {error.strerror}")
        except RolloutError as error:
            yield SourceRecord(where, None, str(error))

    def _file(self, relative: str) -> Iterator[SourceRecord]:
        """Yield a file that is not JSON, as a copy of its name in a folder of its own."""
        where = _as_text(relative)
        with TemporaryDirectory(dir=self._scratch) as folder:
            copy = Path(folder, os.path.basename(relative))
            with copy.open("xb") as target:
                digest = self._source.copied(relative, target)
            self._note(relative, digest.mark)
            names = recognising("file", copy)
            if not names:
                _refuse_unlike(relative)
                yield from self._values(relative)
                return
            self._add_source(where, digest)
            yield SourceRecord(where, copy, kind="file", format=names[0])

    def _values(self, relative: str) -> Iterator[SourceRecord]:
        where = _as_text(relative)
        held = self._hold(relative)
        self._add_source(where, held.digest)
        if held.digest.bytes >= BIG:
            with held.open() as file:
                if starts_list(file):
                    for position, item in enumerate(list_items(file)):
                        yield SourceRecord(f"{where}[{position}]{_named(item)}", item)
                    return
        value = decode(held.read())
        if value == []:
            yield SourceRecord(where, None, "is an empty list; expected rollouts")
        elif isinstance(value, list):
            for position, item in enumerate(value):
                yield SourceRecord(f"{where}[{position}]{_named(item)}", item)
        elif owners := belonging(value):
            self._noticed.append(Companion(where, owners))
        else:
            yield SourceRecord(where, value)

    def _lines(self, relative: str) -> Iterator[SourceRecord]:
        where = _as_text(relative)
        held = self._hold(relative)
        self._add_source(where, held.digest)
        lines = _lines_of(held.open())
        head = list(islice(lines, _HEAD_LINES))
        every = chain(head, lines)
        formats = {name for line in head for name in recognising("lines", line.value)}
        if len(formats) == 1:
            yield SourceRecord(where, every, kind="lines", format=next(iter(formats)))
        elif formats:
            names = ", ".join(sorted(formats))
            yield SourceRecord(where, None, f"is a session of several formats: {names}")
        elif len(head) > 1 and all(line.error for line in head):
            first = head[0]
            reason = (
                f"none of its first {len(head)} lines is JSON: line {first.number} {first.error}; "
                "name it .json if it is one value of several lines, or remove it"
            )
            yield SourceRecord(where, None, reason)
            return
        elif head and all(owners := [belonging(line.value) for line in head]):
            self._noticed.append(Companion(where, frozenset.union(*owners)))
            self._compare_reports(where, every)
            return
        for line in every if not formats else ():
            place = f"{where}:{line.number}{_named(line.value)}"
            yield SourceRecord(place, line.value, line.error)
        if not head:
            yield SourceRecord(where, None, "is empty; expected one rollout a line")

    def cut(self, relative: str, most: int) -> tuple[FilePart, ...]:
        """Cut a JSONL file with a rollout a line into ranges of lines; leave another one whole.

        Args:
            relative: the file.
            most: bytes after which a range ends with the next line.
        """
        try:
            if not has_suffix(relative, [".jsonl"]) or not _are_rollouts(self.lines(relative)):
                return (FilePart(relative),)
            with self._source.opened(relative) as file:
                self._note(relative, file.mark)
                ranges = cut_lines(file.stream, most, file.mark)
        except OSError:  # the file's own reading says why
            return (FilePart(relative),)
        return tuple(FilePart(relative, lines) for lines in ranges)

    def size(self, relative: str) -> int:
        """Return the bytes of a file; 0 where it is not read, or cannot be."""
        try:
            return 0 if relative in self._owned else self._source.size(relative)
        except OSError:
            return 0

    def _range(self, relative: str, lines: LineRange) -> Iterator[SourceRecord]:
        """Yield the records of a range of lines; a change stops the family."""
        where = _as_text(relative)
        if lines.source is not None:
            self._add_source(where, lines.source)
        try:
            part, mark = self._source.part(relative, lines.start, lines.stop)
            self._note(relative, mark)
        except OSError:
            self._stop(relative)
            return
        if mark != lines.mark or hashlib.sha256(part).hexdigest() != lines.sha256:
            self._stop(relative)
            return
        for line in _lines_of(io.BytesIO(part), lines.number):
            place = f"{where}:{line.number}{_named(line.value)}"
            yield SourceRecord(place, line.value, line.error)

    def _compare_reports(self, where: str, lines: Iterable[Line]) -> None:
        """Stop the family where a line is an evaluation report that differs from the family's."""
        judged_by = (self._facts.resolved, self._facts.judged)
        for line in lines if self.has_report else ():
            if is_report(line.value) and _verdicts(line.value) != judged_by:
                problem = (
                    f"line {line.number} of {where} is an evaluation report that differs from the "
                    "family's; expected one report; remove the wrong one"
                )
                self._noticed.append(FamilyProblem(problem))

    def lines(self, relative: str) -> Iterator[Line]:
        """Yield the lines of a file that are not empty, one JSON value each."""
        with self._source.opened(relative) as file:
            self._note(relative, file.mark)
            yield from _lines_of(file.stream)

    def label_lines(self) -> Iterator[Line]:
        """Yield the lines of the family's labels, a file that its samples depend on.

        Raises:
            OSError: the file cannot be read.
        """
        held = self._hold(LABELS)
        self._add_source(LABELS, held.digest)
        return _lines_of(held.open())

    def _hold(self, relative: str) -> HeldCopy:
        held = self._source.held(relative, memory=BIG - 1, scratch=self._scratch)
        self._note(relative, held.digest.mark)
        return held

    def _add_source(self, where: str, digest: FileDigest) -> None:
        self._noticed.append(SourceFile(where, digest.bytes, digest.sha256))

    def _note(self, relative: str, mark: Mark) -> None:
        """Refuse a file that is not what it was when it was opened since the looks were taken.

        Raises:
            OSError: it changed.
        """
        if self._looks.marks.setdefault(relative, mark) != mark:
            place = self._source.place(relative)
            raise changed(place, "it was changed while its family was read")

    def _stop(self, relative: str) -> None:
        self._noticed.append(FamilyProblem(changed_family(relative)))

    def taken_notices(self) -> list[Notice]:
        """Return what was noticed since this was asked before, in order."""
        notices, self._noticed = self._noticed, []
        return notices

    def taken_looks(self) -> Looks:
        """Return the files that were opened, or first consulted, since this was asked before.

        Whoever asks compares them with those of other parts of the family, which may have been read
        elsewhere.
        """
        looks, self._looks = self._looks, Looks({}, set())
        return looks

    def mark_now(self, relative: str) -> Mark | None:
        """Return the facts of a file as it is now; None where it cannot be looked at."""
        try:
            return self._source.mark(relative)
        except OSError:
            return None

    def has(self, relative: str) -> bool:
        """Return whether the family has a file."""
        place = bisect_left(self.paths, relative)
        return self.paths[place : place + 1] == [relative]

    def value(self, relative: str) -> Any:
        """Return the JSON value of a file; None where it cannot be read, which is reported once.

        A list that is read item by item is not looked at whole: it is None, too.
        """
        try:
            with self._source.opened(relative) as file:
                self._note(relative, file.mark)
                if relative not in self._consulted:
                    self._consulted.add(relative)
                    self._looks.consulted.add(relative)
                if file.mark.bytes >= BIG and starts_list(file.stream):
                    return None
                data = file.stream.read()
            return decode(data)
        except OSError as error:
            if has_changed(error):
                self._stop(relative)
            return None
        except RolloutError:
            return None

    def _find_report(self) -> FamilyFacts:
        """Return the judged instances, if the family has trajectories and reports that agree."""
        if not any(path.endswith(_TRAJECTORIES) for path in self.paths):
            return FamilyFacts()
        others = [path for path in self.paths if has_suffix(path, [".json"])]
        reports = set()
        for path in others:
            value = None if path.endswith(_TRAJECTORIES) else self.value(path)
            if is_report(value):
                reports.add(_verdicts(value))
                if how := contradiction(value):
                    problem = (
                        f"the evaluation report {_as_text(path)} contradicts itself: it {how}; "
                        "evaluate the run again, or correct the report"
                    )
                    self._noticed.append(FamilyProblem(problem))
        return FamilyFacts(*reports.pop()) if len(reports) == 1 else FamilyFacts()


def changed_family(relative: str) -> str:
    """Say that a family cannot be built as one of its files did not stay as it was."""
    return (
        f"{_as_text(relative)} was changed while the family was read, and its rollouts are "
        "judged by it; run again when nothing writes to it"
    )


def _verdicts(report: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the instances that a report calls resolved, and all that it judges."""
    return frozenset(report["resolved_ids"]), judged_ids(report)


class _Neighbours:
    """A family's files as seen from one of its folders."""

    def __init__(self, files: FamilyFiles, folder: str) -> None:
        self._files = files
        self._folder = folder

    def names(self, pattern: str) -> list[str]:
        whole = self._path(pattern)
        plain = _WILDCARD.split(whole)[0]
        every = self._files.paths
        return [
            os.path.relpath(path, self._folder or ".")
            for path in takewhile(
                lambda path: path.startswith(plain), every[bisect_left(every, plain) :]
            )
            if fnmatchcase(path, whole)
        ]

    def value(self, relative: str) -> Any:
        path = self._path(relative)
        return self._files.value(path) if self._files.has(path) else None

    def lines(self, relative: str) -> Iterator[Line]:
        path = self._path(relative)
        try:
            if self._files.has(path):
                yield from self._files.lines(path)
        except OSError:
            return  # the file's own reading says why

    def survey(self, look: Callable[[Neighbours], Survey]) -> Survey:
        if look not in self._files.surveys:
            self._files.surveys[look] = look(_Neighbours(self._files, ""))
        survey: Survey = self._files.surveys[look]
        return survey

    def _path(self, relative: str) -> str:
        return os.path.normpath(os.path.join(self._folder, relative))


def _refuse_unlike(relative: str) -> None:
    """Refuse a file that ends as those of a format which is not JSON, and is not of it.

    Raises:
        RolloutError: the file ends so.
    """
    for name, module in formats_reading("file").items():
        if has_suffix(relative, getattr(module, "SUFFIXES", ())):
            raise RolloutError(
                f"is not of the format that its name says; expected {module.LAYOUT} ({name}); "
                "remove it, or copy it again: it may be empty or cut off"
            )


def _as_text(path: str) -> str:
    """A path as UTF-8 text, whatever its bytes and the locale are."""
    if path.isascii():  # the same object: an index holds the path once
        return path
    return os.fsencode(path).decode("utf-8", "replace")


def decode(data: bytes) -> Any:
    """A JSON value from UTF-8 bytes.

    Raises:
        RolloutError: the bytes are empty, not UTF-8 or not JSON, or an object holds a key twice;
            the message says where.
    """
    if not data or data.isspace():
        raise RolloutError("is empty; expected JSON")
    try:
        return load_lenient_json(data)
    except RepeatedKeyError as error:
        raise RolloutError(str(error)) from error
    except UnicodeDecodeError as error:
        raise RolloutError(
            f"is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}; expected JSON"
        ) from error
    except json.JSONDecodeError as error:
        raise RolloutError(f"is not JSON, or cut off: {_json_problem(error)}") from error
    except (ValueError, RecursionError) as error:
        raise RolloutError(f"is not JSON, or cut off: {error}") from error


def _json_problem(error: json.JSONDecodeError) -> str:
    """Say what is wrong with a text, and where: by its line only if it has several."""
    text = error.doc.rstrip()
    if "\n" in text:
        place = f"line {error.lineno}, character {error.colno}"
        if error.msg == "Extra data":
            place += "; name it .jsonl if it holds one value a line"
    else:
        place = f"character {min(error.pos, len(text)) + 1}"
    return f"{error.msg.removesuffix(' at')} at {place}"


def _are_rollouts(lines: Iterator[Line]) -> bool:
    """Return whether a JSONL file has a rollout a line, by its first lines."""
    head = list(islice(lines, _HEAD_LINES))
    return not (
        all(line.error for line in head)
        or any(recognising("lines", line.value) for line in head)
        or all(belonging(line.value) for line in head)
    )


def _lines_of(file: IO[bytes], first: int = 1) -> Iterator[Line]:
    for number, text in enumerate(file, first):
        if text.strip():
            yield _line(text, number)


def _line(line: bytes, number: int) -> Line:
    try:
        return Line(number, decode(line))
    except RolloutError as error:
        is_cut = isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError)
        return Line(number, None, str(error), line.endswith(b"\n") or not is_cut)


def _named(value: Any) -> str:
    """The source's own name of a record, in brackets, for messages."""
    if isinstance(value, dict):
        for name in ("custom_id", "env_id", "instance_id"):
            if isinstance(value.get(name), str | int):
                text = str(value[name])
                readable = text.isprintable() and len(text) <= _NAME_LENGTH
                return f" ({text if readable else ascii(text)[:_NAME_LENGTH]})"
    return ""
