"""Count tokens with any Hugging Face tokenizer, for logs that give no counts."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError, MissingExtraError, StoreError, WrongUsageError

_HUB_ID = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)?", re.ASCII)
"""The id of a model on the Hub: ORG/NAME, or NAME alone of some old ones."""

_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt")
"""Files one of which a tokenizer has."""


class HubTokenizer:
    """A tokenizer by folder or Hub id; counts content tokens only."""

    def __init__(self, name_or_folder: str) -> None:
        """Load the tokenizer: from its folder, from the Hub, or without a network from the cache.

        Raises:
            MissingExtraError: `transformers` is not installed.
            WrongUsageError: no such folder or model exists, or it has no tokenizer.
            InputError: the Hub refuses the token, or asks for one.
            StoreError: the Hub does not answer, and the cache has no copy.
        """
        self._encode = _loaded(name_or_folder)
        folder = Path(name_or_folder)
        self.name = folder.resolve().name if folder.is_dir() else name_or_folder
        self.sha256 = hashlib.sha256(
            self._definition().encode("utf-8", "surrogatepass")
        ).hexdigest()

    def _definition(self) -> str:
        """Return all that decides how a text is split; of a slow tokenizer, its vocabulary."""
        backend = getattr(self._encode, "backend_tokenizer", None)
        if backend is not None:
            return str(backend.to_str())
        return repr(sorted(self._encode.get_vocab().items()))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, without special tokens."""
        encoded = self._encode(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]


def _loaded(name: str) -> Any:
    """Return the tokenizer of transformers; raises as `HubTokenizer`."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise MissingExtraError("transformers", "tokenizer") from error
    source = name if os.path.isdir(name) else _source(name)
    try:
        return AutoTokenizer.from_pretrained(source, local_files_only=os.path.isdir(source))
    except (OSError, ValueError) as error:
        raise WrongUsageError(
            f"--tokenizer {name}: expected a tokenizer's folder or Hub id: "
            f"{' '.join(str(error).split())}"
        ) from error


def _source(name: str) -> str:
    """Return the id of a model that the Hub has, or the folder of its copy in the cache.

    The Hub is asked once, as transformers itself tries for minutes before it reads the cache.

    Raises:
        WrongUsageError, InputError, StoreError: as `HubTokenizer`.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    from bagen_data.repositories.hub_requests import ask

    if not _HUB_ID.fullmatch(name):
        raise WrongUsageError(
            f"--tokenizer {name}: no such folder; expected a tokenizer's folder or Hub id, such as "
            "Qwen/Qwen3-0.6B"
        )
    try:
        ask(lambda: HfApi().model_info(name), name, most_tries=1)
    except RepositoryNotFoundError as error:
        raise WrongUsageError(
            f"--tokenizer {name}: no such folder, and the Hub has no such model, or it is private; "
            "check the name, or log in with 'hf auth login' or set HF_TOKEN to a token that may "
            "read it"
        ) from error
    except StoreError as error:
        copy = _cached_copy(name)
        if copy is None:
            raise StoreError(
                f"--tokenizer {error}; the cache of huggingface_hub has no copy of it, so give the "
                "folder of a tokenizer"
            ) from error
        return str(copy)
    except (HfHubHTTPError, InputError) as error:
        raise InputError(f"--tokenizer {error}") from error
    return name


def _cached_copy(name: str) -> Path | None:
    """Return the folder that the cache of huggingface_hub has of a tokenizer; None without one."""
    from huggingface_hub import try_to_load_from_cache

    for file in _FILES:
        path = try_to_load_from_cache(name, file)
        if isinstance(path, str):
            return Path(path).parent
    return None
