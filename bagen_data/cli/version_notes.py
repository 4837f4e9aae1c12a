"""Notes on stderr about a dataset and predictions that were made for another benchmark version."""

from collections.abc import Iterable
from pathlib import Path

from bagen_data.console import STDERR, shown
from bagen_data.hub import build_record
from bagen_data.submissions import METADATA, read_metadata
from bagen_data.versions import BENCHMARK_VERSION


def note_versions(dataset: str, revision: str | None, files: Iterable[Path]) -> None:
    """Say which of a dataset and the metadata beside predictions are of another version.

    Args:
        dataset: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        revision: the commit of the Hub's dataset.
        files: the files of predictions; metadata may be missing.

    Raises:
        InputError: metadata cannot be read.
    """
    record = build_record(dataset, revision)
    built_for = record.get("benchmark_version") if isinstance(record, dict) else None
    _note(f"{dataset} was built for", built_for, "build the dataset anew")
    for file in files:
        path = file.parent / METADATA
        if path.is_file():
            version = read_metadata(path).benchmark_version
            _note(f"{path} says that its predictions are of", version, "predict anew")


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
