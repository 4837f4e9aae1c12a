"""Give a repository of the Hub exactly our files, by one commit, and see that they arrived."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.repositories.commit_sending import (
    PlannedCommit,
    SentCommit,
    open_pull_request,
    published_meanwhile,
    send_commit,
    upload_files,
)
from bagen_data.repositories.hub_repository import (
    HubRepository,
    RepositoryKind,
    check_repository_id,
    check_tag,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.hub_requests import ask, status_of
from bagen_data.repositories.repository_files import (
    Changes,
    LocalFile,
    changed_file,
    changes_between,
    hash_file,
    read_unchanged,
)
from bagen_data.wording import numbered

_OF_NEW = {".gitattributes", "README.md"}
"""Files that the Hub puts into a repository when it is created."""
_MOST_TEXT = 10_000_000
"""Bytes of a file that is searched for the token."""
_LOG_IN = "log in with 'hf auth login', or set HF_TOKEN to a token that may write there"


@dataclass(frozen=True)
class Seen:
    """The state of a repository when it was looked at."""

    head: str | None
    """The newest commit of main; None where there was no repository."""


@dataclass(frozen=True)
class Publication:
    """Everything that a repository is to have, and how it is handed in."""

    repository: str
    """Id, ORG/NAME."""
    files: Mapping[str, Path]
    """The files to publish, by path in the repository."""
    message: str
    """First line of the commit's message, and title of a pull request."""
    is_ours: Callable[[str], bool] = lambda _: False
    """Whether a file of the repository that is not in `files` is a stale one of ours."""
    kind: RepositoryKind = "dataset"
    space_sdk: str | None = None
    """SDK of a Space that is created."""
    private: bool = False
    """Whether a repository that is created is private; a public one that exists is refused."""
    tag: str | None = None
    create_pr: bool = False
    """Whether a pull request is opened and the branch `main` left alone."""
    dry_run: bool = False
    """Whether nothing is sent, created or tagged."""
    seen: Seen | None = None
    """The state of the repository when it was looked at; any commit since then is refused."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """The sha256 that files must have, of those that are known, by path in the repository."""


@dataclass(frozen=True)
class PublishedRepository:
    """A repository after it was published to, or as it would be after a dry run."""

    commit: str
    """The commit that has the files; empty where nothing was sent."""
    address: str
    """The repository's page, or that of the pull request."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]
    foreign: tuple[str, ...]
    """Files of others, which stayed."""
    is_created: bool = False
    """Whether the repository did not exist before."""

    @classmethod
    def of(
        cls, changes: Changes, commit: str, address: str, *, is_created: bool
    ) -> "PublishedRepository":
        """Return the outcome of these changes."""
        return cls(
            commit=commit,
            address=address,
            added=changes.added,
            changed=changes.changed,
            deleted=changes.deleted,
            unchanged=changes.unchanged,
            foreign=changes.foreign,
            is_created=is_created,
        )


@dataclass(frozen=True)
class Watch:
    """Functions that are called while files are published."""

    say: Callable[[str], None] = lambda _: None
    """Called with a sentence on each step."""
    sending: Callable[[int], None] = lambda _: None
    """Called with the number of bytes that are to be sent."""
    sent: Callable[[int], None] = lambda _: None
    """Called with the number of bytes that were sent more."""


_UNWATCHED = Watch()


def publish(publication: Publication, watch: Watch = _UNWATCHED) -> PublishedRepository:
    """Give a repository exactly these files, by one commit; files of others stay.

    A rerun finishes what was interrupted, and sends nothing again that arrived. Nothing is
    committed where the repository has the files already.

    Args:
        publication: what is published, and where.
        watch: functions that hear of each step.

    Raises:
        WrongUsageError: the id or the tag cannot be one, or a tag is wanted of a pull request.
        InputError: a file cannot be read or changes meanwhile, no token is set, the Hub refuses,
            the tag is of another state, or somebody else published meanwhile.
        StoreError: the Hub does not answer.
    """
    check_target(publication.repository, publication.tag, create_pr=publication.create_pr)
    token = check_token(publication.repository, dry_run=publication.dry_run)
    files = _hashed(publication)
    _refuse_token(files.values(), token)
    repository = HubRepository(publication.repository, publication.kind, token)
    with named_refusals(repository.id), quiet_client():
        return _publish(publication, repository, files, watch)


def check_target(repository: str, tag: str | None, *, create_pr: bool) -> None:
    """Refuse an id, or a tag, that cannot be one.

    Raises:
        WrongUsageError: naming the option.
    """
    check_repository_id("--to", repository)
    if tag is not None:
        check_tag(tag)
        if create_pr:
            raise WrongUsageError(
                f"--tag {tag}: is for a commit of main, and --create-pr makes none; tag the commit "
                "when the pull request is merged"
            )


def check_token(repository: str, *, dry_run: bool) -> str | None:
    """Return the token to publish with; a dry run may have none.

    Raises:
        InputError: no token is set.
    """
    token = find_token()
    if token is None and not dry_run:
        raise InputError(f"{repository}: publishing needs a token; {_LOG_IN}")
    return token


def _hashed(publication: Publication) -> dict[str, LocalFile]:
    files = {name: hash_file(path) for name, path in publication.files.items()}
    for name, sha256 in publication.hashes.items():
        if files[name].sha256 != sha256:
            raise changed_file(files[name].path)
    return files


