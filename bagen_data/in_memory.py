"""Load a built dataset into memory, with each repeated message of its prompts once."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bagen_data.dataset_configs import DEFAULT
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_configs import ROLLOUTS as ROLLOUTS_CONFIG
from bagen_data.dataset_files import (
    ChosenFiles,
    ReadColumns,
    choose_files,
    names_of,
    read_manifest,
    refuse_other_hash,
)
from bagen_data.encoded_arrays import merged, plain_type, split_by_size, without_small_dictionaries
from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.locations import HubPath, ReadLocation
from bagen_data.parquet_streams import ParquetStream
from bagen_data.repositories.snapshots import local_files
from bagen_data.schema import REFERENCE, ROLLOUTS
from bagen_data.splits import PARTS
from bagen_data.stores import steady_location
from bagen_data.tables import BUILD_RECORD, MANIFEST, to_json

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_ROWS = 1 << 17
"""Rows of a batch, at most."""
_MOST_BYTES = 1 << 30
"""Bytes that a batch may take with its strings written out; an Arrow array can hold twice that."""
_MERGED_BYTES = 1 << 28
"""Bytes up to which batches are merged, which takes memory for one merged batch more."""
_SHORT = 128
"""Bytes a row up to which a column is held without dictionaries."""
_BENCHMARK_SPLIT = "test"
"""The split of a config that the dataset lacks, for the message that says so."""
_OF_SAMPLES = ReadColumns(())
_OF_OTHER_ROWS = {
    ROLLOUTS_CONFIG: ReadColumns(tuple(ROLLOUTS.names)),
    REFERENCE_CONFIG: ReadColumns(tuple(REFERENCE.names)),
}
_LIKE_DEFAULT = {"keep_in_memory": True}
"""Options of `load_dataset` with the value that changes nothing here; of others None or False."""


def load_in_memory(
    place: ReadLocation,
    config: str | None,
    split: Any,
    *,
    columns: Sequence[str] | None = None,
    token: str | bool | None = None,
    **others: Any,
) -> "Dataset | DatasetDict | list[Dataset]":
    """Load a dataset that reads as that of `datasets.load_dataset`, without a cache on disk.

    Each batch of rows holds its distinct strings once, as the files do, and rows are written out
    when they are read. A method that makes a new table of all rows, such as `map`, writes out all
    of them: load without the columns that are not needed.

    Args:
        place: the folder, URL or commit on the Hub that the files are read from.
        config: the config, as in `load`.
        split: the split, as in `datasets.load_dataset`: a name, a slice such as `test[:100]`, a sum
            such as `sft+rl`, a list of these, or None for all splits.
        columns: names of the columns to read; all if None.
        token: token for the Hub, as huggingface_hub takes it.
        others: other options of `datasets.load_dataset`, none of which may be set.

    Returns:
        A dataset; a dict of them by split if `split` is None; a list of them if it is a list.

    Raises:
        MissingExtraError: `datasets` is not installed.
        WrongUsageError: an option cannot be combined with `in_memory`, or a column is missing.
        InputError: as `load_unchanged_samples`, or `split` cannot be read.
        StoreError: the Hub or a store does not answer.
    """
    _refuse_options(others)
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    name = config or DEFAULT
    if isinstance(place, HubPath):
        with suppress(FileNotFoundError):  # the manifest's reader names it
            local_files([place / MANIFEST, place / BUILD_RECORD], token)
    manifest = read_manifest(place)
    names = {row["split"] for row in manifest if name in names_of(row["config"])}
    kind = _OF_OTHER_ROWS.get(name, _OF_SAMPLES)
    files = {
        each: choose_files(place, name, each, kind)
        for each in sorted(sorted(names) or [_BENCHMARK_SPLIT], key=_place)
    }
    loading = _Loading(place, name, files, columns, token)
    if split is None:
        return datasets.DatasetDict({each: loading.dataset(each) for each in files})
    if isinstance(split, list | tuple):
        return [loading.dataset(each) for each in split]
    return loading.dataset(split)


def _refuse_options(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is None or value is False or value is _LIKE_DEFAULT.get(name):
            continue
        if name == "streaming":
            raise WrongUsageError(
                "streaming=True and in_memory=True: rows are either read from files one after "
                "another or held in memory; pass one of the two"
            )
        raise WrongUsageError(
            f"{name}={value!r:.80}: does not apply with in_memory=True, which reads files itself; "
            "expected columns or revision; leave it out"
        )


def _place(split: str) -> int:
    """Return the place of a split among those of a config, in the order of the dataset's card."""
    return [*PARTS, split].index(split)


