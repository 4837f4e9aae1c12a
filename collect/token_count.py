"""Counts of tokens where no API reports them: with a tokenizer, or in words and marks."""

from dataclasses import dataclass
from functools import lru_cache

from bagen_data.tokenizer import HubTokenizer
from bagen_data.usage import words_and_marks
from collect.agents import Counter


@dataclass(frozen=True)
class TokenCount:
    """A way to count tokens."""

    name: str
    """Name of the tokenizer, as logs show it: of a folder, its last part."""
    sha256: str
    """Hash of the tokenizer's definition; empty where there is no tokenizer."""
    count: Counter


@lru_cache(1)
def token_count(tokenizer: str | None) -> TokenCount:
    """Return the count with this tokenizer, a folder or Hub id, or without one.

    Raises:
        MissingExtraError: `transformers` is not installed.
        WrongUsageError: there is no such tokenizer.
    """
    if tokenizer is None:
        return TokenCount("words and marks", "", words_and_marks)
    hub_tokenizer = HubTokenizer(tokenizer)
    return TokenCount(
        hub_tokenizer.name, hub_tokenizer.sha256, lambda text: hub_tokenizer.count([text])[0]
    )
