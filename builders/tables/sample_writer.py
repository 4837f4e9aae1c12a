"""Write samples and rollouts as Parquet, each distinct message of a row group once.

A prompt of prefix k repeats all messages of prefix k-1. Rows refer to messages by position: a row
group has one dictionary of texts, and a row is a run of positions in it. So a file grows with the
turns of its rollouts, although the prompts it holds grow with their square.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.arrow_lists import dictionary_array, list_array, pairs_array, table_of
from bagen_data.prompts import Prompt
from bagen_data.schema import (
    GOLD_VERDICTS,
    SAMPLES,
    Amounts,
    Probe,
    Resource,
    Rollout,
    Target,
)
from builders.card_example import example_of
from builders.tables.row_groups import RowGroupWriter

_GROUP_ROWS = 2_048
"""Rows after which a row group ends, at the end of a rollout."""
_GROUP_PROMPTS = 200_000_000
"""Characters of a row group's prompts, written out as readers hold them: Arrow takes 2 GiB."""
_LEVEL = 4
_ROLES = ("system", "user", "assistant")

_DICTIONARIES = [
    "task",
    "rollout_model",
    "rollout_id",
    "instance_id",
    "prompt_variant",
    "prompt.list.element.role",
    "prompt.list.element.content",
    "resources.list.element.resource",
    "resources.list.element.unit",
    "resources.list.element.budget",
    "conditions.list.element.name",
    "verdict",
]


