"""Notes on stderr about a dataset and predictions that were made for another benchmark version."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bagen_data.console import STDERR, shown
from bagen_data.hub import build_record
from bagen_data.repositories.revisions import names_content
from bagen_data.submissions import METADATA, read_metadata
from bagen_data.versions import BENCHMARK_VERSION


def note_versions(dataset: str, files: Iterable[Path]) -> None:
    """Say which of a dataset and the metadata beside predictions are of another version.

    Args:
        dataset: a folder, a URL, ORG/NAME or ORG/NAME@REV.
        files: the files of predictions; metadata may be missing.

    Raises:
        InputError: metadata cannot be read.
    """
    record = build_record(dataset)
    built_for = record.get("benchmark_version") if isinstance(record, dict) else None
    _note(f"{dataset} was built for", built_for, "build the dataset anew")
    for file in files:
        path = file.parent / METADATA
        if path.is_file():
            version = read_metadata(path).benchmark_version
            _note(f"{path} says that its predictions are of", version, "predict anew")


def note_revision(source: Mapping[str, Any], declared: str) -> None:
    """Say that predictions are of another revision than a dataset.

    Args:
        source: the source of the samples, as `hub.LoadedSamples` has it.
        declared: `dataset_revision` of the metadata: a content revision, or a commit or tag of the
            dataset on the Hub.

    Raises:
        InputError, StoreError: the Hub has to be asked, and does not answer.
    """
    revision, repository = source["revision"], source["path"] if "commit" in source else None
    if revision is None or names_content(declared, revision, repository):
        return
    note = (
        f"note: {METADATA} says dataset_revision {declared}, and {source['path']} is {revision}; "
        "results of different revisions are not ranked together"
    )
    STDERR.print(shown(note))


def note_reference(dataset: str) -> None:
    """Say why no skill has a value."""
    note = (
        f"note: {dataset} has no config reference, so scores relative to the reference, such as "
        "brier_skill and wis_skill, have no value; build the dataset anew"
    )
    STDERR.print(shown(note))


def _note(what: str, version: str | None, what_to_do: str) -> None:
    if version in (None, BENCHMARK_VERSION):
        return
    note = (
        f"note: {what} benchmark version {version}, and these scores are of version "
        f"{BENCHMARK_VERSION}; results of different versions are not comparable; {what_to_do}"
    )
    STDERR.print(shown(note))
