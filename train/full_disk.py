"""Errors of libraries that come from a full disk, as one message."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from bagen_data.errors import OutputError
from train.checkpoints import last_checkpoint

_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TEXTS = (
    *map(os.strerror, _ERRNOS),
    "PytorchStreamWriter failed writing",
    "inline_container.cc",
)
"""Texts by which PyTorch and safetensors report a full disk, in errors that are not an OSError."""


@contextmanager
def full_disk_said(folder: str) -> Iterator[None]:
    """Turn errors of a full disk in the block into one that says how a run goes on.

    Args:
        folder: the folder of the run.

    Raises:
        OutputError: the disk was full.
    """
    try:
        yield
    except Exception as error:
        if not _is_of_full_disk(error):
            raise
        free = shutil.disk_usage(folder).free / 1e9
        checkpoint = last_checkpoint(folder)
        kept = f"{checkpoint} is whole" if checkpoint else "no checkpoint is whole yet"
        raise OutputError(
            f"{folder}: the disk is full, or a file may not grow as large ({free:,.1f} GB are free "
            f"now); {kept}; free some space, then give the same command with --resume true"
        ) from error


def _is_of_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _ERRNOS:
            return True
        if any(text in str(error) for text in _TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False
