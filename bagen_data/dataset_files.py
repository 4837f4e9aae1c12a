"""Files of a built dataset: chosen by config and split, and held against the manifest.

A folder, a URL of a store and a commit on the Hub are read alike. Files that the manifest does not
name are never read, so that those which an earlier build left do no harm.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from bagen_data.dataset_configs import DEFAULT, holds_samples, is_benchmark
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_configs import ROLLOUTS as ROLLOUTS_CONFIG
from bagen_data.errors import InputError
from bagen_data.locations import HubPath, ReadLocation, StoreUrl
from bagen_data.parquet_streams import ParquetStream
from bagen_data.published import HUB_ID
from bagen_data.repositories.dataset_names import content_revision
from bagen_data.repositories.snapshots import local_files
from bagen_data.schema import REFERENCE, ROLLOUTS
from bagen_data.steady_files import SteadyFile, digest_of
from bagen_data.stores import read_location, steady_location
from bagen_data.tables import BUILD_RECORD, MANIFEST, parse_jsonl
from bagen_data.unique_keys import parse_json
from bagen_data.wording import in_a_clone

Trust = Literal["the folder", "the manifest"]
"""The part of a folder with a built dataset that is believed."""

REPEATED = ["task", "rollout_model", "rollout_id", "resources.list.element.resource"]
"""Columns that are read as dictionaries, where they are read."""

_MOST_INSIDE = 3
"""Most datasets that are named where the folder around them was given."""


@dataclass(frozen=True)
class ReadColumns:
    """The columns that are read of a dataset's files."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    trust: Trust = "the folder"

    def __iter__(self) -> Iterator[str]:
        return iter((*self.required, *self.optional))


@dataclass(frozen=True)
class ChosenFiles:
    """The files of a dataset that hold a config's split."""

    folder: ReadLocation
    manifest: list[dict[str, Any]]
    """The whole manifest, as it was read first."""
    record: bytes
    """The content of `build.json`, as it was read first."""
    rows: list[dict[str, Any]]
    """The rows of the manifest that name the files."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Refuse a folder that cannot be read in the block, or is another one at its end.

        Raises:
            InputError: as `hub.load_samples`.
        """
        try:
            yield
            record = read_location(self.folder / BUILD_RECORD)
        except OSError as error:
            raise InputError(
                f"{error.filename or self.folder}: cannot be read: {error.strerror or error}"
            ) from error
        except (ValueError, KeyError) as error:
            raise InputError(f"{self.folder}: cannot be read: {error}") from error
        if self.manifest != read_manifest(self.folder) or self.record != record:
            raise InputError(f"{self.folder}: was replaced while it was read; run again")

    def revision(self) -> str | None:
        """Return the dataset's revision.

        Raises:
            InputError: `build.json` is not JSON.
        """
        try:
            return content_revision(parse_json(self.record))
        except ValueError as error:
            raise InputError(f"{self.folder}: cannot be read: {error}") from error


def choose_files(
    folder: ReadLocation, config: str, split: str, columns: ReadColumns
) -> ChosenFiles:
    """Return the files of a dataset that hold a config's split.

    Raises:
        InputError: as `hub.load_samples`.
    """
    if "feasible" in columns.required and is_public_part(read_record(folder)):
        raise InputError(
            f"{folder}: is the public part of a hidden split and holds no labels; expected a "
            "dataset with labels, such as the split's key, which its scorer has"
        )
    manifest = read_manifest(folder)
    files = [row for row in manifest if _has(row["config"], columns)]
    chosen = [row for row in files if row["split"] == split and config in names_of(row["config"])]
    if not chosen:
        splits = sorted({row["split"] for row in files if row["config"] == config})
        if splits:
            raise InputError(
                f"{folder}: config {config} has no split {split}; it has: {', '.join(splits)}"
            )
        known = ", ".join(sorted({row["config"] for row in files})) or "none"
        raise InputError(f"{folder}: has no config {config} with a split {split}; it has: {known}")
    try:
        record = read_location(folder / BUILD_RECORD)
    except OSError as error:
        raise InputError(f"{folder / BUILD_RECORD}: cannot be read: {error.strerror}") from error
    return ChosenFiles(folder, manifest, record, chosen)


