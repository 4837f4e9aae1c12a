"""The checkpoints of a run's folder: which are whole, and which were never finished."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import is_zipfile

_STATE = "trainer_state.json"
"""The file of a checkpoint that the trainer writes last."""
_HEADER = 8
"""Bytes at the beginning of a safetensors file that say how long its header is."""


def last_checkpoint(folder: str) -> str | None:
    """Return the latest checkpoint of a run's folder that was written to its end."""
    whole = [(step, path) for step, path in _checkpoints(folder) if _is_whole(path)]
    return str(max(whole)[1]) if whole else None


def unfinished_checkpoints(folder: str) -> list[Path]:
    """Return the checkpoints of a run's folder that nothing can go on from."""
    return [path for _, path in sorted(_checkpoints(folder)) if not _is_whole(path)]


def remove_unfinished(folder: str) -> Iterator[str]:
    """Remove the checkpoints that nothing can go on from; yields a sentence about each."""
    for path in unfinished_checkpoints(folder):
        shutil.rmtree(path)
        yield f"{path}: was not written to its end, and is removed"


def remove_checkpoints(folder: str) -> None:
    """Remove every checkpoint of the folder of a run that is done; models that it keeps stay."""
    for _, path in list(_checkpoints(folder)):
        shutil.rmtree(path)


def is_cut_off(path: Path) -> bool:
    """Return whether a file of weights in safetensors is shorter or longer than its header says.

    A file whose header cannot be read counts as cut off.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER), "little")
            if length > size:
                return True
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return True
    return size != _HEADER + length + max(ends, default=0)


def _checkpoints(folder: str) -> Iterator[tuple[int, Path]]:
    for item in os.scandir(folder) if os.path.isdir(folder) else ():
        name, _, step = item.name.rpartition("-")
        if name == "checkpoint" and step.isdigit() and item.is_dir():
            yield int(step), Path(item.path)


def _is_whole(checkpoint: Path) -> bool:
    """Return whether the trainer's state is there, and no file beside it is cut off."""
    from transformers import TrainerState

    try:
        TrainerState.load_from_json(str(checkpoint / _STATE))
    except (OSError, ValueError, TypeError):
        return False
    sharded = [path for path in checkpoint.iterdir() if path.is_dir() and path.name[-2:] == "_0"]
    return (
        not any(map(is_cut_off, checkpoint.glob("*.safetensors")))
        and all(is_zipfile(path) for path in checkpoint.glob("*.pt*"))
        and all((path / ".metadata").is_file() for path in sharded)
    )
