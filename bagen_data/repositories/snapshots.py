"""Files of one commit of a dataset on the Hub, kept in the cache of huggingface_hub.

A commit never changes, so what the cache has is not asked for again, and is read without the Hub.
"""

import errno
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.locations import HubPath
from bagen_data.repositories.hub_requests import ask, has_answered

_PLAIN = re.compile(r"(?!.*(?:^|/)\.{0,2}(?:/|$))[^\\\x00-\x1f]+")
"""A path that leads to a place below the root of a repository."""

AT_ONCE = 8
"""Files that are fetched at once."""


def local_file(file: HubPath, token: str | bool | None = None) -> Path:
    """Return the copy of a file in the cache, which is fetched if it is not there.

    Args:
        file: a file of a commit.
        token: as huggingface_hub takes it; the stored one, or HF_TOKEN, if None.

    Raises:
        FileNotFoundError: the commit has no such file.
        InputError: no such repository or commit exists, it may not be read, or the name leads
            out of the repository.
        StoreError: the Hub does not answer, or HF_HUB_OFFLINE is set and the cache has no copy.
    """
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    if not _PLAIN.fullmatch(file.path):
        raise InputError(f"{file}: is not the name of a file in a repository")
    cached = try_to_load_from_cache(
        file.repository, file.path, repo_type="dataset", revision=file.commit
    )
    if isinstance(cached, str):
        return Path(cached)

    fetch = partial(
        hf_hub_download,
        file.repository,
        file.path,
        repo_type="dataset",
        revision=file.commit,
        token=token,
    )
    try:
        if not has_answered():  # a download without the Hub takes minutes to say so
            api = HfApi(token=token)
            ask(lambda: api.dataset_info(file.repository, revision=file.commit), file.repository)
        return Path(ask(fetch, file.repository))
    except EntryNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "the commit has no such file", str(file)) from error
    except HfHubHTTPError as error:
        raise absent(error, file.repository, file.commit) from error


def local_files(files: Sequence[HubPath], token: str | bool | None = None) -> list[Path]:
    """Return the copies of files in the cache, several of which are fetched at once.

    Raises:
        as `local_file`.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(local_file, token=token), files))


def list_names_at(dataset: HubPath) -> set[str]:
    """Return the paths of all files of a commit.

    Raises:
        InputError: no such repository or commit exists, or it may not be read.
        StoreError: the Hub does not answer.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    listing = partial(
        api.list_repo_files, dataset.repository, repo_type="dataset", revision=dataset.commit
    )
    try:
        return set(ask(listing, dataset.repository))
    except HfHubHTTPError as error:
        raise absent(error, dataset.repository, dataset.commit) from error


def absent(error: Exception, repository: str, revision: str) -> Exception:
    """Return the error that says what the Hub does not have: the repository, or the revision.

    Args:
        error: an error of huggingface_hub; returned as it is if it says something else.
        repository: the id of the dataset.
        revision: the revision that was asked for.
    """
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, RepositoryNotFoundError):
        return InputError(
            f"{repository}: the Hub has no such dataset, or it is private; check the name, or log "
            "in with 'hf auth login' or set HF_TOKEN to a token that may read it"
        )
    if isinstance(error, RevisionNotFoundError):
        return unknown_revision(repository, revision)
    return error


def unknown_revision(repository: str, revision: str) -> InputError:
    """Return the error that a dataset of the Hub has no such revision."""
    return InputError(
        f"{repository}: has no revision {revision!a:.80}; expected a branch, a tag, a commit, or "
        "'revision' of the build.json of one, or the first 7 characters or more of these two"
    )