def read_files(
    folder: ReadLocation, config: str, split: str, columns: ReadColumns
) -> tuple[pa.Table, str | None]:
    """Return the rows of a config's split, and the content revision that they are of.

    Raises:
        InputError: as `hub.load_samples`.
    """
    chosen = choose_files(folder, config, split, columns)
    with chosen.reading():
        if isinstance(folder, HubPath):
            local_files([folder / row["path"] for row in chosen.rows])
        tables = [_read_file(folder, row, columns) for row in chosen.rows]
    return pa.concat_tables(tables), chosen.revision()


def _read_file(folder: ReadLocation, row: dict[str, Any], columns: ReadColumns) -> pa.Table:
    """Read a file of a built dataset: the bytes that were hashed, if only the manifest is trusted.

    Of a store and of the Hub, nothing but a manifest is ever trusted.

    Raises:
        InputError: the file has another hash than in the manifest.
        OSError: it cannot be read, or changed meanwhile.
    """
    is_checked = columns.trust == "the manifest" or not isinstance(folder, Path)
    with steady_location(folder / row["path"]) as file:
        if is_checked:
            refuse_other_hash(file, folder, row)
        file.stream.seek(0)
        return ParquetStream(file.stream, REPEATED).read(list(columns))


def refuse_other_hash(file: SteadyFile, folder: ReadLocation, row: dict[str, Any]) -> None:
    """Refuse a file whose hash is another one than in its row of the manifest.

    Raises:
        InputError: it is.
        OSError: the file cannot be read.
    """
    if digest_of(file).sha256 == row.get("sha256"):
        return
    to_do = "build the dataset anew, or bring the file back"
    if isinstance(folder, HubPath):
        to_do = (
            f"remove the copy of {folder.repository} in the cache of huggingface_hub ('hf cache "
            "rm') and run again; if it stays, the dataset has to be published anew"
        )
    raise InputError(
        f"{folder / row['path']}: was changed: another sha256 than in {MANIFEST}; {to_do}"
    )


def _has(config: str, columns: ReadColumns) -> bool:
    """Return whether the rows of a config have these columns: of rollouts, forecasts or samples."""
    for name, schema in ((ROLLOUTS_CONFIG, ROLLOUTS), (REFERENCE_CONFIG, REFERENCE)):
        if columns.required == tuple(schema.names):
            return config == name
    return holds_samples(config)


def names_of(config: str) -> tuple[str, ...]:
    """Return what a config is asked for by; `default` is every task's benchmark."""
    return (config, DEFAULT) if is_benchmark(config) else (config,)


def read_record(folder: ReadLocation) -> Any:
    """Return the content of a dataset's `build.json`; None if it is missing or cannot be parsed.

    Raises:
        InputError, StoreError: a store or the Hub refuses it, or does not answer.
    """
    try:
        return parse_json(read_location(folder / BUILD_RECORD))
    except (OSError, ValueError):
        return None


def is_public_part(record: Any) -> bool:
    """Return whether a `build.json` is of the public part of a hidden split."""
    return isinstance(record, dict) and "key_sha256" in record


def read_manifest(folder: ReadLocation) -> list[dict[str, Any]]:
    """Return the rows of a dataset's manifest, one for each of its data files.

    Raises:
        InputError: it is missing, cannot be read, or is something else.
        StoreError: a store or the Hub does not answer.
    """
    path = folder / MANIFEST
    try:
        data = read_location(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise InputError(_without_manifest(folder)) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    rows = parse_jsonl(data, path.name)
    if not all({"path", "config", "split"} <= row.keys() for row in rows):
        raise InputError(f"{path}: is not the manifest of a built dataset")
    return rows


def _without_manifest(folder: ReadLocation) -> str:
    build = in_a_clone("python -m builders build")
    if isinstance(folder, StoreUrl):
        return (
            f"{folder}: holds no {MANIFEST}: nothing was committed there, or a build is on its "
            f"way; expected the URL of a dataset written by {build}"
        )
    if isinstance(folder, HubPath):
        return (
            f"{folder}: holds no {MANIFEST}, so it is not a dataset of this project; expected one "
            f"such as {HUB_ID}"
        )
    inside = [str(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))][:_MOST_INSIDE]
    if inside:
        return f"{folder} holds no {MANIFEST}; give a dataset inside it: {', '.join(inside)}"
    return f"{folder} holds no {MANIFEST}; expected a folder written by {build}"
