"""The prompts of samples: their messages, their sizes, and ids that say what was asked."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

_AT_ONCE = 1_024
"""Samples whose texts are in memory together."""

Messages = list[tuple[str, str]]
"""Role and content of each message; texts that prompts share are one string in memory."""


@dataclass(frozen=True)
class AskedPrompt:
    """A sample's prompt, without its text."""

    id: str
    """The sample's id and a hash of its prompt.

    Inspect takes an earlier answer for a sample's by its id alone; so a changed prompt is another
    sample.
    """
    characters: int
    """The size of all its messages."""


def asked_prompts(table: pa.Table) -> Iterator[AskedPrompt]:
    """Yield the prompt of each sample.

    A message is hashed once for all prompts that follow each other and begin with it.

    Args:
        table: with `sample_id` and `prompt`.
    """
    before: Messages = []
    states: list[tuple[Any, int]] = [(hashlib.sha256(), 0)]
    for batch in table.select(["sample_id", "prompt"]).to_batches(max_chunksize=_AT_ONCE):
        names = batch["sample_id"].to_pylist()
        for name, messages in zip(names, messages_of(batch["prompt"]), strict=True):
            same = _shared(before, messages)
            del states[same + 1 :]
            for role, content in messages[same:]:
                digest, size = states[-1]
                digest = digest.copy()
                digest.update(f"{role}\0{content}\0".encode())
                states.append((digest, size + len(content)))
            digest, size = states[-1]
            yield AskedPrompt(f"{name}#{digest.hexdigest()[:16]}", size)
            before = messages


def sample_of(log_id: str) -> str:
    """Return the sample's id in the dataset.

    Args:
        log_id: an id of `AskedPrompt`.

    >>> sample_of("swebench/m/a/1#0123456789abcdef")
    'swebench/m/a/1'
    """
    return log_id.rpartition("#")[0]


def messages_of(prompts: Any) -> Iterator[Messages]:
    """Yield the messages of each prompt of an Arrow array."""
    flat = prompts.flatten()
    texts = flat.field("content").dictionary_encode()
    known, places = texts.dictionary.to_pylist(), texts.indices.to_pylist()
    roles = flat.field("role").to_pylist()
    bounds = (prompts.offsets.to_numpy() - prompts.offsets[0].as_py()).tolist()
    for start, stop in pairwise(bounds):
        yield [(roles[place], known[places[place]]) for place in range(start, stop)]


def _shared(before: Messages, messages: Messages) -> int:
    """Return how many messages two prompts begin with alike."""
    for number, (old, new) in enumerate(zip(before, messages, strict=False)):
        if old != new:
            return number
    return min(len(before), len(messages))
