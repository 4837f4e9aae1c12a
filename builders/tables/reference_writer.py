"""Make the reference of a family from the samples that are written, and write it as Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pyarrow as pa

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.arrow_lists import list_array, plain_array, table_of
from bagen_data.schema import QUANTILE_LEVELS, REFERENCE, Probe, Target
from bagen_data.tables import ParquetFile

_GROUP_ROWS = 65_536
_LEVEL = 4
_DICTIONARIES = ["resources.list.element.resource"]


class SampleIds(Protocol):
    """The ids of samples, made a run at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Sequence[str]:
        """Return the ids of a run of samples."""


@dataclass(frozen=True)
class FamilyReference:
    """The reference of one family: a forecast of each of its samples, in their order."""

    sample_ids: SampleIds
    """(n,)."""
    resources: Sequence[str]
    """(r,) names."""
    forecasts: ForecastColumns


@dataclass(frozen=True)
class NotedSamples:
    """The columns of samples that their reference is made of; they have no strings."""

    place: Ints
    """(n,) the place of the rollout in its family; a rollout's samples lie together."""
    completed_turns: Ints
    """(n,) k, ascending within a rollout."""
    feasible: Mask
    """(n,)."""
    rollout_success: Mask
    """(n,) whether the rollout succeeded, its conditions included."""
    is_open: Mask
    """(n,) whether the sample is within every budget so far."""
    remaining: Floats
    """(r, n)."""

    @classmethod
    def joined(cls, parts: Sequence["NotedSamples"]) -> Self:
        """Return the samples of one part or more, in order."""
        return cls(
            *(
                np.concatenate([getattr(part, each.name) for part in parts], axis=-1)
                for each in fields(cls)
            )
        )

    def reference(
        self, sample_ids: SampleIds, instances: Sequence[str], resources: Sequence[str]
    ) -> FamilyReference | None:
        """Return the reference of the samples; None where they are of fewer than two instances.

        Args:
            sample_ids: (n,).
            instances: the instance of each place.
            resources: (r,) names.
        """
        from bagen_data.climatology import climatology

        if not len(self.place):
            return None
        is_first = np.diff(self.place, prepend=-1) != 0
        first = np.flatnonzero(is_first)
        numbers: dict[str, int] = {}
        instance = [
            numbers.setdefault(instances[place], len(numbers))
            for place in self.place[first].tolist()
        ]
        if len(numbers) < 2:
            return None
        forecasts = climatology(
            _RolloutSamples(self, np.cumsum(is_first) - 1, first, np.array(instance))
        )
        return None if forecasts is None else FamilyReference(sample_ids, resources, forecasts)


class _RolloutSamples:
    """Noted samples as `climatology` reads them: `SampleColumns`."""

    def __init__(self, samples: NotedSamples, rollout: Ints, first: Ints, instance: Ints) -> None:
        self.rollout = rollout
        self.first = first
        self.instance = instance
        self.completed_turns = samples.completed_turns
        self.feasible = samples.feasible
        self.rollout_success = samples.rollout_success
        self.is_open = samples.is_open
        self.remaining = samples.remaining


class SampleNotes:
    """Notes the samples of a family, or of a part of it, while they are written."""

    def __init__(self, resources: Sequence[str]) -> None:
        self._resources = resources
        self._facts: list[tuple[int, int, bool, bool, bool]] = []
        self._remaining: list[list[float]] = []

    def add(self, place: int, success: bool, pairs: Sequence[tuple[Probe, Target]]) -> None:
        """Note the samples of one rollout.

        Args:
            place: of the rollout in its family; no earlier call had it.
            success: whether it succeeded, its conditions included.
            pairs: its probes and targets, short prefix first.
        """
        for probe, target in pairs:
            is_open = probe.budget.allows(probe.used)
            self._facts.append((place, len(probe.turns), target.feasible, success, is_open))
            self._remaining.append([target.remaining[name] for name in self._resources])

    def columns(self) -> NotedSamples:
        """Return the columns of what was noted: one sample or more."""
        places, turns, feasible, success, is_open = zip(*self._facts, strict=True)
        return NotedSamples(
            np.array(places, np.int64),
            np.array(turns, np.int64),
            np.array(feasible, np.bool_),
            np.array(success, np.bool_),
            np.array(is_open, np.bool_),
            np.array(self._remaining, np.float64).T,
        )


def write_reference(path: Path, families: Sequence[FamilyReference]) -> tuple[int, int]:
    """Write the references of one config's families, in their order.

    Returns:
        The rows written, and their bytes in memory.
    """
    rows = 0
    with ParquetFile(path, REFERENCE, dictionary_columns=_DICTIONARIES, level=_LEVEL) as file:
        for family in families:
            rows += len(family.sample_ids)
            for start in range(0, len(family.sample_ids), _GROUP_ROWS):
                file.write_row_group(_table(family, slice(start, start + _GROUP_ROWS)))
    return rows, file.loaded_bytes


def _table(family: FamilyReference, rows: slice) -> pa.Table:
    ids, forecasts = family.sample_ids[rows], family.forecasts.at(rows)
    names = list(family.resources)
    kind = REFERENCE.field("resources").type
    quantiles = pa.ListArray.from_arrays(
        plain_array(np.arange(len(ids) * len(names) + 1) * len(QUANTILE_LEVELS), pa.int32()),
        plain_array(forecasts.quantiles.transpose(2, 0, 1).ravel(), pa.float64()),
        type=kind.value_type.field("quantiles").type,
    )
    columns = {
        "sample_id": ids,
        "finish": forecasts.finish,
        "success": forecasts.success,
        "resources": list_array(kind, [len(names)] * len(ids), (names * len(ids), quantiles)),
    }
    return table_of(columns, REFERENCE)
