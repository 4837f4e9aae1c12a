"""Decide which files a family becomes, and which of its rollouts each is of, before any is written.

A family has a file for each part of its data: its rollouts, its start probes, its benchmark samples
or each part of its training samples. A part that would make a file of more than about `FILE_BYTES`
is cut into several: `test-m-00000-of-00012.parquet`. The cuts depend on the family's rollouts and
their plans alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bagen_data.array_types import Ints
from bagen_data.dataset_configs import ROLLOUTS, start_config, training_config
from bagen_data.reading.family_index import FamilyIndex, IndexedRollout
from bagen_data.reading.origin import Family
from bagen_data.splits import PARTS
from builders.build_plan import TEST, RolloutPlan

FILE_BYTES = 300_000_000
"""Bytes that a file of a large family has, about: one of up to half as many more is not cut."""
INFEASIBLE = ("failed", "over_budget", "failed_over_budget")
"""The kinds of infeasible samples, by what their rollout did: it failed within its budgets, it
succeeded beyond one, or both."""
FEASIBLE = "feasible"
START = "start"
"""The part of a family's start probes."""

_CHARACTER = 0.2
"""Bytes of a file for each character of the turns that it shows: 0.10 to 0.33 in families of 40
recorded rollouts or more."""
_ROW = 30
"""Bytes of a row beside its turns."""


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of the dataset."""

    path: str
    """Relative to the output folder."""
    config: str
    split: str
    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    """Samples that are feasible, and those of each kind of `INFEASIBLE`; empty of rollouts."""
    bytes: int = 0
    sha256: str = ""
    loaded_bytes: int = 0
    """Bytes of the rows in memory, with each string written out."""

    @property
    def feasible(self) -> int:
        """Rows that are feasible samples."""
        return self.labels[FEASIBLE]


@dataclass(frozen=True)
class PlannedFile:
    """A file that a family is to become; it has one row or more."""

    part: str
    """`rollouts`, `start`, `test`, or a training part."""
    path: str
    """Relative to the output folder."""
    config: str
    split: str
    places: Ints
    """(n,) the places in the family of the rollouts that it is of, ascending."""

    def prefixes(self, plan: RolloutPlan) -> Sequence[int]:
        """Return the k of the samples that the file has of a rollout."""
        return _prefixes(self.part, plan)


def file_name_of(rollout_model: str) -> str:
    """Return what the files of a rollout model are named by: its name, with each `*` escaped.

    `datasets` cannot stream a file of the Hub that has a `*` in its name.

    >>> file_name_of("gpt*")
    'gpt%2A'
    """
    return rollout_model.replace("%", "%25").replace("*", "%2A")


def plan_files(
    index: FamilyIndex, plans: Sequence[RolloutPlan], file_bytes: int
) -> list[PlannedFile]:
    """Return the files that a family becomes; parts without rows have none.

    Args:
        index: the family.
        plans: one for each of its entries.
        file_bytes: the bytes of a file of a large family, about.
    """
    family = index.family
    is_benchmark = family.role == "benchmark"
    split = TEST if is_benchmark else "train"
    model = file_name_of(family.rollout_model)
    name = f"data/{ROLLOUTS}/{family.task}-{split}-{model}"
    used = np.array([bool(plan.part) for plan in plans], np.bool_)
    sizes = np.array([_rollout_bytes(entry) for entry in index.entries], np.float64)
    files = _cut(ROLLOUTS, name, (ROLLOUTS, split), np.where(used, sizes, 0), file_bytes)
    for part in (START, TEST) if is_benchmark else PARTS:
        config, split = _config_of(part, family)
        name = f"data/{config}/{split}-{model}"
        sizes = np.array(
            [
                _samples_bytes(entry, _prefixes(part, plan))
                for entry, plan in zip(index.entries, plans, strict=True)
            ],
            np.float64,
        )
        files += _cut(part, name, (config, split), sizes, file_bytes)
    return files


def _config_of(part: str, family: Family) -> tuple[str, str]:
    """Return the config and the split of a family's samples."""
    if part == START:
        return start_config(family.task), TEST
    return (family.task if part == TEST else training_config(family.task)), part


def _prefixes(part: str, plan: RolloutPlan) -> Sequence[int]:
    if part == START:
        return plan.start_prefixes
    return plan.prefixes if part == plan.part else ()


def _rollout_bytes(entry: IndexedRollout) -> float:
    return _ROW + entry.text_size * _CHARACTER


def _samples_bytes(entry: IndexedRollout, prefixes: Sequence[int]) -> float:
    """Return about how many bytes the samples of a rollout take; 0 where it has none.

    A start probe shows one message, which is taken for a turn.
    """
    if not prefixes:
        return 0
    shown = max(1, *prefixes) / entry.total_turns
    return _ROW * len(prefixes) + entry.text_size * shown * _CHARACTER


def _cut(
    part: str, name: str, config: tuple[str, str], sizes: np.ndarray, file_bytes: int
) -> list[PlannedFile]:
    """Cut a part of a family into files of nearly equal size.

    Args:
        part: of the family's data.
        name: the path of its file, without number and ending.
        config: the config and the split.
        sizes: (n,) about how many bytes each rollout of the family takes; 0 where it has no row.
        file_bytes: the bytes of a file, about.
    """
    places = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[places])
    total = ends[-1] if len(ends) else 0.0
    count = max(1, round(total / file_bytes))
    middles = ends - sizes[places] / 2
    numbers = np.minimum(middles * count // max(total, 1.0), count - 1)
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    pieces = [piece for piece in np.split(places, cuts) if len(piece)]
    if len(pieces) == 1:
        return [PlannedFile(part, f"{name}.parquet", *config, pieces[0])]
    return [
        PlannedFile(part, f"{name}-{number:05}-of-{len(pieces):05}.parquet", *config, piece)
        for number, piece in enumerate(pieces)
    ]
