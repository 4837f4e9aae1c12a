"""The samples that all submissions answer."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.dataset_configs import start_config
from bagen_data.errors import InputError
from bagen_data.hub import build_record, load_reference, load_unchanged_samples, splits
from bagen_data.repositories.dataset_names import is_revision
from bagen_data.repositories.dataset_places import pinned
from bagen_data.repositories.revisions import contents_of
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from bagen_data.versions import BENCHMARK_VERSION

_TASK = re.compile(r"(?!(overall|predictions|hidden)$)[A-Za-z0-9_]{1,50}")
"""A task's name, which is neither the group of all tasks nor a file that answers any of them."""
SPLIT = "test"


@dataclass(frozen=True)
class Benchmark:
    """Every task's benchmark, of one revision."""

    samples: pa.Table
    id: str | None
    """The dataset's id on the Hub; None for a folder that is not a copy of one."""
    revision: str
    """The content revision, which is the same on the Hub and on a disk."""
    commit: str | None = None
    """The commit of the Hub that was read; None for a folder."""
    other_names: frozenset[str] = frozenset()
    """Commits and tags with these rows, as submissions name them; see `with_other_names`."""
    reference: pa.Table | None = None
    """The reference's forecasts of the samples; None if the dataset has no reference."""
    start: "Benchmark | None" = None
    """The start probes of the tasks, k = 0 of each rollout; None if the dataset has none."""
    prompt_variant: str | None = None
    """The variant of the dataset's prompts; None if the dataset's record does not say."""
    has_verdicts: bool = False
    """True if the samples have the column `verdict`."""
    hidden: "Benchmark | None" = None
    """A hidden split with its labels, for verified scores; None if it is not used."""
    _sample_tables: dict[frozenset[str], SampleTable] = field(default_factory=dict, compare=False)

    @property
    def tasks(self) -> list[str]:
        """The tasks of the samples, sorted by name."""
        return sorted(pc.unique(self.samples["task"]).to_pylist())

    @property
    def start_tasks(self) -> list[str]:
        """The tasks that have start probes, sorted by name."""
        return [] if self.start is None else self.start.tasks

    @property
    def configs(self) -> list[str]:
        """The configs that a submission may answer."""
        return [*self.tasks, *map(start_config, self.start_tasks)]

    def is_named(self, declared: str) -> bool:
        """Return whether a submission's `dataset_revision` names these samples."""
        return is_revision(declared, self.revision) or declared in self.other_names

    def bare(self) -> Self:
        """Return the benchmark without tables made of it, as another process takes it."""
        start = None if self.start is None else self.start.bare()
        hidden = None if self.hidden is None else self.hidden.bare()
        return replace(self, start=start, hidden=hidden, _sample_tables={})

    def sample_table(self, tasks: Collection[str]) -> SampleTable:
        """Return the samples of some tasks."""
        key = frozenset(tasks)
        if key not in self._sample_tables:
            is_of_tasks = pc.is_in(self.samples["task"], pa.array(sorted(key)))
            own = self.samples.filter(is_of_tasks)
            self._sample_tables[key] = SampleTable.of(own, self.reference)
        return self._sample_tables[key]

    def summary(self) -> dict[str, Any]:
        """Return what results say of the benchmark."""
        return {
            "id": self.id,
            "revision": self.revision,
            "commit": self.commit,
            "split": SPLIT,
            "samples": len(self.samples),
            "has_reference": self.reference is not None,
            "prompt_variant": self.prompt_variant,
            "has_verdicts": self.has_verdicts,
            "start_probes": {} if self.start is None else self.start.samples_by_task(),
            "tasks": {task: _summary(self.sample_table([task])) for task in self.tasks},
        }

    def samples_by_task(self) -> dict[str, int]:
        """Return the number of samples of each task, by name."""
        counts = pc.value_counts(self.samples["task"]).to_pylist()
        return dict(sorted((each["values"], each["counts"]) for each in counts))


def load_benchmark(dataset: str, dataset_id: str | None = None) -> Benchmark:
    """Load the benchmark of a dataset.

    Args:
        dataset: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        dataset_id: the id on the Hub of the dataset that a folder is a copy of.

    Raises:
        InputError: it cannot be loaded, is not as it was built, was built by another version of
            BAGEN, has no revision, is the key of a hidden split, or a task's name is no file's.
    """
    dataset = pinned(dataset)
    if is_key(dataset):
        raise InputError(
            f"{dataset}: is the key of a hidden split, and a board of it would show its labels; "
            "expected a public dataset; give the key as --hidden"
        )
    benchmark = load_samples_of(dataset)
    benchmark = _with_prompts(benchmark, dataset)
    start = _load_start(dataset, benchmark)
    return replace(benchmark, id=benchmark.id or dataset_id, start=start)