@dataclass(frozen=True)
class _Loading:
    """The splits of a config, each read when it is first asked for."""

    folder: ReadLocation
    config: str
    files: dict[str, ChosenFiles]
    """The files of each split."""
    columns: Sequence[str] | None
    """Names of the columns to read; all if None."""
    token: str | bool | None
    """Token for the Hub; the stored one if None."""
    read: dict[str, "_Split"] = field(default_factory=dict)
    """The splits that were read."""

    def dataset(self, split: Any) -> "Dataset":
        """Return the rows that a split, slice or sum names.

        Raises:
            InputError: it cannot be read.
        """
        import datasets

        from bagen_data.encoded_table import EncodedTable

        spec = split if isinstance(split, datasets.ReadInstruction) else str(split)
        if spec == "all":
            spec = "+".join(self.files)
        parts = self._parts(spec)
        batches, schema = [], self._split(parts[0][0]).schema
        for name, start, stop in parts:
            rows = self._split(name)
            batches += EncodedTable(rows.batches, schema).slice(start, stop - start).encoded
        hashes = [[row["sha256"] for row in self.files[name].rows] for name, _, _ in parts]
        identity = to_json([hashes, parts, self.columns])
        return datasets.Dataset(
            EncodedTable(batches, schema),
            info=datasets.DatasetInfo(
                features=datasets.Features.from_arrow_schema(schema),
                dataset_name=self.folder.name,
                config_name=self.config,
            ),
            split=datasets.Split(str(spec)),
            fingerprint=hashlib.sha256(identity.encode()).hexdigest()[:16],
        )

    def _parts(self, spec: Any) -> list[tuple[str, int, int]]:
        """Return the stretches of rows that a split, slice or sum names: split, start and stop."""
        import datasets

        lengths = {
            name: sum(row.get("rows", 0) for row in chosen.rows)
            for name, chosen in self.files.items()
        }
        try:
            instruction = (
                datasets.ReadInstruction.from_spec(spec) if isinstance(spec, str) else spec
            )
            absolute = instruction.to_absolute(lengths)
        except (ValueError, AssertionError) as error:
            raise InputError(
                f"{self.folder}: config {self.config} has no split {spec}: {error}; it has: "
                f"{', '.join(self.files)}"
            ) from error
        return [(each.splitname, each.from_, max(each.from_, each.to)) for each in absolute]

    def _split(self, name: str) -> "_Split":
        if name not in self.read:
            chosen = self.files[name]
            with chosen.reading():
                if isinstance(self.folder, HubPath):
                    local_files([self.folder / row["path"] for row in chosen.rows], self.token)
                files = (_read_file(self.folder, row, self.columns) for row in chosen.rows)
                first = next(files)
                batches = chain.from_iterable(each.batches for each in chain([first], files))
                self.read[name] = _Split(list(merged(batches, _MERGED_BYTES)), first.schema)
        return self.read[name]


@dataclass(frozen=True)
class _Split:
    """The rows of a split or of one of its files."""

    batches: list[pa.RecordBatch]
    """The rows, with strings as dictionaries."""
    schema: pa.Schema
    """The columns as `datasets` sees them."""


def _read_file(folder: ReadLocation, row: dict[str, Any], columns: Sequence[str] | None) -> _Split:
    """Read the bytes that have the hash that the manifest states.

    Raises:
        InputError: the file has another hash.
        WrongUsageError: it lacks a column.
        OSError: it cannot be read, or changed meanwhile.
    """
    import datasets

    with steady_location(folder / row["path"]) as file:
        refuse_other_hash(file, folder, row)
        file.stream.seek(0)
        repeated = _dictionary_columns(file.stream)
        file.stream.seek(0)
        with ParquetStream(file.stream, repeated) as stream:
            known = stream.schema.names
            if missing := [name for name in columns or () if name not in known]:
                raise WrongUsageError(
                    f"column {missing[0]!r:.80}: is missing in {folder / row['path']}; expected "
                    f"some of: {', '.join(known)}"
                )
            names = [name for name in known if columns is None or name in columns]
            plain = pa.schema(
                [(name, plain_type(stream.schema.field(name).type)) for name in names]
            )
            schema = datasets.Features.from_arrow_schema(plain).arrow_schema
            batches = [
                without_small_dictionaries(part, schema, _SHORT)
                for batch in stream.batches(_ROWS, names)
                for part in split_by_size(batch.select(names), _MOST_BYTES)
            ]
    return _Split(batches, schema)


def _dictionary_columns(stream: IO[bytes]) -> list[str]:
    """Return the paths of the columns of strings that a file holds as dictionaries throughout."""
    metadata = pq.read_metadata(stream)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [
        metadata.schema.column(place).path
        for place in range(metadata.num_columns)
        if metadata.schema.column(place).physical_type == "BYTE_ARRAY"
        and all(group.column(place).has_dictionary_page for group in groups)
    ]
