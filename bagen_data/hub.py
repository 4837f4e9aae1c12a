"""Load the built dataset, from a folder or from the Hub."""

import os
from typing import TYPE_CHECKING, Any

from bagen_data.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

HUB_ID = "MLL-Lab/BAGEN"
"""Where the published dataset is."""


def load(
    path: str | os.PathLike[str] = HUB_ID,
    config: str | None = None,
    split: str | None = None,
    **options: Any,
) -> "Dataset | DatasetDict | IterableDataset | IterableDatasetDict":
    """What `datasets.load_dataset(path, config, split=split, **options)` returns.

    Args:
        path: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        config: `default` (every task's benchmark), a task, `<task>_train`, or `rollouts`.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`; all of them if left out.
        options: passed on, e.g. `streaming=True`, `columns=[...]`, `revision="v1.0"`.

    Raises:
        MissingExtraError: `datasets` is not installed.
        InputError: `path` is a folder without a built dataset.
    """
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise MissingExtraError("datasets", "load") from error
    if os.path.isdir(path) and not os.path.isfile(os.path.join(path, "manifest.jsonl")):
        raise InputError(
            f"{os.fspath(path)} holds no manifest.jsonl; expected a folder that "
            "'python -m builders build' wrote"
        )
    return load_dataset(os.fspath(path), config, split=split, **options)
