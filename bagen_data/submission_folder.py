"""A submission as strangers hand it in: a folder, checked before anything in it is believed."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.prediction_files import ALL_TASKS, SUFFIXES, config_named_by
from bagen_data.replacement_journal import is_interrupted
from bagen_data.steady_files import SteadyFile, digest_of, steady_file
from bagen_data.submissions import METADATA, Metadata, metadata_in, missing_metadata

HIDDEN = "hidden"
"""The name of a file that answers a hidden split."""
LARGEST = 1 << 30
"""Bytes of one file, as it is and unpacked."""
MOST_SUBMISSIONS = 10_000
"""Submissions of one board: each two of them are compared."""
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
DEVICE_NAMES = "con|prn|aux|nul|com[0-9]|lpt[0-9]"
"""A pattern of names that some systems keep for devices, whatever their ending and case."""
_RESERVED = re.compile(rf"({DEVICE_NAMES})(\..*)?|eval\.yaml", re.IGNORECASE)
"""A pattern of names that no submission may have: device names, and one that an export keeps."""


@dataclass(frozen=True)
class PredictionFile:
    """A file of predictions."""

    path: Path
    task: str | None
    """The config that the file is named for; None for `predictions`."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SubmissionFolder:
    """A submission whose folder and metadata are in order; its predictions are not read yet."""

    name: str
    """The name of the submission, safe as a part of a path or an address."""
    metadata: Metadata
    files: tuple[PredictionFile, ...]
    """The files of predictions, by name."""
    hidden: PredictionFile | None = None
    """Answers to a hidden split; None if it has none."""


def find_folders(submissions: Path) -> list[Path]:
    """Return all that may be a submission in a folder: all but plain and hidden files, by name.

    Raises:
        InputError: there is no such folder, or it holds more than `MOST_SUBMISSIONS`.
    """
    try:
        inside = sorted(submissions.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise InputError(f"{submissions}: cannot be read: {error.strerror}") from error
    folders = [
        path
        for path in inside
        if not path.name.startswith(".") and (path.is_symlink() or path.is_dir())
    ]
    if len(folders) > MOST_SUBMISSIONS:
        raise InputError(
            f"{submissions}: holds {len(folders):,} folders; expected at most "
            f"{MOST_SUBMISSIONS:,} submissions; move {folders[MOST_SUBMISSIONS].name!a} and those "
            "after it, or others, to another folder"
        )
    return folders


def read_submission_folder(
    folder: Path, configs: Sequence[str], name: str | None = None
) -> SubmissionFolder:
    """Check a submission's folder and metadata, and hash its files.

    Args:
        folder: of the submission.
        configs: the dataset's that may be answered.
        name: the name that the folder is to have where submissions are kept; its own if None.

    Raises:
        InputError: its name, what lies in it, or its metadata cannot be accepted.
    """
    name = folder.name if name is None else name
    check_name(name)
    if folder.is_symlink():
        raise InputError(f"{folder}: is a symbolic link; expected a folder")
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {problem}; expected one with {METADATA} in it")
    if is_interrupted(folder):
        raise InputError(
            f"{folder}: whoever wrote it was killed, and only some of its new files are in place; "
            "'bagen validate' moves the others there, or write it again"
        )
    with ExitStack() as stack:  # at its end, none of the files may have changed since it was read
        try:
            descriptor = stack.enter_context(_opened_folder(folder))
            prediction_files = sorted(filter(is_predictions, os.listdir(descriptor)))
            named_for = {name: task_of_file(folder / name, configs) for name in prediction_files}
            _check_once(folder, named_for.values())
            opened = {
                name: stack.enter_context(_opened_file(folder / name, descriptor))
                for name in (METADATA, *prediction_files)
            }
            with _named(folder / METADATA):
                metadata = metadata_in(opened[METADATA].stream, folder / METADATA)
            if not prediction_files:
                raise InputError(
                    f"{folder}: a file of predictions is missing; expected {ALL_TASKS}.jsonl, or "
                    f"one for each config, e.g. {configs[0]}.jsonl ({', '.join(SUFFIXES)})"
                )
            files = [_file(folder / name, opened[name], named_for[name]) for name in named_for]
        except OSError as error:
            raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    public = tuple(file for file in files if file.task != HIDDEN)
    hidden = next((file for file in files if file.task == HIDDEN), None)
    if not public:
        raise InputError(f"{folder}: answers a hidden split alone; expected {ALL_TASKS}.jsonl too")
    whole = None if hidden is None else replace(hidden, task=None)  # it may answer any config
    return SubmissionFolder(name, metadata, public, whole)


def check_name(name: str) -> None:
    """Refuse a folder's name that would not do as a page's.

    Raises:
        InputError: it has other letters, is too long, or is kept for a device.
    """
    if not _FOLDER.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name):
        quoted = ascii(name) if len(name) <= 100 else f"{name[:100]!a}..."
        raise InputError(
            f"the folder's name is {quoted}; expected 1 to 100 of a-z A-Z 0-9 . _ -, a letter or "
            "number first, no . last, and no device's name"
        )


@contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    """Open a folder, which may be moved or replaced from then on: its files are those in it.

    Raises:
        InputError: the system opens no folders, as Windows.
    """
    if not hasattr(os, "O_DIRECTORY"):
        raise InputError(
            f"{folder}: a submission is read through its opened folder, and this system, Windows "
            "perhaps, opens no folders; run the command in WSL"
        )
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_file(path: Path, folder: int) -> Iterator[SteadyFile]:
    """Open a file of a submission, and refuse it at the end of the block if it changed since.

    Links, which may lead out of the folder, and pipes, which never end, are refused at once.

    Raises:
        InputError: the message names the file.
    """
    name = Path(path.name)
    with _named(path):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise InputError(f"{path}: is a symbolic link; put the file itself there")
        if not stat.S_ISREG(mode):
            raise InputError(f"{path}: is not a plain file")
        with steady_file(name, "refused", folder) as file:
            yield file


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name a file in errors of the system, which do not always name one.

    Raises:
        InputError: instead of an `OSError`.
    """
    try:
        yield
    except FileNotFoundError as error:
        if path.name == METADATA:
            raise missing_metadata(path) from error
        raise InputError(f"{path}: was removed while the folder was read") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def is_predictions(name: str) -> bool:
    """Return whether a file's name ends as that of predictions, whatever its case and spaces."""
    return name.strip().casefold().endswith(SUFFIXES)


def task_of_file(path: Path, configs: Sequence[str]) -> str | None:
    """Return the config that a file is named for; None if it may answer any."""
    if not path.name.endswith(SUFFIXES):
        raise InputError(
            f"{path}: has an ending in capital letters or with spaces; expected one of "
            f"{', '.join(SUFFIXES)}; write it so, or take the file away"
        )
    stem = config_named_by(path)
    if stem not in (ALL_TASKS, HIDDEN, *configs):
        raise InputError(
            f"{path}: is not named for a config; expected {ALL_TASKS} or one of "
            f"{', '.join(configs)}, or {HIDDEN} for a hidden split, and an ending of "
            f"{', '.join(SUFFIXES)}"
        )
    return None if stem == ALL_TASKS else stem


def _file(path: Path, file: SteadyFile, task: str | None) -> PredictionFile:
    size = file.mark.bytes
    if size > LARGEST:
        raise InputError(f"{path}: is of {size:,} bytes; expected at most {LARGEST:,}")
    with _named(path):
        return PredictionFile(path, task, size, digest_of(file).sha256)


def _check_once(folder: Path, named_for: Iterable[str | None]) -> None:
    named = [task or ALL_TASKS for task in named_for]
    twice = {name for name in named if named.count(name) > 1}
    if twice:
        raise InputError(f"{folder}: holds several files of {min(twice)}; leave one")
