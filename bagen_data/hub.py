"""Load the built dataset, from a folder or from the Hub."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from bagen_data.dataset_configs import (
    DEFAULT,
    holds_samples,
    is_benchmark,
    is_start,
    is_training,
    task_of,
)
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_configs import ROLLOUTS as ROLLOUTS_CONFIG
from bagen_data.errors import BagenError, InputError, MissingExtraError
from bagen_data.locations import Location, StoreUrl, parse_location
from bagen_data.parquet_streams import ParquetStream
from bagen_data.published import HUB_ID
from bagen_data.replaced_folder import bring_back
from bagen_data.schema import QUESTIONS, REFERENCE, ROLLOUTS
from bagen_data.steady_files import digest_of
from bagen_data.stores import read_location, steady_location
from bagen_data.tables import BUILD_RECORD, MANIFEST, parse_jsonl
from bagen_data.unique_keys import parse_json
from bagen_data.wording import in_a_clone

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

Trust = Literal["the folder", "the manifest"]
"""The part of a folder with a built dataset that is believed."""

_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
REPEATED = ["task", "rollout_model", "rollout_id", "resources.list.element.resource"]
"""Columns that are read as dictionaries, where they are read."""


def load(
    path: str | os.PathLike[str] = HUB_ID,
    config: str | None = None,
    split: str | None = None,
    **options: Any,
) -> "Dataset | DatasetDict | IterableDataset | IterableDatasetDict":
    """What `datasets.load_dataset(path, config, split=split, **options)` returns.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        config: `default` (every task's benchmark), a task, `<task>_start`, `<task>_train`,
            `reference` or `rollouts`.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`; all of them if left out.
        options: passed on, e.g. `streaming=True`, `columns=[...]`, `revision="v1.0"`.

    Raises:
        MissingExtraError: `datasets` is not installed.
        InputError: `path` is a folder without a built dataset, or a URL.
    """
    if isinstance(parse_location(os.fspath(path)), StoreUrl):
        raise InputError(
            f"{os.fspath(path)}: is a URL, which the package datasets does not read as a dataset; "
            "expected a folder or a dataset id on the Hub; copy it to a folder"
        )
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    if is_folder(path):
        _manifest(Path(path))
    return load_dataset(os.fspath(path), config, split=split, **options)


@dataclass(frozen=True)
class LoadedSamples:
    """The columns of samples that scoring needs, without prompts, and where they are from."""

    table: pa.Table
    source: dict[str, Any]
    """`path`, `config`, `split`, `revision` and the number of `samples`."""


def load_samples(
    path: str,
    config: str | None = None,
    split: str = "test",
    *,
    also: Sequence[str] = (),
    revision: str | None = None,
) -> LoadedSamples:
    """Samples to hold answers against.

    Args:
        path: a folder that `python -m builders build` wrote, its URL in a store, or a dataset id
            on the Hub.
        config: a task, `<task>_start` or `<task>_train`; every task's benchmark if None.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        also: columns beside those that scoring needs, e.g. `prompt`.
        revision: of the Hub's dataset, the latest if None; a folder has but one.

    Raises:
        MissingExtraError: `path` is no folder, and `datasets` is not installed.
        InputError: the folder holds no built dataset, was replaced while it was read, or has a
            file that cannot be read; or there is no such config or split.
    """
    return _loaded(path, config, split, ReadColumns((), tuple(also)), revision)


def load_unchanged_samples(
    path: str, config: str | None = None, split: str = "test"
) -> LoadedSamples:
    """Load samples as `load_samples` does, from files with the hashes that the manifest has.

    Raises:
        MissingExtraError: as `load_samples`.
        InputError: as `load_samples`, or a file of a folder has another hash than in its manifest.
    """
    return _loaded(path, config, split, ReadColumns((), (), "the manifest"), None)


def _loaded(
    path: str, config: str | None, split: str, more: "ReadColumns", revision: str | None
) -> LoadedSamples:
    from bagen_data.scoring.sample_table import DERIVED, OPTIONAL, REQUIRED

    config = config or DEFAULT
    optional = tuple(dict.fromkeys((*DERIVED, *OPTIONAL, *more.optional)))
    columns = ReadColumns(REQUIRED, optional, more.trust)
    table, revision_read = _read(path, config, split, columns, revision)
    source = {"path": path, "config": config, "split": split, "revision": revision_read}
    return LoadedSamples(table, source | {"samples": len(table)})


def load_rollouts(path: str, split: str, revision: str | None = None) -> pa.Table:
    """The recorded rollouts, in the columns of `schema.ROLLOUTS`.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        split: `test`, those of the benchmark, or `train`.
        revision: as in `load_samples`.

    Raises:
        as `load_samples`.
    """
    return _read(path, ROLLOUTS_CONFIG, split, ReadColumns(tuple(ROLLOUTS.names)), revision)[0]


def load_reference(
    path: str, config: str | None = None, revision: str | None = None
) -> pa.Table | None:
    """Load the forecasts that skills are relative to, in the columns of `schema.REFERENCE`.

    A family of one instance has none. Files of a folder must have the hashes that its manifest has.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        config: a task or `<task>_start`, about whose samples the forecasts are; all if None.
        revision: as in `load_samples`.

    Returns:
        The forecasts in the order of the samples; None if the dataset has no config `reference`,
        as one of an earlier version.

    Raises:
        as `load_unchanged_samples`.
    """
    if "test" not in splits(path, REFERENCE_CONFIG, revision):
        return None
    columns = ReadColumns(tuple(REFERENCE.names), (), "the manifest")
    table, _ = _read(path, REFERENCE_CONFIG, "test", columns, revision)
    if config is None or config == DEFAULT:
        return table
    return reference_of(table, config)


def reference_of(forecasts: Any, config: str) -> Any:
    """Return the forecasts about the samples of one config.

    Args:
        forecasts: a table or batch of the config `reference`.
        config: a task, `<task>_start` or `<task>_train`, about whose samples there are none.
    """
    import pyarrow.compute as pc

    if is_training(config):
        return forecasts.slice(0, 0)
    is_own = pc.starts_with(forecasts["sample_id"], f"{task_of(config)}/")
    is_start_probe = pc.ends_with(forecasts["sample_id"], "/0")
    return forecasts.filter(pc.and_(is_own, pc.equal(is_start_probe, is_start(config))))


def load_questions(
    path: str, config: str | None = None, split: str = "test", *, revision: str | None = None
) -> LoadedSamples:
    """Load the probes of a hidden split, in the columns of `schema.QUESTIONS`.

    Args:
        path: the public part of a hidden split: a folder, or a dataset id on the Hub.
        config: a task; every task's if None.
        split: `test`.
        revision: as in `load_samples`.

    Raises:
        as `load_samples`.
    """
    config = config or DEFAULT
    columns = ReadColumns(tuple(QUESTIONS.names))
    table, revision_read = _read(path, config, split, columns, revision)
    source = {"path": path, "config": config, "split": split, "revision": revision_read}
    return LoadedSamples(table, source | {"samples": len(table)})


def is_hidden(path: str, revision: str | None = None) -> bool:
    """Return whether a dataset is the public part of a hidden split: it has no labels.

    Raises:
        as `build_record`.
    """
    return _is_public_part(build_record(path, revision))


def build_record(path: str, revision: str | None = None) -> Any:
    """Return the content of a dataset's `build.json`; None if it has none that can be read.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        revision: as in `load_samples`.

    Raises:
        MissingExtraError: `path` is no folder, and `huggingface_hub` is not installed.
        InputError: the Hub's dataset cannot be loaded.
    """
    location = parse_location(path)
    if isinstance(location, StoreUrl):
        _manifest(location)  # without one the dataset is absent, whatever else lies there
        return _record(location)
    if location.is_dir():
        return _record(location)
    _check_is_id(path)
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    try:
        file = hf_hub_download(path, BUILD_RECORD, repo_type="dataset", revision=revision)
        return parse_json(Path(file).read_bytes())
    except EntryNotFoundError:
        return None
    except Exception as error:  # which one a client of the network raises changes with it
        raise InputError(f"{path}: cannot be loaded: {error}") from error


def _record(folder: Location) -> Any:
    """Return the content of a folder's `build.json`; None if it cannot be read."""
    try:
        return parse_json(read_location(folder / BUILD_RECORD))
    except (OSError, ValueError):
        return None


def _is_public_part(record: Any) -> bool:
    return isinstance(record, dict) and "key_sha256" in record


def splits(path: str, config: str, revision: str | None = None) -> list[str]:
    """Return the splits of a config, sorted; none if the dataset has no such config.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        config: the name of a config.
        revision: as in `load_samples`.

    Raises:
        as `load_samples`.
    """
    if is_folder(path):
        manifest = _manifest(parse_location(path))
        return sorted({row["split"] for row in manifest if row["config"] == config})
    _check_is_id(path)
    try:
        from datasets import get_dataset_config_names, get_dataset_split_names
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    try:
        if config not in get_dataset_config_names(path, revision=revision):
            return []
        return sorted(get_dataset_split_names(path, config, revision=revision))
    except Exception as error:  # which one a client of the network raises changes with it
        raise InputError(f"{path}: cannot be loaded: {error}") from error


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether a dataset is a folder or a URL, and not an id on the Hub.

    A folder that a killed build had moved away is one, too.

    Raises:
        OutputError: it was moved away, and cannot be brought back.
    """
    location = parse_location(os.fspath(path))
    if isinstance(location, StoreUrl):
        return True
    bring_back(location)
    return location.is_dir()


def whole_name(path: str) -> str:
    """Return the name of a dataset that holds in any current folder; raises as `is_folder`."""
    location = parse_location(path)
    is_local = isinstance(location, Path) and is_folder(location)
    return os.path.realpath(str(location)) if is_local else path


@dataclass(frozen=True)
class ReadColumns:
    """The columns that are read of a dataset's files."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    trust: Trust = "the folder"

    def __iter__(self) -> Iterator[str]:
        return iter((*self.required, *self.optional))


def _read(
    path: str, config: str, split: str, columns: ReadColumns, revision: str | None = None
) -> tuple[pa.Table, str | None]:
    """The table, and the revision it is of."""
    if is_folder(path):
        return _read_folder(parse_location(path), config, split, columns)
    _check_is_id(path)
    return _read_hub(path, config, split, columns, revision)


def _check_is_id(path: str) -> None:
    if not _HUB_NAME.fullmatch(path) or os.path.exists(path.partition("/")[0]):
        raise InputError(
            f"{path}: there is no such folder; expected one that holds a built dataset"
        )


@dataclass(frozen=True)
class ChosenFiles:
    """The files of a folder that hold a config's split."""

    folder: Location
    manifest: list[dict[str, Any]]
    """All rows of the manifest, as it was read first."""
    record: bytes
    """The content of `build.json`, as it was read first."""
    rows: list[dict[str, Any]]
    """The rows of the manifest that name the files."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Refuse a folder that cannot be read in the block, or is another one at its end.

        Raises:
            InputError: as `load_samples`.
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
        if self.manifest != _manifest(self.folder) or self.record != record:
            raise InputError(f"{self.folder}: was replaced while it was read; run again")

    def revision(self) -> str | None:
        """Return the dataset's revision.

        Raises:
            InputError: `build.json` is not JSON.
        """
        try:
            return _revision(parse_json(self.record))
        except ValueError as error:
            raise InputError(f"{self.folder}: cannot be read: {error}") from error


def choose_files(folder: Location, config: str, split: str, columns: ReadColumns) -> ChosenFiles:
    """Return the files of a folder that hold a config's split.

    Raises:
        InputError: as `load_samples`.
    """
    if "feasible" in columns.required and _is_public_part(_record(folder)):
        raise InputError(
            f"{folder}: is the public part of a hidden split and holds no labels; expected a "
            "dataset with labels, such as the split's key, which whoever scores has"
        )
    manifest = _manifest(folder)
    files = [row for row in manifest if _has(row["config"], columns)]
    chosen = [row for row in files if row["split"] == split and config in _names_of(row["config"])]
    if not chosen:
        splits = sorted({row["split"] for row in files if row["config"] == config})
        if splits:
            raise InputError(
                f"{folder}: config {config} has no split {split}; it has: {', '.join(splits)}"
            )
        known = ", ".join(sorted({row["config"] for row in files})) or "none"
        raise InputError(
            f"{folder}: there is no config {config} with a split {split}; "
            f"there are configs: {known}"
        )
    try:
        record = read_location(folder / BUILD_RECORD)
    except OSError as error:
        raise InputError(f"{folder / BUILD_RECORD}: cannot be read: {error.strerror}") from error
    return ChosenFiles(folder, manifest, record, chosen)


def _read_folder(
    folder: Location, config: str, split: str, columns: ReadColumns
) -> tuple[pa.Table, str | None]:
    chosen = choose_files(folder, config, split, columns)
    with chosen.reading():
        tables = [_read_file(folder, row, columns) for row in chosen.rows]
    return pa.concat_tables(tables), chosen.revision()


def _read_file(folder: Location, row: dict[str, Any], columns: ReadColumns) -> pa.Table:
    """Read a file of a built dataset: the bytes that were hashed, if only the manifest is trusted.

    Of a store, nothing but a manifest is ever trusted.

    Raises:
        InputError: the file has another hash than in the manifest.
        OSError: it cannot be read, or changed meanwhile.
    """
    is_checked = columns.trust == "the manifest" or isinstance(folder, StoreUrl)
    with steady_location(folder / row["path"]) as file:
        if is_checked and digest_of(file).sha256 != row.get("sha256"):
            raise InputError(
                f"{folder / row['path']}: was changed: another sha256 than in {MANIFEST}; build "
                "the dataset anew, or bring the file back"
            )
        file.stream.seek(0)
        return ParquetStream(file.stream, REPEATED).read(list(columns))


def _revision(record: Any) -> str | None:
    """Of a `build.json`; the seal where an older build has no `revision`."""
    return record.get("revision", record.get("seal")) if isinstance(record, dict) else None


def _has(config: str, columns: ReadColumns) -> bool:
    """Return whether the rows of a config have these columns: of rollouts, forecasts or samples."""
    for name, schema in ((ROLLOUTS_CONFIG, ROLLOUTS), (REFERENCE_CONFIG, REFERENCE)):
        if columns.required == tuple(schema.names):
            return config == name
    return holds_samples(config)


def _names_of(config: str) -> tuple[str, ...]:
    """Return what a config is asked for by; `default` is every task's benchmark."""
    return (config, DEFAULT) if is_benchmark(config) else (config,)


def _read_hub(
    path: str, config: str, split: str, columns: ReadColumns, revision: str | None
) -> tuple[pa.Table, str | None]:
    from bagen_data.scoring.input_columns import as_table

    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    try:
        revision = revision or HfApi().dataset_info(path).sha
        dataset = load(path, config, split, revision=revision, columns=list(columns))
    except BagenError:
        raise
    except Exception as error:  # which one a client of the network raises changes with it
        raise InputError(f"{path}: cannot be loaded: {error}") from error
    return as_table(dataset, columns.required, columns.optional), revision


def _manifest(folder: Location) -> list[dict[str, Any]]:
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


def _without_manifest(folder: Location) -> str:
    build = in_a_clone("python -m builders build")
    if isinstance(folder, StoreUrl):
        return (
            f"{folder}: holds no {MANIFEST}: nothing was committed there, or a build is on its "
            f"way; expected the URL of a dataset written by {build}"
        )
    return f"{folder} holds no {MANIFEST}; expected a folder written by {build}"