def with_other_names(benchmark: Benchmark, declared: Iterable[str]) -> Benchmark:
    """Return a benchmark that knows which of these names are commits or tags with its rows.

    Args:
        benchmark: the samples, which are not changed.
        declared: what submissions, or earlier results, state as their revision.

    Raises:
        InputError, StoreError: the Hub has to be asked, and does not answer; which names are right
        is not known then.
    """
    unknown = [name for name in dict.fromkeys(declared) if not benchmark.is_named(name)]
    if benchmark.id is None or not unknown:
        return benchmark
    contents = contents_of(benchmark.id, unknown)
    known = {name for name, content in contents.items() if content == benchmark.revision}
    return replace(benchmark, other_names=benchmark.other_names | known)


def _with_prompts(benchmark: Benchmark, dataset: str) -> Benchmark:
    """Return a benchmark that knows what its record says of prompts and verdicts."""
    record = build_record(dataset)
    if not isinstance(record, dict):
        return benchmark
    prompt, example = record.get("prompt"), record.get("example")
    variant = prompt.get("variant") if isinstance(prompt, dict) else None
    has_verdicts = isinstance(example, dict) and "verdict" in example
    return replace(
        benchmark,
        prompt_variant=variant if isinstance(variant, str) else None,
        has_verdicts=has_verdicts,
    )


def is_key(dataset: str) -> bool:
    """Return whether a dataset is the key of a hidden split, by its record."""
    record = build_record(dataset)
    return isinstance(record, dict) and "salt" in record


def load_samples_of(dataset: str) -> Benchmark:
    """Load the samples of a dataset, which may be the key of a hidden split.

    Raises:
        InputError: as `load_benchmark`.
    """
    dataset = pinned(dataset)
    loaded = load_unchanged_samples(dataset, None, SPLIT)
    revision = loaded.source["revision"]
    if not revision:
        raise InputError(f"{dataset}: does not say its revision; build it anew")
    _check_version(dataset)
    reference = load_reference(dataset)
    commit = loaded.source.get("commit")
    name = loaded.source["path"] if commit else None
    benchmark = Benchmark(
        _with_plain_tasks(loaded.table), name, revision, commit, reference=reference
    )
    for task in benchmark.tasks:
        if not _TASK.fullmatch(task):
            raise InputError(
                f"{dataset}: task {task!r} cannot name a page; expected at most 50 letters, "
                "digits and _, and not 'overall', 'predictions' or 'hidden'; rename it"
            )
    return benchmark


def _check_version(dataset: str) -> None:
    """Refuse a dataset whose record names another version of BAGEN than this."""
    record = build_record(dataset)
    stated = record.get("benchmark_version") if isinstance(record, dict) else None
    if stated not in (None, BENCHMARK_VERSION):
        raise InputError(
            f"{dataset}: was built for BAGEN {stated!a:.80}, whose samples and scores differ; "
            f"expected BAGEN {BENCHMARK_VERSION!a}; build it anew with 'python -m builders build'"
        )


def _load_start(dataset: str, benchmark: Benchmark) -> Benchmark | None:
    """Load the start probes of a dataset's tasks; None if no task has any."""
    configs = [start_config(task) for task in benchmark.tasks]
    tables = [
        _with_plain_tasks(load_unchanged_samples(dataset, config, SPLIT).table)
        for config in configs
        if SPLIT in splits(dataset, config)
    ]
    if not tables:
        return None
    return Benchmark(pa.concat_tables(tables), benchmark.id, benchmark.revision)


def _with_plain_tasks(table: pa.Table) -> pa.Table:
    """Return samples whose tasks are plain strings, in one chunk."""
    tasks = table["task"].cast(pa.string())
    return table.set_column(table.column_names.index("task"), "task", tasks).combine_chunks()


def _summary(samples: SampleTable) -> dict[str, Any]:
    families = samples.families
    return {
        "samples": len(samples),
        "feasible": sum(int(family.feasible.sum()) for family in families),
        "rollouts": sum(len(family.first) for family in families),
        "families": [family.name for family in families],
        "success": {family.name: _success(family) for family in families},
        "rollout_means": {family.name: _rollout_means(family) for family in families},
        "resources": list(families[0].resources),
    }


def _rollout_means(family: FamilyColumns) -> dict[str, float | None]:
    """Return what a family's rollouts took on average; None where the dataset does not say.

    Returns:
        `tokens`, fresh ones, and `cost_usd` (docs/cost.md).
    """
    totals = family.used[:, family.first] + family.remaining[:, family.first]
    means = dict(zip(family.resources, totals.mean(axis=1).tolist(), strict=True))
    return {name: means.get(name) for name in ("tokens", "cost_usd")}


def _success(family: FamilyColumns) -> float | None:
    """Return the share of rollouts that succeeded; None where that is not known."""
    if family.rollout_success is None:
        return None
    return float(family.rollout_success[family.first].mean())
