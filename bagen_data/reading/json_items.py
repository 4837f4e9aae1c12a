"""Read a big JSON list item by item, so that memory holds one item and not the file."""

import codecs
import json
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.fast_json import refuse_repeated_keys

BIG = 64_000_000
"""Bytes from which a list is read item by item."""

_CHUNK = 8_000_000
_SPACE = " \t\r\n"
_NUMBER = tuple("0123456789.eE+-")


def starts_list(file: BufferedReader) -> bool:
    """Return whether the first character of a file is `[`, white space and a mark of UTF-8 apart.

    The file stays where it is.
    """
    head = file.peek(4096).removeprefix(codecs.BOM_UTF8)
    return head.lstrip(_SPACE.encode()).startswith(b"[")


def list_items(file: BufferedReader, chunk: int = _CHUNK) -> Iterator[Any]:
    """Yield the items of a JSON list.

    Args:
        file: open at its beginning, which `starts_list` accepts.
        chunk: bytes to read at once.

    Raises:
        RolloutError: the file is not UTF-8, is not JSON, or is cut off, or an item holds a key
            twice; items before are given.

    >>> import io
    >>> list(list_items(io.BufferedReader(io.BytesIO(b'[1, {"a": "]"}]')), chunk=4))
    [1, {'a': ']'}]
    """
    text = _Text(file, chunk)
    text.skip("[")
    number = 0
    if text.next_mark() == "]":
        return
    while True:
        yield text.item(number)
        number += 1
        mark = text.next_mark()
        if mark not in (",", "]"):
            raise RolloutError(f"is not JSON, or cut off, after item {number - 1}")
        text.skip(mark)
        if mark == "]":
            break
    if text.next_mark():
        raise RolloutError("is not JSON: something follows the list")


class _Text:
    """A file's text from a position on, as much of it as is needed."""

    def __init__(self, file: BufferedReader, chunk: int) -> None:
        self._file = file
        self._chunk = chunk
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._start = 0
        self._is_whole = False

    def next_mark(self) -> str:
        """Return the next character that is not white space; empty at the end of the file."""
        while True:
            while self._start < len(self._text) and self._text[self._start] in _SPACE:
                self._start += 1
            if self._start < len(self._text):
                return self._text[self._start]
            if not self._extend(self._chunk):
                return ""

    def skip(self, mark: str) -> None:
        """Go past a mark that comes next."""
        if self.next_mark() == mark:
            self._start += 1

    def item(self, number: int) -> Any:
        """Return the JSON value that comes next.

        A number that ends near the end of the text may go on behind it.
        """
        self.next_mark()
        more = self._chunk
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._start)
            except (ValueError, RecursionError) as error:
                if not self._extend(more):
                    raise RolloutError(f"item {number} is not JSON, or cut off: {error}") from error
            else:
                is_number = self._text[end : end + 1] in _NUMBER or end + 1 >= len(self._text)
                if not is_number or not self._extend(more):
                    self._refuse_repeated_keys(number, value, end)
                    self._start = end
                    return value
            more *= 2

    def _refuse_repeated_keys(self, number: int, value: Any, end: int) -> None:
        try:
            refuse_repeated_keys(self._text[self._start : end].encode(), value)
        except ValueError as error:
            raise RolloutError(f"item {number} {error}") from error

    def _extend(self, size: int) -> bool:
        """Read on, and forget what is behind; returns whether there was anything left."""
        if self._is_whole:
            return False
        data = self._file.read(size)
        self._is_whole = len(data) < size
        try:
            fresh = self._decoder.decode(data, final=self._is_whole)
        except UnicodeDecodeError as error:
            raise RolloutError(f"is not UTF-8: {error.reason}") from error
        self._text = self._text[self._start :] + fresh
        self._start = 0
        return True
