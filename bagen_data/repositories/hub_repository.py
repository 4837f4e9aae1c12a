"""A repository of the Hub: what it holds, its tags, and where it is shown."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from warnings import catch_warnings, simplefilter

from bagen_data.errors import BagenError, InputError, WrongUsageError
from bagen_data.redaction import redact, remember
from bagen_data.repositories.hub_requests import ask, status_of
from bagen_data.repositories.repository_files import LocalFile, RemoteFile, hash_file

RepositoryKind = Literal["dataset", "model", "space"]
MAIN = "main"
"""The branch that is published to."""
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,98}[A-Za-z0-9])?")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_MOST_COMMITS = 50
"""Commits that are looked through for one of ours whose answer was lost."""


@dataclass(frozen=True)
class HubRepository:
    """A repository of the Hub, and the token that it is asked with.

    Every method raises InputError where the Hub refuses, and StoreError where it does not answer.
    """

    id: str
    kind: RepositoryKind
    token: str | None = None

    @cached_property
    def api(self) -> Any:
        """The client, which sends the token or none."""
        from huggingface_hub import HfApi

        return HfApi(token=self.token or False)

    @property
    def address(self) -> str:
        """The repository's page."""
        folder = "" if self.kind == "model" else f"{self.kind}s/"
        return f"{self.api.endpoint}/{folder}{self.id}"

    def head(self) -> str | None:
        """Return the newest commit of the branch `main`; None if the repository is missing.

        Without a token None may also be a private one: both are answered with status 401.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return self.commit_of(None)
        except RepositoryNotFoundError:
            return None
        except InputError as error:
            if self.token is None and error.__cause__ and status_of(error.__cause__) == 401:
                return None
            raise

    def commit_of(self, revision: str | None) -> str:
        """Return the commit of a revision, of `main` if None; empty if it has no commit."""
        info = ask(
            lambda: self.api.repo_info(self.id, repo_type=self.kind, revision=revision), self.id
        )
        return info.sha or ""

    def is_private(self) -> bool:
        """Return whether only its owners see the repository."""
        info = ask(lambda: self.api.repo_info(self.id, repo_type=self.kind), self.id)
        return bool(info.private)

    def files(
        self, revision: str, beside: Mapping[str, LocalFile] = MappingProxyType({})
    ) -> dict[str, RemoteFile]:
        """Return the files of a revision by path; none of a repository without commits.

        Args:
            revision: the revision.
            beside: files by path that they are compared with: one of the same size that is listed
                by another id is fetched, as servers other than the Hub may count ids in their way.
        """
        from huggingface_hub import RepoFile

        if not revision:
            return {}
        entries = ask(
            lambda: list(
                self.api.list_repo_tree(
                    self.id, recursive=True, revision=revision, repo_type=self.kind
                )
            ),
            self.id,
        )
        listed = {
            entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs and entry.lfs.sha256)
            for entry in entries
            if isinstance(entry, RepoFile)
        }
        return {
            path: self._fetched(path, file, revision) if file.may_be(beside.get(path)) else file
            for path, file in listed.items()
        }

    def _fetched(self, path: str, listed: RemoteFile, revision: str) -> RemoteFile:
        """Return a file with the git hash of its content."""
        copy = self.download(path, revision)
        return listed if copy is None else replace(listed, blob_id=hash_file(copy).blob_id)

    def download(self, path: str, revision: str) -> Path | None:
        """Return the copy of a file in the client's cache; None where the revision has none."""
        from huggingface_hub.errors import EntryNotFoundError

        try:
            copy = ask(
                lambda: self.api.hf_hub_download(
                    self.id, path, repo_type=self.kind, revision=revision
                ),
                self.id,
            )
        except EntryNotFoundError:
            return None
        return Path(copy)

    def tagged_commit(self, tag: str) -> str | None:
        """Return the commit of a tag; None if it has no such tag.

        Raises:
            WrongUsageError: a branch has that name.
        """
        refs = ask(lambda: self.api.list_repo_refs(self.id, repo_type=self.kind), self.id)
        if any(branch.name == tag for branch in refs.branches):
            raise WrongUsageError(f"--tag {tag}: {self.id} has a branch of that name; give another")
        commits = [ref.target_commit for ref in refs.tags if ref.name == tag]
        return commits[0] if commits else None

    def commits_since(self, parent: str) -> list[str]:
        """Return the commits of `main` that came after one of them, the newest first."""
        commits = ask(
            lambda: self.api.list_repo_commits(self.id, repo_type=self.kind, revision=MAIN),
            self.id,
        )
        newer = []
        for commit in commits[:_MOST_COMMITS]:
            if commit.commit_id == parent:
                break
            newer.append(commit.commit_id)
        return newer

    def own_pull_requests(self, title: str) -> list[int]:
        """Return the numbers of the open pull requests that this user opened with a title."""
        user = ask(self.api.whoami, self.id)["name"]
        opened = ask(
            lambda: list(
                self.api.get_repo_discussions(
                    self.id,
                    repo_type=self.kind,
                    author=user,
                    discussion_type="pull_request",
                    discussion_status="open",
                )
            ),
            self.id,
        )
        return [
            each.num
            for each in opened
            if each.is_pull_request and each.author == user and each.title == title
        ]


