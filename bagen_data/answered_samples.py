"""The samples that predictions answer, where they leave others out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.hub import load_reference, load_samples
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.scoring.sample_table import SampleTable


@dataclass(frozen=True)
class AnsweredSamples:
    """Some samples of a split, and predictions of exactly these."""

    samples: SampleTable
    total: int
    """The number of samples of the split."""
    readers: tuple[PredictionReader, ...]
    totals: Mapping[str, int]
    """The number of samples of each task of the split."""

    @property
    def by_task(self) -> str:
        """The number of samples of each task, such as `sokoban 48, swebench 94`."""
        return ", ".join(f"{task} {count:,}" for task, count in self._counts().items())

    @property
    def submittable(self) -> str:
        """The words for what can be submitted: the tasks that are answered whole, if all are."""
        counts = self._counts()
        others = ", ".join(task for task in self.totals if task not in counts)
        is_whole = all(self.totals[task] == count for task, count in counts.items())
        return f"not submittable for {others}" if is_whole and others else "not submittable"

    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for family in self.samples.families:
            counts[family.task] += len(family.completed_turns)
        return counts

    def __str__(self) -> str:
        return f"{len(self.samples):,} of {self.total:,} samples"


def answered_samples(
    dataset: str, config: str | None, split: str, readers: Sequence[PredictionReader]
) -> AnsweredSamples | None:
    """Return the samples that every one of several files of predictions answers; None if none is.

    Args:
        dataset: as `hub.load_samples` takes it.
        config: a task, `<task>_start` or `<task>_train`; every task's benchmark if None.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        readers: the predictions. Ids that are not of the split stay in what the new readers give,
            so that they are refused as ever.

    Raises:
        InputError: as `hub.load_samples`, or predictions cannot be read.
    """
    table = load_samples(dataset, config, split).table
    ids = table["sample_id"].cast(pa.large_string())
    is_answered = pa.chunked_array([pa.repeat(pa.scalar(True), len(ids))])
    for reader in readers:
        own = [batch["sample_id"].cast(pa.large_string()) for batch in reader()]
        answered = pc.is_in(ids, value_set=pa.chunked_array(own, pa.large_string()))
        is_answered = pc.and_(is_answered, answered)
    if not pc.any(is_answered).as_py():
        return None
    reference = load_reference(dataset, config) if split == "test" else None
    others = ids.filter(pc.invert(is_answered))
    return AnsweredSamples(
        SampleTable.of(table.filter(is_answered), reference),
        len(table),
        tuple(partial(_without, reader, others) for reader in readers),
        dict(sorted(Counter(table["task"].cast(pa.string()).to_pylist()).items())),
    )


def _without(reader: PredictionReader, ids: pa.ChunkedArray) -> Iterator[pa.RecordBatch]:
    """Yield predictions that are not of these samples."""
    for batch in reader():
        is_other = pc.is_in(batch["sample_id"].cast(pa.large_string()), value_set=ids)
        yield batch.filter(pc.invert(is_other))
