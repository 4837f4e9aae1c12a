"""Write what a plan makes of one family: its samples, part by part, and its rollouts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bagen_data.garbage_collection import paused_collector
from bagen_data.prompt_variants import Variant
from bagen_data.replay import replay, succeeded
from bagen_data.schema import Rollout
from bagen_data.splits import PARTS
from builders.build_plan import TEST, Plan
from builders.reading.family_index import FamilyIndex
from builders.tables.rollout_writer import RolloutWriter
from builders.tables.sample_writer import SampleWriter

ROLLOUTS_CONFIG = "rollouts"


@dataclass
class DataFile:
    """A Parquet file of the dataset."""

    path: str
    """Relative to the output folder."""
    config: str
    split: str
    rows: int = 0
    feasible: int = 0
    """Rows that are feasible samples."""

    @property
    def holds_samples(self) -> bool:
        """Whether its rows are samples, and not rollouts."""
        return self.config != ROLLOUTS_CONFIG


def named_rollouts(index: FamilyIndex) -> Iterator[Rollout]:
    """Yield a family's rollouts under its model, which may have been unknown while it was read."""
    model = index.family.rollout_model
    for rollout in index.rollouts:
        yield rollout if rollout.rollout_model == model else replace(rollout, rollout_model=model)


def write_family(
    index: FamilyIndex, plans: Sequence[Plan], variant: Variant, out: Path
) -> list[DataFile]:
    """Write one family's files below `out`, in the order of its rollouts; no empty file is kept.

    Args:
        index: the family.
        plans: one for each of its entries.
        variant: of the prompts.
        out: the folder of the dataset.
    """
    family = index.family
    is_benchmark = family.role == "benchmark"
    config = family.task if is_benchmark else f"{family.task}_train"
    split = "test" if is_benchmark else "train"
    name = f"{family.rollout_model}.parquet"
    samples = {
        part: DataFile(f"data/{config}/{part}-{name}", config, part)
        for part in ((TEST,) if is_benchmark else PARTS)
    }
    rollouts = DataFile(f"data/rollouts/{family.task}-{split}-{name}", ROLLOUTS_CONFIG, split)
    files = [*samples.values(), rollouts]
    for file in files:
        (out / file.path).parent.mkdir(parents=True, exist_ok=True)
    prompt = family.prompt(variant)
    resources = family.definition().resources
    with ExitStack() as stack, paused_collector():
        rows = stack.enter_context(RolloutWriter(out / rollouts.path))
        writers = {
            part: stack.enter_context(SampleWriter(out / file.path, prompt, resources))
            for part, file in samples.items()
        }
        for rollout, plan in zip(named_rollouts(index), plans, strict=True):
            if plan.budget is not None:
                rows.add(rollout, succeeded(rollout, plan.budget), plan.budget)
        rows.flush()  # in the background, while samples are made
        for rollout, plan in zip(named_rollouts(index), plans, strict=True):
            if plan.budget is not None:
                success = succeeded(rollout, plan.budget)
                pairs = replay(rollout, plan.budget, plan.prefixes)
                writers[plan.part].add(rollout, success, pairs)
        for writer in writers.values():
            writer.flush()
    rollouts.rows = rows.rows
    for part, writer in writers.items():
        samples[part].rows, samples[part].feasible = writer.rows, writer.feasible
    for file in files:
        if not file.rows:
            path = out / file.path
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    return [file for file in files if file.rows]
