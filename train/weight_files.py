"""The files of a model's weights: whether they are there, whole, and those of its config."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from bagen_data.errors import InputError
from bagen_data.unique_keys import parse_json
from train.checkpoints import is_cut_off

_SINGLE = ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors")
_INDEX = ".index.json"
_PICKLES = ("pytorch_model*.bin", "adapter_model.bin")
_ZIP = b"PK"
"""First bytes of what PyTorch writes since version 1.6."""
_AGAIN = "copy the model again, or train it again"


def check_weights(folder: Path) -> None:
    """Check that the weights of a model's folder are there, and are as long as they say.

    Nothing is checked of a model of the Hub, whose client checks what it downloads.

    Raises:
        InputError: a file is missing or cut off, or an index names tensors that its files lack.
    """
    if not folder.is_dir():
        return
    pickles = [path for pattern in _PICKLES for path in folder.glob(pattern)]
    files = {*folder.glob("*.safetensors"), *pickles}
    indexes = {path: _named_files(path) for path in folder.glob(f"*{_INDEX}")}
    files |= {folder / name for names in indexes.values() for name in names.values()}
    if not files:
        raise InputError(
            f"{folder}: holds no weights; expected model.safetensors, or a run's epoch-N or the "
            "folder of one that has ended"
        )
    for path in sorted(files):
        if not path.is_file() or _is_cut_off(path):
            state = "is cut off" if path.is_file() else "is missing"
            raise InputError(f"{path}: {state}; {_AGAIN}")
    parts = [path for path in files if "-of-" in path.name]
    if parts and not indexes and not any((folder / name).is_file() for name in _SINGLE):
        raise InputError(
            f"{min(parts)}: is one part of the weights, and no index names all parts; expected "
            f"model.safetensors{_INDEX}; copy the model again"
        )
    for index, names in indexes.items():
        for tensor in _absent_tensors(folder, names):
            raise InputError(
                f"{index}: names {tensor} in {names[tensor]}, which does not hold it; {_AGAIN}"
            )


def check_fit(folder: Path, config: Any) -> None:
    """Check that weights are those of the model that a config describes.

    A tensor that is missing would be filled with random numbers. Nothing is checked where weights
    have names that the model lacks, as those of a quantised model or of an older version of it,
    which transformers translates.

    Args:
        folder: the model's, checked with `check_weights`.
        config: its config, as transformers reads it.

    Raises:
        InputError: a tensor is missing, or has another shape.
    """
    if not folder.is_dir():
        return
    shapes = _stored_shapes(folder)
    expected = _expected_tensors(config) if shapes else {}
    if not shapes or not shapes.keys() <= expected.keys():
        return
    for name, (shape, names) in expected.items():
        stored = [shapes[each] for each in names if each in shapes]
        if not stored:
            raise InputError(
                f"{folder}: its weights lack {name}, which config.json describes; {_AGAIN}"
            )
        if name in shapes and shapes[name] != shape:
            raise InputError(
                f"{folder}: {name} has shape {_shown(shapes[name])}, and by config.json it has "
                f"{_shown(shape)}; take the config.json that the weights were saved with"
            )


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of a safetensors file that is not cut off."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def _named_files(index: Path) -> dict[str, str]:
    """Return the file of each tensor, by an index."""
    try:
        named = parse_json(index.read_bytes())["weight_map"]
        if not named or not all(isinstance(name, str) for name in named.values()):
            raise ValueError("its weight_map names no files")
        return dict(named)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index}: cannot be read: {error}; copy the model again") from error


def _is_cut_off(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return is_cut_off(path)
    with path.open("rb") as file:
        begin = file.read(len(_ZIP))
    return begin in (b"", _ZIP) and not is_zipfile(path)


def _absent_tensors(folder: Path, names: Mapping[str, str]) -> Iterator[str]:
    """Yield tensors that an index names and its safetensors files lack."""
    held: dict[str, Any] = {}
    for tensor, name in names.items():
        if not name.endswith(".safetensors"):
            continue
        if name not in held:
            held[name] = tensor_shapes(folder / name)
        if tensor not in held[name]:
            yield tensor


def _stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that transformers would read; empty if that is unsure."""
    single, index = folder / _SINGLE[0], folder / f"{_SINGLE[0]}{_INDEX}"
    if single.is_file():
        return tensor_shapes(single)
    files = sorted(set(_named_files(index).values())) if index.is_file() else []
    return {name: shape for file in files for name, shape in tensor_shapes(folder / file).items()}


def _expected_tensors(config: Any) -> dict[str, tuple[tuple[int, ...], list[str]]]:
    """Return, by name, the shape of each weight of a model, and all its names where it is tied."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config)
    except ValueError:
        return {}
    state = dict(model.named_parameters(remove_duplicate=False))
    names: dict[int, list[str]] = {}
    for name, weight in state.items():
        names.setdefault(id(weight), []).append(name)
    return {name: (tuple(each.shape), names[id(each)]) for name, each in state.items()}


def _shown(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
