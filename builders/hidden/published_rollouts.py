"""Rollouts and instances that are public already, which a hidden split keeps apart from."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from bagen_data.errors import InputError
from bagen_data.schema import Rollout

_TURNS = 2
"""Turns that a rollout is known again by."""
Texts = Sequence[str]
"""User and assistant messages of a rollout, from its beginning."""


@dataclass
class PublishedInstances:
    """The instances and beginnings of rollouts of one task, in some datasets."""

    instances: set[str] = field(default_factory=set)
    _instances_of: dict[str, set[str]] = field(default_factory=dict)
    """Instances that begin with an opening, by the opening's hash."""
    _beginnings: set[str] = field(default_factory=set)
    """Hashes of the first two turns."""
    _unnamed: int = 0
    """Number of rollouts without an instance; each is taken for an instance of its own."""

    def add(self, instance_id: str, texts: Texts) -> None:
        """Enter a rollout, or as much of one as a prompt shows.

        Args:
            instance_id: empty where the dataset does not say it.
            texts: its messages; of a prefix of one turn, one user and one assistant message.
        """
        if instance_id:
            self.instances.add(instance_id)
        self._unnamed += not instance_id
        name = instance_id or f"unnamed {self._unnamed}"
        self._instances_of.setdefault(_hash(texts[:1]), set()).add(name)
        if len(texts) >= 2 * _TURNS:
            self._beginnings.add(_hash(texts[: 2 * _TURNS]))

    def holds(self, rollout: Rollout, opening_id: str) -> bool:
        """Return whether a rollout, or its instance, is published.

        An instance is known by its id, by its opening unless several instances there begin with it
        (a game whose first message is always the same), and by two turns of the same text.

        Args:
            rollout: with its texts as they would be shown.
            opening_id: the id of an instance that is named by its first user message.
        """
        texts = [text for turn in rollout.turns[:_TURNS] for text in (turn.user, turn.assistant)]
        return (
            bool({rollout.instance_id, opening_id} & self.instances)
            or len(self._instances_of.get(_hash(texts[:1]), ())) == 1
            or (len(texts) == 2 * _TURNS and _hash(texts) in self._beginnings)
        )


@dataclass(frozen=True)
class PublishedRollouts:
    """The rollouts and instances of some datasets, by task."""

    by_task: Mapping[str, PublishedInstances]

    @classmethod
    def of(cls, datasets: Iterable[str]) -> Self:
        """Read datasets, hidden splits and their keys included.

        Args:
            datasets: folders, URLs, ORG/NAME or ORG/NAME@REV.

        Raises:
            InputError: one cannot be read, or has neither rollouts nor samples.
        """
        by_task: dict[str, PublishedInstances] = {}
        for dataset in datasets:
            is_empty = True
            for task, instance_id, texts in _rollouts(dataset):
                by_task.setdefault(task, PublishedInstances()).add(instance_id, texts)
                is_empty = False
            if is_empty:
                raise InputError(f"--apart-from {dataset}: holds no rollout and no sample")
        return cls(by_task)

    def holds(self, rollout: Rollout, opening_id: str) -> bool:
        """Return whether a rollout, or its instance, is in one of the datasets."""
        own = self.by_task.get(rollout.task)
        return own is not None and own.holds(rollout, opening_id)


def _rollouts(dataset: str) -> Iterator[tuple[str, str, Texts]]:
    """Yield task, instance and messages of each rollout, or of each sample where it has none."""
    from bagen_data.hub import is_hidden, load_questions, load_rollouts, load_samples, splits
    from bagen_data.repositories.dataset_places import pinned

    dataset = pinned(dataset)
    parts = splits(dataset, "rollouts")
    for part in parts:
        for row in _rows(load_rollouts(dataset, part), ("task", "instance_id", "turns")):
            texts = [text for turn in row["turns"] for text in (turn["user"], turn["assistant"])]
            yield row["task"], row["instance_id"], texts
    if parts:
        return
    if is_hidden(dataset):
        table = load_questions(dataset).table
    else:
        table = load_samples(dataset, also=("prompt", "instance_id")).table
    for row in _rows(table, ("task", "instance_id", "prompt")):
        texts = [message["content"] for message in row["prompt"][1:-1]]
        if texts:
            yield row["task"], row.get("instance_id", ""), texts


def _rows(table: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    chosen = table.select([name for name in names if name in table.column_names])
    for batch in chosen.to_batches(max_chunksize=64):
        yield from batch.to_pylist()


def _hash(texts: Texts) -> str:
    """Return a hash of messages, whatever white space and case they are written with."""
    words = "\0".join(" ".join(text.casefold().split()) for text in texts)
    return hashlib.sha256(words.encode()).hexdigest()
