"""Write what a plan makes of one family: its samples, part by part, and its rollouts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from bagen_data.dataset_configs import ROLLOUTS, start_config, training_config
from bagen_data.garbage_collection import paused_collector
from bagen_data.prompt_variants import Variant
from bagen_data.replay import replay, succeeded
from bagen_data.schema import Probe, Rollout, Target
from bagen_data.splits import PARTS
from builders.build_plan import TEST, Plan
from builders.reading.family_index import FamilyIndex
from builders.reading.origin import Family
from builders.tables.reference_writer import FamilyReference, WrittenSamples
from builders.tables.rollout_writer import RolloutWriter
from builders.tables.sample_writer import SampleWriter

INFEASIBLE = ("failed", "over_budget", "failed_over_budget")
"""The kinds of infeasible samples, by what their rollout did: it failed within its budgets, it
succeeded beyond one, or both."""
_FEASIBLE = "feasible"
_START = "start"


@dataclass
class DataFile:
    """A Parquet file of the dataset."""

    path: str
    """Relative to the output folder."""
    config: str
    split: str
    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    """Samples that are feasible, and those of each kind of `INFEASIBLE`; empty of rollouts."""

    @property
    def feasible(self) -> int:
        """Rows that are feasible samples."""
        return self.labels[_FEASIBLE]


@dataclass(frozen=True)
class WrittenFamily:
    """One family on disk, and its reference, which is written beside its task's."""

    files: Sequence[DataFile]
    references: Mapping[str, FamilyReference]
    """By config of the samples; left out where all of them are of one instance."""


def named_rollouts(index: FamilyIndex) -> Iterator[Rollout]:
    """Yield a family's rollouts under its model, which may have been unknown while it was read."""
    model = index.family.rollout_model
    for rollout in index.rollouts:
        yield rollout if rollout.rollout_model == model else replace(rollout, rollout_model=model)


def write_family(
    index: FamilyIndex, plans: Sequence[Plan], variant: Variant, out: Path
) -> WrittenFamily:
    """Write one family's files below `out`, in the order of its rollouts; no empty file is kept.

    Args:
        index: the family.
        plans: one for each of its entries.
        variant: of the prompts.
        out: the folder of the dataset.
    """
    family = index.family
    is_benchmark = family.role == "benchmark"
    samples = _sample_files(family)
    split = TEST if is_benchmark else "train"
    name = f"{family.task}-{split}-{family.rollout_model}.parquet"
    rollouts = DataFile(f"data/rollouts/{name}", ROLLOUTS, split)
    files = [*samples.values(), rollouts]
    for file in files:
        (out / file.path).parent.mkdir(parents=True, exist_ok=True)
    prompt = family.prompt(variant)
    resources = family.definition().resources
    with ExitStack() as stack, paused_collector():
        rows = stack.enter_context(RolloutWriter(out / rollouts.path))
        parts = {
            part: _Part(
                file,
                stack.enter_context(SampleWriter(out / file.path, prompt, resources)),
                WrittenSamples(resources) if is_benchmark else None,
            )
            for part, file in samples.items()
        }
        for rollout, plan in zip(named_rollouts(index), plans, strict=True):
            if plan.part:
                rows.add(rollout, _success(rollout, plan), plan.budget)
        rows.flush()  # in the background, while samples are made
        for entry, rollout, plan in zip(index.entries, named_rollouts(index), plans, strict=True):
            if plan.budget is None:
                continue
            success = _success(rollout, plan)
            label = _label(success, plan.budget.allows(entry.realised.totals))
            pairs = replay(rollout, plan.budget, [*plan.start_prefixes, *plan.prefixes])
            for part, prefixes in ((_START, plan.start_prefixes), (plan.part, plan.prefixes)):
                if prefixes:
                    parts[part].add(rollout, success, label, list(islice(pairs, len(prefixes))))
        for each in parts.values():
            each.writer.flush()
        references = {each.file.config: each.reference() for each in parts.values()}
    rollouts.rows = rows.rows
    _remove_empty(out, files)
    return WrittenFamily(
        [file for file in files if file.rows],
        {config: reference for config, reference in references.items() if reference},
    )


def _remove_empty(out: Path, files: Sequence[DataFile]) -> None:
    for file in files:
        if not file.rows:
            path = out / file.path
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


@dataclass(frozen=True)
class _Part:
    """A file of samples while it is written."""

    file: DataFile
    writer: SampleWriter
    notes: WrittenSamples | None
    """The samples that the reference is made of; None for training, which has no reference."""

    def add(
        self, rollout: Rollout, success: bool, label: str, pairs: Sequence[tuple[Probe, Target]]
    ) -> None:
        """Add the samples of one rollout, all of which have the same label."""
        if self.notes:
            self.notes.add(rollout, success, pairs)
        self.writer.add(rollout, success, pairs)
        self.file.rows += len(pairs)
        self.file.labels[label] += len(pairs)

    def reference(self) -> FamilyReference | None:
        """Return the reference of the samples, if there is one."""
        return self.notes.reference() if self.notes else None


def _sample_files(family: Family) -> dict[str, DataFile]:
    """Return a family's files of samples, by part."""
    configs = (
        {_START: start_config(family.task), TEST: family.task}
        if family.role == "benchmark"
        else dict.fromkeys(PARTS, training_config(family.task))
    )
    splits = {part: TEST if part == _START else part for part in configs}
    return {
        part: DataFile(
            f"data/{config}/{splits[part]}-{family.rollout_model}.parquet", config, splits[part]
        )
        for part, config in configs.items()
    }


def _success(rollout: Rollout, plan: Plan) -> bool:
    """Return whether a rollout succeeded, its budget's conditions included where it has one."""
    return rollout.success if plan.budget is None else succeeded(rollout, plan.budget)


def _label(success: bool, is_within: bool) -> str:
    if success and is_within:
        return _FEASIBLE
    failed, over_budget, both = INFEASIBLE
    if success:
        return over_budget
    return failed if is_within else both
