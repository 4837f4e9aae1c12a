"""The samples that a model is asked, in the variant that it is asked in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.errors import InputError
from bagen_data.hub import is_hidden, load_questions, load_samples, name_of
from bagen_data.prompt_rewording import reworded_table
from bagen_data.prompt_variants import Variant, find_variant
from bagen_data.repositories.dataset_places import pinned
from bagen_data.sample_references import load_forecasts


@dataclass(frozen=True)
class AskedSamples:
    """Samples, or questions of a hidden split, all in one variant."""

    table: pa.Table
    source: dict[str, Any]
    """The source of the samples, as `hub.LoadedSamples` has it."""
    variant: Variant
    has_labels: bool
    """Whether the samples have labels; the questions of a hidden split have none."""

    def references(self) -> dict[str, dict[str, Any]]:
        """Return the reference's forecast of each sample that has one, by the sample's id."""
        if not self.has_labels:
            return {}
        return load_forecasts(name_of(self.source), self.source["config"])


def load_asked(
    dataset: str,
    config: str,
    split: str,
    variant: str | None = None,
    samples: Sequence[str] | None = None,
) -> AskedSamples:
    """Load samples and put their prompts into a variant.

    Args:
        dataset: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        config: a task, `<task>_start` or `<task>_train`; `default` is every task's benchmark.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        variant: the wanted one, or its name in version 1; that of the dataset if None.
        samples: ids of the wanted samples; all if None.

    Raises:
        InputError: the samples cannot be loaded, one of those wanted is missing, or they are in
            several variants of which none is chosen, or cannot be put into the variant.
    """
    dataset = pinned(dataset)
    has_labels = not is_hidden(dataset)
    if has_labels:
        loaded = load_samples(dataset, config, split, also=("prompt", "prompt_variant"))
    else:
        loaded = load_questions(dataset, config, split)
    built = loaded.table["prompt_variant"].unique().to_pylist()
    wanted = find_variant(variant or _only(built, dataset))
    table = loaded.table if samples is None else _chosen(loaded.table, samples, dataset)
    if built != [wanted]:  # an old name is written anew, too
        table = reworded_table(table, wanted)
    return AskedSamples(table, loaded.source, wanted, has_labels)


def _chosen(table: pa.Table, samples: Sequence[str], dataset: str) -> pa.Table:
    wanted = pa.array(list(samples), pa.string())
    chosen = table.filter(pc.is_in(table["sample_id"].cast(pa.string()), wanted))
    if len(chosen) < len(set(samples)):
        missing = min(set(samples) - set(chosen["sample_id"].to_pylist()))
        raise InputError(f"{dataset}: has no sample {missing}; expected ids of this config")
    return chosen


def _only(variants: list[str], dataset: str) -> str:
    if len(variants) != 1:
        raise InputError(
            f"{dataset}: mixes prompt variants {', '.join(variants)}; choose one config or variant"
        )
    return variants[0]
