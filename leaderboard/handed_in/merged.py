"""The submissions that were merged: downloaded from one commit of the branch `main`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.repositories.handing_in import SUBMISSIONS
from bagen_data.repositories.hub_requests import ask
from bagen_data.repositories.repository_files import RemoteFile
from bagen_data.submission_folder import MOST_SUBMISSIONS, is_predictions
from bagen_data.submissions import METADATA
from leaderboard.build_results import CheckedSubmission
from leaderboard.handed_in.downloads import Downloads
from leaderboard.handed_in.proposals import check_files
from leaderboard.handed_in.trees import SubmissionsRepository


@dataclass(frozen=True)
class MergedSubmissions:
    """The submissions of one commit."""

    commit: str
    """The whole id of the commit."""
    folders: tuple[Path, ...]
    """Copies of the submissions that are within the limits."""
    refused: tuple[CheckedSubmission, ...]
    """Submissions with a listing beyond the limits; nothing of them was downloaded."""
    files_url: str
    """Address of the folder of submissions, at the commit that changed it last."""


def download_merged(
    repository: SubmissionsRepository, configs: Sequence[str], target: Path
) -> MergedSubmissions:
    """Copy the submissions, if there are any, of the newest commit of `main` into a folder.

    Args:
        repository: the repository of submissions.
        configs: the configs that a submission may answer.
        target: the folder, which is empty.

    Raises:
        InputError: there are more submissions than a board takes; the Hub refuses.
        StoreError: the Hub does not answer.
        OSError: a file cannot be written.
    """
    commit = repository.main()
    by_name = _by_name(repository.tree_of_main(commit).below(SUBMISSIONS))
    if len(by_name) > MOST_SUBMISSIONS:
        raise InputError(
            f"{repository.hub.id}: holds {len(by_name):,} submissions; expected at most "
            f"{MOST_SUBMISSIONS:,}"
        )
    downloads = Downloads(repository.hub, commit)
    folders, refused = [], []
    for name, files in sorted(by_name.items()):
        read = {path: file for path, file in files.items() if _is_read(path)}
        try:
            check_files(name, read, configs)
        except InputError as error:
            reasons = tuple(str(error).splitlines())
            refused.append(CheckedSubmission(name, None, None, reasons))
        else:
            folders.append(downloads.submission(name, read, target))
    hub = repository.hub
    changed = _last_change(repository, commit)
    url = f"{hub.address}/resolve/{changed}/{SUBMISSIONS}"
    return MergedSubmissions(commit, tuple(folders), tuple(refused), url)


def _by_name(files: Mapping[str, RemoteFile]) -> dict[str, dict[str, RemoteFile]]:
    """Return the files of each submission by their path in its folder."""
    by_name: dict[str, dict[str, RemoteFile]] = {}
    for path, file in files.items():
        name, slash, own = path.partition("/")
        if slash and not name.startswith("."):
            by_name.setdefault(name, {})[own] = file
    return by_name


def _is_read(path: str) -> bool:
    """Return whether a file of a submission is downloaded and read."""
    return path == METADATA or (is_predictions(path) and "/" not in path)


def _last_change(repository: SubmissionsRepository, commit: str) -> str:
    """Return the commit that changed the folder of submissions last.

    The site names it, so that it stays the same where other files of the repository change.
    """
    hub = repository.hub
    entries = ask(
        lambda: list(
            hub.api.list_repo_tree(hub.id, revision=commit, expand=True, repo_type=hub.kind)
        ),
        hub.id,
    )
    for entry in entries:
        if entry.path == SUBMISSIONS and entry.last_commit is not None:
            oid: str = entry.last_commit.oid
            return oid
    return commit
