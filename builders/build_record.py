"""The options of a build, what became of it, and the record of both: `build.json`."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.dataset_configs import holds_samples, is_start
from bagen_data.errors import WrongUsageError
from bagen_data.executors import ExecutorChoice
from bagen_data.general_prompt import general_prompt, template_name
from bagen_data.locations import Location, StoreUrl, absolute
from bagen_data.logs.turn_readers import Counting, Tokenizer
from bagen_data.prompt_variants import Variant
from bagen_data.reading.family_index import FamilyIndex, IndexedRollout
from bagen_data.reading.origin import Family, find_families
from bagen_data.reading.outcomes import SuccessRule
from bagen_data.reading.reading_options import ShardSizes
from bagen_data.splits import SEED as SPLIT_SEED
from bagen_data.tables import to_json
from bagen_data.tasks.general import GeneralSettings
from bagen_data.usage import UsageChoice
from bagen_data.versions import BENCHMARK_VERSION, __version__
from builders.build_plan import RolloutPlan
from builders.data_files import FILE_BYTES, INFEASIBLE, DataFile

_OPTIONS = ("benchmark_version", "prompt", "seeds", "usage", "budget_overrides", "limit")
"""Keys of the record that, with the families, decide what the rows hold."""
_ADDED_OPTIONS = ("general_task", "success", "scrub")
"""Keys that do so too, and are left out where they say nothing."""

_UNUSABLE_LABELS = "unusable_labels"
"""The key of lines of labels that cannot be used; it is left out where they all can."""
_CLIPPED = "clipped_turns"
_REPORTED = ("refused", _UNUSABLE_LABELS, "ignored", "tokenizer")
"""Keys of a family's record that do not decide what its rows hold."""


@dataclass(frozen=True)
class BuildOptions:
    """The options of a build; its output is the same bytes for the same options and files."""

    origin: Location
    out: Location
    tasks: list[str] | None = None
    """The tasks to build; all if None."""
    tokenizer: str | None = None
    usage: UsageChoice = "auto"
    budgets: Mapping[str, str] = field(default_factory=dict)
    """`--budget` values by task."""
    prompt: Variant = "interval_think"
    general: GeneralSettings = field(default_factory=GeneralSettings)
    """Resources and prices of tasks without a file of their own."""
    rollout_model: str = ""
    """The model of a folder that has no family's name; empty if its logs name it."""
    success: SuccessRule | None = None
    """The rule that decides outcomes in place of the logs' own."""
    limit: int | None = None
    """Rollouts a family, the first ones."""
    shard_sizes: ShardSizes = field(default_factory=ShardSizes)
    """The sizes of the shards of families; they change nothing but the time and the memory."""
    executor: ExecutorChoice = field(default_factory=ExecutorChoice)
    """The choice of where families are read and written; it changes nothing but the time."""
    strict: bool = False
    """Write nothing if anything is refused."""
    allow_empty_families: bool = False
    """Build on without families that have no rollout which can be used."""
    scrub: bool = False
    """Replace keys, addresses and user names in the texts."""
    file_bytes: int = FILE_BYTES
    """The bytes of a file of a large family, about."""

    def seen_by_workers(self) -> "BuildOptions":
        """Return the same options, with paths that hold in any current folder.

        Raises:
            WrongUsageError: `origin` or `out` is in this process's memory, and workers are others.
        """
        if not self.executor.works_here:
            _refuse_memory("--origin", self.origin)
            _refuse_memory("--out", self.out)
        if not self.executor.is_remote:
            return self
        return replace(self, origin=absolute(self.origin), out=absolute(self.out))

    def families(self) -> list[Family]:
        """Return the families to build; raises as `find_families` does."""
        return find_families(self.origin, self.tasks, self.general, self.rollout_model)


def _refuse_memory(flag: str, place: Location) -> None:
    if isinstance(place, StoreUrl) and place.protocol == "memory":
        raise WrongUsageError(
            f"{flag} {place}: memory:// is seen by one process alone, and --executor has others; "
            "give a folder or the URL of another store, or leave --executor out"
        )


