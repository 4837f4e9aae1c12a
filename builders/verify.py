"""Check that a built dataset still is what was built, and that it keeps its promises."""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, decimal
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_configs import ROLLOUTS as ROLLOUTS_CONFIG
from bagen_data.dataset_configs import holds_samples, reference_path
from bagen_data.dataset_files import read_record
from bagen_data.errors import BuildChangedError, InputError
from bagen_data.hub import load_unchanged_samples
from bagen_data.locations import HubPath, Location, ReadLocation, StoreUrl
from bagen_data.parquet_streams import ParquetStream
from bagen_data.reading.rollouts import MAX_ROW_BYTES
from bagen_data.replaced_folder import bring_back
from bagen_data.replaced_store import own_names
from bagen_data.repositories.snapshots import list_names_at, local_file, local_files
from bagen_data.schema import (
    GOLD_VERDICTS,
    QUANTILE_LEVELS,
    QUESTIONS,
    REFERENCE,
    ROLLOUTS,
    SAMPLES,
)
from bagen_data.steady_files import digest_of, refuse_no_room, steady_file
from bagen_data.stores import download, list_files
from bagen_data.tables import (
    BUILD_RECORD,
    CARD,
    MANIFEST,
    METADATA,
    is_sealed,
    read_jsonl,
    sha256_of,
    to_json,
)
from bagen_data.unique_keys import parse_json

_OF_THE_HUB = re.compile(r"\.gitattributes|eval\.yaml|\.(?:git|cache|huggingface)/.*", re.DOTALL)
"""Files that the Hub adds to a repository, and its tools to a copy of one."""
_Check = Callable[[BinaryIO, dict[str, Any]], list[str]]
"""Problems of what a file holds, which its row of the manifest describes."""


def verify(folder: ReadLocation) -> int:
    """Compare every file with the manifest, and check the tables' promises.

    Files that the Hub adds to a repository, and its tools to a copy of one, are left alone.

    Args:
        folder: the dataset: a folder, which may be a snapshot in the cache of huggingface_hub or
            what `hf download --local-dir` wrote; its URL in a store, or a commit on the Hub, of
            which a copy is checked.

    Returns:
        The number of data files.

    Raises:
        InputError: the folder is not a built dataset.
        BuildChangedError: files are changed, missing or foreign, or a table breaks a promise; the
            message names each.
        StoreError: a store or the Hub does not answer.
    """
    if isinstance(folder, HubPath):
        return _verify_commit(folder)
    with local_dataset(folder) as local:
        return _verify(local, folder, _present(local))


@contextmanager
def local_dataset(place: Location) -> Iterator[Path]:
    """Give a dataset as a folder of this machine: itself, or a copy of what a store has.

    Builds that are on their way in a store are left out.

    Raises:
        InputError: a store holds no dataset there, or it cannot be read.
        StoreError: a store does not answer.
    """
    if isinstance(place, Path):
        bring_back(place)
        yield place
        return
    with TemporaryDirectory(prefix="bagen-dataset-") as copy:
        try:
            _copy(place, Path(copy))
        except OSError as error:
            raise InputError(f"{place}: cannot be read: {error.strerror or error}") from error
        yield Path(copy)


def _verify_commit(dataset: HubPath) -> int:
    """Check the files of a commit, which the cache of huggingface_hub keeps."""
    names = list_names_at(dataset)
    if MANIFEST not in names:
        raise InputError(f"{dataset}: holds no {MANIFEST}; expected a built dataset")
    folder = local_file(dataset / MANIFEST).parent
    named = {row["path"] for row in _manifest(folder)} | {BUILD_RECORD}
    record = read_record(dataset)
    if isinstance(record, dict) and isinstance(record.get("files"), dict):
        named |= record["files"].keys()
    local_files([dataset / name for name in sorted(named & names)])
    return _verify(folder, dataset, names)


