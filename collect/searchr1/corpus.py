"""The documents that can be searched, kept as columns: a corpus may have millions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from bagen_data.errors import InputError
from collect.searchr1.row_files import id_of, read_rows, text_of

_ROWS_AT_ONCE = 16_384
_SCHEMA = pa.schema({"id": pa.string(), "title": pa.string(), "text": pa.string()})


@dataclass(frozen=True)
class Document:
    """A document of the corpus."""

    id: str
    """Id of the document in the corpus, or else `doc_` and its position, from 1."""
    title: str
    """Title of the document, on one line."""
    text: str
    """Text of the document, without the title."""


class Corpus:
    """Documents by position, from 0; in memory as Arrow columns, not as Python objects."""

    def __init__(self, table: pa.Table) -> None:
        """Take a table with the columns `id`, `title` and `text`."""
        self._id, self._title, self._text = (table.column(name) for name in _SCHEMA.names)

    def __len__(self) -> int:
        return len(self._id)

    def document(self, position: int) -> Document:
        """Return the document at a position."""
        columns = (self._id, self._title, self._text)
        return Document(*(column[position].as_py() for column in columns))

    def searchable(self) -> Iterator[str]:
        """Yield title and text of each document, one after the other."""
        for titles, texts in zip(self._title.chunks, self._text.chunks, strict=True):
            for title, text in zip(titles, texts, strict=True):
                yield f"{title.as_py()}\n{text.as_py()}"


def read_corpus(path: Path) -> Corpus:
    r"""Read a JSONL or Parquet file with a document a row.

    Fields: `title` and `text`; or `contents`, whose first line is the title, in quotation marks
    or not, and the rest the text, as in Search-R1's Wikipedia; `id`, where there.

    Raises:
        InputError: naming the file, the line or row, the field, and what to do.
    """
    batches: list[pa.RecordBatch] = []
    waiting: list[dict[str, str]] = []
    rows = read_rows(path, {"id", "title", "text", "contents"})
    for position, (place, row) in enumerate(rows, 1):
        title, text = _title_and_text(row, place)
        waiting.append(
            {"id": id_of(row, ("id",), place) or f"doc_{position}", "title": title, "text": text}
        )
        if len(waiting) == _ROWS_AT_ONCE:
            batches.append(_batch(waiting, place))
            waiting.clear()
    if waiting:
        batches.append(_batch(waiting, place))
    return Corpus(pa.Table.from_batches(batches, _SCHEMA))


def _batch(documents: list[dict[str, str]], place: str) -> pa.RecordBatch:
    try:
        return pa.RecordBatch.from_pylist(documents, _SCHEMA)
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise InputError(
            f"{place}: this row, or one of the {len(documents)} before it, is not proper Unicode "
            f"({error}); expected UTF-8; correct or remove it"
        ) from error


def _title_and_text(row: Mapping[str, Any], place: str) -> tuple[str, str]:
    if row.get("contents") is None or row.get("text") is not None:
        title, text = text_of(row, "title", place), text_of(row, "text", place)
        return " ".join(title.split()), text.strip()
    line, _, text = text_of(row, "contents", place).strip().partition("\n")
    title = " ".join(line.strip().strip('"').split())
    if not title or not text.strip():
        raise InputError(
            f"{place}: contents has no title or no text; expected the title on the first line and "
            "the text after it; correct or remove it"
        )
    return title, text.strip()
