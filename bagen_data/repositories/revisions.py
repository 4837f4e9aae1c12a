"""Commits of a dataset on the Hub, and the content revisions that they hold."""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bagen_data.errors import InputError, StoreError
from bagen_data.locations import HubPath
from bagen_data.repositories.dataset_names import SHORTEST, content_revision, is_revision
from bagen_data.repositories.hub_requests import ask
from bagen_data.repositories.snapshots import AT_ONCE, absent, local_file, unknown_revision
from bagen_data.tables import BUILD_RECORD, MANIFEST
from bagen_data.unique_keys import parse_json

if TYPE_CHECKING:
    from huggingface_hub import HfApi

COMMIT = re.compile(r"[0-9a-f]{40}")
"""A whole commit."""
_BEGINNING = re.compile(rf"[0-9a-f]{{{SHORTEST},}}")
"""The beginning of a commit or content revision."""
_MAIN = "main"
_MOST_COMMITS = 200
"""Latest commits among which a content revision is looked for; each costs a request."""


def commit_of(repository: str, revision: str | None, token: str | bool | None = None) -> str:
    """Return the whole commit that a revision of a dataset names.

    With HF_HUB_OFFLINE set, revisions are those that the cache of huggingface_hub has seen.

    Args:
        repository: the id of the dataset.
        revision: a branch, tag or commit, the beginning of a commit, or a content revision or its
            beginning, of which the newest commit is taken; `main` if None.
        token: as huggingface_hub takes it; the stored one, or HF_TOKEN, if None.

    Raises:
        InputError: no such dataset or revision exists, it may not be read, or several commits
            begin so.
        StoreError: the Hub does not answer, or the cache has not seen the revision.
    """
    offline = is_offline()
    name = revision or _MAIN
    if COMMIT.fullmatch(name) and (offline or _cached_name(repository, name)):
        return name
    named = _cached_name(repository, name) if offline else _hub_name(repository, name, token)
    if named is not None:
        return named
    if _BEGINNING.fullmatch(name):
        commits = _cached_commits(repository) if offline else _commits(repository, token)
        begun = [commit for commit in commits if commit.startswith(name)]
        if len(begun) > 1:
            raise InputError(
                f"{repository}: {len(begun)} commits begin with {name}; give more characters"
            )
        if begun:
            return begun[0]
        holding = _commit_with(repository, name, commits[:_MOST_COMMITS], token)
        if holding is not None:
            return holding
    if offline:
        raise StoreError(
            f"{repository}: HF_HUB_OFFLINE is set, and the cache of huggingface_hub has not seen "
            f"revision {name!a:.80}; unset it, or give a commit that was loaded before, or a folder"
        )
    raise unknown_revision(repository, name)


