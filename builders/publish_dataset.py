"""Publish a built dataset: exactly its files, with a card and a manifest that name its id."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bagen_data.errors import BuildChangedError, InputError
from bagen_data.locations import Location
from bagen_data.repositories.hub_repository import (
    HubRepository,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.publishing import (
    Publication,
    PublishedRepository,
    check_target,
    check_token,
)
from bagen_data.tables import BUILD_RECORD, MANIFEST, METADATA, read_jsonl
from bagen_data.unique_keys import parse_json
from builders.dataset_writer import metadata_files
from builders.hidden.hidden_build import KEY, PUBLIC
from builders.remote_dataset import RemoteDataset, look, refuse_other_kind
from builders.verify import local_dataset, verify

_DATA, _PARQUET = "data/", ".parquet"


@dataclass(frozen=True)
class DatasetPublication:
    """A built dataset, and the repository that it is published to."""

    folder: Location
    repository: str
    tag: str | None = None
    private: bool = False
    create_pr: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class PublishedDataset:
    """A dataset that was published, or would be after a dry run."""

    publication: Publication
    published: PublishedRepository
    verified: int
    """Data files that were fetched and verified as they were built; 0 after a dry run."""


def publish_dataset(
    wanted: DatasetPublication, publish: Callable[[Publication], PublishedRepository]
) -> PublishedDataset:
    """Verify a built dataset, publish exactly its files, and verify what arrived.

    Args:
        wanted: what is published, and where.
        publish: `bagen_data.repositories.publishing.publish`, or a function that shows its steps.

    Raises:
        InputError: the folder is not a built dataset or the key of a hidden split, or the Hub
            refuses.
        BuildChangedError: the folder, or what arrived, is not what was built.
        OutputError: the repository holds a dataset of another kind.
        StoreError: the Hub or a store does not answer.
    """
    check_target(wanted.repository, wanted.tag, create_pr=wanted.create_pr)
    with local_dataset(wanted.folder) as folder, TemporaryDirectory(prefix="bagen-publish-") as own:
        refuse_key(folder)
        check_token(wanted.repository, dry_run=wanted.dry_run)
        remote = look(wanted.repository)  # before the long part, so that others are noticed
        verify(folder)
        publication = _publication(wanted, remote, folder, Path(own))
        published = publish(publication)
        verified = _verify_arrived(publication, published.commit) if published.commit else 0
    return PublishedDataset(publication, published, verified)


def refuse_key(folder: Path) -> None:
    """Refuse the key of a hidden split, and a folder that holds one.

    Raises:
        InputError: publishing it would publish the labels of the split.
    """
    if (folder / KEY).exists() or (folder / PUBLIC / BUILD_RECORD).is_file():
        raise InputError(
            f"{folder}: holds a hidden split with its key, and a key is never published; give its "
            f"public part, {folder / PUBLIC}"
        )
    try:
        record = parse_json((folder / BUILD_RECORD).read_bytes())
    except (OSError, ValueError):
        return  # whatever that is, it does not pass the verification
    is_key = isinstance(record, dict) and "hidden" in record and "key_sha256" not in record
    if is_key or folder.resolve().name == KEY:
        raise InputError(
            f"{folder}: is the key of a hidden split and is never published: with it a score can "
            f"be forged; give the public part, the folder '{PUBLIC}' that was written beside it"
        )


def _publication(
    wanted: DatasetPublication, remote: RemoteDataset, folder: Path, own: Path
) -> Publication:
    """Return what is published of a verified folder, with its metadata written into `own`."""
    try:
        manifest = read_jsonl(folder / MANIFEST)
        record = parse_json((folder / BUILD_RECORD).read_bytes())
        metadata = _metadata(folder, manifest, record, wanted.repository)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from error
    except KeyError as error:
        raise InputError(
            f"{folder}: its {BUILD_RECORD} lacks {error}: another version built it; build it again"
        ) from error
    for name, content in metadata.items():
        (own / name).write_bytes(content)
    files = {row["path"]: folder / row["path"] for row in manifest}
    refuse_other_kind(wanted.repository, remote, is_hidden="key_sha256" in record)
    return Publication(
        repository=wanted.repository,
        files={**files, **{name: own / name for name in metadata}},
        message=f"Publish the dataset, revision {str(record.get('revision'))[:12]}",
        is_ours=lambda path: (
            path in remote.data
            or path in METADATA
            or (path.startswith(_DATA) and path.endswith(_PARQUET))
        ),
        private=wanted.private,
        tag=wanted.tag,
        create_pr=wanted.create_pr,
        dry_run=wanted.dry_run,
        seen=remote.seen,
        hashes={
            **{row["path"]: row["sha256"] for row in manifest},
            **{name: hashlib.sha256(content).hexdigest() for name, content in metadata.items()},
        },
    )


def _metadata(
    folder: Path,
    manifest: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    repository: str,
) -> dict[str, bytes]:
    """Return the files beside the data, by name; those of a hidden split name no repository."""
    if "key_sha256" in record:
        return {name: (folder / name).read_bytes() for name in (*record["files"], BUILD_RECORD)}
    texts = metadata_files(manifest, record, repository)
    return {name: text.encode() for name, text in texts.items()}


def _verify_arrived(publication: Publication, commit: str) -> int:
    """Fetch what was published, verify it as a build, and return the number of its data files.

    Files of others, which stay beside ours, are not looked at.

    Raises:
        BuildChangedError: a file is missing, or is not what was built.
    """
    repository = HubRepository(publication.repository, "dataset", find_token())
    with TemporaryDirectory(prefix="bagen-published-") as folder:
        for name in publication.files:
            with named_refusals(repository.id), quiet_client():
                copy = repository.download(name, commit)
            if copy is None:
                raise BuildChangedError(f"{repository.id}@{commit}: {name} is missing")
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).symlink_to(copy)
        try:
            return verify(Path(folder))
        except BuildChangedError as error:
            text = str(error).replace(folder, f"{repository.id}@{commit}")
            raise BuildChangedError(text) from error
