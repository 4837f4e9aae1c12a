"""Send files to a repository, and commit them once, though an answer of the Hub may be lost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bagen_data.errors import InputError
from bagen_data.repositories.hub_repository import MAIN, HubRepository
from bagen_data.repositories.hub_requests import ask, status_of
from bagen_data.repositories.repository_files import (
    LocalFile,
    changed_file,
    read_unchanged,
    refuse_changed,
)

_BATCH_FILES = 200
_BATCH_BYTES = 500_000_000
"""Bytes of a batch of files, which is sent before the next one begins."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class SentCommit:
    """A commit that was sent."""

    oid: str
    address: str
    """Page of the commit or the pull request."""
    revision: str
    """The name that its files are listed by."""


def upload_files(
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    on_sent: Callable[[int], None],
    *,
    create_pr: bool,
) -> list[Any]:
    """Send the content of large files, but for what arrived before, and return the operations.

    Args:
        repository: where the files are to be.
        files: by path in the repository.
        on_sent: called with the bytes of each batch.
        create_pr: whether they are for a pull request.

    Raises:
        InputError: a file changed since it was hashed, or the repository ignores it.
    """
    additions = []
    for batch in _batches(files):
        operations = [_addition(name, files[name]) for name in batch]
        _preupload(repository, operations, create_pr=create_pr)
        on_sent(sum(files[name].bytes for name in batch))
        additions += operations
    large = []
    for operation in additions:
        file = files[operation.path_in_repo]
        if getattr(operation, "_should_ignore", False):
            raise InputError(
                f"{repository.id}: its .gitignore excludes {operation.path_in_repo}; remove that "
                "rule, then run again"
            )
        if getattr(operation, "_upload_mode", None) == "regular":
            operation.path_or_fileobj = read_unchanged(file)  # the commit sends these very bytes
        elif operation.upload_info.sha256.hex() != file.sha256:
            raise changed_file(file.path)
        else:
            large.append(file)
    refuse_changed(large)
    return additions


def _addition(name: str, file: LocalFile) -> Any:
    """Return the operation that adds a file."""
    from huggingface_hub import CommitOperationAdd

    if not file.path.is_file():
        raise changed_file(file.path)
    return CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(file.path))


def _batches(files: Mapping[str, LocalFile]) -> Iterator[list[str]]:
    """Yield the names of files in groups of moderate size."""
    batch: list[str] = []
    size = 0
    for name in sorted(files):
        if batch and (len(batch) == _BATCH_FILES or size + files[name].bytes > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += files[name].bytes
    if batch:
        yield batch


def _preupload(repository: HubRepository, operations: Sequence[Any], *, create_pr: bool) -> None:
    def request() -> None:
        try:
            repository.api.preupload_lfs_files(
                repository.id,
                additions=operations,
                repo_type=repository.kind,
                revision=MAIN,
                create_pr=create_pr,
                free_memory=False,
            )
        except RuntimeError as error:  # the client's own, around the one that says why
            if isinstance(error.__cause__, Exception):
                raise error.__cause__ from error
            raise ConnectionError(str(error)) from error  # of Xet, which says all in words

    ask(request, repository.id)


@dataclass(frozen=True)
class PlannedCommit:
    """A commit that is to be made once."""

    additions: Sequence[Any]
    """Operations that `upload_files` returned."""
    deleted: Sequence[str]
    """Paths of the repository that the commit deletes."""
    message: str
    """First line of the commit's message."""
    parent: str
    """The commit that it is made after; empty for the first of a repository."""
    is_done: Callable[[str], bool]
    """Whether a revision has just the files that the commit is to have."""
    create_pr: bool = False
    """Whether the commit is made in a pull request of its own."""


def send_commit(repository: HubRepository, planned: PlannedCommit) -> SentCommit:
    """Commit files once: a commit whose answer was lost is found, and not made again.

    Raises:
        InputError: somebody else published since the planned parent.
    """
    from huggingface_hub.errors import HfHubHTTPError

    def landed() -> SentCommit | None:
        if planned.create_pr:
            return open_pull_request(repository, planned.message, planned.is_done)
        return _landed(repository, planned)

    try:
        return ask(_checked_first(landed, lambda: _sent(repository, planned)), repository.id)
    except HfHubHTTPError as error:
        if status_of(error) != 412:
            raise
        done = landed()
        if done is None:
            raise published_meanwhile(repository.id) from error
        return done


def published_meanwhile(repository: str) -> InputError:
    """Return the error of a repository that changed since it was looked at."""
    return InputError(
        f"{repository}: somebody else published there meanwhile, so nothing was changed; look at "
        "their commit, then run again"
    )


def _sent(repository: HubRepository, planned: PlannedCommit) -> SentCommit:
    """Make one try at a commit."""
    from huggingface_hub import CommitOperationDelete

    deletions = [CommitOperationDelete(path_in_repo=path) for path in planned.deleted]
    info = repository.api.create_commit(
        repository.id,
        operations=[*planned.additions, *deletions],
        commit_message=planned.message,
        repo_type=repository.kind,
        parent_commit=planned.parent or None,
        create_pr=planned.create_pr,
    )
    if planned.create_pr:
        return SentCommit(info.oid, info.pr_url, info.pr_revision)
    return SentCommit(info.oid, repository.address, info.oid)


def _landed(repository: HubRepository, planned: PlannedCommit) -> SentCommit | None:
    """Return the commit of a try whose answer was lost; None where none took effect."""
    oids = repository.commits_since(planned.parent)
    done = [oid for oid in oids if planned.is_done(oid)]
    return SentCommit(done[-1], repository.address, done[-1]) if done else None


def open_pull_request(
    repository: HubRepository, title: str, is_done: Callable[[str], bool]
) -> SentCommit | None:
    """Return this user's open pull request of a title with the right files, if there is one.

    Args:
        repository: where it may be open.
        title: the title, which is the first line of its commit's message.
        is_done: whether a revision has just the files that it is to have.
    """
    for number in repository.own_pull_requests(title):
        revision = f"refs/pr/{number}"
        if is_done(revision):
            oid = repository.commit_of(revision)
            return SentCommit(oid, f"{repository.address}/discussions/{number}", revision)
    return None


def _checked_first(
    landed: Callable[[], _Answer | None], request: Callable[[], _Answer]
) -> Callable[[], _Answer]:
    """Return a request that looks, from its second try on, whether an earlier one took effect."""
    tries = iter((False,))

    def checked() -> _Answer:
        is_again = next(tries, True)
        done = landed() if is_again else None
        return request() if done is None else done

    return checked