@dataclass(frozen=True)
class BuiltFamily:
    """The result of building one family."""

    index: FamilyIndex
    plans: Sequence[RolloutPlan]
    """The plan of each entry of the index."""
    files: Sequence[DataFile]
    reference_rows: int
    """Samples and start probes that the reference has a forecast of."""
    example: dict[str, Any] | None = None
    """A benchmark sample for the card, shortened; None of a family without one."""

    @property
    def bytes(self) -> int:
        """Return the bytes of its files together."""
        return sum(file.bytes for file in self.files)

    @property
    def sample_files(self) -> Sequence[DataFile]:
        """The files of its benchmark samples, or of its training samples."""
        return [
            file for file in self.files if holds_samples(file.config) and not is_start(file.config)
        ]

    def files_by_split(self) -> dict[str, list[DataFile]]:
        """Return the files of its samples by their split."""
        files: dict[str, list[DataFile]] = {}
        for file in self.sample_files:
            files.setdefault(file.split, []).append(file)
        return files

    def counts(self) -> dict[str, int]:
        """Return counts by name, with the used rollouts, and each reason why others are not."""
        index = self.index
        used = [
            (entry, plan)
            for entry, plan in zip(index.entries, self.plans, strict=True)
            if plan.part
        ]
        samples = sum(file.rows for file in self.sample_files)
        starts = sum(file.rows for file in self.files if is_start(file.config))
        wanted = samples + starts if index.family.role == "benchmark" else 0
        return {
            "rollouts": len(used),
            "turns": sum(entry.total_turns for entry, _ in used),
            "dropped_turns": index.dropped_turns,
            _CLIPPED: index.clipped_turns,
            "refused": len(index.refused),
            **({_UNUSABLE_LABELS: unusable} if (unusable := len(index.unusable_labels)) else {}),
            "duplicates": index.duplicates,
            "without_turns": index.without_turns,
            "without_samples": sum(1 for _, plan in used if not plan.prefixes),
            "left_out_in_benchmark": len(self.plans) - len(used),
            "samples": samples,
            "start_samples": starts,
            "feasible": sum(file.feasible for file in self.sample_files),
            **{name: sum(file.labels[name] for file in self.sample_files) for name in INFEASIBLE},
            "without_reference": wanted - self.reference_rows,
        }


def build_record(
    built: Sequence[BuiltFamily], options: BuildOptions, counting: Counting
) -> dict[str, Any]:
    """`build.json`, but for the hashes of the files beside it."""
    tasks = {family.index.family.task: family.index.family for family in built}
    tasks = {name: tasks[name] for name in sorted(tasks)}
    record = {
        "benchmark_version": BENCHMARK_VERSION,
        "versions": {
            "bagen-data": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pyarrow": pa.__version__,
        },
        "prompt": {
            "variant": options.prompt,
            "sha256": {
                name: family.prompt(options.prompt).sha256 for name, family in tasks.items()
            },
        },
        "seeds": {
            "training_split": SPLIT_SEED,
            **{
                f"{task}_{name}": seed
                for task, family in tasks.items()
                for name, seed in family.definition().seeds.items()
            },
        },
        "usage": options.usage,
        "budget_overrides": dict(sorted(options.budgets.items())),
        "limit": options.limit,
        **({"scrub": True} if options.scrub else {}),
        **_added_options(built, options),
        "families": [_family_record(family, counting.tokenizer) for family in built],
        "example": next((family.example for family in built if family.example), None),
    }
    return {"revision": _revision(record, built)} | record