def check_repository_id(flag: str, text: str) -> str:
    """Return the id of a repository.

    Raises:
        WrongUsageError: the text is not ORG/NAME.

    >>> check_repository_id("--to", "MLL-Lab/BAGEN")
    'MLL-Lab/BAGEN'
    """
    parts = text.split("/")
    is_id = len(parts) == 2 and all(map(_PART.fullmatch, parts)) and len(text) <= 96
    if not is_id or "--" in text or ".." in text or text.endswith(".git"):
        raise WrongUsageError(f"{flag} {text}: expected ORG/NAME, such as MLL-Lab/BAGEN")
    return text


def check_tag(tag: str) -> str:
    """Return the name of a tag.

    Raises:
        WrongUsageError: the text cannot be a tag, or could be taken for a commit or the branch.
    """
    is_name = _TAG.fullmatch(tag) and ".." not in tag and not tag.endswith(".lock")
    if not is_name or tag == MAIN or _COMMIT.fullmatch(tag):
        raise WrongUsageError(f"--tag {tag}: expected the name of a version, such as v2.0")
    return tag


def find_token() -> str | None:
    """Return the token of HF_TOKEN or of `hf auth login`, which no message shows from now on."""
    from huggingface_hub import get_token

    token: str | None = get_token()
    remember(token)
    return token


@contextmanager
def named_refusals(repository: str) -> Iterator[None]:
    """Turn whatever the Hub refuses in the block into an error that names the repository.

    Raises:
        InputError: the Hub answered with a status that nothing in the block took care of.
    """
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        yield
    except BagenError:
        raise
    except RepositoryNotFoundError as error:
        raise InputError(
            f"{repository}: is not on the Hub, or the token may not see it; log in with 'hf auth "
            "login', or set HF_TOKEN to a token that may"
        ) from error
    except (HfHubHTTPError, ValueError) as error:
        status = status_of(error)
        answer = "refuses this" if status is None else f"refuses this with status {status}"
        text = redact(getattr(error, "server_message", None) or str(error)).strip()
        raise InputError(f"{repository}: the Hub {answer}: {text}") from error


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keep the client's own progress bars and warnings, which name signed addresses, off stderr."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    level = logging.get_verbosity()
    had_bars = not are_progress_bars_disabled()
    logging.set_verbosity_error()
    with (
        catch_warnings()
    ):  # of data in a Space, and of bars that HF_HUB_DISABLE_PROGRESS_BARS=0 asks
        simplefilter("ignore", UserWarning)
        disable_progress_bars()
        try:
            yield
        finally:
            logging.set_verbosity(level)
            if had_bars:
                enable_progress_bars()
