"""Hand a submission in: one pull request with the files of one folder, and nothing else."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from bagen_data.errors import InputError
from bagen_data.repositories.hub_repository import (
    HubRepository,
    check_repository_id,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.publishing import Publication, Watch, publish
from bagen_data.repositories.repository_files import LocalFile, RemoteFile, hash_file
from bagen_data.steady_files import copy_file
from bagen_data.submission_folder import SubmissionFolder
from bagen_data.submissions import METADATA, metadata_in

SUBMISSIONS = "submissions"
"""The folder of a repository that holds a folder for each submission."""
_LOG_IN = "log in with 'hf auth login', or set HF_TOKEN to a token that may open pull requests"


@dataclass(frozen=True)
class HandedIn:
    """A submission where it is now."""

    address: str
    """The page of the pull request, or of the folder that holds the same files already."""
    is_new: bool
    """Whether the pull request was opened now."""


def submission_path(name: str) -> str:
    """Return where the folder of a submission lies in the repository, with a slash at its end."""
    return f"{SUBMISSIONS}/{name}/"


def files_to_send(folder: SubmissionFolder) -> dict[str, int | None]:
    """Return the names of the files that a pull request adds, with the bytes that are known."""
    files = [*folder.files, *([folder.hidden] if folder.hidden else [])]
    return {METADATA: None, **{file.path.name: file.bytes for file in files}}


def hand_in(
    folder: Path,
    submission: SubmissionFolder,
    repository_id: str,
    *,
    replaces: bool = False,
    watch: Watch | None = None,
) -> HandedIn:
    """Open a pull request that adds a submission; one that is open already is not opened again.

    Args:
        folder: the folder of the submission.
        submission: the same folder as it was checked: exactly these bytes are sent.
        repository_id: the dataset repository of submissions, ORG/NAME.
        replaces: whether a submission of the same name may be replaced.
        watch: functions that are called while files are sent.

    Raises:
        WrongUsageError: `repository_id` is not ORG/NAME.
        InputError: no token is set, the Hub refuses, a file changed since it was checked, or the
            name is taken.
        StoreError: the Hub does not answer.
    """
    check_repository_id("--to", repository_id)
    token = find_token()
    if token is None:
        raise InputError(f"{repository_id}: handing in needs a token; {_LOG_IN}")
    repository = HubRepository(repository_id, "dataset", token)
    with (
        _copies(folder, submission, token) as files,
        named_refusals(repository_id),
        quiet_client(),
    ):
        there = _already_there(repository, submission.name, files, replaces=replaces)
        if there is not None:
            return there
        own = submission_path(submission.name)
        published = publish(
            Publication(
                repository_id,
                {f"{own}{name}": file.path for name, file in files.items()},
                _title(submission.name),
                is_ours=lambda path: path.startswith(own),
                create_pr=True,
                hashes={f"{own}{name}": file.sha256 for name, file in files.items()},
            ),
            Watch() if watch is None else watch,
        )
    return HandedIn(published.address, is_new=True)


def _title(name: str) -> str:
    return f"Submit {name}"


@contextmanager
def _copies(
    folder: Path, submission: SubmissionFolder, token: str
) -> Iterator[dict[str, LocalFile]]:
    """Copy the files that were checked to a folder of our own, from which they are sent.

    Raises:
        InputError: a file is another one than was checked, or holds the token.
    """
    checked = {file.path.name: file.sha256 for file in submission.files}
    if submission.hidden is not None:
        checked[submission.hidden.path.name] = submission.hidden.sha256
    with tempfile.TemporaryDirectory(prefix="bagen-submit-") as own:
        for name in (METADATA, *checked):
            source, copy = folder / name, Path(own, name)
            try:
                with copy.open("xb") as target:
                    digest = copy_file(source, target, "refused")
                with copy.open("rb") as copied:
                    if _holds(copied, token.encode()):
                        raise InputError(
                            f"{source}: holds the token of the Hub that this runs with; take it "
                            "out, and make a new token"
                        )
            except OSError as error:
                raise InputError(f"{source}: cannot be read: {error.strerror or error}") from error
            is_same = (
                metadata_in(BytesIO(copy.read_bytes()), source) == submission.metadata
                if name == METADATA
                else digest.sha256 == checked[name]
            )
            if not is_same:
                raise InputError(
                    f"{source}: was changed while it was handed in; run again when nothing writes "
                    "to it"
                )
        yield {name: hash_file(Path(own, name)) for name in (METADATA, *checked)}


def _holds(file: IO[bytes], text: bytes) -> bool:
    end = b""
    while block := file.read(1 << 20):
        if text in end + block:
            return True
        end = block[-len(text) :]
    return False


def _already_there(
    repository: HubRepository, name: str, files: Mapping[str, LocalFile], *, replaces: bool
) -> HandedIn | None:
    """Return where a submission is already; None if it can be handed in.

    Raises:
        InputError: the name is that of other files.
    """
    head = repository.head()
    if head is None:
        raise InputError(
            f"{repository.id}: is not on the Hub, or the token may not see it; give the repository "
            "of submissions as --to ORG/NAME"
        )
    own = {f"{submission_path(name)}{path}": file for path, file in files.items()}
    merged = repository.files(head, own)
    page = f"{repository.address}/tree/main/{SUBMISSIONS}/"
    if _in_folder(merged, name) and _is_same(_in_folder(merged, name), files):
        return HandedIn(page + name, is_new=False)
    names = {path.split("/")[1] for path in merged if path.startswith(f"{SUBMISSIONS}/")}
    taken = next((each for each in sorted(names) if each.casefold() == name.casefold()), None)
    if taken is not None and not (replaces and taken == name):
        remedy = "pass --replace to hand in these instead, or " if taken == name else ""
        raise InputError(
            f"{page}{taken}: is there already, with other files; {remedy}give another --name"
        )
    for number in repository.own_pull_requests(_title(name)):
        address = f"{repository.address}/discussions/{number}"
        asked = repository.files(f"refs/pr/{number}", own)
        if _is_same(_in_folder(asked, name), files):
            return HandedIn(address, is_new=False)
        raise InputError(
            f"{address}: is your open pull request for {name}, with other files; close it on its "
            "page, then run again"
        )
    return None


def _in_folder(files: Mapping[str, RemoteFile], name: str) -> dict[str, RemoteFile]:
    own = submission_path(name)
    return {path.removeprefix(own): file for path, file in files.items() if path.startswith(own)}


def _is_same(remote: Mapping[str, RemoteFile], files: Mapping[str, LocalFile]) -> bool:
    return remote.keys() == files.keys() and all(
        file.is_same(remote[name]) for name, file in files.items()
    )
