"""Parts of big JSONL files: a range of lines can be read without the lines before it."""

import hashlib
from dataclasses import dataclass, replace
from typing import IO, NamedTuple

from bagen_data.steady_files import FileDigest, Mark

_BLOCK = 1 << 20


@dataclass(frozen=True)
class LineRange:
    """Whole lines of a file that stand together."""

    start: int
    """Byte at which they start."""
    stop: int
    """Byte behind them."""
    number: int
    """The number of their first line, from 1."""
    sha256: str
    mark: Mark
    """The facts of the file when it was cut."""
    source: FileDigest | None = None
    """The digest of the whole file at its first range; None at the others."""


class FilePart(NamedTuple):
    """A file of a family, or a range of its lines."""

    path: str
    """Relative to the family's folder."""
    lines: LineRange | None = None
    """The lines; None for the whole file."""


def cut_lines(file: IO[bytes], most: int, mark: Mark) -> tuple[LineRange, ...]:
    r"""Cut a file into ranges of lines; an empty file has none.

    Args:
        file: open at its beginning.
        most: bytes after which a range ends with the next line.
        mark: the facts of the file.

    >>> import io
    >>> [(each.start, each.number) for each in cut_lines(io.BytesIO(b"a\n\nbcd\ne"), 3, None)]
    [(0, 1), (3, 3), (7, 4)]
    """
    whole, own = hashlib.sha256(), hashlib.sha256()
    ranges: list[LineRange] = []
    start = stop = 0
    number = following = 1
    while block := file.read(min(_BLOCK, most)):
        whole.update(block)
        end = block.rfind(b"\n") + 1 if stop + len(block) - start >= most else 0
        if end:
            own.update(memoryview(block)[:end])
            stop += end
            following += block.count(b"\n", 0, end)
            ranges.append(LineRange(start, stop, number, own.hexdigest(), mark))
            own = hashlib.sha256()
            start, number = stop, following
        own.update(memoryview(block)[end:])
        stop += len(block) - end
        following += block.count(b"\n", end)
    if stop > start:
        ranges.append(LineRange(start, stop, number, own.hexdigest(), mark))
    source = FileDigest(stop, whole.hexdigest(), mark)
    return (replace(ranges[0], source=source), *ranges[1:]) if ranges else ()
