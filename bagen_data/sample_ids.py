"""The ids of a dataset's samples that begin with a text, such as a task, a model or a rollout."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.dataset_configs import holds_samples, is_benchmark, is_start, is_training, task_of
from bagen_data.errors import InputError
from bagen_data.hub import configs, load_samples, splits

_COLUMNS = ("sample_id", "rollout_success", "feasible")
_EXAMPLES = 5
"""Most ids that a message shows."""


@dataclass(frozen=True)
class ListedSample:
    """A sample by its id, and what tells it from others."""

    sample_id: str
    """The id: task/rollout_model/rollout_id/k."""
    config: str
    split: str
    outcome: str
    """End of its run: `succeeded` (within the budget), `over budget` or `failed`."""

    @property
    def rollout(self) -> str:
        """The id without the turn."""
        return self.sample_id.rpartition("/")[0]

    @property
    def turn(self) -> int:
        """The number of turns that are complete, k."""
        return int(self.sample_id.rpartition("/")[2])


def ids_that_begin(dataset: str, prefix: str) -> list[ListedSample]:
    """Return the samples whose ids begin with a text, those of a rollout together, by turn.

    Args:
        dataset: as `hub.load_samples` takes it.
        prefix: the name of a config, whose samples are listed; or the beginning of an id. The
            beginning of a task's name lists its benchmark; with a model or rollout, the start
            probes and samples for training come after the benchmark's.

    Raises:
        InputError: no id begins so; the message says what the dataset has instead.
    """
    known = [name for name in configs(dataset) if holds_samples(name)]
    asked = [prefix] if prefix in known else _configs_of(prefix, known)
    samples = [
        sample
        for config in asked
        for split in splits(dataset, config)
        for sample in _samples_of(dataset, config, split, "" if prefix == config else prefix)
    ]
    if not samples:
        _refuse_unknown(dataset, prefix, known)
    rollouts = dict.fromkeys(sample.rollout for sample in samples)
    places = {name: place for place, name in enumerate(rollouts)}
    return sorted(samples, key=lambda sample: (places[sample.rollout], sample.turn))


def _configs_of(prefix: str, known: Sequence[str]) -> list[str]:
    task, slash, _ = prefix.partition("/")
    if not slash:
        return [name for name in known if is_benchmark(name) and name.startswith(task)]
    own = [name for name in known if task_of(name) == task]
    return sorted(own, key=lambda name: (is_training(name), is_start(name)))


def _samples_of(dataset: str, config: str, split: str, prefix: str) -> Iterator[ListedSample]:
    table = load_samples(dataset, config, split).table
    columns = [name for name in _COLUMNS if name in table.column_names]
    begins = pc.starts_with(table["sample_id"].cast(pa.large_string()), prefix)
    for row in table.select(columns).filter(begins).to_pylist():
        yield ListedSample(row["sample_id"], config, split, _outcome(row))


def _outcome(row: Mapping[str, Any]) -> str:
    if row["feasible"]:
        return "succeeded"
    is_success = row.get("rollout_success")
    return (
        "failed or over budget"
        if is_success is None
        else ("over budget" if is_success else "failed")
    )


def _refuse_unknown(dataset: str, prefix: str, known: Sequence[str]) -> NoReturn:
    """Say what the dataset has where no id begins with a text, as far as the text is right.

    Raises:
        InputError: always.
    """
    places = {(config, split) for config in known for split in splits(dataset, config)}
    ids = [
        sample.sample_id
        for config, split in sorted(places)
        for sample in _samples_of(dataset, config, split, "")
    ]
    parts = prefix.split("/")
    right = next(
        length
        for length in range(len(parts), -1, -1)
        if any(_begins(each, parts[:length]) for each in ids)
    )
    common = "/".join(parts[:right])
    if not right:
        raise InputError(
            f"{dataset}: no sample id begins with {prefix!r}; the dataset has the configs "
            f"{', '.join(known)}; name one of them to list its ids"
        )
    common = "/".join(parts[:right])
    following = {
        "/".join(each.split("/")[: right + 1]) for each in ids if _begins(each, parts[:right])
    }
    examples = sorted(following, key=_by_number)[:_EXAMPLES]
    more = f" and {len(following) - len(examples):,} more" if len(following) > _EXAMPLES else ""
    raise InputError(
        f"{dataset}: no sample id begins with {prefix!r}; expected {', '.join(examples)}{more}; "
        f"pass {common} to list its ids"
    )


def _by_number(sample_id: str) -> tuple[int, str]:
    """Return a key that sorts ids by their turn where they end in one."""
    last = sample_id.rpartition("/")[2]
    return (int(last) if last.isdecimal() else 0, sample_id)


def _begins(sample_id: str, parts: Sequence[str]) -> bool:
    return sample_id.split("/")[: len(parts)] == list(parts)
