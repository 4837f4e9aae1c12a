"""The probes of a hidden split: what its prompts show, and no truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagen_data.hub import load_questions
from bagen_data.schema import Budget, Probe, Turn


@dataclass(frozen=True)
class AskedProbe:
    """A probe under the name by which it is answered."""

    sample_id: str
    probe: Probe

    @property
    def task(self) -> str:
        """The probe's."""
        return self.probe.task


@dataclass(frozen=True)
class LoadedProbes:
    """The probes of a hidden split, in its order."""

    probes: list[AskedProbe]
    revision: str | None
    """The revision of the split."""


def load_hidden_probes(path: str, config: str | None, split: str) -> LoadedProbes:
    """Load the probes of a hidden split.

    The agent's own system message is a part of the prompt's, and is not taken out of it: a probe's
    `system` is empty.

    Args:
        path: the public part of the split: a folder, or ORG/NAME or ORG/NAME@REV.
        config: a task; every task's if None.
        split: `test`.

    Raises:
        InputError: the dataset, config or split does not exist.
        MissingExtraError: `path` is not a folder, and `datasets` is not installed.
    """
    questions = load_questions(path, config, split)
    probes = [
        AskedProbe(row["sample_id"], _probe(row))
        for batch in questions.table.to_batches(max_chunksize=64)
        for row in batch.to_pylist()
    ]
    return LoadedProbes(probes, questions.source["revision"])


def _probe(row: Mapping[str, Any]) -> Probe:
    contents = [message["content"] for message in row["prompt"][1:-1]]
    turns = tuple(
        Turn(user, assistant, _amounts(turn["usage"]), _amounts(turn["state"]))
        for user, assistant, turn in zip(contents[::2], contents[1::2], row["turns"], strict=True)
    )
    budget = {part["resource"]: part["budget"] for part in row["resources"]}
    return Probe(
        task=row["task"],
        system="",
        turns=turns,
        opening="",
        used={part["resource"]: part["used"] for part in row["resources"]},
        state=turns[-1].state,
        budget=Budget(budget, _amounts(row["conditions"])),
    )


def _amounts(pairs: list[Mapping[str, Any]]) -> dict[str, float]:
    return {pair["name"]: pair["value"] for pair in pairs}
