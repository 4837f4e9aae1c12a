"""Make the reference of a family from the samples that are written, and write it as Parquet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.schema import QUANTILE_LEVELS, REFERENCE, Probe, Resource, Rollout, Target
from bagen_data.tables import ParquetFile
from builders.tables.arrow_lists import list_array, plain_array, table_of
from builders.tables.sample_writer import sample_id_of

_GROUP_ROWS = 65_536
_LEVEL = 4
_DICTIONARIES = ["resources.list.element.resource"]


@dataclass(frozen=True)
class FamilyReference:
    """The reference of one family: a forecast of each of its samples, in their order."""

    sample_ids: Sequence[str]
    """(n,)."""
    resources: Sequence[str]
    """(r,) names."""
    forecasts: ForecastColumns


@dataclass(frozen=True)
class _WrittenColumns:
    """The columns of a family's samples that `climatology` reads."""

    rollout: Ints
    first: Ints
    instance: Ints
    completed_turns: Ints
    feasible: Mask
    rollout_success: Mask
    is_open: Mask
    remaining: Floats


class WrittenSamples:
    """The columns of a family's samples that are kept for their reference during a build."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = [resource.name for resource in resources]
        self._ids: list[str] = []
        self._first: list[int] = []
        self._instance: list[int] = []
        self._facts: list[tuple[int, int, bool, bool, bool]] = []
        self._remaining: list[list[float]] = []
        self._instances: dict[str, int] = {}

    def add(
        self,
        rollout: Rollout,
        success: bool,
        pairs: Sequence[tuple[Probe, Target]],
        sample_id: Callable[[Rollout, int], str] = sample_id_of,
    ) -> None:
        """Note the samples of one rollout.

        Args:
            rollout: a rollout that no earlier call had.
            success: whether it succeeded, its conditions included.
            pairs: its probes and targets, one or more, short prefix first.
            sample_id: names the sample after each k of the rollout.
        """
        number = len(self._first)
        self._first.append(len(self._ids))
        self._instance.append(self._instances.setdefault(rollout.instance_id, len(self._instances)))
        for probe, target in pairs:
            k = len(probe.turns)
            self._ids.append(sample_id(rollout, k))
            self._facts.append(
                (number, k, target.feasible, success, probe.budget.allows(probe.used))
            )
            self._remaining.append([target.remaining[name] for name in self._resources])

    def reference(self) -> FamilyReference | None:
        """Return the reference of what was noted; None where it is of fewer than two instances."""
        if len(self._instances) < 2:
            return None
        from bagen_data.climatology import climatology

        rollout, turns, feasible, success, is_open = map(np.array, zip(*self._facts, strict=True))
        forecasts = climatology(
            _WrittenColumns(
                rollout,
                np.array(self._first),
                np.array(self._instance),
                turns,
                feasible,
                success,
                is_open,
                np.array(self._remaining, np.float64).T,
            )
        )
        return None if forecasts is None else FamilyReference(self._ids, self._resources, forecasts)


def write_reference(path: Path, families: Sequence[FamilyReference]) -> int:
    """Write the references of one config's families, in their order; return the rows written."""
    rows = 0
    with ParquetFile(path, REFERENCE, dictionary_columns=_DICTIONARIES, level=_LEVEL) as file:
        for family in families:
            rows += len(family.sample_ids)
            for start in range(0, len(family.sample_ids), _GROUP_ROWS):
                file.write_row_group(_table(family, slice(start, start + _GROUP_ROWS)))
    return rows


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
