"""Write rollouts as Parquet, one row each, with the usage of every turn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from bagen_data.schema import ROLLOUTS, Budget, Rollout
from builders.tables.arrow_lists import list_array, pairs_array, table_of
from builders.tables.row_groups import RowGroupWriter

_GROUP_ROWS = 2_048
_GROUP_TEXT = 16_000_000
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


class RolloutWriter(RowGroupWriter):
    """Writes rollouts, one row each; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ROLLOUTS, dictionary_columns=_DICTIONARIES, level=_LEVEL)
        self._group: list[tuple[Rollout, bool, Budget | None]] = []
        self._text_size = 0
        self.rows = 0

    def add(self, rollout: Rollout, success: bool, budget: Budget | None) -> None:
        """Add one rollout; `success` includes the conditions of its budget, if it has one."""
        self._group.append((rollout, success, budget))
        self._text_size += sum(len(turn.user) + len(turn.assistant) for turn in rollout.turns)
        self.rows += 1
        if len(self._group) >= _GROUP_ROWS or self._text_size >= _GROUP_TEXT:
            self.flush()

    def flush(self) -> None:
        """Start to write what was added as a row group."""
        if not self._group:
            return
        rollouts, successes, budgets = zip(*self._group, strict=True)
        columns: dict[str, Any] = {
            name: [getattr(rollout, name) for rollout in rollouts]
            for name in ("task", "rollout_model", "rollout_id", "instance_id")
        }
        columns |= {
            "rollout_success": successes,
            "total_turns": [len(rollout.turns) for rollout in rollouts],
            "dropped_turns": [rollout.dropped_turns for rollout in rollouts],
            "system": [rollout.system for rollout in rollouts],
            "turns": _turns_array(rollouts),
            "budget": pairs_array([budget.limits if budget else {} for budget in budgets]),
            "conditions": pairs_array([budget.conditions if budget else {} for budget in budgets]),
        }
        table = table_of(columns, ROLLOUTS)
        self._file.write_row_group(table)
        self._group = []
        self._text_size = 0


def _turns_array(rollouts: Sequence[Rollout]) -> pa.ListArray:
    turns = [turn for rollout in rollouts for turn in rollout.turns]
    columns = (
        [turn.user for turn in turns],
        [turn.assistant for turn in turns],
        pairs_array([turn.usage for turn in turns]),
        pairs_array([turn.state for turn in turns]),
    )
    lengths = [len(rollout.turns) for rollout in rollouts]
    return list_array(ROLLOUTS.field("turns").type, lengths, columns)
