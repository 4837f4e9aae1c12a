"""Samples that are read from the files of a built dataset part by part, so that few are in memory.

A build writes the rows of a family together, and the reference's forecasts in the order of the
samples. A large dataset of this kind is read once for an outline, a few columns without text, and
then part by part as often as it is asked for. Any other dataset is read at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.array_types import Ints
from bagen_data.dataset_configs import DEFAULT
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_files import REPEATED, ReadColumns, choose_files, refuse_other_hash
from bagen_data.errors import InputError
from bagen_data.hub import load_reference, load_samples, reference_of, source_of, splits
from bagen_data.locations import HubPath
from bagen_data.parquet_streams import ParquetStream
from bagen_data.repositories.dataset_places import dataset_name, locate
from bagen_data.repositories.snapshots import local_files
from bagen_data.schema import REFERENCE
from bagen_data.scoring.input_columns import as_strings, as_table, codes, id_parts
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.sample_table import DERIVED, OPTIONAL, REQUIRED, SampleTable
from bagen_data.steady_files import FileMark, changed, steady_file

_PART_ROWS = 1 << 17
"""Samples that are read at once, unless one family has more."""
_MOST_PARTS = 512
_BATCH_ROWS = 1 << 16
_BUFFER = 1 << 20
"""Bytes of a column that are read at once, however long its row group is."""
_MOST_NAMES = 1 << 20
"""Names that may gather before those that occur twice are left out."""


@dataclass(frozen=True)
class OpenedSamples:
    """Samples to hold answers against, and where they are from."""

    samples: SampleSource
    source: dict[str, Any]
    """The source, as `hub.LoadedSamples` has it."""
    has_reference: bool
    """Whether the dataset has a config `reference`, and the split is `test`."""


def open_samples(
    path: str, config: str | None = None, split: str = "test", *, part_rows: int = _PART_ROWS
) -> OpenedSamples:
    """Return samples with the reference's forecasts of them; a large dataset is read part by part.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset on the Hub, as ORG/NAME
            or ORG/NAME@REV; or a URL, which is read at once.
        config: a task, `<task>_start` or `<task>_train`; every task's benchmark if None.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        part_rows: samples that are read at once, unless one family has more.

    Raises:
        as `hub.load_unchanged_samples` and `SampleTable.of`; and while parts are read, a file
        changed meanwhile.
    """
    place = locate(path)
    if isinstance(place, Path | HubPath):
        opened = _opened(place, config or DEFAULT, split, part_rows)
        if opened is not None:
            return opened
    dataset = dataset_name(place)
    loaded = load_samples(dataset, config, split)
    reference = load_reference(dataset, config) if split == "test" else None
    table = SampleTable.of(loaded.table, reference)
    return OpenedSamples(table, loaded.source, reference is not None)


def _opened(
    folder: Path | HubPath, config: str, split: str, part_rows: int
) -> OpenedSamples | None:
    """Return a folder's samples; None if they are few, or not in the order in which builds write.

    Raises:
        InputError: as `open_samples`.
    """
    columns = ReadColumns(REQUIRED, (*DERIVED, *OPTIONAL))
    chosen = choose_files(folder, config, split, columns)
    with chosen.reading():
        files = _SampleFiles.of(folder, chosen.rows, tuple(columns))
        if files is None or sum(files.sizes) <= part_rows:
            return None
        outline = _outline(files)
        if outline is None:
            return None
        families, instances, instance_ids = outline
        reference = sizes = None
        if split == "test" and "test" in splits(dataset_name(folder), REFERENCE_CONFIG):
            reference = _FiledReference.of(folder, config)
            sizes = _reference_sizes(files, families, reference)
            if sizes is None:
                return None
        sizes = sizes or [0] * len(families)
        merged = list(_merged([family.rows for family in families], sizes, part_rows))
        samples = FiledSamples(
            files,
            tuple(f"{family.task}/{family.rollout_model}" for family in sorted(families)),
            instances,
            tuple(sum(family.rows for family in families[part]) for part in merged),
            instance_ids,
            reference,
            tuple(sum(sizes[part]) for part in merged),
        )
    source = source_of(folder, config, split, chosen.revision(), len(samples))
    return OpenedSamples(samples, source, reference is not None)


@dataclass(frozen=True)
class FiledSamples:
    """Samples in Parquet files, and the reference's forecasts of them; see `SampleSource`."""

    files: "_SampleFiles"
    family_names: tuple[str, ...]
    instances: dict[str, Ints]
    part_sizes: tuple[int, ...]
    instance_ids: Any
    """An Arrow array of the ids of all instances, ascending."""
    reference: "_FiledReference | None"
    reference_sizes: tuple[int, ...]
    """The number of each part's rows in the reference."""

    def __len__(self) -> int:
        return sum(self.part_sizes)

    def parts(self) -> Iterator[SampleTable]:
        """Read the parts from the first one on.

        Raises:
            InputError: as `SampleTable.of`, or a file cannot be read or was changed.
        """
        rows = _Cursor(self.files.batches())
        forecasts = _Cursor(self.reference.batches(REFERENCE.names) if self.reference else ())
        start = 0
        for size, expected in zip(self.part_sizes, self.reference_sizes, strict=True):
            reference = forecasts.take(expected) if expected else None
            yield self._part(start, rows.take(size), reference)
            del reference  # before the next part is read
            start += size

    def _part(self, start: int, table: pa.Table, reference: pa.Table | None) -> SampleTable:
        try:
            return SampleTable.of(table, reference, self.instance_ids)
        except InputError as error:
            if not start:
                raise
            raise InputError(f"in the samples from row {start:,} on, {error}") from error

    def ids(self) -> Iterator[Any]:
        """Yield Arrow arrays of all sample ids, in the order of the rows."""
        for batch in self.files.batches(["sample_id"]):
            yield as_strings(batch["sample_id"]).cast(pa.large_string())


