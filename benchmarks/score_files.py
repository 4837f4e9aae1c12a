"""A made-up dataset and predictions of it in Parquet, written piece by piece, of any size."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bagen_data.array_types import Floats, Ints
from bagen_data.schema import WAREHOUSE
from bagen_data.tables import sha256_of

TASKS = {
    "sokoban": ("tokens",),
    "swebench": ("tokens",),
    "warehouse": tuple(resource.name for resource in WAREHOUSE),
}
MODELS = 4
PROBES = 20
"""Probes of a rollout."""
REVISION = "made-up"
_PIECE = 2_500
"""Rollouts that are made at once."""
_INSTANCES = 500
_THOUGHTS = (
    "The agent has pushed one box and stands next to the second.",
    "Two of three tests pass now, so an edit and one more run should do.",
    "It has spent about as much each turn, and I see three or four turns more.",
)


@dataclass(frozen=True)
class _Piece:
    """Some rollouts of one family."""

    task: str
    model: int
    first: int
    """The number of the first rollout in its family."""
    rollouts: int


@dataclass(frozen=True)
class WrittenFiles:
    """The files of a folder of made-up data."""

    samples: int
    in_order: Path
    """Predictions in the order of the samples."""
    mixed: Path
    """The same predictions in another order."""


def write_files(folder: Path, rows: int) -> WrittenFiles:
    """Write a dataset with a reference, a file a family, and two files of predictions.

    Args:
        folder: the folder to write.
        rows: the number of samples, rounded down to whole rollouts of all families.
    """
    (folder / "data").mkdir(parents=True)
    rollouts = max(2, rows // (len(TASKS) * MODELS * PROBES))
    pieces = list(_pieces(rollouts))
    manifest = []
    for task in TASKS:
        own = [piece for piece in pieces if piece.task == task]
        for model in range(MODELS):
            tables = (_samples(piece) for piece in own if piece.model == model)
            path = f"data/{task}-{model}.parquet"
            manifest.append(_write(folder, path, tables) | {"config": task})
        path = f"data/reference-{task}.parquet"
        manifest.append(_write(folder, path, map(_reference, own)) | {"config": "reference"})
    lines = [json.dumps(row | {"split": "test"}) + "\n" for row in manifest]
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "build.json").write_text(json.dumps({"revision": REVISION}), encoding="utf-8")
    _write(folder, "in-order.parquet", map(_predictions, pieces))
    order = np.random.default_rng(0).permutation(len(pieces))
    _write(folder, "mixed.parquet", (_mixed(_predictions(pieces[number])) for number in order))
    samples = rollouts * len(TASKS) * MODELS * PROBES
    return WrittenFiles(samples, folder / "in-order.parquet", folder / "mixed.parquet")


def _pieces(rollouts: int) -> Iterator[_Piece]:
    for task in TASKS:
        for model in range(MODELS):
            for first in range(0, rollouts, _PIECE):
                yield _Piece(task, model, first, min(_PIECE, rollouts - first))


def _write(folder: Path, path: str, tables: Iterator[pa.Table]) -> dict[str, str]:
    """Write a file, a row group a table; return its path and hash."""
    first = next(tables)
    with pq.ParquetWriter(
        folder / path, first.schema, compression="zstd", store_schema=False
    ) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
    return {"path": path, "sha256": sha256_of(folder / path)}


def _random(piece: _Piece, what: int) -> np.random.Generator:
    return np.random.default_rng([list(TASKS).index(piece.task), piece.model, piece.first, what])


def _samples(piece: _Piece) -> pa.Table:
    feasible = np.repeat(_random(piece, 0).random(piece.rollouts) < 0.5, PROBES)
    succeeded = feasible | np.repeat(_random(piece, 1).random(piece.rollouts) < 0.2, PROBES)
    names = TASKS[piece.task]
    totals, remaining = _totals(piece), _remaining(piece)
    amounts = [1.1 * totals, totals - remaining, remaining]
    resources = _lists(names, [pa.array(each.ravel()) for each in amounts], _AMOUNTS, len(feasible))
    instances = np.arange(piece.first, piece.first + piece.rollouts) % _INSTANCES
    size = len(feasible)
    return pa.table(
        {
            "sample_id": _ids(piece),
            "task": _repeated([piece.task], np.zeros(size, np.int32)),
            "rollout_model": _repeated([f"model{piece.model}"], np.zeros(size, np.int32)),
            "rollout_id": _repeated(_rollouts(piece), _rollout_of(piece)),
            "instance_id": _repeated([f"i{each}" for each in instances], _rollout_of(piece)),
            "completed_turns": _turns(piece),
            "total_turns": np.full(size, PROBES + 1, np.int32),
            "feasible": feasible,
            "rollout_success": succeeded,
            "resources": resources,
        }
    )


_AMOUNTS = ("resource", "budget", "used", "remaining")


def _reference(piece: _Piece) -> pa.Table:
    remaining = _remaining(piece)
    spread = _random(piece, 2).uniform(0.3, 2, (*remaining.shape, 5))
    values = np.sort(remaining[:, :, np.newaxis] * spread, axis=2)
    starts = pa.array(np.arange(remaining.size + 1, dtype=np.int32) * 5)
    quantiles = pa.ListArray.from_arrays(starts, pa.array(values.ravel()))
    names, size = TASKS[piece.task], len(remaining)
    return pa.table(
        {
            "sample_id": _ids(piece),
            "finish": np.full(size, 0.4),
            "success": np.full(size, 0.5),
            "resources": _lists(names, [quantiles], ("resource", "quantiles"), size),
        }
    )


def _predictions(piece: _Piece) -> pa.Table:
    rng = _random(piece, 3)
    remaining = _remaining(piece)
    size = len(remaining)
    names = TASKS[piece.task]
    parts: list[Any] = []
    for number, name in enumerate(names):
        low = np.floor(remaining[:, number] * rng.uniform(0.5, 1.1, size)).astype(np.int64)
        high = np.maximum(low, np.floor(remaining[:, number] * rng.uniform(1.1, 1.6, size)))
        label = f"{', ' if number else ''}{name}:[" if len(names) > 1 else "["
        parts += [label, _text(low), ", ", _text(high.astype(np.int64)), "]"]
    kind = rng.random(size)
    answer = pc.if_else(pa.array(kind < 0.45), "impossible", _joined(parts))
    answer = pc.if_else(pa.array(kind > 0.99), "about 700", answer)
    thoughts = [pa.array(_THOUGHTS).take(pa.array(rng.integers(0, 3, size))) for _ in range(2)]
    parts = ["<think>", thoughts[0], " ", thoughts[1], "</think> <answer>", answer, "</answer>"]
    return pa.table({"sample_id": _ids(piece), "response": _joined(parts)})


def _mixed(table: pa.Table) -> pa.Table:
    return table.take(pa.array(np.random.default_rng(len(table)).permutation(len(table))))


def _rollout_of(piece: _Piece) -> Ints:
    """Return the rollout of each sample, (n,), counted from 0 in its piece."""
    return np.repeat(np.arange(piece.rollouts, dtype=np.int32), PROBES)


def _turns(piece: _Piece) -> Ints:
    return np.tile(np.arange(1, PROBES + 1, dtype=np.int32), piece.rollouts)


def _rollouts(piece: _Piece) -> list[str]:
    """Return ids of rollouts: hashes, in no order, as a build has them."""
    high = _random(piece, 4).integers(0, 1 << 32, piece.rollouts)
    return [f"{each:08x}{piece.first + number:08x}" for number, each in enumerate(high.tolist())]


def _ids(piece: _Piece) -> Any:
    rollouts = pa.array(_rollouts(piece)).take(pa.array(_rollout_of(piece)))
    return _joined([f"{piece.task}/model{piece.model}/", rollouts, "/", _text(_turns(piece))])


def _totals(piece: _Piece) -> Floats:
    """Return the totals of each sample's rollout, (n, r)."""
    shape = piece.rollouts, len(TASKS[piece.task])
    totals = _random(piece, 5).integers(1_000, 20_000, shape).astype(np.float64)
    return totals.repeat(PROBES, axis=0)


def _remaining(piece: _Piece) -> Floats:
    left = (PROBES + 1 - _turns(piece))[:, np.newaxis] / (PROBES + 1)
    return np.floor(_totals(piece) * left)


def _lists(names: Sequence[str], values: list[Any], fields: Sequence[str], size: int) -> Any:
    """Return lists of one struct for each resource."""
    resource = _repeated(names, np.tile(np.arange(len(names), dtype=np.int32), size))
    structs = pa.StructArray.from_arrays([resource, *values], list(fields))
    starts = pa.array(np.arange(size + 1, dtype=np.int32) * len(names))
    return pa.ListArray.from_arrays(starts, structs)


def _repeated(names: Sequence[str], codes: Ints) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names))


def _text(numbers: Ints) -> Any:
    return pa.array(numbers).cast(pa.string())


def _joined(parts: Sequence[Any]) -> Any:
    """Return texts joined row by row; a plain string is in every row."""
    columns = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, "")
