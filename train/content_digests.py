"""Digests of what a run reads, which tell it from what lay at the same place before."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from bagen_data.dataset_files import names_of, read_manifest
from bagen_data.repositories.dataset_places import locate
from train.checkpoints import is_cut_off

_WHOLE = 1 << 28
"""Bytes of a file of weights up to which all of it is read."""
_CHUNK = 4096
"""Bytes that are read at each place of a larger one."""
_PLACES = 1024
"""Places of a larger file that is not in safetensors."""
_BESIDE = ("config.json", "generation_config.json", "adapter_config.json")
_OF_TOKENIZER = (
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_template*"),
    *("vocab.*", "merges.txt", "*.model", "*.tiktoken"),
)


def weights_digest(model: str) -> str | None:
    """Return a digest of the files of weights of a folder; None for a model of the Hub.

    Files of at most 256 MB are read whole. Of a larger one the size, the header, and the beginning
    of each tensor are read: enough to tell two trainings apart, and cheap with 15 GB.
    """
    folder = Path(model)
    if not folder.is_dir():
        return None
    digest = blake2b(digest_size=16)
    for path in sorted((*folder.glob("*.safetensors"), *folder.glob("*model*.bin"))):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            if size <= _WHOLE:
                while content := file.read(1 << 20):
                    digest.update(content)
                continue
            for place in _places(path, size):
                file.seek(place)
                digest.update(file.read(_CHUNK))
    return digest.hexdigest()


def model_files(model: str) -> dict[str, str]:
    """Return digests of a folder's config and tokenizer by file; empty for a model of the Hub."""
    folder = Path(model)
    paths = {path for name in (*_BESIDE, *_OF_TOKENIZER) for path in folder.glob(name)}
    return {path.name: _digest([path]) for path in sorted(paths) if path.is_file()}


def rows_digest(dataset: str, configs: Sequence[str]) -> str | None:
    """Return a digest of the files of configs of a folder; None for a dataset of the Hub.

    Raises:
        InputError: the dataset is missing, or has no manifest.
        StoreError: the Hub does not answer.
    """
    place = locate(dataset)
    if not isinstance(place, Path):
        return None
    chosen = set(configs)
    rows = [row for row in read_manifest(place) if chosen & set(names_of(row["config"]))]
    return _digest(sorted(place / row["path"] for row in rows))


def _digest(paths: Sequence[Path]) -> str:
    digest = blake2b(digest_size=16)
    for path in paths:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            while content := file.read(1 << 20):
                digest.update(content)
    return digest.hexdigest()


def _places(path: Path, size: int) -> Iterator[int]:
    """Yield where a large file of weights is read."""
    yield 0
    if path.suffix != ".safetensors" or is_cut_off(path):
        yield from (number * (size - _CHUNK) // _PLACES for number in range(1, _PLACES + 1))
        return
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name != "__metadata__":
            yield 8 + length + entry["data_offsets"][0]