@dataclass(frozen=True)
class _SampleFiles:
    """Parquet files with the same columns, which must stay as they are."""

    paths: tuple[Path, ...]
    marks: tuple[FileMark, ...]
    sizes: tuple[int, ...]
    """The number of rows of each file."""
    columns: tuple[str, ...]
    """The columns that are there, of those that were asked for."""

    @classmethod
    def of(
        cls, folder: Path | HubPath, rows: Sequence[dict[str, Any]], columns: Sequence[str]
    ) -> Self | None:
        """Return the files of these rows of a manifest; None if their columns differ.

        Raises:
            InputError: a file of the Hub cannot be had, or has another hash than in the manifest.
            OSError: a file cannot be read.
        """
        paths = _local_paths(folder, rows)
        marks, sizes, schemas = [], [], []
        for path, row in zip(paths, rows, strict=True):
            with steady_file(path) as file:
                if isinstance(folder, HubPath):
                    refuse_other_hash(file, folder, row)
                    file.stream.seek(0)
                with ParquetStream(file.stream) as parquet:
                    marks.append(file.mark)
                    sizes.append(parquet.rows)
                    schema = parquet.schema
            schemas.append([schema.field(name) for name in columns if name in schema.names])
        if any(fields != schemas[0] for fields in schemas):
            return None
        names = tuple(field.name for field in schemas[0])
        return cls(tuple(paths), tuple(marks), tuple(sizes), names)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all files.

        Args:
            columns: those to read; all that are there if None.

        Raises:
            InputError: a file cannot be read, or was changed.
        """
        for path, mark in zip(self.paths, self.marks, strict=True):
            try:
                with _steady(path, mark) as file:
                    parquet = ParquetStream(file, REPEATED, _BUFFER)
                    yield from parquet.batches(_BATCH_ROWS, columns or self.columns)
            except (OSError, pa.ArrowException) as error:
                reason = getattr(error, "strerror", None) or error
                raise InputError(f"{path}: cannot be read: {reason}") from error


def _local_paths(folder: Path | HubPath, rows: Sequence[dict[str, Any]]) -> list[Path]:
    """Return where the files of a folder, or the copies of those of a commit, lie."""
    if isinstance(folder, HubPath):
        return local_files([folder / row["path"] for row in rows])
    return [folder / row["path"] for row in rows]


@contextmanager
def _steady(path: Path, mark: FileMark) -> Iterator[Any]:
    """Open a file that is as it was.

    Raises:
        OSError: it is not, or cannot be opened.
    """
    with steady_file(path) as file:
        if file.mark != mark:
            raise changed(path, "it was changed since it was read first")
        yield file.stream


@dataclass(frozen=True, order=True)
class _Family:
    """The place of a family in the samples."""

    task: str
    rollout_model: str
    rows: int


def _outline(files: _SampleFiles) -> tuple[list[_Family], dict[str, Ints], Any] | None:
    """Return the families in their order, the instances of each task and the ids of all instances.

    Instances are ranks among the ids. None if the rows of a family do not lie together.
    """
    names = [name for name in (*DERIVED[:3], "instance_id") if name in files.columns]
    if not set(DERIVED) <= set(files.columns):
        names = [*names, "sample_id"]
    sizes: dict[tuple[str, str], int] = {}
    instance_names: dict[str, _Names] = {}
    last = None
    for batch in files.batches(names):
        table = as_table(pa.Table.from_batches([batch]), (), names)
        if not set(DERIVED) <= set(files.columns):
            table = _with_parts(table)
        instance, known = codes(table["instance_id" if "instance_id" in names else "rollout_id"])
        for key, start, stop in _runs(table):
            if key in sizes and key != last:
                return None
            last = key
            sizes[key] = sizes.get(key, 0) + stop - start
            present = np.unique(instance[start:stop])
            instance_names.setdefault(key[0], _Names()).add(known.take(pa.array(present)))
    by_task = {task: names.distinct() for task, names in instance_names.items()}
    ids = pc.unique(pa.chunked_array(by_task.values(), pa.large_string()))
    ids = ids.take(pc.sort_indices(ids))
    instances = {
        task: np.sort(pc.index_in(own, value_set=ids).to_numpy().astype(np.int64))
        for task, own in by_task.items()
    }
    return [_Family(*key, rows) for key, rows in sizes.items()], instances, ids


def _with_parts(table: pa.Table) -> pa.Table:
    """Return a table with what its sample ids name, beside its instances."""
    parts = id_parts(as_strings(table["sample_id"]).combine_chunks())
    if "instance_id" in table.column_names:
        parts = parts.append_column("instance_id", table["instance_id"])
    return parts


def _runs(table: pa.Table) -> Iterator[tuple[tuple[str, str], int, int]]:
    """Yield the family, the first row and the end of each run of rows of one family."""
    tasks, task_names = codes(table["task"])
    models, model_names = codes(table["rollout_model"])
    is_new = (tasks[1:] != tasks[:-1]) | (models[1:] != models[:-1])
    bounds = [0, *(np.flatnonzero(is_new) + 1).tolist(), len(tasks)]
    for start, stop in pairwise(bounds):
        if stop > start:
            names = task_names[tasks[start]].as_py(), model_names[models[start]].as_py()
            yield names, start, stop


class _Names:
    """Distinct names."""

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._size = 0

    def add(self, names: Any) -> None:
        """Add an Arrow array of strings."""
        self._parts.append(names.cast(pa.large_string()))
        self._size += len(names)
        if self._size > _MOST_NAMES:
            distinct = self.distinct()
            self._parts, self._size = [distinct], 0

    def distinct(self) -> Any:
        """Return an Arrow array of the names, each once."""
        return pc.unique(pa.chunked_array(self._parts, pa.large_string()))


def _merged(
    sizes: Sequence[int], reference_sizes: Sequence[int], part_rows: int
) -> Iterator[slice]:
    """Yield the families of each part: as many as have `part_rows` samples, or a larger one.

    All families of a part have forecasts of the reference, or none has.
    """
    most = max(part_rows, sum(sizes) // _MOST_PARTS)
    start = total = 0
    for number, size in enumerate(sizes):
        is_alike = bool(reference_sizes[number]) == bool(reference_sizes[start])
        if total and (total + size > most or not is_alike):
            yield slice(start, number)
            start, total = number, 0
        total += size
    yield slice(start, len(sizes))


@dataclass(frozen=True)
class _FiledReference:
    """The reference's forecasts in Parquet files."""

    files: _SampleFiles
    config: str
    """The config of samples that the forecasts are about."""

    @classmethod
    def of(cls, folder: Path | HubPath, config: str) -> Self:
        """Return the reference of a folder, whose files have the hashes of its manifest.

        Raises:
            InputError: a file has another hash, or other columns.
        """
        columns = ReadColumns(tuple(REFERENCE.names))
        rows = choose_files(folder, REFERENCE_CONFIG, "test", columns).rows
        for path, row in zip(_local_paths(folder, rows), rows, strict=True):
            with steady_file(path) as file:
                refuse_other_hash(file, folder, row)
        files = _SampleFiles.of(folder, rows, REFERENCE.names)
        if files is None:
            raise InputError(f"{folder}: files of the reference have different columns")
        return cls(files, config)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the forecasts of the config; of `default` those of start probes are left out."""
        for batch in self.files.batches(columns):
            if self.config == DEFAULT:
                yield batch.filter(pc.invert(pc.ends_with(batch["sample_id"], "/0")))
            else:
                yield reference_of(batch, self.config)


def _reference_sizes(
    files: _SampleFiles, families: Sequence[_Family], reference: _FiledReference
) -> list[int] | None:
    """Return how many forecasts each family has: one for each sample, or none.

    None if the forecasts are not in the order of the samples.
    """
    ids, forecasts = (
        _Cursor(files.batches(["sample_id"])),
        _Cursor(reference.batches(["sample_id"])),
    )
    sizes = []
    for family in families:
        left, has_forecasts = family.rows, None
        while left:
            own = as_strings(ids.some(left)["sample_id"])
            if reference.config == DEFAULT and pc.any(pc.ends_with(own, "/0")).as_py():
                return None
            if has_forecasts is None:
                has_forecasts = forecasts.begins_with(own[0].as_py())
            if has_forecasts:
                table = forecasts.take(len(own))
                expected = pa.chunked_array([own]).cast(pa.large_string())
                if not as_strings(table["sample_id"]).cast(pa.large_string()).equals(expected):
                    return None
            left -= len(own)
        sizes.append(family.rows if has_forecasts else 0)
    return sizes if forecasts.next(1) is None else None


class _Cursor:
    """Rows of batches, as many at a time as are asked for."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self._rest: pa.RecordBatch | None = None

    def next(self, most: int) -> pa.RecordBatch | None:
        """Return 1 to `most` rows; None at the end."""
        while self._rest is None or not len(self._rest):
            self._rest = next(self._batches, None)
            if self._rest is None:
                return None
        part = self._rest.slice(0, most)
        self._rest = self._rest.slice(len(part))
        return part

    def some(self, most: int) -> pa.RecordBatch:
        """Return 1 to `most` rows, where there are some."""
        part = self.next(most)
        if part is None:
            raise InputError("the samples have fewer rows than they had; run again")
        return part

    def begins_with(self, sample_id: str) -> bool:
        """Return whether the next row is there, and is of this sample."""
        first = self.next(1)
        if first is None:
            return False
        rest = [first] if self._rest is None else [first, self._rest]
        self._batches = chain(rest, self._batches)
        self._rest = None
        return bool(first["sample_id"][0].as_py() == sample_id)

    def take(self, rows: int) -> pa.Table:
        """Return the next rows, or fewer at the end."""
        batches = []
        while rows and (batch := self.next(rows)) is not None:
            batches.append(batch)
            rows -= len(batch)
        return pa.Table.from_batches(batches)
