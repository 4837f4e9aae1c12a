"""The change that a pull request proposes: one submission added or changed, or it is refused.

It is judged by listings alone, before a file is downloaded.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.repositories.handing_in import SUBMISSIONS
from bagen_data.repositories.repository_files import RemoteFile
from bagen_data.submission_folder import LARGEST, check_name, task_of_file
from bagen_data.submissions import METADATA, METADATA_BYTES
from leaderboard.handed_in.trees import Tree

ATTRIBUTES = ".gitattributes"
"""The file in which the Hub itself notes that a file is a large one."""
_ATTRIBUTES_BYTES = 1 << 16
_NOTE = re.compile(r"(?P<path>\S+) filter=lfs diff=lfs merge=lfs -text")
_SHOWN = 5


class RefusedProposalError(InputError):
    """A pull request that proposes something else than one submission; a line for each reason."""


@dataclass(frozen=True)
class Proposal:
    """The submission that a pull request adds or changes."""

    name: str
    """The name of the submission's folder, safe as a part of a path."""
    files: Mapping[str, RemoteFile]
    """The files of the submission's folder after the change, by name."""
    replaces: bool
    """True if the branch `main` has a submission of this name."""


def read_proposal(
    base: Tree, head: Tree, configs: Sequence[str], attributes: Callable[[], tuple[str, str]]
) -> Proposal:
    """Return the submission that a pull request adds or changes.

    Args:
        base: the files at its merge base.
        head: the files at its own commit.
        configs: the configs that a submission may answer.
        attributes: returns the texts of `.gitattributes` at both commits, the base's first.

    Raises:
        RefusedProposalError: it changes something else, or files that cannot be of a submission.
    """
    if not head.is_whole:
        raise RefusedProposalError("it adds far more files than a submission has")
    changed = [
        path
        for path in sorted({*base.files, *head.files})
        if base.files.get(path) != head.files.get(path)
    ]
    empty = sorted(head.without_files() - base.without_files())
    if empty:
        raise RefusedProposalError(
            f"it adds {_list(empty)}: a folder without files, or a link to another repository"
        )
    if not changed:
        raise RefusedProposalError("it changes no file")
    outside = [path for path in changed if not _is_in_submission(path)]
    names = sorted({path.split("/")[1] for path in changed if path not in outside})
    if len(names) > 1:
        raise RefusedProposalError(
            f"it changes several submissions: {_list(names)}; open a pull request for each"
        )
    if outside != [ATTRIBUTES] or not names or not _only_notes(base, head, names[0], attributes):
        _refuse_outside(outside)
    [name] = names
    files = head.below(f"{SUBMISSIONS}/{name}")
    _check_files(name, files, configs)
    replaces = bool(base.below(f"{SUBMISSIONS}/{name}"))
    return Proposal(name, files, replaces)


def check_files(name: str, files: Mapping[str, RemoteFile], configs: Sequence[str]) -> None:
    """Refuse a submission with other, larger or more files than it may have.

    Args:
        name: the name of its folder.
        files: the files by their path in the folder.
        configs: the configs that a submission may answer.

    Raises:
        InputError: the message names the file and the limit.
    """
    check_name(name)
    if not files:
        raise InputError("it removes the submission; expected files that are added or changed")
    if len(files) > len(configs) + 3:
        raise InputError(
            f"the folder would hold {len(files):,} files; expected {METADATA} and one file for "
            "each config at most"
        )
    for path, file in sorted(files.items()):
        if "/" in path:
            raise InputError(f"{path!a:.200}: is in a folder of its own; expected files alone")
        if path != METADATA:
            task_of_file(Path(path), configs)
        most = METADATA_BYTES if path == METADATA else LARGEST
        if file.bytes > most:
            raise InputError(f"{path}: is of {file.bytes:,} bytes; expected at most {most:,}")
    if METADATA not in files:
        raise InputError(f"{METADATA}: is missing")


def _check_files(name: str, files: Mapping[str, RemoteFile], configs: Sequence[str]) -> None:
    try:
        check_files(name, files, configs)
    except InputError as error:
        raise RefusedProposalError(str(error)) from error


def _is_in_submission(path: str) -> bool:
    parts = path.split("/")
    return len(parts) > 2 and parts[0] == SUBMISSIONS and "" not in parts


def _refuse_outside(paths: Sequence[str]) -> None:
    if paths:
        raise RefusedProposalError(
            f"it changes {_list(paths)}; expected files of one folder {SUBMISSIONS}/NAME alone"
        )


def _only_notes(
    base: Tree, head: Tree, name: str, attributes: Callable[[], tuple[str, str]]
) -> bool:
    """Return whether `.gitattributes` differs only by notes that files of a submission are large.

    The Hub adds such a line itself for a large file that its ending does not mark as one.
    """
    before, after = base.files.get(ATTRIBUTES), head.files.get(ATTRIBUTES)
    if before is None or after is None or max(before.bytes, after.bytes) > _ATTRIBUTES_BYTES:
        return False
    rest, lines = (text.splitlines() for text in attributes())
    matches = [_NOTE.fullmatch(line) for line in lines[len(rest) :]]
    own = {f"{SUBMISSIONS}/{name}/{file}" for file in head.below(f"{SUBMISSIONS}/{name}")}
    are_own = all(match is not None and match["path"] in own for match in matches)
    return lines[: len(rest)] == rest and are_own


def _list(paths: Sequence[str]) -> str:
    shown = ", ".join(ascii(path)[:200] for path in paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else shown