def _refuse_token(files: Iterable[LocalFile], token: str | None) -> None:
    """Refuse a file that holds the token; it is looked for in those that are not data.

    Raises:
        InputError: naming the file.
    """
    for file in files:
        if token and file.bytes <= _MOST_TEXT and token.encode() in read_unchanged(file):
            raise InputError(f"{file.path}: holds the token that it would be published with")


def _publish(
    publication: Publication,
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    watch: Watch,
) -> PublishedRepository:
    parent = repository.head()
    is_created = parent is None
    if publication.seen is not None and publication.seen.head != parent:
        raise published_meanwhile(repository.id)
    if parent is None and publication.create_pr:
        raise InputError(
            f"{repository.id}: is not on the Hub, or the token may not see it, so no pull request "
            "can be opened; check the id, or log in with 'hf auth login'"
        )
    if parent is not None and publication.private and not repository.is_private():
        raise InputError(
            f"{repository.id}: is public, and --private is for a repository that is created; make "
            "it private on its page, or leave --private out"
        )
    present = repository.files(parent or "", files)
    changes = changes_between(present, files, publication.is_ours)
    tagged = None
    if publication.tag is not None and parent is not None:
        tagged = _check_tag_fits(publication, repository, files, publication.tag)
    if publication.dry_run:
        return PublishedRepository.of(changes, "", repository.address, is_created=is_created)
    if parent is None:
        parent = _created(publication, repository)
        watch.say(f"{repository.id}: was created")
        present = repository.files(parent, files)
        if not present.keys() <= _OF_NEW:
            raise published_meanwhile(repository.id)
        changes = changes_between(present, files, publication.is_ours)
    if changes:
        commit = _commit(publication, repository, files, (parent, changes), watch)
    else:
        commit = SentCommit(parent, repository.address, parent)
        watch.say(f"{repository.id}: has these files already; nothing is committed")
    _check_arrived(repository, files, commit, publication.is_ours)
    if publication.tag is not None and tagged is None:
        _set_tag(publication, repository, files, commit.oid)
        watch.say(f"{repository.id}: {commit.oid} is tagged {publication.tag}")
    return PublishedRepository.of(changes, commit.oid, commit.address, is_created=is_created)


def _check_tag_fits(
    publication: Publication,
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    tag: str,
) -> str | None:
    """Return the commit of a tag that is of the files to publish; None if it has no such tag.

    Raises:
        InputError: the tag is of other files.
    """
    commit = repository.tagged_commit(tag)
    if commit is None:
        return None
    if changes_between(repository.files(commit, files), files, publication.is_ours):
        raise InputError(
            f"{repository.id}: the tag {tag} is of other files, at commit {commit}; nothing was "
            "changed: give another --tag"
        )
    return commit


def _created(publication: Publication, repository: HubRepository) -> str:
    """Create the repository, and return its first commit; empty where it has none."""
    ask(
        lambda: repository.api.create_repo(
            repository.id,
            repo_type=publication.kind,
            private=publication.private or None,
            space_sdk=publication.space_sdk,
            exist_ok=True,
        ),
        repository.id,
    )
    return repository.head() or ""


def _commit(
    publication: Publication,
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    planned: tuple[str, Changes],
    watch: Watch,
) -> SentCommit:
    """Send what the repository lacks, and commit it."""
    parent, changes = planned

    def is_done(revision: str) -> bool:
        return not changes_between(repository.files(revision, files), files, publication.is_ours)

    if publication.create_pr:
        is_open = open_pull_request(repository, publication.message, is_done)
        if is_open is not None:
            watch.say(f"{repository.id}: a pull request with these files is open already")
            return is_open
    sent = {name: files[name] for name in changes.sent}
    size = sum(file.bytes for file in sent.values())
    watch.sending(size)
    if sent:
        watch.say(f"{repository.id}: sending {numbered(len(sent), 'file')}, {size:,} bytes")
    additions = upload_files(repository, sent, watch.sent, create_pr=publication.create_pr)
    watch.say(f"{repository.id}: committing")
    return send_commit(
        repository,
        PlannedCommit(
            additions=additions,
            deleted=changes.deleted,
            message=publication.message,
            parent=parent,
            is_done=is_done,
            create_pr=publication.create_pr,
        ),
    )


def _check_arrived(
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    commit: SentCommit,
    is_ours: Callable[[str], bool],
) -> None:
    """Compare a commit with the files that it is to have.

    Raises:
        InputError: it has others.
    """
    missing = changes_between(repository.files(commit.revision, files), files, is_ours)
    if missing:
        wrong = [
            *(f"  {path}: is missing" for path in missing.added),
            *(f"  {path}: arrived with another content" for path in missing.changed),
            *(f"  {path}: is stale and still there" for path in missing.deleted),
        ]
        raise InputError(
            "\n".join(
                [f"{repository.id}: commit {commit.oid} is not what was sent; run again", *wrong]
            )
        )


def _set_tag(
    publication: Publication,
    repository: HubRepository,
    files: Mapping[str, LocalFile],
    commit: str,
) -> None:
    """Tag a commit, unless its files were tagged so meanwhile."""
    from huggingface_hub.errors import HfHubHTTPError

    tag = publication.tag or ""
    try:
        ask(
            lambda: repository.api.create_tag(
                repository.id, tag=tag, revision=commit, repo_type=repository.kind
            ),
            repository.id,
        )
    except HfHubHTTPError as error:
        if status_of(error) != 409:  # set by somebody else, or by a try whose answer was lost
            raise
        _check_tag_fits(publication, repository, files, tag)
