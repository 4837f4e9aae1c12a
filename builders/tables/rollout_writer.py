"""Write rollouts as Parquet, one row each, with the usage of every turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.arrow_lists import pairs_array, plain_array, text_bytes, truths_of
from bagen_data.reading.rollout_spool import RolloutSpool
from bagen_data.schema import ROLLOUTS, Budget
from bagen_data.tables import ParquetFile

_GROUP_ROWS = 2_048
_GROUP_TEXT = 16_000_000
_GROUP_SYSTEM = 64_000_000
"""Bytes of a row group's system messages, which are not counted in its text: mostly one message."""
_LEVEL = 3
_DICTIONARIES = [
    "task",
    "rollout_model",
    "system",
    "turns.list.element.usage.list.element.name",
    "turns.list.element.state.list.element.name",
    "budget.list.element.name",
    "conditions.list.element.name",
]


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """Columns that the plan adds to a rollout's."""

    budget: Budget | None
    """The rollout's budget; None for a rollout that takes no part in its task."""
    is_reached: bool
    """Whether the rollout's final state reaches the conditions of its budget."""
    text_size: int
    """Characters of its turns."""


def write_rollouts(
    path: Path, rollouts: RolloutSpool, rollout_model: str, rows: Sequence[RolloutRow]
) -> int:
    """Write rollouts from the columns of their spool; return their bytes in memory.

    Args:
        path: of the file.
        rollouts: n rollouts.
        rollout_model: their model, which may have been unknown while they were read.
        rows: (n,).
    """
    with ParquetFile(path, ROLLOUTS, dictionary_columns=_DICTIONARIES, level=_LEVEL) as file:
        start = 0
        for batch in _groups(rollouts, [row.text_size for row in rows]):
            group = rows[start : start + len(batch)]
            file.write_row_group(_with_plan(batch, rollout_model, group))
            start += len(batch)
    return file.loaded_bytes


def _groups(rollouts: RolloutSpool, sizes: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield a batch for each row group: it ends by its rows or its text, whatever the batches."""
    waiting: list[pa.RecordBatch] = []
    position = text = system = rows = 0
    for batch in rollouts.tables():
        start = 0
        for row, size in enumerate(text_bytes(batch["system"]).tolist()):
            text += sizes[position]
            system += size
            position += 1
            rows += 1
            if rows >= _GROUP_ROWS or text >= _GROUP_TEXT or system >= _GROUP_SYSTEM:
                group = pa.concat_batches([*waiting, batch.slice(start, row + 1 - start)])
                waiting = []
                yield group
                start = row + 1
                text = system = rows = 0
        if start < len(batch):
            waiting.append(batch.slice(start))
    if waiting:
        yield pa.concat_batches(waiting)


def _with_plan(batch: pa.RecordBatch, rollout_model: str, rows: Sequence[RolloutRow]) -> pa.Table:
    budgets = [row.budget for row in rows]
    recorded = truths_of(batch["rollout_success"])
    columns: dict[str, Any] = {
        "rollout_model": plain_array([rollout_model] * len(rows), pa.string()),
        "rollout_success": plain_array(
            recorded & np.array([row.is_reached for row in rows], np.bool_), pa.bool_()
        ),
        "budget": pairs_array([budget.limits if budget else {} for budget in budgets]),
        "conditions": pairs_array([budget.conditions if budget else {} for budget in budgets]),
    }
    return pa.Table.from_arrays(
        [columns[name] if name in columns else batch[name] for name in ROLLOUTS.names],
        schema=ROLLOUTS,
    )
