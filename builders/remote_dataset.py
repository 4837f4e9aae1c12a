"""The dataset that a repository holds before another one is published there."""

from dataclasses import dataclass

from bagen_data.errors import InputError, OutputError
from bagen_data.repositories.hub_repository import (
    HubRepository,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.publishing import Seen
from bagen_data.tables import BUILD_RECORD, MANIFEST, is_sealed, parse_jsonl
from bagen_data.unique_keys import parse_json

_PARQUET = ".parquet"


@dataclass(frozen=True)
class RemoteDataset:
    """The dataset that a repository holds."""

    seen: Seen
    is_hidden: bool | None
    """Whether the repository holds a hidden split; None where it holds no dataset of ours."""
    data: frozenset[str]
    """The data files that its manifest names."""


def look(repository_id: str) -> RemoteDataset:
    """Return what a repository holds.

    Raises:
        InputError: the Hub refuses.
        StoreError: the Hub does not answer.
    """
    repository = HubRepository(repository_id, "dataset", find_token())
    with named_refusals(repository_id), quiet_client():
        head = repository.head()
        record_copy = repository.download(BUILD_RECORD, head) if head else None
        manifest_copy = repository.download(MANIFEST, head) if head else None
    try:
        record = None if record_copy is None else parse_json(record_copy.read_bytes())
        rows = [] if manifest_copy is None else parse_jsonl(manifest_copy.read_bytes(), MANIFEST)
    except (OSError, ValueError, InputError):  # none of ours, so it names nothing of ours
        return RemoteDataset(Seen(head), None, frozenset())
    paths = [row.get("path") for row in rows if isinstance(row, dict)]
    return RemoteDataset(
        Seen(head),
        "key_sha256" in record if isinstance(record, dict) and is_sealed(record) else None,
        frozenset(path for path in paths if isinstance(path, str) and path.endswith(_PARQUET)),
    )


def refuse_other_kind(repository_id: str, remote: RemoteDataset, *, is_hidden: bool) -> None:
    """Refuse to publish a hidden split over a dataset with labels, and the other way round.

    Raises:
        OutputError: the repository holds a dataset of the other kind.
    """
    if remote.is_hidden is not None and remote.is_hidden != is_hidden:
        kinds = ("a dataset with labels", "the public part of a hidden split")
        raise OutputError(
            f"{repository_id}: holds {kinds[not is_hidden]}, and {kinds[is_hidden]} is not "
            "published over it; give a repository of its own"
        )
