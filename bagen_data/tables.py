"""Files on disk: JSON lines, hashes, seals and Parquet settings."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from bagen_data.errors import InputError
from bagen_data.loaded_bytes import loaded_bytes
from bagen_data.unique_keys import parse_json

CARD, MANIFEST, BUILD_RECORD = "README.md", "manifest.jsonl", "build.json"
CROISSANT = "croissant.json"
"""The description of a dataset for searches and loaders of others; a hidden split has none."""
METADATA = (CARD, CROISSANT, MANIFEST, BUILD_RECORD)
"""The files of a built dataset beside its data."""

_BLOCK = 1 << 20
_DICTIONARY_LIMIT = 1 << 30
"""Bytes a dictionary page may take before a writer falls back to plain pages: never."""

_PAGE_BYTES = 8 << 20
_CHUNKING = {"min_chunk_size": 1 << 20, "max_chunk_size": _PAGE_BYTES, "norm_level": 0}
"""Rows of a long rollout repeat each other's references; pages of 1 MB would compress each anew."""


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON of one form: keys in the given order, UTF-8, no NaN."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file of JSON lines, one object a line."""
    path.write_text("".join(to_json(row) + "\n" for row in rows), encoding="utf-8")


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; raises as `parse_jsonl`."""
    return parse_jsonl(path.read_bytes(), path.name)


def parse_jsonl(data: bytes, name: str) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file that was read.

    Args:
        data: the bytes of the file.
        name: its name, for messages.

    Raises:
        InputError: a line is not a JSON object, or the file is not UTF-8; the message names it.
    """
    rows = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            row = parse_json(line.decode("utf-8"))
        except ValueError as error:
            raise InputError(f"{name}:{number}: not JSON in UTF-8: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{name}:{number}: expected an object, found {line[:40]!r}")
        rows.append(row)
    return rows


class ParquetFile:
    """A Parquet file set for the Hub, written in the background while the next part is made.

    zstd, a page index for the viewer, content-defined chunks for Xet. Columns named in
    `dictionary_columns` keep each distinct value of a row group once. The Arrow schema is left out,
    so that readers see plain strings where dictionaries were written. Use it as a context manager.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, *, dictionary_columns: list[str], level: int
    ) -> None:
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=level,
            use_dictionary=dictionary_columns,
            dictionary_pagesize_limit=_DICTIONARY_LIMIT,
            write_statistics=[field.name for field in schema if not pa.types.is_nested(field.type)],
            write_page_index=True,
            data_page_size=_PAGE_BYTES,
            use_content_defined_chunking=_CHUNKING,
            store_schema=False,
        )
        self.loaded_bytes = 0
        """Bytes of the rows so far in memory, with each string written out."""
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def write_row_group(self, table: pa.Table) -> None:
        """Start to write a row group; waits until the one before is written."""
        self._wait()
        self.loaded_bytes += loaded_bytes(table)
        self._writing = self._thread.submit(self._write, table)

    def _write(self, table: pa.Table) -> None:
        """Write a row group, in the thread, and give back the memory that Arrow keeps for more.

        What it keeps would grow with the row groups.
        """
        self._writer.write_table(table, row_group_size=len(table))
        pa.default_memory_pool().release_unused()

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._thread:
            try:
                self._wait()
            finally:
                self._writer.close()


def seal(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with a `seal`, the sha256 of the rest of it: any later change shows.

    >>> sealed = seal({"rows": 3})
    >>> is_sealed(sealed), is_sealed(sealed | {"rows": 4})
    (True, False)
    """
    rest = {name: value for name, value in record.items() if name != "seal"}
    return rest | {"seal": hashlib.sha256(to_json(rest).encode()).hexdigest()}


def is_sealed(record: Mapping[str, Any]) -> bool:
    """Return whether a record still is what `seal` returned."""
    return record == seal(record)
