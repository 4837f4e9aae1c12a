"""Arrow arrays that hold each repeated string once, at any depth, and write it out when needed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return a type with the values' types in place of dictionaries, within lists and structs too.

    >>> plain_type(pa.list_(pa.dictionary(pa.int32(), pa.string())))
    ListType(list<item: string>)
    """
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(plain_type(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(plain_type(field.type)) for field in kind])
    return kind


def decoded(array: Any, kind: pa.DataType) -> Any:
    """Return an array with its strings written out.

    Args:
        array: an Arrow array; it may be a slice, of which nothing else is written out.
        kind: its plain type, in which fields of lists and structs may have other names for elements
            and other nullability.
    """
    return array if array.type == kind else _rewritten(array, kind, _values)


def compacted(array: Any) -> Any:
    """Return an array whose dictionaries hold nothing that it does not use, as those of a slice."""
    return _rewritten(array, array.type, _with_used_values)


def _rewritten(array: Any, kind: pa.DataType, rewrite: Callable[[Any, pa.DataType], Any]) -> Any:
    """Return the rows of an array, with each of its dictionary arrays rewritten to a type."""
    if pa.types.is_dictionary(array.type):
        return rewrite(array, kind)
    if pa.types.is_list(array.type):
        offsets = array.offsets
        return pa.ListArray.from_arrays(
            pc.subtract(offsets, offsets[0]),
            _rewritten(_values_within(array), kind.value_type, rewrite),
            type=kind,
            mask=array.is_null() if array.null_count else None,
        )
    if pa.types.is_struct(array.type):
        return pa.StructArray.from_arrays(
            [
                _rewritten(array.field(place), field.type, rewrite)
                for place, field in enumerate(kind)
            ],
            fields=list(kind),
            mask=array.is_null() if array.null_count else None,
        )
    return array if array.type == kind else array.cast(kind)


def _values_within(array: Any) -> Any:
    """Return the values between the first offset of an array of lists and its last."""
    first, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return array.values.slice(first, stop - first)


def _values(array: Any, kind: pa.DataType) -> Any:
    values = array.dictionary.take(array.indices)
    return values if values.type == kind else values.cast(kind)


def _with_used_values(array: Any, kind: pa.DataType) -> Any:
    used = array.indices.unique().drop_null()
    indices = pc.index_in(array.indices, used).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(indices, array.dictionary.take(used))


def decoded_bytes(array: Any) -> int:
    """Return about how many bytes an array takes with its strings written out."""
    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary)
        return int(pc.sum(pc.take(lengths, array.indices)).as_py() or 0) + 4 * len(array)
    if pa.types.is_list(array.type):
        return decoded_bytes(_values_within(array)) + 4 * len(array)
    if pa.types.is_struct(array.type):
        return sum(decoded_bytes(array.field(place)) for place in range(array.type.num_fields))
    return int(array.nbytes)


def without_small_dictionaries(
    batch: pa.RecordBatch, schema: pa.Schema, most: int
) -> pa.RecordBatch:
    """Return a batch in which only columns of long repeated strings have dictionaries.

    Writing out a short string costs more time, each time that its row is read, than it saves bytes.

    Args:
        batch: rows with dictionaries.
        schema: the plain schema.
        most: bytes a row that a column may take when it is written out.
    """
    columns = [
        decoded(column, field.type) if decoded_bytes(column) <= most * len(batch) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema.names)


def split_by_size(batch: pa.RecordBatch, most: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a batch in parts that take at most so many bytes with strings written out.

    An array of strings holds 2 GiB of them at most. A single row is never split.
    """
    if len(batch) > 1 and sum(map(decoded_bytes, batch.columns)) > most:
        half = len(batch) // 2
        yield from split_by_size(batch.slice(0, half), most)
        yield from split_by_size(batch.slice(half), most)
    elif len(batch):
        yield batch


def merged(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in fewer batches, with one dictionary in place of several.

    Rows that are taken here and there are taken from each batch apart, so few batches read faster.

    Args:
        batches: batches of the same columns.
        most: bytes that a batch may take with its strings written out.
    """
    for _, own in groupby(_numbered(batches, most), key=itemgetter(0)):
        yield _merged_batch([batch for _, batch in own])


def _merged_batch(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    columns = [
        _concatenated([part.column(place) for part in parts])
        for place in range(parts[0].num_columns)
    ]
    return pa.RecordBatch.from_arrays(columns, parts[0].schema.names)


def _numbered(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield each batch with the number of the merged batch that it goes into."""
    number = taken = 0
    for batch in batches:
        size = sum(map(decoded_bytes, batch.columns))
        if taken and taken + size > most:
            number, taken = number + 1, 0
        taken += size
        yield number, batch


def _concatenated(arrays: Sequence[Any]) -> Any:
    """Return arrays of a column as one; those of a type that others lack are written out."""
    if len({array.type for array in arrays}) > 1:
        kind = plain_type(arrays[0].type)
        return pa.concat_arrays([decoded(array, kind) for array in arrays])
    return _joined(arrays)


def _joined(arrays: Sequence[Any]) -> Any:
    """Return arrays of one type as one, with their dictionaries one after another.

    Arrow's own way looks up each string, which takes fifty times as long and finds few twice.
    """
    kind = arrays[0].type
    if pa.types.is_dictionary(kind):
        starts = np.cumsum([0, *(len(array.dictionary) for array in arrays)])
        indices = [
            pc.add(array.indices, pa.scalar(start, kind.index_type))
            for array, start in zip(arrays, starts.tolist(), strict=False)
        ]
        strings = pa.concat_arrays([array.dictionary for array in arrays])
        return pa.DictionaryArray.from_arrays(pa.concat_arrays(indices), strings)
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(
            pa.array(np.cumsum([0, *_lengths(arrays)], dtype=np.int32)),
            _joined([_values_within(array) for array in arrays]),
            type=kind,
            mask=_mask(arrays),
        )
    if pa.types.is_struct(kind):
        fields = [_joined([array.field(place) for array in arrays]) for place in range(len(kind))]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=_mask(arrays))
    return pa.concat_arrays(arrays)


def _lengths(arrays: Sequence[Any]) -> Any:
    """Return the number of values from each list's offset to the next."""
    return np.concatenate([np.diff(array.offsets.to_numpy()) for array in arrays])


def _mask(arrays: Sequence[Any]) -> Any:
    has_nulls = any(array.null_count for array in arrays)
    return pa.concat_arrays([array.is_null() for array in arrays]) if has_nulls else None
