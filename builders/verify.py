"""Check that a built dataset still is what was built, and that it keeps its promises."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bagen_data.array_types import decimal
from bagen_data.errors import BuildChangedError, InputError
from bagen_data.replaced_folder import bring_back
from bagen_data.schema import QUESTIONS, ROLLOUTS, SAMPLES
from bagen_data.steady_files import digest_of, steady_file
from bagen_data.tables import (
    BUILD_RECORD,
    CARD,
    MANIFEST,
    is_sealed,
    read_jsonl,
    sha256_of,
    to_json,
)
from bagen_data.unique_keys import parse_json
from builders.family_writer import ROLLOUTS_CONFIG
from builders.reading.rollouts import MAX_ROW_BYTES

_Check = Callable[[BinaryIO, dict[str, Any]], list[str]]
"""Problems of what a file holds, which its row of the manifest describes."""


def verify(folder: Path) -> int:
    """Compare every file with the manifest, and check the tables' promises.

    Returns:
        The number of data files.

    Raises:
        InputError: the folder is not a built dataset.
        BuildChangedError: files are changed, missing or foreign, or a table breaks a promise; the
            message names each.
    """
    bring_back(folder)
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: holds no {MANIFEST}; expected a built dataset")
    try:
        with steady_file(folder / MANIFEST):  # what is hashed of it is what is read of it
            manifest = _manifest(folder)
            problems = _changed_metadata(folder)
    except OSError as error:
        raise BuildChangedError(f"{folder / MANIFEST}: cannot be read: {error.strerror}") from error
    check = _broken_questions if not problems and _is_hidden(folder) else _broken_promises
    for row in manifest:
        problems += _problems_of(folder, row, check)
    named = {CARD, MANIFEST, BUILD_RECORD, *(row["path"] for row in manifest)}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    problems += [f"{name}: is not in {MANIFEST}" for name in sorted(present - named)]
    if problems:
        raise BuildChangedError("\n".join([f"{folder}: {len(problems)} problem(s)", *problems]))
    return len(manifest)


def _manifest(folder: Path) -> list[dict[str, Any]]:
    rows = read_jsonl(folder / MANIFEST)
    for number, row in enumerate(rows, 1):
        if not {"path", "bytes", "sha256", "rows", "config", "split"} <= row.keys():
            raise BuildChangedError(f"{MANIFEST}:{number}: lacks a field; it was changed")
    return rows


def _changed_metadata(folder: Path) -> list[str]:
    """Problems of `build.json` and of the files it seals."""
    path = folder / BUILD_RECORD
    try:
        text = path.read_text(encoding="utf-8")
        record = parse_json(text)
        intact = is_sealed(record) and text == to_json(record, indent=1) + "\n"
    except (OSError, ValueError, AttributeError):
        intact = False
    if not intact:
        return [f"{BUILD_RECORD}: is missing or was changed"]
    return [
        f"{name}: is missing or was changed"
        for name, sha256 in record["files"].items()
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256
    ]


def _problems_of(folder: Path, row: dict[str, Any], check: _Check) -> list[str]:
    """Problems of one file: it is held against the manifest, and what was hashed is checked."""
    path = folder / row["path"]
    if not path.is_file():
        return [f"{row['path']}: is missing"]
    try:
        with steady_file(path) as file:
            size = file.mark.bytes
            if size != row["bytes"]:
                return [f"{row['path']}: was changed: {size} bytes; expected {row['bytes']}"]
            if digest_of(file).sha256 != row["sha256"]:
                return [f"{row['path']}: was changed: another sha256 than in {MANIFEST}"]
            file.stream.seek(0)
            return [f"{row['path']}: {text}" for text in check(file.stream, row)]
    except OSError as error:
        return [f"{row['path']}: cannot be read: {error.strerror or error}"]


def _is_hidden(folder: Path) -> bool:
    """Return whether a folder is the public part of a hidden split, by its record."""
    return "key_sha256" in parse_json((folder / BUILD_RECORD).read_bytes())


def _broken_questions(stream: BinaryIO, row: dict[str, Any]) -> list[str]:
    """Problems of a file of a hidden split: it has the columns of questions and no other."""
    file = pq.ParquetFile(stream)
    problems = []
    if file.metadata.num_rows != row["rows"]:
        problems.append(f"has {file.metadata.num_rows} rows; expected {row['rows']}")
    if not file.schema_arrow.equals(QUESTIONS, check_metadata=True):
        return [*problems, "has another schema than a hidden split's public part"]
    ids = file.read(columns=["sample_id"])["sample_id"].to_pylist()
    if ids != sorted(set(ids)):
        problems.append("has rows in another order than that of their ids, or an id twice")
    groups = range(file.metadata.num_row_groups)
    return problems + sorted({text for group in groups for text in _broken_prompts(file, group)})


def _broken_promises(stream: BinaryIO, row: dict[str, Any]) -> list[str]:
    """What a reader may rely on, checked on columns."""
    file = pq.ParquetFile(stream)
    is_rollouts = row["config"] == ROLLOUTS_CONFIG
    expected = ROLLOUTS if is_rollouts else SAMPLES
    problems = []
    if file.metadata.num_rows != row["rows"]:
        problems.append(f"has {file.metadata.num_rows} rows; expected {row['rows']}")
    if not file.schema_arrow.equals(expected):
        problems.append("has another schema than this version writes")
    elif not is_rollouts:
        problems += _broken_samples(file)
    return problems


def _broken_samples(file: pq.ParquetFile) -> list[str]:
    flat = [
        "sample_id",
        "completed_turns",
        "total_turns",
        "resources",
        "feasible",
        "rollout_success",
    ]
    table = file.read(columns=flat)
    problems = []
    if pc.count_distinct(table["sample_id"]).as_py() < len(table):
        problems.append("has a sample_id twice")
    if pc.any(pc.greater(table["completed_turns"], table["total_turns"])).as_py():
        problems.append("has more completed than total turns")
    lists = table["resources"].combine_chunks()
    amounts = lists.flatten()
    budget, used, remaining = (
        amounts.field(name).to_numpy() for name in ("budget", "used", "remaining")
    )
    finite = np.isfinite(budget).all() and np.isfinite(used).all() and np.isfinite(remaining).all()
    if not finite or (used < 0).any() or (remaining < 0).any():
        problems.append("has an amount that is negative or not finite")
    rows = lists.value_parent_indices().to_numpy()
    overrun = np.zeros(len(table), bool)
    np.logical_or.at(overrun, rows, decimal(used + remaining) > budget)
    feasible = table["feasible"].to_numpy()
    if (feasible != (table["rollout_success"].to_numpy() & ~overrun)).any():
        problems.append("has a label that does not follow from success and budgets")
    groups = range(file.metadata.num_row_groups)
    return problems + sorted({text for group in groups for text in _broken_prompts(file, group)})


def _broken_prompts(file: pq.ParquetFile, group: int) -> list[str]:
    """Problems of one row group's prompts, which are all of it that is held at once."""
    lists = file.read_row_group(group, columns=["prompt"])["prompt"].combine_chunks()
    messages = lists.flatten()
    starts, ends = lists.offsets.to_numpy()[:-1], lists.offsets.to_numpy()[1:]
    roles = messages.field("role")
    problems = []
    if not pc.all(pc.equal(roles.take(starts), "system")).as_py():
        problems.append("has a prompt that does not begin with a system message")
    if not pc.all(pc.equal(roles.take(ends - 1), "user")).as_py():
        problems.append("has a prompt that does not end with a question")
    sizes = pc.binary_length(messages.field("content")).to_numpy()
    if (np.add.reduceat(sizes, starts) > MAX_ROW_BYTES).any():
        problems.append(f"has a prompt of more than {MAX_ROW_BYTES:,} bytes")
    return problems