def _present(folder: Path) -> set[str]:
    """Return the paths of all files below a folder; links of a cache are followed."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _copy(folder: StoreUrl, copy: Path) -> None:
    files = list_files(folder)
    if MANIFEST not in files:
        raise InputError(
            f"{folder}: holds no {MANIFEST}: nothing was committed there, or a build is on its way"
        )
    refuse_no_room(sum(facts.bytes for facts in files.values()), copy)
    for name in files.keys() - own_names(files):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        download(folder / name, copy / name)


def _verify(folder: Path, shown: ReadLocation, present: Set[str]) -> int:
    """Check a folder.

    Args:
        folder: the folder with the dataset, or a copy of it.
        shown: the place of the dataset that messages name.
        present: the paths of the dataset's files.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{shown}: holds no {MANIFEST}; expected a built dataset")
    try:
        with steady_file(folder / MANIFEST):  # what is hashed of it is what is read of it
            manifest = _manifest(folder)
            problems = _changed_metadata(folder)
    except OSError as error:
        raise BuildChangedError(f"{shown / MANIFEST}: cannot be read: {error.strerror}") from error
    check = _broken_questions if not problems and _is_hidden(folder) else _broken_promises
    for row in manifest:
        problems += _problems_of(folder, row, check)
    if not problems:
        problems += _repeated_ids(folder, manifest)
        problems += _broken_references(folder, manifest)
    named = {MANIFEST, BUILD_RECORD, *_sealed_files(folder), *(row["path"] for row in manifest)}
    problems += [
        f"{name}: is not in {MANIFEST}"
        for name in sorted(present - named)
        if not _OF_THE_HUB.fullmatch(name)
    ]
    if problems:
        raise BuildChangedError("\n".join([f"{shown}: {len(problems)} problem(s)", *problems]))
    return len(manifest)


def _manifest(folder: Path) -> list[dict[str, Any]]:
    rows = read_jsonl(folder / MANIFEST)
    for number, row in enumerate(rows, 1):
        if not {"path", "bytes", "sha256", "rows", "config", "split"} <= row.keys():
            raise BuildChangedError(f"{MANIFEST}:{number}: lacks a field; it was changed")
    return rows


def _sealed_files(folder: Path) -> dict[str, Any]:
    """Return the hashes by name of the files that `build.json` seals; none where it is broken."""
    record = read_record(folder)
    files = record.get("files") if isinstance(record, dict) else None
    return files if isinstance(files, dict) else {CARD: None}


