"""Read files of predictions in batches, strictly."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from pydantic import ValidationError

from bagen_data.errors import InputError
from bagen_data.field_problems import problems
from bagen_data.parquet_streams import ParquetStream
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.steady_files import HeldFile
from bagen_data.submissions import MOST_USD, Prediction

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
ALL_TASKS = "predictions"
"""The name of a file that may answer several configs; others are named for the one they answer."""
_OF_ONE = f"{ALL_TASKS}-"
"""The beginning that the name of a file for one config may have."""
_USAGE = pa.struct([(f"{kind}_tokens", pa.int64()) for kind in ("input", "cached", "output")])
SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("response", pa.string()),
        ("usage", _USAGE),
        ("cost_usd", pa.float64()),
    ]
)
"""The columns of every batch; `usage` and `cost_usd` are null where a row has none."""

_BLOCK = 1 << 20
_LONGEST = 1 << 26
"""Bytes of a line: what is longer is no answer, and might fill the memory."""
_MOST_KEYS = 100
"""Most keys of one JSON object; an error lists each key that is wrong."""
_ROWS = 1 << 16
_NEWLINE, _BRACE = b"\n{"
_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_COST = (pa.types.is_floating, pa.types.is_integer, pa.types.is_null)


def prediction_reader(path: Path, largest: int | None = None) -> PredictionReader:
    """Return a reader of a file's predictions, in batches of `SCHEMA`.

    The file is read once, at the first call; each call gives the same rows from the first one on,
    whatever becomes of the file meanwhile.

    Args:
        path: a `.jsonl`, `.jsonl.gz` or `.parquet` file, or a folder with one of them in it.
        largest: bytes that a file may hold, unpacked; any number if None.

    Raises:
        InputError: there is no such file; and while reading, it changes, or a row is not a
            prediction: the message says in which line and why.
    """
    file = find_predictions(path)

    @cache
    def hold() -> HeldFile:
        try:
            return HeldFile(file)
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror}") from error

    return lambda: read_held(file, hold(), largest)


def read_held(path: Path, held: HeldFile, largest: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the predictions of a file that is held, in batches of `SCHEMA`.

    Args:
        path: the file's path, which says what it is, for messages too.
        held: its copy.
        largest: bytes that it may hold, unpacked; any number if None.

    Raises:
        InputError: as a `prediction_reader` while reading.
    """
    read = _read_parquet if path.name.endswith(".parquet") else _read_jsonl
    try:
        with held.open() as file:
            yield from read(file, path, largest)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def config_named_by(file: Path) -> str:
    """Return the config that a file's name says, or `predictions`.

    Raises:
        InputError: the name ends in nothing known.

    >>> [config_named_by(Path(name)) for name in ("sokoban.jsonl.gz", "predictions-chess.jsonl")]
    ['sokoban', 'chess']
    >>> config_named_by(Path("predictions.jsonl"))
    'predictions'
    """
    endings = [ending for ending in SUFFIXES if file.name.endswith(ending)]
    if not endings:
        raise InputError(f"{file}: expected a name that ends in {', '.join(SUFFIXES)}")
    return file.name.removesuffix(endings[0]).removeprefix(_OF_ONE)


def find_predictions(path: Path) -> Path:
    """The prediction file that a path means: itself, or the one in it.

    Raises:
        InputError: there is none, there are several, or its name ends in nothing known.
    """
    files = files_in(path)
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(f"{path}: holds several prediction files: {names}; name one of them")
    return files[0]


def files_in(path: Path) -> list[Path]:
    """Return the prediction files that a path means: itself, or those in it, by name.

    Raises:
        InputError: there is none, or the name of the file ends in nothing known.
    """
    try:
        if not path.is_dir():
            files = [path] if path.is_file() else []
        else:
            inside = sorted(path.iterdir())
            files = [file for file in inside if file.name.endswith(SUFFIXES) and file.is_file()]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not path.name.endswith(SUFFIXES) and files == [path]:
        raise InputError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
    if not files and not path.exists():
        raise InputError(f"{path}: no such file or folder; expected predictions")
    if not files:
        raise InputError(f"{path}: predictions are missing; expected a file predictions.jsonl")
    return files


def _read_jsonl(
    stored: BufferedReader, path: Path, largest: int | None
) -> Iterator[pa.RecordBatch]:
    """Block by block with Arrow's reader; a block that has something odd in it, line by line."""
    with _unpacked(stored, path) as file:
        for number, block in _blocks(file, path, largest):
            batch = _with_arrow(block)
            if batch is None:
                batch = _batch(list(_predictions(block.split(b"\n"), path, number)))
            if len(batch):
                yield batch


def _blocks(file: IO[bytes], path: Path, largest: int | None) -> Iterator[tuple[int, bytes]]:
    """The file in parts of whole lines, each with the number of its first line."""
    parts: list[bytes] = []
    number, size, total = 1, 0, 0
    while part := file.read(_BLOCK):
        total += len(part)
        if largest is not None and total > largest:
            raise _too_much(path, largest)
        whole, newline, rest = part.rpartition(b"\n")
        if newline:
            block = b"".join([*parts, whole, newline])
            yield number, block
            number += block.count(b"\n")
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > _LONGEST:
            raise InputError(f"{path}:{number}: is longer than {_LONGEST:,} bytes")
    yield number, b"".join(parts)


def _too_much(path: Path, largest: int) -> InputError:
    return InputError(f"{path}: holds more than {largest:,} bytes, unpacked")


