"""The names of the submissions in the branch `main`, which a new one must not look like."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.repositories.handing_in import SUBMISSIONS
from bagen_data.repositories.repository_files import RemoteFile
from bagen_data.submission_folder import check_name
from bagen_data.submissions import METADATA, METADATA_BYTES, metadata_in
from bagen_data.tables import to_json
from leaderboard.build_results import shown_name
from leaderboard.cache import Cache
from leaderboard.handed_in.downloads import Downloads
from leaderboard.handed_in.trees import Tree
from leaderboard.look_alikes import ShownName, look_alikes


def names_of_main(tree: Tree, downloads: Downloads, cache: Cache) -> list[ShownName]:
    """Return the names that submissions of a commit show; those that cannot be read have none.

    Args:
        tree: the files of the commit.
        downloads: downloads from that commit.
        cache: names of metadata that were read before, by hash.

    Raises:
        InputError, StoreError: as `Downloads.file`.
    """
    names = []
    for path, file in sorted(tree.below(SUBMISSIONS).items()):
        folder, _, name = path.partition("/")
        if name == METADATA and file.bytes <= METADATA_BYTES:
            shown = _name_of(folder, path, file, downloads, cache)
            names += [] if shown is None else [shown]
    return names


def _name_of(
    folder: str, path: str, file: RemoteFile, downloads: Downloads, cache: Cache
) -> ShownName | None:
    key = cache.key({"metadata": [file.blob_id, file.sha256]})
    cached = cache.get(key)
    if cached is not None:
        content = json.loads(cached[0])
        return None if content is None else ShownName(folder, *content)
    data = downloads.file(f"{SUBMISSIONS}/{path}", file).read_bytes()
    try:
        check_name(folder)
        shown = shown_name(folder, metadata_in(BytesIO(data), Path(path)))
    except InputError:
        shown = None
    cache.put(key, to_json(None if shown is None else [shown.estimator, shown.date]), {})
    return shown


def name_problem(own: ShownName, others: list[ShownName], of_paper: list[str]) -> str | None:
    """Return why a new submission is refused for its name; None if it is not.

    The author states the date of a submission. So a new submission is refused also where its date
    is the earlier one, which would displace another submission.

    Args:
        own: the names of the new submission.
        others: the names of the submissions in `main`.
        of_paper: estimators that no submission can displace.

    >>> mine = ShownName("a", "GPT-4l", "2025-01-01")
    >>> name_problem(mine, [ShownName("b", "GPT-4I", "2026-01-01")], [])
    "its name looks like that of the submission 'b', which is on the board; give it another one"
    """
    rest = [name for name in others if name.folder != own.folder]
    before = look_alikes(rest, of_paper)
    after: Mapping[str, str] = look_alikes([*rest, own], of_paper)
    if own.folder in after:
        return after[own.folder]
    displaced = sorted(after.keys() - before.keys())
    if not displaced:
        return None
    return (
        f"its name looks like that of the submission {displaced[0]!a}, which is on the board; give "
        "it another one"
    )
