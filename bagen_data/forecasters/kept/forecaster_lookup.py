"""Find a kept forecaster by its name: a folder, or ORG/NAME or ORG/NAME@REV on the Hub."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters.kept.forecaster_files import (
    LARGEST,
    file_content,
    read_folder,
    read_forecaster,
    too_large,
)
from bagen_data.forecasters.kept.kept_forecaster import KeptForecaster
from bagen_data.replaced_folder import bring_back

_MAIN = "main"


def load_forecaster(name: str | Path) -> KeptForecaster:
    """Return a forecaster that was saved; nothing of its files is run.

    Args:
        name: a folder, or ORG/NAME or ORG/NAME@REV of a model on the Hub, REV a branch, tag or
            commit. A folder of the very name wins over the Hub.

    Raises:
        InputError: the forecaster does not exist, or cannot be used.
        StoreError: the Hub does not answer, or HF_HUB_OFFLINE is set and the cache has no copy.
    """
    folder, text = Path(name), str(name)
    if _is_folder(folder):
        return read_folder(folder)
    repository, _, revision = text.partition("@")
    if not _is_on_hub(repository) or text.endswith("@"):
        raise InputError(
            f"{text}: no such folder; expected one that 'bagen fit' wrote, or a "
            "forecaster on the Hub as ORG/NAME or ORG/NAME@REVISION"
        )
    return _fetched(repository, revision or None)


def _is_folder(path: Path) -> bool:
    """Return whether a folder is there; one that a killed process had moved away is one, too.

    Raises:
        InputError: the path cannot be one, or may not be looked at.
    """
    try:
        bring_back(path)
        return path.is_dir()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{str(path)!a:.80}: cannot be looked at: {reason}; expected the folder of a "
            "forecaster that 'bagen fit' wrote"
        ) from error


def _is_on_hub(text: str) -> bool:
    """Return whether a text can only be the id of a repository."""
    from bagen_data.repositories.hub_repository import check_repository_id

    try:
        check_repository_id("", text)
    except WrongUsageError:
        return False
    return not os.path.exists(text.partition("/")[0])


def _fetched(name: str, revision: str | None) -> KeptForecaster:
    """Return the forecaster of a repository, all of whose files are of one commit."""
    from huggingface_hub import constants

    from bagen_data.repositories.hub_repository import HubRepository, find_token, quiet_client

    repository = HubRepository(name, "model", find_token())
    with quiet_client(), _named_absence(name, revision):
        if constants.HF_HUB_OFFLINE:
            commit, sizes = revision or _MAIN, {}
        else:
            commit = repository.commit_of(revision)
            sizes = {path: file.bytes for path, file in repository.files(commit).items()}

        def read(file: str) -> bytes:
            if sizes.get(file, 0) > LARGEST[file]:
                raise too_large(sizes[file], LARGEST[file])
            copy = repository.download(file, commit)
            if copy is None:
                raise FileNotFoundError(file)
            return file_content(copy, LARGEST[file])

        return read_forecaster(read, name if revision is None else f"{name}@{revision}")


@contextmanager
def _named_absence(name: str, revision: str | None) -> Iterator[None]:
    """Turn the Hub's answer that it has no such model or revision into an error that says so.

    Raises:
        InputError: it has none, or refuses to say.
    """
    from huggingface_hub.errors import RevisionNotFoundError

    from bagen_data.repositories.hub_repository import named_refusals

    with named_refusals(name):
        try:
            yield
        except RevisionNotFoundError as error:
            raise InputError(
                f"{name}: has no revision {revision!a:.80}; expected a branch, a tag or a commit"
            ) from error
