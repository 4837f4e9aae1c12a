"""A tokenizer that needs no file: a token a word."""

from collections.abc import Sequence


class WordTokenizer:
    """Counts one token a word."""

    name, sha256 = "words", ""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]