def is_offline() -> bool:
    """Return whether HF_HUB_OFFLINE is set, so that nobody is asked."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached_commit(repository: str, revision: str | None) -> str | None:
    """Return the commit that a revision had when it was last seen; None if it never was.

    Args:
        repository: the id of the dataset.
        revision: a branch, tag or whole commit; `main` if None.
    """
    return _cached_name(repository, revision or _MAIN)


def contents_of(repository: str, names: Iterable[str]) -> dict[str, str]:
    """Return the content revisions of those names that are commits or tags of a dataset.

    Commits are those of the branch `main`, and of tags; a pull request's are not the dataset's.
    Each commit that is named costs a request, and the two lists one each.

    Args:
        repository: the id of the dataset on the Hub.
        names: tags, commits and beginnings of commits; others, and those of commits without a
            `build.json`, are left out.

    Raises:
        InputError, StoreError: as `commit_of`.
    """
    api = _api(None)
    tags = _tags(api, repository)
    commits = _commits(repository, None)
    read = cache(lambda commit: content_of(repository, commit))
    contents = {}
    for name in dict.fromkeys(names):
        begun = [commit for commit in commits if is_revision(name, commit)]
        commit = tags.get(name) or (begun[0] if len(begun) == 1 else None)
        content = None if commit is None else read(commit)
        if content is not None:
            contents[name] = content
    return contents


def names_content(declared: str, revision: str, repository: str | None) -> bool:
    """Return whether a submission's `dataset_revision` names a content revision.

    Args:
        declared: what the submission says.
        revision: the content revision of the dataset.
        repository: the id of the dataset on the Hub, whose commits and tags may name the revision
            as well; None for a folder.

    Raises:
        InputError, StoreError: as `contents_of`; the Hub is asked only where the
        answer depends on it.
    """
    if is_revision(declared, revision):
        return True
    if repository is None:
        return False
    return contents_of(repository, [declared]).get(declared) == revision


def content_of(repository: str, commit: str, token: str | bool | None = None) -> str | None:
    """Return the content revision at a commit; None if its `build.json` is missing or has none.

    Raises:
        InputError, StoreError: as `snapshots.local_file`.
    """
    file = HubPath(repository, commit, BUILD_RECORD)
    try:
        return content_revision(parse_json(local_file(file, token).read_bytes()))
    except (OSError, ValueError):
        return None


def _commit_with(
    repository: str, revision: str, commits: Sequence[str], token: str | bool | None
) -> str | None:
    """Return the first of some commits that holds a content revision; None if none does."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(commits), AT_ONCE):
            some = commits[start : start + AT_ONCE]
            contents = pool.map(lambda commit: content_of(repository, commit, token), some)
            for commit, content in zip(some, contents, strict=True):
                if content is not None and is_revision(revision, content):
                    return commit
    return None


def _api(token: str | bool | None) -> "HfApi":
    from huggingface_hub import HfApi

    return HfApi(token=token)


def _hub_name(repository: str, name: str, token: str | bool | None) -> str | None:
    """Return the commit of a branch, tag or commit; None if the Hub knows no such name.

    The manifest is fetched, and the cache notes the commit, so that the name is known later
    without the Hub.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError

    api = _api(token)
    try:
        info = ask(lambda: api.dataset_info(repository, revision=name), repository)
        note = partial(
            hf_hub_download, repository, MANIFEST, repo_type="dataset", revision=name, token=token
        )
        with suppress(EntryNotFoundError):
            ask(note, repository)
    except RevisionNotFoundError:
        return None
    except HfHubHTTPError as error:
        raise absent(error, repository, name) from error
    return str(info.sha)


def _commits(repository: str, token: str | bool | None) -> Sequence[str]:
    """Return the commits of the branch `main`, newest first, and those of tags beside it."""
    from huggingface_hub.errors import HfHubHTTPError

    api = _api(token)
    try:
        listed = ask(
            lambda: api.list_repo_commits(repository, repo_type="dataset", revision=_MAIN),
            repository,
        )
    except HfHubHTTPError as error:
        raise absent(error, repository, _MAIN) from error
    commits = [each.commit_id for each in listed]
    return list(dict.fromkeys([*commits, *_tags(api, repository).values()]))


def _tags(api: "HfApi", repository: str) -> dict[str, str]:
    """Return the commits of a dataset's tags."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        refs = ask(lambda: api.list_repo_refs(repository, repo_type="dataset"), repository)
    except HfHubHTTPError as error:
        raise absent(error, repository, _MAIN) from error
    return {tag.name: tag.target_commit for tag in refs.tags}


def _cached_name(repository: str, name: str) -> str | None:
    """Return the commit that a name had when it was last seen; None if it never was."""
    from huggingface_hub import try_to_load_from_cache

    for file in (MANIFEST, BUILD_RECORD):
        copy = try_to_load_from_cache(repository, file, repo_type="dataset", revision=name)
        if isinstance(copy, str):
            return Path(copy).parent.name
    return None


def _cached_commits(repository: str) -> Sequence[str]:
    """Return the commits that the cache has files of, those used last first."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    name = repo_folder_name(repo_id=repository, repo_type="dataset")
    folder = Path(constants.HF_HUB_CACHE, name, "snapshots")
    if not folder.is_dir():
        return []
    newest_first = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.name for path in newest_first]
