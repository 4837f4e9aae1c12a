"""Examples: the probes that forecasters are asked, with the truth that they may learn from."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bagen_data.errors import InputError
from bagen_data.replay import replay, succeeded
from bagen_data.schema import Budget, Probe, Rollout, Target, Turn


@dataclass(frozen=True)
class Example:
    """A probe with its answer: only what learns from the past of others may hold one."""

    sample_id: str
    family: str
    """`task/rollout_model`."""
    rollout: str
    """`task/rollout_model/rollout_id`."""
    instance_id: str
    probe: Probe
    target: Target
    total_turns: int
    """T, the number of turns of the rollout."""
    success: bool
    """The rollout succeeded, within the budget or not."""

    @property
    def task(self) -> str:
        """The task of the probe."""
        return self.probe.task


@dataclass(frozen=True)
class LoadedExamples:
    """The samples of a split, in the dataset's order."""

    examples: list[Example]
    revision: str | None
    """Revision of the dataset."""


def load_examples(path: str, config: str | None = None, split: str = "test") -> LoadedExamples:
    """Return every sample of a split, replayed from its recorded rollout, in the dataset's order.

    Args:
        path: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        config: a task or `<task>_train`; every task's benchmark if None.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.

    Raises:
        InputError: the dataset, config or split does not exist, or lacks the rollout of a sample.
        StoreError, MissingExtraError: as `hub.load_samples`.
    """
    from bagen_data.hub import load_samples
    from bagen_data.scoring.sample_table import DERIVED

    samples = load_samples(path, config, split)
    columns = {name: samples.table[name].to_pylist() for name in ("sample_id", *DERIVED)}
    wanted = dict.fromkeys(
        zip(columns["task"], columns["rollout_model"], columns["rollout_id"], strict=True)
    )
    of = "train" if (config or "").endswith("_train") else "test"
    recorded = recorded_rollouts(samples.dataset, of, wanted)
    prefixes: dict[tuple[str, str, str], list[tuple[int, str]]] = {key: [] for key in wanted}
    for sample_id, *key, k in zip(*columns.values(), strict=True):
        prefixes[key[0], key[1], key[2]].append((k, sample_id))
    missing = next((key for key in wanted if key not in recorded), None)
    if missing:
        raise InputError(
            f"{path}: config rollouts has no rollout {'/'.join(missing)}, of which there are "
            "samples; build the dataset anew"
        )
    examples = {
        example.sample_id: example
        for key, ids in prefixes.items()
        for example in examples_of(*recorded[key], ids)
    }
    ordered = [examples[each] for each in columns["sample_id"]]
    return LoadedExamples(ordered, samples.source["revision"])


def examples_of(
    rollout: Rollout, budget: Budget, prefixes: Sequence[tuple[int, str]]
) -> list[Example]:
    """Return the examples of one rollout.

    Args:
        rollout: with at least one turn.
        budget: limits each resource that the rollout's turns have usage of.
        prefixes: each k from 0 to the number of turns, and the sample's id.
    """
    family = f"{rollout.task}/{rollout.rollout_model}"
    names = (family, f"{family}/{rollout.rollout_id}", rollout.instance_id)
    pairs = replay(rollout, budget, [k for k, _ in prefixes])
    success = succeeded(rollout, budget)
    return [
        Example(sample_id, *names, probe, target, len(rollout.turns), success)
        for (_, sample_id), (probe, target) in zip(prefixes, pairs, strict=True)
    ]


def recorded_rollouts(
    path: str, split: str, wanted: Container[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[Rollout, Budget]]:
    """Return the rollouts of these tasks, models and ids, with their budgets.

    Args:
        path: the dataset, as in `load_examples`.
        split: `test`, those of the benchmark, or `train`.
        wanted: the rollouts that are returned, if they are in the dataset.

    Raises:
        InputError, StoreError: as `load_examples`.
    """
    from bagen_data.hub import load_rollouts
    from bagen_data.scoring.sample_table import DERIVED

    recorded = {}
    for batch in load_rollouts(path, split).to_batches(max_chunksize=256):
        keys = zip(*(batch[name].to_pylist() for name in DERIVED[:3]), strict=True)
        rows = {number: key for number, key in enumerate(keys) if key in wanted}
        chosen = batch.take(pa.array(rows, pa.int64())).to_pylist()
        for key, row in zip(rows.values(), chosen, strict=True):
            budget = Budget(_amounts(row["budget"]), _amounts(row["conditions"]))
            recorded[key] = (_rollout(row), budget)
    return recorded


def _rollout(row: Mapping[str, Any]) -> Rollout:
    """Return the rollout of a row of `schema.ROLLOUTS`.

    `replay` adds the budget's conditions to the rollout's success.
    """
    turns = tuple(
        Turn(turn["user"], turn["assistant"], _amounts(turn["usage"]), _amounts(turn["state"]))
        for turn in row["turns"]
    )
    return Rollout(
        task=row["task"],
        rollout_model=row["rollout_model"],
        rollout_id=row["rollout_id"],
        instance_id=row["instance_id"],
        system=row["system"],
        turns=turns,
        success=row["rollout_success"],
    )


def _amounts(pairs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {pair["name"]: pair["value"] for pair in pairs}
