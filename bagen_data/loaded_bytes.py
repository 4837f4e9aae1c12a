"""Bytes that rows take in memory, as readers without dictionaries hold them."""

import numpy as np
import pyarrow as pa

_OFFSET = 4
"""Bytes of where a string or a list ends."""


def loaded_bytes(table: pa.Table) -> int:
    """Return the bytes of a table in Arrow memory with each string of it written out.

    It is what `datasets` caches of the rows, and its `num_bytes`.

    >>> texts = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1], pa.int8()), ["abc", "de"])
    >>> loaded_bytes(pa.table({"text": texts})), loaded_bytes(pa.table({"n": [1, 2]}))
    (20, 16)
    """
    return sum(_bytes(chunk) for column in table.columns for chunk in column.chunks)


def _bytes(array: pa.Array) -> int:
    kind = array.type
    if pa.types.is_list(kind):
        first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
        # `flatten` of a list imports pyarrow.compute, a tenth of a small build
        return _offsets(array) + _bytes(array.values.slice(first, last - first))
    if pa.types.is_struct(kind):
        return sum(map(_bytes, array.flatten()))
    if pa.types.is_dictionary(kind):
        ends = np.frombuffer(array.dictionary.buffers()[1], np.int32)
        start = array.dictionary.offset
        sizes = np.diff(ends[start : start + len(array.dictionary) + 1])
        codes = np.frombuffer(array.indices.buffers()[1], kind.index_type.to_pandas_dtype())
        codes = codes[array.offset : array.offset + len(array)]
        return _offsets(array) + int(sizes[codes].sum(dtype=np.int64))
    return int(array.nbytes)


def _offsets(array: pa.Array) -> int:
    return _OFFSET * len(array)
