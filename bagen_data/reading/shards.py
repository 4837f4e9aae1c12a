"""Shards of a family: runs of its files, in their order, that are read one by one anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bagen_data.reading.line_ranges import FilePart


@dataclass(frozen=True)
class FamilyShard:
    """Files of a family, or ranges of lines, that are read together."""

    number: int
    """The shard's place among those of the family, from 0."""
    parts: tuple[FilePart, ...]


def cut_shards(
    paths: Sequence[str],
    sizes: Mapping[str, int],
    cuts: Mapping[str, Sequence[FilePart]],
    most: int,
) -> list[FamilyShard]:
    """Cut a family into shards; without a file it has none.

    Args:
        paths: the family's files.
        sizes: bytes by file.
        cuts: the parts of each file that is cut, in order.
        most: bytes after which a shard ends.

    >>> sizes = {"a": 3, "b": 9, "c": 1}
    >>> [[part.path for part in each.parts] for each in cut_shards("abc", sizes, {}, 10)]
    [['a', 'b'], ['c']]
    """
    shards: list[FamilyShard] = []
    waiting: list[FilePart] = []
    size = 0
    for path in paths:
        for part in cuts.get(path, (FilePart(path),)):
            waiting.append(part)
            size += sizes[path] if part.lines is None else part.lines.stop - part.lines.start
            if size >= most:
                shards.append(FamilyShard(len(shards), tuple(waiting)))
                waiting, size = [], 0
    if waiting:
        shards.append(FamilyShard(len(shards), tuple(waiting)))
    return shards
