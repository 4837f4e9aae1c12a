"""Rows of a JSONL or Parquet file, streamed, each with its place for messages."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from bagen_data.errors import InputError
from bagen_data.fast_json import load_json
from bagen_data.parquet_streams import ParquetStream
from bagen_data.unique_keys import RepeatedKeyError

_ROWS_AT_ONCE = 4_096


def read_rows(path: Path, names: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (place, row) of a file; `place` names the file and the line or row, counted from 1.

    Of Parquet only the columns in `names` are read, where there. Empty lines are skipped.

    Raises:
        InputError: the file is neither `.jsonl` nor `.parquet`, cannot be read, or has no rows.
    """
    readers = {".jsonl": _json_lines, ".parquet": _parquet_rows}
    if path.suffix not in readers:
        raise InputError(f"{path}: expected a .jsonl or .parquet file; convert or rename it")
    is_empty = True
    try:
        for place, row in readers[path.suffix](path, names):
            is_empty = False
            yield place, row
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); give a file that can be") from error
    if is_empty:
        raise InputError(f"{path}: has no rows; expected one or more, give another file")


def _json_lines(path: Path, _names: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                row = load_json(line.removeprefix(b"\xef\xbb\xbf"))
            except RepeatedKeyError as error:
                raise InputError(f"{place}: {error}; remove one of them") from error
            except ValueError as error:
                raise InputError(
                    f"{place}: is not JSON ({error}); expected one object a line; correct or "
                    "remove it"
                ) from error
            if not isinstance(row, dict):
                raise InputError(
                    f"{place}: is not a JSON object; expected one object a line; correct or "
                    "remove it"
                )
            yield place, row


def _parquet_rows(path: Path, names: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with path.open("rb") as source, ParquetStream(source) as file:
            columns = [name for name in file.schema.names if name in names]
            if not columns:
                columns_there = ", ".join(file.schema.names)
                raise InputError(
                    f"{path}: has the columns {columns_there}; expected some of "
                    f"{', '.join(sorted(names))}, rename them"
                )
            number = 0
            for batch in file.batches(_ROWS_AT_ONCE, columns):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{path}: is not readable Parquet ({error}); write it anew") from error


def text_of(row: Mapping[str, Any], name: str, place: str) -> str:
    """Return the row's field of that name: a string with more than white space in it.

    Raises:
        InputError: it is missing, empty, or no string.
    """
    value = row.get(name)
    if isinstance(value, str) and value.strip():
        return value
    raise InputError(
        f"{place}: {name} is {shown(value)}; expected a text that is not empty; correct or "
        "remove it"
    )


def id_of(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> str | None:
    """Return the first of the named fields that is not null, as text; None if all are null.

    Raises:
        InputError: it is neither a text nor a whole number.
    """
    for name in names:
        value = row.get(name)
        if type(value) in (int, str) and str(value).strip():
            return str(value)
        if value is not None:
            raise InputError(
                f"{place}: {name} is {shown(value)}; expected a text or a whole number, "
                "correct it or leave it out"
            )
    return None


def shown(value: Any) -> str:
    """Return a value as a message shows it: at most 60 characters, and `missing` for null."""
    if value is None:
        return "missing"
    quoted = repr(value)
    return quoted if len(quoted) <= 60 else quoted[:57] + "..."