def _changed_metadata(folder: Path) -> list[str]:
    """Problems of `build.json` and of the files it seals."""
    path = folder / BUILD_RECORD
    try:
        text = path.read_text(encoding="utf-8")
        record = parse_json(text)
        is_whole = is_sealed(record) and isinstance(record.get("files"), dict)
        intact = is_whole and text == to_json(record, indent=1) + "\n"
    except (OSError, ValueError, AttributeError):
        intact = False
    if not intact:
        return [f"{BUILD_RECORD}: is missing or was changed"]
    problems = [
        f"{name}: is missing or was changed"
        for name, sha256 in record["files"].items()
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256
    ]
    unsealed = [name for name in METADATA if name not in (BUILD_RECORD, *record["files"])]
    return problems + [
        f"{name}: is not a file that {BUILD_RECORD} seals"
        for name in unsealed
        if (folder / name).is_file()
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
    file = ParquetStream(stream)
    problems = []
    if file.rows != row["rows"]:
        problems.append(f"has {file.rows} rows; expected {row['rows']}")
    if not file.schema.equals(QUESTIONS, check_metadata=True):
        return [*problems, "has another schema than a hidden split's public part"]
    ids = file.read(["sample_id"])["sample_id"].to_pylist()
    if ids != sorted(set(ids)):
        problems.append("has rows in another order than that of their ids, or an id twice")
    groups = range(file.row_groups)
    return problems + sorted({text for group in groups for text in _broken_prompts(file, group)})


def _broken_promises(stream: BinaryIO, row: dict[str, Any]) -> list[str]:
    """Return the promises to readers that a file breaks, checked on columns."""
    file = ParquetStream(stream)
    expected, check = _TABLES.get(row["config"], (SAMPLES, _broken_samples))
    problems = []
    if file.rows != row["rows"]:
        problems.append(f"has {file.rows} rows; expected {row['rows']}")
    if not file.schema.equals(expected):
        problems.append("has another schema than this version writes")
    else:
        problems += check(file)
    return problems


def _broken_samples(file: ParquetStream) -> list[str]:
    flat = [
        "sample_id",
        "completed_turns",
        "total_turns",
        "resources",
        "feasible",
        "verdict",
        "rollout_success",
    ]
    table = file.read(flat)
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
    right = pc.if_else(table["feasible"], GOLD_VERDICTS[True], GOLD_VERDICTS[False])
    if not pc.all(pc.equal(table["verdict"], right)).as_py():
        problems.append("has a verdict that does not follow from its label")
    groups = range(file.row_groups)
    return problems + sorted({text for group in groups for text in _broken_prompts(file, group)})


def _broken_prompts(file: ParquetStream, group: int) -> list[str]:
    """Problems of one row group's prompts, which are all of it that is held at once."""
    lists = file.read_row_group(group, ["prompt"])["prompt"].combine_chunks()
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


def _broken_forecasts(file: ParquetStream) -> list[str]:
    """Problems of a file of the reference that show in it alone."""
    table = file.read()
    problems = []
    if pc.count_distinct(table["sample_id"]).as_py() < len(table):
        problems.append("has a sample_id twice")
    for name in ("finish", "success"):
        share = table[name].to_numpy()
        if not ((share >= 0) & (share <= 1)).all():
            problems.append(f"has a {name} that is not from 0 to 1")
    amounts = _quantiles(table)
    if not (np.isfinite(amounts).all() and (amounts >= 0).all() and (np.diff(amounts) >= 0).all()):
        problems.append("has quantiles that fall, are negative or are not finite")
    return problems


def _repeated_ids(folder: Path, manifest: Sequence[dict[str, Any]]) -> list[str]:
    """Problems of the samples of several files: each split of a config has an id once."""
    places: dict[tuple[str, str], list[str]] = {}
    for row in manifest:
        if holds_samples(row["config"]):
            places.setdefault((row["config"], row["split"]), []).append(row["path"])
    problems = []
    for paths in places.values():
        if len(paths) > 1:
            ids = pa.concat_tables(
                pq.read_table(folder / path, columns=["sample_id"]) for path in paths
            )
            if pc.count_distinct(ids["sample_id"]).as_py() < len(ids):
                problems.append(
                    f"{paths[0]}: has a sample_id that another of {len(paths)} files has"
                )
    return problems


def _broken_references(folder: Path, manifest: Sequence[dict[str, Any]]) -> list[str]:
    """Problems of the reference's files: they hold what is made of the samples anew."""
    configs = [row["config"] for row in manifest if row["split"] == "test"]
    paths = {reference_path(name): name for name in dict.fromkeys(configs) if holds_samples(name)}
    return [
        f"{row['path']}: does not follow from the samples of config {paths[row['path']]}"
        if row["path"] in paths
        else f"{row['path']}: is about no config of samples"
        for row in manifest
        if row["config"] == REFERENCE_CONFIG
        and not (row["path"] in paths and _follows(folder, row["path"], paths[row["path"]]))
    ]


def _follows(folder: Path, path: str, config: str) -> bool:
    """Return whether a file of the reference is what its samples' climatology is."""
    from bagen_data.climatology import climatology
    from bagen_data.scoring.sample_table import SampleTable

    samples = load_unchanged_samples(str(folder), config).table
    made = [
        (np.arange(len(samples))[family.rows], _flat(forecasts))
        for family in SampleTable.of(samples).families
        if (forecasts := climatology(family)) is not None
    ]
    written = pq.read_table(folder / path)
    if not made or len(written) != sum(len(rows) for rows, _ in made):
        return False
    rows = np.concatenate([rows for rows, _ in made])
    order = np.argsort(rows)
    names = samples["sample_id"].take(pa.array(rows[order]))
    numbers = [
        written["finish"].to_numpy(),
        written["success"].to_numpy(),
        *_quantiles(written).reshape(len(written), -1).T,
    ]
    expected = np.concatenate([each for _, each in made])[order]
    return names.to_pylist() == written["sample_id"].to_pylist() and np.allclose(
        np.stack(numbers, axis=1), expected, rtol=1e-9, atol=0
    )


def _flat(forecasts: ForecastColumns) -> Floats:
    """(n, 2 + 5r): the numbers of each forecast in one row."""
    quantiles = forecasts.quantiles.transpose(2, 0, 1).reshape(len(forecasts.finish), -1)
    return np.column_stack([forecasts.finish, forecasts.success, quantiles])


def _quantiles(table: pa.Table) -> Floats:
    """(n x r, 5): the quantiles of a table of forecasts."""
    lists = pc.list_flatten(pc.struct_field(pc.list_flatten(table["resources"]), "quantiles"))
    quantiles: Floats = lists.to_numpy().reshape(-1, len(QUANTILE_LEVELS))
    return quantiles


_TABLES: dict[str, tuple[pa.Schema, Callable[[ParquetStream], list[str]]]] = {
    ROLLOUTS_CONFIG: (ROLLOUTS, lambda _: []),
    REFERENCE_CONFIG: (REFERENCE, _broken_forecasts),
}
"""The schema of each config whose rows are not samples, and its further check."""
