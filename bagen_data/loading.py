"""Load a built dataset as the package `datasets` gives it, from a folder or from the Hub."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.dataset_configs import DEFAULT
from bagen_data.dataset_files import names_of, read_manifest
from bagen_data.errors import InputError, MissingExtraError
from bagen_data.locations import HubPath, StoreUrl
from bagen_data.published import HUB_ID
from bagen_data.repositories.dataset_names import at_revision
from bagen_data.repositories.dataset_places import locate
from bagen_data.repositories.snapshots import local_files
from bagen_data.tables import MANIFEST

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict


def load(
    path: str | os.PathLike[str] = HUB_ID,
    config: str | None = None,
    split: str | None = None,
    *,
    revision: str | None = None,
    in_memory: bool = False,
    **options: Any,
) -> "Dataset | DatasetDict | IterableDataset | IterableDatasetDict":
    """Load a config with the package `datasets`, from the files that the manifest names.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset on the Hub, as
            `ORG/NAME` or `ORG/NAME@REV`.
        config: `default` (every task's benchmark), a task, `<task>_start`, `<task>_train`,
            `reference` or `rollouts`.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`; all of them if left out.
        revision: revision of a dataset on the Hub, where `path` does not name it: a branch, tag,
            commit or content revision.
        in_memory: hold the config in memory, each repeated message once, instead of writing it to
            a cache on disk: a fifth of the time and a seventh of the bytes. Rows read the same.
            `load_in_memory` says which options go with it.
        options: passed on to `datasets.load_dataset`, e.g. `streaming=True`, `columns=[...]`.

    Returns:
        A `Dataset`, or a `DatasetDict` of all splits if `split` is left out; with `streaming=True`
        their iterable kinds.

    Raises:
        MissingExtraError: `datasets` is not installed.
        InputError: `path` is a folder without a built dataset, a URL without `in_memory=True`, or a
            dataset that the Hub does not have; or it has no such config.
        StoreError: the Hub does not answer.
    """
    token = options.get("token")
    place = locate(at_revision(os.fspath(path), revision), token)
    if in_memory:
        from bagen_data.in_memory import load_in_memory

        return load_in_memory(place, config, split, **options)
    if isinstance(place, StoreUrl):
        raise InputError(
            f"{place}: is a URL, which the package datasets does not read as a dataset; "
            "expected a folder or a dataset on the Hub; copy it to a folder"
        )
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    if isinstance(place, Path):
        read_manifest(place)
        if "filters" in options:  # fewer rows are meant than the card counts
            options.setdefault("verification_mode", "no_checks")
        return load_dataset(os.path.abspath(place), config, split=split, **options)
    files = files_of(place, config or DEFAULT, token)
    if options.get("streaming"):
        names = {part: [_address(file) for file in own] for part, own in files.items()}
    else:  # a blob of the cache stays the same file when a commit changes none of its rows
        names = {
            part: [str(copy.resolve()) for copy in local_files(own, token)]
            for part, own in files.items()
        }
    return load_dataset("parquet", data_files=names, split=split, **options)


def files_of(
    place: HubPath, config: str, token: str | bool | None = None
) -> dict[str, list[HubPath]]:
    """Return the files of each split of a config, in the manifest's order.

    Raises:
        InputError: the dataset has no manifest, or no such config.
        StoreError: the Hub does not answer.
    """
    with suppress(FileNotFoundError):  # which the manifest's reader names
        local_files([place / MANIFEST], token)
    manifest = read_manifest(place)
    files: dict[str, list[HubPath]] = {}
    for row in manifest:
        if config in names_of(row["config"]):
            files.setdefault(row["split"], []).append(place / row["path"])
    if not files:
        known = ", ".join(sorted({row["config"] for row in manifest})) or "none"
        raise InputError(f"{place}: has no config {config}; it has: {known}")
    return files


def _address(file: HubPath) -> str:
    """Return the URL of a file on the Hub, as fsspec takes it."""
    return f"hf://datasets/{file.repository}@{file.commit}/{file.path}"