def _added_options(built: Sequence[BuiltFamily], options: BuildOptions) -> dict[str, Any]:
    """Return what was asked for beyond tasks with files of their own: empty where nothing was."""
    added: dict[str, Any] = {}
    families = [each.index.family for each in built]
    general = sorted({family.task for family in families if family.general is not None})
    resources = options.general.resources
    if general:
        added["general_task"] = {
            "tasks": general,
            "prompt": template_name(resources),
            "prompt_sha256": general_prompt(resources, options.prompt).sha256,
            "resources": list(resources),
        }
    if options.success is not None:
        added["success"] = options.success.text
    if general and "cost_usd" in resources:
        sources = {source for each in built for source in each.index.usage_sources}
        added["prices"] = options.general.prices.record(sources)
    return added


def _revision(record: Mapping[str, Any], built: Sequence[BuiltFamily]) -> str:
    """Return the hash that results are compared by: the sha256 of what decides the rows.

    It covers the options, the families' sources and counts, and each rollout's outcome and usage as
    they were read. What other versions or machines may word differently is no part of it: the
    versions, the bytes of the files that they decide, why something was refused or ignored, and
    what a tokenizer is called. Clipped turns follow from the sources and are no part of it either,
    and a table of prices is in the costs that it gives.
    """
    families = [
        {name: value for name, value in family.items() if name not in _REPORTED}
        | {"counts": _revision_counts(family["counts"])}
        | {"rollouts": [_rollout_record(entry) for entry in own.index.entries]}
        for family, own in zip(record["families"], built, strict=True)
    ]
    names = [*_OPTIONS, *(name for name in _ADDED_OPTIONS if name in record)]
    content = {name: record[name] for name in names} | {"families": families}
    return hashlib.sha256(to_json(content).encode()).hexdigest()


def _rollout_record(entry: IndexedRollout) -> dict[str, Any]:
    """Return what a revision knows of a rollout: the outcome and usage that rows are made of."""
    return {
        "rollout_id": entry.rollout_id,
        "instance_id": entry.instance_id,
        "total_turns": entry.total_turns,
        "realised": {
            "totals": dict(zip(entry.resources, entry.totals, strict=True)),
            "final_state": entry.final_state,
        },
    }


def _unusable_labels(index: FamilyIndex) -> dict[str, Any]:
    lines = [{"where": each.where, "reason": each.reason} for each in index.unusable_labels]
    return {_UNUSABLE_LABELS: lines} if lines else {}


def _revision_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that a revision covers, in which unusable labels were always refusals."""
    others = {name: n for name, n in counts.items() if name not in (_UNUSABLE_LABELS, _CLIPPED)}
    return others | {"refused": counts["refused"] + counts.get(_UNUSABLE_LABELS, 0)}


def _is_counted(index: FamilyIndex) -> bool:
    """Return whether a tokenizer counted a rollout of the family."""
    return any("tokenizer" in source.split(", ") for source in index.usage_sources)


def _family_record(built: BuiltFamily, tokenizer: Tokenizer | None) -> dict[str, Any]:
    index = built.index
    budgets = [plan.budget for plan in built.plans if plan.budget is not None]
    is_shared = all(budget == budgets[0] for budget in budgets)
    return {
        "family": index.family.name,
        "task": index.family.task,
        "rollout_model": index.family.rollout_model,
        "role": index.family.role,
        "budget": dict(budgets[0].limits) if budgets and is_shared else "per rollout",
        "tokenizer": {"name": tokenizer.name, "sha256": tokenizer.sha256}
        if tokenizer is not None and _is_counted(index)
        else None,
        "usage": dict(sorted(index.usage_sources.items())),
        "counts": built.counts(),
        "by_split": {
            split: {
                "samples": sum(file.rows for file in files),
                "feasible": sum(file.feasible for file in files),
            }
            for split, files in built.files_by_split().items()
        },
        "sources": [
            {"path": source.path, "bytes": source.bytes, "sha256": source.sha256}
            for source in index.sources
        ],
        "refused": [{"where": each.where, "reason": each.reason} for each in index.refused],
        **_unusable_labels(index),
        "ignored": [{"where": each.where, "reason": each.reason} for each in index.ignored],
        **({} if index.scrubbed is None else {"scrubbed": dict(sorted(index.scrubbed.items()))}),
    }
