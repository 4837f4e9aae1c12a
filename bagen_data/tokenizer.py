"""Count tokens with any Hugging Face tokenizer, for logs that give no counts."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from bagen_data.errors import MissingExtraError, WrongUsageError


class HubTokenizer:
    """A tokenizer by folder or Hub id; counts content tokens only."""

    def __init__(self, name_or_folder: str) -> None:
        """Load it.

        Raises:
            MissingExtraError: `transformers` is not installed.
            WrongUsageError: there is no tokenizer of that name.
        """
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        try:
            from transformers import AutoTokenizer
        except ModuleNotFoundError as error:
            raise MissingExtraError("transformers", "tokenizer") from error
        try:
            self._encode = AutoTokenizer.from_pretrained(name_or_folder)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise WrongUsageError(
                f"--tokenizer {name_or_folder}: expected a tokenizer's folder or Hub id: {reason}"
            ) from error
        folder = Path(name_or_folder)
        self.name = folder.resolve().name if folder.is_dir() else name_or_folder
        self.sha256 = hashlib.sha256(
            self._definition().encode("utf-8", "surrogatepass")
        ).hexdigest()

    def _definition(self) -> str:
        """All that decides how it splits a text; of a slow tokenizer, its vocabulary."""
        backend = getattr(self._encode, "backend_tokenizer", None)
        if backend is not None:
            return str(backend.to_str())
        return repr(sorted(self._encode.get_vocab().items()))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        encoded = self._encode(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]
