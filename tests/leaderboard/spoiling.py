"""Ways to spoil a good submission, in a line each."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[Path], object]
"""Spoils the folder of a submission, or puts something at a path."""

GOOD = "predictions.jsonl"


def other(name: str, make: Make) -> Make:
    """Something else instead of the predictions."""

    def replace(folder: Path) -> None:
        (folder / GOOD).unlink()
        make(folder / name)

    return replace


def file(name: str, content: bytes) -> Make:
    return other(name, lambda path: path.write_bytes(content))


def meta(name: str, text: str) -> Make:
    """Another line of metadata instead of one."""

    def make(folder: Path) -> None:
        path = folder / "metadata.yaml"
        lines = path.read_text().splitlines()
        path.write_text("\n".join(text if line.startswith(f"{name}:") else line for line in lines))

    return make


def all_meta(content: bytes) -> Make:
    return lambda folder: (folder / "metadata.yaml").write_bytes(content)


def lines(change: Callable[[list[str]], list[str]]) -> Make:
    def make(folder: Path) -> None:
        lines = (folder / GOOD).read_text().splitlines()
        (folder / GOOD).write_text("\n".join(change(lines)) + "\n")

    return make


def more(text: str) -> Make:
    """Another key in the third prediction."""
    return lines(lambda old: [*old[:2], f"{old[2][:-1]}, {text}}}", *old[3:]])


def usage(**tokens: str) -> Make:
    amounts = {"input_tokens": "1", "cached_tokens": "0", "output_tokens": "0"} | tokens
    parts = ", ".join(f'"{name}": {amount}' for name, amount in amounts.items())
    return more(f'"usage": {{{parts}}}')


def no_yaml(make: Make) -> Make:
    """Something else instead of the metadata."""

    def replace(folder: Path) -> None:
        (folder / "metadata.yaml").unlink()
        make(folder / "metadata.yaml")

    return replace


def sparse(size: int) -> Make:
    """The size of a file that takes no room."""

    def make(path: Path) -> None:
        with path.open("ab") as opened:
            opened.truncate(size)

    return make


def link_out(path: Path) -> None:
    path.symlink_to(path.parents[2] / "secret")


def zipped(part: bytes, times: int) -> Make:
    """A packed file of a part many times, packed once: a member of gzip for each time."""

    def make(path: Path) -> None:
        path.write_bytes(gzip.compress(part, 1) * times)

    return other(f"{GOOD}.gz", make)


def parquet(damage: bytes | None = None, **columns: Any) -> Make:
    """A file of one row but for these columns; `damage` is replaced by bytes that are no text."""
    content = {"sample_id": ["sokoban/1"], "response": ["an answer"]} | columns
    table = pa.table({name: column for name, column in content.items() if column is not None})

    def make(path: Path) -> None:
        pq.write_table(table, path, compression="none", store_schema=False)
        if damage:
            path.write_bytes(path.read_bytes().replace(damage, b"\xff" * len(damage)))

    return other("predictions.parquet", make)


def dictionary_bomb() -> Make:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), ["x" * (1 << 20)])
    return parquet(sample_id=[str(number) for number in range(200_000)], response=text)
