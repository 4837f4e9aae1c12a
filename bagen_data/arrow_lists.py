"""Arrow arrays of plain values and of lists of structs, from columns of Python values.

`pa.array` imports pandas, half a second, to learn that a list is not one of its objects. Arrays are
made of their buffers here instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.array_types import Mask
from bagen_data.schema import PAIRS, Amounts


def plain_array(values: Any, kind: pa.DataType) -> pa.Array:
    """Return an array of strings, truth values or numbers, none of them null.

    Args:
        values: (n,) a sequence or a NumPy array.
        kind: the array's type.

    >>> plain_array(["a", "bc"], pa.string()).to_pylist(), plain_array([3], pa.int8()).to_pylist()
    (['a', 'bc'], [3])
    """
    if pa.types.is_string(kind):
        return encoded_array(list(map(str.encode, values)))
    if pa.types.is_boolean(kind):
        bits = np.packbits(np.asarray(values, np.bool_), bitorder="little")
        buffers = [None, pa.py_buffer(bits)]
    else:
        buffers = [None, pa.py_buffer(np.ascontiguousarray(values, kind.to_pandas_dtype()))]
    return pa.Array.from_buffers(kind, len(values), buffers)


def encoded_array(blocks: Sequence[bytes]) -> pa.StringArray:
    """Return an array of strings that are given in UTF-8.

    >>> encoded_array([b"a", b"bc"]).to_pylist()
    ['a', 'bc']
    """
    ends = run_ends(list(map(len, blocks)))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(blocks))]
    return pa.Array.from_buffers(pa.string(), len(blocks), buffers)


def dictionary_array(codes: Any, kind: pa.DataType, values: Sequence[str]) -> pa.DictionaryArray:
    """Return strings as positions in their distinct values.

    Args:
        codes: (n,) positions in `values`.
        kind: the integer type of the positions.
        values: the distinct strings.

    >>> dictionary_array([1, 0, 1], pa.int8(), ["a", "b"]).to_pylist()
    ['b', 'a', 'b']
    """
    return pa.DictionaryArray.from_buffers(
        pa.dictionary(kind, pa.string()),
        len(codes),
        plain_array(codes, kind).buffers(),
        plain_array(values, pa.string()),
    )


def list_array(
    kind: pa.ListType, lengths: Sequence[int] | np.ndarray[Any, Any], columns: Iterable[Any]
) -> pa.ListArray:
    """Return rows of `lengths` structs each, whose fields are the flat `columns`."""
    fields = list(kind.value_type)
    structs = pa.StructArray.from_arrays(
        [_as_array(column, field) for column, field in zip(columns, fields, strict=True)],
        fields=fields,
    )
    return pa.ListArray.from_arrays(plain_array(run_ends(lengths), pa.int32()), structs, type=kind)


def pairs_array(rows: Sequence[Amounts]) -> pa.ListArray:
    """Return `[{name, value}]` of each mapping, in its order."""
    names = [name for row in rows for name in row]
    values = [value for row in rows for value in row.values()]
    return list_array(PAIRS, [len(row) for row in rows], (names, values))


def table_of(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Return a table of columns by name, each an Arrow array already or a sequence of values."""
    arrays = [_as_array(columns[field.name], field) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _as_array(column: Any, field: pa.Field) -> pa.Array:
    return column if isinstance(column, pa.Array) else plain_array(column, field.type)


def numbers_of(array: pa.Array) -> np.ndarray[Any, Any]:
    """Return the numbers of an array without nulls: a view, without pandas.

    >>> numbers_of(plain_array([1, 2, 3], pa.int32()).slice(1)).tolist()
    [2, 3]
    """
    data = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())
    return data[array.offset : array.offset + len(array)]


def truths_of(array: pa.BooleanArray) -> Mask:
    """Return the truth values of an array without nulls.

    >>> truths_of(plain_array([True, False, True], pa.bool_()).slice(1)).tolist()
    [False, True]
    """
    bits = np.frombuffer(array.buffers()[1], np.uint8)
    end = array.offset + len(array)
    return np.unpackbits(bits, count=end, bitorder="little")[array.offset :].view(np.bool_)


def text_bytes(array: pa.StringArray) -> np.ndarray[Any, Any]:
    """Return the bytes of each string of an array without nulls.

    >>> text_bytes(plain_array(["a", "é", ""], pa.string()).slice(1)).tolist()
    [2, 0]
    """
    ends = np.frombuffer(array.buffers()[1], np.int32)
    return np.diff(ends[array.offset : array.offset + len(array) + 1])


def run_ends(lengths: Sequence[int] | np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return where each of n runs begins, and where the last one ends: (n + 1,).

    >>> run_ends([2, 3]).tolist()
    [0, 2, 5]
    """
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return ends
