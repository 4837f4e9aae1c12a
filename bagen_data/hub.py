"""Load a built dataset to score, forecast and ask: from a folder, a URL or the Hub.

A dataset is named by one text: a folder, its URL, `ORG/NAME`, or `ORG/NAME@REV`, where REV is a
branch, a tag, a commit, a content revision, or the beginning of one of these two. Each call
resolves the name; `dataset_places.pinned` gives one that stays at the same commit. For training
and reading by hand there is `bagen_data.load`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bagen_data.dataset_configs import DEFAULT, is_start, is_training, task_of
from bagen_data.dataset_configs import REFERENCE as REFERENCE_CONFIG
from bagen_data.dataset_configs import ROLLOUTS as ROLLOUTS_CONFIG
from bagen_data.dataset_files import (
    ReadColumns,
    is_public_part,
    read_files,
    read_manifest,
    read_record,
)
from bagen_data.locations import HubPath, ReadLocation, StoreUrl
from bagen_data.repositories.dataset_names import at_revision
from bagen_data.repositories.dataset_places import dataset_name, locate
from bagen_data.schema import QUESTIONS, REFERENCE, ROLLOUTS


@dataclass(frozen=True)
class LoadedSamples:
    """The columns of samples that scoring needs, without prompts, and where they are from."""

    table: pa.Table
    source: dict[str, Any]
    """`path`, `config`, `split`, `revision` (the content revision) and the number of `samples`;
    of a dataset on the Hub also its `commit`."""

    @property
    def dataset(self) -> str:
        """The name of the dataset that these samples are of, at the commit that was read."""
        return name_of(self.source)


def source_of(
    place: ReadLocation, config: str, split: str, revision: str | None, samples: int
) -> dict[str, Any]:
    """Return where samples are from, as reports and logs state it."""
    if isinstance(place, HubPath):
        where = {"path": place.repository, "commit": place.commit}
    else:
        where = {"path": str(place)}
    about = {"config": config, "split": split, "revision": revision, "samples": samples}
    return where | about


def name_of(source: dict[str, Any]) -> str:
    """Return the name of the dataset that a source is of, which goes on to name the same rows."""
    commit = source.get("commit")
    return f"{source['path']}@{commit}" if commit else str(source["path"])


def load_samples(
    path: str,
    config: str | None = None,
    split: str = "test",
    *,
    also: Sequence[str] = (),
    revision: str | None = None,
) -> LoadedSamples:
    """Samples to hold answers against.

    Args:
        path: a folder that `python -m builders build` wrote, its URL in a store, or a dataset on
            the Hub, as ORG/NAME or ORG/NAME@REV.
        config: a task, `<task>_start` or `<task>_train`; every task's benchmark if None.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        also: columns beside those that scoring needs, e.g. `prompt`.
        revision: REV, where `path` does not name it; of a folder only its own content revision.

    Raises:
        InputError: the folder holds no built dataset, was replaced while it was read, or has a
            file that cannot be read; or no such config, split, dataset or revision exists; or a
            file of the Hub or a store has another hash than in the manifest.
        StoreError: the Hub or a store does not answer.
    """
    columns = ReadColumns((), tuple(also))
    return _loaded(at_revision(path, revision), config, split, columns)


def load_unchanged_samples(
    path: str, config: str | None = None, split: str = "test"
) -> LoadedSamples:
    """Load samples as `load_samples` does, from files with the hashes that the manifest has.

    Raises:
        as `load_samples`; and InputError if a file of a folder has another hash.
    """
    return _loaded(path, config, split, ReadColumns((), (), "the manifest"))


def _loaded(dataset: str, config: str | None, split: str, more: ReadColumns) -> LoadedSamples:
    from bagen_data.scoring.sample_table import DERIVED, OPTIONAL, REQUIRED

    optional = tuple(dict.fromkeys((*DERIVED, *OPTIONAL, *more.optional)))
    columns = ReadColumns(REQUIRED, optional, more.trust)
    return _read(dataset, config or DEFAULT, split, columns)


def _read(dataset: str, config: str, split: str, columns: ReadColumns) -> LoadedSamples:
    place = locate(dataset)
    table, revision = read_files(place, config, split, columns)
    return LoadedSamples(table, source_of(place, config, split, revision, len(table)))


def load_rollouts(path: str, split: str) -> pa.Table:
    """The recorded rollouts, in the columns of `schema.ROLLOUTS`.

    Args:
        path: as in `load_samples`.
        split: `test`, those of the benchmark, or `train`.

    Raises:
        as `load_samples`.
    """
    return _read(path, ROLLOUTS_CONFIG, split, ReadColumns(tuple(ROLLOUTS.names))).table


def load_reference(path: str, config: str | None = None) -> pa.Table | None:
    """Load the forecasts that skills are relative to, in the columns of `schema.REFERENCE`.

    A family of one instance has none. Files must have the hashes that the manifest has.

    Args:
        path: as in `load_samples`.
        config: a task or `<task>_start`, about whose samples the forecasts are; all if None.

    Returns:
        The forecasts in the order of the samples; None if the dataset has no config `reference`,
        as one of an earlier version.

    Raises:
        as `load_unchanged_samples`.
    """
    dataset = dataset_name(locate(path))
    if "test" not in splits(dataset, REFERENCE_CONFIG):
        return None
    columns = ReadColumns(tuple(REFERENCE.names), (), "the manifest")
    table = _read(dataset, REFERENCE_CONFIG, "test", columns).table
    if config is None or config == DEFAULT:
        return table
    return reference_of(table, config)


def reference_of(forecasts: Any, config: str) -> Any:
    """Return the forecasts about the samples of one config.

    Args:
        forecasts: a table or batch of the config `reference`.
        config: a task, `<task>_start` or `<task>_train`, whose samples have none.
    """
    import pyarrow.compute as pc

    if is_training(config):
        return forecasts.slice(0, 0)
    is_own = pc.starts_with(forecasts["sample_id"], f"{task_of(config)}/")
    is_start_probe = pc.ends_with(forecasts["sample_id"], "/0")
    return forecasts.filter(pc.and_(is_own, pc.equal(is_start_probe, is_start(config))))


def load_questions(path: str, config: str | None = None, split: str = "test") -> LoadedSamples:
    """Load the probes of a hidden split, in the columns of `schema.QUESTIONS`.

    Args:
        path: the public part of a hidden split, named as in `load_samples`.
        config: a task; every task's if None.
        split: `test`.

    Raises:
        as `load_samples`.
    """
    return _read(path, config or DEFAULT, split, ReadColumns(tuple(QUESTIONS.names)))


def is_hidden(path: str) -> bool:
    """Return whether a dataset is the public part of a hidden split: it has no labels.

    Raises:
        as `build_record`.
    """
    return is_public_part(build_record(path))


def build_record(path: str) -> Any:
    """Return the content of a dataset's `build.json`; None if it has none that can be read.

    Args:
        path: as in `load_samples`.

    Raises:
        InputError: no such dataset or revision exists; a URL or commit holds no manifest.
        StoreError: as `load_samples`.
    """
    place = locate(path)
    if isinstance(place, StoreUrl | HubPath):
        read_manifest(place)  # without one the dataset is absent, whatever else lies there
    return read_record(place)


def configs(path: str) -> list[str]:
    """Return the configs of a dataset, sorted.

    Args:
        path: as in `load_samples`.

    Raises:
        as `load_samples`.
    """
    return sorted({row["config"] for row in read_manifest(locate(path)) if row["config"]})


def splits(path: str, config: str) -> list[str]:
    """Return the splits of a config, sorted; none if the dataset has no such config.

    Args:
        path: as in `load_samples`.
        config: the name of a config.

    Raises:
        as `load_samples`.
    """
    manifest = read_manifest(locate(path))
    return sorted({row["split"] for row in manifest if row["config"] == config})