def _written_schema() -> pa.Schema:
    """`SAMPLES`, with the prompt's strings as dictionaries; readers still see strings."""
    message = pa.struct(
        [
            pa.field("role", pa.dictionary(pa.int8(), pa.string()), nullable=False),
            pa.field("content", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        ]
    )
    prompt = pa.list_(pa.field("element", message, nullable=False))
    place = SAMPLES.get_field_index("prompt")
    return SAMPLES.set(place, pa.field("prompt", prompt, nullable=False))


_WRITTEN = _written_schema()


def named_sample(task: str, rollout_model: str, rollout_id: str, k: int) -> str:
    """Return the id of a sample.

    >>> named_sample("sokoban", "m", "r", 3)
    'sokoban/m/r/3'
    """
    return f"{task}/{rollout_model}/{rollout_id}/{k}"


def sample_id_of(rollout: Rollout, k: int) -> str:
    """Return the id of the sample after k turns of a rollout."""
    return named_sample(rollout.task, rollout.rollout_model, rollout.rollout_id, k)


class SampleWriter(RowGroupWriter):
    """Writes samples rollout by rollout; use it as a context manager."""

    def __init__(self, path: Path, prompt: Prompt, resources: Sequence[Resource]) -> None:
        super().__init__(path, _WRITTEN, dictionary_columns=_DICTIONARIES, level=_LEVEL)
        self._prompt = prompt
        self._units = {resource.name: resource.unit for resource in resources}
        self.rows = 0
        self.example: dict[str, Any] | None = None
        """The first row, shortened; None before a row group is written."""
        self._start_group()

    def add(
        self,
        rollout: Rollout,
        total_turns: int,
        success: bool,
        pairs: Iterable[tuple[Probe, Target]],
        sample_id: Callable[[Rollout, int], str] = sample_id_of,
    ) -> None:
        """Add the samples of one rollout.

        Args:
            rollout: the rollout; turns after those that its probes show may be left out.
            total_turns: the turns of all of it.
            success: whether it succeeded, its conditions included.
            pairs: probes and targets; each probe's turns are the rollout's first ones.
            sample_id: names the sample after each k of the rollout.
        """
        start = None
        identity = (rollout.task, rollout.rollout_model, rollout.rollout_id)
        for probe, target in pairs:
            if self._prompt_size >= _GROUP_PROMPTS:
                self.flush()
                start = None
            if start is None:
                start, turns_shown = len(self._texts), 0
                self._texts.append(self._prompt.system(rollout.system))
                prefix_size = len(self._texts[-1])
            k = len(probe.turns)
            for turn in probe.turns[turns_shown:]:
                self._texts += (turn.user, turn.assistant)
                prefix_size += len(turn.user) + len(turn.assistant)
            turns_shown = max(turns_shown, k)
            self._facts.append(
                (
                    sample_id(rollout, k),
                    *identity,
                    rollout.instance_id,
                    k,
                    total_turns,
                    target.feasible,
                    success,
                    rollout.dropped_turns,
                )
            )
            self._prefix_starts.append(start)
            self._questions.append(self._prompt.question(probe))
            self._add_resources(probe, target)
            self._prompt_size += prefix_size + len(self._questions[-1])
        if len(self._facts) >= _GROUP_ROWS or self._prompt_size >= _GROUP_PROMPTS:
            self.flush()

    def _add_resources(self, probe: Probe, target: Target) -> None:
        for name, limit in probe.budget.limits.items():
            self._amounts.append((name, limit, probe.used[name], target.remaining[name]))
        self._amount_counts.append(len(probe.budget.limits))
        self._conditions.append(probe.budget.conditions)

    def _start_group(self) -> None:
        self._texts: list[str] = []
        self._questions: list[str] = []
        self._prefix_starts: list[int] = []
        self._facts: list[tuple[Any, ...]] = []
        self._amounts: list[tuple[str, float, float, float]] = []
        self._amount_counts: list[int] = []
        self._conditions: list[Amounts] = []
        self._prompt_size = 0

    def flush(self) -> None:
        """Start to write what was added as a row group."""
        if not self._facts:
            return
        ids, tasks, models, rollouts, instances, turns, totals, feasible, success, dropped = zip(
            *self._facts, strict=True
        )
        columns = {
            "sample_id": ids,
            "task": tasks,
            "rollout_model": models,
            "rollout_id": rollouts,
            "instance_id": instances,
            "completed_turns": turns,
            "total_turns": totals,
            "prompt_variant": [self._prompt.variant] * len(ids),
            "prompt": self._prompts(np.array(turns)),
            "resources": self._resources(),
            "conditions": pairs_array(self._conditions),
            "feasible": feasible,
            "verdict": [GOLD_VERDICTS[label] for label in feasible],
            "rollout_success": success,
            "dropped_turns": dropped,
        }
        table = table_of(columns, _WRITTEN)
        if self.example is None:
            self.example = example_of(table.slice(0, 1).to_pylist()[0])
        self._file.write_row_group(table)
        self.rows += len(ids)
        self._start_group()

    def _prompts(self, completed_turns: np.ndarray[Any, Any]) -> pa.ListArray:
        """The prompt column: system message, then 2k messages, then the question.

        `texts` holds each rollout's system message followed by its messages, then all questions;
        so a prompt is the run of 2k + 1 texts from its rollout's start, and one more.
        """
        texts = self._texts + self._questions
        codes: dict[str, int] = {}
        code_of = np.array([codes.setdefault(text, len(codes)) for text in texts], np.int32)
        lengths = 2 * completed_turns + 2
        ends = np.cumsum(lengths)
        starts = ends - lengths
        place = np.arange(ends[-1]) - np.repeat(starts, lengths)
        position = place + np.repeat(np.array(self._prefix_starts), lengths)
        position[ends - 1] = len(self._texts) + np.arange(len(ends))
        columns = (
            dictionary_array(np.where(place == 0, 0, 2 - place % 2), pa.int8(), _ROLES),
            dictionary_array(code_of[position], pa.int32(), list(codes)),
        )
        return list_array(_WRITTEN.field("prompt").type, lengths, columns)

    def _resources(self) -> pa.ListArray:
        names, budgets, used, remaining = zip(*self._amounts, strict=True)
        units = [self._units[name] for name in names]
        columns = (names, units, budgets, used, remaining)
        return list_array(SAMPLES.field("resources").type, self._amount_counts, columns)