def _with_arrow(block: bytes) -> pa.RecordBatch | None:
    """Return the rows of a block; None if it has a blank line, or one that may not be a row."""
    lines = _objects(block)
    if lines is None:
        return None
    try:
        table = pa.json.read_json(
            pa.BufferReader(block),
            read_options=pa.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            parse_options=pa.json.ParseOptions(
                explicit_schema=SCHEMA, unexpected_field_behavior="error"
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    [batch] = table.combine_chunks().to_batches() or [_batch([])]
    return batch if len(batch) == lines and _is_good(batch) else None


def _objects(block: bytes) -> int | None:
    """Return the number of lines if each begins as an object does, else None."""
    text = np.frombuffer(block, np.uint8)
    starts = np.flatnonzero(text == _NEWLINE) + 1
    if len(starts) and starts[-1] == len(text):
        starts = starts[:-1]
    begins = text[:1].tolist() + text[starts].tolist()
    return len(begins) if set(begins) == {_BRACE} else None


def _is_good(batch: pa.RecordBatch) -> bool:
    """Return whether every row is a prediction."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return False
    usage, cost = batch["usage"], batch["cost_usd"]
    stated = usage.filter(pc.is_valid(usage))
    amounts = [stated.field(position) for position in range(_USAGE.num_fields)]
    return (
        not batch["sample_id"].null_count
        and not batch["response"].null_count
        and not pc.any(pc.equal(pc.binary_length(batch["sample_id"]), 0)).as_py()
        and all(map(_is_amount, amounts))
        and bool((amounts[1].to_numpy(False) <= amounts[0].to_numpy(False)).all())
        and _is_amount(cost.drop_null(), MOST_USD)
    )


def _is_amount(column: Any, most: float = np.inf) -> bool:
    values = column.to_numpy(zero_copy_only=False)
    is_amount = np.isfinite(values) & (values >= 0) & (values <= most)
    return not column.null_count and bool(is_amount.all())


def _predictions(lines: list[bytes], path: Path, first: int) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, first):
        if line.strip():
            yield _prediction(line, f"{path}:{number}")


def _prediction(line: bytes, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line.decode("utf-8"), object_pairs_hook=_no_duplicates)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}: not one JSON object in UTF-8: {error.msg} at character {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not one JSON object in UTF-8: {str(error)[:200]}") from error
    try:
        return Prediction.model_validate(content).model_dump()
    except ValidationError as error:
        lines = [f"{where}: {problem}" for problem in problems(error)]
        raise InputError("\n".join(lines)) from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"an object has {len(pairs):,} keys; expected at most {_MOST_KEYS}")
    content = dict(pairs)
    if len(content) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in content if times[name] > 1)
        raise ValueError(f"key {twice!r} appears twice")
    return content


def _unpacked(stored: BufferedReader, path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(stored)) if path.suffix == ".gz" else stored


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def _read_parquet(
    stored: BufferedReader, path: Path, largest: int | None
) -> Iterator[pa.RecordBatch]:
    try:
        file = ParquetStream(stored, buffer_bytes=_BLOCK)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not a Parquet file: {error}") from error
    with file:
        _check_columns(file.schema, path)
        row, total = 0, 0
        for batch in file.batches(_ROWS):
            try:
                conformed = _conformed(batch)
                conformed.validate(full=True)
            except pa.ArrowInvalid as error:
                raise InputError(f"{path}: rows from {row} on: {error}") from error
            if not _is_good(conformed):
                _refuse_row(conformed, path, row)
            total += conformed.nbytes
            if largest is not None and total > largest:
                raise _too_much(path, largest)
            yield conformed
            row += len(batch)


def _check_columns(schema: pa.Schema, path: Path) -> None:
    """Refuse what would have to be converted, as a line of JSON that holds it is refused."""
    names = schema.names
    if not {"sample_id", "response"} <= set(names) <= set(SCHEMA.names) or len(names) > len(
        set(names)
    ):
        raise InputError(
            f"{path}: found columns {', '.join(names)}; expected sample_id and response, and "
            "perhaps usage and cost_usd"
        )
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if field.name == "usage":
            fields = [child.name for child in kind] if pa.types.is_struct(kind) else []
            is_right = pa.types.is_null(kind) or (
                sorted(fields) == sorted(child.name for child in _USAGE)
                and all(pa.types.is_integer(child.type) for child in kind)
            )
        else:
            tests = _COST if field.name == "cost_usd" else _TEXT
            is_right = any(test(kind) for test in tests)
        if not is_right:
            raise InputError(
                f"{path}: {field.name} is of type {field.type}; expected "
                f"{SCHEMA.field(field.name).type}"
            )


def _conformed(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = []
    for field in SCHEMA:
        if field.name not in batch.schema.names:
            columns.append(pa.nulls(len(batch), field.type))
        elif field.name == "usage" and pa.types.is_struct(batch["usage"].type):
            usage = batch["usage"]
            amounts = [pc.struct_field(usage, child.name).cast(pa.int64()) for child in _USAGE]
            columns.append(
                pa.StructArray.from_arrays(amounts, fields=list(_USAGE), mask=usage.is_null())
            )
        else:
            columns.append(batch[field.name].cast(field.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _refuse_row(batch: pa.RecordBatch, path: Path, first: int) -> None:
    for number, row in enumerate(batch.to_pylist(), first):
        try:
            Prediction.model_validate(row)
        except ValidationError as error:
            lines = [f"{path}: row {number}: {text}" for text in problems(error)]
            raise InputError("\n".join(lines)) from error
    raise InputError(f"{path}: a row from {first} on is not a prediction")
