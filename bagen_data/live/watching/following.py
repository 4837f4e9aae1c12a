"""Follow a log file, or the session of a folder that was written last, as it is on disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.live.watching.log_folder import (
    LogFile,
    LogFolder,
    is_log_file,
    parts_of,
    session_files,
)
from bagen_data.reading.log_choice import LogChoice, choose_logs
from bagen_data.reading.origin import Family
from bagen_data.steady_files import FileMark

_IDLE = 60_000_000_000
"""Nanoseconds after which a session that nothing was written to gives way to one that goes on."""


@dataclass(frozen=True)
class FollowedFile:
    """A log file, and those that tell of its rollout with it."""

    choice: LogChoice
    """The file, and the folder of its family."""
    marks: Mapping[str, FileMark]
    """The facts of each of the files now, by its path relative to the folder."""

    @property
    def name(self) -> str:
        """The file relative to the folder of its family."""
        return str(self.choice.file)

    @property
    def path(self) -> Path:
        """The file's path."""
        return Path(str(self.choice.family.folder)) / self.name

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return self.marks[self.name].bytes


class FileFollower:
    """Looks at one file.

    Args:
        path: the file, which may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._choice: LogChoice | None = None
        self._folder: LogFolder | None = None

    def look(self, session_ids: Iterable[str] = ()) -> FollowedFile | None:
        """Return the file as it is now; None where it does not exist.

        Args:
            session_ids: ids of its sessions that are known from its records.

        Raises:
            InputError: the path is not that of a regular file.
            OSError: the file cannot be looked at.
        """
        if not self._path.exists():
            return None
        if not self._path.is_file():
            raise InputError(
                f"{self._path}: is not a regular file; expected a log file or a folder of logs"
            )
        if self._choice is None or self._folder is None:
            self._choice = choose_logs(self._path)
            self._folder = LogFolder(Path(str(self._choice.family.folder)))
        name = str(self._choice.file)
        near = self._folder.scan_near(name)
        if name not in near:
            return None
        return followed(self._choice, self._folder, near, session_ids)


def followed(
    choice: LogChoice,
    folder: LogFolder,
    files: Mapping[str, LogFile],
    session_ids: Iterable[str] = (),
) -> FollowedFile:
    """Return a file with those that tell of its rollout.

    Args:
        choice: the file.
        folder: the folder of its family.
        files: the file, and others near it.
        session_ids: ids of its sessions that are known from its records.
    """
    name = str(choice.file)
    if files[name].session is not None:
        files = folder.scan()
        paths = parts_of(files, name, session_ids)
        return FollowedFile(choice, {path: files[path].mark for path in paths if path in files})
    own = [path for path, file in files.items() if file.session is None]
    return FollowedFile(choice, {path: files[path].mark for path in own})


class FolderFollower:
    """Looks at the session of a folder that was written last.

    A session that begins later is followed from then on, and one that goes on while nothing was
    written to the followed one for a minute.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = LogFolder(path)
        self._current = ""
        """The followed file, relative to the folder; empty before there is one."""
        self._follower: FileFollower | None = None
        """Looks at the followed file where it is one of a family."""
        self._seen: set[str] = set()
        """Logs that were there when one was chosen."""
        self._others: dict[str, FileMark] = {}
        """Files that are not logs, as they were when they were looked at."""

    def look(self, session_ids: Iterable[str] = ()) -> FollowedFile | None:
        """Return the followed file as it is now; None where the folder holds no log yet.

        Args:
            session_ids: ids of the file's sessions that are known from its records.

        Raises:
            OSError: the file cannot be looked at.
        """
        files = self._folder.scan()
        path = self._followed(files)
        if not path:
            return None
        if path != self._current:
            self._current, session_ids = path, ()
            choice = choose_logs(self._path / path)
            self._follower = FileFollower(self._path / path) if choice.family.task else None
        if self._follower is not None:
            return self._follower.look(session_ids)
        near = files if files[path].session else self._folder.scan_near(path)
        choice = LogChoice(Family(self._path, "", "", "benchmark"), path)
        return followed(choice, self._folder, near, session_ids)

    def _followed(self, files: Mapping[str, LogFile]) -> str:
        """Return the file to follow; empty if the folder holds no log."""
        order = session_files(files)
        written = dict(order)
        now = written.get(self._current)
        for path, when in order:
            if path == self._current or (now is not None and when < now):
                break
            is_new = path not in self._seen
            if not self._is_log(files[path]):
                continue
            if now is None or is_new or when - now > _IDLE:
                self._seen.update(written)
                return path
        return self._current if now is not None else ""

    def _is_log(self, file: LogFile) -> bool:
        """Return whether a file holds a log; one that does not may do so later."""
        if file.session is not None:
            return True
        if self._others.get(file.path) == file.mark:
            return False
        is_log = is_log_file(self._path / file.path)
        if not is_log:
            self._others[file.path] = file.mark
        return is_log
