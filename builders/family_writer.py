"""Write one file of what a plan makes of a family: its samples of one part, or its rollouts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bagen_data.dataset_configs import ROLLOUTS
from bagen_data.garbage_collection import paused_collector
from bagen_data.locations import Location
from bagen_data.prompt_variants import Variant
from bagen_data.reading.family_index import FamilyIndex, IndexedRollout
from bagen_data.reading.origin import Family
from bagen_data.reading.rollout_spool import RolloutSpool
from bagen_data.replay import replay_head
from bagen_data.schema import Budget, Rollout
from bagen_data.stores import staged_file
from bagen_data.tables import sha256_of
from builders.build_plan import RolloutPlan
from builders.data_files import FEASIBLE, INFEASIBLE, DataFile, PlannedFile
from builders.tables.reference_writer import NotedSamples, SampleNotes
from builders.tables.rollout_writer import RolloutRow, write_rollouts
from builders.tables.sample_writer import SampleWriter


@dataclass(frozen=True)
class FileJob:
    """A file to write, with the rollouts that it is of; it can be sent to another process."""

    file: PlannedFile
    family: Family
    variant: Variant
    """The variant of the prompts."""
    rollouts: RolloutSpool
    """n rollouts."""
    entries: Sequence[IndexedRollout]
    """(n,)."""
    plans: Sequence[RolloutPlan]
    """(n,)."""

    @classmethod
    def of(
        cls, file: PlannedFile, index: FamilyIndex, plans: Sequence[RolloutPlan], variant: Variant
    ) -> "FileJob":
        """Return the job of a family's file.

        Args:
            file: the file.
            index: the family.
            plans: one for each of its entries.
            variant: of the prompts.
        """
        places = file.places.tolist()
        return cls(
            file,
            index.family,
            variant,
            index.rollouts.take(file.places),
            [index.entries[place] for place in places],
            [plans[place] for place in places],
        )


@dataclass(frozen=True)
class WrittenFile:
    """A file on disk, and what its family's reference is made of."""

    file: DataFile
    samples: NotedSamples | None
    """Samples for the reference; None for a file of rollouts or of training samples."""
    example: dict[str, Any] | None
    """The first sample, shortened; None of a file of rollouts."""


def named_rollouts(index: FamilyIndex) -> Iterator[Rollout]:
    """Yield a family's rollouts under its model, which may have been unknown while it was read."""
    yield from _named(index.rollouts, index.family.rollout_model)


def _named(rollouts: Iterable[Rollout], model: str) -> Iterator[Rollout]:
    for rollout in rollouts:
        yield rollout if rollout.rollout_model == model else replace(rollout, rollout_model=model)


def write_file(job: FileJob, out: Location) -> WrittenFile:
    """Write a file of a family below `out`, in the order of the family's rollouts."""
    with staged_file(out / job.file.path) as path:
        with paused_collector():
            if job.file.part == ROLLOUTS:
                written = WrittenFile(_write_rollouts(job, path), None, None)
            else:
                written = _write_samples(job, path)
        file = replace(written.file, bytes=path.stat().st_size, sha256=sha256_of(path))
    return replace(written, file=file)


def _write_rollouts(job: FileJob, path: Path) -> DataFile:
    """Write a file of rollouts; return it without the size and hash that it has on disk."""
    rows = [
        RolloutRow(
            plan.budget,
            plan.budget is None or plan.budget.is_reached_by(entry.final_state),
            entry.text_size,
        )
        for entry, plan in zip(job.entries, job.plans, strict=True)
    ]
    loaded = write_rollouts(path, job.rollouts, job.family.rollout_model, rows)
    return _data_file(job, len(rows), Counter(), loaded)


def _data_file(job: FileJob, rows: int, labels: Counter[str], loaded: int) -> DataFile:
    planned = job.file
    return DataFile(planned.path, planned.config, planned.split, rows, labels, loaded_bytes=loaded)


def _write_samples(job: FileJob, path: Path) -> WrittenFile:
    """Write a file of samples; return it without the size and hash that it has on disk."""
    resources = job.family.definition().resources
    notes = SampleNotes([resource.name for resource in resources])
    labels: Counter[str] = Counter()
    prefixes = [job.file.prefixes(plan) for plan in job.plans]
    heads = job.rollouts.heads([max(1, *own) for own in prefixes])
    with SampleWriter(path, job.family.prompt(job.variant), resources) as writer:
        for place, rollout, entry, plan, own in zip(
            job.file.places.tolist(),
            _named(heads, job.family.rollout_model),
            job.entries,
            job.plans,
            prefixes,
            strict=True,
        ):
            budget = _budget(plan)
            success = rollout.success and budget.is_reached_by(entry.final_state)
            spent = entry.realised
            pairs = list(replay_head(rollout, spent, budget, own))
            writer.add(rollout, entry.total_turns, success, pairs)
            notes.add(place, success, pairs)
            labels[_label(success, budget.allows(spent.totals))] += len(pairs)
    samples = notes.columns() if job.family.role == "benchmark" else None
    file = _data_file(job, labels.total(), labels, writer.loaded_bytes)
    return WrittenFile(file, samples, writer.example)


def _budget(plan: RolloutPlan) -> Budget:
    """Return the budget of a rollout with samples, which has one."""
    if plan.budget is None:
        raise ValueError("a rollout with samples has a budget")
    return plan.budget


def _label(success: bool, is_within: bool) -> str:
    if success and is_within:
        return FEASIBLE
    failed, over_budget, both = INFEASIBLE
    if success:
        return over_budget
    return failed if is_within else both
